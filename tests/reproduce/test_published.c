// What the papers published, beside what came out.
#include "reproduce/outcome.h"
#include "reproduce/reproductions.h"

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

static void a_deviation_and_a_note_stand_once(void **state)
{
    rn_reproduction *r = small_reproduction(1);
    rn_report_counts counts;

    (void)state;
    write_all_runs();
    r->target->runs[1].published[RN_METRIC_TRAIN_ERROR] = 1;
    r->target->runs[1].note = "noted";
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "| 41 \u00b1 1.4 | curve only |  | 55 \u00b1 7.1 |  |  |"));
    assert_non_null(
        strstr(report, "| 8.75 \u00b1 0.25 (noted) | +12.2 | 25 \u00b1 7.1 | 1 | +24 |"));
    rn_free(report);
    rn_reproduction_free(r);
}

// Errors of plain-20 are 40, 42 and 20 %, of the other network 20 and 22 %.
static void medians_stand_beside_the_papers(void **state)
{
    rn_reproduction *r = seeded_reproduction(0, 3);
    rn_report_counts counts;

    (void)state;
    r->target->medians = true;
    write_all_runs();
    write_run("plain-20-s3", 60, 100);
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "\nMedian (mean \u00b1 standard deviation) over the runs that"));
    assert_non_null(strstr(report, "| plain-20 | 20 | 3 of 3 | 40 (34 \u00b1 12) |"));
    assert_non_null(strstr(report, "| 21 (21 \u00b1 1.4) | 8.75 \u00b1 0.25 | +12.2 |"));
    rn_free(report);
    report = read_file("report.json");
    assert_non_null(strstr(report, "\"mean\":\t34,"));
    assert_non_null(strstr(report, "\"median\":\t40,"));
    rn_free(report);
    rn_reproduction_free(r);
}

// As of a paper that has but curves, and numbers of other networks.
static void notes_need_no_numbers(void **state)
{
    rn_reproduction *r = small_reproduction(1);
    rn_target_run *published = &r->target->runs[1];
    rn_report_counts counts;

    (void)state;
    write_all_runs();
    published->published[RN_METRIC_TEST_ERROR] = published->published_deviation = NAN;
    published->published_first = RN_METRICS;
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "| runs trained | test error, % | paper | training error, % |"));
    assert_non_null(strstr(report, "| 41 \u00b1 1.4 | curve only | 55 \u00b1 7.1 |"));
    assert_non_null(strstr(report, "| 21 \u00b1 1.4 |  | 25 \u00b1 7.1 |"));
    rn_free(report);
    report = read_file("report.json");
    assert_non_null(strstr(report, "\"paper_note\":\t\"curve only\""));
    assert_null(strstr(report, "paper_deviation"));
    rn_free(report);
    rn_reproduction_free(r);
}

static const char lowest_target[] =
    "{\"name\":\"low\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"paper-cifar\",\"runs\":["
    "{\"model\":\"plain-20\"},{\"name\":\"res\",\"model\":\"resnet-20\",\"paper\":{"
    "\"best_test_error\":7.5,\"deviation\":0.5,\"note\":\"of 5\",\"test_loss\":1}}]}";

static void every_published_metric_is_shown(void **state)
{
    rn_reproduction *r;
    rn_report_counts counts;

    (void)state;
    ok(rn_reproduction_create(&r, parse_target(lowest_target), &small_settings));
    write_all_runs();
    ok(rn_reproduction_report(&counts, r, test_folder));
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "| test error, % | training error, % | test loss | paper | "
                                   "difference | lowest test error on the way, % | paper | "
                                   "difference |\n"));
    assert_non_null(strstr(report, "| 20 | 30 | 1.25 | 1 | +0.25 | 19 | 7.5 \u00b1 0.5 (of 5) | "
                                   "+11.5 |\n"));
    rn_free(report);
    report = read_file("report.json");
    assert_non_null(strstr(report, "\"paper_note\":\t\"of 5\""));
    assert_non_null(strstr(report, "\"paper\":\t7.5,"));
    assert_non_null(strstr(report, "\"paper_deviation\":\t0.5"));
    rn_free(report);
    rn_reproduction_free(r);
}

// Tables 2 and 3 of 2015.
static void ten_crops_stand_beside_the_papers(void **state)
{
    rn_reproduction *r = small_reproduction(1);
    rn_report_counts counts;

    (void)state;
    write_all_runs();
    r->target->ten_crops = true;
    r->target->runs[0].published[RN_METRIC_TEN_CROP_ERROR] = 30;
    for (int i = 0; i < r->job_count; i++) {
        char path[64];
        snprintf(path, sizeof path, "runs/%s/" RN_TEN_CROPS_FILE, r->jobs[i].name);
        write_file(path, "{\"protocol\":\"ten\",\"error\":31.5}");
    }
    ok(rn_reproduction_report(&counts, r, test_folder));
    assert_int_equal(counts.done, r->job_count);
    char *report = read_file("report.md");
    assert_non_null(strstr(report, "| test error of ten crops, % | paper | difference |"));
    assert_non_null(strstr(report, "| 31.5 \u00b1 0 | 30 | +1.5 |"));
    assert_non_null(strstr(report, "\n    resnet eval runs/plain-20-s1 --data "));
    rn_free(report);
    rn_reproduction_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_scale_one_numbers_stand_beside_the_papers),
        cmocka_unit_test(a_deviation_and_a_note_stand_once),
        cmocka_unit_test(medians_stand_beside_the_papers),
        cmocka_unit_test(notes_need_no_numbers),
        cmocka_unit_test(every_published_metric_is_shown),
        cmocka_unit_test(ten_crops_stand_beside_the_papers),
    };

    return cmocka_run_group_tests_name("published", tests, make_test_folder, remove_test_folder);
}
