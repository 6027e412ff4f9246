// The optimiser over a stand-in run (its parameters have a padded native layout of reversed order)
// and a stand-in engine, against the textbook loop in double.
#include "base/memory.h"
#include "plan/op.h"
#include "resnet/optim.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

enum { PARAMS = 5, MOST = 17, STEPS = 4, NATIVE_PADDING = 3 };

static const rn_param params[PARAMS] = {
    {.kind = RN_PARAM_CONV_WEIGHT,
     .name = "conv.weight",
     .dims = 4,
     .shape = {1, 17, 1, 1},
     .count = 17},
    {.kind = RN_PARAM_BN_GAIN, .name = "bn.weight", .dims = 1, .shape = {5}, .count = 5},
    {.kind = RN_PARAM_RUNNING_MEAN, .name = "bn.running_mean", .dims = 1, .shape = {5}, .count = 5},
    {.kind = RN_PARAM_LINEAR_WEIGHT, .name = "fc.weight", .dims = 2, .shape = {1, 3}, .count = 3},
    {.kind = RN_PARAM_BIAS, .name = "fc.bias", .dims = 1, .shape = {1}, .count = 1},
};

struct rn_run {
    float value[PARAMS][MOST + NATIVE_PADDING], gradient[PARAMS][MOST + NATIVE_PADDING];
    bool inference;
};

struct rn_weights {
    float data[PARAMS][MOST];
};

int rn_run_params(const rn_run *run)
{
    (void)run;
    return PARAMS;
}

rn_param_view rn_run_param(rn_run *run, int index)
{
    bool trained = rn_param_trained(&params[index]) && !run->inference;

    return (rn_param_view){.value = run->value[index],
                           .gradient = trained ? run->gradient[index] : NULL,
                           .count = params[index].count + NATIVE_PADDING,
                           .param = &params[index]};
}

rn_status rn_run_pack(const rn_run *run, int index, const float *canonical, float *native)
{
    size_t count = params[index].count;

    (void)run;
    memset(native, 0, (count + NATIVE_PADDING) * sizeof *native);
    for (size_t i = 0; i < count; i++)
        native[i] = canonical[count - 1 - i];
    return RN_OK;
}

rn_status rn_run_unpack(const rn_run *run, int index, const float *native, float *canonical)
{
    size_t count = params[index].count;

    (void)run;
    for (size_t i = 0; i < count; i++)
        canonical[i] = native[count - 1 - i];
    return RN_OK;
}

bool rn_param_trained(const rn_param *param)
{
    return param->kind != RN_PARAM_RUNNING_MEAN && param->kind != RN_PARAM_RUNNING_VARIANCE;
}

const rn_param *rn_weights_param(const rn_weights *weights, int index)
{
    (void)weights;
    return &params[index];
}

float *rn_weights_data(rn_weights *weights, int index)
{
    return weights->data[index];
}

const float *rn_weights_read(const rn_weights *weights, int index)
{
    return weights->data[index];
}

static void plain_sgd(const rn_sgd_update *u)
{
    for (size_t i = 0; i < u->count; i++) {
        float g = u->gradient[i] + u->decay * u->value[i];
        u->velocity[i] = u->momentum * u->velocity[i] + g;
        u->value[i] -= u->lr * (u->nesterov ? g + u->momentum * u->velocity[i] : u->velocity[i]);
    }
}

static void plain_ema(float *average, const float *value, size_t count, float decay)
{
    for (size_t i = 0; i < count; i++)
        average[i] = decay * average[i] + (1 - decay) * value[i];
}

static rn_engine engine = {.sgd = plain_sgd, .ema = plain_ema};

static float pattern(int step, int param, size_t i)
{
    return sinf((float)(step * 31 + param * 7) + 0.3f * (float)i);
}

static void fill_run(rn_run *run)
{
    *run = (rn_run){0};
    for (int p = 0; p < PARAMS; p++)
        for (size_t i = 0; i < params[p].count; i++)
            run->value[p][i] = pattern(100, p, i);
}

static void fill_gradients(rn_run *run, int step)
{
    for (int p = 0; p < PARAMS; p++)
        for (size_t i = 0; i < params[p].count; i++)
            run->gradient[p][i] = pattern(step, p, i);
    for (int i = 0; i < 5; i++) // a batch moves the running mean
        run->value[2][i] = 0.9f * run->value[2][i] + 0.1f * (float)i;
}

static rn_sgd *create(rn_run *run, rn_sgd_options options)
{
    rn_sgd *sgd = NULL;

    if (rn_sgd_create(&sgd, run, &engine, &options) != RN_OK)
        fail_msg("%s", rn_error_message());
    return sgd;
}

// One element through all steps, by the formulas.
typedef struct expected {
    double value, velocity, average;
} expected;

static expected follow(int p, size_t i, rn_sgd_options options, double lr)
{
    static const rn_group groups[PARAMS] = {RN_GROUP_STEM, RN_GROUP_GAIN, RN_GROUP_WEIGHT,
                                            RN_GROUP_HEAD, RN_GROUP_HEAD};
    double factor = options.lr_factor[groups[p]] > 0 ? options.lr_factor[groups[p]] : 1;
    bool frozen = options.frozen[groups[p]];
    bool trained = rn_param_trained(&params[p]);
    bool weight =
        params[p].kind == RN_PARAM_CONV_WEIGHT || params[p].kind == RN_PARAM_LINEAR_WEIGHT;
    double decay = options.decay == RN_DECAY_ALL || weight ? options.weight_decay : 0;
    expected e = {.value = pattern(100, p, i), .average = pattern(100, p, i)};

    for (int step = 0; step < STEPS; step++) {
        double g = pattern(step, p, i) + decay / factor * e.value;
        if (trained && !frozen) {
            e.velocity = options.momentum * e.velocity + g;
            e.value -=
                factor * lr * (options.nesterov ? g + options.momentum * e.velocity : e.velocity);
        } else if (!trained) {
            e.value = 0.9 * e.value + 0.1 * (double)i;
        }
        double kept = fmin(options.ema, (1.0 + step) / (10.0 + step));
        e.average = kept * e.average + (1 - kept) * e.value;
    }
    return e;
}

static void check_against_formulas(rn_sgd_options options)
{
    rn_run run;
    rn_weights momentum = {0}, ema = {0};

    fill_run(&run);
    rn_sgd *sgd = create(&run, options);
    for (int step = 0; step < STEPS; step++) {
        fill_gradients(&run, step);
        rn_sgd_step(sgd, 0.1);
    }
    memset(&momentum, 0x7f, sizeof momentum);
    assert_int_equal(rn_sgd_store_momentum(sgd, &momentum), RN_OK);
    assert_int_equal(rn_sgd_store_ema(sgd, &ema), options.ema > 0 ? RN_OK : RN_EINVAL);
    for (int p = 0; p < PARAMS; p++) {
        for (size_t i = 0; i < params[p].count; i++) {
            expected e = follow(p, i, options, 0.1);
            size_t canonical = params[p].count - 1 - i;
            assert_true(fabs(run.value[p][i] - e.value) < 1e-5);
            assert_true(fabs(momentum.data[p][canonical] - e.velocity) < 1e-5);
            if (options.ema > 0)
                assert_true(fabs(ema.data[p][canonical] - e.average) < 1e-5);
        }
        for (size_t i = params[p].count; i < params[p].count + NATIVE_PADDING; i++)
            assert_true(run.value[p][i] == 0.0f);
    }
    rn_sgd_free(sgd);
}

static void steps_follow_the_formulas(void **state)
{
    (void)state;
    check_against_formulas((rn_sgd_options){.momentum = 0.9, .weight_decay = 0.01});
    check_against_formulas((rn_sgd_options){
        .momentum = 0.9, .weight_decay = 0.5, .decay = RN_DECAY_WEIGHTS, .nesterov = true});
    check_against_formulas((rn_sgd_options){.momentum = 0, .ema = 0.75});
    check_against_formulas(
        (rn_sgd_options){.momentum = 0.5, .weight_decay = 1, .nesterov = true, .ema = 0.999});
}

static void groups_have_their_own_rates(void **state)
{
    rn_sgd_options options = {.momentum = 0.9, .weight_decay = 0.01, .nesterov = true, .ema = 0.9};

    (void)state;
    options.lr_factor[RN_GROUP_STEM] = 2;
    options.lr_factor[RN_GROUP_GAIN] = 8;
    options.lr_factor[RN_GROUP_HEAD] = 0.125;
    check_against_formulas(options);
    options.frozen[RN_GROUP_STEM] = options.frozen[RN_GROUP_GAIN] = true;
    check_against_formulas(options);
}

// A factor on the rate changes how far gradients move a weight, not how fast it decays.
static void decay_keeps_its_pace(void **state)
{
    rn_run run;
    float before;

    (void)state;
    for (int factor = 1; factor <= 64; factor *= 8) {
        rn_sgd_options options = {.weight_decay = 0.25};
        options.lr_factor[RN_GROUP_HEAD] = factor;
        fill_run(&run);
        before = run.value[3][1];
        rn_sgd *sgd = create(&run, options);
        rn_sgd_step(sgd, 0.5); // the gradients are 0
        assert_true(fabsf(run.value[3][1] - before * (1 - 0.5f * 0.25f)) < 1e-6f);
        rn_sgd_free(sgd);
    }
}

// Steps in between leave the slow weights alone; the due one moves them, and the weights with them.
static void lookahead_returns_to_the_slow_weights(void **state)
{
    enum { ALL = 6 };
    rn_sgd_options options = {.momentum = 0.9, .ema = 0.8, .lookahead = 3};
    rn_run run;
    float slow[PARAMS][MOST];
    rn_weights ema = {0};

    (void)state;
    fill_run(&run);
    for (int p = 0; p < PARAMS; p++)
        memcpy(slow[p], run.value[p], sizeof slow[p]);
    rn_sgd *sgd = create(&run, options);
    for (uint64_t step = 1; step <= ALL; step++) {
        double share = (double)step / ALL, decay = 0.8 * 0.8 * 0.8 * share * share * share;
        rn_run fast;
        fill_gradients(&run, (int)step);
        rn_sgd_step(sgd, 0.1);
        fast = run;
        rn_sgd_lookahead(sgd, step, ALL);
        assert_int_equal(rn_sgd_store_ema(sgd, &ema), RN_OK);
        for (int p = 0; p < PARAMS; p++) {
            for (size_t i = 0; i < params[p].count; i++) {
                if (step % 3 == 0)
                    slow[p][i] = (float)(decay * (double)slow[p][i] +
                                         (1 - decay) * (double)fast.value[p][i]);
                float goal = step % 3 == 0 ? slow[p][i] : fast.value[p][i];
                assert_true(fabsf(run.value[p][i] - goal) < 1e-5f);
                assert_true(fabsf(ema.data[p][params[p].count - 1 - i] - slow[p][i]) < 1e-5f);
            }
        }
    }
    rn_sgd_free(sgd);
}

// Store, start anew, load, go on: the same bits as without the stop.
static void stored_and_loaded_continues_bit_for_bit(void **state)
{
    (void)state;
    rn_sgd_options options = {.momentum = 0.9, .weight_decay = 1e-4, .ema = 0.9};
    rn_run straight, resumed;
    rn_weights momentum = {0}, ema = {0}, a = {0}, b = {0};

    fill_run(&straight);
    rn_sgd *sgd = create(&straight, options);
    fill_gradients(&straight, 0);
    rn_sgd_step(sgd, 0.1);
    assert_int_equal(rn_sgd_store_momentum(sgd, &momentum), RN_OK);
    assert_int_equal(rn_sgd_store_ema(sgd, &ema), RN_OK);
    resumed = straight;
    rn_sgd *other = create(&resumed, options);
    assert_int_equal(rn_sgd_load_momentum(other, &momentum), RN_OK);
    assert_int_equal(rn_sgd_load_ema(other, &ema, 1), RN_OK);
    fill_gradients(&straight, 1);
    fill_gradients(&resumed, 1);
    rn_sgd_step(sgd, 0.05);
    rn_sgd_step(other, 0.05);
    assert_memory_equal(&straight, &resumed, sizeof straight);
    assert_int_equal(rn_sgd_store_ema(sgd, &a), RN_OK);
    assert_int_equal(rn_sgd_store_ema(other, &b), RN_OK);
    assert_memory_equal(&a, &b, sizeof a);
    rn_sgd_free(sgd);
    rn_sgd_free(other);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    const rn_sgd_options bad[] = {
        {.momentum = 1},
        {.momentum = -0.1},
        {.momentum = NAN},
        {.weight_decay = 1.1},
        {.weight_decay = NAN},
        {.weight_decay = -1},
        {.ema = 1},
        {.ema = NAN},
        {.lr_factor = {-1}},
        {.lr_factor = {0, NAN}},
        {.lookahead = 5},
        {.ema = 0.5, .lookahead = -1},
    };
    rn_run run;
    rn_sgd *sgd = (rn_sgd *)&run;

    fill_run(&run);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(rn_sgd_create(&sgd, &run, &engine, &bad[i]), RN_EINVAL);
        assert_null(sgd);
    }
    run.inference = true;
    assert_int_equal(rn_sgd_create(&sgd, &run, &engine, &(rn_sgd_options){0}), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "'conv.weight' has no gradient"));
}

static int allocations_left;
static int allocations_seen;

static bool count_down(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    allocations_seen++;
    return allocations_left-- > 0;
}

static void allocation_failures_leave_nothing(void **state)
{
    (void)state;
    rn_run run;
    rn_sgd *sgd = NULL;
    rn_status st = RN_ENOMEM;
    int failures = 0;

    fill_run(&run);
    rn_alloc_hook_set(count_down, NULL);
    for (; st != RN_OK && failures < 20; failures++) {
        allocations_left = failures;
        st = rn_sgd_create(&sgd, &run, &engine, &(rn_sgd_options){.ema = 0.5});
        if (st != RN_OK) {
            assert_int_equal(st, RN_ENOMEM);
            assert_null(sgd);
        }
    }
    assert_int_equal(failures, 4); // the object, its slots, its block; then success
    allocations_seen = 0;
    rn_sgd_step(sgd, 0.1);
    assert_int_equal(allocations_seen, 0);
    rn_alloc_hook_set(NULL, NULL);
    rn_sgd_free(sgd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_the_formulas),
        cmocka_unit_test(groups_have_their_own_rates),
        cmocka_unit_test(decay_keeps_its_pace),
        cmocka_unit_test(lookahead_returns_to_the_slow_weights),
        cmocka_unit_test(stored_and_loaded_continues_bit_for_bit),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(allocation_failures_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
