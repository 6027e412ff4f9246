// Results, claims and reports from run folders as trainings leave them.
#include "reproduce/document.h"
#include "reproduce/mean_curve.h"
#include "reproduce/outcome.h"
#include "reproduce/reproductions.h"

static void write_all_runs(void)
{
    write_run("plain-20-s1", 60, 200); // 40 %
    write_run("plain-20-s2", 50, 210); // 42 %
    write_run("res-s1", 30, 100);
    write_run("res-s2", 20, 110);
}

static void runs_become_results(void **state)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_outcome *outcomes;

    (void)state;
    write_all_runs();
    ok(rn_outcomes_read(&outcomes, r, test_folder));
    assert_int_equal(outcomes[0].state, RN_JOB_DONE);
    assert_false(outcomes[0].failed);
    assert_true(outcomes[0].value[RN_METRIC_TEST_ERROR] == 40);
    assert_true(outcomes[0].value[RN_METRIC_BEST_TEST_ERROR] == 39);
    assert_true(outcomes[0].value[RN_METRIC_TRAIN_ERROR] == 60); // of the last 20 iterations only
    assert_true(outcomes[0].value[RN_METRIC_TRAIN_LOSS] == 1.5);
    assert_true(outcomes[0].value[RN_METRIC_TEST_LOSS] == 1.25);
    assert_true(isnan(outcomes[0].value[RN_METRIC_RESPONSE]));
    rn_statistics s = rn_outcome_statistics(outcomes, r, 0, RN_METRIC_TEST_ERROR);
    assert_int_equal(s.count, 2);
    assert_true(s.mean == 41 && fabs(s.deviation - sqrt(2)) < 1e-12);
    rn_outcomes_free(outcomes, r);
    rn_reproduction_free(r);
}

static rn_mean_curve curve_of(rn_curve which)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_outcome *outcomes;
    rn_mean_curve curve;

    ok(rn_outcomes_read(&outcomes, r, test_folder));
    ok(rn_mean_curve_create(&curve, r, outcomes, 0, which));
    rn_outcomes_free(outcomes, r);
    rn_reproduction_free(r);
    return curve;
}

static void curves_are_means_over_seeds(void **state)
{
    (void)state;
    write_all_runs();
    rn_mean_curve curve = curve_of(RN_CURVE_TEST);
    assert_int_equal(curve.seeds, 2);
    assert_int_equal(curve.count, 2);
    assert_true(curve.iteration[0] == 50 && curve.iteration[1] == 100);
    assert_true(fabs(curve.mean[0] - 40) < 1e-12 && fabs(curve.mean[1] - 41) < 1e-12);
    assert_true(fabs(curve.deviation[1] - sqrt(2)) < 1e-12);
    rn_mean_curve_release(&curve);
    curve = curve_of(RN_CURVE_TRAINING);
    assert_int_equal(curve.count, 10);
    assert_true(curve.mean[0] == 80 && curve.deviation[0] == 0);
    assert_true(fabs(curve.mean[9] - 55) < 1e-12 && fabs(curve.deviation[9] - sqrt(50)) < 1e-12);
    rn_mean_curve_release(&curve);

    write_file("runs/plain-20-s1/log.jsonl", start_line); // ended early
    curve = curve_of(RN_CURVE_TEST);
    assert_int_equal(curve.seeds, 1);
    assert_true(curve.mean[1] == 42 && curve.deviation == NULL);
    rn_mean_curve_release(&curve);
    write_file("runs/plain-20-s2/log.jsonl", start_line);
    curve = curve_of(RN_CURVE_TEST);
    assert_int_equal(curve.count, 0);
    rn_mean_curve_release(&curve);
}

// log NULL: there is none.
static void assert_state(const char *log, rn_job_state expected, bool failed)
{
    char path[128];

    rn_reproduction *r = small_reproduction(0.05);
    rn_outcome outcome;

    snprintf(path, sizeof path, "%s/runs/plain-20-s1/log.jsonl", test_folder);
    unlink(path);
    if (log != NULL)
        write_file("runs/plain-20-s1/log.jsonl", log);
    ok(rn_outcome_read(&outcome, r, 0, test_folder));
    assert_int_equal(outcome.state, expected);
    assert_int_equal(outcome.failed, failed);
    assert_true((outcome.message != NULL) == failed);
    rn_outcome_release(&outcome);
    rn_reproduction_free(r);
}

#define END(status, text)                                                                          \
    "{\"event\":\"end\",\"iteration\":5,\"iterations\":100,\"epoch\":1,\"seconds\":1,\"status\":"  \
    "\"" status "\",\"text\":\"" text "\"}\n"

static void unfinished_runs_are_told_apart(void **state)
{
    char text[1024];

    (void)state;
    assert_state("", RN_JOB_PARTIAL, false); // begun: run.json was there before
    assert_state("{\"event\":\"st", RN_JOB_PARTIAL, false);
    assert_state(start_line, RN_JOB_PARTIAL, false);
    snprintf(text, sizeof text, "%s%s", start_line, END("interrupted", "stopped"));
    assert_state(text, RN_JOB_PARTIAL, false);
    snprintf(text, sizeof text, "%s%s", start_line,
             END("training diverged", "the loss is not finite after 5 iterations"));
    assert_state(text, RN_JOB_DIVERGED, true);
    snprintf(text, sizeof text, "%s%s", start_line, END("out of memory", "out of memory: 9 bytes"));
    assert_state(text, RN_JOB_PARTIAL, true);
    write_file("runs/plain-20-s1.err", "resnet: note: hm\nresnet: error: no such data\n");
    assert_state(start_line, RN_JOB_PARTIAL, true); // no end line: it was killed
    assert_state(NULL, RN_JOB_NEW, true);
    write_file("runs/plain-20-s1.err", "resnet: note: hm\n");
    assert_state(NULL, RN_JOB_NEW, false);
}

static void only_the_end_of_a_run_is_its_result(void **state)
{
    static const char *const events[] = {"evaluation", "step"};
    static const char *const missing[] = {"evaluation of the test set", "training error"};
    rn_reproduction *r = small_reproduction(0.05);
    rn_outcome outcome;

    (void)state;
    for (int i = 0; i < 2; i++) {
        write_run_without("plain-20-s1", 60, 200, events[i]);
        ok(rn_outcome_read(&outcome, r, 0, test_folder));
        assert_int_equal(outcome.state, RN_JOB_PARTIAL);
        assert_true(outcome.failed);
        assert_non_null(strstr(outcome.message, missing[i]));
        assert_non_null(strstr(outcome.message, "runs/plain-20-s1/log.jsonl"));
        for (int m = 0; m < RN_METRICS; m++)
            assert_true(isnan(outcome.value[m]));
        rn_outcome_release(&outcome);
    }
    rn_reproduction_free(r);
}

static void weights_without_a_log_are_to_be_resumed(void **state)
{
    char path[128];

    (void)state;
    write_file("runs/plain-20-s1/checkpoint-000000050.safetensors", "weights");
    assert_state(NULL, RN_JOB_PARTIAL, true);
    assert_state("{damage}\n", RN_JOB_PARTIAL, true);
    snprintf(path, sizeof path, "%s/runs/plain-20-s1/checkpoint-000000050.safetensors",
             test_folder);
    unlink(path);
    assert_state("{damage}\n", RN_JOB_NEW, false);
}

static void a_run_that_cannot_be_read_is_one_failure(void **state)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_report_counts counts;
    char path[128];

    (void)state;
    write_all_runs();
    snprintf(path, sizeof path, "%s/runs/plain-20-s1/log.jsonl", test_folder);
    unlink(path);
    write_file("runs/plain-20-s1/log.jsonl/inside", "");
    ok(rn_reproduction_report(&counts, r, test_folder));
    assert_int_equal(counts.done, 3);
    assert_int_equal(counts.failed, 1);
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "| plain-20-s1 | failed |"));
    assert_non_null(strstr(report, "expected a regular file"));
    rn_free(report);
    strcat(path, "/inside");
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    rn_reproduction_free(r);
}

static void responses_are_part_of_a_run(void **state)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_outcome outcome;
    rn_job_state found;

    (void)state;
    write_all_runs();
    r->target->responses = true;
    ok(rn_job_find(&found, r, 0, test_folder));
    assert_int_equal(found, RN_JOB_RESPONSES);
    write_file("runs/plain-20-s1/responses.json",
               "{\"model\":\"plain-20\",\"layers\":[{\"name\":\"a\",\"kernel\":3,\"std\":1},"
               "{\"name\":\"b\",\"kernel\":1,\"std\":9},{\"name\":\"c\",\"kernel\":3,\"std\":2}]}");
    ok(rn_outcome_read(&outcome, r, 0, test_folder));
    assert_int_equal(outcome.state, RN_JOB_DONE);
    assert_true(outcome.value[RN_METRIC_RESPONSE] == 1.5);
    rn_outcome_release(&outcome);
    write_file("runs/plain-20-s1/responses.json", "{\"layers\":[]}");
    ok(rn_outcome_read(&outcome, r, 0, test_folder));
    assert_int_equal(outcome.state, RN_JOB_RESPONSES); // to be measured again
    assert_true(outcome.failed);
    assert_non_null(strstr(outcome.message, "responses.json' has no 3x3 layer"));
    rn_outcome_release(&outcome);
    rn_reproduction_free(r);
}

// Claims

// Infinity: it diverged.
static void set_error(rn_outcome *outcome, double error)
{
    outcome->state = isinf(error) ? RN_JOB_DIVERGED : RN_JOB_DONE;
    outcome->value[RN_METRIC_TEST_ERROR] = isinf(error) ? NAN : error;
}

static rn_verdict judge(const char *claim, const double *first, const double *second)
{
    static const char head[] =
        "{\"name\":\"c\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"quick\","
        "\"runs\":[{\"model\":\"plain-8\"},{\"model\":\"resnet-8\"}],"
        "\"seeds\":2,\"claims\":[{\"text\":\"c\",\"metric\":\"test_error\","
        "\"of\":\"resnet-8\",";
    char json[1024], text[RN_VERDICT_TEXT];
    rn_reproduction *r;
    rn_outcome outcomes[4] = {0};

    snprintf(json, sizeof json, "%s%s}]}", head, claim);
    ok(rn_reproduction_create(&r, parse_target(json), &small_settings));
    for (int i = 0; i < 2; i++) {
        set_error(&outcomes[2 * i], first[i]);
        set_error(&outcomes[2 * i + 1], second[i]);
    }
    rn_verdict verdict = rn_claim_judge(text, &r->target->claims[0], r, outcomes);
    rn_reproduction_free(r);
    return verdict;
}

static void claims_are_judged_with_margin_and_deviation(void **state)
{
    static const char below[] = "\"below\":\"plain-8\",\"margin\":1";
    static const char near[] = "\"near\":\"plain-8\",\"margin\":1";
    const double ten[] = {10, 10}, nine[] = {9, 9}, eight[] = {8, 8}, spread[] = {4, 12};
    const double one[] = {8, NAN}, none[] = {NAN, NAN}, diverged[] = {INFINITY, INFINITY};
    const double half[] = {90, INFINITY};

    (void)state;
    assert_int_equal(judge(below, ten, eight), RN_VERDICT_SHOWN);
    assert_int_equal(judge(below, eight, ten), RN_VERDICT_CONTRADICTED);
    assert_int_equal(judge(below, ten, nine), RN_VERDICT_UNDECIDED);   // just the margin
    assert_int_equal(judge(below, ten, spread), RN_VERDICT_UNDECIDED); // 2, standard error 4
    assert_int_equal(judge(below, ten, one), RN_VERDICT_SHOWN);
    assert_int_equal(judge(below, ten, none), RN_VERDICT_MISSING);
    assert_int_equal(judge(below, none, ten), RN_VERDICT_MISSING);
    assert_int_equal(judge("\"below\":\"plain-8\"", ten, one), RN_VERDICT_ONE_RUN);
    assert_int_equal(judge("\"above\":20", ten, one), RN_VERDICT_ONE_RUN);
    assert_int_equal(judge("\"above\":20", ten, diverged), RN_VERDICT_SHOWN);
    assert_int_equal(judge("\"above\":\"plain-8\"", ten, half), RN_VERDICT_SHOWN);
    assert_int_equal(judge(below, ten, diverged), RN_VERDICT_CONTRADICTED);
    assert_int_equal(judge(near, ten, diverged), RN_VERDICT_MISSING);
    assert_int_equal(judge("\"above\":\"plain-8\"", eight, nine), RN_VERDICT_SHOWN);
    assert_int_equal(judge("\"above\":\"plain-8\"", nine, nine), RN_VERDICT_UNDECIDED);
    assert_int_equal(judge("\"above\":20", ten, nine), RN_VERDICT_CONTRADICTED);
    assert_int_equal(judge(near, ten, nine), RN_VERDICT_SHOWN);
    assert_int_equal(judge(near, ten, eight), RN_VERDICT_CONTRADICTED);
    assert_int_equal(judge(near, ten, spread), RN_VERDICT_UNDECIDED);
}

static void lines_are_fitted(void **state)
{
    const double x[] = {20, 32, 56, 110}, straight[] = {41, 65, 113, 221};
    const double bent[] = {41, 65, 113, 442};
    rn_line line = rn_line_fit(x, straight, 4);

    (void)state;
    assert_true(fabs(line.a - 1) < 1e-9 && fabs(line.b - 2) < 1e-12);
    assert_true(line.residual < 1e-9 && fabs(line.r_squared - 1) < 1e-12);
    line = rn_line_fit(x, bent, 4);
    assert_true(line.residual > 10 && line.r_squared < 0.99);
    assert_true(rn_line_fit(x, (const double[]){5, 5, 5, 5}, 4).residual < 1e-9);
}

static const char cost_target[] =
    "{\"name\":\"cost\",\"title\":\"Cost\",\"paper\":\"p\",\"kind\":\"cost\",\"batch\":4,\"runs\":["
    "{\"model\":\"resnet-8\",\"panel\":\"basic\"},{\"model\":\"resnet-14\"},{\"model\":\"resnet-"
    "20\"},"
    "{\"model\":\"resnet-26\"}],\"claims\":[{\"text\":\"linear\",\"metric\":\"step_seconds\","
    "\"linear\":[\"resnet-8\",\"resnet-14\",\"resnet-20\",\"resnet-26\"],\"margin\":5},"
    "{\"text\":\"work\",\"metric\":\"multiply_adds\","
    "\"linear\":[\"resnet-8\",\"resnet-14\",\"resnet-20\",\"resnet-26\"],\"margin\":1},"
    "{\"text\":\"small\",\"metric\":\"step_bytes\",\"of\":\"resnet-8\",\"below\":3145728,"
    "\"margin\":1048576}]}";

static void costs_are_reported(void **state)
{
    rn_reproduction *r;
    rn_report_counts counts;
    char name[64], text[192];

    (void)state;
    ok(rn_reproduction_create(&r, parse_target(cost_target), &(rn_reproduce_settings){0}));
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "points/resnet-%d.json", 8 + 6 * i);
        snprintf(text, sizeof text,
                 "{\"step\":{\"median_seconds\":%d},\"planned_bytes\":1048576,\"processor\":\"P\","
                 "\"threads\":2}",
                 8 + 6 * i);
        write_file(name, text);
    }
    write_file("points/resnet-26.json", "{\"step\":{}}");
    rn_job_state found;
    ok(rn_job_find(&found, r, 3, test_folder));
    assert_int_equal(found, RN_JOB_NEW); // damaged: to be measured again
    write_file("points/resnet-26.json", "{\"left_out\":\"needs too much\"}");
    ok(rn_reproduction_report(&counts, r, test_folder));
    assert_int_equal(counts.done, 4);
    assert_int_equal(counts.shown, 1); // a line lacks a point
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "| resnet-26 | left out |  |  |  | needs too much |"));
    assert_non_null(strstr(report, "## Machine\n\n- P; 2 threads; unknown engine\n"));
    assert_non_null(strstr(report, "| 1 against 3: -2, margin 1, standard error none | shown |"));
    assert_non_null(
        strstr(report, "x depth over 3 of 4 depths, R^2 = 1.000000, largest residual 0.00 %"));
    rn_free(report);
    rn_reproduction_free(r);
}

static bool exists(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", test_folder, name);
    return access(path, F_OK) == 0;
}

static int occurrences(const char *text, const char *word)
{
    int count = 0;

    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

// Each network's step takes as many seconds as it has layers in one round, and longer in others.
static void write_points(const rn_reproduction *r)
{
    for (int i = 0; i < r->job_count; i++) {
        char name[64], text[192];
        int depth = 8 + 6 * r->jobs[i].run;
        bool quiet = r->settings.seeds == 1 || (r->jobs[i].run + (int)r->jobs[i].seed) % 2 == 0;
        snprintf(name, sizeof name, "points/%s.json", r->jobs[i].name);
        snprintf(
            text, sizeof text,
            "{\"step\":{\"best_seconds\":%d,\"median_seconds\":100},\"planned_bytes\":1048576}",
            quiet ? depth : 3 * depth + i);
        write_file(name, text);
    }
}

static void slow_rounds_change_nothing(void **state)
{
    rn_report_counts counts;
    char *figure[2], *report = NULL;

    (void)state;
    for (int rounds = 1; rounds <= 2; rounds++) {
        rn_reproduction *r;
        rn_free(report);
        ok(rn_reproduction_create(&r, parse_target(cost_target),
                                  &(rn_reproduce_settings){.seeds = rounds}));
        write_points(r);
        write_file("timing.md.tmp-resnet-0123abcd", "of a killed process");
        write_file("points/resnet-8.json.tmp-resnet-0123abcd", "of a killed process");
        ok(rn_reproduction_report(&counts, r, test_folder));
        assert_int_equal(counts.done, 4 * rounds);
        assert_int_equal(counts.shown, 3);
        assert_false(exists("timing.md.tmp-resnet-0123abcd"));
        assert_false(exists("points/resnet-8.json.tmp-resnet-0123abcd"));
        report = read_file("report.md");
        assert_non_null(strstr(report, "| resnet-8 | 8 | 8 | 1 | "));
        assert_non_null(strstr(report, "largest residual 0.00 %"));
        assert_int_equal(occurrences(report, "resnet bench resnet-8 "), 1); // for all rounds
        figure[rounds - 1] = read_file("costs.svg");
        rn_reproduction_free(r);
    }
    assert_non_null(strstr(report, "| resnet-8-r1 | done | 24"));
    assert_string_equal(figure[0], figure[1]);
    rn_free(figure[0]);
    rn_free(figure[1]);
    rn_free(report);
}

// Reports

static const char expected_report[] =
    "# Two networks \\| one &amp; &lt;two>\n"
    "\n"
    "Target small: nobody's, table 1.\n"
    "\n"
    "3 of 4 runs done, some have failed. Claims: 0 shown, 0 contradicted, 2 not decided.\n"
    "\n"
    "This is not the target's experiment but one of 6.51 % of its cost: what was scaled stands "
    "below. "
    "Error rates are not comparable with the paper's; orderings may be.\n"
    "\n"
    "## Claims\n"
    "\n"
    "An ordering is shown where the difference of the means is beyond the margin and beyond twice "
    "its standard error, contradicted where the opposite is, else not decided. A single run has no "
    "standard error and decides nothing without a margin. A run that diverged counts with the "
    "error "
    "of guessing.\n"
    "\n"
    "| claim | measured by | numbers | verdict |\n"
    "| --- | --- | --- | --- |\n"
    "| better | test error, % | 55 against 41: +14, margin 0.5, standard error 35; 1 of 2 runs of "
    "res diverged | not decided |\n"
    "| it learns | training error, % | 55 against 50: +5, margin 0, standard error 5 | not "
    "comparable |\n"
    "\n"
    "## Results\n"
    "\n"
    "Mean \u00b1 standard deviation over the runs that are done. Test errors are those after the "
    "last iteration, training errors means over the last epoch's batches, augmented as they were.\n"
    "\n"
    "| network | depth | runs done | test error, % | paper | training error, % |\n"
    "| --- | --- | --- | --- | --- | --- |\n"
    "| plain-20 | 14 | 2 of 2 | 41 \u00b1 1.4 | curve only | 55 \u00b1 7.1 |\n"
    "| res | 14 | 1 of 2 | 20 | 8.75 \u00b1 0.25 | 30 |\n"
    "\n"
    "![Training error (thin) and test error (bold) of each network, means over "
    "its runs.](curves.svg)\n"
    "\n"
    "## What was scaled\n"
    "\n"
    "| share of the target's | asked for | here |\n"
    "| --- | --- | --- |\n"
    "| cost: iterations x multiply-adds | 0.05 | 0.06509 |\n"
    "| iterations | 0.1 | 0.1 |\n"
    "| data | 1 | 1 |\n"
    "| depth | 0.5 | 0.6667 |\n"
    "| width | 1 | 1 |\n"
    "\n"
    "|  | in the target | here |\n"
    "| --- | --- | --- |\n"
    "| data | shapes | shapes train (seed 1) |\n"
    "\n"
    "| network | model of the target | model here | multiply-adds of the target, 10^6 | "
    "multiply-adds here, 10^6 | iterations of the target | iterations here | recipe | evaluations "
    "|\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    "| plain-20 | plain-20 | plain-14 | 40.55 | 26.4 | 64000 | 6400 | paper-cifar | 10 |\n"
    "| res | resnet-20 | resnet-14 | 40.55 | 26.4 | 64000 | 6400 | paper-cifar | 10 |\n"
    "\n"
    "## Deviations from the paper\n"
    "\n"
    "- Scaled to 0.0651 of the target's cost, see above; milestones of the learning rate and "
    "warm-ups in steps are scaled with the iterations, the patience of plateaus with the "
    "evaluations, and nothing else.\n"
    "- It is small.\n"
    "\n"
    "## Runs\n"
    "\n"
    "| name | state | test error, % | training error, % | test loss | training loss | lowest test "
    "error on the way, % | remark |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    "| plain-20-s1 | done | 40 | 60 | 1.25 | 1.5 | 39 |  |\n"
    "| res-s1 | done | 20 | 30 | 1.25 | 1.5 | 19 |  |\n"
    "| plain-20-s2 | done | 42 | 50 | 1.25 | 1.5 | 41 |  |\n"
    "| res-s2 | diverged |  |  |  |  |  | the loss is not finite |\n"
    "\n"
    "## Commands\n";

static void write_mixed_runs(void)
{
    char text[1024];

    write_all_runs();
    write_file("runs/plain-20-s1.err", "");
    snprintf(text, sizeof text, "%s%s", start_line,
             END("training diverged", "the loss is not finite"));
    write_file("runs/res-s2/log.jsonl", text);
}

static void a_report_says_everything(void **state)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_report_counts counts;

    (void)state;
    write_mixed_runs();
    ok(rn_reproduction_report(&counts, r, test_folder));
    assert_int_equal(counts.jobs, 4);
    assert_int_equal(counts.done, 3);
    assert_int_equal(counts.failed, 1);
    char *report = read_file("report.md");
    size_t length = strlen(expected_report);
    for (size_t i = 0; i < length; i++)
        if (report[i] != expected_report[i])
            fail_msg("differs from byte %zu on: '%.200s'", i, report + i);
    assert_non_null(
        strstr(report, "\n    resnet train resnet-14 --data shapes:train=1000,test=500 "));
    assert_non_null(strstr(report, "## Machine\n\n- 2 threads; cpu a\\_b;"));
    assert_null(strstr(report, "2026"));
    rn_free(report);
    char *json = read_file("report.json");
    assert_non_null(strstr(json, "\"target\":\t\"small\""));
    assert_non_null(strstr(json, "\"verdict\":\t\"not comparable\""));
    assert_non_null(strstr(json, "\"paper\":\t8.75"));
    assert_non_null(strstr(json, "\"state\":\t\"diverged\""));
    assert_null(strstr(json, "2026"));
    rn_free(json);
    char *timing = read_file("timing.md");
    assert_non_null(
        strstr(timing, "| res-s1 | 2026-01-02T03:04:05Z | 2026-01-02T04:04:05Z | 0 | 100"));
    rn_free(timing);
    rn_reproduction_free(r);
}

static void the_page_is_self_contained(void **state)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_report_counts counts;

    (void)state;
    write_mixed_runs();
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *page = read_file("report.html");
    assert_non_null(strstr(page, "<title>Two networks | one &amp; &lt;two&gt;</title>"));
    assert_null(strstr(page, "<two>"));
    assert_non_null(strstr(page, "<svg"));
    assert_non_null(strstr(page, "means of 2 runs, bands: a standard deviation of the test error"));
    assert_null(strstr(page, "<?xml"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "src="));
    assert_null(strstr(page, "href="));
    assert_non_null(strstr(page, "<td class=\"bad\">diverged</td>"));
    assert_null(strstr(page, "2026"));
    rn_free(page);
    write_all_runs();
    ok(rn_reproduction_report(&counts, r, test_folder));
    page = read_file("report.html");
    assert_non_null(strstr(page, "<td class=\"good\">shown</td>"));
    rn_free(page);
    rn_reproduction_free(r);
}

static void at_scale_one_numbers_stand_beside_the_papers(void **state)
{
    rn_reproduction *r = small_reproduction(1);
    rn_report_counts counts;

    (void)state;
    write_all_runs();
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "| 21 \u00b1 1.4 | 8.75 \u00b1 0.25 | +12.2 |"));
    assert_non_null(strstr(report, "| it learns | training error, % | 55 against 50: +5, margin 0, "
                                   "standard error 5 | not decided |"));
    rn_free(report);
    rn_reproduction_free(r);
}

static void curves_are_told_apart_without_colours(void **state)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_report_counts counts;

    (void)state;
    write_mixed_runs();
    r->target->runs[1].panel = r->target->runs[0].panel;
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *figure = read_file("curves.svg");
    assert_non_null(strstr(figure, "stroke-dasharray"));
    assert_non_null(strstr(figure, "res (1 of 2 runs)"));
    assert_null(strstr(figure, "plain-20 ("));
    assert_non_null(strstr(figure, "thin: training error, means of 12 iterations; bold: test"));
    rn_free(figure);
    rn_reproduction_free(r);
}

static void nothing_done_makes_a_report_as_well(void **state)
{
    rn_reproduction *r = small_reproduction(1);
    rn_report_counts counts;
    char empty[] = "/tmp/reproduce-empty-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(empty));
    ok(rn_reproduction_report(&counts, r, empty));
    assert_int_equal(counts.done, 0);
    assert_int_equal(counts.claims - counts.shown - counts.contradicted, 2);
    nftw(empty, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    rn_reproduction_free(r);
}

static void markup_in_texts_stays_text(void **state)
{
    doc d = {0};
    char *text;

    (void)state;
    doc_add(&d, DOC_HEADING, "%s", "a");
    doc_add(&d, DOC_HEAD, "%s", "x|y");
    doc_cell(&d, "%s", "<script>&");
    doc_add(&d, DOC_ROW, "%s", "new\nline");
    doc_cell(&d, "%s", "\u00b5*_`");
    doc_add(&d, DOC_CODE, "%s", "a | <b>");
    ok(doc_markdown(&text, &d));
    assert_string_equal(text, "# a\n\n| x\\|y | &lt;script>&amp; |\n| --- | --- |\n"
                              "| new line | \u00b5\\*\\_\\` |\n\n    a | <b>\n");
    rn_free(text);
    ok(doc_html(&text, &d));
    assert_non_null(strstr(text, "<tr><th>x|y</th><th>&lt;script&gt;&amp;</th></tr>\n"
                                 "<tr><td>new line</td><td>\u00b5*_`</td></tr>\n</table>\n</div>\n"
                                 "<pre>a | &lt;b&gt;\n</pre>\n"));
    rn_free(text);
    doc_release(&d);
}

static void every_failed_allocation_is_survived(void **state)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_report_counts counts;
    fail_allocation plan;
    int which = 0;

    (void)state;
    write_mixed_runs();
    r->target->responses = true; // all that there is is drawn
    write_file("runs/res-s1/responses.json", "{\"layers\":[{\"kernel\":3,\"std\":1}]}");
    do { // pictures take time: of what comes after the first 100, all but some are left out
        which += which < 100 ? 1 : 43;
        fail_allocation_start(&plan, which - 1);
        rn_status st = rn_reproduction_report(&counts, r, test_folder);
        fail_allocation_stop();
        if (st != (plan.hit ? RN_ENOMEM : RN_OK))
            fail_msg("allocation %d: %s", which - 1, rn_error_message());
    } while (plan.hit);
    assert_true(which > 100);
    rn_reproduction_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_become_results),
        cmocka_unit_test(curves_are_means_over_seeds),
        cmocka_unit_test(unfinished_runs_are_told_apart),
        cmocka_unit_test(only_the_end_of_a_run_is_its_result),
        cmocka_unit_test(weights_without_a_log_are_to_be_resumed),
        cmocka_unit_test(a_run_that_cannot_be_read_is_one_failure),
        cmocka_unit_test(responses_are_part_of_a_run),
        cmocka_unit_test(claims_are_judged_with_margin_and_deviation),
        cmocka_unit_test(lines_are_fitted),
        cmocka_unit_test(costs_are_reported),
        cmocka_unit_test(slow_rounds_change_nothing),
        cmocka_unit_test(a_report_says_everything),
        cmocka_unit_test(the_page_is_self_contained),
        cmocka_unit_test(at_scale_one_numbers_stand_beside_the_papers),
        cmocka_unit_test(curves_are_told_apart_without_colours),
        cmocka_unit_test(nothing_done_makes_a_report_as_well),
        cmocka_unit_test(markup_in_texts_stays_text),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };

    return cmocka_run_group_tests_name("report", tests, make_test_folder, remove_test_folder);
}
