/** ONNX files with what no honest program writes, message by message. Include after cmocka's
 * headers. */
#ifndef STORE_ONNX_HOSTILE_H
#define STORE_ONNX_HOSTILE_H

#include "store/onnx_models.h"
#include "store/onnx_write.h"

// Field numbers of the format.
enum {
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    MODEL_FUNCTIONS = 25,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_SPARSE = 15
};

// A file in the making, whose graph is a line of operators from "x".
typedef struct file {
    rn_message model, graph;
} file;

static inline void add_words(rn_message *node, uint32_t number, const char *words)
{
    char text[256];

    snprintf(text, sizeof text, "%s", words);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        rn_message_text(node, number, strcmp(word, "-") == 0 ? "" : word);
}

// "Conv": "x w" -> "y", with attributes that are all lists of two or four equal numbers.
static inline void add_node(file *f, const char *op, const char *inputs, const char *outputs,
                            rn_message *attributes)
{
    rn_message node = {0};

    add_words(&node, 1, inputs);
    add_words(&node, 2, outputs);
    rn_message_text(&node, 4, op);
    if (attributes != NULL)
        rn_message_join(&node, attributes);
    rn_message_append(&f->graph, GRAPH_NODE, &node);
}

static inline rn_message ints(const char *name, int64_t value, int count)
{
    rn_message attribute = {0}, made = {0};

    rn_message_text(&attribute, 1, name);
    for (int i = 0; i < count; i++)
        rn_message_int(&attribute, 8, value);
    rn_message_int(&attribute, 20, RN_ONNX_ATTRIBUTE_INTS);
    rn_message_append(&made, 5, &attribute);
    return made;
}

static inline rn_message integer(const char *name, int64_t value)
{
    rn_message attribute = {0}, made = {0};

    rn_message_text(&attribute, 1, name);
    rn_message_int(&attribute, 3, value);
    rn_message_int(&attribute, 20, RN_ONNX_ATTRIBUTE_INT);
    rn_message_append(&made, 5, &attribute);
    return made;
}

static inline rn_message tensor_of(const char *name, int type, const int64_t *shape, int dims)
{
    rn_message tensor = {0};

    for (int d = 0; d < dims; d++)
        rn_message_int(&tensor, 1, shape[d]);
    rn_message_int(&tensor, 2, type);
    rn_message_text(&tensor, 8, name);
    return tensor;
}

// Zeroes, as raw data.
static inline void add_floats(file *f, const char *name, const int64_t *shape, int dims)
{
    static const float zeroes[64 * 64 * 9];
    rn_message tensor = tensor_of(name, RN_ONNX_FLOAT, shape, dims);
    size_t count = 1;

    for (int d = 0; d < dims; d++)
        count *= (size_t)shape[d];
    assert_true(count <= sizeof zeroes / sizeof *zeroes);
    rn_message_refer(&tensor, 9, zeroes, count * sizeof *zeroes);
    rn_message_append(&f->graph, GRAPH_INITIALIZER, &tensor);
}

static inline void add_port(file *f, uint32_t number, const char *name, const int64_t *shape,
                            int dims)
{
    rn_message port = {0}, type = {0}, tensor = {0}, sizes = {0};

    for (int d = 0; d < dims; d++) {
        rn_message dim = {0};
        rn_message_int(&dim, 1, shape[d]);
        rn_message_append(&sizes, 1, &dim);
    }
    rn_message_int(&tensor, 1, RN_ONNX_FLOAT);
    rn_message_append(&tensor, 2, &sizes);
    rn_message_append(&type, 1, &tensor);
    rn_message_text(&port, 1, name);
    rn_message_append(&port, 2, &type);
    rn_message_append(&f->graph, number, &port);
}

static const int64_t IMAGE[] = {1, 3, 8, 8}, SCORES[] = {1, 5}, KERNEL[] = {2, 3, 3, 3};

// Input "x", output "y", and weights of a convolution and a bias for it.
static inline file start(void)
{
    file f = {0};

    add_port(&f, GRAPH_INPUT, "x", IMAGE, 4);
    add_port(&f, GRAPH_OUTPUT, "y", SCORES, 2);
    add_floats(&f, "w", KERNEL, 4);
    add_floats(&f, "b", KERNEL, 1);
    return f;
}

static inline char *finish(file *f, size_t *size)
{
    char *bytes = NULL, *to;
    size_t done = 0;
    rn_message *m = &f->model;

    rn_message_append(m, MODEL_GRAPH, &f->graph);
    ONNX_TRY(m->status);
    *size = (size_t)rn_message_length(m);
    ONNX_TRY(rn_alloc((void **)&bytes, *size, 1));
    to = bytes;
    for (size_t i = 0; i <= m->part_count; i++) {
        size_t place = i < m->part_count ? m->parts[i].place : m->size;
        memcpy(to, m->bytes + done, place - done);
        to += place - done;
        done = place;
        if (i == m->part_count)
            break;
        memcpy(to, m->parts[i].data, m->parts[i].size);
        to += m->parts[i].size;
    }
    rn_message_release(m);
    return bytes;
}

// Takes the bytes.
static inline void expect(char *bytes, size_t size, rn_status status, const char *says)
{
    rn_foreign *foreign = NULL;
    rn_status st = rn_onnx_parse(&foreign, bytes, size, NULL);

    assert_null(foreign);
    if (st != status || strstr(rn_error_message(), says) == NULL)
        fail_msg("status %d '%s', expected %d '%s'", (int)st, rn_error_message(), (int)status,
                 says);
    assert_null(strchr(rn_error_message(), '\n'));
}

static inline void refused(file f, rn_status status, const char *says)
{
    size_t size;
    char *bytes = finish(&f, &size);

    expect(bytes, size, status, says);
}

#endif
