// The report: results beside the papers', claims, what was scaled, how to run it again.
#include "resnet/reproduce.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/number.h"
#include "reproduce/document.h"
#include "reproduce/figures.h"
#include "reproduce/outcome.h"
#include "reproduce/report_parts.h"
#include "resnet/report.h"
#include "resnet/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/** What a report is made of, and where it goes. */
typedef struct evidence {
    const rn_reproduction *reproduction;
    const rn_outcome *outcomes;
    const char *folder;
} evidence;

static void count_jobs(rn_report_counts *counts, const rn_reproduction *r,
                       const rn_outcome *outcomes)
{
    counts->jobs = r->job_count;
    for (int i = 0; i < r->job_count; i++) {
        counts->done += outcomes[i].state == RN_JOB_DONE || outcomes[i].state == RN_JOB_LEFT_OUT;
        counts->failed += outcomes[i].failed;
    }
}

static void add_summary(doc *d, const rn_reproduction *r, const rn_report_counts *counts)
{
    const char *things = r->target->cost ? "measurements" : "runs";

    doc_add(d, DOC_HEADING, "%s", r->target->title);
    doc_add(d, DOC_TEXT, "Target %s: %s.", r->target->name, r->target->paper);
    doc_add(d, DOC_TEXT, "%d of %d %s done%s. Claims: %d shown, %d contradicted, %d not decided.",
            counts->done, counts->jobs, things, counts->failed > 0 ? ", some have failed" : "",
            counts->shown, counts->contradicted,
            counts->claims - counts->shown - counts->contradicted);
    if (r->settings.scale == 1)
        return;
    if (r->target->cost)
        doc_add(d, DOC_TEXT, "The networks are not the target's: what was scaled stands below.");
    else
        doc_add(
            d, DOC_TEXT,
            "This is not the target's experiment but one of %.3g %% of its cost: what was scaled "
            "stands below. Error rates are not comparable with the paper's; orderings may be.",
            100 * rn_reproduction_cost(r));
}

static bool is_published(const rn_target *target, rn_metric metric)
{
    for (int i = 0; i < target->run_count; i++)
        if (!isnan(target->runs[i].published[metric]))
            return true;
    return false;
}

static bool is_shown(const rn_target *target, rn_metric metric)
{
    if (target->cost || metric >= RN_METRIC_STEP_SECONDS)
        return target->cost && metric >= RN_METRIC_STEP_SECONDS;
    return metric == RN_METRIC_TEST_ERROR || metric == RN_METRIC_TRAIN_ERROR ||
           (metric == RN_METRIC_RESPONSE && target->responses) ||
           (metric == RN_METRIC_TEN_CROP_ERROR && target->ten_crops) ||
           is_published(target, metric);
}

// The metrics that the results have, in the order of their table.
static int shown_metrics(rn_metric metrics[RN_METRICS], const rn_target *target)
{
    int count = 0;

    for (int i = 0; i < RN_METRICS; i++)
        if (is_shown(target, (rn_metric)i))
            metrics[count++] = (rn_metric)i;
    return count;
}

// A note stands beside its run's first number; where there is none, beside the first numbers of
// others, or the first results.
static rn_metric column_of_note(const rn_target *target, const rn_target_run *run)
{
    if (run->published_first != RN_METRICS)
        return run->published_first;
    for (int i = 0; i < RN_METRICS; i++)
        if (is_published(target, (rn_metric)i))
            return (rn_metric)i;
    return target->cost ? RN_METRIC_STEP_SECONDS : RN_METRIC_TEST_ERROR;
}

static const char *note_of(const rn_target *target, const rn_target_run *run, rn_metric metric)
{
    return run->note != NULL && column_of_note(target, run) == metric ? run->note : "";
}

// Whether the paper has a column beside the results.
static bool has_paper(const rn_target *target, rn_metric metric)
{
    for (int i = 0; i < target->run_count; i++)
        if (*note_of(target, &target->runs[i], metric) != '\0')
            return true;
    return is_published(target, metric);
}

static bool has_difference(const rn_reproduction *r, rn_metric metric)
{
    return is_published(r->target, metric) && rn_reproduction_is_comparable(r);
}

// "6.61 \u00b1 0.16 (best of 5: 6.43)", or as much of it as there is.
static void add_published(doc *d, const rn_target *target, const rn_target_run *run,
                          rn_metric metric)
{
    double value = rn_metric_shown(metric, run->published[metric]);
    const char *note = note_of(target, run, metric);
    char deviation[32] = "";

    if (!isnan(run->published_deviation) && metric == run->published_first)
        rn_print(deviation, sizeof deviation, " \u00b1 %.2g",
                 rn_metric_shown(metric, run->published_deviation));
    if (isnan(value))
        doc_cell(d, "%s", note);
    else if (*note != '\0')
        doc_cell(d, "%.4g%s (%s)", value, deviation, note);
    else
        doc_cell(d, "%.4g%s", value, deviation);
}

// "6.4 \u00b1 0.2", and where the paper has medians, "6.3 (6.4 \u00b1 0.2)".
static void add_ours(doc *d, const rn_statistics *s, bool has_median, double median)
{
    if (s->count == 0)
        doc_cell(d, "%s", "");
    else if (s->count == 1)
        doc_cell(d, "%.4g", s->mean);
    else if (has_median)
        doc_cell(d, "%.4g (%.4g \u00b1 %.2g)", median, s->mean, s->deviation);
    else
        doc_cell(d, "%.4g \u00b1 %.2g", s->mean, s->deviation);
}

static void add_result_cells(doc *d, const rn_reproduction *r, const rn_outcome *outcomes, int run,
                             rn_metric metric)
{
    const rn_target_run *target_run = &r->target->runs[run];
    const bool has_median = r->target->medians && !r->target->cost;
    const rn_statistics s =
        rn_statistics_shown(rn_outcome_statistics(outcomes, r, run, metric), metric);
    const double median = rn_metric_shown(metric, rn_outcome_median(outcomes, r, run, metric));
    const double difference =
        (has_median ? median : s.mean) - rn_metric_shown(metric, target_run->published[metric]);
    char text[32] = "";

    add_ours(d, &s, has_median, median);
    if (has_paper(r->target, metric))
        add_published(d, r->target, target_run, metric);
    if (!has_difference(r, metric))
        return;
    if (!isnan(difference))
        rn_print(text, sizeof text, "%+.3g", difference);
    doc_cell(d, "%s", text);
}

static void add_results_head(doc *d, const rn_reproduction *r, const rn_metric *metrics, int count)
{
    const rn_target *target = r->target;

    doc_add(d, DOC_HEAD, "network");
    doc_cell(d, "depth");
    if (!target->cost)
        doc_cell(d, "runs trained");
    for (int i = 0; i < count; i++) {
        doc_cell(d, "%s", rn_metric_title(metrics[i]));
        if (has_paper(target, metrics[i]))
            doc_cell(d, "paper");
        if (has_difference(r, metrics[i]))
            doc_cell(d, "difference");
    }
}

static int runs_trained(const rn_reproduction *r, const rn_outcome *outcomes, int run)
{
    int trained = 0;

    for (int i = 0; i < r->job_count; i++)
        trained += r->jobs[i].run == run && rn_outcome_is_trained(&outcomes[i]);
    return trained;
}

static void add_results(doc *d, const rn_reproduction *r, const rn_outcome *outcomes)
{
    rn_metric metrics[RN_METRICS];
    int count = shown_metrics(metrics, r->target);

    doc_add(d, DOC_HEADING, "Results");
    if (!r->target->cost)
        doc_add(
            d, DOC_TEXT,
            "%s over the runs that are trained. Test errors are those after the last iteration, "
            "training errors means over the last epoch's batches, augmented as they were.",
            r->target->medians ? "Median (mean \u00b1 standard deviation)"
                               : "Mean \u00b1 standard deviation");
    add_results_head(d, r, metrics, count);
    for (int i = 0; i < r->target->run_count; i++) {
        doc_add(d, DOC_ROW, "%s", r->target->runs[i].name);
        doc_cell(d, "%d", r->runs[i].depth);
        if (!r->target->cost)
            doc_cell(d, "%d of %d", runs_trained(r, outcomes, i), r->settings.seeds);
        for (int m = 0; m < count; m++)
            add_result_cells(d, r, outcomes, i, metrics[m]);
    }
}

/** A claim's verdict. */
typedef struct judgement {
    rn_verdict verdict;
    char text[RN_VERDICT_TEXT];
} judgement;

static rn_status judge_claims(judgement **out, rn_report_counts *counts, const rn_reproduction *r,
                              const rn_outcome *outcomes)
{
    rn_status st;

    RN_TRY(RN_NEW(out, (size_t)r->target->claim_count));
    for (int i = 0; i < r->target->claim_count; i++) {
        judgement *j = &(*out)[i];
        j->verdict = rn_claim_judge(j->text, &r->target->claims[i], r, outcomes);
        counts->claims++;
        counts->shown += j->verdict == RN_VERDICT_SHOWN;
        counts->contradicted += j->verdict == RN_VERDICT_CONTRADICTED;
    }
out:
    return st;
}

static void add_claims(doc *d, const rn_target *target, const judgement *judgements)
{
    if (target->claim_count == 0)
        return;
    doc_add(d, DOC_HEADING, "Claims");
    if (!target->cost)
        doc_add(d, DOC_TEXT,
                "An ordering is shown where the difference of the means is beyond the margin and "
                "beyond twice its standard error, contradicted where the opposite is, else not "
                "decided. A single run has no standard error and decides nothing without a margin. "
                "In an ordering of errors a run that diverged counts with the error of guessing; "
                "any other claim is not decided then.");
    else
        doc_add(d, DOC_TEXT,
                "A line is shown where all points are there, of one machine, and none is further "
                "off it than the margin. The time is the "
                "fastest step of all rounds: other programs only ever add to it.");
    doc_add(d, DOC_HEAD, "claim");
    doc_cell(d, "measured by");
    doc_cell(d, "numbers");
    doc_cell(d, "verdict");
    for (int i = 0; i < target->claim_count; i++) {
        doc_add(d, DOC_ROW, "%s", target->claims[i].text);
        doc_cell(d, "%s", rn_metric_title(target->claims[i].metric));
        doc_cell(d, "%s", judgements[i].text);
        doc_cell(d, "%s", rn_verdict_name(judgements[i].verdict));
    }
}

/** A figure of reports: drawn by `draw`, kept as NAME.svg and NAME.png. */
typedef struct figure_kind {
    rn_status (*draw)(rn_figure *figure, const rn_reproduction *r, const rn_outcome *outcomes);
    const char *svg, *png, *caption;
} figure_kind;

static const figure_kind costs = {rn_figure_costs, "costs.svg", "costs.png",
                                  "What a training step costs against depth."};
static const figure_kind curves = {
    rn_figure_curves, "curves.svg", "curves.png",
    "Training error (thin) and test error (bold) of each network, means over its runs."};
static const figure_kind responses = {
    rn_figure_responses, "responses.svg", "responses.png",
    "Standard deviation of the responses of 3x3 layers, first seed of each network."};

static rn_status write_figure(const rn_figure *figure, const figure_kind *kind, const char *folder)
{
    rn_status st;
    char *path = NULL;

    RN_TRY(rn_run_folder_write(folder, kind->svg, figure->svg));
    RN_TRY(rn_format(&path, "%s/%s", folder, kind->png));
    RN_TRY(rn_image_save(figure->image, path));
out:
    rn_free(path);
    return st;
}

static rn_status add_figure(doc *d, const figure_kind *kind, const evidence *e)
{
    rn_status st;
    rn_figure figure;

    RN_TRY(kind->draw(&figure, e->reproduction, e->outcomes));
    if (figure.svg == NULL)
        return RN_OK;
    RN_TRY(write_figure(&figure, kind, e->folder));
    doc_figure(d, figure.svg, kind->svg, kind->caption);
    figure.svg = NULL; // the document's
out:
    rn_figure_release(&figure);
    return st;
}

static rn_status add_figures(doc *d, const evidence *e)
{
    rn_status st;

    if (e->reproduction->target->cost)
        return add_figure(d, &costs, e);
    RN_TRY(add_figure(d, &curves, e));
    if (e->reproduction->target->responses)
        RN_TRY(add_figure(d, &responses, e));
out:
    return st;
}

static rn_status write_document(const doc *d, const char *folder)
{
    rn_status st;
    char *markdown = NULL, *html = NULL;

    RN_TRY(doc_markdown(&markdown, d));
    RN_TRY(doc_html(&html, d));
    RN_TRY(rn_run_folder_write(folder, "report.md", markdown));
    RN_TRY(rn_run_folder_write(folder, "report.html", html));
out:
    rn_free(html);
    rn_free(markdown);
    return st;
}

static rn_status write_report(rn_report_counts *counts, const evidence *e)
{
    rn_status st;
    const rn_reproduction *r = e->reproduction;
    const rn_outcome *outcomes = e->outcomes;
    doc d = {0};
    judgement *judgements = NULL;

    count_jobs(counts, r, outcomes);
    RN_TRY(judge_claims(&judgements, counts, r, outcomes));
    add_summary(&d, r, counts);
    add_claims(&d, r->target, judgements);
    add_results(&d, r, outcomes);
    RN_TRY(add_figures(&d, e));
    rn_report_scaling(&d, r);
    rn_report_deviations(&d, r);
    rn_report_jobs(&d, r, outcomes);
    rn_report_commands(&d, r);
    rn_report_machines(&d, r, outcomes, e->folder);
    RN_TRY(write_document(&d, e->folder));
    st = rn_report_json(counts, r, outcomes, e->folder);
out:
    rn_free(judgements);
    doc_release(&d);
    return st;
}

static rn_status remove_orphans_in(const char *folder, const char *parent, const char *name)
{
    rn_status st;
    char *path = NULL;

    RN_TRY(rn_format(&path, "%s/%s%s", folder, parent, name));
    rn_folder_remove_orphans(path);
out:
    rn_free(path);
    return st;
}

static rn_status remove_orphans(const rn_reproduction *r, const char *folder)
{
    rn_status st;

    rn_folder_remove_orphans(folder);
    RN_TRY(remove_orphans_in(folder, "", "recipes"));
    RN_TRY(remove_orphans_in(folder, "", "points"));
    for (int i = 0; i < r->job_count; i++)
        RN_TRY(remove_orphans_in(folder, "runs/", r->jobs[i].name));
out:
    return st;
}

rn_status rn_reproduction_report(rn_report_counts *counts, const rn_reproduction *r,
                                 const char *folder)
{
    rn_status st;
    rn_outcome *outcomes = NULL;

    *counts = (rn_report_counts){0};
    RN_TRY(remove_orphans(r, folder));
    RN_TRY(rn_outcomes_read(&outcomes, r, folder));
    RN_TRY(write_report(counts, &(evidence){r, outcomes, folder}));
    RN_TRY(rn_report_timing(r, outcomes, folder));
out:
    rn_outcomes_free(outcomes, r);
    return st;
}
