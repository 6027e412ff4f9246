// Reports of run folders as trainings leave them.
#include "reproduce/outcome.h"
#include "reproduce/reproductions.h"

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

static int occurrences(const char *text, const char *word)
{
    int count = 0;

    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
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
    report = read_file("report.json"); // its numbers have one unit, in runs and their summaries
    assert_non_null(strstr(report, "\"title\":\t\"memory of a step\""));
    assert_non_null(strstr(report, "\"unit\":\t\"bytes\""));
    assert_non_null(strstr(report, "\"mean\":\t1048576,"));
    assert_non_null(strstr(report, "\"step_bytes\":\t1048576,"));
    snprintf(text, sizeof text, "\"forward_multiply_adds\":\t%.0f,", r->runs[0].multiply_adds);
    assert_non_null(strstr(report, text));
    snprintf(text, sizeof text, "\t%.0f", 3 * 4 * r->runs[0].multiply_adds);
    assert_int_equal(occurrences(report, text), 1 + 2); // its run's; mean and median
    rn_free(report);
    rn_reproduction_free(r);
}

static void costs_of_different_machines_are_no_line(void **state)
{
    rn_reproduction *r;
    rn_report_counts counts;
    char name[64], text[192];

    (void)state;
    ok(rn_reproduction_create(&r, parse_target(cost_target), &(rn_reproduce_settings){0}));
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "points/resnet-%d.json", 8 + 6 * i);
        snprintf(
            text, sizeof text,
            "{\"step\":{\"median_seconds\":%d},\"planned_bytes\":1048576,\"processor\":\"%s\"}",
            8 + 6 * i, i < 3 ? "P" : "Q");
        write_file(name, text);
    }
    ok(rn_reproduction_report(&counts, r, test_folder));
    assert_int_equal(counts.shown, 2); // operations are counted; resnet-8 was on one machine
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "margin 5 %; measured on different machines | not decided |"));
    assert_non_null(strstr(report, "## Machines\n\n- P; 1 thread; unknown engine\n- Q; "));
    rn_free(report);
    rn_reproduction_free(r);
}

static bool exists(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", test_folder, name);
    return access(path, F_OK) == 0;
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
    "standard error and decides nothing without a margin. In an ordering of errors a run that "
    "diverged counts with the error of guessing; any other claim is not decided then.\n"
    "\n"
    "| claim | measured by | numbers | verdict |\n"
    "| --- | --- | --- | --- |\n"
    "| better | test error, % | 55 against 41: +14, margin 0.5, standard error 35; 1 of 2 runs of "
    "res diverged; res has 14 layers here; plain-20 has 14 layers here | not decided |\n"
    "| it learns | training error, % | 55 against 50: +5, margin 0, standard error 5; plain-20 has "
    "14 layers here | not comparable |\n"
    "\n"
    "## Results\n"
    "\n"
    "Mean \u00b1 standard deviation over the runs that are trained. Test errors are those after "
    "the "
    "last iteration, training errors means over the last epoch's batches, augmented as they were.\n"
    "\n"
    "| network | depth | runs trained | test error, % | paper | training error, % |\n"
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

static void fewer_pictures_are_named(void **state)
{
    static const char text[] =
        "{\"name\":\"few\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"paper-cifar\",\"runs\":["
        "{\"model\":\"resnet-8\"}],\"scale\":[{\"of\":\"data\",\"least\":0.1}]}";
    rn_reproduce_settings settings = small_settings;
    rn_reproduction *r;
    rn_report_counts counts;

    (void)state;
    settings.scale = 0.5;
    ok(rn_reproduction_create(&r, parse_target(text), &settings));
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "| cost: iterations x multiply-adds | 0.5 | 0.5 |\n"
                                   "| iterations | 0.5 | 0.5 |\n| data | 0.5 | 0.5 |\n"));
    assert_non_null(strstr(report, "see above; there are fewer training pictures, drawn class by "
                                   "class, and fewer iterations with them; milestones "));
    rn_free(report);
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

// The run went on with another build; the second network's has no end.
static void what_a_run_is_not_is_said(void **state)
{
    rn_reproduction *r = seeded_reproduction(0.05, 1);
    rn_report_counts counts;

    (void)state;
    write_all_runs();
    write_file("runs/plain-20-s1/environment-1.json", "{\"commit\":\"earlier\"}\n");
    write_file("runs/res-s1/log.jsonl", start_line);
    r->target->responses = true; // of which none are there
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "## Machines\n\n- 0 threads; "));
    assert_non_null(strstr(report, "commit earlier\n- 2 threads; "));
    assert_non_null(strstr(report, "\n0 of 2 runs done"));
    assert_non_null(strstr(report, "| plain-20 | 14 | 1 of 1 | 40 |"));
    rn_free(report);
    write_run_without("res-s1", 30, 100, "evaluation");
    ok(rn_reproduction_report(&counts, r, test_folder));
    report = read_file("curves.svg");
    assert_non_null(strstr(report, "res (14 layers here, unfinished)"));
    assert_non_null(strstr(report, "plain-20 (14 layers here)<"));
    rn_free(report);
    char path[128];
    snprintf(path, sizeof path, "%s/runs/plain-20-s1/environment-1.json", test_folder);
    unlink(path);
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
    assert_non_null(strstr(figure, "res (14 layers here, 1 of 2 runs)"));
    assert_non_null(strstr(figure, "plain-20 (14 layers here)<"));
    assert_non_null(strstr(figure, "thin: training error, means of 12 iterations; bold: test"));
    assert_non_null(strstr(figure, "; 0.0651 of the target"));
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
        cmocka_unit_test(a_run_that_cannot_be_read_is_one_failure),
        cmocka_unit_test(costs_are_reported),
        cmocka_unit_test(costs_of_different_machines_are_no_line),
        cmocka_unit_test(slow_rounds_change_nothing),
        cmocka_unit_test(a_report_says_everything),
        cmocka_unit_test(fewer_pictures_are_named),
        cmocka_unit_test(the_page_is_self_contained),
        cmocka_unit_test(what_a_run_is_not_is_said),
        cmocka_unit_test(curves_are_told_apart_without_colours),
        cmocka_unit_test(nothing_done_makes_a_report_as_well),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };

    return cmocka_run_group_tests_name("report", tests, make_test_folder, remove_test_folder);
}
