#include "cli/diff_output.h"
#include "cli/json_output.h"

static cJSON *model_json(const cli_compared *d, int index)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "file", d->words[index]);
    cJSON_AddStringToObject(json, "model", d->models[index]->model);
    cJSON_AddStringToObject(json, "engine", d->options.engine[index]);
    cJSON_AddStringToObject(json, "preprocess",
                            rn_normalize_name(d->models[index]->preprocess->normalize));
    return json;
}

static void add_difference(cJSON *json, const rn_difference *d)
{
    cli_json_add(json, "largest", d->largest);
    cli_json_add(json, "absolute", d->absolute);
    cli_json_add(json, "relative", d->relative);
    cJSON_AddBoolToObject(json, "beyond", d->beyond);
}

static void add_shape(cJSON *json, const char *key, const rn_param *param)
{
    if (param != NULL)
        cJSON_AddItemToObject(json, key, cJSON_CreateIntArray(param->shape, param->dims));
    else
        cJSON_AddNullToObject(json, key);
}

static cJSON *param_json(const rn_param_difference *p)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "name", p->a != NULL ? p->a->name : p->b->name);
    add_shape(json, "shape_a", p->a);
    add_shape(json, "shape_b", p->b);
    if (p->measured)
        add_difference(json, &p->difference);
    else
        cJSON_AddBoolToObject(json, "beyond", true);
    return json;
}

static cJSON *layer_json(const rn_layer_difference *layer)
{
    cJSON *json = cJSON_CreateObject();
    const rn_node *node = layer->node;
    const int shape[3] = {node->channels, node->height, node->width};

    cJSON_AddStringToObject(json, "name", node->name);
    cJSON_AddStringToObject(json, "kind", rn_node_kind_name(node->kind));
    cJSON_AddItemToObject(json, "shape", cJSON_CreateIntArray(shape, 3));
    add_difference(json, &layer->difference);
    return json;
}

static cJSON *structure_json(const rn_comparison *c)
{
    cJSON *json;

    if (c->structure[0][0] == '\0')
        return cJSON_CreateNull();
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "a", c->structure[0]);
    cJSON_AddStringToObject(json, "b", c->structure[1]);
    return json;
}

static cJSON *logits_json(const cli_compared *d, int model)
{
    const rn_comparison *c = &d->comparison;
    cJSON *rows = cJSON_CreateArray();

    for (int i = 0; i < c->images; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "top", cli_diff_top(d, model, i));
        cJSON_AddItemToObject(
            row, "logits",
            cJSON_CreateFloatArray(c->logits[model] + (ptrdiff_t)i * c->classes, c->classes));
        cJSON_AddItemToArray(rows, row);
    }
    return rows;
}

static void add_outputs(cJSON *json, const cli_compared *d)
{
    const rn_comparison *c = &d->comparison;
    cJSON *list = cJSON_AddArrayToObject(json, "layers");

    for (int i = 0; i < c->layer_count; i++)
        cJSON_AddItemToArray(list, layer_json(&c->layers[i]));
    cJSON_AddNumberToObject(json, "unmatched", c->unmatched);
    if (c->first_beyond >= 0)
        cJSON_AddStringToObject(json, "first_beyond", c->layers[c->first_beyond].node->name);
    else
        cJSON_AddNullToObject(json, "first_beyond");
    cJSON_AddItemToObject(json, "outputs_a", logits_json(d, 0));
    cJSON_AddItemToObject(json, "outputs_b", logits_json(d, 1));
}

rn_status cli_diff_json(const cli_compared *d)
{
    const rn_comparison *c = &d->comparison;
    cJSON *json = cJSON_CreateObject(), *list;

    cJSON_AddItemToObject(json, "a", model_json(d, 0));
    cJSON_AddItemToObject(json, "b", model_json(d, 1));
    cli_json_add(json, "tolerance", d->options.tolerance);
    cJSON_AddBoolToObject(json, "within", c->within);
    if (c->folded != NULL) // to the other's form
        cJSON_AddStringToObject(json, "folded", c->folded_model == 0 ? "a" : "b");
    cJSON_AddBoolToObject(json, "same_preprocess", c->same_preprocess);
    cJSON_AddNumberToObject(json, "labels_differing", c->labels_differing);
    cJSON_AddNumberToObject(json, "parameters_beyond", c->params_beyond);
    list = cJSON_AddArrayToObject(json, "parameters");
    for (int i = 0; i < c->param_count; i++)
        cJSON_AddItemToArray(list, param_json(&c->params[i]));
    cJSON_AddItemToObject(json, "structure", structure_json(c));
    if (d->picture != NULL)
        cJSON_AddStringToObject(json, "picture", d->picture);
    else
        cli_json_add(json, "seed", (double)d->options.seed);
    add_outputs(json, d);
    return cli_print_json(json);
}
