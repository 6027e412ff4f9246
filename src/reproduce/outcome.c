// Run folders and measured points as results.
#include "reproduce/outcome.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "resnet/report.h"
#include "resnet/store.h"

#include <dirent.h>
#include <fnmatch.h>
#include <math.h>
#include <string.h>

enum { KERNEL = 3, LARGEST_ERRORS = 1 << 20 };

void rn_outcome_release(rn_outcome *outcome)
{
    rn_free(outcome->message);
    rn_free(outcome->machine);
    rn_free(outcome->left_out);
    rn_free(outcome->responses);
    rn_history_free(outcome->history);
    *outcome = (rn_outcome){0};
}

bool rn_outcome_is_trained(const rn_outcome *outcome)
{
    return outcome->state == RN_JOB_DONE || outcome->state == RN_JOB_RESPONSES ||
           outcome->state == RN_JOB_TEN_CROPS;
}

// Training

// Each line is the mean over the steps since the one before; of these, those in the last epoch
// count.
static void read_training_means(rn_outcome *out, const rn_scaled_run *run)
{
    const rn_history *history = out->history;
    double epoch = (double)run->images / run->recipe.batch;
    const double begin = (double)history->iterations - epoch; // of the last epoch
    double error = 0, loss = 0, steps = 0;
    int64_t before = 0;

    for (size_t i = 0; i < history->step_count; i++) {
        const rn_history_step *step = &history->steps[i];
        const double weight = (double)step->iteration - fmax((double)before, begin);
        before = step->iteration;
        if (weight <= 0)
            continue;
        error += weight * step->error;
        loss += weight * step->loss;
        steps += weight;
    }
    if (steps == 0 || before != history->iterations)
        return;
    out->value[RN_METRIC_TRAIN_ERROR] = error / steps;
    out->value[RN_METRIC_TRAIN_LOSS] = loss / steps;
}

static void read_evaluations(rn_outcome *out)
{
    const rn_history *history = out->history;

    for (size_t i = 0; i < history->evaluation_count; i++) {
        const rn_history_evaluation *evaluation = &history->evaluations[i];
        if (strncmp(evaluation->set, "test", 4) != 0)
            continue;
        out->value[RN_METRIC_BEST_TEST_ERROR] =
            fmin(out->value[RN_METRIC_BEST_TEST_ERROR], evaluation->error);
        if (evaluation->iteration != history->iterations)
            continue;
        out->value[RN_METRIC_TEST_ERROR] = evaluation->error;
        out->value[RN_METRIC_TEST_LOSS] = evaluation->loss;
    }
}

// A file that is damaged or cannot be read is as good as none, but that is said.
static rn_status say_damage(rn_outcome *out, rn_status st)
{
    if (st == RN_OK || st == RN_ENOMEM)
        return st;
    out->failed = true;
    return rn_strdup(&out->message, rn_error_message());
}

static rn_status parse_responses(rn_outcome *out, const char *text, const char *what)
{
    rn_status st;
    cJSON *json = NULL;
    const cJSON *item;
    double sum = 0;

    RN_TRY(rn_json_parse(&json, text, strlen(text), what));
    const cJSON *layers = cJSON_GetObjectItemCaseSensitive(json, "layers");
    RN_TRY(RN_NEW(&out->responses, (size_t)cJSON_GetArraySize(layers)));
    cJSON_ArrayForEach(item, layers)
    {
        int64_t kernel = 0;
        double deviation = NAN;
        RN_TRY(rn_json_int64(item, "kernel", 0, 1024, &kernel, what));
        RN_TRY(rn_json_double(item, "std", 0, 1e300, &deviation, what));
        if (kernel != KERNEL || isnan(deviation))
            continue;
        out->responses[out->response_count++] = deviation;
        sum += deviation;
    }
    if (out->response_count > 0)
        out->value[RN_METRIC_RESPONSE] = sum / out->response_count;
    else
        st = rn_error(RN_EFORMAT, "%s has no 3x3 layer with 'kernel' and 'std'", what);
out:
    if (st != RN_OK)
        out->response_count = 0;
    cJSON_Delete(json);
    return st;
}

static rn_status parse_ten_crops(rn_outcome *out, const char *text, const char *what)
{
    rn_status st;
    cJSON *json = NULL;
    double *error = &out->value[RN_METRIC_TEN_CROP_ERROR];

    RN_TRY(rn_json_parse(&json, text, strlen(text), what));
    RN_TRY(rn_json_double(json, "error", 0, 100, error, what));
    if (isnan(*error))
        st = rn_error(RN_EFORMAT, "%s: 'error' is missing", what);
out:
    cJSON_Delete(json);
    return st;
}

/** What is done after a training: the file that it leaves in the run's folder, and its metric. */
typedef struct sequel {
    const char *file;
    rn_job_state state; // until the file is there
    rn_metric metric;   // NaN then
    rn_status (*parse)(rn_outcome *out, const char *text, const char *what);
} sequel;

static const sequel responses = {"responses.json", RN_JOB_RESPONSES, RN_METRIC_RESPONSE,
                                 parse_responses},
                    ten_crops = {RN_TEN_CROPS_FILE, RN_JOB_TEN_CROPS, RN_METRIC_TEN_CROP_ERROR,
                                 parse_ten_crops};

// RN_OK also where the file is not there or damaged.
static rn_status read_sequel(rn_outcome *out, const sequel *after, const char *run)
{
    rn_status st;
    char *text = NULL, *what = NULL;

    RN_TRY(rn_format(&what, "'%s/%s'", run, after->file));
    st = rn_run_folder_read(&text, run, after->file);
    if (st == RN_OK)
        st = after->parse(out, text, what);
    st = st == RN_ENOTFOUND ? RN_OK : say_damage(out, st);
out:
    rn_free(what);
    rn_text_free(text);
    return st;
}

// Of what a process wrote on standard error.
static rn_status read_error(char **out, const char *run)
{
    rn_status st;
    char *path = NULL, *text = NULL;
    size_t size;
    bool error;

    RN_TRY(rn_format(&path, "%s.err", run));
    st = rn_file_read(&text, &size, path, LARGEST_ERRORS);
    if (st != RN_OK) { // there was none
        st = st == RN_ENOMEM ? st : RN_OK;
        goto out;
    }
    const char *line = rn_run_last_line(&error, text);
    if (error) // else a note or a warning
        RN_TRY(rn_strdup(out, line));
out:
    rn_free(text);
    rn_free(path);
    return st;
}

static bool is_divergence(const rn_history *history)
{
    return history->state == RN_HISTORY_FAILED && strstr(history->message, "not finite") != NULL;
}

static rn_status settle_unfinished(rn_outcome *out, const char *run)
{
    rn_status st;
    const rn_history *history = out->history;

    out->state = is_divergence(history) ? RN_JOB_DIVERGED : RN_JOB_PARTIAL;
    st = history->state == RN_HISTORY_FAILED ? rn_strdup(&out->message, history->message)
                                             : read_error(&out->message, run);
    out->failed = out->message != NULL;
    return st;
}

// What stands in the log before the last iteration is no result of the run.
static rn_status check_results(rn_outcome *out, const char *run)
{
    const double *value = out->value;
    const char *missing = isnan(value[RN_METRIC_TEST_ERROR])    ? "evaluation of the test set"
                          : isnan(value[RN_METRIC_TRAIN_ERROR]) ? "training error"
                                                                : NULL;

    if (missing == NULL)
        return RN_OK;
    for (int i = 0; i < RN_METRICS; i++)
        out->value[i] = NAN;
    out->state = RN_JOB_PARTIAL;
    out->failed = true;
    return rn_format(&out->message, "'%s/log.jsonl' has no %s after the last iteration, %lld", run,
                     missing, (long long)out->history->iterations);
}

static rn_status settle_sequel(rn_outcome *out, const sequel *after, const char *run)
{
    rn_status st;

    RN_TRY(read_sequel(out, after, run));
    if (!isnan(out->value[after->metric]))
        return RN_OK;
    out->state = after->state;
    if (out->message == NULL)
        RN_TRY(read_error(&out->message, run));
    out->failed = out->message != NULL;
out:
    return st;
}

static rn_status settle_finished(rn_outcome *out, const rn_reproduction *r, int job,
                                 const char *run)
{
    rn_status st = RN_OK;

    out->state = RN_JOB_DONE;
    read_evaluations(out);
    read_training_means(out, &r->runs[r->jobs[job].run]);
    RN_TRY(check_results(out, run));
    if (out->state == RN_JOB_DONE && r->target->responses)
        RN_TRY(settle_sequel(out, &responses, run));
    if (out->state == RN_JOB_DONE && r->target->ten_crops)
        RN_TRY(settle_sequel(out, &ten_crops, run));
out:
    return st;
}

static bool holds_weights(const char *run)
{
    DIR *directory = opendir(run);
    bool found = false;

    if (directory == NULL)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(directory)) != NULL;)
        found = fnmatch("*.safetensors", entry->d_name, 0) == 0;
    closedir(directory);
    return found;
}

// Without a log: new if it holds nothing but what a kill left of a beginning, else to be resumed.
static rn_status settle_unreadable(rn_outcome *out, rn_status why, const char *run)
{
    rn_status st;
    const bool none = why == RN_ENOTFOUND || why == RN_EFORMAT;

    if (why == RN_ENOMEM)
        return why;
    if (none && !holds_weights(run)) {
        out->state = RN_JOB_NEW;
        st = read_error(&out->message, run);
    } else {
        out->state = RN_JOB_PARTIAL;
        st = rn_strdup(&out->message, rn_error_message());
    }
    out->failed = out->message != NULL;
    return st;
}

static rn_status read_run(rn_outcome *out, const rn_reproduction *r, int job, const char *run)
{
    rn_status st = rn_history_read(&out->history, run);

    if (st != RN_OK)
        return settle_unreadable(out, st, run);
    return out->history->state == RN_HISTORY_DONE ? settle_finished(out, r, job, run)
                                                  : settle_unfinished(out, run);
}

// Points

// What `resnet bench` says of where it ran.
static rn_status read_machine(char **out, const cJSON *json)
{
    rn_status st;
    const char *processor = "unknown processor", *engine = "unknown engine";
    int64_t threads = 1;

    RN_TRY(rn_json_text(json, "processor", &processor, "measured step"));
    RN_TRY(rn_json_text(json, "engine_description", &engine, "measured step"));
    RN_TRY(rn_json_int64(json, "threads", 1, 1024, &threads, "measured step"));
    RN_TRY(rn_format(out, "%s; %d thread%s; %s", processor, (int)threads, threads == 1 ? "" : "s",
                     engine));
out:
    return st;
}

static rn_status parse_point(rn_outcome *out, const rn_reproduction *r, int job, const char *text)
{
    rn_status st;
    cJSON *json = NULL;
    const char *left_out = NULL;
    rn_step_cost cost;
    double fastest = NAN;
    const rn_scaled_run *run = &r->runs[r->jobs[job].run];

    RN_TRY(rn_json_parse(&json, text, strlen(text), "measured step"));
    RN_TRY(rn_json_text(json, "left_out", &left_out, "measured step"));
    if (left_out != NULL) {
        RN_TRY(rn_strdup(&out->left_out, left_out));
        out->state = RN_JOB_LEFT_OUT;
        goto out;
    }
    RN_TRY(rn_step_cost_parse(&cost, text));
    RN_TRY(rn_json_double(cJSON_GetObjectItemCaseSensitive(json, "step"), "best_seconds", 0, 1e300,
                          &fastest, "measured step"));
    out->state = RN_JOB_DONE;
    RN_TRY(read_machine(&out->machine, json));
    out->value[RN_METRIC_STEP_SECONDS] = isnan(fastest) ? cost.seconds : fastest;
    out->value[RN_METRIC_STEP_BYTES] = cost.bytes;
    out->value[RN_METRIC_MULTIPLY_ADDS] = 3 * run->multiply_adds * r->settings.batch;
out:
    cJSON_Delete(json);
    return st;
}

static rn_status read_point(rn_outcome *out, const rn_reproduction *r, int job, const char *folder)
{
    rn_status st;
    char *points = NULL, *file = NULL, *text = NULL, *run = NULL;

    RN_TRY(rn_format(&points, "%s/points", folder));
    RN_TRY(rn_format(&run, "%s/%s", points, r->jobs[job].name));
    RN_TRY(rn_format(&file, "%s.json", r->jobs[job].name));
    st = rn_run_folder_read(&text, points, file);
    if (st == RN_ENOTFOUND) {
        RN_TRY(read_error(&out->message, run));
        out->failed = out->message != NULL;
        goto out;
    }
    if (st == RN_OK)
        st = parse_point(out, r, job, text);
    st = say_damage(out, st);
out:
    rn_free(run);
    rn_free(points);
    rn_free(file);
    rn_text_free(text);
    return st;
}

rn_status rn_outcome_read(rn_outcome *out, const rn_reproduction *r, int job, const char *folder)
{
    rn_status st;
    char *run = NULL;

    *out = (rn_outcome){0};
    for (int i = 0; i < RN_METRICS; i++)
        out->value[i] = NAN;
    RN_TRY(rn_format(&run, "%s/runs/%s", folder, r->jobs[job].name));
    st = r->target->cost ? read_point(out, r, job, folder) : read_run(out, r, job, run);
out:
    rn_free(run);
    if (st != RN_OK)
        rn_outcome_release(out);
    return st;
}

rn_status rn_job_find(rn_job_state *state, const rn_reproduction *r, int job, const char *folder)
{
    rn_outcome outcome;
    rn_status st = rn_outcome_read(&outcome, r, job, folder);

    *state = outcome.state;
    rn_outcome_release(&outcome);
    return st;
}

static double share_of(const rn_outcome *outcome)
{
    const rn_history *history = outcome->history;

    if (outcome->state != RN_JOB_NEW && outcome->state != RN_JOB_PARTIAL)
        return 1;
    if (history == NULL || history->iterations <= 0)
        return 0;
    return fmin(1, (double)history->iteration / (double)history->iterations);
}

rn_status rn_job_share(double *share, const rn_reproduction *r, int job, const char *folder)
{
    rn_outcome outcome;
    rn_status st = rn_outcome_read(&outcome, r, job, folder);

    *share = share_of(&outcome);
    rn_outcome_release(&outcome);
    return st;
}

rn_status rn_outcomes_read(rn_outcome **out, const rn_reproduction *r, const char *folder)
{
    rn_status st;
    rn_outcome *outcomes = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&outcomes, (size_t)r->job_count));
    for (int i = 0; i < r->job_count; i++)
        RN_TRY(rn_outcome_read(&outcomes[i], r, i, folder));
    *out = outcomes;
    outcomes = NULL; // now the caller's
out:
    rn_outcomes_free(outcomes, r);
    return st;
}

void rn_outcomes_free(rn_outcome *outcomes, const rn_reproduction *r)
{
    for (int i = 0; outcomes != NULL && i < r->job_count; i++)
        rn_outcome_release(&outcomes[i]);
    rn_free(outcomes);
}
