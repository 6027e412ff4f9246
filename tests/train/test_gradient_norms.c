// Norms of gradients while training: what they are, and that they change nothing.
#include "train/training.h"

#include "image/fail_allocation.h"
#include "train/gradient_norms.h"

#include <math.h>

typedef struct watcher {
    training *training;
    int events, count;
    uint64_t last; // iteration
    double first;  // norm of the first parameter's gradient
} watcher;

static void watch(const rn_event *event, void *context)
{
    watcher *w = context;

    training_event(event, w->training);
    if (event->kind != RN_EVENT_GRADIENTS)
        return;
    w->events++;
    w->count = event->norm_count;
    w->last = event->iteration;
    w->first = event->norms[0].gradient;
    for (int i = 0; i < event->norm_count; i++)
        assert_true(isfinite(event->norms[i].gradient) && isfinite(event->norms[i].value));
}

static void run(training *t, watcher *w, uint64_t every)
{
    training_init(t);
    *w = (watcher){.training = t};
    t->options.log_gradients = every;
    t->options.on_event = watch;
    t->options.context = w;
    if (rn_train(&t->options, &t->result) != RN_OK)
        fail_msg("%s", rn_error_message());
}

static void training_is_the_same_bit_for_bit(void **state)
{
    training without, with;
    watcher w;

    (void)state;
    run(&without, &w, 0);
    assert_int_equal(w.events, 0);
    run(&with, &w, 5);
    assert_int_equal(w.events, 3); // 5, 10 and the end
    assert_int_equal(w.last, 14);
    assert_int_equal(w.count, 7 + 2 * 7 + 2); // convolutions, gains and biases, the linear layer
    assert_true(w.first > 0);
    assert_same_file(&without, &with, "checkpoint-14.safetensors");
    assert_same_file(&without, &with, "model.safetensors");
    training_release(&without);
    training_release(&with);
}

// Plans, runs and fills a step whose channel counts are no multiples of a vector.
typedef struct step {
    rn_graph *graph;
    rn_engine *engine;
    rn_plan *plan;
    rn_run *run;
    rn_weights *weights;
} step;

static void step_init(step *s, rn_freeze freeze)
{
    const rn_model_options size = {.classes = 7, .channels = 3, .height = 11, .width = 13};
    const rn_plan_options options = {.batch = 3, .training = true, .freeze = freeze};

    assert_int_equal(
        rn_graph_create(&s->graph, "resnet:units=1,1;width=5;widths=5,11;shortcut=B", &size),
        RN_OK);
    assert_int_equal(rn_engine_create(&s->engine, NULL), RN_OK);
    assert_int_equal(rn_plan_create(&s->plan, s->graph, s->engine, &options), RN_OK);
    assert_int_equal(rn_run_create(&s->run, s->plan), RN_OK);
    assert_int_equal(rn_weights_create(&s->weights, s->graph), RN_OK);
    rn_weights_initialise(s->weights, 1);
    assert_int_equal(rn_run_load(s->run, s->weights), RN_OK);
    for (int i = 0; i < 3 * 3 * 11 * 13; i++)
        rn_run_input(s->run)[i] = (float)(i * 7919 % 1000) / 500 - 1;
    for (int i = 0; i < 3; i++)
        rn_run_labels(s->run)[i] = 2 * i;
    assert_int_equal(rn_run_forward(s->run), RN_OK);
    assert_int_equal(rn_run_backward(s->run), RN_OK);
}

static void step_release(step *s)
{
    rn_weights_free(s->weights);
    rn_run_free(s->run);
    rn_plan_free(s->plan);
    rn_engine_free(s->engine);
    rn_graph_free(s->graph);
}

static double plain_norm(const rn_weights *weights, const char *name)
{
    double sum = 0;

    for (int i = 0; i < rn_weights_count(weights); i++) {
        const float *values = rn_weights_read(weights, i);
        for (size_t k = 0; k < rn_weights_param(weights, i)->count &&
                           strcmp(rn_weights_param(weights, i)->name, name) == 0;
             k++)
            sum += (double)values[k] * (double)values[k];
    }
    return sqrt(sum);
}

static void norms_are_those_of_the_canonical_layout(void **state)
{
    step s;
    rn_gradient_norms *norms;
    rn_weights *gradients;
    int count;

    (void)state;
    step_init(&s, RN_FREEZE_NONE);
    assert_int_equal(rn_weights_create(&gradients, s.graph), RN_OK);
    assert_int_equal(rn_run_store(s.run, RN_SLOT_GRADIENT, gradients), RN_OK);
    assert_int_equal(rn_gradient_norms_create(&norms, s.run), RN_OK);
    rn_gradient_norms_measure(norms);
    const rn_param_norm *measured = rn_gradient_norms_read(norms, &count);
    assert_int_equal(count, 6 + 2 * 6 + 2);
    for (int i = 0; i < count; i++) {
        double gradient = plain_norm(gradients, measured[i].name);
        double value = plain_norm(s.weights, measured[i].name);
        assert_true(gradient > 0);
        assert_true(fabs(measured[i].gradient - gradient) < 1e-12 * gradient);
        assert_true(fabs(measured[i].value - value) <= 1e-12 * value);
    }
    rn_gradient_norms_free(norms);
    rn_weights_free(gradients);
    step_release(&s);
}

static void frozen_parameters_have_none(void **state)
{
    step s;
    rn_gradient_norms *norms;
    int count;

    (void)state;
    step_init(&s, RN_FREEZE_ALL);
    assert_int_equal(rn_gradient_norms_create(&norms, s.run), RN_OK);
    const rn_param_norm *measured = rn_gradient_norms_read(norms, &count);
    assert_int_equal(count, 2);
    assert_string_equal(measured[0].name, "fc.weight");
    rn_gradient_norms_free(norms);
    step_release(&s);
}

static void want_of_memory_leaves_nothing(void **state)
{
    step s;
    rn_gradient_norms *norms = NULL;
    fail_allocation plan = {.hit = true};
    int which = 0;

    (void)state;
    step_init(&s, RN_FREEZE_NONE);
    for (; plan.hit; which++) {
        fail_allocation_start(&plan, which);
        rn_status st = rn_gradient_norms_create(&norms, s.run);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((norms == NULL) == plan.hit);
    }
    assert_int_equal(which, 4);
    rn_gradient_norms_free(norms);
    rn_gradient_norms_free(NULL);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_is_the_same_bit_for_bit),
        cmocka_unit_test(norms_are_those_of_the_canonical_layout),
        cmocka_unit_test(frozen_parameters_have_none),
        cmocka_unit_test(want_of_memory_leaves_nothing),
    };

    return cmocka_run_group_tests_name("gradient_norms", tests, NULL, NULL);
}
