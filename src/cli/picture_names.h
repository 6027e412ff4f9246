/** Which pictures the command line means: files, folders, patterns, lists, standard input. */
#ifndef CLI_PICTURE_NAMES_H
#define CLI_PICTURE_NAMES_H

#include "cli/bad_images.h"
#include "cli/options.h"

#include "resnet/resnet.h"

/** Options of commands that take pictures; with cli_names_open() and cli_pictures_start(). */
#define CLI_PICTURE_OPTIONS                                                                        \
    {.name = "files-from",                                                                         \
     .kind = CLI_FILE,                                                                             \
     .argument = "FILE",                                                                           \
     .help = "read names of pictures, a line each; -: from standard input",                        \
     .group = "Pictures"},                                                                         \
        {.name = "null",                                                                           \
         .letter = '0',                                                                            \
         .kind = CLI_FLAG,                                                                         \
         .help = "names in --files-from end in NUL bytes, as 'find -print0' writes them"},         \
        {.name = "batch",                                                                          \
         .letter = 'b',                                                                            \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "N",                                                                          \
         .help = "pictures at a time; 1 answers each name of a list as it comes",                  \
         .fallback = "32",                                                                         \
         .low = 1,                                                                                 \
         .high = 1024},                                                                            \
        {.name = "workers",                                                                        \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "N",                                                                          \
         .help = "threads that decode pictures beside the computation",                            \
         .fallback = "2",                                                                          \
         .low = 1,                                                                                 \
         .high = 64},                                                                              \
        CLI_BAD_IMAGES_OPTION("pictures that cannot be read: name each and go on, or end", "skip")

typedef struct cli_names cli_names;

/**
 * The pictures of words from `first` on, or of --files-from. A word is a file; a folder, of which
 * all picture files are taken, those of its folders too, in the order of their names; a pattern
 * (* ? []) where no file is called so; or "-", a picture on standard input. Folders and patterns
 * that hold nothing, and what of a folder cannot be read, are reported on standard error and
 * counted (cli_names_failed()); with --bad-images stop the latter is RN_EIO.
 *
 * @param[out] out  The caller's (cli_names_free()); NULL on failure.
 * @return RN_OK; RN_EINVAL (no word and no list, or both); RN_ENOTFOUND, RN_EIO (the list);
 *         RN_ENOMEM.
 */
rn_status cli_names_open(cli_names **out, const cli_arguments *args, int first);
void cli_names_free(cli_names *names);
/** End a list on standard input, which somebody may wait for: before rn_pictures_free(). NULL is
 * legal. */
void cli_names_stop(const cli_names *names);

/** Of an option's file to write: RN_EINVAL if it is one of the words' pictures. */
rn_status cli_names_spare(const cli_names *names, const char *option, const char *path);
/** How many there are; SIZE_MAX where a list will say. */
size_t cli_names_count(const cli_names *names);
/** Words, and parts of folders, that gave no name. */
int cli_names_failed(const cli_names *names);
/** Columns that the longest takes, at most 60. */
int cli_names_width(const cli_names *names);

/** Pictures at a time: --batch, or as many as there are. */
int cli_names_batch(const cli_names *names, const cli_arguments *args);

/**
 * Decode them for a network.
 *
 * @param keep  The decoded pictures are wanted too.
 */
rn_status cli_pictures_start(rn_pictures **out, cli_names *names, const cli_arguments *args,
                             const rn_preprocess *preprocess, bool keep);

#endif
