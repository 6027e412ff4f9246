// report.json: what the report says, for programs: times in seconds, memory in bytes.
#include "reproduce/report_parts.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "resnet/report.h"

#include <math.h>
#include <string.h>

/** What a report is about. */
typedef struct subject {
    const rn_reproduction *reproduction;
    const rn_outcome *outcomes;
} subject;

static rn_status add_array(cJSON **out, cJSON *object, const char *key)
{
    *out = cJSON_CreateArray();
    return rn_json_add_item(object, key, *out);
}

// Append an empty object to an array.
static rn_status append_object(cJSON **out, cJSON *array)
{
    rn_status st = rn_json_object(out);

    return st == RN_OK ? rn_json_append(array, *out) : st;
}

static rn_status add_head(cJSON *json, const subject *s, const rn_report_counts *counts)
{
    rn_status st;
    const rn_reproduction *r = s->reproduction;

    RN_TRY(rn_json_add_text(json, "program", "resnet " RN_VERSION));
    RN_TRY(rn_json_add_text(json, "target", r->target->name));
    RN_TRY(rn_json_add_text(json, "title", r->target->title));
    RN_TRY(rn_json_add_number(json, "scale", r->settings.scale));
    RN_TRY(rn_json_add_number(json, "cost", rn_reproduction_cost(r)));
    RN_TRY(rn_json_add_bool(json, "comparable", rn_reproduction_is_comparable(r)));
    RN_TRY(rn_json_add_number(json, "jobs", counts->jobs));
    RN_TRY(rn_json_add_number(json, "done", counts->done));
    RN_TRY(rn_json_add_number(json, "failed", counts->failed));
out:
    return st;
}

static rn_status add_claim(cJSON *json, const subject *s, const rn_claim *claim)
{
    rn_status st;
    char text[RN_VERDICT_TEXT];
    const rn_verdict verdict = rn_claim_judge(text, claim, s->reproduction, s->outcomes);

    RN_TRY(rn_json_add_text(json, "text", claim->text));
    RN_TRY(rn_json_add_text(json, "metric", rn_metric_name(claim->metric)));
    RN_TRY(rn_json_add_text(json, "numbers", text));
    RN_TRY(rn_json_add_text(json, "verdict", rn_verdict_name(verdict)));
out:
    return st;
}

// The title without the unit that tables have, since numbers are in one of their own.
static rn_status add_metric(cJSON *json, rn_metric metric)
{
    rn_status st;
    const char *title = rn_metric_title(metric);
    char *text = NULL;

    RN_TRY(rn_format(&text, "%.*s", (int)strcspn(title, ","), title));
    RN_TRY(rn_json_add_text(json, "metric", rn_metric_name(metric)));
    RN_TRY(rn_json_add_text(json, "title", text));
    RN_TRY(rn_json_add_text(json, "unit", rn_metric_unit(metric)));
out:
    rn_free(text);
    return st;
}

// Of a metric that has results or was published.
static rn_status add_result(cJSON *array, const subject *s, int run, rn_metric metric)
{
    rn_status st;
    cJSON *json;
    const rn_statistics found = rn_outcome_statistics(s->outcomes, s->reproduction, run, metric);
    const rn_target_run *target_run = &s->reproduction->target->runs[run];
    const double published = target_run->published[metric];

    if (found.count == 0 && isnan(published))
        return RN_OK;
    RN_TRY(append_object(&json, array));
    RN_TRY(add_metric(json, metric));
    RN_TRY(rn_json_add_number(json, "runs", found.count));
    RN_TRY(rn_json_add_number(json, "mean", found.mean));
    RN_TRY(rn_json_add_number(json, "median",
                              rn_outcome_median(s->outcomes, s->reproduction, run, metric)));
    RN_TRY(rn_json_add_number(json, "deviation", found.count > 1 ? found.deviation : NAN));
    RN_TRY(rn_json_add_number(json, "paper", published));
    if (metric == target_run->published_first && !isnan(target_run->published_deviation))
        RN_TRY(rn_json_add_number(json, "paper_deviation", target_run->published_deviation));
out:
    return st;
}

static rn_status add_network(cJSON *json, const subject *s, int run)
{
    rn_status st;
    cJSON *results;
    const rn_target_run *target_run = &s->reproduction->target->runs[run];
    const rn_scaled_run *here = &s->reproduction->runs[run];

    RN_TRY(rn_json_add_text(json, "name", target_run->name));
    RN_TRY(rn_json_add_text(json, "model", here->model));
    RN_TRY(rn_json_add_number(json, "depth", here->depth));
    RN_TRY(rn_json_add_number(json, "forward_multiply_adds", here->multiply_adds));
    RN_TRY(rn_json_add_number(json, "iterations", (double)here->iterations));
    if (target_run->note != NULL)
        RN_TRY(rn_json_add_text(json, "paper_note", target_run->note));
    RN_TRY(add_array(&results, json, "results"));
    for (int m = 0; m < RN_METRICS; m++)
        RN_TRY(add_result(results, s, run, (rn_metric)m));
out:
    return st;
}

static rn_status add_job(cJSON *json, const subject *s, int job)
{
    rn_status st;
    const rn_outcome *outcome = &s->outcomes[job];
    const rn_job *entry = &s->reproduction->jobs[job];

    RN_TRY(rn_json_add_text(json, "name", entry->name));
    RN_TRY(rn_json_add_text(json, "network", s->reproduction->target->runs[entry->run].name));
    RN_TRY(rn_json_add_number(json, "seed", (double)entry->seed));
    RN_TRY(rn_json_add_text(json, "state", rn_report_state(outcome)));
    if (outcome->message != NULL)
        RN_TRY(rn_json_add_text(json, "message", outcome->message));
    for (int m = 0; m < RN_METRICS; m++)
        if (!isnan(outcome->value[m]))
            RN_TRY(rn_json_add_number(json, rn_metric_name((rn_metric)m), outcome->value[m]));
out:
    return st;
}

static rn_status add_lists(cJSON *json, const subject *s)
{
    rn_status st;
    const rn_reproduction *r = s->reproduction;
    cJSON *array, *item;

    RN_TRY(add_array(&array, json, "claims"));
    for (int i = 0; i < r->target->claim_count; i++) {
        RN_TRY(append_object(&item, array));
        RN_TRY(add_claim(item, s, &r->target->claims[i]));
    }
    RN_TRY(add_array(&array, json, "networks"));
    for (int i = 0; i < r->target->run_count; i++) {
        RN_TRY(append_object(&item, array));
        RN_TRY(add_network(item, s, i));
    }
    RN_TRY(add_array(&array, json, "runs"));
    for (int i = 0; i < r->job_count; i++) {
        RN_TRY(append_object(&item, array));
        RN_TRY(add_job(item, s, i));
    }
out:
    return st;
}

rn_status rn_report_json(const rn_report_counts *counts, const rn_reproduction *r,
                         const rn_outcome *outcomes, const char *folder)
{
    rn_status st;
    cJSON *json = NULL;
    char *printed = NULL, *text = NULL;
    const subject s = {r, outcomes};

    RN_TRY(rn_json_object(&json));
    RN_TRY(add_head(json, &s, counts));
    RN_TRY(add_lists(json, &s));
    RN_TRY(rn_json_print(&printed, json, true));
    RN_TRY(rn_format(&text, "%s\n", printed));
    RN_TRY(rn_run_folder_write(folder, "report.json", text));
out:
    rn_free(text);
    rn_free(printed);
    cJSON_Delete(json);
    return st;
}
