// What a reproduction will take: steps times their measured time, evaluations, and the memory of
// what runs side by side.
#include "resnet/reproduce.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/inference.h"
#include "train/tta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double START_SECONDS = 2;        // of a process, data and first plan
static const double PROGRAM_BYTES = 60 << 20; // code, libraries, data ahead
static const double POINT_STEPS = 8;          // measured ones and those before them
static const double TEN_CROPS = 10;

static rn_status read_number(const cJSON *json, const char *key, double *value)
{
    static const char what[] = "measured step";

    *value = -1;
    rn_status st = rn_json_double(json, key, 0, 1e300, value, what);
    if (st == RN_OK && *value < 0)
        st = rn_error(RN_EFORMAT, "%s: '%s' is missing", what, key);
    return st;
}

rn_status rn_step_cost_parse(rn_step_cost *out, const char *json)
{
    rn_status st;
    cJSON *object = NULL;

    *out = (rn_step_cost){0};
    RN_TRY(rn_json_parse(&object, json, strlen(json), "measured step"));
    const cJSON *step = cJSON_GetObjectItemCaseSensitive(object, "step");
    if (!cJSON_IsObject(step)) {
        st = rn_error(RN_EFORMAT, "measured step: 'step' is missing");
        goto out;
    }
    RN_TRY(read_number(step, "median_seconds", &out->seconds));
    RN_TRY(read_number(object, "planned_bytes", &out->bytes));
out:
    cJSON_Delete(object);
    return st;
}

// Forward passes of one evaluation: of the test set and what is held out, each in every view.
static double evaluation_batches(const rn_reproduction *r, const rn_recipe *recipe)
{
    int views = 0;

    while (rn_tta_view_at(recipe->tta, views) != NULL)
        views++;
    return views * (ceil((double)r->settings.test_count / RN_EVALUATION_BATCH) +
                    ceil((double)recipe->hold_out / RN_EVALUATION_BATCH));
}

static double ten_crop_batches(const rn_reproduction *r)
{
    return r->target->ten_crops
               ? ceil(TEN_CROPS * (double)r->settings.test_count / RN_EVALUATION_BATCH)
               : 0;
}

double rn_run_seconds(const rn_reproduction *r, int run, const rn_run_cost *cost)
{
    const rn_scaled_run *scaled = &r->runs[run];

    if (r->target->cost)
        return START_SECONDS + POINT_STEPS * cost->training.seconds;
    return START_SECONDS + (double)scaled->iterations * cost->training.seconds +
           ((double)scaled->evaluations * evaluation_batches(r, &scaled->recipe) +
            ten_crop_batches(r)) *
               cost->inference.seconds;
}

rn_run_cost rn_run_cost_scaled(const rn_run_cost *cost, double multiply_adds, double wanted)
{
    double ratio = wanted / multiply_adds;

    return (rn_run_cost){{cost->training.seconds * ratio, cost->training.bytes * ratio},
                         {cost->inference.seconds * ratio, cost->inference.bytes * ratio}};
}

static double run_bytes(const rn_run_cost *cost)
{
    return cost->training.bytes + cost->inference.bytes + PROGRAM_BYTES;
}

static int first_free(const double *until, int abreast)
{
    int best = 0;

    for (int i = 1; i < abreast; i++)
        if (until[i] < until[best])
            best = i;
    return best;
}

// Memory: the largest jobs side by side, whichever they turn out to be.
static double most_bytes(const double *bytes, int jobs, int processes)
{
    double sum = 0;

    for (int i = 0; i < jobs; i++) {
        int larger = 0;
        for (int k = 0; k < jobs; k++)
            larger += bytes[k] > bytes[i] || (bytes[k] == bytes[i] && k < i);
        sum += larger < processes ? bytes[i] : 0;
    }
    return sum;
}

rn_status rn_reproduction_estimate(rn_estimate *out, const rn_reproduction *r,
                                   const rn_run_cost *costs, int processes, int abreast,
                                   const double *done)
{
    rn_status st;
    double *until = NULL, *bytes = NULL;

    *out = (rn_estimate){0};
    RN_TRY(RN_NEW(&until, (size_t)abreast));
    RN_TRY(RN_NEW(&bytes, (size_t)r->job_count));
    for (int i = 0; i < r->job_count; i++) {
        const double left = done != NULL ? 1 - done[i] : 1;
        if (left <= 0)
            continue;
        int run = r->jobs[i].run, slot = first_free(until, abreast);
        until[slot] += left * rn_run_seconds(r, run, &costs[run]);
        bytes[i] = run_bytes(&costs[run]);
        out->seconds = fmax(out->seconds, until[slot]);
    }
    out->bytes = most_bytes(bytes, r->job_count, processes);
out:
    rn_free(bytes);
    rn_free(until);
    return st;
}

static double unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    default:
        return 0;
    }
}

bool rn_duration_parse(const char *text, double *seconds)
{
    char part[32];
    double sum = 0, number;

    if (rn_text_double(text, 1e-3, 1e8, &number)) {
        *seconds = 60 * number;
        return true;
    }
    while (*text != '\0') {
        size_t digits = strspn(text, "0123456789.");
        if (digits == 0 || digits >= sizeof part)
            return false;
        memcpy(part, text, digits);
        part[digits] = '\0';
        double unit = unit_seconds(text[digits]);
        if (unit == 0 || !rn_text_double(part, 0, 1e8, &number))
            return false;
        sum += number * unit;
        text += digits + 1;
    }
    *seconds = sum;
    return sum > 0;
}
