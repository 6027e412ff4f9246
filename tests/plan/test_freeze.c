// Freezing decides which ops there are, so that an engine which computes nothing tests it.
#include "fake_engine.h"

static const char *const models[] = {"resnet-14:shortcut=B",
                                     "preact-14",
                                     "resnet-14:unit=bn-after-add",
                                     "resnet-14:path=exclusive-gate;survival=0.5",
                                     "wrn-16-4:dropout=0.3",
                                     "fast-resnet-8",
                                     "plain-20"};

enum { MODELS = sizeof models / sizeof *models, BATCH = 32 };

typedef struct fixture {
    rn_graph *graph;
    rn_plan *plan;
    int nodes; // frozen
} fixture;

static fixture make(const char *model, rn_freeze freeze, size_t limit)
{
    fixture f = {0};
    rn_plan_options options = {
        .batch = BATCH, .training = true, .freeze = freeze, .memory_limit = limit};

    assert_int_equal(rn_graph_create(&f.graph, model, NULL), RN_OK);
    if (rn_plan_create(&f.plan, f.graph, &fake_engine, &options) != RN_OK ||
        rn_graph_frozen_nodes(f.graph, freeze, &f.nodes) != RN_OK)
        fail_msg("%s: %s", model, rn_error_message());
    return f;
}

static void drop(fixture *f)
{
    rn_plan_free(f->plan);
    rn_graph_free(f->graph);
    assert_int_equal(live_kernels, 0);
}

static void a_frozen_parameter_has_no_average_beside(void **state)
{
    (void)state;
    size_t beside[2];

    for (int frozen = 0; frozen < 2; frozen++) {
        fixture f = make("resnet-14:shortcut=B", frozen ? RN_FREEZE_STEM + 3 : RN_FREEZE_NONE, 0);
        const size_t without = rn_plan_total_bytes(f.plan);
        f.plan->options.average_beside = true;
        beside[frozen] = rn_plan_total_bytes(f.plan) - without;
        assert_true(frozen || beside[0] == rn_plan_memory_use(f.plan).parameters);
        drop(&f);
    }
    assert_true(beside[1] > 0 && beside[1] < beside[0] / 100); // the last layer's alone
}

static bool backward_before_boundary(const fixture *f)
{
    for (int i = 0; i < rn_plan_ops(f->plan); i++)
        if (rn_plan_op_at(f->plan, i).backward && f->plan->ops[i].node < f->nodes &&
            !f->plan->ops[i].again)
            return true;
    return false;
}

static void backward_list_ends_at_the_boundary(void **state)
{
    (void)state;
    for (int m = 0; m < MODELS; m++)
        for (int freeze = RN_FREEZE_STEM; freeze <= RN_FREEZE_STEM + 3; freeze++) {
            fixture f = make(models[m], (rn_freeze)freeze, 0);
            fixture whole = make(models[m], RN_FREEZE_NONE, 0);
            assert_false(backward_before_boundary(&f));
            assert_int_equal(whole.nodes, 0);
            whole.nodes = f.nodes;
            assert_true(backward_before_boundary(&whole));
            check_offsets(f.plan);
            rn_plan_free(whole.plan);
            rn_graph_free(whole.graph);
            drop(&f);
        }
}

static void only_the_head_is_left(void **state)
{
    (void)state;
    fixture f = make("resnet-20", RN_FREEZE_ALL, 0);

    // 19 convolutions that do all as in inference; and of the backward list one op.
    assert_int_equal(count_kind(f.plan, RN_OP_CONV), 19);
    assert_int_equal(count_kind(f.plan, RN_OP_BATCH_NORM_TRAIN), 0);
    assert_int_equal(count_kind(f.plan, RN_OP_BATCH_NORM_INFER), 0);
    assert_int_equal(f.plan->op_count, f.plan->forward_count + 1);
    assert_string_equal(rn_plan_op_at(f.plan, f.plan->forward_count).op, "linear backward weights");
    drop(&f);
}

// The first batch norm behind the boundary has nobody to hand a gradient to.
static void first_batch_norm_gives_no_gradient_of_its_source(void **state)
{
    (void)state;
    fixture f = make("preact-14", RN_FREEZE_STEM + 1, 0);
    const rn_planned_op *last = &f.plan->ops[f.plan->op_count - 1];

    assert_int_equal(last->desc.kind, RN_OP_BATCH_NORM_BACKWARD);
    assert_string_equal(rn_graph_node(f.graph, last->node)->name, "layer2.0.bn1");
    assert_int_equal(last->args[RN_ARG_DIFF_SRC].space, RN_SPACE_NONE);
    drop(&f);
}

static void each_stage_frozen_saves_memory(void **state)
{
    (void)state;
    for (int m = 0; m < MODELS; m++) {
        size_t arena = SIZE_MAX, gradients = SIZE_MAX;
        for (int freeze = RN_FREEZE_NONE; freeze <= RN_FREEZE_STEM + 3; freeze++) {
            fixture f = make(models[m], (rn_freeze)freeze, 0);
            rn_plan_memory use = rn_plan_memory_use(f.plan);
            assert_true(use.arena <= arena);
            assert_true(use.gradients < gradients);
            assert_true(freeze != RN_FREEZE_STEM + 1 || use.arena < arena * 3 / 4);
            arena = use.arena;
            gradients = use.gradients;
            drop(&f);
        }
    }
}

static void frozen_parameters_are_marked_and_have_no_gradient(void **state)
{
    (void)state;
    fixture f = make("resnet-14", RN_FREEZE_STEM + 2, 0);
    rn_run *run = NULL;

    assert_int_equal(rn_run_create(&run, f.plan), RN_OK);
    for (int i = 0; i < rn_run_params(run); i++) {
        rn_param_view view = rn_run_param(run, i);
        bool trained =
            strncmp(view.param->name, "layer3", 6) == 0 || strncmp(view.param->name, "fc", 2) == 0;
        assert_int_equal(view.frozen, !trained);
        assert_int_equal(view.gradient != NULL, trained && rn_param_trained(view.param));
    }
    rn_run_free(run);
    drop(&f);
}

// The fake engine fails where an op reads what another has overwritten.
static void run(const char *model, rn_freeze freeze, size_t limit)
{
    fixture f = make(model, freeze, limit);
    rn_run *r = NULL;

    check_offsets(f.plan);
    assert_int_equal(rn_run_create(&r, f.plan), RN_OK);
    assert_int_equal(rn_run_forward(r), RN_OK);
    assert_int_equal(rn_run_backward(r), RN_OK);
    rn_run_free(r);
    drop(&f);
}

static void memory_may_be_limited_too(void **state)
{
    (void)state;
    for (int m = 0; m < MODELS; m++) {
        fixture f = make(models[m], RN_FREEZE_STEM + 1, 0);
        rn_plan_memory use = rn_plan_memory_use(f.plan);
        drop(&f);
        run(models[m], RN_FREEZE_STEM + 1, 0);
        run(models[m], RN_FREEZE_STEM + 1, use.parameters + use.arena * 19 / 20);
    }
}

static void a_part_that_is_not_there_is_named(void **state)
{
    rn_graph *graph = NULL;
    rn_plan *plan = NULL;
    rn_plan_options options = {.batch = 1, .training = true, .freeze = RN_FREEZE_STEM + 4};

    (void)state;
    assert_int_equal(rn_graph_create(&graph, "resnet-20", NULL), RN_OK);
    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &options), RN_EINVAL);
    assert_string_equal(rn_error_message(), "'resnet-20' has no part 'stage4' to freeze, expected "
                                            "stem, stage1 to stage3 or all");
    assert_null(plan);
    options.training = false; // inference trains nothing
    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &options), RN_OK);
    rn_plan_free(plan);
    rn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backward_list_ends_at_the_boundary),
        cmocka_unit_test(a_frozen_parameter_has_no_average_beside),
        cmocka_unit_test(only_the_head_is_left),
        cmocka_unit_test(first_batch_norm_gives_no_gradient_of_its_source),
        cmocka_unit_test(each_stage_frozen_saves_memory),
        cmocka_unit_test(frozen_parameters_are_marked_and_have_no_gradient),
        cmocka_unit_test(memory_may_be_limited_too),
        cmocka_unit_test(a_part_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
