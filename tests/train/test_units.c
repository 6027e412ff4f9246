// Every unit with every shortcut, in a small network: its gradients against finite differences of
// the loss, and twenty steps of training that lower the loss. Graphs alone are tested in
// tests/graph.
#include "base/memory.h"
#include "base/random.h"
#include "resnet/resnet.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

enum { BATCH = 6, CLASSES = 3, SIZE = 8, STEPS = 20, SEED = 5 };

static const char *const units[] = {"original", "bn-after-add", "relu-before-add", "relu-only",
                                    "preact"};
static const char *const blocks[] = {"basic", "bottleneck", "single"};
static const char *const shortcuts[] = {
    "shortcut=A",
    "shortcut=B",
    "shortcut=C",
    "path=scale",
    "path=scale;shortcut-scale=0.5;residual-scale=1",
    "path=exclusive-gate",
    "path=exclusive-gate;gate-bias=-2;shortcut=B",
    "path=shortcut-gate",
    "path=conv",
    "path=dropout",
};
// Options that go with any of the above, each tried once
static const char *const others[] = {
    "residual=no",
    "unit=original;zero-gain=yes",
    "unit=original;survival=0.5",
    "unit=preact;survival=0.5;block=bottleneck",
    "unit=preact;widen=2;dropout=0.3;shortcut=B",
    "unit=original;block=bottleneck;stride=3x3;shortcut=B",
    "block=single;down=pool;head=max;down-init=identity;head-init=0.1;widths=8,4",
    "block=basic;down=pool;residual=no",
};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

#define TRY(expr)                                                                                  \
    do {                                                                                           \
        if ((expr) != RN_OK)                                                                       \
            fail_msg("%s: %s: %s", spec, #expr, rn_error_message());                               \
    } while (0)

typedef struct network {
    rn_engine *engine;
    rn_graph *graph;
    rn_plan *plan;
    rn_run *run;
    rn_weights *weights;
} network;

static void fill_input(rn_run *run)
{
    rn_stream stream;

    rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < BATCH * 3 * SIZE * SIZE; i++)
        rn_run_input(run)[i] = rn_stream_normal(&stream);
}

static void fill_batch(rn_run *run)
{
    fill_input(run);
    for (int i = 0; i < BATCH; i++)
        rn_run_labels(run)[i] = i % CLASSES;
}

// Moves gains and biases from where they start: with a BN bias of 0 and a gain of 0 or 1 whole
// tensors lie where a ReLU has no derivative.
static void jitter(rn_weights *weights)
{
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        rn_stream stream;
        if (param->dims != 1 || !rn_param_trained(param))
            continue;
        rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 1, (uint32_t)i);
        for (size_t k = 0; k < param->count; k++)
            rn_weights_data(weights, i)[k] += 0.5f * rn_stream_uniform(&stream) - 0.2f;
    }
}

static void open_network(network *net, const char *spec, rn_freeze freeze)
{
    const rn_model_options options = {
        .classes = CLASSES, .channels = 3, .height = SIZE, .width = SIZE};

    *net = (network){0};
    TRY(rn_engine_create(&net->engine, NULL));
    TRY(rn_graph_create(&net->graph, spec, &options));
    TRY(rn_plan_create(&net->plan, net->graph, net->engine,
                       &(rn_plan_options){.batch = BATCH, .training = true, .freeze = freeze}));
    TRY(rn_run_create(&net->run, net->plan));
    TRY(rn_weights_create(&net->weights, net->graph));
    rn_weights_initialise(net->weights, SEED);
    jitter(net->weights);
    TRY(rn_run_load(net->run, net->weights));
    rn_run_set_step(net->run, SEED, 1);
    fill_batch(net->run);
}

static void close_network(network *net)
{
    rn_weights_free(net->weights);
    rn_run_free(net->run);
    rn_plan_free(net->plan);
    rn_graph_free(net->graph);
    rn_engine_free(net->engine);
}

static double loss_of(network *net, const char *spec)
{
    TRY(rn_run_forward(net->run));
    return rn_run_loss(net->run).loss;
}

// Loss where parameter `index` is moved by `distance` along its gradient's direction.
static double moved_loss(network *net, const char *spec, int index, double distance,
                         const float *direction)
{
    rn_param_view view = rn_run_param(net->run, index);

    for (size_t i = 0; i < view.count; i++)
        view.value[i] += (float)distance * direction[i];
    double loss = loss_of(net, spec);
    TRY(rn_run_load(net->run, net->weights));
    return loss;
}

static double off(double slope, double norm)
{
    return fabs(slope - norm) / (norm + 0.05); // rounding: some 1e-3 of the slope
}

// |gradient| is the slope of the loss along the gradient. Of several widths of differences one must
// agree: ReLUs that change sides spoil the wide ones, rounding the narrow ones. Where a ReLU's
// input is almost 0, the loss has two slopes, and the gradient is one of them.
static void check_gradient(network *net, const char *spec, int index)
{
    static const double widths[] = {5e-3, 1e-3, 3e-4, 1e-4};
    const double tolerance = 0.03;
    rn_param_view view = rn_run_param(net->run, index);
    float *direction = NULL;
    double norm = 0, worst = INFINITY;

    if (view.gradient == NULL)
        return;
    loss_of(net, spec);
    TRY(rn_run_backward(net->run));
    TRY(RN_NEW(&direction, view.count));
    for (size_t i = 0; i < view.count; i++)
        norm += (double)view.gradient[i] * (double)view.gradient[i];
    norm = sqrt(norm);
    for (size_t i = 0; i < view.count; i++)
        direction[i] = norm > 0 ? (float)((double)view.gradient[i] / norm) : 0;
    for (size_t w = 0; w < LENGTH(widths) && norm > 0 && worst > tolerance; w++) {
        double ahead = moved_loss(net, spec, index, widths[w], direction);
        double behind = moved_loss(net, spec, index, -widths[w], direction);
        double here = loss_of(net, spec);
        worst = fmin(worst, off((ahead - behind) / (2 * widths[w]), norm));
        worst = fmin(worst, off((ahead - here) / widths[w], norm));
        worst = fmin(worst, off((here - behind) / widths[w], norm));
    }
    if (norm > 0 && worst > tolerance)
        fail_msg("%s: gradient of '%s' is %g along itself, the loss says otherwise by %.1f %%",
                 spec, view.param->name, norm, 100 * worst);
    rn_free(direction);
}

static void check_gradients(const char *spec, rn_freeze freeze)
{
    network net;

    open_network(&net, spec, freeze);
    for (int i = 0; i < rn_run_params(net.run); i++)
        check_gradient(&net, spec, i);
    close_network(&net);
}

static void check_training(const char *spec)
{
    network net;
    rn_sgd *sgd = NULL;
    const rn_sgd_options options = {.momentum = 0.9};

    open_network(&net, spec, RN_FREEZE_NONE);
    TRY(rn_sgd_create(&sgd, net.run, net.engine, &options));
    double first = loss_of(&net, spec);
    for (int step = 0; step < STEPS; step++) {
        rn_run_set_step(net.run, SEED, (uint64_t)step);
        loss_of(&net, spec);
        TRY(rn_run_backward(net.run));
        rn_sgd_step(sgd, 0.05);
    }
    rn_run_set_step(net.run, SEED, 1); // the draws of the first loss
    double last = loss_of(&net, spec);
    if (!(last < 0.95 * first))
        fail_msg("%s: loss %g before training, %g after %d steps", spec, first, last, STEPS);
    rn_sgd_free(sgd);
    close_network(&net);
}

static void check(const char *spec)
{
    check_gradients(spec, RN_FREEZE_NONE);
    check_training(spec);
}

static void every_unit_with_every_shortcut(void **state)
{
    char spec[256];
    (void)state;

    for (size_t u = 0; u < LENGTH(units); u++)
        for (size_t b = 0; b < LENGTH(blocks); b++)
            for (size_t s = 0; s < LENGTH(shortcuts); s++) {
                snprintf(spec, sizeof spec, "resnet:units=2,1;width=4;unit=%s;block=%s;%s",
                         units[u], blocks[b], shortcuts[s]);
                check(spec);
            }
}

static void other_options(void **state)
{
    char spec[256];
    (void)state;

    for (size_t i = 0; i < LENGTH(others); i++) {
        snprintf(spec, sizeof spec, "resnet:units=2,1;width=4;%s", others[i]);
        check(spec);
    }
}

// What is not frozen has the gradient of the loss that the frozen batch norms give.
static void behind_a_frozen_part(void **state)
{
    char spec[256];
    (void)state;

    for (size_t u = 0; u < LENGTH(units); u++)
        for (size_t s = 0; s < LENGTH(shortcuts); s++)
            for (int freeze = RN_FREEZE_STEM; freeze <= RN_FREEZE_STEM + 1; freeze++) {
                snprintf(spec, sizeof spec, "resnet:units=1,1;width=4;unit=%s;%s", units[u],
                         shortcuts[s]);
                check_gradients(spec, (rn_freeze)freeze);
            }
    check_gradients("resnet:units=1,1;width=4", RN_FREEZE_ALL);
    check_gradients("resnet:units=1,2;width=4;survival=0.5", RN_FREEZE_STEM + 1);
}

// Where only the head is trained the rest is inference: the logits are the same.
static void all_frozen_is_inference(void **state)
{
    const char *spec = "resnet:units=1,1;width=4;unit=preact;dropout=0.3;survival=0.5";
    network net;
    rn_plan *plan = NULL;
    rn_run *run = NULL;

    (void)state;
    open_network(&net, spec, RN_FREEZE_ALL);
    TRY(rn_plan_create(&plan, net.graph, net.engine, &(rn_plan_options){.batch = BATCH}));
    TRY(rn_run_create(&run, plan));
    TRY(rn_run_load(run, net.weights));
    fill_input(run);
    TRY(rn_run_forward(run));
    loss_of(&net, spec);
    for (int i = 0; i < BATCH * CLASSES; i++)
        assert_true(rn_run_logits(run)[i] == rn_run_logits(net.run)[i]);
    rn_run_free(run);
    rn_plan_free(plan);
    close_network(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_with_every_shortcut),
        cmocka_unit_test(other_options),
        cmocka_unit_test(behind_a_frozen_part),
        cmocka_unit_test(all_frozen_is_inference),
    };

    rn_threads_set(1); // the networks are too small for more
    return cmocka_run_group_tests(tests, NULL, NULL);
}
