/** Sample sets: making them, naming their labels. */
#ifndef DATA_SAMPLES_H
#define DATA_SAMPLES_H

#include "resnet/data.h"

/**
 * rn_samples_create() with images that are there.
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
