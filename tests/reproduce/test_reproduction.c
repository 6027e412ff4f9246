// Scaling, commands, estimates and the plan's file.
#include "reproduce/reproductions.h"

static void scale_one_changes_nothing(void **state)
{
    rn_reproduction *r = small_reproduction(0);

    (void)state;
    assert_true(r->settings.scale == 1);
    assert_string_equal(r->runs[1].model, "resnet-20");
    assert_int_equal(r->runs[1].iterations, 64000);
    assert_int_equal(r->runs[1].recipe.schedule.milestone[1], 48000);
    assert_int_equal(r->runs[1].recipe.batch, 50);
    assert_true(r->runs[0].recipe.schedule.lr == 0.1);
    assert_true(r->runs[1].recipe.schedule.lr == 0.05);
    assert_int_equal(r->runs[1].evaluations, 20);
    assert_true(r->runs[1].evaluate_every == 160); // 64,000 of 20 an epoch, in 20 parts
    assert_int_equal(r->runs[1].depth, 20);
    assert_true(fabs(r->runs[1].multiply_adds / 0.041e9 - 1) < 0.02);
    assert_int_equal(r->job_count, 4);
    assert_string_equal(r->jobs[0].name, "plain-20-s1");
    assert_string_equal(r->jobs[1].name, "res-s1");
    assert_string_equal(r->jobs[3].name, "res-s2");
    rn_reproduction_free(r);
}

static void iterations_are_shrunk_first(void **state)
{
    rn_reproduction *r = small_reproduction(0.25);

    (void)state;
    assert_true(r->factor[RN_SCALE_ITERATIONS] == 0.25);
    assert_true(r->factor[RN_SCALE_DEPTH] == 1 && r->factor[RN_SCALE_WIDTH] == 1);
    assert_int_equal(r->runs[0].iterations, 16000);
    assert_int_equal(r->runs[0].recipe.schedule.milestone[0], 8000);
    assert_int_equal(r->runs[0].recipe.schedule.milestone[1], 12000);
    assert_int_equal(r->runs[0].evaluations, 10); // never below 10 of 20
    assert_string_equal(r->runs[0].model, "plain-20");
    rn_reproduction_free(r);
}

static void then_depth_then_width(void **state)
{
    rn_reproduction *r = small_reproduction(0.07); // 0.1 x 0.7

    (void)state;
    assert_true(fabs(r->factor[RN_SCALE_DEPTH] - 0.7) < 1e-9);
    assert_string_equal(r->runs[0].model, "plain-14");
    rn_reproduction_free(r);
    r = small_reproduction(0.01);
    assert_true(fabs(r->factor[RN_SCALE_ITERATIONS] - 0.1) < 1e-9);
    assert_true(fabs(r->factor[RN_SCALE_DEPTH] - 0.4) < 1e-9);
    assert_true(fabs(r->factor[RN_SCALE_WIDTH] - 0.5) < 1e-9);
    assert_string_equal(r->runs[0].model, "plain-8:width=8");
    assert_string_equal(r->runs[1].model, "resnet-8:width=8");
    rn_reproduction_free(r);
}

static void what_comes_of_a_scale_is_counted(void **state)
{
    rn_reproduction *r;
    rn_reproduce_settings settings = small_settings;
    static const char text[] =
        "{\"name\":\"w\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"quick\","
        "\"settings\":{\"iterations\":13},\"runs\":[{\"model\":\"resnet-20\"}],"
        "\"scale\":[{\"of\":\"width\",\"least\":0.5},{\"of\":\"iterations\",\"least\":0.1}]}";

    (void)state;
    settings.scale = 0.5; // 0.71 of 16 channels: 8, not 11
    ok(rn_reproduction_create(&r, parse_target(text), &settings));
    assert_int_equal(r->runs[0].whole.channels, 16);
    assert_int_equal(r->runs[0].channels, 8);
    assert_true(rn_reproduction_cost(r) > 0.25 && rn_reproduction_cost(r) < 0.27);
    rn_reproduction_free(r);
    settings.scale = 0.05; // 0.2 of 13 iterations: 3, of which 13 cannot be computed back
    ok(rn_reproduction_create(&r, parse_target(text), &settings));
    assert_int_equal(r->runs[0].iterations, 3);
    assert_int_equal(r->runs[0].whole.iterations, 13);
    rn_reproduction_free(r);
}

static void fewer_pictures_leave_as_many_epochs(void **state)
{
    rn_reproduction *r;
    static const char text[] =
        "{\"name\":\"d\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"paper-cifar\","
        "\"settings\":{\"batch\":50,\"hold_out\":200,\"iterations\":1600,"
        "\"milestones\":[800,1200]},\"runs\":[{\"model\":\"resnet-8\"},"
        "{\"model\":\"resnet-8\",\"name\":\"epochs\",\"recipe\":\"quick\",\"settings\":"
        "{\"iterations\":0,\"epochs\":40}}],"
        "\"scale\":[{\"of\":\"data\",\"least\":0.1}]}";
    rn_reproduce_settings settings = small_settings;

    (void)state;
    settings.scale = 0.25;
    ok(rn_reproduction_create(&r, parse_target(text), &settings));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(r->runs[i].images, 200);
        assert_int_equal(r->runs[i].recipe.train_images, 200);
        assert_int_equal(r->runs[i].whole.images, 800);
        assert_int_equal(r->runs[i].evaluations, 100);
    }
    assert_int_equal(r->runs[0].iterations, 400);
    assert_int_equal(r->runs[0].recipe.schedule.milestone[0], 200);
    assert_true(r->runs[0].evaluate_every == 1);
    assert_true(r->runs[1].recipe.epochs == 40);
    assert_true(rn_reproduction_cost(r) == 0.25);
    rn_reproduction_free(r);
}

static void patience_shrinks_with_the_evaluations(void **state)
{
    rn_reproduction *r;
    rn_reproduce_settings settings = small_settings;
    static const char text[] =
        "{\"name\":\"p\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"quick\",\"evaluations\":100,"
        "\"settings\":{\"schedule\":\"plateau\",\"patience\":10,\"iterations\":1000},"
        "\"runs\":[{\"model\":\"resnet-8\"}],\"scale\":[{\"of\":\"iterations\",\"least\":0.01}]}";

    (void)state;
    settings.scale = 0.2;
    ok(rn_reproduction_create(&r, parse_target(text), &settings));
    assert_int_equal(r->runs[0].evaluations, 20);
    assert_int_equal(r->runs[0].recipe.schedule.patience, 2);
    rn_reproduction_free(r);
    settings.scale = 0.02; // 10 evaluations remain
    ok(rn_reproduction_create(&r, parse_target(text), &settings));
    assert_int_equal(r->runs[0].recipe.schedule.patience, 1);
    rn_reproduction_free(r);
}

static void imagenet_is_known_by_its_classes(void **state)
{
    char ids[1000][16], *names[1000], *text;
    rn_samples samples = {.name = "ilsvrc train", .classes = 1000, .label_names = names};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(ids[i], sizeof ids[i], "n%08d", 1440764 + i);
        names[i] = ids[i];
    }
    ok(rn_reproduce_data_name(&text, &samples));
    assert_string_equal(text, "ImageNet (ilsvrc train)");
    rn_text_free(text);
    names[999] = "cat";
    ok(rn_reproduce_data_name(&text, &samples));
    assert_string_equal(text, "ilsvrc train");
    rn_text_free(text);
    samples.classes = 100;
    ok(rn_reproduce_data_name(&text, &samples));
    assert_string_equal(text, "ilsvrc train");
    rn_text_free(text);
}

static void networks_of_different_depth_stay_different(void **state)
{
    static const char text[] =
        "{\"name\":\"d\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"quick\",\"runs\":["
        "{\"model\":\"resnet-110\"},{\"model\":\"resnet-20\"},{\"model\":\"resnet-44\"},"
        "{\"model\":\"resnet-32\"},{\"model\":\"plain-32\"},{\"model\":\"preact-164\"},"
        "{\"name\":\"scaled\",\"model\":\"resnet-110:path=scale;shortcut-scale=0\"},"
        "{\"name\":\"r34\",\"model\":\"resnet-34\"}],"
        "\"scale\":[{\"of\":\"depth\",\"least\":0.1}]}";
    static const char *const expected[] = {"resnet-26",
                                           "resnet-8",
                                           "resnet-20",
                                           "resnet-14",
                                           "plain-14",
                                           "preact-38:block=bottleneck;shortcut=B",
                                           "resnet-26:path=scale;shortcut-scale=0",
                                           NULL};
    rn_reproduction *r;
    rn_reproduce_settings settings = small_settings;

    (void)state;
    settings.scale = 0.2; // of 3, 5, 7 and 18 units a stage: 1, 1, 1 and 4
    ok(rn_reproduction_create(&r, parse_target(text), &settings));
    for (int i = 0; expected[i] != NULL; i++)
        assert_string_equal(r->runs[i].model, expected[i]);
    assert_true(r->runs[7].depth > 8);
    rn_reproduction_free(r);
}

static void settings_that_do_not_fit_are_refused(void **state)
{
    rn_reproduction *r;
    rn_reproduce_settings settings = small_settings;

    (void)state;
    settings.scale = 0.0099;
    assert_int_equal(rn_reproduction_create(&r, parse_target(small_target), &settings), RN_EINVAL);
    assert_message("scale 0.0099 is below 0.01, the least of target 'small'");
    assert_null(r);
    settings = small_settings;
    settings.source = NULL;
    assert_int_equal(rn_reproduction_create(&r, parse_target(small_target), &settings), RN_EINVAL);
    assert_message("needs data");
    settings = small_settings;
    settings.seeds = 1001;
    assert_int_equal(rn_reproduction_create(&r, parse_target(small_target), &settings), RN_EINVAL);
    assert_message("1001 runs");
    static const char text[] =
        "{\"name\":\"d\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"quick\",\"runs\":["
        "{\"model\":\"resnet-8\",\"settings\":{\"lr\":\"high\"}}]}";
    assert_int_equal(rn_reproduction_create(&r, parse_target(text), &small_settings), RN_EFORMAT);
    assert_message("settings of 'resnet-8'");
    static const char held[] =
        "{\"name\":\"d\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"quick\",\"runs\":["
        "{\"model\":\"resnet-8\",\"settings\":{\"hold_out\":1000}}]}";
    assert_int_equal(rn_reproduction_create(&r, parse_target(held), &small_settings), RN_EINVAL);
    assert_message("holds out 1000 pictures, there are 1000");
    static const char many[] =
        "{\"name\":\"d\",\"title\":\"t\",\"paper\":\"p\",\"recipe\":\"quick\",\"runs\":["
        "{\"model\":\"resnet-8\",\"settings\":{\"hold_out\":100,\"train_images\":901}}]}";
    assert_int_equal(rn_reproduction_create(&r, parse_target(many), &small_settings), RN_EINVAL);
    assert_message("trains on 901 pictures, there are 900");
}

static void assert_command(const rn_reproduction *r, int job, rn_job_state wanted,
                           const char *expected)
{
    rn_words words;
    char *text;

    ok(rn_job_command(&words, r, job, wanted));
    ok(rn_words_text(&text, &words));
    assert_string_equal(text, expected);
    rn_free(text);
    rn_words_release(&words);
}

static void jobs_are_command_lines(void **state)
{
    rn_reproduction *r;
    rn_reproduce_settings settings = small_settings;

    (void)state;
    settings.scale = 0.5;
    settings.memory = "2G";
    settings.source = "/data/it's";
    ok(rn_reproduction_create(&r, parse_target(small_target), &settings));
    assert_command(
        r, 3, RN_JOB_NEW,
        "resnet train resnet-20 --data '/data/it'\\''s' --recipe recipes/res.json --seed 2 "
        "--evaluate-every 160 --log-every 64 --checkpoint-every 500 --keep 2 --threads 2 "
        "--memory 2G --quiet --out runs/res-s2");
    assert_command(r, 3, RN_JOB_PARTIAL, "resnet train --resume runs/res-s2 --quiet");
    assert_command(r, 0, RN_JOB_RESPONSES,
                   "resnet responses runs/plain-20-s1 --data '/data/it'\\''s' --threads 2");
    assert_command(r, 0, RN_JOB_TEN_CROPS,
                   "resnet eval runs/plain-20-s1 --data '/data/it'\\''s' --protocol ten --json "
                   "--threads 2");
    rn_words words;
    char *text;
    ok(rn_run_bench_command(&words, r, 0, true));
    ok(rn_words_text(&text, &words));
    assert_string_equal(text, "resnet bench plain-20 --batch 50 --threads 2 --classes 10 --input "
                              "3x32x32 --json --steps 3 --memory 2G");
    rn_free(text);
    rn_words_release(&words);
    r->runs[0].recipe.dtype = RN_BFLOAT16;
    ok(rn_run_bench_command(&words, r, 0, true));
    ok(rn_words_text(&text, &words));
    assert_non_null(strstr(text, " --dtype bfloat16 "));
    rn_free(text);
    rn_words_release(&words);
    rn_reproduction_free(r);
}

static void estimates_add_up(void **state)
{
    rn_reproduction *r = small_reproduction(0.1); // 6,400 steps, 10 evaluations of 4 batches
    const rn_run_cost costs[2] = {{{0.5, 1e9}, {0.25, 1e8}}, {{0.25, 2e9}, {0.25, 0}}};
    const double done[4] = {1, 0, 1, 0}, halves[4] = {0.5, 1, 0.5, 0.75};
    rn_estimate one, two, rest;

    (void)state;
    assert_true(rn_run_seconds(r, 0, &costs[0]) == 2 + 6400 * 0.5 + 10 * 4 * 0.25);
    r->runs[0].recipe.tta = RN_TTA_FLIP;
    r->runs[0].recipe.hold_out = 129; // two batches more
    assert_true(rn_run_seconds(r, 0, &costs[0]) == 2 + 6400 * 0.5 + 10 * 2 * (4 + 2) * 0.25);
    r->runs[0].recipe.tta = RN_TTA_NONE;
    r->runs[0].recipe.hold_out = 0;
    ok(rn_reproduction_estimate(&one, r, costs, 1, 1, NULL));
    assert_true(one.seconds == 2 * (3212 + 1612));
    ok(rn_reproduction_estimate(&two, r, costs, 2, 2, NULL));
    assert_true(two.seconds == 3212 + 1612); // 3212 beside 1612, which takes the next 3212, ...
    assert_true(two.bytes > 4e9 && two.bytes < 4.2e9);
    ok(rn_reproduction_estimate(&rest, r, costs, 4, 2, NULL)); // four that two processors share
    assert_true(rest.seconds == two.seconds && rest.bytes > 6e9);
    ok(rn_reproduction_estimate(&rest, r, costs, 2, 2, done));
    assert_true(rest.seconds == 1612);
    ok(rn_reproduction_estimate(&rest, r, costs, 1, 1, halves));
    assert_true(rest.seconds == 3212 + 403);
    r->target->ten_crops = true; // of 500 pictures: 40 batches of 128
    assert_true(rn_run_seconds(r, 0, &costs[0]) == 3212 + 40 * 0.25);
    rn_run_cost half = rn_run_cost_scaled(&costs[0], 10, 5);
    assert_true(half.training.seconds == 0.25 && half.inference.bytes == 5e7);
    rn_reproduction_free(r);
}

static void measured_steps_are_read(void **state)
{
    rn_step_cost cost;

    (void)state;
    ok(rn_step_cost_parse(&cost, "{\"model\":\"x\",\"step\":{\"best_seconds\":1,"
                                 "\"median_seconds\":1.5},\"planned_bytes\":1024}"));
    assert_true(cost.seconds == 1.5 && cost.bytes == 1024);
    assert_int_equal(rn_step_cost_parse(&cost, "{}"), RN_EFORMAT);
    assert_message("'step' is missing");
    assert_int_equal(rn_step_cost_parse(&cost, "{\"step\":{\"median_seconds\":1}}"), RN_EFORMAT);
    assert_message("'planned_bytes' is missing");
    assert_int_equal(rn_step_cost_parse(&cost, "resnet: error"), RN_EFORMAT);
}

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        double seconds; // 0: refused
    } cases[] = {{"90s", 90}, {"30m", 1800},  {"2h", 7200}, {"1d", 86400}, {"1h30m", 5400},
                 {"5", 300},  {"1.5h", 5400}, {"", 0},      {"h", 0},      {"30x", 0},
                 {"-5m", 0},  {"0m", 0},      {"1h30", 0},  {"m30", 0},    {"1e9d", 0}};
    double seconds;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seconds = 0;
        if (rn_duration_parse(cases[i].text, &seconds) != (cases[i].seconds > 0))
            fail_msg("'%s' is wrongly taken or refused", cases[i].text);
        assert_true(cases[i].seconds == 0 || seconds == cases[i].seconds);
    }
}

static void a_plan_is_read_back(void **state)
{
    rn_reproduction *r = small_reproduction(0.05), *back;
    rn_recipe recipe;
    char path[128];

    (void)state;
    ok(rn_reproduction_write(r, test_folder));
    ok(rn_reproduction_read(&back, test_folder));
    assert_true(back->settings.scale == 0.05);
    assert_string_equal(back->settings.source, small_settings.source);
    assert_int_equal(back->settings.train_count, 1000);
    assert_int_equal(back->settings.network.height, 32);
    assert_int_equal(back->job_count, 4);
    assert_string_equal(back->runs[1].model, r->runs[1].model);
    assert_string_equal(back->target->claims[0].text, "better");
    snprintf(path, sizeof path, "%s/recipes/res.json", test_folder);
    ok(rn_recipe_load(&recipe, path));
    assert_int_equal(recipe.iterations, 6400);
    assert_true(recipe.schedule.lr == 0.05);
    rn_reproduction_free(back);
    rn_reproduction_free(r);
}

static void other_settings_are_told(void **state)
{
    rn_reproduction *r = small_reproduction(0.05);
    rn_target *other;
    rn_reproduce_settings asked = {0};
    const char *source = r->settings.source;

    (void)state;
    ok(rn_reproduction_agree(r, r->target, &asked));
    asked = (rn_reproduce_settings){.scale = 0.05, .seeds = 2, .threads = 2};
    ok(rn_reproduction_agree(r, NULL, &asked));
    asked.seeds = 3;
    assert_int_equal(rn_reproduction_agree(r, NULL, &asked), RN_EINVAL);
    assert_message("begun with runs 2, asked for is 3");
    asked = (rn_reproduce_settings){.scale = 0.06};
    assert_int_equal(rn_reproduction_agree(r, NULL, &asked), RN_EINVAL);
    assert_message("scale 0.05, asked for is 0.06");
    asked = (rn_reproduce_settings){.memory = "1G"};
    assert_int_equal(rn_reproduction_agree(r, NULL, &asked), RN_EINVAL);
    assert_message("memory left out, asked for is 1G");
    r->settings.source = "/tmp";
    asked = (rn_reproduce_settings){.source = "/tmp/../tmp/"};
    ok(rn_reproduction_agree(r, NULL, &asked));
    r->settings.source = source;
    asked = (rn_reproduce_settings){.source = "/else"};
    assert_int_equal(rn_reproduction_agree(r, NULL, &asked), RN_EINVAL);
    assert_message("data shapes:train=1000,test=500, asked for is /else");
    ok(rn_target_load(&other, "fig1"));
    asked = (rn_reproduce_settings){0};
    assert_int_equal(rn_reproduction_agree(r, other, &asked), RN_EINVAL);
    assert_message("target small, asked for is fig1");
    rn_target_free(other);
    char *changed = strdup(small_target);
    memcpy(strstr(changed, "0.25"), "0.26", 4);
    other = parse_target(changed);
    assert_int_equal(rn_reproduction_agree(r, other, &asked), RN_EINVAL);
    assert_message("target 'small' has changed");
    rn_target_free(other);
    free(changed);
    rn_reproduction_free(r);
}

static void damaged_plans_are_told(void **state)
{
    static const char *const plans[][2] = {
        {"", "syntax error"},
        {"{}", "was made by ''"},
        {"{\"program\":\"resnet 0.0.1\"}",
         "was made by 'resnet 0.0.1', this is 'resnet " RN_VERSION},
        {"{\"program\":\"resnet " RN_VERSION "\"}", "'target' is missing"},
        {"{\"program\":\"resnet " RN_VERSION "\",\"x\":1}", "unknown key 'x'"},
        {"{\"program\":\"resnet " RN_VERSION "\",\"runs\":0}", "'runs' is 0"},
        {"{\"program\":\"resnet " RN_VERSION "\",\"target\":{}}", "'name' is missing"},
    };
    rn_reproduction *r;

    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        write_file("plan.json", plans[i][0]);
        assert_int_equal(rn_reproduction_read(&r, test_folder), RN_EFORMAT);
        assert_null(r);
        assert_message("plan.json'");
        assert_message(plans[i][1]);
    }
    assert_int_equal(rn_reproduction_read(&r, "/nowhere"), RN_ENOTFOUND);
}

static void every_failed_allocation_is_survived(void **state)
{
    rn_reproduction *r = small_reproduction(0.05), *back = NULL;
    fail_allocation plan;
    int which = 0;

    (void)state;
    do {
        fail_allocation_start(&plan, which++);
        rn_status st = rn_reproduction_write(r, test_folder);
        if (st == RN_OK)
            st = rn_reproduction_read(&back, test_folder);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((back == NULL) == plan.hit);
    } while (plan.hit);
    assert_true(which > 20);
    rn_reproduction_free(back);
    rn_reproduction_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_one_changes_nothing),
        cmocka_unit_test(iterations_are_shrunk_first),
        cmocka_unit_test(then_depth_then_width),
        cmocka_unit_test(what_comes_of_a_scale_is_counted),
        cmocka_unit_test(fewer_pictures_leave_as_many_epochs),
        cmocka_unit_test(patience_shrinks_with_the_evaluations),
        cmocka_unit_test(imagenet_is_known_by_its_classes),
        cmocka_unit_test(networks_of_different_depth_stay_different),
        cmocka_unit_test(settings_that_do_not_fit_are_refused),
        cmocka_unit_test(jobs_are_command_lines),
        cmocka_unit_test(estimates_add_up),
        cmocka_unit_test(measured_steps_are_read),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(a_plan_is_read_back),
        cmocka_unit_test(other_settings_are_told),
        cmocka_unit_test(damaged_plans_are_told),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };

    return cmocka_run_group_tests_name("reproduction", tests, make_test_folder, remove_test_folder);
}
