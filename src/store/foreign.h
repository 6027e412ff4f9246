/**
 * What a weight file of another program holds: named float32 tensors and, where the file tells,
 * the network and metadata. Readers (torch, onnx, plain safetensors) give it; import.c makes a
 * checkpoint of it.
 */
#ifndef STORE_FOREIGN_H
#define STORE_FOREIGN_H

#include "resnet/store.h"
#include "store/safetensors.h"

typedef struct rn_foreign_tensor {
    rn_tensor tensor; // data: float32, whatever the file's float type; NULL where that is no float
    const char *type; // as the file calls it: "float32", "float16", "int64"; static
} rn_foreign_tensor;

typedef struct rn_foreign {
    rn_foreign_tensor *tensors; // in the file's order; names are the file's, without containers
                                // such as "state_dict"
    size_t count;
    char *model;              // spec that the file's own graph amounts to, or NULL; tensors then
                              // have the canonical names and shapes
    rn_model_options options; // known with `model`; zeroes: unknown
    bool open_height;         // the graph leaves that of `options` open: it is the metadata's or
    bool open_width;          // the model's usual one, and may be told otherwise
    char *metadata;           // JSON object of texts (keys of store/checkpoint.h), or NULL
    void *owner;              // what names and data point into
    void (*release)(void *owner);
} rn_foreign;

void rn_foreign_free(rn_foreign *foreign); // NULL is legal

/** True if the bytes begin as a PyTorch file does (zip, or a legacy pickle). */
bool rn_torch_recognise(const char *bytes, size_t size);

/**
 * Read a PyTorch file: a state dict, or a dict that holds one as "state_dict", "model" or
 * "model_state_dict". Nothing is executed; only the opcodes and globals that tensors need are
 * known. Needs memory of the order of the file's size, whatever it claims.
 *
 * @param bytes  From rn_alloc(); freed with the result, or here on failure.
 * @return RN_OK; RN_EFORMAT (what and where: the opcode or the global by name and its offset);
 *         RN_ENOMEM.
 */
rn_status rn_torch_parse(rn_foreign **out, char *bytes, size_t size);

/**
 * Write a state dict that torch.load() (weights_only=True too) reads, atomically.
 *
 * @return RN_OK; RN_EINVAL (a count that is not the shape's); RN_EUNSUPPORTED (more than 65,531
 *         tensors or 4 GiB: path and limit); RN_EIO or RN_ENOTFOUND; RN_ENOMEM.
 */
rn_status rn_torch_write(const char *path, const rn_tensor *tensors, size_t count);

/**
 * Read an ONNX file and find the network that its graph computes.
 *
 * @param bytes  From rn_alloc(); freed with the result, or here on failure.
 * @param path   The file's, in whose folder values lie that are not in the file (external_data), or
 *               NULL: such values are refused.
 * @return RN_OK; RN_EFORMAT (what and where); RN_EUNSUPPORTED (a graph of another family: the first
 *         node that does not fit, by name and operator); RN_ENOTFOUND or RN_EIO (a file of values);
 *         RN_ENOMEM.
 */
rn_status rn_onnx_parse(rn_foreign **out, char *bytes, size_t size, const char *path);

/**
 * Write a model as ONNX (opset 17, dynamic batch), atomically; metadata_props hold the metadata.
 *
 * @param weights   Of `checkpoint`: its own or its moving average.
 * @param metadata  JSON object of texts. Borrowed.
 * @param fold      Batch norms become part of the convolutions before them where that is exact.
 */
rn_status rn_onnx_write(const char *path, const rn_checkpoint *checkpoint,
                        const rn_weights *weights, const cJSON *metadata, bool fold);

#endif
