// Inference plans prepare what follows from the parameters, and do so again when these change.
#include "base/memory.h"
#include "resnet/engine.h"
#include "resnet/graph.h"
#include "resnet/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TRY(call) assert_int_equal(call, RN_OK)

enum { BATCH = 2, CLASSES = 10 };

static rn_engine *engine;
static rn_graph *graph;

typedef struct network {
    rn_plan *plan;
    rn_run *run;
} network;

static void open_network(network *n, bool separate)
{
    rn_plan_options options = {.batch = BATCH, .separate = separate};

    TRY(rn_plan_create(&n->plan, graph, engine, &options));
    TRY(rn_run_create(&n->run, n->plan));
    for (int i = 0; i < BATCH * 3 * 32 * 32; i++)
        rn_run_input(n->run)[i] = (float)(i * 7919 % 1000) / 500 - 1;
}

static void close_network(network *n)
{
    rn_run_free(n->run);
    rn_plan_free(n->plan);
}

// Running statistics and gains other than 0 and 1, so that folding shows.
static void draw(rn_weights *weights, uint64_t seed)
{
    rn_weights_initialise(weights, seed);
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        float *values = rn_weights_data(weights, i);
        if (param->dims == 1)
            for (size_t k = 0; k < param->count; k++)
                values[k] += 0.05f * (float)((k * 13 + seed) % 10);
    }
}

static void same_logits(network *a, network *b)
{
    TRY(rn_run_forward(a->run));
    TRY(rn_run_forward(b->run));
    for (int i = 0; i < BATCH * CLASSES; i++) {
        double x = (double)rn_run_logits(a->run)[i], y = (double)rn_run_logits(b->run)[i];
        if (!(fabs(x - y) <= 1e-5 * (1 + fabs(y))))
            fail_msg("logit %d is %.9g, expected %.9g", i, x, y);
    }
}

static void follows_its_parameters(void **state)
{
    static const char *const models[] = {"resnet-8", "preact-8", "resnet-8:shortcut=B", "plain-8"};

    (void)state;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        network folded = {0}, separate = {0};
        rn_weights *weights = NULL;
        float first = 0;
        if (rn_graph_create(&graph, models[m], NULL) != RN_OK)
            fail_msg("%s", rn_error_message());
        TRY(rn_weights_create(&weights, graph));
        open_network(&folded, false);
        open_network(&separate, true);
        assert_true(rn_plan_ops(folded.plan) < rn_plan_ops(separate.plan));
        for (uint64_t seed = 1; seed <= 2; seed++) {
            draw(weights, seed);
            TRY(rn_run_load(folded.run, weights));
            TRY(rn_run_load(separate.run, weights));
            same_logits(&folded, &separate);
            assert_true(rn_run_logits(folded.run)[0] != first);
            first = rn_run_logits(folded.run)[0];
        }
        for (int i = 0; i < rn_run_params(folded.run); i += 3) {
            rn_run_param(folded.run, i).value[0] += 0.25f;
            rn_run_param(separate.run, i).value[0] += 0.25f;
            same_logits(&folded, &separate);
        }
        close_network(&folded);
        close_network(&separate);
        rn_weights_free(weights);
        rn_graph_free(graph);
    }
}

static int open_engine(void **state)
{
    (void)state;
    return rn_engine_create(&engine, NULL) == RN_OK ? 0 : -1;
}

static int close_engine(void **state)
{
    (void)state;
    rn_engine_free(engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(follows_its_parameters)};

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
