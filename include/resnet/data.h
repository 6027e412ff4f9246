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
 *                  "DIR:labels=coarse" takes CIFAR-100's 20 superclasses. IDX files have ten
 *                  classes, or as many as the folder's label_names.txt has lines.
 * @return RN_OK; RN_ENOTFOUND (no such folder, or nothing known in it: says what was looked for);
 *         RN_EFORMAT (names file, place, expected and found); RN_EIO; RN_EINVAL; RN_ENOMEM.
 */
RN_API rn_status rn_data_open(rn_samples **out, const char *source, rn_split split);

/**
 * Move `held_out` images, drawn at random from `seed`, class by class in proportion, into a set of
 * their own (the paper's 45k/5k split). Both keep the order of the images.
 *
 * @param[out] held  The caller's (rn_samples_free()); NULL on failure, and *samples is as before.
 * @param held_out   1 .. samples->count - 1.
 * @return RN_OK; RN_EINVAL; RN_ENOMEM.
 */
RN_API rn_status rn_samples_hold_out(rn_samples *samples, rn_samples **held, size_t held_out,
                                     uint64_t seed);

/** Where a known data set can be fetched and what its bytes must be. */
typedef struct rn_download {
    const char *name;     // "cifar10", "cifar100"
    const char *url;      // http or https, ending in the archive's file name (a .tar.gz)
    const char *checksum; // of the archive: "md5:HEX" or "sha256:HEX", lowercase
    uint64_t bytes;       // size of the archive; 0 if unknown
} rn_download;

/** Known downloads, index from 0; NULL past the last. Static. */
RN_API const rn_download *rn_download_at(int index);

/** Progress of a download: bytes so far and in all (0 if unknown); returning false cancels. */
typedef bool (*rn_download_progress)(uint64_t done, uint64_t total, void *context);

/**
 * Fetch an archive into `folder`, resuming a partial file, check its sum and unpack it.
 *
 * A download in progress is "NAME.part" (with "NAME.part.tag", what the server called that version
 * of the file: only the same version is resumed). The checked archive stays in the folder as NAME;
 * a later call finds it there and fetches nothing. Of the archive only regular files with the names
 * of CIFAR and IDX files are written, into their usual sub-folder, each whole or not at all; an
 * archive with links, devices or paths that lead elsewhere is refused before anything is written.
 *
 * @param download  One of rn_download_at()'s, or the caller's own.
 * @param folder    Created if it is not there.
 * @param progress  May be NULL.
 * @return RN_OK; RN_EINVAL (URL or checksum of another form); RN_ENETWORK (the partial file stays
 *         for the next call); RN_EFORMAT (size, sum or archive wrong; the bad file is removed);
 *         RN_EIO; RN_ENOMEM; RN_EINTERRUPTED (cancelled; the partial file stays too).
 */
RN_API rn_status rn_download_fetch(const rn_download *download, const char *folder,
                                   rn_download_progress progress, void *context);

enum { RN_SHA256_TEXT = 65 };

/**
 * SHA-256 of a file in hexadecimal, as sha256sum prints it.
 *
 * @return RN_OK; RN_ENOTFOUND; RN_EIO (also for what is not a regular file); RN_ENOMEM.
 */
RN_API rn_status rn_file_sha256(char hex[RN_SHA256_TEXT], const char *path);

/** One finding of rn_data_verify(): a file and what is wrong with it, or "ok: ...". */
typedef void (*rn_verify_report)(const char *file, bool ok, const char *finding, void *context);

/**
 * Check every file of a data set, of both splits: sizes, magic numbers, label ranges, label names,
 * and for CIFAR-10 the official MD5 sums; reports each file.
 *
 * @param report  May be NULL.
 * @return RN_OK; RN_EFORMAT if any file is wrong or missing (how many, and the first finding);
 *         otherwise as rn_data_open().
 */
RN_API rn_status rn_data_verify(const char *source, rn_verify_report report, void *context);

#ifdef __cplusplus
}
#endif
#endif
