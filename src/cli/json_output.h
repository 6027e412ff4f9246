/** JSON for --json. */
#ifndef CLI_JSON_OUTPUT_H
#define CLI_JSON_OUTPUT_H

#include "resnet/base.h"

#include <cjson/cJSON.h>

/** Print indented on standard output, and release. */
rn_status cli_print_json(cJSON *json);

/** Print indented into new memory (free()), and release. */
rn_status cli_json_text(char **out, cJSON *json);

/**
 * Print for others to read into new memory (rn_text_free()), and release. Names of files may be any
 * bytes: those that are no UTF-8, which JSON must be, become U+FFFD.
 */
rn_status cli_json_shown(char **out, cJSON *json, bool indented);

/** A member that is null where the number is not finite. */
void cli_json_add(cJSON *object, const char *key, double value);

#endif
