// A target's claims: which run is below, above or near which, and what is linear in depth.
#include "reproduce/target_parse.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static const char *const relations[] = {
    [RN_CLAIM_BELOW] = "below",
    [RN_CLAIM_ABOVE] = "above",
    [RN_CLAIM_NEAR] = "near",
    [RN_CLAIM_LINEAR] = "linear",
};

enum { RELATIONS = sizeof relations / sizeof *relations };

// The one key that says what is claimed.
static rn_status find_relation(rn_claim *claim, const cJSON **value, const cJSON *object,
                               const char *what)
{
    int found = 0;

    for (int i = 0; i < RELATIONS; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, relations[i]);
        if (item == NULL)
            continue;
        claim->kind = (rn_claim_kind)i;
        *value = item;
        found++;
    }
    if (found != 1)
        return rn_error(RN_EFORMAT, "%s: %d of below, above, near and linear, expected one", what,
                        found);
    return RN_OK;
}

// A run's name, or a number.
static rn_status read_other(rn_claim *claim, const rn_target *target, const cJSON *value,
                            const char *what)
{
    claim->than = -1;
    claim->value = NAN;
    if (cJSON_IsString(value))
        return rn_target_find_run(&claim->than, target, value->valuestring, what);
    if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
        return rn_error(RN_EFORMAT, "%s: '%s' is neither a run's name nor a number", what,
                        value->string);
    claim->value = value->valuedouble;
    return RN_OK;
}

static rn_status read_comparison(rn_claim *claim, const rn_target *target, const cJSON *object,
                                 const cJSON *value)
{
    rn_status st;
    const char *of = NULL, *what = claim->text;

    RN_TRY(rn_target_text(object, "of", &of, what));
    RN_TRY(rn_target_find_run(&claim->of, target, of, what));
    RN_TRY(read_other(claim, target, value, what));
    if (claim->than == claim->of)
        st = rn_error(RN_EFORMAT, "%s: '%s' is compared with itself", what, of);
out:
    return st;
}

static rn_status check_new(const rn_claim *claim, const char *name, const char *what)
{
    for (int i = 0; i < claim->run_count; i++)
        if (claim->runs[i] == claim->runs[claim->run_count])
            return rn_error(RN_EFORMAT, "%s: '%s' stands twice in 'linear'", what, name);
    return RN_OK;
}

static rn_status read_line(rn_claim *claim, const rn_target *target, const cJSON *object,
                           const cJSON *value)
{
    rn_status st;
    const char *what = claim->text;
    const cJSON *item;
    int count = cJSON_GetArraySize(value);

    if (cJSON_GetObjectItemCaseSensitive(object, "of") != NULL)
        return rn_error(RN_EFORMAT, "%s: 'of' has no meaning beside 'linear'", what);
    if (!cJSON_IsArray(value) || count < 3)
        return rn_error(RN_EFORMAT, "%s: 'linear' is not an array of 3 runs or more", what);
    RN_TRY(RN_NEW(&claim->runs, (size_t)count));
    cJSON_ArrayForEach(item, value)
    {
        if (!cJSON_IsString(item)) {
            st = rn_error(RN_EFORMAT, "%s: linear[%d] is not a run's name", what, claim->run_count);
            goto out;
        }
        RN_TRY(rn_target_find_run(&claim->runs[claim->run_count], target, item->valuestring, what));
        RN_TRY(check_new(claim, item->valuestring, what));
        claim->run_count++;
    }
    claim->of = claim->runs[0];
    claim->than = -1;
out:
    return st;
}

static rn_status read_claim(rn_target *target, const cJSON *object, const char *what)
{
    static const char *const keys[] = {"text",  "metric", "of",     "below",
                                       "above", "near",   "linear", "margin"};
    rn_status st;
    rn_claim *claim = &target->claims[target->claim_count++];
    const char *metric = NULL, *text = NULL;
    const cJSON *value = NULL;

    RN_TRY(rn_json_known_keys(object, keys, sizeof keys / sizeof *keys, what));
    RN_TRY(rn_target_text(object, "text", &text, what));
    RN_TRY(rn_target_text(object, "metric", &metric, what));
    RN_TRY(rn_target_metric(&claim->metric, metric, what));
    RN_TRY(rn_target_check_metric(target, claim->metric, what));
    RN_TRY(rn_json_double(object, "margin", 0, 1e300, &claim->margin, what));
    RN_TRY(find_relation(claim, &value, object, what));
    claim->text = what; // names the place meanwhile
    RN_TRY(claim->kind == RN_CLAIM_LINEAR ? read_line(claim, target, object, value)
                                          : read_comparison(claim, target, object, value));
    claim->text = text;
out:
    return st;
}

rn_status rn_target_read_claims(rn_target *target, const char *what)
{
    rn_status st;
    const cJSON *array, *item;
    char place[TARGET_WHAT];

    RN_TRY(rn_target_array(&array, target->json, "claims", what));
    if (array == NULL)
        return RN_OK;
    RN_TRY(RN_NEW(&target->claims, (size_t)cJSON_GetArraySize(array)));
    cJSON_ArrayForEach(item, array)
    {
        rn_target_place(place, what, "claims", target->claim_count);
        RN_TRY(read_claim(target, item, place));
    }
out:
    return st;
}
