/**
 * ONNX files as they are: messages, tensors, names. Everything points into the file's bytes; what
 * the operators compute is onnx_net.h's.
 */
#ifndef STORE_ONNX_H
#define STORE_ONNX_H

#include "base/json.h"
#include "store/protobuf.h"
#include "store/safetensors.h"

/** Element types of the format (TensorProto.DataType). */
enum {
    RN_ONNX_FLOAT = 1,
    RN_ONNX_INT32 = 6,
    RN_ONNX_INT64 = 7,
    RN_ONNX_BOOL = 9,
    RN_ONNX_FLOAT16 = 10,
    RN_ONNX_DOUBLE = 11,
    RN_ONNX_BFLOAT16 = 16
};

/** Kinds of attributes (AttributeProto.AttributeType). */
enum {
    RN_ONNX_ATTRIBUTE_FLOAT = 1,
    RN_ONNX_ATTRIBUTE_INT = 2,
    RN_ONNX_ATTRIBUTE_TEXT = 3,
    RN_ONNX_ATTRIBUTE_TENSOR = 4,
    RN_ONNX_ATTRIBUTE_INTS = 7
};

enum {
    RN_ONNX_NODES = 100000, // of a graph, and as many initializers
    RN_ONNX_LINKS = 32,     // inputs, or outputs, of a node
    RN_ONNX_METADATA = 1000,
    RN_ONNX_FILES = 4096, // beside the model
    RN_ONNX_SHOWN = 100   // bytes of a name in a message
};

/** A text of the file, without a NUL. */
typedef struct rn_onnx_text {
    const char *data;
    size_t size;
} rn_onnx_text;

/** For "%.*s". */
#define RN_ONNX_TEXT(text)                                                                         \
    (int)((text).size < RN_ONNX_SHOWN ? (text).size : RN_ONNX_SHOWN), (text).data

bool rn_onnx_is(rn_onnx_text text, const char *word);
int rn_onnx_compare(rn_onnx_text a, rn_onnx_text b);

/** Where values lie that are in another file (external_data). */
typedef struct rn_onnx_place {
    rn_onnx_text file;       // relative to the model's folder; size 0: not told
    uint64_t offset, length; // bytes; UINT64_MAX: to the file's end
} rn_onnx_place;

typedef struct rn_onnx_tensor {
    rn_onnx_text name;
    int type;
    int dims;
    int64_t shape[RN_TENSOR_DIMS];
    size_t count;  // product of shape
    bool external; // until rn_onnx_fetch(): values lie in `place`
    rn_onnx_place place;
    rn_proto body; // the message, to gather values from
    rn_proto raw;  // raw_data, where the file uses it, or what was fetched
    bool has_raw;
} rn_onnx_tensor;

typedef struct rn_onnx_attribute {
    bool present;
    int type;
    int64_t integer;
    float real;
    rn_onnx_text text;
    rn_proto tensor;
    int64_t ints[8];
    int count; // of ints
} rn_onnx_attribute;

/** A name where it stands: an input or output of a node. */
typedef struct rn_onnx_link {
    rn_onnx_text name;
    int value; // -1: left out
} rn_onnx_link;

typedef struct rn_onnx_node {
    rn_onnx_text name, op;                          // its first output's name, where it has none
    rn_proto body;                                  // to read attributes from
    int first_input, inputs, first_output, outputs; // in links
} rn_onnx_node;

/** A value: who makes it. */
typedef struct rn_onnx_value {
    rn_onnx_text name;
    int node, tensor; // -1, or an index; both -1: the graph's input
} rn_onnx_value;

/** A graph's input or output. */
typedef struct rn_onnx_port {
    rn_onnx_text name;
    int type;         // of elements, 0: not told
    int dims;         // -1: not told
    int64_t shape[4]; // -1: symbolic
} rn_onnx_port;

typedef struct rn_onnx_model {
    rn_onnx_node *nodes;
    rn_onnx_tensor *tensors;
    rn_onnx_link *links;
    rn_onnx_value *values; // in the order of their names
    rn_onnx_port *inputs;
    size_t node_count, tensor_count, link_count, value_count, input_count;
    size_t node_capacity, tensor_capacity, link_capacity, input_capacity;
    rn_onnx_port output;
    int input_value, output_value;
    int outputs;
    bool has_graph;
    cJSON *metadata; // texts, or NULL
    size_t metadata_count, metadata_bytes;
} rn_onnx_model;

/**
 * Read a model's messages and join its names: each is defined once, and somewhere. The model
 * borrows from `bytes`.
 *
 * @return RN_OK; RN_EFORMAT; RN_EUNSUPPORTED (functions, sparse tensors); RN_ENOMEM. In any case
 *         rn_onnx_release() is due.
 */
rn_status rn_onnx_read(rn_onnx_model *model, const char *bytes, size_t size);
void rn_onnx_release(rn_onnx_model *model);

/** Join the names of a model whose messages have been read. */
rn_status rn_onnx_link_names(rn_onnx_model *model);

/** The files that hold values of a model's initializers; start with zeroes. */
typedef struct rn_onnx_files {
    struct rn_onnx_file *files;
    size_t count, capacity;
    size_t bytes; // of all
} rn_onnx_files;

/**
 * Read the files that initializers refer to (external_data), each once, and find the values there.
 * They lie in the model's folder or below; no part of their paths is a symbolic link.
 *
 * @param path  The model's, or NULL: it has none, and such initializers are refused.
 * @return RN_OK; RN_EFORMAT (a place outside the folder or the file; more than 2 GiB in all);
 *         RN_EUNSUPPORTED (more than RN_ONNX_FILES files; no path); RN_ENOTFOUND or RN_EIO;
 *         RN_ENOMEM. Each names the tensor. In any case rn_onnx_files_release() is due, once the
 *         model's values are no longer read.
 */
rn_status rn_onnx_fetch(rn_onnx_files *files, rn_onnx_model *model, const char *path);
void rn_onnx_files_release(rn_onnx_files *files);

rn_status rn_onnx_read_text(rn_onnx_text *text, const rn_proto_field *field, const char *what);
/** Read one StringStringEntryProto; what it leaves out is empty. `what` names the field. */
rn_status rn_onnx_read_entry(rn_onnx_text *key, rn_onnx_text *value, const rn_proto_field *from,
                             const char *what);

/**
 * Read one TensorProto and check that it holds as many values as its shape says.
 *
 * @param external  Whether the values may lie in another file; else RN_EUNSUPPORTED if they do.
 */
rn_status rn_onnx_read_tensor(rn_onnx_tensor *tensor, rn_proto body, bool external);
/** Give a tensor its values as the bytes of raw_data. RN_OK; RN_EFORMAT (more or fewer). */
rn_status rn_onnx_set_raw(rn_onnx_tensor *tensor, rn_proto raw);
/** "float16"; static. */
const char *rn_onnx_type_name(int type);
bool rn_onnx_is_float(int type);
/** The floats where they lie in the file in float32, of any alignment; NULL elsewhere. */
const void *rn_onnx_floats_in_place(const rn_onnx_tensor *tensor);
/** Convert all values of a tensor of floats. */
rn_status rn_onnx_copy_floats(float *out, const rn_onnx_tensor *tensor);
/** Convert all values of a tensor of type int32, int64 or bool. */
rn_status rn_onnx_copy_ints(int64_t *out, const rn_onnx_tensor *tensor);

/** Find an attribute of a node; `type` is one of RN_ONNX_ATTRIBUTE_*. */
rn_status rn_onnx_find_attribute(rn_onnx_attribute *out, const rn_onnx_node *node, const char *name,
                                 int type);
/** RN_EUNSUPPORTED unless each of the node's attributes is among `known` ("axis keepdims"). */
rn_status rn_onnx_known_attributes(const rn_onnx_node *node, const char *known);

/** An error that begins "node 'NAME' (OP): ". */
rn_status rn_onnx_node_error(rn_status code, const rn_onnx_node *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
