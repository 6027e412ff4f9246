// Networks of every wiring, computed: gradients against finite differences, engines against each
// other, and a memory limit that must change no bit.
#include "plan/plan_struct.h"
#include "resnet/engine.h"
#include "tiny_graphs.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

enum { BATCH = 4 };

typedef struct network {
    rn_graph *graph;
    rn_engine *engine;
    rn_plan *plan;
    rn_run *run;
} network;

// Pseudo-random, -1 .. 1.
static float noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / (1 << 23) - 1;
}

// Values that are neither 0 nor 1 even for gains and biases, so that mistakes show.
static void fill_weights(rn_weights *weights)
{
    uint32_t state = 7;

    rn_weights_initialise(weights, 3);
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        float *values = rn_weights_data(weights, i);
        if (param->dims == 1 && rn_param_trained(param))
            for (size_t k = 0; k < param->count; k++)
                values[k] += 0.3f * noise(&state);
    }
}

static void fill_input(network *net)
{
    uint32_t state = 11;
    const rn_node *input = rn_graph_node(net->graph, 0);
    size_t count =
        (size_t)BATCH * (size_t)input->channels * (size_t)input->height * (size_t)input->width;

    for (size_t i = 0; i < count; i++)
        rn_run_input(net->run)[i] = noise(&state);
    for (int i = 0; rn_run_labels(net->run) != NULL && i < BATCH; i++)
        rn_run_labels(net->run)[i] = i % TINY_CLASSES;
}

static network open_network(const tiny_graph *tiny, const char *engine, rn_plan_options options)
{
    network net = {0};
    rn_weights *weights = NULL;

    options.batch = BATCH;
    net.graph = tiny_create(tiny);
    assert_non_null(net.graph);
    assert_int_equal(rn_engine_create(&net.engine, engine), RN_OK);
    if (rn_plan_create(&net.plan, net.graph, net.engine, &options) != RN_OK)
        fail_msg("%s, %s: %s", tiny->name, engine, rn_error_message());
    assert_int_equal(rn_run_create(&net.run, net.plan), RN_OK);
    assert_int_equal(rn_weights_create(&weights, net.graph), RN_OK);
    fill_weights(weights);
    assert_int_equal(rn_run_load(net.run, weights), RN_OK);
    rn_weights_free(weights);
    fill_input(&net);
    rn_run_set_step(net.run, 9, 2);
    return net;
}

static void close_network(network *net)
{
    rn_run_free(net->run);
    rn_plan_free(net->plan);
    rn_engine_free(net->engine);
    rn_graph_free(net->graph);
}

static const rn_plan_options training = {.training = true, .label_smoothing = 0.1f};

static void step(network *net)
{
    assert_int_equal(rn_run_forward(net->run), RN_OK);
    assert_int_equal(rn_run_backward(net->run), RN_OK);
}

// Move a parameter by `by` along `direction`; the loss there.
static double loss_along(network *net, int param, const float *direction, double by)
{
    rn_param_view view = rn_run_param(net->run, param);

    for (size_t k = 0; k < view.count; k++)
        view.value[k] += (float)by * direction[k]; // ref: native layout is the canonical one
    assert_int_equal(rn_run_forward(net->run), RN_OK);
    return rn_run_loss(net->run).loss;
}

// Along a parameter's gradient g the loss rises by |g|; along what is not its gradient, by less.
static void check_gradient(const char *name, network *net, int param, const float *gradient)
{
    const double h = 1e-4;
    double norm = 0;
    rn_param_view view = rn_run_param(net->run, param);

    for (size_t k = 0; k < view.count; k++)
        norm += (double)gradient[k] * (double)gradient[k];
    norm = sqrt(norm);
    double up = loss_along(net, param, gradient, h / (norm + 1e-30));
    double down = loss_along(net, param, gradient, -2 * h / (norm + 1e-30));
    double rise = (up - down) / (2 * h);
    if (!(fabs(rise - norm) < 5e-3 * norm + 2e-3))
        fail_msg("%s, %s: the gradient is %g, the loss rises by %g", name, view.param->name, norm,
                 rise);
    loss_along(net, param, gradient, h / (norm + 1e-30)); // back
}

static void gradients_agree_with_the_loss(void **state)
{
    (void)state;
    for (int i = 0; i < TINY_GRAPHS; i++) {
        network net = open_network(&tiny_graphs[i], "ref", training);
        rn_weights *gradient = NULL;
        step(&net);
        assert_int_equal(rn_weights_create(&gradient, net.graph), RN_OK);
        assert_int_equal(rn_run_store(net.run, RN_SLOT_GRADIENT, gradient), RN_OK);
        for (int p = 0; p < rn_weights_count(gradient); p++)
            if (rn_param_trained(rn_weights_param(gradient, p)))
                check_gradient(tiny_graphs[i].name, &net, p, rn_weights_read(gradient, p));
        rn_weights_free(gradient);
        close_network(&net);
    }
}

static void expect_close(const char *what, const rn_weights *a, const rn_weights *b)
{
    for (int p = 0; p < rn_weights_count(a); p++) {
        double difference = 0, size = 0;
        for (size_t k = 0; k < rn_weights_param(a, p)->count; k++) {
            double x = (double)rn_weights_read(a, p)[k], y = (double)rn_weights_read(b, p)[k];
            difference += (x - y) * (x - y);
            size += x * x;
        }
        if (!(sqrt(difference) < 1e-4 * sqrt(size) + 1e-6))
            fail_msg("%s, %s: the engines differ by %g of %g", what, rn_weights_param(a, p)->name,
                     sqrt(difference), sqrt(size));
    }
}

// The draws of dropout must be the same too, whatever the layout.
static void engines_agree(void **state)
{
    (void)state;
    for (int i = 0; i < TINY_GRAPHS; i++) {
        network ref = open_network(&tiny_graphs[i], "ref", training);
        network cpu = open_network(&tiny_graphs[i], "cpu", training);
        rn_weights *a = NULL, *b = NULL;
        step(&ref);
        step(&cpu);
        assert_int_equal(rn_weights_create(&a, ref.graph), RN_OK);
        assert_int_equal(rn_weights_create(&b, ref.graph), RN_OK);
        for (rn_slot slot = RN_SLOT_VALUE; slot <= RN_SLOT_GRADIENT; slot++) {
            assert_int_equal(rn_run_store(ref.run, slot, a), RN_OK);
            assert_int_equal(rn_run_store(cpu.run, slot, b), RN_OK);
            expect_close(tiny_graphs[i].name, a, b);
        }
        rn_weights_free(a);
        rn_weights_free(b);
        close_network(&ref);
        close_network(&cpu);
    }
}

static void expect_equal_bits(const char *what, network *a, network *b)
{
    rn_loss x = rn_run_loss(a->run), y = rn_run_loss(b->run);

    assert_memory_equal(&x.loss, &y.loss, sizeof x.loss);
    for (int p = 0; p < rn_run_params(a->run); p++) {
        rn_param_view u = rn_run_param(a->run, p), v = rn_run_param(b->run, p);
        if (memcmp(u.value, v.value, u.count * sizeof *u.value) != 0)
            fail_msg("%s: '%s' differs", what, u.param->name);
        if (u.gradient != NULL && memcmp(u.gradient, v.gradient, u.count * sizeof(float)) != 0)
            fail_msg("%s: the gradient of '%s' differs", what, u.param->name);
    }
}

// Two steps with an update between them, so that the second starts from what the first gave.
static void two_steps(network *net)
{
    for (int i = 0; i < 2; i++) {
        rn_run_set_step(net->run, 9, (uint64_t)i);
        step(net);
        for (int p = 0; i == 0 && p < rn_run_params(net->run); p++) {
            rn_param_view view = rn_run_param(net->run, p);
            for (size_t k = 0; view.gradient != NULL && k < view.count; k++)
                view.value[k] -= 0.01f * view.gradient[k];
        }
    }
}

// Limits that need cheap ops only, and one that is near the least. How many ops were repeated in
// all.
static int check_limits(const tiny_graph *tiny, const char *engine)
{
    network whole = open_network(tiny, engine, training);
    rn_plan_memory use = rn_plan_memory_use(whole.plan);
    int repeated = 0;

    two_steps(&whole);
    for (int percent = 98; percent > 0; percent -= 10) {
        rn_plan_options options = training;
        rn_plan *plan = NULL;
        options.batch = BATCH;
        options.memory_limit = use.parameters + use.arena / 100 * (size_t)percent;
        if (rn_plan_create(&plan, whole.graph, whole.engine, &options) != RN_OK)
            break;
        rn_plan_free(plan);
        network limited = open_network(tiny, engine, options);
        repeated += rn_plan_memory_use(limited.plan).recomputed;
        two_steps(&limited);
        expect_equal_bits(tiny->name, &whole, &limited);
        close_network(&limited);
    }
    close_network(&whole);
    return repeated;
}

static void a_memory_limit_changes_no_bit(void **state)
{
    int saving = 0;

    (void)state;
    for (int i = 0; i < TINY_GRAPHS; i++) {
        saving += check_limits(&tiny_graphs[i], "ref") > 0;
        saving += check_limits(&tiny_graphs[i], "cpu") > 0;
    }
    // of the others the plan without a limit keeps next to nothing already
    assert_true(saving >= TINY_GRAPHS * 2 * 3 / 4);
}

// The same step draws the same, the next one does not.
static void a_step_names_its_draws(void **state)
{
    (void)state;
    for (int i = 0; i < TINY_GRAPHS; i++) {
        bool random = tiny_graphs[i].body == tiny_scaled || tiny_graphs[i].body == tiny_wide ||
                      tiny_graphs[i].body == tiny_vgg;
        network net = open_network(&tiny_graphs[i], "cpu", training);
        double loss[4];
        for (int k = 0; k < 4; k++) {
            rn_run_set_step(net.run, k == 3 ? 10 : 9, k == 1 ? 1 : 0);
            assert_int_equal(rn_run_forward(net.run), RN_OK);
            loss[k] = rn_run_loss(net.run).loss;
        }
        assert_true(loss[0] == loss[2]);
        assert_true((loss[0] != loss[1] && loss[0] != loss[3]) == random);
        close_network(&net);
    }
}

typedef struct traced {
    const rn_graph *graph;
    int count, stop_after;
    char names[64][RN_MAX_NAME];
    float sums[64], last[BATCH * TINY_CLASSES];
} traced;

static rn_status look(const rn_node *node, const int shape[4], const float *values, void *context)
{
    traced *t = context;
    size_t count = (size_t)shape[0] * (size_t)shape[1] * (size_t)shape[2] * (size_t)shape[3];

    if (t->count == t->stop_after)
        return rn_error(RN_EINTERRUPTED, "enough");
    assert_in_range(t->count, 0, 63);
    assert_int_equal(shape[0], BATCH);
    assert_int_equal(shape[1], node->channels);
    assert_int_equal(shape[2] * shape[3], node->height * node->width);
    snprintf(t->names[t->count], RN_MAX_NAME, "%s", node->name);
    t->sums[t->count] = 0;
    for (size_t i = 0; i < count; i++)
        t->sums[t->count] += values[i] * (float)(i % 7 + 1);
    if (count == BATCH * TINY_CLASSES)
        memcpy(t->last, values, sizeof t->last);
    t->count++;
    return RN_OK;
}

static void trace_shows_every_output(void **state)
{
    (void)state;
    for (int i = 0; i < TINY_GRAPHS; i++) {
        network ref = open_network(&tiny_graphs[i], "ref", (rn_plan_options){0});
        network cpu = open_network(&tiny_graphs[i], "cpu", (rn_plan_options){0});
        traced a = {.stop_after = -1}, b = {.stop_after = -1};
        assert_int_equal(rn_run_trace(ref.run, look, &a), RN_OK);
        assert_int_equal(rn_run_trace(cpu.run, look, &b), RN_OK);
        assert_int_equal(a.count, rn_plan_ops(ref.plan));
        assert_int_equal(a.count, b.count);
        for (int k = 0; k < a.count; k++) {
            assert_string_equal(a.names[k], b.names[k]);
            assert_float_equal(a.sums[k], b.sums[k], 1e-2f + 1e-4f * fabsf(a.sums[k]));
        }
        assert_memory_equal(a.last, rn_run_logits(ref.run), sizeof a.last);
        close_network(&ref);
        close_network(&cpu);
    }
}

static void trace_ends_when_told(void **state)
{
    (void)state;
    network net = open_network(&tiny_graphs[0], "ref", training);
    traced t = {.stop_after = 2};

    assert_int_equal(rn_run_trace(net.run, look, &t), RN_EINTERRUPTED);
    assert_string_equal(rn_error_message(), "enough");
    assert_int_equal(t.count, 2);
    assert_string_equal(t.names[0], "stem");
    assert_string_equal(t.names[1], "stem.relu"); // the last node of the fused op
    close_network(&net);
}

// The limits are made for the scratch of so many threads.
static int two_threads(void **state)
{
    (void)state;
    return rn_threads_set(2) == RN_OK ? 0 : -1;
}

// Loss of the last forward pass where every sample has these labels and shares.
static double loss_of(network *net, int label, int label_b, float share)
{
    for (int i = 0; i < BATCH; i++) {
        rn_run_labels(net->run)[i] = (label + i) % TINY_CLASSES;
        if (rn_run_shares(net->run) == NULL)
            continue;
        rn_run_labels_b(net->run)[i] = (label_b + i) % TINY_CLASSES;
        rn_run_shares(net->run)[i] = share;
    }
    step(net);
    return rn_run_loss(net->run).loss;
}

// Cross-entropy is linear in the target; dropout and batch norms see the same in every pass.
static void mixed_labels_share_the_loss(void **state)
{
    rn_plan_options mixed = training;

    (void)state;
    mixed.mixed_labels = true;
    for (int e = 0; e < 2; e++) {
        const char *engine = e == 0 ? "ref" : "cpu";
        network net = open_network(&tiny_graphs[0], engine, mixed);
        network plain = open_network(&tiny_graphs[0], engine, training);
        assert_null(rn_run_shares(plain.run));
        assert_null(rn_run_labels_b(plain.run));
        double first = loss_of(&plain, 0, 1, 1), second = loss_of(&plain, 1, 0, 1);
        assert_true(loss_of(&net, 0, 1, 1) == first && loss_of(&net, 1, 0, 1) == second);
        assert_true(loss_of(&net, 0, 1, 0) == second);
        double expected = 0.25 * first + 0.75 * second;
        assert_true(fabs(loss_of(&net, 0, 1, 0.25f) - expected) < 1e-6 * expected);
        assert_true(fabs(first - second) > 1e-3);
        close_network(&net);
        close_network(&plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_the_loss), cmocka_unit_test(engines_agree),
        cmocka_unit_test(a_memory_limit_changes_no_bit), cmocka_unit_test(a_step_names_its_draws),
        cmocka_unit_test(trace_shows_every_output),      cmocka_unit_test(trace_ends_when_told),
        cmocka_unit_test(mixed_labels_share_the_loss),
    };

    return cmocka_run_group_tests_name("units", tests, two_threads, NULL);
}
