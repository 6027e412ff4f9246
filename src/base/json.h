/**
 * Strict reading of JSON objects on top of cJSON: ranges and types are checked, unknown keys are
 * errors, and each message says where ("recipe 'x.json': 'lr' is -1, expected 0 to 1000").
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "resnet/base.h"

#include <cjson/cJSON.h>

/**
 * Parse text of `size` bytes into an object.
 *
 * @param[out] out  The caller's (cJSON_Delete()); NULL on failure.
 * @param what      What the text is, for messages: "recipe 'quick'".
 * @return RN_OK; RN_EFORMAT (names the byte, or a nesting or NUL problem, or says that it is not an
 *         object).
 */
rn_status rn_json_parse(cJSON **out, const char *text, size_t size, const char *what);
/** The same of a list. */
rn_status rn_json_parse_list(cJSON **out, const char *text, size_t size, const char *what);

/**
 * Read an optional member: where `key` is absent, *value stays as it is and the result is RN_OK.
 * Wrong type or range: RN_EFORMAT. Integers must be whole. rn_json_text() borrows from `object`.
 */
rn_status rn_json_double(const cJSON *object, const char *key, double low, double high,
                         double *value, const char *what);
rn_status rn_json_int64(const cJSON *object, const char *key, int64_t low, int64_t high,
                        int64_t *value, const char *what);
rn_status rn_json_bool(const cJSON *object, const char *key, bool *value, const char *what);
rn_status rn_json_text(const cJSON *object, const char *key, const char **value, const char *what);

/**
 * RN_EFORMAT if `object` has a member not among keys[0..count), naming it and the nearest key, or
 * the same member twice.
 */
rn_status rn_json_known_keys(const cJSON *object, const char *const *keys, size_t count,
                             const char *what);

/** Print compact (one line) or indented; the caller's (rn_free()). */
rn_status rn_json_print(char **out, const cJSON *json, bool indented);

#endif
