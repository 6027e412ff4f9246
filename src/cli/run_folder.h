/** Run folders: their names, and run.json, which says how to go on. */
#ifndef CLI_RUN_FOLDER_H
#define CLI_RUN_FOLDER_H

#include "cli/options.h"

#include "resnet/resnet.h"

bool cli_is_folder(const char *path);
/** Both paths are there and name one file. */
bool cli_same_file(const char *a, const char *b);
/** The same for files to write, of which there may be none yet: one name in one folder. */
bool cli_same_place(const char *a, const char *b);
/** As ".onnx", in upper or lower case. */
bool cli_ends_in(const char *path, const char *ending);
/** Of an option that names a file to write: RN_EINVAL unless the name ends so. */
rn_status cli_check_ending(const char *option, const char *path, const char *ending);
bool cli_is_file(const char *path);
/** Before a long computation: whether its result can be written there. RN_ENOTFOUND, RN_EIO. */
rn_status cli_check_writable(const char *path);

/** printf into new memory; the caller's (free()). */
rn_status cli_format(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** What run.json says. */
typedef struct cli_run_record {
    char *command;       // the line that began it; NULL: not known
    char *model;         // spec
    char *source;        // of the data; a folder as an absolute path
    char *data_name;     // "CIFAR-10 train"
    uint64_t data_count; // training images, before any are held out
    char *options;       // JSON object: options that were given, other than the recipe's
} cli_run_record;

void cli_run_record_release(cli_run_record *record);
/** RN_ENOTFOUND if the folder has none. */
rn_status cli_run_record_read(cli_run_record *record, const char *folder);
rn_status cli_run_record_write(const cli_run_record *record, const char *folder);

/** True if the folder holds a run, or what is left of one. */
bool cli_run_exists(const char *folder);
/** The file lies in the folder, and cli_run_clear() would delete it. Both may be links. */
bool cli_run_owns(const char *folder, const char *path);
/** Delete the files of a run, and no others. */
rn_status cli_run_clear(const char *folder);
/**
 * Take the folder, which is made if missing, for a training: no other process can until the
 * descriptor is closed. Folders that are only read need no lock.
 *
 * @param[out] lock  The descriptor, the caller's (close()); -1 on failure.
 * @return RN_OK, also on a file system without locks; RN_EIO (another process trains there, or the
 *         system's reason); RN_ENOMEM.
 */
rn_status cli_run_lock(int *lock, const char *folder);
/** A new name: runs/MODEL-DATA-RECIPE, with a number if that is taken; the caller's (free()). */
rn_status cli_run_name(char **out, const char *model, const char *data_name, const char *recipe);

/** "shapes", with settings or without: no folder. */
bool cli_source_is_generated(const char *source);
/** The source with its folder as an absolute path; the caller's (free()). */
rn_status cli_source_absolute(char **out, const char *source);

/**
 * The model file that an argument means: itself, or of a run folder the final model, else its
 * newest checkpoint. The caller's (free()).
 */
rn_status cli_model_path(char **out, const char *argument);

/** What is recorded beside a model file or in a run folder; false: nothing. */
bool cli_recorded_run(cli_run_record *record, const char *argument);

/**
 * The data source of --data, else the one recorded beside the model that `word` names; the caller's
 * (free()). RN_EINVAL without either: '--data' must say what, and `why`.
 */
rn_status cli_choose_source(char **out, const cli_arguments *args, const char *word,
                            const char *why);

#endif
