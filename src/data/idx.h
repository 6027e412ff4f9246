/**
 * IDX files, the form of MNIST and Fashion-MNIST: a magic number (0, 0, 8 for unsigned bytes, the
 * number of dimensions), big-endian dimensions, then the values; plain or compressed with gzip.
 */
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include "data/samples.h"

/** An IDX file in memory, its header read and its size checked against it. */
typedef struct rn_idx {
    char *path;
    char *bytes; // the file, compressed or not
    size_t size;
    bool compressed;
    int dims;
    uint32_t dim[4];
    uint64_t values; // product of dim
} rn_idx;

/**
 * Find a part of a data set in a folder and read it.
 *
 * Zero-initialise first; rn_idx_release() is legal after a failure.
 *
 * @param labels  The labels (1 dimension) or the images (3 dimensions, or 4 for colour).
 * @return RN_OK; RN_ENOTFOUND (lists the names that were looked for); RN_EFORMAT; RN_EIO;
 *         RN_ENOMEM.
 */
rn_status rn_idx_read(rn_idx *idx, const char *folder, rn_split split, bool labels);
void rn_idx_release(rn_idx *idx);

/**
 * Decode all values.
 *
 * @param[out] out  `values` bytes, the caller's (rn_free()); NULL on failure.
 * @return RN_OK; RN_EFORMAT (there are fewer or more, or bad gzip data); RN_ENOMEM.
 */
rn_status rn_idx_decode(uint8_t **out, const rn_idx *idx);

/** Does the folder hold any IDX file of a known name? RN_OK or RN_ENOMEM. */
rn_status rn_idx_recognise(bool *found, const char *folder);

/**
 * Read one split: gray images as 1 channel; colour images [n][3][h][w] or [n][h][w][3] as 3.
 *
 * There are ten classes, or as many as the folder's label_names.txt has lines. Names come from that
 * file; for ten classes in a folder whose path says "fashion" they are Fashion-MNIST's.
 */
rn_status rn_idx_open(rn_samples **out, const char *folder, rn_split split);

/** The number of classes that the folder's labels may have. Errors as rn_label_names_read(). */
rn_status rn_idx_classes(int *classes, const char *folder);

/** RN_EFORMAT if a label is not below `classes`; names the file and the place. */
rn_status rn_idx_check_labels(const rn_idx *idx, const uint8_t *labels, int classes);

#endif
