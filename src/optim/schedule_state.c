#include "optim/schedule_state.h"

#include "base/json.h"
#include "base/json_write.h"

#include <limits.h>

static const char *const keys[] = {"released", "released_at", "reductions",
                                   "waited",   "best",        "evaluations"};

enum { KEYS = sizeof keys / sizeof *keys };

rn_status rn_schedule_state_to_json(cJSON *object, const rn_schedule_state *state)
{
    rn_status st = RN_OK;

    RN_TRY(rn_json_add_bool(object, "released", state->released));
    RN_TRY(rn_json_add_number(object, "released_at", (double)state->released_at));
    RN_TRY(rn_json_add_number(object, "reductions", state->reductions));
    RN_TRY(rn_json_add_number(object, "waited", state->waited));
    RN_TRY(rn_json_add_number(object, "best", state->best));
    RN_TRY(rn_json_add_number(object, "evaluations", state->evaluations));
out:
    return st;
}

static rn_status read_count(const cJSON *object, const char *key, int *value, const char *what)
{
    int64_t number = 0;
    rn_status st = rn_json_int64(object, key, 0, INT_MAX, &number, what);

    *value = (int)number;
    return st;
}

rn_status rn_schedule_state_from_json(rn_schedule_state *state, const cJSON *object,
                                      const char *what)
{
    rn_status st = RN_OK;
    rn_schedule_state read = {0};
    int64_t released_at = 0;

    for (int i = 0; i < KEYS; i++) {
        if (cJSON_GetObjectItemCaseSensitive(object, keys[i]) == NULL)
            return rn_error(RN_EFORMAT, "%s: '%s' is missing", what, keys[i]);
    }
    RN_TRY(rn_json_bool(object, "released", &read.released, what));
    RN_TRY(rn_json_int64(object, "released_at", 0, INT64_C(1) << 53, &released_at, what));
    RN_TRY(read_count(object, "reductions", &read.reductions, what));
    RN_TRY(read_count(object, "waited", &read.waited, what));
    RN_TRY(rn_json_double(object, "best", 0, 100, &read.best, what));
    RN_TRY(read_count(object, "evaluations", &read.evaluations, what));
    read.released_at = (uint64_t)released_at;
    *state = read;
out:
    return st;
}
