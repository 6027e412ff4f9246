/**
 * Run folders (the log as JSON Lines, the environment, the effective recipe), and pictures of
 * networks.
 */
#ifndef RESNET_REPORT_H
#define RESNET_REPORT_H

#include "resnet/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A run's log.jsonl: one JSON object a line, appended; each line is given to the system as it is
 * written, and with an evaluation, a checkpoint and the end they are on the disk.
 */
typedef struct rn_run_log rn_run_log;

/**
 * Open FOLDER/log.jsonl for appending; a torn last line (after a crash) is cut off first.
 *
 * @param[out] out  The caller's (rn_run_log_close()); NULL on failure.
 * @return RN_OK; RN_ENOTFOUND (no such folder); RN_EIO (path and reason); RN_ENOMEM.
 */
RN_API rn_status rn_run_log_open(rn_run_log **out, const char *folder);
RN_API void rn_run_log_close(rn_run_log *log);
/**
 * Write one event: its kind as "event", iteration, iterations, epoch, seconds, and the fields that
 * rn_event names for its kind but `best` and `watched`, each under its own name; "time" (UTC) at
 * start, resume and end.
 * Non-finite numbers become null. A line that cannot be written whole is not written at all.
 *
 * @return RN_OK; RN_EINVAL (no such kind); RN_EIO (path and reason; the file stays as it was);
 *         RN_ENOMEM. A later call may succeed.
 */
RN_API rn_status rn_run_log_write(rn_run_log *log, const rn_event *event);

/** A run's curves for TensorBoard: an events file in its folder, a new one for each process. */
typedef struct rn_tensorboard rn_tensorboard;

/**
 * Create FOLDER/events.out.tfevents.SECONDS.HOST.PROCESS.
 *
 * @param[out] out  The caller's (rn_tensorboard_close()); NULL on failure.
 * @param recipe    Shown as a text when the training starts; copied.
 * @return RN_OK; RN_ENOTFOUND (no such folder); RN_EIO (path and reason); RN_ENOMEM.
 */
RN_API rn_status rn_tensorboard_open(rn_tensorboard **out, const char *folder,
                                     const rn_recipe *recipe);
RN_API void rn_tensorboard_close(rn_tensorboard *board);
/**
 * Write what TensorBoard has a place for, so that it sees it at once: at STEP the scalars
 * train/loss, train/error, lr, images_per_second, data_wait and memory (bytes that the process
 * occupies); at EVALUATION SET/loss and SET/error ("test (ema)" counts as "test", "validation
 * (ema)" as "validation"); at GRADIENTS gradients/NAME and weights/NAME; at START a session's
 * start, which lets TensorBoard drop what an interrupted process had logged beyond its checkpoint,
 * and the recipe. Other events are nothing. Numbers are float32 and need not be finite.
 *
 * @return RN_OK; RN_EIO (the file stays as it was); RN_ENOMEM.
 */
RN_API rn_status rn_tensorboard_write(rn_tensorboard *board, const rn_event *event);

/**
 * Describe machine and build as indented JSON: CPU model, ISA used, threads, memory, kernel
 * ("Linux 6.1.0", without a build's name), library versions, compiler, the project's version and
 * commit ("-dirty" if changed since; "unknown" outside a checkout).
 *
 * @param[out] out  The caller's (rn_text_free()); NULL on failure.
 * @param engine    Borrowed; NULL: it is left out.
 * @return RN_OK; RN_ENOMEM.
 */
RN_API rn_status rn_environment_print(char **out, const rn_engine *engine);

/**
 * Write FOLDER/environment.json and FOLDER/recipe.json (atomically), making the folder. An
 * environment.json that says something else, since the run was begun elsewhere or with another
 * build, is kept as the first free of environment-1.json, environment-2.json, ... As
 * rn_run_folder_write().
 */
RN_API rn_status rn_run_folder_describe(const char *folder, const rn_recipe *recipe,
                                        const rn_engine *engine);

/** Create a folder and its parents; an existing one is success. RN_EIO: path and reason; RN_ENOMEM.
 */
RN_API rn_status rn_run_folder_create(const char *folder);

/**
 * Write FOLDER/NAME atomically; the folder and its parents are created if missing.
 *
 * @return RN_OK; RN_EIO (path and reason; the file stays as it was); RN_ENOMEM.
 */
RN_API rn_status rn_run_folder_write(const char *folder, const char *name, const char *text);

/**
 * Write FOLDER/samples.json: the pictures of an evaluation (rn_event.watched), small, each with its
 * label and what the network takes it for. Some 100 kB; docs/cli.md has its members.
 *
 * @param event    Of kind RN_EVENT_EVALUATION.
 * @param samples  The set that it is of.
 * @return RN_OK; RN_EIO or RN_ENOTFOUND; RN_ENOMEM. Pictures that cannot be read are left out.
 */
RN_API rn_status rn_run_samples_write(const char *folder, const rn_event *event,
                                      const rn_samples *samples);

/**
 * Read FOLDER/NAME, a text of at most 16 MiB.
 *
 * @param[out] out  The caller's (rn_text_free()); NULL on failure.
 * @return RN_OK; RN_ENOTFOUND; RN_EFORMAT (larger); RN_EIO (path and reason); RN_ENOMEM.
 */
RN_API rn_status rn_run_folder_read(char **out, const char *folder, const char *name);

/** Units of one network that follow each other and compute alike, as stages of deep nets do. */
typedef struct rn_unit_run {
    int stage, unit; // of the first, as in rn_node
    int first;       // its first node
    int nodes;       // of each unit
    int times;       // how many units, from 1
} rn_unit_run;

/**
 * The run of like units that begins at this node: same kinds, shapes, parameters and connections;
 * rates of dropout and of dropped branches may differ. Where a graph does not say the units of its
 * nodes, their names do ("layer2.0.conv1").
 *
 * @return False, with nodes = times = 1, if the node is the first of no unit.
 */
RN_API bool rn_graph_unit_run(rn_unit_run *run, const rn_graph *graph, int node);

typedef struct rn_draw_options {
    bool detail; // every node and branch, not only what figure 3 of the 2015 paper shows
    bool expand; // never draw like units once with their number
} rn_draw_options;

/** Networks of one picture. */
enum { RN_DRAW_MOST = 32 };

/**
 * Draw networks side by side as figure 3 of the 2015 paper: a box for each layer, input at the top,
 * rows of equal output size in line; shortcuts are arrows beside the boxes, dotted where the
 * dimensions change. From 65 layers on, like units that follow each other are drawn once.
 *
 * @param[out] out  SVG 1.1, the same bytes for the same graphs; the caller's (rn_text_free()); NULL
 *                  on failure.
 * @param graphs    Borrowed; 1 .. RN_DRAW_MOST.
 * @param options   NULL: all false.
 * @return RN_OK; RN_EINVAL (count out of range); RN_ENOMEM.
 */
RN_API rn_status rn_graph_draw_svg(char **out, const rn_graph *const *graphs, int count,
                                   const rn_draw_options *options);

/** The same for Graphviz: a digraph in the DOT language, a cluster for each network. */
RN_API rn_status rn_graph_draw_dot(char **out, const rn_graph *const *graphs, int count,
                                   const rn_draw_options *options);

/** Which class is taken for which. */
typedef struct rn_confusion {
    int classes;
    const int64_t *counts; // [label][predicted]
    const char *const *names;
} rn_confusion;

/**
 * Draw a confusion matrix as a heat map, in SVG 1.1: a row a label, a column a predicted class, the
 * darker the larger the share of the row; a row without images is gray. Cells large enough show
 * their count; names stand beside rows and above columns, of every class up to 150, else of some.
 *
 * @param[out] out   The same bytes for the same counts; the caller's (rn_text_free()); NULL on
 *                   failure.
 * @param confusion  1 .. 4096 classes, borrowed.
 * @param title      Above; NULL or "": none. UTF-8, as the names; too long ones are cut.
 * @return RN_OK; RN_EINVAL; RN_ENOMEM.
 */
RN_API rn_status rn_confusion_svg(char **out, const rn_confusion *confusion, const char *title);

/**
 * The same as a picture of three channels.
 *
 * @param[out] out  The caller's (rn_image_free()); NULL on failure.
 * @param scale     As of rn_plot_image().
 * @return As rn_confusion_svg(); RN_EINVAL also for a scale out of range.
 */
RN_API rn_status rn_confusion_image(rn_image **out, const rn_confusion *confusion,
                                    const char *title, int scale);

/**
 * Read a confusion matrix as `resnet eval --confusion FILE.csv` writes it: a header with the
 * classes' names, then a row a label with its name and a count for each predicted class.
 *
 * @param[out] out  The caller's (rn_confusion_free()); NULL on failure.
 * @return RN_OK; RN_ENOTFOUND, RN_EIO; RN_EFORMAT (names line, expected, found); RN_ENOMEM.
 */
RN_API rn_status rn_confusion_read(rn_confusion **out, const char *path);
/** Only of what rn_confusion_read() gave. */
RN_API void rn_confusion_free(rn_confusion *confusion);

/** Write a text file atomically. RN_ENOTFOUND (no such folder), RN_EIO: path and reason. */
RN_API rn_status rn_text_write(const char *path, const char *text);

#ifdef __cplusplus
}
#endif
#endif
