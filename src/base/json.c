#include "base/json.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

// cJSON makes a NUL of "\u0000", and the text would end there. Backslashes stand in texts only.
static bool escapes_nul(const char *text)
{
    for (text = strchr(text, '\\'); text != NULL; text = strchr(text + 2, '\\')) {
        if (strncmp(text + 1, "u0000", 5) == 0)
            return true;
        if (text[1] == '\0')
            break;
    }
    return false;
}

static rn_status parse(cJSON **out, const char *text, size_t size, const char *what)
{
    const char *end = NULL;

    *out = NULL;
    if (memchr(text, '\0', size) != NULL)
        return rn_error(RN_EFORMAT, "%s: JSON holds a NUL byte", what);
    if (escapes_nul(text))
        return rn_error(RN_EFORMAT, "%s: JSON has the escape \\u0000 in a text", what);
    // The NUL that follows the text counts as the required terminator.
    *out = cJSON_ParseWithLengthOpts(text, size + 1, &end, true);
    if (*out == NULL)
        return rn_error(RN_EFORMAT, "%s: JSON syntax error at byte %zu", what,
                        end == NULL ? (size_t)0 : (size_t)(end - text));
    return RN_OK;
}

static rn_status refuse(cJSON **json, const char *what, const char *expected)
{
    cJSON_Delete(*json);
    *json = NULL;
    return rn_error(RN_EFORMAT, "%s: JSON is not %s", what, expected);
}

rn_status rn_json_parse(cJSON **out, const char *text, size_t size, const char *what)
{
    rn_status st = parse(out, text, size, what);

    return st != RN_OK || cJSON_IsObject(*out) ? st : refuse(out, what, "an object");
}

rn_status rn_json_parse_list(cJSON **out, const char *text, size_t size, const char *what)
{
    rn_status st = parse(out, text, size, what);

    return st != RN_OK || cJSON_IsArray(*out) ? st : refuse(out, what, "a list");
}

rn_status rn_json_double(const cJSON *object, const char *key, double low, double high,
                         double *value, const char *what)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (item == NULL)
        return RN_OK;
    if (!cJSON_IsNumber(item))
        return rn_error(RN_EFORMAT, "%s: '%s' is not a number", what, key);
    if (!(item->valuedouble >= low && item->valuedouble <= high))
        return rn_error(RN_EFORMAT, "%s: '%s' is %g, expected %g to %g", what, key,
                        item->valuedouble, low, high);
    *value = item->valuedouble;
    return RN_OK;
}

rn_status rn_json_int64(const cJSON *object, const char *key, int64_t low, int64_t high,
                        int64_t *value, const char *what)
{
    double number = (double)*value;
    rn_status st = rn_json_double(object, key, (double)low, (double)high, &number, what);

    if (st != RN_OK || cJSON_GetObjectItemCaseSensitive(object, key) == NULL)
        return st;
    if (number != floor(number) || fabs(number) > 0x1p53)
        return rn_error(RN_EFORMAT, "%s: '%s' is %g, expected a whole number", what, key, number);
    *value = (int64_t)number;
    return RN_OK;
}

rn_status rn_json_bool(const cJSON *object, const char *key, bool *value, const char *what)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (item == NULL)
        return RN_OK;
    if (!cJSON_IsBool(item))
        return rn_error(RN_EFORMAT, "%s: '%s' is not true or false", what, key);
    *value = cJSON_IsTrue(item);
    return RN_OK;
}

rn_status rn_json_text(const cJSON *object, const char *key, const char **value, const char *what)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (item == NULL)
        return RN_OK;
    if (!cJSON_IsString(item))
        return rn_error(RN_EFORMAT, "%s: '%s' is not a text", what, key);
    *value = item->valuestring;
    return RN_OK;
}

rn_status rn_json_known_keys(const cJSON *object, const char *const *keys, size_t count,
                             const char *what)
{
    const cJSON *item;
    char hint[RN_HINT_BYTES];

    cJSON_ArrayForEach(item, object)
    {
        size_t i = 0;
        while (i < count && strcmp(item->string, keys[i]) != 0)
            i++;
        // The readers take the first of two, and the writer of the second would wonder.
        if (cJSON_GetObjectItemCaseSensitive(object, item->string) != item)
            return rn_error(RN_EFORMAT, "%s: key '%s' stands twice", what, item->string);
        if (i < count)
            continue;
        return rn_error(RN_EFORMAT, "%s: unknown key '%s'%s", what, item->string,
                        rn_text_hint(hint, item->string, keys, count));
    }
    return RN_OK;
}

rn_status rn_json_print(char **out, const cJSON *json, bool indented)
{
    char *text = indented ? cJSON_Print(json) : cJSON_PrintUnformatted(json);

    *out = NULL;
    if (text == NULL)
        return rn_error(RN_ENOMEM, "out of memory: JSON cannot be printed");
    rn_status st = rn_strdup(out, text);
    cJSON_free(text);
    return st;
}
