// A model as ONNX: opset 17, dynamic batch, values named after the graph's nodes.
#include "store/onnx_write.h"

#include "base/json.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Field numbers of the format.
enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    OPSET_DOMAIN = 1,
    OPSET_VERSION = 2,
    ENTRY_KEY = 1,
    ENTRY_VALUE = 2,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    PORT_NAME = 1,
    PORT_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_ELEMENT = 1,
    TENSOR_SHAPE = 2,
    SHAPE_DIM = 1,
    DIM_VALUE = 1,
    DIM_PARAM = 2
};

// Opset 17 came with IR version 8 (ONNX 1.12): Runtime 1.12 and later, all that torch 2 exports to.
enum { IR_VERSION = 8, OPSET = 17 };

static void add_port(rn_message *graph, uint32_t number, const char *name, const int *sizes,
                     int count)
{
    rn_message port = {0}, type = {0}, tensor = {0}, shape = {0}, batch = {0};

    rn_message_text(&batch, DIM_PARAM, "N");
    rn_message_append(&shape, SHAPE_DIM, &batch);
    for (int i = 0; i < count; i++) {
        rn_message dim = {0};
        rn_message_int(&dim, DIM_VALUE, sizes[i]);
        rn_message_append(&shape, SHAPE_DIM, &dim);
    }
    rn_message_int(&tensor, TENSOR_ELEMENT, RN_ONNX_FLOAT);
    rn_message_append(&tensor, TENSOR_SHAPE, &shape);
    rn_message_append(&type, TYPE_TENSOR, &tensor);
    rn_message_text(&port, PORT_NAME, name);
    rn_message_append(&port, PORT_TYPE, &type);
    rn_message_append(graph, number, &port);
}

static void add_ports(rn_message *graph, const rn_graph *from)
{
    const rn_model_options *options = rn_graph_options(from);
    const int sizes[] = {options->channels, options->height, options->width};

    add_port(graph, GRAPH_INPUT, RN_ONNX_INPUT, sizes, 3);
    add_port(graph, GRAPH_OUTPUT, RN_ONNX_OUTPUT, &options->classes, 1);
}

static void add_metadata(rn_message *model, const cJSON *metadata)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, metadata)
    {
        rn_message entry = {0};
        rn_message_text(&entry, ENTRY_KEY, item->string);
        rn_message_text(&entry, ENTRY_VALUE, item->valuestring);
        rn_message_append(model, MODEL_METADATA, &entry);
    }
}

static void count_readers(rn_onnx_writer *writer)
{
    for (int i = 0; i < rn_graph_nodes(writer->graph); i++) {
        const rn_node *node = rn_graph_node(writer->graph, i);
        for (int k = 0; k < 2; k++) {
            if (node->inputs[k] >= 0)
                writer->readers[node->inputs[k]]++;
        }
    }
}

// The batch norm that becomes part of each convolution.
static void find_folds(rn_onnx_writer *writer)
{
    for (int i = 0; i < rn_graph_nodes(writer->graph); i++) {
        const rn_node *node = rn_graph_node(writer->graph, i);
        writer->folded[i] = -1;
        if (node->kind != RN_NODE_BATCH_NORM || !writer->fold ||
            rn_graph_node(writer->graph, node->inputs[0])->kind != RN_NODE_CONV ||
            writer->readers[node->inputs[0]] != 1)
            continue;
        writer->folded[node->inputs[0]] = i;
        writer->folded[i] = node->inputs[0];
    }
}

// y = gain (w x + b - mean) / sqrt(variance + epsilon) + bias, as one convolution.
static void fold_values(rn_onnx_writer *writer, int conv, int norm, float *weight, float *bias)
{
    const rn_node *from = rn_graph_node(writer->graph, conv);
    const rn_node *by = rn_graph_node(writer->graph, norm);
    const float *gain = rn_weights_read(writer->weights, by->weight);
    const float *shift = rn_weights_read(writer->weights, by->bias);
    const float *mean = rn_weights_read(writer->weights, by->running_mean);
    const float *variance = rn_weights_read(writer->weights, by->running_variance);
    const float *values = rn_weights_read(writer->weights, from->weight);
    const float *start =
        from->bias == RN_NO_PARAM ? NULL : rn_weights_read(writer->weights, from->bias);
    size_t row = rn_graph_param(writer->graph, from->weight)->count / (size_t)from->channels;

    for (int c = 0; c < from->channels; c++) {
        double scale = gain[c] / sqrt((double)variance[c] + by->epsilon);
        for (size_t i = 0; i < row; i++, values++, weight++)
            *weight = (float)(*values * scale);
        bias[c] = (float)(((start == NULL ? 0.0 : start[c]) - mean[c]) * scale + shift[c]);
    }
}

static rn_status fold_conv(rn_onnx_writer *writer, int conv)
{
    rn_status st = RN_OK;
    const rn_node *node = rn_graph_node(writer->graph, conv);
    const rn_param *param = rn_graph_param(writer->graph, node->weight);
    float *values = NULL;

    RN_TRY(RN_NEW(&values, param->count + (size_t)node->channels));
    writer->made[conv] = values; // the writer's
    fold_values(writer, conv, writer->folded[conv], values, values + param->count);
out:
    return st;
}

static rn_status start(rn_onnx_writer *writer)
{
    rn_status st = RN_OK;
    size_t count = (size_t)rn_graph_nodes(writer->graph);

    RN_TRY(RN_NEW(&writer->readers, count));
    RN_TRY(RN_NEW(&writer->folded, count));
    RN_TRY(RN_NEW(&writer->made, count));
    count_readers(writer);
    find_folds(writer);
    for (int i = 0; i < (int)count; i++) {
        if (rn_graph_node(writer->graph, i)->kind == RN_NODE_CONV && writer->folded[i] >= 0)
            RN_TRY(fold_conv(writer, i));
    }
out:
    return st;
}

static void release(rn_onnx_writer *writer)
{
    for (int i = 0; writer->made != NULL && i < rn_graph_nodes(writer->graph); i++)
        rn_free(writer->made[i]);
    rn_free(writer->made);
    rn_free(writer->readers);
    rn_free(writer->folded);
    rn_message_release(&writer->nodes);
    rn_message_release(&writer->tensors);
}

// The nodes stand before the initializers, and both in the graph's order.
static void build_graph(rn_message *graph, rn_onnx_writer *writer)
{
    rn_onnx_write_nodes(writer);
    rn_message_join(graph, &writer->nodes);
    rn_message_text(graph, GRAPH_NAME, rn_graph_model(writer->graph));
    rn_message_join(graph, &writer->tensors);
    add_ports(graph, writer->graph);
}

static void build_model(rn_message *model, rn_message *graph, const cJSON *metadata)
{
    rn_message opset = {0};

    rn_message_int(model, MODEL_IR_VERSION, IR_VERSION);
    rn_message_text(model, MODEL_PRODUCER, "resnet");
    rn_message_text(model, MODEL_PRODUCER_VERSION, RN_VERSION);
    rn_message_append(model, MODEL_GRAPH, graph);
    rn_message_text(&opset, OPSET_DOMAIN, "");
    rn_message_int(&opset, OPSET_VERSION, OPSET);
    rn_message_append(model, MODEL_OPSET, &opset);
    add_metadata(model, metadata);
}

static rn_status check_arguments(const rn_checkpoint *checkpoint, const rn_weights *weights,
                                 const cJSON *metadata)
{
    const cJSON *item;

    if (checkpoint->graph == NULL || weights == NULL)
        return rn_error(RN_EINVAL, "a model without graph or weights cannot be written as ONNX");
    cJSON_ArrayForEach(item, metadata)
    {
        if (!cJSON_IsString(item))
            return rn_error(RN_EINVAL, "metadata '%s' is not a text", item->string);
    }
    return RN_OK;
}

rn_status rn_onnx_write_message(const char *path, const rn_message *model)
{
    rn_status st = RN_OK;
    rn_atomic_file file = {.descriptor = -1};

    RN_TRY(model->status);
    if (rn_message_length(model) > RN_PROTO_LARGEST)
        return rn_error(
            RN_EUNSUPPORTED, "'%s' would have %llu bytes, and ONNX files have at most %llu", path,
            (unsigned long long)rn_message_length(model), (unsigned long long)RN_PROTO_LARGEST);
    RN_TRY(rn_atomic_file_open(&file, path));
    RN_TRY(rn_message_write(model, &file));
    RN_TRY(rn_atomic_file_commit(&file));
out:
    rn_atomic_file_abandon(&file);
    return st;
}

rn_status rn_onnx_write(const char *path, const rn_checkpoint *checkpoint,
                        const rn_weights *weights, const cJSON *metadata, bool fold)
{
    rn_status st = RN_OK;
    rn_message model = {0}, graph = {0};
    rn_onnx_writer writer = {.graph = checkpoint->graph, .weights = weights, .fold = fold};

    RN_TRY(check_arguments(checkpoint, weights, metadata));
    RN_TRY(start(&writer));
    build_graph(&graph, &writer);
    build_model(&model, &graph, metadata);
    RN_TRY(rn_onnx_write_message(path, &model));
out:
    rn_message_release(&graph);
    rn_message_release(&model);
    release(&writer);
    return st;
}
