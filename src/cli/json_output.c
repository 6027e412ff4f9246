#include "cli/json_output.h"

#include <math.h>
#include <stdio.h>

rn_status cli_json_text(char **out, cJSON *json)
{
    char *text = json != NULL ? cJSON_Print(json) : NULL;

    cJSON_Delete(json);
    *out = text;
    return text != NULL ? RN_OK : rn_error(RN_ENOMEM, "no memory for JSON text");
}

rn_status cli_json_shown(char **out, cJSON *json, bool indented)
{
    rn_status st = RN_ENOMEM;
    char *text = indented ? cJSON_Print(json) : cJSON_PrintUnformatted(json);

    cJSON_Delete(json);
    *out = NULL;
    if (text != NULL)
        st = rn_text_repair(out, text);
    cJSON_free(text);
    return st == RN_OK ? st : rn_error(st, "no memory for JSON text");
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
