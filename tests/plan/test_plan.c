// Planning is data to data: tested with an engine that computes nothing but records what it is
// asked.
#include "fake_engine.h"

typedef struct fixture {
    rn_graph *graph;
    rn_plan *plan;
} fixture;

static fixture make(const char *model, int batch, bool training)
{
    fixture f = {0};
    rn_plan_options options = {.batch = batch, .training = training};

    assert_int_equal(rn_graph_create(&f.graph, model, NULL), RN_OK);
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

static void unit_fuses_to_four_forward_ops(void **state)
{
    (void)state;
    fixture f = make("resnet-20", 4, true);

    // 19 convolutions each with one BN that took up its ReLU and addition; 2 padded shortcuts.
    assert_int_equal(count_kind(f.plan, RN_OP_CONV), 19);
    assert_int_equal(count_kind(f.plan, RN_OP_BATCH_NORM_TRAIN), 19);
    assert_int_equal(count_kind(f.plan, RN_OP_SHORTCUT_PAD), 2);
    assert_int_equal(count_kind(f.plan, RN_OP_RELU), 0);
    assert_int_equal(f.plan->forward_count, 19 + 19 + 2 + 1 + 1 + 1);
    for (int i = 0; i < f.plan->forward_count; i++)
        if (strcmp(rn_plan_op_at(f.plan, i).name, "layer1.0.bn2") == 0)
            assert_string_equal(rn_plan_op_at(f.plan, i).op, "batch norm + add + relu");
    drop(&f);
}

static void backward_needs_no_separate_sums(void **state)
{
    (void)state;
    fixture f = make("resnet-20", 4, true);

    assert_int_equal(count_kind(f.plan, RN_OP_CONV_BACKWARD_WEIGHTS), 19);
    // The first convolution has no gradient to hand on.
    assert_int_equal(count_kind(f.plan, RN_OP_CONV_BACKWARD_DATA), 18);
    assert_int_equal(count_kind(f.plan, RN_OP_BATCH_NORM_BACKWARD), 19);
    assert_int_equal(count_kind(f.plan, RN_OP_ADD), 0);
    int forks = 0;
    for (int i = 0; i < f.plan->op_count; i++)
        forks += f.plan->ops[i].desc.diff_dst2;
    assert_int_equal(forks, 9); // one a unit: both readers of its input
    drop(&f);
}

// A layer's place among the forward ops, by its kind and name.
static rn_plan_op find_op(const fixture *f, rn_op_kind kind, const char *name)
{
    int i = 0;

    while (f->plan->ops[i].desc.kind != kind || strcmp(rn_plan_op_at(f->plan, i).name, name) != 0)
        i++;
    return rn_plan_op_at(f->plan, i);
}

// Where a convolution takes statistics, and the next one normalises, both are its work; a batch
// norm that is left with nothing to do reads nothing.
static void work_belongs_to_the_op_that_does_it(void **state)
{
    const double elements = 4.0 * 16 * 32 * 32, macs = elements * 16 * 9;
    const double image = elements * sizeof(float);

    (void)state;
    fixture f = make("resnet-20", 4, true);
    assert_float_equal(find_op(&f, RN_OP_CONV, "layer1.0.conv2").flops, 2 * macs, 0);
    assert_float_equal(find_op(&f, RN_OP_BATCH_NORM_TRAIN, "layer1.0.bn1").flops, 6 * elements, 0);
    assert_true((double)find_op(&f, RN_OP_BATCH_NORM_TRAIN, "layer1.0.bn1").bytes > 2 * image);
    drop(&f);
    takes_statistics = true;
    f = make("resnet-20", 4, true);
    takes_statistics = false;
    assert_float_equal(find_op(&f, RN_OP_CONV, "layer1.0.conv1").flops, 2 * macs + 4 * elements, 0);
    assert_float_equal(find_op(&f, RN_OP_BATCH_NORM_TRAIN, "layer1.0.bn1").flops, 0, 0);
    assert_true((double)find_op(&f, RN_OP_BATCH_NORM_TRAIN, "layer1.0.bn1").bytes < image / 10);
    assert_float_equal(find_op(&f, RN_OP_CONV, "layer1.0.conv2").flops,
                       2 * macs + (2 + 4) * elements, 0);
    assert_float_equal(find_op(&f, RN_OP_BATCH_NORM_TRAIN, "layer1.0.bn2").flops, 2 * elements, 0);
    drop(&f);
}

static void projection_takes_no_part_in_fused_addition(void **state)
{
    (void)state;
    fixture f = make("resnet-14:shortcut=C", 2, true);
    int added = 0, projections = 0;

    for (int i = 0; i < f.plan->forward_count; i++) {
        const rn_planned_op *op = &f.plan->ops[i];
        added += op->desc.add;
        projections += strstr(rn_graph_node(f.graph, op->node)->name, "downsample.1") != NULL;
        if (op->desc.add)
            assert_non_null(strstr(rn_graph_node(f.graph, op->node)->name, "bn2"));
    }
    assert_int_equal(added, 6);
    assert_int_equal(projections, 6);
    drop(&f);
}

static int forward_index(const rn_plan *plan, const char *name)
{
    for (int i = 0; i < plan->forward_count; i++)
        if (strcmp(rn_plan_op_at(plan, i).name, name) == 0)
            return i;
    fail_msg("no op '%s'", name);
    return -1;
}

// Backward, the reverse, then has their gradients last.
static void shortcuts_come_before_their_branches(void **state)
{
    static const struct {
        const char *model, *shortcut, *reads, *branch;
    } cases[] = {
        {"resnet-14:shortcut=B", "layer2.0.downsample.0", "layer1.1.bn2", "layer2.0.conv1"},
        {"resnet-14:shortcut=C", "layer1.0.downsample.0", "relu", "layer1.0.conv1"},
        {"resnet-14", "layer2.0.shortcut", "layer1.1.bn2", "layer2.0.conv1"},
        {"preact-20:shortcut=B", "layer2.0.downsample.0", "layer2.0.bn1", "layer2.0.conv1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int training = 0; training < 2; training++) {
            fixture f = make(cases[i].model, 2, training == 1);
            int shortcut = forward_index(f.plan, cases[i].shortcut);
            int branch = forward_index(f.plan, cases[i].branch);
            assert_true(training ? shortcut < branch : shortcut > branch);
            if (training && strcmp(cases[i].reads, "relu") != 0)
                assert_true(shortcut > forward_index(f.plan, cases[i].reads));
            drop(&f);
        }
    }
}

static void live_tensors_never_overlap(void **state)
{
    static const char *const models[] = {"resnet-20", "plain-20", "resnet-14:shortcut=B",
                                         "resnet-14:shortcut=C"};

    (void)state;
    for (int m = 0; m < 8; m++) {
        fixture f = make(models[m / 2], 3, m % 2 == 0);
        check_offsets(f.plan);
        drop(&f);
    }
}

static void liveness_saves_memory(void **state)
{
    (void)state;
    fixture training = make("resnet-56", 8, true), inference = make("resnet-56", 8, false);
    rn_plan_memory t = rn_plan_memory_use(training.plan), i = rn_plan_memory_use(inference.plan);

    // Forward tensors must live until their backward op; gradients and in-place ops share.
    assert_true(t.arena < t.unshared * 6 / 10);
    assert_true(i.arena < i.unshared / 10);
    assert_int_equal(i.gradients, 0);
    rn_plan_free(training.plan);
    rn_graph_free(training.graph);
    drop(&inference);
}

static void most_alive_fits_the_arena(void **state)
{
    (void)state;
    fixture f = make("resnet-14", 2, true);
    size_t alive[200], most = 0;

    assert_in_range(f.plan->op_count, 1, 200);
    assert_int_equal(rn_plan_alive(f.plan, alive), RN_OK);
    for (int i = 0; i < f.plan->op_count; i++) {
        assert_true(alive[i] >= f.plan->tensors[f.plan->ops[i].args[RN_ARG_SRC].index].bytes ||
                    f.plan->ops[i].args[RN_ARG_SRC].space != RN_SPACE_TENSOR);
        most = alive[i] > most ? alive[i] : most;
    }
    assert_true(most > 0 && most <= f.plan->arena_bytes);
    drop(&f);
}

static void run_executes_each_op_once(void **state)
{
    (void)state;
    fixture f = make("plain-20", 2, true);
    rn_run *run = NULL;

    assert_int_equal(rn_run_create(&run, f.plan), RN_OK);
    runs = 0;
    assert_int_equal(rn_run_forward(run), RN_OK);
    assert_int_equal(runs, f.plan->forward_count);
    assert_int_equal(rn_run_backward(run), RN_OK);
    assert_int_equal(runs, f.plan->op_count);
    assert_int_equal(rn_run_op(run, f.plan->op_count - 1), RN_OK);
    assert_int_equal(runs, f.plan->op_count + 1);
    rn_run_free(run);
    drop(&f);
}

static void prediction_adds_up_and_shares_like_ops(void **state)
{
    (void)state;
    fixture f = make("resnet-14", 2, true);
    double total = 0, sum = 0, per_op[200];
    int made = live_kernels;

    assert_in_range(f.plan->op_count, 1, 200);
    calibrating = true;
    assert_int_equal(rn_plan_predict(f.plan, &total, per_op), RN_OK);
    calibrating = false;
    assert_int_equal(live_kernels, made); // probes are gone
    for (int i = 0; i < f.plan->op_count; i++) {
        assert_true(per_op[i] > 0);
        sum += per_op[i];
    }
    assert_true(total > 0 && sum == total);
    // layer1.0.conv1 and layer1.1.conv1 have one shape and so one time.
    assert_true(per_op[2] == per_op[6] && f.plan->ops[6].desc.kind == RN_OP_CONV);
    drop(&f);
}

static void weights_survive_load_and_store(void **state)
{
    (void)state;
    fixture f = make("resnet-8", 1, true);
    rn_run *run = NULL;
    rn_weights *in = NULL, *out = NULL;

    assert_int_equal(rn_run_create(&run, f.plan), RN_OK);
    assert_int_equal(rn_weights_create(&in, f.graph), RN_OK);
    assert_int_equal(rn_weights_create(&out, f.graph), RN_OK);
    rn_weights_initialise(in, 1);
    assert_int_equal(rn_run_load(run, in), RN_OK);
    assert_int_equal(rn_run_store(run, RN_SLOT_VALUE, out), RN_OK);
    for (int i = 0; i < rn_weights_count(in); i++)
        assert_memory_equal(rn_weights_data(in, i), rn_weights_data(out, i),
                            rn_weights_param(in, i)->count * sizeof(float));
    rn_weights_free(in);
    rn_weights_free(out);
    rn_run_free(run);
    drop(&f);
}

static void foreign_weights_are_refused(void **state)
{
    (void)state;
    fixture f = make("resnet-8", 1, false);
    rn_graph *other = NULL;
    rn_weights *weights = NULL;
    rn_run *run = NULL;

    assert_int_equal(rn_graph_create(&other, "resnet-8:shortcut=B", NULL), RN_OK);
    assert_int_equal(rn_weights_create(&weights, other), RN_OK);
    assert_int_equal(rn_run_create(&run, f.plan), RN_OK);
    assert_int_equal(rn_run_load(run, weights), RN_EINVAL);
    rn_weights_free(weights);
    rn_graph_free(other);
    rn_run_free(run);
    drop(&f);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    rn_graph *graph = NULL;
    rn_plan *plan = (rn_plan *)1;

    assert_int_equal(rn_graph_create(&graph, "plain-8", NULL), RN_OK);
    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &(rn_plan_options){.batch = 0}),
                     RN_EINVAL);
    assert_null(plan);
    assert_non_null(strstr(rn_error_message(), "batch is 0, expected 1 to 65536"));
    rn_plan_options smooth = {.batch = 1, .label_smoothing = 2};
    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &smooth), RN_EINVAL);
    rn_plan_options momentum = {.batch = 1, .training = true, .bn_momentum = 1.5f};
    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &momentum), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "batch norms' momentum is 1.5, expected 0 to 1"));
    rn_graph_free(graph);
}

static float momentum_of(float asked, bool training)
{
    rn_graph *graph = NULL;
    rn_plan *plan = NULL;
    rn_plan_options options = {.batch = 2, .training = training, .bn_momentum = asked};
    float found = -1;

    assert_int_equal(rn_graph_create(&graph, "resnet-8", NULL), RN_OK);
    assert_int_equal(rn_plan_create(&plan, graph, &fake_engine, &options), RN_OK);
    for (int i = 0; i < plan->op_count; i++) {
        const rn_op_desc *desc = &plan->ops[i].desc;
        if (desc->kind != RN_OP_BATCH_NORM_TRAIN && desc->kind != RN_OP_BATCH_NORM_INFER)
            continue;
        assert_true(found < 0 || found == desc->momentum);
        found = desc->momentum;
    }
    rn_plan_free(plan);
    rn_graph_free(graph);
    return found;
}

static void momentum_of_batch_norms_can_be_set(void **state)
{
    (void)state;
    assert_true(momentum_of(0, true) == 0.1f);
    assert_true(momentum_of(0.4f, true) == 0.4f);
}

static bool fail_at(size_t bytes, void *context)
{
    (void)bytes;
    return (*(int *)context)-- > 0;
}

static void every_allocation_may_fail(void **state)
{
    rn_graph *graph = NULL;
    rn_plan_options options = {.batch = 2, .training = true};

    (void)state;
    assert_int_equal(rn_graph_create(&graph, "resnet-8:shortcut=B", NULL), RN_OK);
    for (int allowed = 0;; allowed++) {
        int left = allowed;
        rn_plan *plan = NULL;
        rn_run *run = NULL;
        rn_alloc_hook_set(fail_at, &left);
        rn_status st = rn_plan_create(&plan, graph, &fake_engine, &options);
        if (st == RN_OK)
            st = rn_run_create(&run, plan);
        rn_alloc_hook_set(NULL, NULL);
        rn_run_free(run);
        rn_plan_free(plan);
        assert_int_equal(live_kernels, 0);
        if (st == RN_OK)
            break;
        assert_int_equal(st, RN_ENOMEM);
        assert_null(run);
    }
    rn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_fuses_to_four_forward_ops),
        cmocka_unit_test(backward_needs_no_separate_sums),
        cmocka_unit_test(work_belongs_to_the_op_that_does_it),
        cmocka_unit_test(projection_takes_no_part_in_fused_addition),
        cmocka_unit_test(shortcuts_come_before_their_branches),
        cmocka_unit_test(live_tensors_never_overlap),
        cmocka_unit_test(liveness_saves_memory),
        cmocka_unit_test(most_alive_fits_the_arena),
        cmocka_unit_test(run_executes_each_op_once),
        cmocka_unit_test(prediction_adds_up_and_shares_like_ops),
        cmocka_unit_test(weights_survive_load_and_store),
        cmocka_unit_test(foreign_weights_are_refused),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(momentum_of_batch_norms_can_be_set),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
