// Ranges of nodes in a model file's metadata: {"layer1.0.relu1":[0,2.5], ...}.
#include "store/checkpoint.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"

#include <math.h>

rn_status rn_meta_add_ranges(cJSON *metadata, const rn_checkpoint *checkpoint)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;
    char *text = NULL;

    if (checkpoint->ranges == NULL || checkpoint->graph == NULL)
        return RN_OK;
    RN_TRY(rn_json_object(&json));
    for (int i = 0; i < rn_graph_nodes(checkpoint->graph); i++) {
        const rn_range *range = &checkpoint->ranges[i];
        const double bounds[2] = {(double)range->low, (double)range->high};
        if (rn_range_known(range))
            RN_TRY(rn_json_add_item(json, rn_graph_node(checkpoint->graph, i)->name,
                                    cJSON_CreateDoubleArray(bounds, 2)));
    }
    RN_TRY(rn_json_print(&text, json, false));
    RN_TRY(rn_json_add_text(metadata, RN_META_RANGES, text));
out:
    rn_free(text);
    cJSON_Delete(json);
    return st;
}

static rn_status read_range(rn_range *out, const cJSON *item)
{
    const cJSON *low = cJSON_GetArrayItem(item, 0), *high = cJSON_GetArrayItem(item, 1);

    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 || !cJSON_IsNumber(low) ||
        !cJSON_IsNumber(high))
        return rn_error(RN_EFORMAT, "%s: '%s' is not two numbers", RN_META_RANGES, item->string);
    *out = (rn_range){(float)low->valuedouble, (float)high->valuedouble};
    if (!isfinite(out->low) || !isfinite(out->high) || out->low > out->high || out->high < 0)
        return rn_error(RN_EFORMAT,
                        "%s: '%s' is %g to %g, expected finite numbers, rising, not "
                        "below 0",
                        RN_META_RANGES, item->string, low->valuedouble, high->valuedouble);
    return RN_OK;
}

rn_status rn_meta_ranges(rn_range **out, const cJSON *metadata, const rn_graph *graph)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;
    const cJSON *item;

    *out = NULL;
    RN_TRY(rn_meta_object(&json, metadata, RN_META_RANGES));
    if (json == NULL)
        return RN_OK;
    RN_TRY(rn_ranges_create(out, graph));
    cJSON_ArrayForEach(item, json)
    {
        int node = rn_graph_find_node(graph, item->string);
        if (node < 1) // nor of the input, whose pixels nobody makes bytes of
            RN_TRY(
                rn_error(RN_EFORMAT, "%s: the network has no '%s'", RN_META_RANGES, item->string));
        if (rn_range_known(&(*out)[node]))
            RN_TRY(rn_error(RN_EFORMAT, "%s: '%s' stands twice", RN_META_RANGES, item->string));
        RN_TRY(read_range(&(*out)[node], item));
    }
out:
    cJSON_Delete(json);
    return st;
}
