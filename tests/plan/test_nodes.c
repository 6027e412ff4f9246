// What the nodes of both papers' units become: ops, layouts, fusion, gradients' sums.
#include "fake_engine.h"
#include "tiny_graphs.h"

typedef struct fixture {
    rn_graph *graph;
    rn_plan *plan;
} fixture;

static fixture make(int (*body)(rn_builder *, int), bool training, rn_layout layout)
{
    fixture f = {0};
    rn_plan_options options = {.batch = 3, .training = training};

    fake_engine.layout = layout;
    f.graph = tiny_create(&(tiny_graph){"tiny", body});
    assert_non_null(f.graph);
    if (rn_plan_create(&f.plan, f.graph, &fake_engine, &options) != RN_OK)
        fail_msg("%s", rn_error_message());
    return f;
}

static void drop(fixture *f)
{
    rn_plan_free(f->plan);
    rn_graph_free(f->graph);
    assert_int_equal(live_kernels, 0);
}

// The forward op that ends with the node of this name; NULL if there is none.
static const rn_planned_op *op_of(const fixture *f, const char *name)
{
    for (int i = 0; i < f->plan->forward_count; i++)
        if (strcmp(rn_graph_node(f->graph, f->plan->ops[i].last_node)->name, name) == 0)
            return &f->plan->ops[i];
    return NULL;
}

static int node_named(const fixture *f, const char *name)
{
    int i = 0;

    while (strcmp(rn_graph_node(f->graph, i)->name, name) != 0)
        i++;
    return i;
}

static void dropout_is_named_by_its_node(void **state)
{
    (void)state;
    fixture f = make(tiny_scaled, true, RN_LAYOUT_NCHW);
    const rn_planned_op *dropout = op_of(&f, "unit1.shortcut"), *branch = op_of(&f, "unit3.branch");

    assert_int_equal(dropout->desc.kind, RN_OP_DROPOUT);
    assert_false(dropout->desc.whole);
    assert_float_equal(dropout->desc.rate, 0.5f, 0);
    assert_float_equal(dropout->desc.scale, 2, 0);
    assert_int_equal(dropout->desc.stream, node_named(&f, "unit1.shortcut"));
    assert_int_equal(dropout->args[RN_ARG_RANDOM].space, RN_SPACE_RANDOM);
    assert_int_equal(branch->desc.kind, RN_OP_DROPOUT);
    assert_true(branch->desc.whole);
    assert_float_equal(branch->desc.rate, 0.75f, 0);
    assert_float_equal(branch->desc.scale, 1, 0);
    assert_int_equal(branch->desc.stream, node_named(&f, "unit3.branch"));
    assert_int_equal(op_of(&f, "unit0.branch")->desc.kind, RN_OP_SCALE);
    assert_float_equal(op_of(&f, "unit0.branch")->desc.scale, 0.5f, 0);
    drop(&f);
}

static void inference_drops_nothing(void **state)
{
    (void)state;
    fixture f = make(tiny_scaled, false, RN_LAYOUT_NCHW);

    assert_int_equal(count_kind(f.plan, RN_OP_DROPOUT), 0);
    assert_null(op_of(&f, "unit1.shortcut"));
    assert_int_equal(op_of(&f, "unit2.branch")->desc.kind, RN_OP_SCALE);
    assert_float_equal(op_of(&f, "unit2.branch")->desc.scale, 0.75f, 0);
    assert_float_equal(op_of(&f, "unit3.branch")->desc.scale, 0.25f, 0);
    drop(&f);
    f = make(tiny_vgg, false, RN_LAYOUT_NCHW);
    assert_int_equal(count_kind(f.plan, RN_OP_DROPOUT), 0);
    assert_int_equal(op_of(&f, "fc3")->args[RN_ARG_SRC].index,
                     op_of(&f, "fc2.relu")->args[RN_ARG_DST].index);
    drop(&f);
}

static int body_of_rate_zero(rn_builder *b, int x)
{
    int y = tiny_conv(b, x, 4, 3, 1, "conv");

    y = rn_build_add(b, rn_build_dropout(b, y, 0, "a"), rn_build_drop_branch(b, y, 0, "b"), "add");
    return tiny_head(b, y);
}

static void rate_zero_is_no_op(void **state)
{
    (void)state;
    for (int training = 0; training < 2; training++) {
        fixture f = make(body_of_rate_zero, training, RN_LAYOUT_NCHW);
        assert_int_equal(count_kind(f.plan, RN_OP_DROPOUT) + count_kind(f.plan, RN_OP_SCALE), 0);
        drop(&f);
    }
}

// Multiplying goes backward through the forward op's own kernel.
static void draws_repeat_in_the_backward_list(void **state)
{
    (void)state;
    fixture f = make(tiny_scaled, true, RN_LAYOUT_NCHW);
    int backward = 0;

    for (int i = f.plan->forward_count; i < f.plan->op_count; i++) {
        const rn_planned_op *op = &f.plan->ops[i];
        const rn_planned_op *forward = op_of(&f, rn_graph_node(f.graph, op->node)->name);
        if (op->desc.kind != RN_OP_DROPOUT && op->desc.kind != RN_OP_SCALE)
            continue;
        backward++;
        assert_true(op->backward && op->shared && !op->again);
        assert_ptr_equal(op->kernel, forward->kernel);
        assert_null(op->desc.forward);
        assert_int_equal(op->args[RN_ARG_RANDOM].space, forward->args[RN_ARG_RANDOM].space);
        assert_string_equal(op->label,
                            op->desc.kind == RN_OP_SCALE ? "scale backward" : "dropout backward");
    }
    assert_int_equal(backward, 6); // 2 scales on branches, 1 on a shortcut, 1 dropout, 2 branches
    drop(&f);
}

static void flat_tensors_stay_flat(void **state)
{
    static const char *const flat[] = {"flatten", "fc1",      "fc1.relu",    "fc1.dropout",
                                       "fc2",     "fc2.relu", "fc2.dropout", "fc3"};
    static const char *const joined[] = {"pool2", "flat.scale", "flat.relu", "flatten", "join"};

    (void)state;
    fixture f = make(tiny_vgg, true, RN_LAYOUT_NCHW16C);
    for (size_t i = 0; i < sizeof flat / sizeof *flat; i++)
        assert_int_equal(op_of(&f, flat[i])->desc.dst.layout, RN_LAYOUT_NC);
    assert_int_equal(op_of(&f, "relu0")->desc.dst.layout, RN_LAYOUT_NCHW16C);
    assert_int_equal(op_of(&f, "flatten")->desc.src.layout, RN_LAYOUT_NCHW16C);
    assert_int_equal(op_of(&f, "flatten")->desc.dst.c, 6 * 3 * 2);
    assert_int_equal(f.plan->logits, op_of(&f, "fc3")->args[RN_ARG_DST].index);
    drop(&f);
    f = make(tiny_many_readers, true, RN_LAYOUT_NCHW8C);
    for (size_t i = 0; i < sizeof joined / sizeof *joined; i++)
        assert_int_equal(op_of(&f, joined[i])->desc.dst.layout, RN_LAYOUT_NC);
    assert_int_equal(op_of(&f, "flatten")->desc.src.layout, RN_LAYOUT_NCHW); // the input
    drop(&f);
}

static int body_of_mixed_layouts(rn_builder *b, int x)
{
    return tiny_head(b, rn_build_add(b, tiny_conv(b, x, 2, 3, 1, "conv"), x, "mixed"));
}

static void operands_of_two_layouts_are_refused(void **state)
{
    (void)state;
    rn_graph *graph = tiny_create(&(tiny_graph){"tiny", body_of_mixed_layouts});
    rn_plan *plan = NULL;

    fake_engine.layout = RN_LAYOUT_NCHW16C;
    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, NULL), RN_EUNSUPPORTED);
    assert_string_equal(rn_error_message(), "'mixed': its operands differ in layout");
    assert_int_equal(live_kernels, 0);
    rn_graph_free(graph);
}

static void expect_label(const fixture *f, const char *node, const char *label)
{
    assert_non_null(op_of(f, node));
    assert_string_equal(op_of(f, node)->label, label);
}

// BN takes up the addition only where nobody else reads it, ReLU likewise.
static void units_fuse_as_their_order_allows(void **state)
{
    (void)state;
    fixture f = make(tiny_original, true, RN_LAYOUT_NCHW);
    expect_label(&f, "unit0.out", "batch norm + add + relu");
    expect_label(&f, "shortcut", "batch norm");
    drop(&f);
    f = make(tiny_bn_after_add, true, RN_LAYOUT_NCHW);
    expect_label(&f, "unit1.add", "add");
    expect_label(&f, "unit1.out", "batch norm + relu");
    drop(&f);
    f = make(tiny_relu_before_add, true, RN_LAYOUT_NCHW);
    expect_label(&f, "unit1.relu2", "batch norm + relu");
    expect_label(&f, "unit1.add", "add");
    drop(&f);
    f = make(tiny_preact, true, RN_LAYOUT_NCHW);
    expect_label(&f, "unit0.add", "add");
    expect_label(&f, "unit0.relu1", "batch norm + relu");
    expect_label(&f, "unit1.relu1", "relu");
    drop(&f);
    f = make(tiny_gates, true, RN_LAYOUT_NCHW);
    expect_label(&f, "unit0.bn2", "batch norm");
    expect_label(&f, "unit0.out", "add + relu");
    expect_label(&f, "unit1.out", "batch norm + add + relu"); // shortcut-only gating
    drop(&f);
    f = make(tiny_vgg, true, RN_LAYOUT_NCHW);
    expect_label(&f, "relu1", "relu");
    drop(&f);
}

// y of many-readers: conv a, conv b, the scale, c, twice "twice" and pool2.
static void gradients_of_many_readers_are_summed(void **state)
{
    (void)state;
    fixture f = make(tiny_many_readers, true, RN_LAYOUT_NCHW);
    int stem = op_of(&f, "stem.relu")->last_node, sums = 0, taken = 0;

    for (int i = f.plan->forward_count; i < f.plan->op_count; i++) {
        const rn_planned_op *op = &f.plan->ops[i];
        sums += op->desc.kind == RN_OP_ADD;
        if (op->desc.kind == RN_OP_BATCH_NORM_BACKWARD && op->last_node == stem)
            taken = 1 + op->desc.diff_dst2;
    }
    assert_int_equal(taken, 2);
    assert_int_equal(sums, 7 - taken); // seven contributions in all
    // The input wants no gradient: neither data of fc1 nor flattening go back to it.
    assert_int_equal(count_kind(f.plan, RN_OP_FLATTEN_BACKWARD), 0);
    assert_int_equal(count_kind(f.plan, RN_OP_LINEAR_BACKWARD_WEIGHTS), 2);
    assert_int_equal(count_kind(f.plan, RN_OP_LINEAR_BACKWARD_DATA), 1);
    drop(&f);
}

// Every op reads what was written for it, whatever shares memory: the fake engine checks.
static void arena_keeps_what_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * TINY_GRAPHS; i++) {
        fixture f = make(tiny_graphs[i / 2].body, i % 2 == 0, RN_LAYOUT_NCHW16C);
        rn_run *run = NULL;
        check_offsets(f.plan);
        assert_int_equal(rn_run_create(&run, f.plan), RN_OK);
        assert_int_equal(rn_run_forward(run), RN_OK);
        assert_int_equal(rn_run_backward(run), RN_OK);
        rn_run_free(run);
        drop(&f);
    }
}

static void every_op_can_be_timed(void **state)
{
    (void)state;
    for (int i = 0; i < TINY_GRAPHS; i++) {
        fixture f = make(tiny_graphs[i].body, true, RN_LAYOUT_NCHW);
        double seconds = 0;
        calibrating = true;
        assert_int_equal(rn_plan_predict(f.plan, &seconds, NULL), RN_OK);
        calibrating = false;
        assert_true(seconds > 0);
        drop(&f);
    }
}

static int fewest; // pictures that the engine below computes

static rn_status create_for_many(rn_engine *engine, rn_kernel **out, const rn_op_desc *desc)
{
    *out = NULL;
    return desc->kind == RN_OP_CONV && desc->src.n < fewest
               ? rn_error(RN_EUNSUPPORTED, "too few pictures")
               : fake_create(engine, out, desc);
}

// An op that no part of the batch can be computed with is timed with all of it.
static void ops_of_many_pictures_can_be_timed(void **state)
{
    (void)state;
    rn_graph *graph = NULL;
    rn_plan *plan = NULL;
    const rn_plan_options options = {.batch = 256};
    double seconds = 0;

    assert_int_equal(rn_graph_create(&graph, "resnet-8", NULL), RN_OK);
    fake_engine.layout = RN_LAYOUT_NCHW;
    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &options), RN_OK);
    fewest = options.batch; // more than a probe takes
    fake_engine.create = create_for_many;
    calibrating = true;
    assert_int_equal(rn_plan_predict(plan, &seconds, NULL), RN_OK);
    calibrating = false;
    fake_engine.create = fake_create;
    assert_true(seconds > 0);
    rn_plan_free(plan);
    rn_graph_free(graph);
    assert_int_equal(live_kernels, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropout_is_named_by_its_node),
        cmocka_unit_test(inference_drops_nothing),
        cmocka_unit_test(rate_zero_is_no_op),
        cmocka_unit_test(draws_repeat_in_the_backward_list),
        cmocka_unit_test(flat_tensors_stay_flat),
        cmocka_unit_test(operands_of_two_layouts_are_refused),
        cmocka_unit_test(units_fuse_as_their_order_allows),
        cmocka_unit_test(gradients_of_many_readers_are_summed),
        cmocka_unit_test(arena_keeps_what_is_read),
        cmocka_unit_test(every_op_can_be_timed),
        cmocka_unit_test(ops_of_many_pictures_can_be_timed),
    };

    return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
