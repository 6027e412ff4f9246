// What was scaled, what deviates, what ran.
#include "reproduce/report_parts.h"

#include "base/json.h"
#include "base/memory.h"
#include "resnet/report.h"
#include "resnet/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void row(doc *d, const char *what, const char *target, const char *here)
{
    doc_add(d, DOC_ROW, "%s", what);
    doc_cell(d, "%s", target);
    doc_cell(d, "%s", here);
}

static void factor_row(doc *d, const char *what, double asked, double here)
{
    doc_add(d, DOC_ROW, "%s", what);
    doc_cell(d, "%.4g", asked);
    doc_cell(d, "%.4g", here);
}

static void scaling_row(doc *d, const rn_reproduction *r, int run)
{
    const rn_target_run *published = &r->target->runs[run];
    const rn_scaled_run *here = &r->runs[run];

    doc_add(d, DOC_ROW, "%s", published->name);
    doc_cell(d, "%s", published->model);
    doc_cell(d, "%s", here->model);
    doc_cell(d, "%.4g", here->whole.multiply_adds / 1e6);
    doc_cell(d, "%.4g", here->multiply_adds / 1e6);
    if (r->target->cost)
        return;
    doc_cell(d, "%llu", (unsigned long long)here->whole.iterations);
    doc_cell(d, "%llu", (unsigned long long)here->iterations);
    doc_cell(d, "%s", published->recipe);
    doc_cell(d, "%llu", (unsigned long long)here->evaluations);
}

// What came of a factor, over all networks: units and channels are whole numbers.
static double factor_here(const rn_reproduction *r, rn_scale_kind kind)
{
    double here = 0, whole = 0;

    for (int i = 0; i < r->target->run_count; i++) {
        const rn_scaled_run *run = &r->runs[i];
        const double ours[RN_SCALES] = {(double)run->iterations, (double)run->images, run->units,
                                        run->channels};
        const double all[RN_SCALES] = {(double)run->whole.iterations, (double)run->whole.images,
                                       run->whole.units, run->whole.channels};
        here += ours[kind];
        whole += all[kind];
    }
    return whole > 0 ? here / whole : 1;
}

// Fewer pictures have fewer iterations, too.
static double factor_asked(const rn_reproduction *r, rn_scale_kind kind)
{
    return r->factor[kind] * (kind == RN_SCALE_ITERATIONS ? r->factor[RN_SCALE_DATA] : 1);
}

static void add_factors(doc *d, const rn_reproduction *r)
{
    doc_add(d, DOC_HEAD, "%s", "share of the target's");
    doc_cell(d, "asked for");
    doc_cell(d, "here");
    factor_row(d, r->target->cost ? "multiply-adds" : "cost: iterations x multiply-adds",
               r->settings.scale, rn_reproduction_cost(r));
    for (int i = r->target->cost ? RN_SCALE_DEPTH : 0; i < RN_SCALES; i++)
        factor_row(d, rn_scale_name((rn_scale_kind)i), factor_asked(r, (rn_scale_kind)i),
                   factor_here(r, (rn_scale_kind)i));
}

static void add_conditions(doc *d, const rn_reproduction *r)
{
    const char *needs = r->target->needs, *found = r->settings.data_name;

    if (r->settings.budget == NULL && found == NULL)
        return;
    doc_add(d, DOC_HEAD, "%s", "");
    doc_cell(d, "in the target");
    doc_cell(d, "here");
    if (r->settings.budget != NULL)
        row(d, "time that chose the scale", "none", r->settings.budget);
    if (found != NULL)
        row(d, "data", needs != NULL ? needs : "any", found);
}

void rn_report_scaling(doc *d, const rn_reproduction *r)
{
    doc_add(d, DOC_HEADING, "What was scaled");
    if (r->settings.scale == 1)
        doc_add(d, DOC_TEXT, "Nothing: networks and lengths are the target's.");
    else
        add_factors(d, r);
    add_conditions(d, r);
    doc_add(d, DOC_HEAD, "network");
    doc_cell(d, "model of the target");
    doc_cell(d, "model here");
    doc_cell(d, "multiply-adds of the target, 10^6");
    doc_cell(d, "multiply-adds here, 10^6");
    if (!r->target->cost) {
        doc_cell(d, "iterations of the target");
        doc_cell(d, "iterations here");
        doc_cell(d, "recipe");
        doc_cell(d, "evaluations");
    }
    for (int i = 0; i < r->target->run_count; i++)
        scaling_row(d, r, i);
}

static void add_scale_items(doc *d, const rn_reproduction *r)
{
    const double cost = rn_reproduction_cost(r);

    if (r->target->cost)
        doc_add(d, DOC_ITEM, "Scaled to %.3g of the target's multiply-adds, see above.", cost);
    else
        doc_add(d, DOC_ITEM,
                "Scaled to %.3g of the target's cost, see above; %smilestones of the learning rate "
                "and warm-ups in steps are scaled with the iterations, the patience of plateaus "
                "with the evaluations, and nothing else.",
                cost,
                r->factor[RN_SCALE_DATA] < 1 ? "there are fewer training pictures, drawn class by "
                                               "class, and fewer iterations with them; "
                                             : "");
    for (int i = 0; i < r->target->run_count && !r->target->cost; i++) {
        const rn_schedule *schedule = &r->runs[i].recipe.schedule;
        if (schedule->until_error > 0)
            doc_add(d, DOC_ITEM,
                    "Not scaled: the warm-up of %s, at %g until its training error is below %g %%.",
                    r->target->runs[i].name, schedule->until_lr, schedule->until_error);
        if (r->runs[i].recipe.sgd.ema > 0)
            doc_add(d, DOC_ITEM, "Not scaled: the averaging of the weights of %s, with decay %g.",
                    r->target->runs[i].name, r->runs[i].recipe.sgd.ema);
    }
}

void rn_report_deviations(doc *d, const rn_reproduction *r)
{
    const rn_reproduce_settings *settings = &r->settings;
    const char *needs = r->target->needs;
    size_t before;

    doc_add(d, DOC_HEADING, "Deviations from the paper");
    before = d->count;
    if (!rn_reproduction_has_its_data(r))
        doc_add(d, DOC_ITEM, "The data are %s, not %s: no number can be compared with the paper's.",
                settings->data_name, needs);
    if (settings->scale < 1)
        add_scale_items(d, r);
    if (!r->target->cost && settings->seeds < r->target->seeds)
        doc_add(d, DOC_ITEM, "%d of %d runs of each network.", settings->seeds, r->target->seeds);
    if (r->target->cost && settings->batch != r->target->batch)
        doc_add(d, DOC_ITEM, "Batch %d instead of %d.", settings->batch, r->target->batch);
    for (int i = 0; i < r->target->deviation_count; i++)
        doc_add(d, DOC_ITEM, "%s", r->target->deviations[i]);
    if (d->count == before)
        doc_add(d, DOC_TEXT, "None that is known.");
}

const char *rn_report_state(const rn_outcome *outcome)
{
    switch (outcome->state) {
    case RN_JOB_DONE:
        return "done";
    case RN_JOB_LEFT_OUT:
        return "left out";
    case RN_JOB_DIVERGED:
        return "diverged";
    case RN_JOB_RESPONSES:
    case RN_JOB_TEN_CROPS:
    case RN_JOB_PARTIAL:
        return outcome->failed ? "failed" : "begun";
    default:
        return outcome->failed ? "failed" : "not begun";
    }
}

static void number_cell(doc *d, double value)
{
    if (isnan(value))
        doc_cell(d, "%s", "");
    else
        doc_cell(d, "%.4g", value);
}

static void add_job(doc *d, const rn_reproduction *r, int job, const rn_outcome *outcome)
{
    rn_metric first = r->target->cost ? RN_METRIC_STEP_SECONDS : RN_METRIC_TEST_ERROR;
    int metrics = r->target->cost ? RN_METRICS - RN_METRIC_STEP_SECONDS : RN_METRIC_RESPONSE;

    doc_add(d, DOC_ROW, "%s", r->jobs[job].name);
    doc_cell(d, "%s", rn_report_state(outcome));
    for (int m = 0; m < metrics; m++)
        number_cell(d,
                    rn_metric_shown((rn_metric)((int)first + m), outcome->value[(int)first + m]));
    doc_cell(d, "%s",
             outcome->message != NULL    ? outcome->message
             : outcome->left_out != NULL ? outcome->left_out
                                         : "");
}

void rn_report_jobs(doc *d, const rn_reproduction *r, const rn_outcome *outcomes)
{
    rn_metric first = r->target->cost ? RN_METRIC_STEP_SECONDS : RN_METRIC_TEST_ERROR;
    int metrics = r->target->cost ? RN_METRICS - RN_METRIC_STEP_SECONDS : RN_METRIC_RESPONSE;

    doc_add(d, DOC_HEADING, r->target->cost ? "Measurements" : "Runs");
    doc_add(d, DOC_HEAD, "name");
    doc_cell(d, "state");
    for (int m = 0; m < metrics; m++)
        doc_cell(d, "%s", rn_metric_title((rn_metric)((int)first + m)));
    doc_cell(d, "remark");
    for (int i = 0; i < r->job_count; i++)
        add_job(d, r, i, &outcomes[i]);
}

static void add_command(doc *d, const rn_words *words)
{
    char *text = NULL;
    rn_status st = rn_words_text(&text, words);

    if (d->status == RN_OK)
        d->status = st;
    doc_add(d, DOC_CODE, "%s", text != NULL ? text : "");
    rn_text_free(text);
}

static rn_status add_job_command(doc *d, const rn_reproduction *r, int job, rn_job_state state)
{
    rn_words words;
    rn_status st = rn_job_command(&words, r, job, state);

    if (st == RN_OK)
        add_command(d, &words);
    rn_words_release(&words);
    return st;
}

// The folder's place is not part of them: they are run where the report lies.
void rn_report_commands(doc *d, const rn_reproduction *r)
{
    rn_status st = RN_OK;

    doc_add(d, DOC_HEADING, "Commands");
    doc_add(d, DOC_TEXT,
            r->target->cost
                ? "To be run anywhere."
                : "To be run in the folder of this "
                  "report; 'resnet train --resume RUN' goes on with one that was stopped.");
    for (int i = 0; i < r->job_count && st == RN_OK; i++) {
        if (r->target->cost && r->jobs[i].seed > 1)
            break; // the same again
        st = add_job_command(d, r, i, RN_JOB_NEW);
        if (st == RN_OK && r->target->responses)
            st = add_job_command(d, r, i, RN_JOB_RESPONSES);
        if (st == RN_OK && r->target->ten_crops)
            st = add_job_command(d, r, i, RN_JOB_TEN_CROPS);
    }
    if (d->status == RN_OK)
        d->status = st;
}

// Timing

static double run_seconds(const rn_history *history)
{
    double seconds = 0;

    for (size_t i = 0; i < history->step_count; i++)
        seconds = fmax(seconds, history->steps[i].seconds);
    for (size_t i = 0; i < history->evaluation_count; i++)
        seconds = fmax(seconds, history->evaluations[i].seconds);
    return seconds;
}

static void add_timing(doc *d, const char *name, const rn_history *history)
{
    double seconds = run_seconds(history);
    double rate =
        history->step_count > 0 ? history->steps[history->step_count - 1].images_per_second : NAN;

    doc_add(d, DOC_ROW, "%s", name);
    doc_cell(d, "%s", history->started);
    doc_cell(d, "%s", history->ended);
    doc_cell(d, "%d", history->resumed);
    doc_cell(d, "%.0f", seconds);
    number_cell(d, rate);
}

rn_status rn_report_timing(const rn_reproduction *r, const rn_outcome *outcomes, const char *folder)
{
    rn_status st;
    doc d = {0};
    char *text = NULL;

    doc_add(&d, DOC_HEADING, "Times of %s", r->target->name);
    doc_add(&d, DOC_TEXT,
            "What is different each time, and on each machine. Seconds are of "
            "training and evaluation over all processes of a run; pictures a second "
            "of its last log line.");
    doc_add(&d, DOC_HEAD, "name");
    doc_cell(&d, "last started");
    doc_cell(&d, "ended");
    doc_cell(&d, "resumed");
    doc_cell(&d, "seconds");
    doc_cell(&d, "images/s");
    for (int i = 0; i < r->job_count; i++)
        if (outcomes[i].history != NULL)
            add_timing(&d, r->jobs[i].name, outcomes[i].history);
    RN_TRY(doc_markdown(&text, &d));
    RN_TRY(rn_run_folder_write(folder, "timing.md", text));
out:
    rn_free(text);
    doc_release(&d);
    return st;
}
