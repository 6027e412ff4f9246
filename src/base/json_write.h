/**
 * Building JSON objects on top of cJSON, with numbers that read back bit for bit (cJSON's own
 * printing may lose the last bit of a double).
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "resnet/base.h"

#include <cjson/cJSON.h>

/** Longest text of rn_json_number_text() with its NUL. */
enum { RN_NUMBER_TEXT = 32 };

/** The shortest decimal text that reads back as exactly `value`; "null" if it is not finite. */
void rn_json_number_text(char text[RN_NUMBER_TEXT], double value);

/** A new empty object; the caller's (cJSON_Delete()); RN_ENOMEM. */
rn_status rn_json_object(cJSON **out);

/** Append one member; RN_ENOMEM. A number that is not finite becomes null. */
rn_status rn_json_add_number(cJSON *object, const char *key, double value);
rn_status rn_json_add_text(cJSON *object, const char *key, const char *value);
rn_status rn_json_add_bool(cJSON *object, const char *key, bool value);

/** A text as an item, with U+FFFD for bytes that are no UTF-8; the caller's; NULL: no memory. */
cJSON *rn_json_text_item(const char *value);

/** Append `item`, which becomes the object's, or is deleted on failure; NULL is RN_ENOMEM. */
rn_status rn_json_add_item(cJSON *object, const char *key, cJSON *item);

/** Append `item` to an array; the item's ownership and statuses as above. */
rn_status rn_json_append(cJSON *array, cJSON *item);

#endif
