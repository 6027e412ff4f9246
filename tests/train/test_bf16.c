// Training with activations of bfloat16: whole networks against the same in float32, memory,
// recipes, and that such a training learns as well and repeats itself.
#include "base/random.h"
#include "train/losses.h"

#include <math.h>

enum { PICTURES = 8, SEED = 5 };

#define TRY(expr)                                                                                  \
    do {                                                                                           \
        if ((expr) != RN_OK)                                                                       \
            fail_msg("%s: %s", #expr, rn_error_message());                                         \
    } while (0)

typedef struct network {
    rn_engine *engine;
    rn_graph *graph;
    rn_plan *plan;
    rn_run *run;
    rn_weights *weights; // then their gradients
    double loss;
} network;

// One training step's forward and backward.
static void step(network *net, const char *model, rn_dtype dtype)
{
    const rn_model_options options = {.classes = 10, .channels = 3, .height = 32, .width = 32};
    const rn_plan_options plan = {.batch = PICTURES, .dtype = dtype, .training = true};
    rn_stream stream;

    TRY(rn_engine_create(&net->engine, NULL));
    TRY(rn_graph_create(&net->graph, model, &options));
    TRY(rn_plan_create(&net->plan, net->graph, net->engine, &plan));
    TRY(rn_run_create(&net->run, net->plan));
    TRY(rn_weights_create(&net->weights, net->graph));
    rn_weights_initialise(net->weights, SEED);
    TRY(rn_run_load(net->run, net->weights));
    rn_run_set_step(net->run, SEED, 1);
    rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < PICTURES * 3 * 32 * 32; i++)
        rn_run_input(net->run)[i] = rn_stream_normal(&stream);
    for (int i = 0; i < PICTURES; i++)
        rn_run_labels(net->run)[i] = i % 10;
    TRY(rn_run_forward(net->run));
    net->loss = rn_run_loss(net->run).loss;
    TRY(rn_run_backward(net->run));
    TRY(rn_run_store(net->run, RN_SLOT_GRADIENT, net->weights));
}

static void release(network *net)
{
    rn_weights_free(net->weights);
    rn_run_free(net->run);
    rn_plan_free(net->plan);
    rn_graph_free(net->graph);
    rn_engine_free(net->engine);
}

// Cosine of the angle between two networks' gradients of all trained parameters.
static double cosine(const network *a, const network *b)
{
    double products = 0, squares[2] = {0, 0};

    for (int i = 0; i < rn_weights_count(a->weights); i++) {
        const rn_param *param = rn_weights_param(a->weights, i);
        const float *x = rn_weights_read(a->weights, i), *y = rn_weights_read(b->weights, i);
        for (size_t k = 0; rn_param_trained(param) && k < param->count; k++) {
            products += (double)x[k] * (double)y[k];
            squares[0] += (double)x[k] * (double)x[k];
            squares[1] += (double)y[k] * (double)y[k];
        }
    }
    return products / sqrt(squares[0] * squares[1]);
}

static const struct {
    const char *model;
    double cosine; // at least: where rounding turns the sign of a ReLU's input a gradient is
                   // lost or gained, and the more layers, the more are
} networks[] = {
    {"resnet-8", 0.99},
    {"resnet-20", 0.95},
    {"preact-20", 0.93},
    {"plain-8", 0.98},
    {"resnet-11:block=bottleneck;shortcut=B", 0.98},
    {"resnet-8:unit=relu-only;survival=0.5", 0.99},
    {"preact-8:widen=2;dropout=0.3", 0.985},
    {"resnet-8:path=exclusive-gate", 0.999},
    {"resnet-8:path=shortcut-gate;shortcut=C", 0.985},
    {"vgg-11", 0.99}, // biases, max pools, rows of floats behind them
};

static void gradients_point_the_same_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        network a = {0}, b = {0};
        step(&a, networks[i].model, RN_FLOAT32);
        step(&b, networks[i].model, RN_BFLOAT16);
        double same = cosine(&a, &b), off = fabs(b.loss - a.loss) / a.loss;
        printf("  %-40s loss %.5f and %.5f, cosine %.5f\n", networks[i].model, a.loss, b.loss,
               same);
        if (!(same >= networks[i].cosine && off <= 0.01))
            fail_msg("%s: losses %.6f and %.6f, cosine of gradients %.5f, expected %.3f or more",
                     networks[i].model, a.loss, b.loss, same, networks[i].cosine);
        release(&a);
        release(&b);
    }
}

static void memory_is_half(void **state)
{
    network a = {0}, b = {0};

    int threads = rn_threads();

    (void)state;
    TRY(rn_threads_set(1)); // each has scratch of its own
    step(&a, "resnet-20", RN_FLOAT32);
    step(&b, "resnet-20", RN_BFLOAT16);
    TRY(rn_threads_set(threads));
    rn_plan_memory full = rn_plan_memory_use(a.plan), half = rn_plan_memory_use(b.plan);
    assert_true(half.parameters == full.parameters && half.gradients == full.gradients);
    // scratch and pictures stay what they are, and there is little else with such a batch
    assert_true((double)half.arena < 0.65 * (double)full.arena);
    release(&a);
    release(&b);
}

static void train_in_bfloat16(training *t, losses *l)
{
    init(t, l);
    t->recipe.dtype = RN_BFLOAT16;
    train(t, l);
}

static void it_learns_as_well_and_repeats_bit_for_bit(void **state)
{
    training a, b;
    losses first, again;

    (void)state;
    train_in_bfloat16(&a, &first);
    train_in_bfloat16(&b, &again);
    printf("  last %d losses: %.4f\n", TAIL, tail_mean(&first));
    assert_true(fabs(first.loss[0] - 2.865527) < 0.01); // float32's, as are those below
    assert_true(fabs(first.loss[0] - 2.865527) > 1e-6);
    assert_true(fabs(tail_mean(&first) - 1.028) < 0.1);
    assert_memory_equal(first.loss, again.loss, sizeof first.loss);
    assert_same_file(&a, &b, "model.safetensors");
    training_release(&a);
    training_release(&b);
}

static void recipes_name_it(void **state)
{
    rn_recipe recipe;
    rn_dtype dtype;
    char *text = NULL;

    (void)state;
    TRY(rn_recipe_load(&recipe, "quick"));
    assert_int_equal(recipe.dtype, RN_FLOAT32);
    TRY(rn_recipe_set(&recipe, "dtype", "bfloat16"));
    assert_int_equal(recipe.dtype, RN_BFLOAT16);
    TRY(rn_recipe_print(&text, &recipe));
    assert_non_null(strstr(text, "\"bfloat16\""));
    rn_text_free(text);
    assert_int_equal(rn_recipe_set(&recipe, "dtype", "float16"), RN_EINVAL);
    assert_int_equal(recipe.dtype, RN_BFLOAT16);
    assert_int_equal(rn_dtype_parse(&dtype, "half"), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "'half'"));
    assert_null(rn_dtype_name((rn_dtype)2));
}

static void plans_refuse_what_there_is_not(void **state)
{
    const rn_plan_options odd = {.batch = 1, .dtype = (rn_dtype)7};
    const rn_plan_options bf16 = {.batch = 1, .dtype = RN_BFLOAT16};
    rn_engine *engine = NULL;
    rn_graph *graph = NULL;
    rn_plan *plan = NULL;

    (void)state;
    TRY(rn_engine_create(&engine, "ref"));
    TRY(rn_graph_create(&graph, "resnet-8", NULL));
    assert_int_equal(rn_plan_create(&plan, graph, engine, &odd), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "7"));
    assert_int_equal(rn_plan_create(&plan, graph, engine, &bf16), RN_EUNSUPPORTED);
    assert_non_null(strstr(rn_error_message(), "float32"));
    rn_graph_free(graph);
    rn_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_point_the_same_way),
        cmocka_unit_test(memory_is_half),
        cmocka_unit_test(it_learns_as_well_and_repeats_bit_for_bit),
        cmocka_unit_test(recipes_name_it),
        cmocka_unit_test(plans_refuse_what_there_is_not),
    };

    return cmocka_run_group_tests_name("bfloat16", tests, NULL, NULL);
}
