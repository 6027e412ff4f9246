#include "train/progress.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "optim/schedule_state.h"

#include <math.h>
#include <string.h>

static const char what[] = "checkpoint state";

static rn_status add_last(cJSON *json, const rn_progress *progress)
{
    rn_status st = RN_OK;

    RN_TRY(rn_json_add_number(json, "last_count", (double)progress->last_count));
    RN_TRY(rn_json_add_number(json, "last_wrong", (double)progress->last_wrong));
    if (isfinite(progress->last_loss))
        RN_TRY(rn_json_add_number(json, "last_loss", progress->last_loss));
out:
    return st;
}

rn_status rn_progress_print(char **out, const rn_progress *progress)
{
    rn_status st = RN_OK;
    cJSON *json = NULL, *schedule = NULL;

    *out = NULL;
    RN_TRY(rn_json_object(&json));
    RN_TRY(rn_json_add_number(json, "iteration", (double)progress->iteration));
    RN_TRY(rn_json_add_number(json, "train_count", (double)progress->train_count));
    if (progress->data_sum >= 0)
        RN_TRY(rn_json_add_number(json, "data_sum", (double)progress->data_sum));
    if (progress->test_sum != RN_TEST_UNKNOWN)
        RN_TRY(rn_json_add_number(json, "test_sum", (double)progress->test_sum));
    RN_TRY(rn_json_add_number(json, "evaluate_every", progress->evaluate_every));
    RN_TRY(rn_json_add_number(json, "threads", progress->threads));
    RN_TRY(rn_json_add_number(json, "best_error", progress->best_error));
    RN_TRY(rn_json_add_number(json, "training_error", progress->training_error));
    RN_TRY(rn_json_add_number(json, "epoch_wrong", progress->epoch_wrong));
    RN_TRY(rn_json_add_number(json, "epoch_seen", progress->epoch_seen));
    RN_TRY(rn_json_add_number(json, "window_loss", progress->window_loss));
    RN_TRY(rn_json_add_number(json, "window_wrong", progress->window_wrong));
    RN_TRY(rn_json_add_number(json, "window_steps", (double)progress->window_steps));
    RN_TRY(add_last(json, progress));
    RN_TRY(rn_json_add_bool(json, "evaluation_due", progress->evaluation_due));
    RN_TRY(rn_json_object(&schedule));
    RN_TRY(rn_json_add_item(json, "schedule", schedule));
    RN_TRY(rn_schedule_state_to_json(schedule, &progress->schedule));
    RN_TRY(rn_json_print(out, json, false));
out:
    cJSON_Delete(json);
    return st;
}

static rn_status parse_counts(rn_progress *progress, const cJSON *json)
{
    rn_status st = RN_OK;
    int64_t iteration = -1, train_count = -1, threads = 0;

    RN_TRY(rn_json_int64(json, "iteration", 0, INT64_C(1) << 53, &iteration, what));
    RN_TRY(rn_json_int64(json, "train_count", 1, INT64_C(1) << 53, &train_count, what));
    RN_TRY(rn_json_int64(json, "threads", 1, 1024, &threads, what));
    if (iteration < 0 || train_count < 0 || threads < 1) {
        st = rn_error(RN_EFORMAT, "%s lacks 'iteration', 'train_count' or 'threads'", what);
        goto out;
    }
    progress->iteration = (uint64_t)iteration;
    progress->train_count = (uint64_t)train_count;
    progress->threads = (int)threads;
out:
    return st;
}

// Checkpoints of older versions may lack these, and those of the window.
static rn_status parse_setting(rn_progress *progress, const cJSON *json)
{
    rn_status st = RN_OK;

    progress->data_sum = -1;
    progress->test_sum = RN_TEST_UNKNOWN;
    RN_TRY(rn_json_int64(json, "data_sum", 0, UINT32_MAX, &progress->data_sum, what));
    RN_TRY(rn_json_int64(json, "test_sum", RN_TEST_NONE, UINT32_MAX, &progress->test_sum, what));
    RN_TRY(rn_json_double(json, "evaluate_every", 0, RN_EVALUATE_EVERY_MOST,
                          &progress->evaluate_every, what));
out:
    return st;
}

static rn_status parse_last(rn_progress *progress, const cJSON *json)
{
    rn_status st = RN_OK;

    progress->last_loss = NAN;
    RN_TRY(rn_json_int64(json, "last_count", 0, INT64_C(1) << 53, &progress->last_count, what));
    RN_TRY(rn_json_int64(json, "last_wrong", 0, progress->last_count, &progress->last_wrong, what));
    RN_TRY(rn_json_double(json, "last_loss", 0, 1e300, &progress->last_loss, what));
out:
    return st;
}

static rn_status parse_window(rn_progress *progress, const cJSON *json)
{
    rn_status st = RN_OK;
    int64_t steps = 0;

    RN_TRY(rn_json_double(json, "window_loss", 0, 1e300, &progress->window_loss, what));
    RN_TRY(rn_json_double(json, "window_wrong", 0, 1e15, &progress->window_wrong, what));
    RN_TRY(rn_json_int64(json, "window_steps", 0, INT64_C(1) << 53, &steps, what));
    progress->window_steps = (uint64_t)steps;
out:
    return st;
}

rn_status rn_progress_parse(rn_progress *progress, const char *text)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;

    *progress = (rn_progress){.best_error = 100, .training_error = -1};
    RN_TRY(rn_json_parse(&json, text, strlen(text), what));
    RN_TRY(parse_counts(progress, json));
    RN_TRY(parse_setting(progress, json));
    RN_TRY(rn_json_double(json, "best_error", 0, 100, &progress->best_error, what));
    RN_TRY(rn_json_double(json, "training_error", -1, 100, &progress->training_error, what));
    RN_TRY(rn_json_double(json, "epoch_wrong", 0, 1e15, &progress->epoch_wrong, what));
    RN_TRY(rn_json_double(json, "epoch_seen", 0, 1e15, &progress->epoch_seen, what));
    RN_TRY(parse_window(progress, json));
    RN_TRY(parse_last(progress, json));
    RN_TRY(rn_json_bool(json, "evaluation_due", &progress->evaluation_due, what));
    RN_TRY(rn_schedule_state_from_json(&progress->schedule,
                                       cJSON_GetObjectItemCaseSensitive(json, "schedule"), what));
out:
    cJSON_Delete(json);
    return st;
}
