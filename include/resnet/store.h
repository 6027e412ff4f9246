/**
 * Model files and checkpoints: our own (safetensors, written atomically, checksummed), and those of
 * other programs.
 */
#ifndef RESNET_STORE_H
#define RESNET_STORE_H

#include "resnet/augment.h"
#include "resnet/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a file holds. A model has weights, model spec, preprocess and label names; a checkpoint adds
 * momentum, EMA and the training state, so that training can go on bit for bit.
 *
 * Tensor names: the parameter's own for weights; "momentum.NAME" and "ema.NAME" for the others.
 */
typedef struct rn_checkpoint {
    char *model;              // "resnet-20:shortcut=A"
    rn_model_options options; // classes, input size
    rn_graph *graph;          // built from the two
    rn_weights *weights;
    rn_weights *momentum; // NULL in a plain model
    rn_weights *ema;      // NULL if not used
    rn_preprocess *preprocess;
    char **label_names; // [options.classes]
    rn_range *ranges;   // of the graph's nodes (rn_calibrate()): with them predictions and
                        // evaluations multiply bytes; or NULL
    char *recipe;       // JSON text, or NULL
    char *state;        // JSON text of the trainer's position, or NULL
    char *from;         // whose weights its training started from, or NULL
} rn_checkpoint;

/**
 * Write a checkpoint. Either the old file or the whole new one is there afterwards.
 *
 * The header's metadata holds a CRC-32 of every tensor and one of the header itself, so that any
 * changed byte is found on reading. Equal checkpoints give equal bytes (no times, no paths).
 *
 * @param checkpoint  `momentum`, `ema`, `recipe`, `state` and `from` may be NULL. Where `graph` is
 * set, its model and options are saved instead of the fields `model` and `options`.
 * @return RN_OK; RN_EINVAL (a part is missing, or the preprocess is of another size);
 *         RN_EUNSUPPORTED (names and other metadata of more than 16 MiB: the path); RN_EIO or
 *         RN_ENOTFOUND (path and reason; the old file is there, or the whole new one if only its
 *         folder could not be synced); RN_ENOMEM.
 */
RN_API rn_status rn_checkpoint_save(const rn_checkpoint *checkpoint, const char *path);

/**
 * Read a checkpoint or model file; every part is checked before anything is returned: the file
 * against its checksums, the model, and that exactly its parameters are there in their shapes. The
 * values need not be finite: a network that diverged can be looked at.
 *
 * A safetensors file of another program loads too if its metadata has "resnet.model" (a spec for
 * rn_graph_create()) and its tensors the names and shapes. Its metadata may have as JSON, else the
 * defaults are:
 *
 *     resnet.options     {"classes":10,"channels":3,"height":32,"width":32}
 *     resnet.preprocess  {"normalize":"none"}, or
 *                        {"normalize":"channel","mean":[...],"deviation":[...]}; and
 *                        "centre_ratio":1 where that is not rn_preprocess_create()'s
 *     resnet.labels      ["0","1",...]
 *
 * @param[out] out  The caller's (rn_checkpoint_free()); NULL on failure.
 * @return RN_OK; RN_ENOTFOUND; RN_EIO; RN_EFORMAT (names the file, what is wrong and where);
 *         RN_ENOMEM.
 */
RN_API rn_status rn_checkpoint_load(rn_checkpoint **out, const char *path);
/** NULL is legal. */
RN_API void rn_checkpoint_free(rn_checkpoint *checkpoint);
/** Free `ranges`: convolutions multiply float32 again. */
RN_API void rn_checkpoint_forget_ranges(rn_checkpoint *checkpoint);

/**
 * Save as FOLDER/checkpoint-ITERATION.safetensors. The folder is created, and what killed processes
 * have left in it of files in the making, "*.tmp-resnet-XXXXXXXX", deleted.
 *
 * @param[out] path  The file's, the caller's (rn_text_free()); NULL on failure.
 * @return As rn_checkpoint_save().
 */
RN_API rn_status rn_checkpoint_add(char **path, const rn_checkpoint *checkpoint, const char *folder,
                                   uint64_t iteration);

/**
 * Delete all but the newest `keep` (>= 1) checkpoint-N.safetensors of a folder; never that of
 * `iteration`, nor other files.
 *
 * @return RN_OK; RN_EINVAL (keep below 1); RN_ENOTFOUND (no such folder); RN_EIO (names the first
 *         file that stays); RN_ENOMEM.
 */
RN_API rn_status rn_checkpoint_remove_old(const char *folder, uint64_t iteration, int keep);

/**
 * rn_checkpoint_add(), then rn_checkpoint_remove_old() beside what was saved.
 *
 * @return As both; the new one is there even if an old one cannot be deleted.
 */
RN_API rn_status rn_checkpoint_save_in(const rn_checkpoint *checkpoint, const char *folder,
                                       uint64_t iteration, int keep);

/**
 * Load the valid checkpoint-N.safetensors of a folder with the highest N; damaged and unreadable
 * ones are passed over.
 *
 * @param[out] out      The caller's (rn_checkpoint_free()); NULL on failure.
 * @param[out] path     The file taken; the caller's (free with rn_text_free()).
 * @param[out] skipped  Number of newer files passed over because they were damaged; their first
 *                      error is left as the thread's message.
 * @return RN_OK; RN_ENOTFOUND (no checkpoint at all); RN_EFORMAT (all damaged); as load().
 */
RN_API rn_status rn_checkpoint_load_newest(rn_checkpoint **out, char **path, int *skipped,
                                           const char *folder);

/** Kinds of weight files. */
typedef enum rn_file_format {
    RN_FILE_UNKNOWN,
    RN_FILE_RESNET,      // safetensors with all that a checkpoint has
    RN_FILE_SAFETENSORS, // state dict in torchvision's names; its metadata carry the rest
    RN_FILE_TORCH,       // PyTorch .pth, .pt, .th: zip or legacy pickle
    RN_FILE_ONNX
} rn_file_format;

/** "resnet", "safetensors", "torch", "onnx"; NULL for others. Static. */
RN_API const char *rn_file_format_name(rn_file_format format);

/**
 * What a file does not say by itself. Zeroes and NULL: as the file says, or else inferred. Labels
 * may also replace a file's that are "0", "1", ...
 */
typedef struct rn_import_options {
    const char *model;              // spec; else inferred from the tensors' names and shapes
    int height, width;              // of the input, which an ONNX graph may leave open even if the
                                    // metadata tell one; else the model's default
    const float *mean, *deviation;  // one a channel, of values in 0 .. 1; deviation NULL: 1. Else
                                    // ImageNet's for three channels (the habit of PyTorch's
                                    // models), or none
    int channels;                   // how many of them there are: the model's
    const char *const *label_names; // one a class; else "0", "1", ...
    int classes;                    // how many of them there are: the model's
} rn_import_options;

/** How a model file was understood. */
typedef struct rn_origin {
    rn_file_format format;
    bool inferred_model;     // the spec comes from names and shapes
    bool assumed_preprocess; // neither file nor options told it
} rn_origin;

/**
 * Read a model from a file of any of the formats, which its contents tell.
 *
 * torchvision's ResNets and VGGs, akamaster's CIFAR ResNets ("linear" for "fc", a "module." in
 * front) and what rn_model_save() writes are known. A bottleneck whose strides the file does not
 * tell is taken as torchvision's (on the 3x3).
 *
 * @param[out] out     The caller's (rn_checkpoint_free()); NULL on failure.
 * @param[out] origin  What was found out, or NULL.
 * @param options      NULL: all as the file says. Contradicting the file is RN_EINVAL.
 * @return RN_OK; RN_ENOTFOUND; RN_EIO; RN_EINVAL; RN_EFORMAT or RN_EUNSUPPORTED (file, what is
 *         wrong, where, expected and found); RN_ENOMEM.
 */
RN_API rn_status rn_model_load(rn_checkpoint **out, rn_origin *origin, const char *path,
                               const rn_import_options *options);

/**
 * A model with fresh weights, as training would begin with, no normalization, numbers as labels.
 *
 * @param[out] out  The caller's (rn_checkpoint_free()); NULL on failure.
 * @param model     A spec, and `options`: as rn_graph_create() takes them.
 * @return RN_OK; as rn_graph_create(); RN_ENOMEM.
 */
RN_API rn_status rn_model_create(rn_checkpoint **out, const char *model,
                                 const rn_model_options *options, uint64_t seed);

typedef struct rn_export_options {
    rn_file_format format; // UNKNOWN: from the path: .safetensors RESNET, .pth .pt .th TORCH, .onnx
    bool last;             // the last weights even where there is a moving average
    bool fold_batch_norm;  // ONNX
} rn_export_options;

/**
 * Write a model (without its training state) in any of the formats, atomically.
 *
 * What rn_model_load() reads back: of RESNET, SAFETENSORS and ONNX weights bit for bit (ONNX:
 * unless folded), model, preprocess and labels; of TORCH the weights.
 *
 * @param options  NULL: all zero.
 * @return RN_OK; RN_EINVAL (unknown ending; folding elsewhere than in ONNX); RN_EUNSUPPORTED (the
 *         format cannot hold it); as rn_checkpoint_save().
 */
RN_API rn_status rn_model_save(const rn_checkpoint *checkpoint, const char *path,
                               const rn_export_options *options);

/** An array file of NumPy (format 1.0) in the making; its number of rows need not be known. */
typedef struct rn_npy rn_npy;

typedef enum rn_npy_type { RN_NPY_FLOAT32, RN_NPY_INT32 } rn_npy_type;

enum { RN_NPY_DIMS = 3 }; // most dimensions of a row

/**
 * Begin an array [rows][shape[0]]...[shape[dims - 1]]. Nothing is at `path` before
 * rn_npy_commit(), or what was there.
 *
 * @param[out] out  The caller's (rn_npy_free()); NULL on failure.
 * @param dims      0 .. RN_NPY_DIMS.
 * @return RN_OK; RN_EINVAL (dims); RN_EIO or RN_ENOTFOUND (path and reason); RN_ENOMEM.
 */
RN_API rn_status rn_npy_create(rn_npy **out, const char *path, rn_npy_type type, int dims,
                               const int *shape);
/** Append rows. RN_OK; RN_EIO (path and reason). */
RN_API rn_status rn_npy_append(rn_npy *npy, const void *values, uint64_t rows);
/** Put the file in place; only rn_npy_free() may follow. RN_OK; RN_EIO or RN_ENOTFOUND; RN_ENOMEM.
 */
RN_API rn_status rn_npy_commit(rn_npy *npy);
/** Release; what is not committed is removed. */
RN_API void rn_npy_free(rn_npy *npy);

#ifdef __cplusplus
}
#endif
#endif
