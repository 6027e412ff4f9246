#include "cli/json_output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static rn_status print(char **out, cJSON *json, bool indented)
{
    *out = indented ? cJSON_Print(json) : cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return *out != NULL ? RN_OK : rn_error(RN_ENOMEM, "no memory for JSON text");
}

rn_status cli_json_text(char **out, cJSON *json)
{
    return print(out, json, true);
}

rn_status cli_json_shown(char **out, cJSON *json, bool indented)
{
    rn_status st;
    char *text;

    *out = NULL;
    RN_TRY(print(&text, json, indented));
    st = rn_text_repair(out, text);
out:
    free(text);
    return st;
}

rn_status cli_print_json(cJSON *json)
{
    char *text;
    rn_status st = cli_json_shown(&text, json, true);

    if (st == RN_OK)
        printf("%s\n", text);
    rn_text_free(text);
    return st;
}

void cli_json_add(cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}
