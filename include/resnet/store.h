/** Model files and checkpoints: safetensors, written atomically, checksummed. */
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
    char *recipe;       // JSON text, or NULL
    char *state;        // JSON text of the trainer's position, or NULL
} rn_checkpoint;

/**
 * Write a checkpoint. Either the old file or the whole new one is there afterwards.
 *
 * The header's metadata holds a CRC-32 of every tensor and one of the header itself, so that any
 * changed byte is found on reading. Equal checkpoints give equal bytes (no times, no paths).
 *
 * @param checkpoint  `momentum`, `ema`, `recipe` and `state` may be NULL. Where `graph` is set, its
 *                    model and options are saved instead of the fields `model` and `options`.
 * @return RN_OK; RN_EINVAL (a part is missing, or the preprocess is of another size); RN_EIO or
 *         RN_ENOTFOUND (path and reason; the old file is untouched); RN_ENOMEM.
 */
RN_API rn_status rn_checkpoint_save(const rn_checkpoint *checkpoint, const char *path);

/**
 * Read a checkpoint or model file; every part is checked before anything is returned: the file
 * against its checksums, the model, and that exactly its parameters are there in their shapes. The
 * values need not be finite: a network that diverged can be looked at.
 *
 * A safetensors file of another program loads too if its metadata has "resnet.model" (a spec for
 * rn_graph_create()) and its tensors the names and shapes; what else is absent gets defaults: 10
 * classes, 3 x 32 x 32, no normalization, labels "0", "1", ...
 *
 * @return RN_OK; RN_ENOTFOUND; RN_EIO; RN_EFORMAT (names the file, what is wrong and where);
 *         RN_ENOMEM.
 */
RN_API rn_status rn_checkpoint_load(rn_checkpoint **out, const char *path);
RN_API void rn_checkpoint_free(rn_checkpoint *checkpoint);

/**
 * Save as FOLDER/checkpoint-ITERATION.safetensors (the folder is created), then delete all but the
 * newest `keep` (>= 1) of that pattern in the folder; never the one just saved, nor other files,
 * but for "*.safetensors.tmpN" that a killed process N has left.
 *
 * @return As rn_checkpoint_save(); RN_EIO also if an old one cannot be deleted (the new one is
 *         there by then).
 */
RN_API rn_status rn_checkpoint_save_in(const rn_checkpoint *checkpoint, const char *folder,
                                       uint64_t iteration, int keep);

/**
 * Load the valid checkpoint-N.safetensors of a folder with the highest N; damaged and unreadable
 * ones are passed over.
 *
 * @param[out] path     The file taken; the caller's (free with rn_text_free()).
 * @param[out] skipped  Number of newer files passed over because they were damaged; their first
 *                      error is left as the thread's message.
 * @return RN_OK; RN_ENOTFOUND (no checkpoint at all); RN_EFORMAT (all damaged); as load().
 */
RN_API rn_status rn_checkpoint_load_newest(rn_checkpoint **out, char **path, int *skipped,
                                           const char *folder);

/** Free a text that the library gave. NULL is legal. */
RN_API void rn_text_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
