/** Data sets: labelled images as bytes in memory, from files or generated. */
#ifndef RESNET_DATA_H
#define RESNET_DATA_H

#include "resnet/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A labelled set of images of one size. Read its fields freely; they belong to the set. */
typedef struct rn_samples {
    size_t count;
    int channels, height, width;
    int classes;
    uint8_t *images;    // [count][channels][height][width], 0 .. 255, channels R, G, B or gray
    int32_t *labels;    // [count], each 0 .. classes - 1
    char **label_names; // [classes]; never NULL: "0", "1", ... where the files name none
    char *name;         // "CIFAR-10 train", "shapes test (seed 1)"
} rn_samples;

RN_API void rn_samples_free(rn_samples *samples);

typedef enum rn_split { RN_SPLIT_TRAIN, RN_SPLIT_TEST } rn_split;

/**
 * Open one split of a data set.
 *
 * @param[out] out  The caller's (rn_samples_free()); NULL on failure.
 * @param source    "shapes" or "shapes:train=10000,test=2000,seed=1" (generated, no files), or a
 *                  folder that holds (itself, or in its usual sub-folder) CIFAR-10 or CIFAR-100
 *                  binary files or IDX files (plain or .gz), recognised by their names.
 *                  "DIR:labels=coarse" takes CIFAR-100's 20 superclasses.
 * @return RN_OK; RN_ENOTFOUND (no such folder, or nothing known in it: says what was looked for);
 *         RN_EFORMAT (names file, place, expected and found); RN_EIO; RN_EINVAL; RN_ENOMEM.
 */
RN_API rn_status rn_data_open(rn_samples **out, const char *source, rn_split split);

/**
 * Move `held_out` images, drawn at random from `seed`, class by class in proportion, into a set of
 * their own (the paper's 45k/5k split). On failure both sets are as before.
 */
RN_API rn_status rn_samples_hold_out(rn_samples *samples, rn_samples **held, size_t held_out,
                                     uint64_t seed);

/** Where a known data set can be fetched and what its bytes must be. */
typedef struct rn_download {
    const char *name; // "cifar10", "cifar100"
    const char *url;
    const char *sha256; // of the archive, lowercase hexadecimal
    uint64_t bytes;
} rn_download;

/** Known downloads, index from 0; NULL past the last. Static. */
RN_API const rn_download *rn_download_at(int index);

/** Progress of a download: bytes so far and in all (0 if unknown); returning false cancels. */
typedef bool (*rn_download_progress)(uint64_t done, uint64_t total, void *context);

/**
 * Fetch an archive into `folder`, resuming a partial file, check its sum and unpack it.
 *
 * @return RN_OK; RN_ENETWORK; RN_EFORMAT (sum or archive wrong; the bad file is removed);
 *         RN_EIO; RN_EINTERRUPTED (cancelled; the partial file stays for the next call).
 */
RN_API rn_status rn_download_fetch(const rn_download *download, const char *folder,
                                   rn_download_progress progress, void *context);

/** One finding of rn_data_verify(): a file and what is wrong with it, or "ok ...". */
typedef void (*rn_verify_report)(const char *file, bool ok, const char *finding, void *context);

/**
 * Check every file of a data set: sizes, magic numbers, label ranges, and for CIFAR-10 and
 * CIFAR-100 the official MD5 sums; reports each file. RN_EFORMAT if any is wrong.
 */
RN_API rn_status rn_data_verify(const char *source, rn_verify_report report, void *context);

#ifdef __cplusplus
}
#endif
#endif
