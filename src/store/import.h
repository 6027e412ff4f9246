/**
 * From what a file of another program holds to a model: the network by the names and shapes of its
 * tensors, the weights, the preprocess and the labels.
 */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include "store/checkpoint.h"
#include "store/foreign.h"

/**
 * A safetensors file as named float32 tensors. Takes the file over: it is freed with the result, or
 * here on failure.
 */
rn_status rn_safetensors_foreign(rn_foreign **out, rn_safetensors *file);

/** A tensor by the name that it has in our networks. */
typedef struct rn_state_entry {
    const char *name; // "fc.weight"
    const rn_foreign_tensor *source;
    bool used; // it has found its place
} rn_state_entry;

/** The tensors of a foreign file, without batch counts ("num_batches_tracked"), by name. */
typedef struct rn_state {
    rn_state_entry *entries; // in the order of strcmp()
    size_t count;
    const rn_foreign *foreign;
    char *names; // what the entries' names point into
} rn_state;

/**
 * Translate names: "module.", "_orig_mod." and "model." in front of all go, "linear" is "fc",
 * "shortcut" of a unit is "downsample".
 *
 * @param foreign  Borrowed; must outlive the state.
 * @return RN_OK; RN_EFORMAT (two tensors with one name); RN_ENOMEM.
 */
rn_status rn_state_init(rn_state *state, const rn_foreign *foreign);
void rn_state_release(rn_state *state);
/** The tensor with this name, in printf's manner, or NULL. */
rn_state_entry *rn_state_find(const rn_state *state, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Infer the network's spec (the caller's, rn_free()). It fits the names; whether every shape fits
 * is for the caller to check. Names and shapes do not show whether shortcuts without parameters are
 * there (taken so), nor on which convolution a bottleneck strides (taken to be the 3x3).
 *
 * @return RN_OK; RN_EUNSUPPORTED (no family known here: what was looked for); RN_ENOMEM.
 */
rn_status rn_infer_model(char **model, const rn_state *state);
/** Classes, channels and the size that goes with the first layer; 0 where it cannot be seen. */
void rn_infer_options(rn_model_options *options, const rn_state *state);

/**
 * Make a model of what a file of another program holds.
 *
 * @param origin  Its `format` is left alone.
 * @return As rn_model_load(), but messages do not name the file.
 */
rn_status rn_import(rn_checkpoint **out, rn_origin *origin, const rn_foreign *foreign,
                    const rn_import_options *options);

/** RN_EINVAL where the options contradict themselves, or have other lengths than the model. */
rn_status rn_import_check(const rn_import_options *options);
rn_status rn_import_lengths(const rn_model_options *model, const rn_import_options *options);

/**
 * Check that a model is what the options say, and give its classes the names in them if it had
 * numbers only. RN_EINVAL names the contradiction.
 */
rn_status rn_import_agree(rn_checkpoint *made, const rn_import_options *options);

#endif
