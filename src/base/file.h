/** Files: bounded reading, and writing that leaves either the old file or the whole new one. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "resnet/base.h"

/**
 * Read a whole regular file.
 *
 * @param[out] out   The bytes and a final NUL that `size` does not count; the caller's (rn_free()).
 * @param limit      Largest size accepted, in bytes.
 * @return RN_OK; RN_ENOTFOUND; RN_EIO (names the path and the system's reason; also for a folder,
 *         pipe or device); RN_EFORMAT if larger than limit; RN_ENOMEM.
 */
rn_status rn_file_read(char **out, size_t *size, const char *path, size_t limit);

/**
 * Looks at a file's first bytes (at most RN_FILE_HEAD) and its size before anything else of it is
 * read; a failure says what is wrong with them, and ends the reading.
 */
typedef rn_status rn_file_judge(const char *head, size_t bytes, uint64_t size);

enum { RN_FILE_HEAD = 4096 };

/** rn_file_read() of a file that `judge` accepts; its failure is returned, with the path before. */
rn_status rn_file_read_if(char **out, size_t *size, const char *path, size_t limit,
                          rn_file_judge *judge);

/**
 * rn_file_read() for a path that is relative to an open folder and may be longer than the system
 * takes at once (PATH_MAX). Messages show the path with control characters escaped.
 */
rn_status rn_file_read_at(char **out, size_t *size, int folder, const char *path, size_t limit);

/** openat() for paths of any length; flags as there, without O_CREAT. A descriptor, or -1 and
 * errno.
 */
int rn_open_at(int folder, const char *path, int flags);

/**
 * Open ROOT/FOLDER/FILE for reading: a regular file, and neither it nor its folder a symbolic link.
 * Both are single components of a path. A descriptor, or -1 and errno.
 */
int rn_open_plain(int root, const char *folder, const char *file);

/** Read a whole open regular file from its beginning; `path` is for messages, else as
 * rn_file_read().
 */
rn_status rn_file_read_open(char **out, size_t *size, int descriptor, const char *path,
                            size_t limit);

/** Size in bytes of a regular file; errors as rn_file_read(). */
rn_status rn_file_size(uint64_t *size, const char *path);

bool rn_file_exists(const char *path);
bool rn_folder_exists(const char *path);

/** Create a folder and its parents; an existing folder is success. */
rn_status rn_folder_create(const char *path);

/** Put on disk what is new in the folder of `path`: a renamed file's name. RN_OK; RN_EIO;
 * RN_ENOMEM.
 */
rn_status rn_folder_sync(const char *path);

/**
 * A file in the making: written to a temporary in the same folder, and put in place by
 * rn_atomic_file_commit() (fsync, rename, fsync of the folder). Until then, and after a failure or
 * a crash, `path` holds what it held before.
 */
typedef struct rn_atomic_file {
    int descriptor; // -1 when closed
    char *path;
    char *temporary;
} rn_atomic_file;

/**
 * Zero-initialise the struct first, so that rn_atomic_file_abandon() is legal after a failure.
 * RN_EIO if `path` exists and is not a regular file: /dev/null must not be renamed away.
 */
rn_status rn_atomic_file_open(rn_atomic_file *file, const char *path);
rn_status rn_atomic_file_write(rn_atomic_file *file, const void *data, size_t bytes);
rn_status rn_atomic_file_commit(rn_atomic_file *file);

/** Remove the temporary and release; legal after commit (then it does nothing) and on zeroes. */
void rn_atomic_file_abandon(rn_atomic_file *file);

/**
 * Remove from a folder what rn_atomic_file_open() made for files of our kinds (models, JSON,
 * reports, pictures) in processes that were killed before they could. Best effort: an orphan that
 * stays does no harm but to the disk's space.
 */
void rn_folder_remove_orphans(const char *folder);

/** Open, write, commit in one call. */
rn_status rn_file_write_atomic(const char *path, const void *data, size_t bytes);

/**
 * Append all of `data` to an open file, or nothing: what a full disk cut short is taken back.
 *
 * @param path  For messages.
 * @return RN_OK; RN_EIO (path and reason; says so if the rest could not be taken back).
 */
rn_status rn_file_append(int descriptor, const char *path, const void *data, size_t bytes);

#endif
