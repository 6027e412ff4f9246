// Plans under a memory limit: they keep it, repeat little, and every gradient is what it was.
#include "fake_engine.h"
#include "tiny_graphs.h"

#include <stdio.h>

static int batch = 3;

static rn_plan *make_plan(const rn_graph *graph, size_t limit)
{
    rn_plan *plan = NULL;
    rn_plan_options options = {.batch = batch, .training = true, .memory_limit = limit};
    rn_status st = rn_plan_create(&plan, graph, &fake_engine, &options);

    if (st == RN_OK)
        return plan;
    if (st != RN_ENOMEM || limit == 0)
        fail_msg("%s", rn_error_message());
    return NULL;
}

static size_t total(const rn_plan *plan)
{
    rn_plan_memory use = rn_plan_memory_use(plan);

    return use.arena + use.parameters;
}

static uint32_t first_word(const float *values)
{
    uint32_t word = 0;

    if (values != NULL)
        memcpy(&word, values, sizeof word);
    return word;
}

// Two steps, for the running statistics; returns a hash of all parameters and their gradients (the
// engine fills each with one number).
static uint32_t run_plan(const rn_plan *plan)
{
    rn_run *run = NULL;
    uint32_t hash = 0;

    assert_int_equal(rn_run_create(&run, plan), RN_OK);
    for (int i = 0; i < rn_run_params(run); i++)
        *rn_run_param(run, i).value = (float)(i + 1); // no two are alike
    for (int step = 0; step < 2; step++) {
        rn_run_set_step(run, 5, (uint64_t)step);
        assert_int_equal(rn_run_forward(run), RN_OK);
        assert_int_equal(rn_run_backward(run), RN_OK);
    }
    for (int i = 0; i < rn_run_params(run); i++) {
        rn_param_view view = rn_run_param(run, i);
        hash = fake_mix(fake_mix(hash, first_word(view.value)), first_word(view.gradient));
    }
    rn_run_free(run);
    return hash;
}

// For images of 8 x 8: the fewer words there are to compare.
static rn_graph *model(const char *name)
{
    rn_graph *graph = NULL;
    rn_model_options options = {.channels = 3, .height = 8, .width = 8};

    assert_int_equal(rn_graph_create(&graph, name, &options), RN_OK);
    return graph;
}

// Plans with less and less for the arena until none is left; each must keep the gradients.
static int check_limits(const rn_graph *graph, double factor)
{
    rn_plan *plan = make_plan(graph, 0);
    size_t all = total(plan), limit = all, fixed = all - plan->arena_bytes;
    const rn_plan_memory unlimited = rn_plan_memory_use(plan);
    uint32_t expected = run_plan(plan);
    int plans = 0;

    assert_true(unlimited.arena <= unlimited.kept);
    assert_true((unlimited.recomputed == 0) == (unlimited.arena == unlimited.kept));
    rn_plan_free(plan);
    for (; (plan = make_plan(graph, limit)) != NULL; plans++) {
        rn_plan_memory use = rn_plan_memory_use(plan);
        assert_true(total(plan) <= limit);
        assert_true(limit < all ? use.recomputed > 0 : use.recomputed == unlimited.recomputed);
        assert_int_equal(use.kept, unlimited.kept);
        check_offsets(plan);
        assert_true(run_plan(plan) == expected);
        rn_plan_free(plan);
        assert_int_equal(live_kernels, 0);
        limit = fixed + (size_t)((double)(limit - fixed) * factor);
    }
    assert_int_equal(live_kernels, 0);
    return plans;
}

// Of how many of the tiny graphs less and less can be kept.
static int count_saving(void)
{
    int saving = 0;

    for (int i = 0; i < TINY_GRAPHS; i++) {
        rn_graph *graph = tiny_create(&tiny_graphs[i]);
        assert_non_null(graph);
        int plans = check_limits(graph, 0.97);
        assert_true(plans >= 1);
        saving += plans > 2;
        rn_graph_free(graph);
    }
    return saving;
}

static void gradients_stay_whatever_the_limit(void **state)
{
    static const rn_layout layouts[] = {RN_LAYOUT_NCHW, RN_LAYOUT_NCHW16C};

    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        fake_engine.layout = layouts[i];
        // of the others the plan without a limit keeps next to nothing already
        assert_true(count_saving() >= TINY_GRAPHS * 3 / 4);
        takes_statistics = true; // convolutions add, and read what a deferred batch norm reads
        assert_true(count_saving() >= TINY_GRAPHS / 2);
        takes_statistics = false;
    }
    fake_engine.layout = RN_LAYOUT_NCHW;
}

static void named_networks_under_limits(void **state)
{
    static const char *const models[] = {"resnet-20", "plain-20", "resnet-32:shortcut=B",
                                         "resnet-14:shortcut=C"};

    (void)state;
    batch = 64; // activations, not the parameters' gradients, are what takes memory
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        rn_graph *graph = model(models[i]);
        assert_in_range(check_limits(graph, 0.9), 3, 100);
        rn_graph_free(graph);
    }
    batch = 3;
}

// A little less is had by repeating normalisations; much less only with convolutions.
static void convolutions_are_repeated_last(void **state)
{
    (void)state;
    rn_graph *graph = model("resnet-56");
    batch = 128;
    rn_plan *plan = make_plan(graph, 0);
    const rn_plan_memory use = rn_plan_memory_use(plan);
    size_t fixed = use.parameters + use.gradients, kept = use.kept - use.gradients;
    double step_flops = 0, last = 0;

    for (int i = 0; i < plan->op_count; i++)
        step_flops += rn_planned_op_flops(&plan->ops[i]);
    rn_plan_free(plan);
    for (int percent = 95; percent >= 25; percent -= 10) {
        plan = make_plan(graph, fixed + kept / 100 * (size_t)percent);
        assert_non_null(plan);
        double flops = rn_plan_memory_use(plan).flops;
        int convolutions = 0;
        for (int i = plan->forward_count; i < plan->op_count; i++)
            convolutions += plan->ops[i].again && plan->ops[i].desc.kind == RN_OP_CONV;
        assert_int_equal(convolutions > 0, percent < 55);
        assert_true(flops >= last || convolutions == 0); // the less memory, the more work
        assert_true(flops < step_flops * (percent < 55 ? 0.34 : 0.01));
        last = flops;
        rn_plan_free(plan);
    }
    batch = 3;
    rn_graph_free(graph);
}

static double arena_of(const char *name)
{
    rn_graph *graph = model(name);
    rn_plan *plan = make_plan(graph, 0);
    const rn_plan_memory use = rn_plan_memory_use(plan);

    rn_plan_free(plan);
    rn_graph_free(graph);
    assert_true(use.recomputed > 0);
    return (double)use.arena;
}

// However deep a network is, of each of its units the same is kept.
static void memory_is_linear_in_depth(void **state)
{
    (void)state;
    batch = 32;
    double shallow = arena_of("resnet-110"), middle = arena_of("resnet-596");
    double deep = arena_of("resnet-1202");
    batch = 3;
    double first = (middle - shallow) / (596 - 110), second = (deep - middle) / (1202 - 596);
    assert_true(second > 0.98 * first && second < 1.02 * first);
}

static void depth_takes_no_recursion(void **state)
{
    (void)state;
    rn_graph *graph = model("resnet-1202");
    batch = 32;
    rn_plan *plan = make_plan(graph, 0);
    size_t all = total(plan), fixed = all - plan->arena_bytes;
    size_t gradients = rn_plan_memory_use(plan).gradients;
    uint32_t expected = run_plan(plan);

    rn_plan_free(plan);
    // Between the square root of the depth and all of it.
    plan = make_plan(graph, fixed + gradients + (all - fixed) / 10);
    assert_non_null(plan);
    assert_true(run_plan(plan) == expected);
    rn_plan_free(plan);
    batch = 3;
    rn_graph_free(graph);
}

// Momentum and average, as large as what the plan itself says that they are.
static void what_lies_beside_counts(void **state)
{
    (void)state;
    rn_graph *graph = model("resnet-20");
    batch = 64;
    rn_plan *plan = make_plan(graph, 0);
    const rn_plan_memory use = rn_plan_memory_use(plan);
    const size_t beside = 1000 + use.gradients + use.parameters, all = total(plan) + beside;
    rn_plan_options options = {.batch = batch,
                               .training = true,
                               .memory_limit = all,
                               .memory_beside = 1000,
                               .momentum_beside = true,
                               .average_beside = true};

    rn_plan_free(plan);
    for (int spare = 0; spare >= -1; spare--) {
        options.memory_limit = all + (size_t)spare;
        assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &options), RN_OK);
        assert_true(total(plan) + beside <= options.memory_limit);
        assert_true(rn_plan_memory_use(plan).limited == (spare < 0));
        assert_true((rn_plan_memory_use(plan).arena == use.arena) == (spare == 0));
        rn_plan_free(plan);
    }
    batch = 3;
    rn_graph_free(graph);
}

// MiB that the refusal of a limit of 256 KiB names.
static double named_least(const rn_graph *graph)
{
    rn_plan *plan = NULL;
    const rn_plan_options options = {.batch = batch, .training = true, .memory_limit = 1 << 18};
    double least = 0, limit = 0;
    int named = 0;

    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &options), RN_ENOMEM);
    assert_null(plan);
    assert_int_equal(sscanf(rn_error_message(),
                            "training at batch %d takes at least %lf MiB, the memory limit is %lf "
                            "MiB",
                            &named, &least, &limit),
                     3);
    assert_int_equal(named, batch);
    assert_float_equal((float)limit, 0.2f, 0.1f);
    return least;
}

// As printed, to a tenth, it can be kept; of what is less, nothing.
static void too_low_a_limit_names_the_least(void **state)
{
    static const char *const models[] = {"resnet-20", "preact-20", "plain-20",
                                         "preact-11:block=single"};
    const double mib = 1 << 20;

    (void)state;
    batch = 16;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        rn_graph *graph = NULL;
        assert_int_equal(rn_graph_create(&graph, models[i], NULL), RN_OK);
        double least = named_least(graph);
        rn_plan_free(make_plan(graph, (size_t)(least * mib) + 1));
        for (int less = 1; less <= 5; less++)
            assert_null(make_plan(graph, (size_t)((least - 0.1 * less) * mib)));
        rn_graph_free(graph);
    }
    assert_int_equal(live_kernels, 0);
    batch = 3;
}

static void inference_has_no_least(void **state)
{
    (void)state;
    rn_graph *graph = model("resnet-20");
    rn_plan *plan = NULL;
    const rn_plan_options options = {.batch = batch, .memory_limit = 1 << 18};

    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &options), RN_ENOMEM);
    assert_null(strstr(rn_error_message(), "at least")); // there is but one inference plan
    assert_int_equal(live_kernels, 0);
    rn_graph_free(graph);
}

static void repeated_ops_are_called_so(void **state)
{
    (void)state;
    rn_graph *graph = model("resnet-20");
    batch = 64;
    rn_plan *plan = make_plan(graph, 0);
    const rn_plan_memory use = rn_plan_memory_use(plan);
    size_t fixed = use.parameters + use.gradients, kept = use.kept - use.gradients;
    bool conv = false, norm = false, unit = false;

    rn_plan_free(plan);
    plan = make_plan(graph, fixed + kept / 2);
    assert_non_null(plan);
    for (int i = 0; i < plan->op_count; i++) {
        rn_plan_op op = rn_plan_op_at(plan, i);
        conv = conv || strcmp(op.op, "conv again") == 0;
        norm = norm || strcmp(op.op, "batch norm again + relu") == 0;
        unit = unit || strcmp(op.op, "batch norm again + add + relu") == 0;
        if (strcmp(op.op, "conv again") == 0)
            assert_int_equal(op.shape[1], plan->ops[i].desc.dst.c);
    }
    assert_true(conv && norm && unit);
    double seconds = 0;
    calibrating = true;
    assert_int_equal(rn_plan_predict(plan, &seconds, NULL), RN_OK);
    calibrating = false;
    rn_plan_free(plan);
    batch = 3;
    rn_graph_free(graph);
}

static bool fail_at(size_t bytes, void *context)
{
    (void)bytes;
    return (*(int *)context)-- > 0;
}

static void every_allocation_may_fail(void **state)
{
    rn_graph *graph = tiny_create(&tiny_graphs[0]);
    batch = 64;
    rn_plan *plan = make_plan(graph, 0);
    rn_plan_options options = {
        .batch = batch, .training = true, .memory_limit = total(plan) - plan->arena_bytes / 8};

    (void)state;
    rn_plan_free(plan);
    for (int allowed = 0;; allowed++) {
        assert_true(allowed < 10000); // the limit can be kept
        int left = allowed;
        rn_alloc_hook_set(fail_at, &left);
        rn_status st = rn_plan_create(&plan, graph, &fake_engine, &options);
        rn_alloc_hook_set(NULL, NULL);
        rn_plan_free(plan);
        assert_int_equal(live_kernels, 0);
        if (st == RN_OK)
            break;
        assert_int_equal(st, RN_ENOMEM);
        assert_null(plan);
    }
    batch = 3;
    rn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_stay_whatever_the_limit),
        cmocka_unit_test(named_networks_under_limits),
        cmocka_unit_test(convolutions_are_repeated_last),
        cmocka_unit_test(memory_is_linear_in_depth),
        cmocka_unit_test(depth_takes_no_recursion),
        cmocka_unit_test(what_lies_beside_counts),
        cmocka_unit_test(too_low_a_limit_names_the_least),
        cmocka_unit_test(inference_has_no_least),
        cmocka_unit_test(repeated_ops_are_called_so),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("recompute", tests, NULL, NULL);
}
