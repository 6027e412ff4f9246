/** CIFAR-10 and CIFAR-100 in their binary form: records of label bytes and a planar 32 x 32 image.
 */
#ifndef DATA_CIFAR_H
#define DATA_CIFAR_H

#include "data/samples.h"

enum { RN_CIFAR_IMAGE_BYTES = 3 * 32 * 32 };

typedef struct rn_cifar_file {
    const char *name;
    rn_split split;
    uint32_t records;     // in the official file, and the most that are accepted
    const char *checksum; // of the official file, "md5:..."; NULL where it is not known
} rn_cifar_file;

/** One of the two data sets; static. */
typedef struct rn_cifar_kind {
    const char *name;           // "CIFAR-10"
    const char *folder;         // the archive's folder
    const rn_cifar_file *files; // ends with a NULL name
    int label_bytes;            // CIFAR-100: coarse, then fine
    int classes[2];             // of each label byte
    const char *names_files[2]; // label names of each label byte
} rn_cifar_kind;

extern const rn_cifar_kind rn_cifar10, rn_cifar100;

/**
 * Read one split from the folder that holds the files.
 *
 * All files' sizes are checked before anything is allocated for them.
 *
 * @param[out] out  The caller's (rn_samples_free()); NULL on failure.
 * @param label     Which label byte to take: 0, or for CIFAR-100 also 1 (fine).
 * @return RN_OK; RN_ENOTFOUND (a file is missing); RN_EFORMAT (empty, not a whole number of
 *         records, more than the official number of them, a label out of range, label names
 *         malformed); RN_EIO; RN_ENOMEM.
 */
rn_status rn_cifar_open(rn_samples **out, const rn_cifar_kind *kind, const char *folder,
                        rn_split split, int label);

/** Check a file's labels: bytes as read, `size` a whole number of records. */
rn_status rn_cifar_check_labels(const rn_cifar_kind *kind, const char *bytes, size_t size,
                                const char *path);

/** The number of records of a file from its size in bytes; RN_EFORMAT as rn_cifar_open(). */
rn_status rn_cifar_count(size_t *records, const rn_cifar_kind *kind, const rn_cifar_file *file,
                         uint64_t bytes, const char *path);

#endif
