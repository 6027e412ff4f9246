/** Sample sets: making them, naming their labels. */
#ifndef DATA_SAMPLES_H
#define DATA_SAMPLES_H

#include "resnet/data.h"

typedef struct rn_samples_shape {
    size_t count;
    int channels, height, width;
    int classes;
} rn_samples_shape;

/**
 * Allocate a zeroed set whose labels are called "0", "1", ... Without images where height and width
 * are 0: these are encoded pictures (rn_samples_create_photos()).
 *
 * @param[out] out  The caller's (rn_samples_free()); NULL on failure.
 * @param name      Copied; for people: "CIFAR-10 train".
 * @return RN_OK; RN_EINVAL (a size below 1 or over 2^32 - 1 images); RN_ENOMEM.
 */
rn_status rn_samples_create(rn_samples **out, const rn_samples_shape *shape, const char *name);

/**
 * The same with images that are there.
 *
 * @param images  [count][channels][height][width]; the set takes them over: NULL after success.
 */
rn_status rn_samples_create_filled(rn_samples **out, const rn_samples_shape *shape,
                                   uint8_t **images, const char *name);

/** Bytes of one image. */
size_t rn_samples_image_bytes(const rn_samples *samples);

/**
 * One picture of either kind of set; `options` are of encoded ones, as rn_photos_decode() has them.
 */
rn_status rn_samples_picture(rn_image **out, const rn_samples *samples, size_t index,
                             const rn_decode_options *options);

/** Replace the label names by copies of names[0 .. classes). Unchanged on failure (RN_ENOMEM). */
rn_status rn_samples_set_label_names(rn_samples *samples, const char *const *names);

/** The names in a text file, one a line, as read by rn_label_names_read(). */
typedef struct rn_label_names {
    char *text; // owns the characters
    const char **names;
    int count;
} rn_label_names;

/**
 * Read a file of label names: one a line, 1 to 100 printable bytes each; empty lines at the end are
 * ignored. Zero-initialise first; rn_label_names_release() is legal after a failure.
 *
 * @param expected  Number of names that the file must hold; 0 takes any from 1 to 10,000.
 * @return RN_OK; RN_ENOTFOUND, RN_EIO; RN_EFORMAT (names the line, or the counts); RN_ENOMEM.
 */
rn_status rn_label_names_read(rn_label_names *names, const char *path, int expected);
void rn_label_names_release(rn_label_names *names);

#endif
