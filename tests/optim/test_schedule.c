#include "base/json.h"
#include "optim/schedule_state.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static const rn_schedule_state fresh;

static double rate(const rn_schedule *schedule, uint64_t iteration, uint64_t iterations)
{
    return rn_schedule_rate(schedule, &fresh, iteration, iterations);
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12))
        fail_msg("%.17g, expected %.17g", value, expected);
}

static void constant_never_changes(void **state)
{
    (void)state;
    rn_schedule s = {.kind = RN_SCHEDULE_CONSTANT, .lr = 0.03};

    assert_true(rate(&s, 0, 10) == 0.03);
    assert_true(rate(&s, UINT64_MAX, 10) == 0.03);
}

// 2015 paper, section 4.2: 0.1, divided by 10 at 32k and 48k.
static void step_is_the_papers(void **state)
{
    (void)state;
    rn_schedule s = {.kind = RN_SCHEDULE_STEP,
                     .lr = 0.1,
                     .factor = 0.1,
                     .milestones = 2,
                     .milestone = {32000, 48000}};

    assert_true(rate(&s, 0, 64000) == 0.1);
    assert_true(rate(&s, 31999, 64000) == 0.1);
    assert_near(rate(&s, 32000, 64000), 0.01);
    assert_near(rate(&s, 47999, 64000), 0.01);
    assert_near(rate(&s, 48000, 64000), 0.001);
    assert_near(rate(&s, 63999, 64000), 0.001);
}

static void warmup_is_linear_and_exact_at_its_end(void **state)
{
    (void)state;
    rn_schedule s = {.kind = RN_SCHEDULE_CONSTANT, .lr = 0.4, .warmup = 5, .warmup_factor = 0.1};

    assert_near(rate(&s, 0, 100), 0.04);
    assert_near(rate(&s, 1, 100), 0.04 + 0.36 / 5);
    assert_near(rate(&s, 4, 100), 0.04 + 0.36 * 4 / 5);
    assert_true(rate(&s, 5, 100) == 0.4);
    s.warmup = 0.05; // the same as a share of the run
    assert_near(rate(&s, 4, 100), 0.04 + 0.36 * 4 / 5);
    assert_true(rate(&s, 5, 100) == 0.4);
    s.warmup_flat = true;
    assert_near(rate(&s, 0, 100), 0.04);
    assert_near(rate(&s, 4, 100), 0.04);
    assert_true(rate(&s, 5, 100) == 0.4);
    s.warmup_flat = false;
    s.warmup = 200; // longer than the run: still climbing at its end
    assert_near(rate(&s, 99, 100), 0.04 + 0.36 * 99 / 200);
}

static void linear_is_a_triangle(void **state)
{
    (void)state;
    rn_schedule s = {.kind = RN_SCHEDULE_LINEAR,
                     .lr = 0.8,
                     .final_factor = 0.25,
                     .warmup = 20,
                     .warmup_factor = 0.5};

    assert_near(rate(&s, 0, 100), 0.4);
    assert_near(rate(&s, 10, 100), 0.6);
    assert_true(rate(&s, 20, 100) == 0.8);
    assert_near(rate(&s, 60, 100), 0.5);
    assert_near(rate(&s, 100, 100), 0.2);
    assert_near(rate(&s, 1000, 100), 0.2);
    s.warmup = s.final_factor = 0;
    assert_true(rate(&s, 0, 100) == 0.8);
    assert_near(rate(&s, 75, 100), 0.2);
    assert_near(rate(&s, 100, 100), 0);
}

static void cosine_falls_from_lr_to_final(void **state)
{
    (void)state;
    rn_schedule s = {.kind = RN_SCHEDULE_COSINE, .lr = 0.2, .final_factor = 0.05};

    assert_true(rate(&s, 0, 80) == 0.2);
    assert_near(rate(&s, 20, 80), 0.2 * (0.05 + 0.95 * 0.5 * (1 + sqrt(0.5))));
    assert_near(rate(&s, 40, 80), 0.2 * (0.05 + 0.95 * 0.5));
    assert_near(rate(&s, 80, 80), 0.01);
    assert_near(rate(&s, 1000, 80), 0.01);
    assert_near(rate(&s, 1, 0), 0.01); // no length: at the end at once
    s.warmup = 16;
    s.warmup_factor = 0;
    assert_true(rate(&s, 0, 80) == 0.0);
    assert_near(rate(&s, 8, 80), 0.1);
    assert_true(rate(&s, 16, 80) == 0.2);
    assert_near(rate(&s, 48, 80), 0.2 * (0.05 + 0.95 * 0.5));
}

static void one_cycle_starts_at_a_25th(void **state)
{
    (void)state;
    rn_schedule s = {
        .kind = RN_SCHEDULE_ONE_CYCLE, .lr = 0.5, .warmup = 0.25, .warmup_factor = 0.9};

    assert_near(rate(&s, 0, 40), 0.02);
    assert_near(rate(&s, 5, 40), 0.26);
    assert_true(rate(&s, 10, 40) == 0.5);
    assert_near(rate(&s, 25, 40), 0.25);
    assert_near(rate(&s, 40, 40), 0.0);
    assert_true(rate(&s, 39, 40) > 0);
}

// Section 4.2, 110 layers: 0.01 until the training error is below 80 %, then 0.1 and as usual.
static void until_rule_holds_and_releases_once(void **state)
{
    (void)state;
    rn_schedule s = {.kind = RN_SCHEDULE_STEP,
                     .lr = 0.1,
                     .factor = 0.1,
                     .milestones = 1,
                     .milestone = {500},
                     .until_error = 80,
                     .until_lr = 0.01};
    rn_schedule_state memory = {0};

    rn_schedule_observe_training(&s, &memory, 0, 80.0);
    rn_schedule_observe_training(&s, &memory, 1, NAN);
    assert_false(memory.released);
    assert_true(rn_schedule_rate(&s, &memory, 600, 1000) == 0.01);
    rn_schedule_observe_training(&s, &memory, 399, 79.99);
    assert_true(memory.released);
    rn_schedule_observe_training(&s, &memory, 400, 50);
    rn_schedule_observe_training(&s, &memory, 401, 99);
    assert_true(memory.released);
    assert_int_equal(memory.released_at, 399);
    assert_true(rn_schedule_rate(&s, &memory, 400, 1000) == 0.1);
    assert_near(rn_schedule_rate(&s, &memory, 500, 1000), 0.01);
    s.until_error = 0;
    memory = fresh;
    rn_schedule_observe_training(&s, &memory, 0, 1);
    assert_false(memory.released);
}

static void plateau_waits_then_reduces(void **state)
{
    (void)state;
    rn_schedule s = {
        .kind = RN_SCHEDULE_PLATEAU, .lr = 1, .factor = 0.5, .patience = 2, .threshold = 1};
    const double errors[] = {50, 49.5, 49, 48.5, 48.4, 48, NAN, 47, 60, 60, 60, 60};
    const int reductions[] = {0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 3};
    rn_schedule_state memory = {0};

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        rn_schedule_observe_epoch(&s, &memory, errors[i]);
        if (memory.reductions != reductions[i])
            fail_msg("after error %zu: %d reductions, expected %d", i, memory.reductions,
                     reductions[i]);
    }
    assert_true(rn_schedule_rate(&s, &memory, 7, 0) == 0.125);
    s.until_error = 80;
    memory = fresh;
    rn_schedule_observe_epoch(&s, &memory, 90);
    assert_int_equal(memory.evaluations, 0); // still held by the other rule
}

// With threshold 0 an equal error is no fall.
static void plateau_threshold_zero(void **state)
{
    (void)state;
    rn_schedule s = {.kind = RN_SCHEDULE_PLATEAU, .lr = 1, .factor = 0.1, .patience = 1};
    rn_schedule_state memory = {0};

    rn_schedule_observe_epoch(&s, &memory, 0);
    rn_schedule_observe_epoch(&s, &memory, 0);
    assert_int_equal(memory.reductions, 1);
    memory = fresh;
    rn_schedule_observe_epoch(&s, &memory, 50);
    rn_schedule_observe_epoch(&s, &memory, nextafter(50, 0));
    assert_int_equal(memory.reductions, 0);
}

static void names_round_trip(void **state)
{
    (void)state;
    rn_schedule_kind kind;

    for (int i = 0; i <= RN_SCHEDULE_LINEAR; i++) {
        assert_int_equal(rn_schedule_parse(&kind, rn_schedule_name((rn_schedule_kind)i)), RN_OK);
        assert_int_equal(kind, i);
    }
    assert_null(rn_schedule_name((rn_schedule_kind)(RN_SCHEDULE_LINEAR + 1)));
    assert_null(rn_schedule_name((rn_schedule_kind)-1));
    assert_int_equal(rn_schedule_parse(&kind, "cosin"), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "did you mean 'cosine'?"));
    assert_int_equal(rn_schedule_parse(&kind, ""), RN_EINVAL);
}

static rn_status parse_state(rn_schedule_state *out, const char *text)
{
    cJSON *json = NULL;

    assert_int_equal(rn_json_parse(&json, text, strlen(text), "test"), RN_OK);
    rn_status st = rn_schedule_state_from_json(out, json, "test");
    cJSON_Delete(json);
    return st;
}

static void state_round_trips_bit_for_bit(void **state)
{
    (void)state;
    rn_schedule_state memory = {.released = true,
                                .released_at = 123456789012,
                                .reductions = 2,
                                .waited = 1,
                                .best = 100.0 / 3.0 + 1e-14,
                                .evaluations = 2000000};
    rn_schedule_state back = {0};
    cJSON *json = cJSON_CreateObject();

    assert_int_equal(rn_schedule_state_to_json(json, &memory), RN_OK);
    char *text = cJSON_PrintUnformatted(json);
    assert_int_equal(parse_state(&back, text), RN_OK);
    assert_true(back.released && back.released_at == memory.released_at && back.reductions == 2 &&
                back.waited == 1 && back.best == memory.best && back.evaluations == 2000000);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void damaged_state_is_refused(void **state)
{
    (void)state;
    rn_schedule_state memory = {.waited = 5};
    const char *const texts[] = {
        "{}",
        "{\"released\":1,\"released_at\":0,\"reductions\":0,\"waited\":0,\"best\":0,"
        "\"evaluations\":0}",
        "{\"released\":true,\"released_at\":-1,\"reductions\":0,\"waited\":0,\"best\":0,"
        "\"evaluations\":0}",
        "{\"released\":true,\"released_at\":0,\"reductions\":1e10,\"waited\":0,\"best\":0,"
        "\"evaluations\":0}",
        "{\"released\":true,\"released_at\":0,\"reductions\":0,\"waited\":0.5,\"best\":0,"
        "\"evaluations\":0}",
        "{\"released\":true,\"released_at\":0,\"reductions\":0,\"waited\":0,\"best\":null,"
        "\"evaluations\":0}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(parse_state(&memory, texts[i]), RN_EFORMAT);
        assert_int_equal(memory.waited, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_never_changes),
        cmocka_unit_test(step_is_the_papers),
        cmocka_unit_test(warmup_is_linear_and_exact_at_its_end),
        cmocka_unit_test(linear_is_a_triangle),
        cmocka_unit_test(cosine_falls_from_lr_to_final),
        cmocka_unit_test(one_cycle_starts_at_a_25th),
        cmocka_unit_test(until_rule_holds_and_releases_once),
        cmocka_unit_test(plateau_waits_then_reduces),
        cmocka_unit_test(plateau_threshold_zero),
        cmocka_unit_test(names_round_trip),
        cmocka_unit_test(state_round_trips_bit_for_bit),
        cmocka_unit_test(damaged_state_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
