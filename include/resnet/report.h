/** Run folders: the log (JSON Lines), the environment and the effective recipe. */
#ifndef RESNET_REPORT_H
#define RESNET_REPORT_H

#include "resnet/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A run's log.jsonl: one JSON object a line, appended; each line is flushed as it is written. */
typedef struct rn_run_log rn_run_log;

/**
 * Open FOLDER/log.jsonl for appending; a torn last line (after a crash) is cut off first.
 *
 * @return RN_OK; RN_ENOTFOUND (no such folder); RN_EIO (path and reason); RN_ENOMEM.
 */
RN_API rn_status rn_run_log_open(rn_run_log **out, const char *folder);
RN_API void rn_run_log_close(rn_run_log *log);
/**
 * Write one event: its kind as "event", iteration, iterations, epoch, seconds, and the fields that
 * rn_event names for its kind, each under its own name; "time" (UTC) at start, resume and end.
 * Non-finite numbers become null. A line that cannot be written whole is not written at all.
 */
RN_API rn_status rn_run_log_write(rn_run_log *log, const rn_event *event);

/**
 * Describe machine and build as indented JSON: CPU model, ISA used, threads, memory, kernel,
 * library versions, compiler, the project's version and commit ("-dirty" if changed since;
 * "unknown" outside a checkout). The caller's (rn_text_free()). Without engine: NULL.
 */
RN_API rn_status rn_environment_print(char **out, const rn_engine *engine);

/** Write FOLDER/environment.json and FOLDER/recipe.json (atomically), making the folder. */
RN_API rn_status rn_run_folder_describe(const char *folder, const rn_recipe *recipe,
                                        const rn_engine *engine);

/** Write FOLDER/NAME atomically; the folder and its parents are created if missing. */
RN_API rn_status rn_run_folder_write(const char *folder, const char *name, const char *text);

/** Read FOLDER/NAME, a text of at most 16 MiB; the caller's (rn_text_free()). */
RN_API rn_status rn_run_folder_read(char **out, const char *folder, const char *name);

#ifdef __cplusplus
}
#endif
#endif
