// Names of values: each has one maker, and every use has a maker.
#include "store/onnx.h"

#include "base/memory.h"

#include <stdlib.h>

static int compare_values(const void *a, const void *b)
{
    return rn_onnx_compare(((const rn_onnx_value *)a)->name, ((const rn_onnx_value *)b)->name);
}

static int find_value(const rn_onnx_model *model, rn_onnx_text name)
{
    rn_onnx_value wanted = {.name = name};

    if (model->value_count == 0)
        return -1;
    const rn_onnx_value *found =
        bsearch(&wanted, model->values, model->value_count, sizeof *model->values, compare_values);
    return found == NULL ? -1 : (int)(found - model->values);
}

static void add_value(rn_onnx_model *model, rn_onnx_text name, int node, int tensor)
{
    model->values[model->value_count++] =
        (rn_onnx_value){.name = name, .node = node, .tensor = tensor};
}

static rn_status sort_values(rn_onnx_model *model)
{
    qsort(model->values, model->value_count, sizeof *model->values, compare_values);
    for (size_t i = 1; i < model->value_count; i++) {
        rn_onnx_text name = model->values[i].name;
        if (rn_onnx_compare(model->values[i - 1].name, name) == 0)
            return rn_error(RN_EFORMAT, "value '%.*s' is defined twice", RN_ONNX_TEXT(name));
    }
    return RN_OK;
}

static rn_status collect_values(rn_onnx_model *model)
{
    rn_status st = RN_OK;

    RN_TRY(RN_NEW(&model->values, model->tensor_count + model->link_count + 1));
    for (size_t i = 0; i < model->tensor_count; i++)
        add_value(model, model->tensors[i].name, -1, (int)i);
    for (size_t i = 0; i < model->node_count; i++) {
        const rn_onnx_node *node = &model->nodes[i];
        for (int k = 0; k < node->outputs; k++) {
            rn_onnx_text name = model->links[node->first_output + k].name;
            if (name.size > 0) // else an output that is left out
                add_value(model, name, (int)i, -1);
        }
    }
    st = sort_values(model);
out:
    return st;
}

// Files before IR version 4 list the initializers among the inputs, too.
static rn_status add_graph_input(rn_onnx_model *model)
{
    const rn_onnx_port *input = NULL;

    for (size_t i = 0; i < model->input_count; i++) {
        const rn_onnx_port *port = &model->inputs[i];
        int value = find_value(model, port->name);
        if (value >= 0 && model->values[value].tensor >= 0)
            continue;
        if (value >= 0)
            return rn_error(RN_EFORMAT, "value '%.*s' is defined twice", RN_ONNX_TEXT(port->name));
        if (input != NULL)
            return rn_error(RN_EUNSUPPORTED, "graph has inputs '%.*s' and '%.*s', expected one",
                            RN_ONNX_TEXT(input->name), RN_ONNX_TEXT(port->name));
        input = port;
    }
    if (input == NULL)
        return rn_error(RN_EFORMAT, "graph has no input");
    model->inputs[0] = *input;
    add_value(model, model->inputs[0].name, -1, -1);
    return sort_values(model);
}

static rn_status join_links(rn_onnx_model *model)
{
    for (size_t i = 0; i < model->node_count; i++) {
        const rn_onnx_node *node = &model->nodes[i];
        for (int k = 0; k < node->inputs + node->outputs; k++) {
            rn_onnx_link *link = &model->links[node->first_input + k];
            if (link->name.size == 0)
                continue;
            link->value = find_value(model, link->name);
            if (link->value < 0)
                return rn_onnx_node_error(RN_EFORMAT, node, "input '%.*s' is defined nowhere",
                                          RN_ONNX_TEXT(link->name));
        }
    }
    return RN_OK;
}

rn_status rn_onnx_link_names(rn_onnx_model *model)
{
    rn_status st = RN_OK;

    if (model->outputs == 0)
        return rn_error(RN_EFORMAT, "graph has no output");
    RN_TRY(collect_values(model));
    RN_TRY(add_graph_input(model));
    RN_TRY(join_links(model));
    model->input_value = find_value(model, model->inputs[0].name);
    model->output_value = find_value(model, model->output.name);
    if (model->output_value < 0)
        st = rn_error(RN_EFORMAT, "graph output '%.*s' is defined nowhere",
                      RN_ONNX_TEXT(model->output.name));
out:
    return st;
}
