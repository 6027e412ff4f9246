// Targets: the built-in ones hold together, and what is wrong in a file is named with its place.
#include "reproduce/outcome.h"
#include "reproduce/reproductions.h"

static void built_in_targets_can_be_made_at_any_scale(void **state)
{
    int count = 0;

    (void)state;
    for (; rn_target_name(count) != NULL; count++) {
        rn_target *target;
        rn_reproduction *r;
        rn_reproduce_settings settings = small_settings;
        ok(rn_target_load(&target, rn_target_name(count)));
        assert_string_equal(target->name, rn_target_name(count));
        double least = rn_target_least_scale(target);
        if (target->needs != NULL && strcmp(target->needs, "ImageNet") == 0) {
            settings.network = (rn_model_options){.classes = 1000};
            assert_true(target->ten_crops); // tables 2 and 3
        }
        settings.train_count = 50000;
        ok(rn_reproduction_create(&r, target, &settings));
        assert_int_equal(r->job_count, r->target->run_count * r->settings.seeds);
        rn_reproduction_free(r);
        ok(rn_target_load(&target, rn_target_name(count)));
        settings.scale = least;
        ok(rn_reproduction_create(&r, target, &settings));
        rn_reproduction_free(r);
    }
    assert_int_equal(count, 11);
    assert_null(rn_target_name(-1));
}

// A built-in target at scale 1, with its own seeds and the data that it needs.
static rn_reproduction *whole_target(int index)
{
    rn_target *target;
    rn_reproduction *r;
    rn_reproduce_settings settings = small_settings;

    ok(rn_target_load(&target, rn_target_name(index)));
    settings.data_name = target->needs;
    settings.train_count = 50000;
    if (target->needs != NULL && strcmp(target->needs, "ImageNet") == 0)
        settings.network = (rn_model_options){.classes = 1000};
    ok(rn_reproduction_create(&r, target, &settings));
    return r;
}

// A result that is all that a claim asks for: far on its side of the other, near it, on a line.
static double ideal_value(const rn_claim *claim, const rn_reproduction *r, int run)
{
    const double other = claim->than >= 0 ? 50 : claim->value;

    if (claim->kind == RN_CLAIM_LINEAR)
        return r->runs[run].depth;
    if (run != claim->of || claim->kind == RN_CLAIM_NEAR)
        return other;
    return claim->kind == RN_CLAIM_BELOW ? other - 20 : other + 20;
}

static void every_claim_can_be_decided(void **state)
{
    (void)state;
    for (int index = 0; rn_target_name(index) != NULL; index++) {
        rn_reproduction *r = whole_target(index);
        rn_outcome *outcomes = calloc((size_t)r->job_count, sizeof *outcomes);
        assert_non_null(outcomes);
        for (int i = 0; i < r->target->claim_count; i++) {
            const rn_claim *claim = &r->target->claims[i];
            char text[RN_VERDICT_TEXT];
            for (int job = 0; job < r->job_count; job++) {
                outcomes[job].state = RN_JOB_DONE;
                outcomes[job].value[claim->metric] = ideal_value(claim, r, r->jobs[job].run);
            }
            if (rn_claim_judge(text, claim, r, outcomes) != RN_VERDICT_SHOWN)
                fail_msg("%s: '%s' cannot be shown: %s", r->target->name, claim->text, text);
        }
        free(outcomes);
        rn_reproduction_free(r);
    }
}

static const char *const published[][3] = {
    {"table6", "resnet-20", "8.75"},
    {"table6", "resnet-1202", "7.93"},
    {"fig4", "plain-34", "28.54"},
    {"fig4", "resnet-34", "25.03"},
    {"shortcuts", "resnet-34-C", "24.19"},
    {"preact-table1", "exclusive-gate-6", "8.7"},
    {"preact-table2", "164-e", "5.46"},
    {"preact-table2", "110-b", "8.17"},
    {"preact-table3", "preact-1001", "4.92"},
    {"preact-table3", "original-110-single", "9.9"},
};

static void published_numbers_are_the_papers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        rn_target *target;
        bool found = false;
        ok(rn_target_load(&target, published[i][0]));
        for (int k = 0; k < target->run_count; k++)
            if (strcmp(target->runs[k].name, published[i][1]) == 0) {
                found = true;
                assert_true(target->runs[k].published[target->ten_crops ? RN_METRIC_TEN_CROP_ERROR
                                                                        : RN_METRIC_TEST_ERROR] ==
                            strtod(published[i][2], NULL));
            }
        assert_true(found);
        rn_target_free(target);
    }
}

static void what_fails_in_the_paper_is_claimed_to_fail(void **state)
{
    rn_target *target;

    (void)state;
    ok(rn_target_load(&target, "preact-table1"));
    for (int i = 0; i < target->run_count; i++) {
        const char *note = target->runs[i].note;
        bool fails = note != NULL && strcmp(note, "fails: above 20") == 0, claimed = false;
        for (int k = 0; k < target->claim_count; k++) {
            const rn_claim *claim = &target->claims[k];
            claimed |= claim->of == i && claim->kind == RN_CLAIM_ABOVE && claim->value == 20;
        }
        assert_int_equal(claimed, fails);
    }
    rn_target_free(target);
}

static void a_target_is_read_as_it_is_written(void **state)
{
    rn_target *target = parse_target(small_target);

    (void)state;
    assert_string_equal(target->name, "small");
    assert_int_equal(target->seeds, 2);
    assert_int_equal(target->run_count, 2);
    assert_string_equal(target->runs[0].name, "plain-20");
    assert_string_equal(target->runs[1].name, "res");
    assert_string_equal(target->runs[1].recipe, "paper-cifar");
    assert_true(isnan(target->runs[0].published[RN_METRIC_TEST_ERROR]));
    assert_string_equal(target->runs[0].note, "curve only");
    assert_true(target->runs[1].published_deviation == 0.25);
    assert_int_equal(target->claim_count, 2);
    assert_int_equal(target->claims[0].kind, RN_CLAIM_BELOW);
    assert_int_equal(target->claims[0].of, 1);
    assert_int_equal(target->claims[0].than, 0);
    assert_true(target->claims[0].margin == 0.5);
    assert_int_equal(target->claims[1].than, -1);
    assert_true(target->claims[1].value == 50);
    assert_false(target->medians);
    assert_int_equal(target->scale_count, 3);
    assert_true(fabs(rn_target_least_scale(target) - 0.01) < 1e-12);
    assert_int_equal(target->deviation_count, 1);
    rn_target_free(target);
}

#define HEAD "\"name\":\"a\",\"title\":\"t\",\"paper\":\"p\""
#define RUNS "\"recipe\":\"quick\",\"runs\":[{\"model\":\"resnet-8\"},{\"model\":\"resnet-14\"}]"
#define CLAIM(text) "{" HEAD "," RUNS ",\"claims\":[{" text "}]}"
#define COST(keys) "{" HEAD ",\"kind\":\"cost\",\"runs\":[{\"model\":\"resnet-8\"}]" keys "}"
#define ABOUT "\"text\":\"c\",\"metric\":\"test_error\""

static const char *const wrong[][2] = {
    {"{", "JSON syntax error at byte"},
    {"[]", "not an object"},
    {"{\"name\":\"a\",\"title\":\"t\"," RUNS "}", "'paper' is missing"},
    {"{\"name\":\"\",\"title\":\"t\",\"paper\":\"p\"," RUNS "}", "'name' is empty"},
    {"{\"name\":\"../a\",\"title\":\"t\",\"paper\":\"p\"," RUNS "}", "name '../a' is not"},
    {"{\"name\":1,\"title\":\"t\",\"paper\":\"p\"," RUNS "}", "'name' is not a text"},
    {"{" HEAD "," RUNS ",\"seed\":1}", "unknown key 'seed'; did you mean 'seeds'?"},
    {"{" HEAD "," RUNS ",\"seeds\":0}", "'seeds' is 0, expected 1 to 1000"},
    {"{" HEAD "," RUNS ",\"seeds\":1.5}", "'seeds' is 1.5, expected a whole number"},
    {"{" HEAD "," RUNS ",\"kind\":\"speed\"}", "'kind' is 'speed', expected training or cost"},
    {"{" HEAD "," RUNS ",\"statistic\":\"mode\"}",
     "'statistic' is 'mode', expected mean or median"},
    {"{" HEAD "," RUNS ",\"settings\":[]}", "'settings' is not an object"},
    {"{" HEAD ",\"recipe\":\"quick\"}", "'runs' is missing"},
    {"{" HEAD ",\"recipe\":\"quick\",\"runs\":[]}", "0 runs, expected 1 to 64"},
    {"{" HEAD ",\"recipe\":\"quick\",\"runs\":[1]}", "runs[0] is not an object"},
    {"{" HEAD ",\"recipe\":\"quick\",\"runs\":{}}", "'runs' is not an array"},
    {"{" HEAD ",\"runs\":[{\"model\":\"resnet-8\"}]}", "runs[0]: 'recipe' is missing"},
    {"{" HEAD ",\"recipe\":\"quick\",\"runs\":[{\"model\":\"resnet-9\"}]}", "runs[0]: "},
    {"{" HEAD ",\"recipe\":\"quick\",\"runs\":[{\"model\":\"resnet-8\"},{\"model\":\"resnet-8\"}]}",
     "runs[1]: a second run named 'resnet-8'"},
    {"{" HEAD ",\"recipe\":\"quick\",\"runs\":[{\"model\":\"resnet-8:shortcut=B\"}]}",
     "runs[0]: name 'resnet-8:shortcut=B' is not 1 to 48 letters"},
    {"{" HEAD
     ",\"recipe\":\"quick\",\"runs\":[{\"model\":\"resnet-8\",\"paper\":{\"tst_error\":1}}]}",
     "runs[0]: paper: unknown metric 'tst_error'; did you mean 'test_error'?"},
    {"{" HEAD ",\"recipe\":\"quick\",\"runs\":[{\"model\":\"resnet-8\",\"paper\":3}]}",
     "runs[0]: paper is not an object"},
    {"{" HEAD
     ",\"recipe\":\"quick\",\"runs\":[{\"model\":\"resnet-8\",\"paper\":{\"deviation\":3}}]}",
     "runs[0]: paper: 'deviation' without a number"},
    {CLAIM(ABOUT ",\"of\":\"resnet-8\""), "claims[0]: 0 of below, above, near and linear"},
    {CLAIM(ABOUT ",\"of\":\"resnet-8\",\"below\":1,\"above\":2"), "claims[0]: 2 of below"},
    {CLAIM(ABOUT ",\"of\":\"resnet-9\",\"below\":1"), "no run is named 'resnet-9'; did you mean"},
    {CLAIM(ABOUT ",\"of\":\"resnet-8\",\"below\":\"resnet-8\""), "compared with itself"},
    {CLAIM(ABOUT ",\"of\":\"resnet-8\",\"below\":true"), "'below' is neither a run's name nor a"},
    {CLAIM(ABOUT ",\"below\":1"), "claims[0]: 'of' is missing"},
    {CLAIM(ABOUT ",\"linear\":[\"resnet-8\"]"), "not an array of 3 runs or more"},
    {CLAIM(ABOUT ",\"of\":\"resnet-8\",\"linear\":[]"), "'of' has no meaning beside 'linear'"},
    {CLAIM(ABOUT ",\"linear\":[\"resnet-8\",\"resnet-14\",3]"), "linear[2] is not a run's name"},
    {CLAIM(ABOUT ",\"linear\":[\"resnet-8\",\"resnet-14\",\"resnet-8\"]"),
     "'resnet-8' stands twice in 'linear'"},
    {CLAIM(ABOUT ",\"of\":\"resnet-8\",\"below\":1,\"margin\":-1"), "'margin' is -1"},
    {CLAIM("\"text\":\"c\",\"metric\":\"step_bytes\",\"of\":\"resnet-8\",\"below\":1"),
     "metric 'step_bytes' is not measured by a target of kind 'training'"},
    {CLAIM("\"text\":\"c\",\"metric\":\"response_std\",\"of\":\"resnet-8\",\"below\":1"),
     "needs \"responses\": true"},
    {CLAIM("\"text\":\"c\",\"metric\":\"ten_crop_error\",\"of\":\"resnet-8\",\"below\":1"),
     "needs \"ten_crops\": true"},
    {"{" HEAD "," RUNS ",\"scale\":[{\"of\":\"batch\",\"least\":0.5}]}",
     "scale[0]: 'of' is 'batch', expected iterations, data, depth or width"},
    {"{" HEAD "," RUNS ",\"scale\":[{\"of\":\"depth\"}]}", "scale[0]: 'least' is missing"},
    {"{" HEAD "," RUNS ",\"scale\":[{\"of\":\"depth\",\"least\":2}]}", "'least' is 2, expected"},
    {"{" HEAD "," RUNS
     ",\"scale\":[{\"of\":\"depth\",\"least\":0.5},{\"of\":\"depth\",\"least\":0.5}]}",
     "scale[1]: 'depth' stands twice"},
    {"{" HEAD ",\"recipe\":\"quick\",\"runs\":[{\"model\":\"resnet-8\"},{\"model\":\"vgg-16\"}],"
     "\"scale\":[{\"of\":\"depth\",\"least\":0.5}]}",
     "scale[0]: 'depth' cannot be shrunk: 'vgg-16' is not made of units"},
    {"{" HEAD "," RUNS ",\"batch\":128}", "'batch' is not for a target of kind 'training'"},
    {COST(",\"evaluations\":5"), "'evaluations' is not for a target of kind 'cost'"},
    {COST(",\"responses\":true"), "'responses' is not for a target of kind 'cost'"},
    {COST(",\"ten_crops\":true"), "'ten_crops' is not for a target of kind 'cost'"},
    {COST(",\"recipe\":\"quick\""), "'recipe' is not for a target of kind 'cost'"},
    {COST(",\"settings\":{}"), "'settings' is not for a target of kind 'cost'"},
    {COST(",\"statistic\":\"median\""), "'statistic' is not for a target of kind 'cost'"},
    {COST(",\"needs\":\"CIFAR-10\""), "'needs' is not for a target of kind 'cost'"},
    {COST(",\"source\":\"data\""), "'source' is not for a target of kind 'cost'"},
    {COST(",\"scale\":[{\"of\":\"data\",\"least\":0.5}]"),
     "scale[0]: 'of' is 'data', expected depth or width in a target of kind 'cost'"},
    {COST(",\"scale\":[{\"of\":\"iterations\",\"least\":0.5}]"), "'of' is 'iterations', expected"},
    {"{" HEAD ",\"kind\":\"cost\",\"runs\":[{\"model\":\"resnet-8\",\"recipe\":\"quick\"}]}",
     "runs[0]: 'recipe' is not for a target of kind 'cost'"},
    {"{" HEAD
     ",\"kind\":\"cost\",\"runs\":[{\"model\":\"resnet-8\",\"paper\":{\"test_error\":1}}]}",
     "runs[0]: paper: metric 'test_error' is not measured by a target of kind 'cost'"},
    {"{" HEAD "," RUNS ",\"deviations\":\"none\"}", "'deviations' is not an array"},
    {"{" HEAD "," RUNS ",\"deviations\":[1]}", "deviations[0] is not a text"},
};

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rn_target *target = (rn_target *)&target;
        if (rn_target_parse(&target, wrong[i][0], "target 'test'") != RN_EFORMAT)
            fail_msg("%s was taken", wrong[i][0]);
        assert_null(target);
        assert_message("target 'test'");
        assert_message(wrong[i][1]);
    }
}

static void names_and_files_are_told_apart(void **state)
{
    rn_target *target;

    (void)state;
    assert_int_equal(rn_target_load(&target, "fig66"), RN_ENOTFOUND);
    assert_message("unknown target 'fig66'; did you mean 'fig6'?");
    assert_null(target);
    assert_int_equal(rn_target_load(&target, "something else"), RN_ENOTFOUND);
    assert_message("expected one of those of");
    assert_int_equal(rn_target_load(&target, "/nowhere/x.json"), RN_ENOTFOUND);
    write_file("mine.json", small_target);
    char path[128];
    snprintf(path, sizeof path, "%s/mine.json", test_folder);
    ok(rn_target_load(&target, path));
    assert_string_equal(target->title, "Two networks | one & <two>");
    rn_target_free(target);
    write_file("mine.json", "{}");
    assert_int_equal(rn_target_load(&target, path), RN_EFORMAT);
    assert_message("mine.json': 'name' is missing");
}

static void every_failed_allocation_is_survived(void **state)
{
    fail_allocation plan;
    rn_target *target;
    int which = 0;

    (void)state;
    do {
        fail_allocation_start(&plan, which++);
        rn_status st = rn_target_load(&target, "preact-table1");
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((target == NULL) == plan.hit);
    } while (plan.hit);
    assert_true(which > 5);
    rn_target_free(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_targets_can_be_made_at_any_scale),
        cmocka_unit_test(every_claim_can_be_decided),
        cmocka_unit_test(published_numbers_are_the_papers),
        cmocka_unit_test(what_fails_in_the_paper_is_claimed_to_fail),
        cmocka_unit_test(a_target_is_read_as_it_is_written),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(names_and_files_are_told_apart),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };

    return cmocka_run_group_tests_name("target", tests, make_test_folder, remove_test_folder);
}
