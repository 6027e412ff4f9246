// ModelProto, GraphProto, NodeProto and ValueInfoProto.
#include "store/onnx.h"

#include "base/json_write.h"
#include "base/memory.h"

#include <string.h>

// Field numbers of the format.
enum {
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    MODEL_FUNCTIONS = 25,
    OPSET_DOMAIN = 1,
    OPSET_VERSION = 2,
    ENTRY_KEY = 1,
    ENTRY_VALUE = 2,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_SPARSE = 15,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    PORT_NAME = 1,
    PORT_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_ELEMENT = 1,
    TENSOR_SHAPE = 2,
    SHAPE_DIM = 1,
    DIM_VALUE = 1
};

// Before 7, operators broadcast and normalise in ways of their own.
static const uint64_t OLDEST_OPSET = 7;

bool rn_onnx_is(rn_onnx_text text, const char *word)
{
    return strlen(word) == text.size && (text.size == 0 || memcmp(text.data, word, text.size) == 0);
}

int rn_onnx_compare(rn_onnx_text a, rn_onnx_text b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

rn_status rn_onnx_read_text(rn_onnx_text *text, const rn_proto_field *field, const char *what)
{
    rn_status st = rn_proto_expect(field, RN_WIRE_BYTES, what);

    if (st != RN_OK)
        return st;
    *text = (rn_onnx_text){(const char *)field->bytes.next, rn_proto_size(&field->bytes)};
    if (text->size > 0 && memchr(text->data, '\0', text->size) != NULL)
        return rn_error(RN_EFORMAT, "field '%s' holds a NUL byte", what);
    return RN_OK;
}

rn_status rn_onnx_read_entry(rn_onnx_text *key, rn_onnx_text *value, const rn_proto_field *from,
                             const char *what)
{
    rn_status st = RN_OK;
    rn_proto body = from->bytes;
    rn_proto_field field;

    *key = *value = (rn_onnx_text){0};
    RN_TRY(rn_proto_expect(from, RN_WIRE_BYTES, what));
    for (;;) {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == 0)
            break;
        if (field.number == ENTRY_KEY)
            RN_TRY(rn_onnx_read_text(key, &field, "key"));
        if (field.number == ENTRY_VALUE)
            RN_TRY(rn_onnx_read_text(value, &field, "value"));
    }
out:
    return st;
}

static rn_status add_link(rn_onnx_model *model, int *count, const rn_proto_field *field)
{
    rn_status st = RN_OK;
    rn_onnx_link link = {.value = -1};

    if (*count == RN_ONNX_LINKS)
        return rn_error(RN_EUNSUPPORTED, "more than %d inputs or outputs", RN_ONNX_LINKS);
    RN_TRY(rn_onnx_read_text(&link.name, field, "input or output"));
    RN_TRY(rn_grow((void **)&model->links, &model->link_capacity, model->link_count + 1,
                   sizeof *model->links));
    model->links[model->link_count++] = link;
    ++*count;
out:
    return st;
}

// One pass for each of inputs and outputs, so that each kind lies together.
static rn_status read_links(rn_onnx_model *model, rn_proto body, uint32_t number, int *count)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    do {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == number)
            RN_TRY(add_link(model, count, &field));
    } while (field.number != 0);
out:
    return st;
}

static rn_status read_node_field(rn_onnx_node *node, const rn_proto_field *field)
{
    rn_status st = RN_OK;
    rn_onnx_text domain;

    switch (field->number) {
    case NODE_NAME:
        return rn_onnx_read_text(&node->name, field, "name");
    case NODE_OP:
        return rn_onnx_read_text(&node->op, field, "op_type");
    case NODE_ATTRIBUTE:
        return rn_proto_expect(field, RN_WIRE_BYTES, "attribute");
    case NODE_DOMAIN:
        RN_TRY(rn_onnx_read_text(&domain, field, "domain"));
        if (domain.size > 0 && !rn_onnx_is(domain, "ai.onnx"))
            st = rn_error(RN_EUNSUPPORTED, "operators of domain '%.*s' are not known",
                          RN_ONNX_TEXT(domain));
        break;
    default:
        break;
    }
out:
    return st;
}

static rn_status read_node(rn_onnx_model *model, rn_onnx_node *node, rn_proto body)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    *node = (rn_onnx_node){.body = body};
    do {
        RN_TRY(rn_proto_next(&body, &field));
        RN_TRY(read_node_field(node, &field));
    } while (field.number != 0);
    node->first_input = (int)model->link_count;
    RN_TRY(read_links(model, node->body, NODE_INPUT, &node->inputs));
    node->first_output = (int)model->link_count;
    RN_TRY(read_links(model, node->body, NODE_OUTPUT, &node->outputs));
    if (node->op.size == 0 || node->outputs == 0) {
        st = rn_error(RN_EFORMAT, "no %s", node->op.size == 0 ? "operator" : "output");
        goto out;
    }
    if (node->name.size == 0)
        node->name = model->links[node->first_output].name;
out:
    return st;
}

static rn_status add_node(rn_onnx_model *model, const rn_proto_field *field)
{
    rn_status st = RN_OK;

    RN_TRY(rn_proto_expect(field, RN_WIRE_BYTES, "node"));
    if (model->node_count == RN_ONNX_NODES)
        return rn_error(RN_EUNSUPPORTED, "graph has more than %d nodes", RN_ONNX_NODES);
    RN_TRY(rn_grow((void **)&model->nodes, &model->node_capacity, model->node_count + 1,
                   sizeof *model->nodes));
    st = read_node(model, &model->nodes[model->node_count], field->bytes);
    if (st != RN_OK)
        rn_error_prefix(st, "node %zu '%.*s'", model->node_count,
                        RN_ONNX_TEXT(model->nodes[model->node_count].name));
    model->node_count++;
out:
    return st;
}

static rn_status add_tensor(rn_onnx_model *model, const rn_proto_field *field)
{
    rn_status st = RN_OK;

    RN_TRY(rn_proto_expect(field, RN_WIRE_BYTES, "initializer"));
    if (model->tensor_count == RN_ONNX_NODES)
        return rn_error(RN_EUNSUPPORTED, "graph has more than %d initializers", RN_ONNX_NODES);
    RN_TRY(rn_grow((void **)&model->tensors, &model->tensor_capacity, model->tensor_count + 1,
                   sizeof *model->tensors));
    rn_onnx_tensor *tensor = &model->tensors[model->tensor_count++];
    RN_TRY(rn_onnx_read_tensor(tensor, field->bytes, true));
    if (tensor->name.size == 0)
        st = rn_error(RN_EFORMAT, "initializer %zu has no name", model->tensor_count - 1);
out:
    return st;
}

static rn_status read_dim(rn_onnx_port *port, rn_proto body)
{
    rn_status st = RN_OK;
    rn_proto_field field;
    int64_t value = -1;

    if (port->dims == 4)
        return rn_error(RN_EUNSUPPORTED, "more than 4 dimensions");
    for (;;) {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == 0)
            break;
        if (field.number != DIM_VALUE)
            continue;
        RN_TRY(rn_proto_expect(&field, RN_WIRE_VARINT, "dim_value"));
        // PyTorch's exporters write 0 or -1 where they do not know.
        value = field.value > INT64_MAX || field.value == 0 ? -1 : (int64_t)field.value;
        if (value > INT32_MAX)
            return rn_error(RN_EFORMAT, "dimension %d is %lld", port->dims, (long long)value);
    }
    port->shape[port->dims++] = value;
out:
    return st;
}

static rn_status read_shape(rn_onnx_port *port, rn_proto body)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    port->dims = 0;
    for (;;) {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == 0)
            break;
        if (field.number != SHAPE_DIM)
            continue;
        RN_TRY(rn_proto_expect(&field, RN_WIRE_BYTES, "dim"));
        RN_TRY(read_dim(port, field.bytes));
    }
out:
    return st;
}

static rn_status read_tensor_type(rn_onnx_port *port, rn_proto body)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    for (;;) {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == 0)
            break;
        if (field.number == TENSOR_ELEMENT) {
            RN_TRY(rn_proto_expect(&field, RN_WIRE_VARINT, "elem_type"));
            port->type = field.value > INT32_MAX ? -1 : (int)field.value;
        } else if (field.number == TENSOR_SHAPE) {
            RN_TRY(rn_proto_expect(&field, RN_WIRE_BYTES, "shape"));
            RN_TRY(read_shape(port, field.bytes));
        }
    }
out:
    return st;
}

static rn_status read_port_type(rn_onnx_port *port, rn_proto body)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    for (;;) {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == 0)
            break;
        if (field.number != TYPE_TENSOR)
            continue;
        RN_TRY(rn_proto_expect(&field, RN_WIRE_BYTES, "tensor_type"));
        RN_TRY(read_tensor_type(port, field.bytes));
    }
out:
    return st;
}

static rn_status read_port(rn_onnx_port *port, const rn_proto_field *from, const char *what)
{
    rn_status st = RN_OK;
    rn_proto body = from->bytes;
    rn_proto_field field;

    *port = (rn_onnx_port){.dims = -1};
    RN_TRY(rn_proto_expect(from, RN_WIRE_BYTES, what));
    for (;;) {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == 0)
            break;
        if (field.number == PORT_NAME)
            RN_TRY(rn_onnx_read_text(&port->name, &field, "name"));
        if (field.number == PORT_TYPE) {
            RN_TRY(rn_proto_expect(&field, RN_WIRE_BYTES, "type"));
            RN_TRY(read_port_type(port, field.bytes));
        }
    }
    if (port->name.size == 0)
        st = rn_error(RN_EFORMAT, "no name");
out:
    if (st != RN_OK)
        rn_error_prefix(st, "graph %s '%.*s'", what, RN_ONNX_TEXT(port->name));
    return st;
}

static rn_status add_input(rn_onnx_model *model, const rn_proto_field *field)
{
    rn_status st = RN_OK;

    if (model->input_count == RN_ONNX_NODES)
        return rn_error(RN_EUNSUPPORTED, "graph has more than %d inputs", RN_ONNX_NODES);
    RN_TRY(rn_grow((void **)&model->inputs, &model->input_capacity, model->input_count + 1,
                   sizeof *model->inputs));
    RN_TRY(read_port(&model->inputs[model->input_count++], field, "input"));
out:
    return st;
}

static rn_status read_graph_field(rn_onnx_model *model, const rn_proto_field *field)
{
    switch (field->number) {
    case GRAPH_NODE:
        return add_node(model, field);
    case GRAPH_INITIALIZER:
        return add_tensor(model, field);
    case GRAPH_INPUT:
        return add_input(model, field);
    case GRAPH_OUTPUT:
        if (model->outputs++ > 0)
            return rn_error(RN_EUNSUPPORTED, "graph has more than one output");
        return read_port(&model->output, field, "output");
    case GRAPH_SPARSE:
        return rn_error(RN_EUNSUPPORTED, "sparse initializers are not read");
    default:
        return RN_OK;
    }
}

static rn_status read_graph(rn_onnx_model *model, const rn_proto_field *from)
{
    rn_status st = RN_OK;
    rn_proto body = from->bytes;
    rn_proto_field field;

    RN_TRY(rn_proto_expect(from, RN_WIRE_BYTES, "graph"));
    if (model->has_graph)
        return rn_error(RN_EFORMAT, "two graphs in one model");
    model->has_graph = true;
    do {
        RN_TRY(rn_proto_next(&body, &field));
        RN_TRY(read_graph_field(model, &field));
    } while (field.number != 0);
out:
    return st;
}

static rn_status read_opset(const rn_proto_field *from)
{
    rn_status st = RN_OK;
    rn_proto body = from->bytes;
    rn_proto_field field;
    rn_onnx_text domain = {0};
    uint64_t version = 0;

    RN_TRY(rn_proto_expect(from, RN_WIRE_BYTES, "opset_import"));
    for (;;) {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == 0)
            break;
        if (field.number == OPSET_DOMAIN)
            RN_TRY(rn_onnx_read_text(&domain, &field, "domain"));
        if (field.number == OPSET_VERSION) {
            RN_TRY(rn_proto_expect(&field, RN_WIRE_VARINT, "version"));
            version = field.value;
        }
    }
    if ((domain.size == 0 || rn_onnx_is(domain, "ai.onnx")) && version < OLDEST_OPSET)
        st = rn_error(RN_EUNSUPPORTED, "operator set %llu, expected %llu or later",
                      (unsigned long long)version, (unsigned long long)OLDEST_OPSET);
out:
    return st;
}

static rn_status store_metadata(rn_onnx_model *model, rn_onnx_text key, rn_onnx_text value)
{
    rn_status st = RN_OK;
    char *name = NULL, *text = NULL;

    if (model->metadata_count++ == RN_ONNX_METADATA)
        return rn_error(RN_EUNSUPPORTED, "more than %d metadata_props", RN_ONNX_METADATA);
    if (key.size == 0)
        return rn_error(RN_EFORMAT, "metadata without a key");
    if (key.size + value.size > RN_SAFETENSORS_HEADER - model->metadata_bytes)
        return rn_error(RN_EUNSUPPORTED,
                        "metadata '%.*s' and those before it have more than %zu bytes",
                        RN_ONNX_TEXT(key), RN_SAFETENSORS_HEADER);
    model->metadata_bytes += key.size + value.size;
    if (model->metadata == NULL)
        RN_TRY(rn_json_object(&model->metadata));
    RN_TRY(rn_format(&name, "%.*s", (int)key.size, key.data));
    RN_TRY(rn_format(&text, "%.*s", (int)value.size, value.data == NULL ? "" : value.data));
    if (cJSON_GetObjectItemCaseSensitive(model->metadata, name) != NULL)
        st = rn_error(RN_EFORMAT, "metadata '%.*s' stands twice", RN_ONNX_TEXT(key));
    else
        st = rn_json_add_text(model->metadata, name, text);
out:
    rn_free(name);
    rn_free(text);
    return st;
}

static rn_status read_metadata(rn_onnx_model *model, const rn_proto_field *from)
{
    rn_status st = RN_OK;
    rn_onnx_text key, value;

    RN_TRY(rn_onnx_read_entry(&key, &value, from, "metadata_props"));
    RN_TRY(store_metadata(model, key, value));
out:
    return st;
}

static rn_status read_model_field(rn_onnx_model *model, const rn_proto_field *field)
{
    switch (field->number) {
    case MODEL_GRAPH:
        return read_graph(model, field);
    case MODEL_OPSET:
        return read_opset(field);
    case MODEL_METADATA:
        return read_metadata(model, field);
    case MODEL_FUNCTIONS:
        return rn_error(RN_EUNSUPPORTED, "models with functions of their own are not read");
    default:
        return RN_OK;
    }
}

rn_status rn_onnx_read(rn_onnx_model *model, const char *bytes, size_t size)
{
    rn_status st = RN_OK;
    rn_proto body = rn_proto_start(bytes, size);
    rn_proto_field field;

    *model = (rn_onnx_model){.input_value = -1, .output_value = -1};
    if (size > RN_PROTO_LARGEST)
        return rn_error(RN_EFORMAT, "%zu bytes, expected at most %llu", size,
                        (unsigned long long)RN_PROTO_LARGEST);
    do {
        RN_TRY(rn_proto_next(&body, &field));
        RN_TRY(read_model_field(model, &field));
    } while (field.number != 0);
    if (!model->has_graph)
        return rn_error(RN_EFORMAT, "no ONNX file: it has no graph");
    RN_TRY(rn_onnx_link_names(model));
out:
    return st;
}

void rn_onnx_release(rn_onnx_model *model)
{
    rn_free(model->nodes);
    rn_free(model->tensors);
    rn_free(model->links);
    rn_free(model->values);
    rn_free(model->inputs);
    cJSON_Delete(model->metadata);
    *model = (rn_onnx_model){0};
}
