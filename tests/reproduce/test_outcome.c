// Results and claims from run folders as trainings leave them.
#include "reproduce/mean_curve.h"
#include "reproduce/outcome.h"
#include "reproduce/reproductions.h"

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

// Steps 1 to 50, 51 to 85 and 86 to 100; an epoch is 20 of them.
static void only_the_last_epoch_is_its_training_error(void **state)
{
    static const char step[] = "{\"event\":\"step\",\"iteration\":%d,\"iterations\":100,"
                               "\"epoch\":1,\"seconds\":1,\"loss\":%d,\"error\":%d,\"lr\":0.1}\n";
    rn_reproduction *r = small_reproduction(0.05);
    rn_outcome outcome;
    char text[2048];
    int used = snprintf(text, sizeof text, "%s", start_line);

    (void)state;
    used += snprintf(text + used, sizeof text - (size_t)used, step, 50, 9, 90);
    used += snprintf(text + used, sizeof text - (size_t)used, step, 85, 4, 40);
    used += snprintf(text + used, sizeof text - (size_t)used, step, 100, 2, 20);
    snprintf(text + used, sizeof text - (size_t)used,
             "{\"event\":\"evaluation\",\"iteration\":100,\"iterations\":100,\"epoch\":5,"
             "\"seconds\":1,\"loss\":1,\"error\":1,\"set\":\"test\",\"count\":500,\"wrong\":5}\n"
             "{\"event\":\"end\",\"iteration\":100,\"iterations\":100,\"epoch\":5,\"seconds\":1,"
             "\"status\":\"success\",\"text\":\"\"}\n");
    write_file("runs/plain-20-s1/log.jsonl", text);
    ok(rn_outcome_read(&outcome, r, 0, test_folder));
    assert_int_equal(outcome.state, RN_JOB_DONE);
    assert_true(outcome.value[RN_METRIC_TRAIN_ERROR] == (5 * 40 + 15 * 20) / 20.0);
    assert_true(outcome.value[RN_METRIC_TRAIN_LOSS] == (5 * 4 + 15 * 2) / 20.0);
    rn_outcome_release(&outcome);
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

static void assert_share(const char *log, double expected)
{
    rn_reproduction *r = small_reproduction(0.05);
    double share;

    write_file("runs/plain-20-s1/log.jsonl", log);
    ok(rn_job_share(&share, r, 0, test_folder));
    if (share != expected)
        fail_msg("share %g instead of %g", share, expected);
    rn_reproduction_free(r);
}

static void a_run_is_done_in_part(void **state)
{
    char text[1024];

    (void)state;
    assert_share("{damage}\n", 0);
    assert_share(start_line, 0);
    snprintf(text, sizeof text, "%s%s%s", start_line,
             "{\"event\":\"step\",\"iteration\":25,\"iterations\":100,\"epoch\":1,\"seconds\":1,"
             "\"loss\":1,\"error\":90,\"lr\":0.1}\n",
             END("interrupted", "stopped"));
    assert_share(text, 0.25);
    snprintf(text, sizeof text, "%s%s", start_line,
             END("training diverged", "the loss is not finite after 5 iterations"));
    assert_share(text, 1); // nothing is left to do
    write_all_runs();
    char *log = read_file("runs/plain-20-s1/log.jsonl");
    assert_share(log, 1);
    rn_free(log);
}

static void the_last_line_says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *line;
        bool error;
    } cases[] = {
        {"resnet: note: hm\nresnet: error: no such data\n", "no such data", true},
        {"resnet: error: no option\ntry 'resnet bench --help'\n", "no option", true},
        {"resnet: note: hm\n\n", "resnet: note: hm", false},
        {"try 'resnet bench --help'\n", "try 'resnet bench --help'", false},
        {"\n\n", "", false},
        {"", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        bool error;
        snprintf(text, sizeof text, "%s", cases[i].text);
        assert_string_equal(rn_run_last_line(&error, text), cases[i].line);
        assert_int_equal(error, cases[i].error);
    }
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

static void ten_crops_are_part_of_a_run(void **state)
{
    static const char file[] = "runs/plain-20-s1/" RN_TEN_CROPS_FILE;
    rn_reproduction *r = small_reproduction(0.05);
    rn_outcome outcome;
    rn_job_state found;

    (void)state;
    write_all_runs();
    r->target->ten_crops = true;
    ok(rn_job_find(&found, r, 0, test_folder));
    assert_int_equal(found, RN_JOB_TEN_CROPS);
    write_file(file, "{\"protocol\":\"ten\",\"error\":27.94}");
    ok(rn_outcome_read(&outcome, r, 0, test_folder));
    assert_int_equal(outcome.state, RN_JOB_DONE);
    assert_true(outcome.value[RN_METRIC_TEN_CROP_ERROR] == 27.94);
    rn_outcome_release(&outcome);
    write_file(file, "{\"protocol\":\"ten\"}");
    ok(rn_outcome_read(&outcome, r, 0, test_folder));
    assert_int_equal(outcome.state, RN_JOB_TEN_CROPS); // to be evaluated again
    assert_true(outcome.failed && rn_outcome_is_trained(&outcome));
    assert_non_null(strstr(outcome.message, "ten-crops.json': 'error' is missing"));
    rn_outcome_release(&outcome);
    rn_reproduction_free(r);
}

// Claims

// Infinity: it diverged.
static void set_error(rn_outcome *outcome, double error)
{
    outcome->state = isinf(error) ? RN_JOB_DIVERGED : RN_JOB_DONE;
    outcome->value[RN_METRIC_TEST_ERROR] = isinf(error) ? NAN : error;
    outcome->value[RN_METRIC_TEST_LOSS] = outcome->value[RN_METRIC_TEST_ERROR];
}

// Two seeds of each network; the claim begins with its metric.
static rn_verdict judge_metric(const char *claim, const double *first, const double *second)
{
    static const char head[] =
        "{\"name\":\"c\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"quick\","
        "\"runs\":[{\"model\":\"plain-8\"},{\"model\":\"resnet-8\"}],"
        "\"seeds\":2,\"claims\":[{\"text\":\"c\",\"of\":\"resnet-8\",\"metric\":";
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
    if (isinf(second[1]) && verdict != RN_VERDICT_MISSING)
        assert_non_null(strstr(text, "of 2 runs of resnet-8 diverged"));
    rn_reproduction_free(r);
    return verdict;
}

static rn_verdict judge(const char *claim, const double *first, const double *second)
{
    char text[128];

    snprintf(text, sizeof text, "\"test_error\",%s", claim);
    return judge_metric(text, first, second);
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

static void survivors_of_divergence_decide_nothing(void **state)
{
    static const char near[] = "\"near\":\"plain-8\",\"margin\":1";
    static const char loss[] = "\"test_loss\",\"below\":\"plain-8\",\"margin\":1";
    const double ten[] = {10, 10}, nine[] = {9.5, INFINITY}, one[] = {1, INFINITY};

    (void)state;
    assert_int_equal(judge(near, ten, nine), RN_VERDICT_UNDECIDED);
    assert_int_equal(judge(near, nine, ten), RN_VERDICT_UNDECIDED);
    assert_int_equal(judge_metric(loss, ten, one), RN_VERDICT_UNDECIDED);
    assert_int_equal(judge_metric(loss, ten, (const double[]){1, 1}), RN_VERDICT_SHOWN);
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
    assert_true(isnan(rn_line_fit(x, (const double[]){5, 0, 5, 5}, 4).residual));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_become_results),
        cmocka_unit_test(only_the_last_epoch_is_its_training_error),
        cmocka_unit_test(curves_are_means_over_seeds),
        cmocka_unit_test(unfinished_runs_are_told_apart),
        cmocka_unit_test(a_run_is_done_in_part),
        cmocka_unit_test(the_last_line_says_what_is_wrong),
        cmocka_unit_test(only_the_end_of_a_run_is_its_result),
        cmocka_unit_test(weights_without_a_log_are_to_be_resumed),
        cmocka_unit_test(responses_are_part_of_a_run),
        cmocka_unit_test(ten_crops_are_part_of_a_run),
        cmocka_unit_test(claims_are_judged_with_margin_and_deviation),
        cmocka_unit_test(survivors_of_divergence_decide_nothing),
        cmocka_unit_test(lines_are_fitted),
    };

    return cmocka_run_group_tests_name("outcome", tests, make_test_folder, remove_test_folder);
}
