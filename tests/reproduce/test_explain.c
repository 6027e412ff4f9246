// What a comparison of depths shows, in sentences: the numbers, and "not shown" where it is not.
#include "reproduce/reproductions.h"

static rn_reproduction *degradation(void)
{
    rn_reproduction *r;
    rn_target *target;

    ok(rn_target_load(&target, "degradation"));
    ok(rn_reproduction_create(&r, target, &small_settings));
    assert_int_equal(r->target->claim_count, 2);
    return r;
}

// Runs whose training errors end so; those of the shallow networks first.
static void write_runs(double plain_20, double plain_56, double resnet_20, double resnet_56)
{
    write_run("plain-20-s1", plain_20, 100);
    write_run("plain-56-s1", plain_56, 100);
    write_run("resnet-20-s1", resnet_20, 100);
    write_run("resnet-56-s1", resnet_56, 100);
}

static void assert_explained(const char *expected)
{
    rn_reproduction *r = degradation();
    char *text;

    ok(rn_reproduction_explain(&text, r, test_folder));
    assert_string_equal(text, expected);
    rn_text_free(text);
    rn_reproduction_free(r);
}

static void what_the_paper_found_is_said(void **state)
{
    (void)state;
    write_runs(10, 25.5, 8, 4.25);
    assert_explained("Plain: with 56 layers the training error ended at 25.5%, with 20 layers at "
                     "10.0%: more layers made the network harder to train, which is degradation "
                     "(as in the paper).\n"
                     "Residual: with 56 layers the training error ended at 4.2%, with 20 layers at "
                     "8.0%: more layers made the training error lower, no degradation (as in the "
                     "paper).\n");
}

static void what_it_did_not_find_is_not_shown(void **state)
{
    (void)state;
    write_runs(10, 9.5, 8, 12);
    assert_explained("Plain: with 56 layers the training error ended at 9.5%, with 20 layers at "
                     "10.0%: too little a difference to count (degradation is not shown).\n"
                     "Residual: with 56 layers the training error ended at 12.0%, with 20 layers "
                     "at 8.0%: more layers made the network harder to train, which is degradation "
                     "(that deeper is better is not shown).\n");
    write_runs(10, 5, 8, 4);
    write_file("runs/resnet-20-s1/log.jsonl", start_line);
    assert_explained("Plain: with 56 layers the training error ended at 5.0%, with 20 layers at "
                     "10.0%: more layers made the training error lower, no degradation "
                     "(degradation is not shown).\n"
                     "Residual: not shown, since a run has no result.\n");
}

static void little_between_residual_networks_is_no_degradation(void **state)
{
    (void)state;
    write_runs(10, 25, 2.5, 2);
    assert_explained("Plain: with 56 layers the training error ended at 25.0%, with 20 layers at "
                     "10.0%: more layers made the network harder to train, which is degradation "
                     "(as in the paper).\n"
                     "Residual: with 56 layers the training error ended at 2.0%, with 20 layers at "
                     "2.5%: too little a difference to count, and no degradation (that deeper is "
                     "better is not shown).\n");
}

// Three seeds of each; a negative error: that run diverged.
static void write_seeds(const char *network, const double errors[3])
{
    char name[64], text[512];

    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s-s%d", network, i + 1);
        write_run(name, errors[i], 100);
        if (errors[i] >= 0)
            continue;
        snprintf(name, sizeof name, "runs/%s-s%d/log.jsonl", network, i + 1);
        snprintf(text, sizeof text, "%s%s", start_line,
                 END("training diverged", "the loss is not finite"));
        write_file(name, text);
    }
}

static void divergence_and_spread_are_said(void **state)
{
    rn_reproduction *r;
    rn_target *target;
    rn_reproduce_settings settings = small_settings;
    char *text;

    (void)state;
    settings.seeds = 3;
    ok(rn_target_load(&target, "degradation"));
    ok(rn_reproduction_create(&r, target, &settings));
    write_seeds("plain-20", (const double[]){10, 11, 12});
    write_seeds("plain-56", (const double[]){-1, -1, -1});
    write_seeds("resnet-20", (const double[]){8, 8, 8});
    write_seeds("resnet-56", (const double[]){4, 6, 40});
    ok(rn_reproduction_explain(&text, r, test_folder));
    assert_string_equal(text, "Plain: with 56 layers training diverged, with 20 layers its error "
                              "ended at 11.0%: more layers made the network harder to train, which "
                              "is degradation (as in the paper).\n"
                              "Residual: with 56 layers the training error ended at 16.7%, with 20 "
                              "layers at 8.0%: the runs of a network differ too much to tell (that "
                              "deeper is better is not shown).\n");
    rn_text_free(text);
    write_seeds("plain-20", (const double[]){10, -1, 12});
    ok(rn_reproduction_explain(&text, r, test_folder));
    assert_non_null(strstr(text, "with 20 layers its error ended at 37.3% (1 of 3 runs diverged, "
                                 "counted with the error of guessing)"));
    rn_text_free(text);
    rn_reproduction_free(r);
}

static void other_claims_are_refused(void **state)
{
    rn_reproduction *r = small_reproduction(1);
    char *text;

    (void)state;
    assert_int_equal(rn_reproduction_explain(&text, r, test_folder), RN_EINVAL);
    assert_null(text);
    assert_message("claim 'better' does not compare two networks' training errors");
    rn_reproduction_free(r);
}

static void every_failed_allocation_is_survived(void **state)
{
    rn_reproduction *r = degradation();
    fail_allocation plan;
    int which = 0;
    char *text;

    (void)state;
    write_runs(10, 25, 8, 4);
    do {
        fail_allocation_start(&plan, which++);
        rn_status st = rn_reproduction_explain(&text, r, test_folder);
        fail_allocation_stop();
        if (st != (plan.hit ? RN_ENOMEM : RN_OK) || (text != NULL) == plan.hit)
            fail_msg("allocation %d: %s", which - 1, rn_error_message());
        rn_text_free(text);
    } while (plan.hit);
    assert_true(which > 10);
    rn_reproduction_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_paper_found_is_said),
        cmocka_unit_test(what_it_did_not_find_is_not_shown),
        cmocka_unit_test(little_between_residual_networks_is_no_degradation),
        cmocka_unit_test(divergence_and_spread_are_said),
        cmocka_unit_test(other_claims_are_refused),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };

    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
