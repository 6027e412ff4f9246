/** JSON for --json. */
#ifndef CLI_JSON_OUTPUT_H
#define CLI_JSON_OUTPUT_H

#include "resnet/base.h"

#include <cjson/cJSON.h>

/** Print indented on standard output, and release. */
rn_status cli_print_json(cJSON *json);

/** Print indented into new memory (free()), and release. */
rn_status cli_json_text(char **out, cJSON *json);

/** A member that is null where the number is not finite. */
void cli_json_add(cJSON *object, const char *key, double value);

#endif
