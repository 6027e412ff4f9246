#include "cli/json_output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

rn_status cli_json_text(char **out, cJSON *json)
{
    char *text = json != NULL ? cJSON_Print(json) : NULL;

    cJSON_Delete(json);
    *out = text;
    return text != NULL ? RN_OK : rn_error(RN_ENOMEM, "no memory for JSON text");
}

rn_status cli_print_json(cJSON *json)
{
    char *text;
    rn_status st = cli_json_text(&text, json);

    if (st == RN_OK)
        printf("%s\n", text);
    free(text);
    return st;
}

void cli_json_add(cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}
