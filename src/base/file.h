/** Files: bounded reading, and writing that leaves either the old file or the whole new one. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "resnet/base.h"

#include <sys/types.h>

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

/**
 * The same for a path of any number of components, that a stranger may have written: it leads to
 * the folder ROOT or below, and none of it is a link. EINVAL for "..", ".", an empty component, a
 * path that begins with a slash, and for what is no regular file.
 */
int rn_open_below(int root, const char *path);

/** Read a whole open regular file from its beginning; `path` is for messages, else as
 * rn_file_read().
 */
rn_status rn_file_read_open(char **out, size_t *size, int descriptor, const char *path,
                            size_t limit);

/**
 * Open a regular file for reading.
 *
 * @param[out] descriptor  The caller's (close()); -1 on failure.
 * @return RN_OK; as rn_file_read().
 */
rn_status rn_file_open(int *descriptor, uint64_t *size, const char *path);

/** Size in bytes of a regular file; errors as rn_file_read(). */
rn_status rn_file_size(uint64_t *size, const char *path);

bool rn_file_exists(const char *path);
bool rn_folder_exists(const char *path);

/** Create a folder and its parents; an existing folder is success. */
rn_status rn_folder_create(const char *path);

/** Put on disk what is new in the folder of `path`: a renamed file's name. RN_OK; RN_EIO. */
rn_status rn_folder_sync(const char *path);

/** "cannot VERB 'PATH': ..." for errno: RN_ENOTFOUND or RN_EIO. */
rn_status rn_file_error(const char *verb, const char *path);

#ifdef __clang_analyzer__ // as rn_error() in base.h
#define rn_file_error(verb, path) rn_known_status(RN_EIO, (rn_file_error)(verb, path))
#endif

/** RN_EIO ("'PATH' is a folder, ...") unless the mode is a regular file's. */
rn_status rn_file_require_regular(mode_t mode, const char *path);

/**
 * A file in the making, in the same folder, put in place by rn_atomic_file_commit() (fsync, rename,
 * fsync of the folder). Until then, and after a failure or a crash, `path` holds what it held
 * before. Where the file system allows, it has no name until it is whole, so that of a writer that
 * is killed nothing is left; elsewhere it is "NAME.tmp-resnet-XXXXXXXX".
 */
typedef struct rn_atomic_file {
    int descriptor;  // locked while the file is written; -1 when closed
    char *path;      // links followed
    char *temporary; // NULL: no name
} rn_atomic_file;

/**
 * Zero-initialise the struct first, so that rn_atomic_file_abandon() is legal after a failure.
 *
 * Where `path` is a link, what it leads to is replaced; a file that is replaced passes on its
 * permissions. RN_EIO if `path` exists and is not a regular file: /dev/null must not be renamed
 * away. RN_ENOTFOUND where there is no such folder, or where a link leads to nothing.
 */
rn_status rn_atomic_file_open(rn_atomic_file *file, const char *path);
/** The same with a name from the start, as where the file system knows no files without. */
rn_status rn_atomic_file_open_named(rn_atomic_file *file, const char *path);
rn_status rn_atomic_file_write(rn_atomic_file *file, const void *data, size_t bytes);
rn_status rn_atomic_file_commit(rn_atomic_file *file);

/** Remove the temporary and release; legal after commit (then it does nothing) and on zeroes. */
void rn_atomic_file_abandon(rn_atomic_file *file);

/**
 * Remove from a folder the temporaries "NAME.tmp-resnet-XXXXXXXX" (of any NAME) that nobody holds a
 * lock on: their writers were killed, on this machine or another. Best effort: an orphan that stays
 * does no harm but to the disk's space.
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
