#include "base/json_write.h"

#include "base/memory.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void rn_json_number_text(char text[RN_NUMBER_TEXT], double value)
{
    if (!isfinite(value)) {
        snprintf(text, RN_NUMBER_TEXT, "null");
        return;
    }
    // %.15g would do for most; 17 digits always do.
    for (int digits = 15; digits <= 17; digits++) {
        rn_print(text, RN_NUMBER_TEXT, "%.*g", digits, value);
        if (rn_strtod(text, NULL) == value)
            break;
    }
}

static rn_status out_of_memory(void)
{
    return rn_error(RN_ENOMEM, "out of memory: JSON cannot be built");
}

rn_status rn_json_object(cJSON **out)
{
    *out = cJSON_CreateObject();
    return *out == NULL ? out_of_memory() : RN_OK;
}

rn_status rn_json_add_item(cJSON *object, const char *key, cJSON *item)
{
    if (item == NULL)
        return out_of_memory();
    if (!cJSON_AddItemToObject(object, key, item)) {
        cJSON_Delete(item);
        return out_of_memory();
    }
    return RN_OK;
}

rn_status rn_json_append(cJSON *array, cJSON *item)
{
    if (item == NULL)
        return out_of_memory();
    if (!cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        return out_of_memory();
    }
    return RN_OK;
}

rn_status rn_json_add_number(cJSON *object, const char *key, double value)
{
    char text[RN_NUMBER_TEXT];

    rn_json_number_text(text, value);
    return rn_json_add_item(object, key, cJSON_CreateRaw(text));
}

// Names of files and folders may be any bytes; JSON is UTF-8, or other programs refuse it.
cJSON *rn_json_text_item(const char *value)
{
    char *text = NULL;

    if (rn_text_repair(&text, value) != RN_OK)
        return NULL;
    cJSON *item = cJSON_CreateString(text);
    rn_free(text);
    return item;
}

rn_status rn_json_add_text(cJSON *object, const char *key, const char *value)
{
    return rn_json_add_item(object, key, rn_json_text_item(value));
}

rn_status rn_json_add_bool(cJSON *object, const char *key, bool value)
{
    return rn_json_add_item(object, key, cJSON_CreateBool(value));
}
