/** Data sets: labelled images as bytes in memory, or an index of encoded pictures. */
#ifndef RESNET_DATA_H
#define RESNET_DATA_H

#include "resnet/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An index of encoded pictures, in files or in a pack. Immutable: any thread may read from it. */
typedef struct rn_photos rn_photos;

/** One encoded picture (JPEG, PNG, ...), as rn_photos_read() gives it. */
typedef struct rn_photo {
    const uint8_t *bytes;
    size_t size;
    void *owned; // what rn_photo_release() gives back
} rn_photo;

/** The number of pictures. */
RN_API size_t rn_photos_count(const rn_photos *photos);

/**
 * A picture's path relative to its set, of up to 4,096 bytes, any but NUL; messages show it with
 * control characters escaped. Borrowed until the index is freed.
 *
 * @param index  0 .. rn_photos_count() - 1, as in rn_photos_read().
 */
RN_API const char *rn_photos_name(const rn_photos *photos, size_t index);

/**
 * Read the encoded bytes of one picture, of at most 256 MiB. Nothing is decoded.
 *
 * @param[out] out  The caller's (rn_photo_release()); zeroes on failure.
 * @return RN_OK; RN_EINVAL (no such index); RN_ENOTFOUND or RN_EIO (names the file and the system's
 *         reason); RN_EFORMAT (larger, or a pack's bytes are not what was packed);
 *         RN_ENOMEM.
 */
RN_API rn_status rn_photos_read(rn_photo *out, const rn_photos *photos, size_t index);

/**
 * Read a picture and decode it.
 *
 * @param[out] out  The caller's (rn_image_free()); NULL on failure.
 * @param options   As rn_image_decode() has them; may be NULL.
 * @return As rn_photos_read() and rn_image_decode(); messages name the picture.
 */
RN_API rn_status rn_photos_decode(rn_image **out, const rn_photos *photos, size_t index,
                                  const rn_decode_options *options);

/** Legal on zeroes and twice. */
RN_API void rn_photo_release(rn_photo *photo);

/**
 * A labelled set of images, all of one size, or of encoded pictures of any size. Read its fields
 * freely; they belong to the set.
 */
typedef struct rn_samples {
    size_t count;
    int channels, height, width; // of `photos` 3, 0, 0
    int classes;
    uint8_t *images;    // [count][channels][height][width], 0 .. 255, channels R, G, B or gray
    rn_photos *photos;  // [count] encoded pictures of any size instead of images; NULL: none
    int32_t *labels;    // [count], each 0 .. classes - 1; of `photos` also -1: unlabelled
    char **label_names; // [classes]; never NULL: "0", "1", ... where the files name none; UTF-8
                        // (rn_text_repair()), so that names may come twice
    char *name;         // "CIFAR-10 train", "shapes test (seed 1)"
} rn_samples;

/** The size of a set to be made. */
typedef struct rn_samples_shape {
    size_t count;
    int channels, height, width; // height and width 0: encoded pictures, which have none yet
    int classes;
} rn_samples_shape;

/**
 * Make a set to be filled by the caller (examples/train.c): `images` and `labels` are zero, the
 * classes are called "0", "1", ... Each label must be in range before the set is used.
 *
 * @param[out] out  The caller's (rn_samples_free()); NULL on failure.
 * @param name      Copied; what messages call it: "CIFAR-10 train".
 * @return RN_OK; RN_EINVAL (a size below 1, or over 2^32 - 1 images); RN_ENOMEM.
 */
RN_API rn_status rn_samples_create(rn_samples **out, const rn_samples_shape *shape,
                                   const char *name);

/**
 * Replace the label names by copies of names[0 .. classes), made UTF-8 by rn_text_repair().
 * Unchanged on failure (RN_ENOMEM).
 */
RN_API rn_status rn_samples_set_label_names(rn_samples *samples, const char *const *names);

/** Free a set with all that its fields point to; NULL is legal. */
RN_API void rn_samples_free(rn_samples *samples);

/** RN_OK; RN_EINVAL (the set, named, holds encoded pictures instead of images). */
RN_API rn_status rn_samples_require_images(const rn_samples *samples);

typedef enum rn_split { RN_SPLIT_TRAIN, RN_SPLIT_TEST } rn_split;

/** Whether two splits of one source are the same pictures, because it is not split. */
RN_API bool rn_samples_same(const rn_samples *train, const rn_samples *test);

/**
 * Open one split of a data set.
 *
 * @param[out] out  The caller's (rn_samples_free()); NULL on failure.
 * @param source    "shapes" or "shapes:train=10000,test=2000,seed=1" (generated, no files), or a
 *                  folder that holds (itself, or in its usual sub-folder) CIFAR-10 or CIFAR-100
 *                  binary files or IDX files (plain or .gz), recognised by their names; or
 *                  encoded pictures (docs/data.md): a folder of folders, one a class, or of these
 *                  for each split, ImageNet as it was published, a list "FILE.csv", or a pack
 *                  "FILE.rnpack" (rn_data_pack()). Where these have no splits, both are all
 *                  (rn_samples_same()).
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
 * @return RN_OK; RN_EINVAL (out of range, or pictures without label); RN_ENOMEM.
 */
RN_API rn_status rn_samples_hold_out(rn_samples **held, rn_samples *samples, size_t held_out,
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
 * a later call finds it there and fetches nothing. A file NAME with another sum stays as it is
 * until the archive has come whole and takes its place. Of the archive only regular files with the
 * names of CIFAR and IDX files are written, into their usual sub-folder, each whole or not at all;
 * an archive with links, devices or paths that lead elsewhere is refused before anything is
 * written.
 *
 * @param download  One of rn_download_at()'s, or the caller's own.
 * @param folder    Created if it is not there.
 * @param progress  May be NULL.
 * @return RN_OK; RN_EINVAL (URL or checksum of another form); RN_ENETWORK (the partial file stays
 *         for the next call); RN_EFORMAT (size or sum wrong: what was fetched is removed;
 *         or the archive is refused); RN_EIO (also when another process is fetching the same
 *         file); RN_ENOMEM; RN_EINTERRUPTED (cancelled; the partial file stays too).
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
 * and for CIFAR-10 the official MD5 sums; reports each file. Encoded pictures are all read and
 * decoded, by rn_threads() threads: the damaged ones are reported, in order, and then each split.
 * Files' names come with control characters escaped (a newline as \n) and a backslash as two.
 *
 * @param report  May be NULL.
 * @return RN_OK; RN_EFORMAT if any file is wrong or missing (how many, and the first finding);
 *         otherwise as rn_data_open().
 */
RN_API rn_status rn_data_verify(const char *source, rn_verify_report report, void *context);

/** What becomes of the pictures in a pack. */
typedef enum rn_pack_format {
    RN_PACK_KEEP, // the files' bytes
    RN_PACK_JPEG, // JPEG; what is one already and is not resized stays as it is
    RN_PACK_RAW   // PPM or PGM: fast to read, large
} rn_pack_format;

typedef enum rn_pack_splits { RN_PACK_BOTH, RN_PACK_TRAIN, RN_PACK_TEST } rn_pack_splits;

/** Pictures done, of all, and bytes written; calls do not overlap, but may come from any thread.
 * Returning false stops. */
typedef bool (*rn_pack_progress)(uint64_t done, uint64_t total, uint64_t bytes, void *context);

typedef struct rn_pack_options {
    rn_pack_splits splits; // one split alone is both splits of the pack
    rn_pack_format format;
    int shorter;          // larger pictures are shrunk to this shorter side; 0: none. Not for KEEP
    int quality;          // of JPEG, 1 .. 100; 0: 95
    bool restart;         // discard "FILE.part", whatever it is, and begin again
    bool skip_bad;        // leave out what cannot be read or decoded, instead of stopping there
    rn_verify_report bad; // told of each such picture that is left out; may be NULL
    rn_pack_progress progress; // may be NULL
    void *context;             // of both
} rn_pack_options;

typedef struct rn_pack_result {
    uint64_t pictures, skipped; // in the pack, and left out
    uint64_t resumed;           // of both, what an earlier call had done
    uint64_t bytes;             // of the file
    int sets;                   // 1: of one set, which is both splits; 2: of both
} rn_pack_result;

/**
 * Pack a source's encoded pictures, with names and labels, into one file, which rn_data_open()
 * takes ("FILE.rnpack").
 *
 * Every picture is decoded, by rn_threads() threads, to see that it can be. Pictures keep the
 * source's order: the file is the same for any number of threads. Until it is complete it is
 * "FILE.part"; a call with the same source and options goes on where an earlier one was stopped or
 * killed, after checking what is there, and gives the same file. Memory: one picture a thread, and
 * some 200 bytes for every picture of the source.
 *
 * @param[out] result  May be NULL.
 * @param path         Ends in ".rnpack". Replaced at the end, at once.
 * @param options      NULL: all zero.
 * @return RN_OK; RN_EINVAL (options, or a source of images instead of pictures); RN_EFORMAT,
 *         RN_ENOTFOUND, RN_EIO (a picture, named, or the source; also a full disk, another
 *         process at work on the same file, or a "FILE.part" that is not of this job); RN_ENOMEM;
 * RN_EINTERRUPTED (progress said so). "FILE.part" stays in all cases but RN_OK.
 */
RN_API rn_status rn_data_pack(rn_pack_result *result, const char *source, const char *path,
                              const rn_pack_options *options);

#ifdef __cplusplus
}
#endif
#endif
