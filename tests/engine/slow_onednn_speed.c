// What oneDNN's convolutions reach on the shapes of the CIFAR networks, batch 128: prints GFLOP/s,
// and fails where one is so slow that it can only have fallen back to plain loops.
#include "engine/onednn/onednn.h"
#include "op_harness.h"

typedef struct shape {
    const char *what;
    int in, out, size, kernel, stride;
} shape;

static const shape shapes[] = {
    {"stem", 3, 16, 32, 3, 1},          {"layer1", 16, 16, 32, 3, 1},
    {"layer2 first", 16, 32, 32, 3, 2}, {"layer2", 32, 32, 16, 3, 1},
    {"layer3 first", 32, 64, 16, 3, 2}, {"layer3", 64, 64, 8, 3, 1},
    {"projection 2", 16, 32, 32, 1, 2}, {"projection 3", 32, 64, 16, 1, 2},
};

enum { BATCH = 128 };

static rn_onednn *onednn;
static rn_layout layout;

static rn_status create(void *context, rn_kernel **out, const rn_op_desc *desc)
{
    (void)context;
    return rn_onednn_kernel(onednn, out, desc);
}

static rn_op_desc describe(const shape *s, rn_op_kind kind)
{
    rn_layout src = s->in == 3 ? RN_LAYOUT_NCHW : layout;
    int size = s->size / s->stride;

    return (rn_op_desc){.kind = kind,
                        .src = {RN_FLOAT32, src, BATCH, s->in, s->size, s->size},
                        .dst = {RN_FLOAT32, layout, BATCH, s->out, size, size},
                        .kernel = s->kernel,
                        .stride = s->stride,
                        .pad = s->kernel / 2};
}

// Best run within 0.4 s (the machine may be busy), in GFLOP/s (a multiply and an add are two).
static double measure(const rn_op_desc *d, char *implementation, size_t bytes)
{
    const harness_maker maker = {create, NULL};
    double best = 1e9, flops = 2.0 * d->dst.n * d->dst.c * d->dst.h * d->dst.w * d->src.c *
                               d->kernel * d->kernel;
    harness_values v;
    harness_op op;

    harness_draw(&v, d, 1);
    harness_open(&op, &maker, d);
    harness_load(&op, &v);
    for (double first = rn_clock(); rn_clock() - first < 0.4;) {
        double start = rn_clock();
        harness_execute(&op);
        best = fmin(best, rn_clock() - start);
    }
    snprintf(implementation, bytes, "%s", op.kernel->implementation);
    harness_close(&op);
    harness_values_release(&v);
    return flops / best / 1e9;
}

static void speed(void **state)
{
    static const char *const names[] = {"forward", "data", "weights"};
    double slowest = 1e9;

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int k = 0; k < 3; k++) {
            char implementation[64];
            rn_op_desc d = describe(&shapes[i], (rn_op_kind)(RN_OP_CONV + k));
            if (shapes[i].in == 3 && k == 1)
                continue; // images have no gradient
            double rate = measure(&d, implementation, sizeof implementation);
            printf("%-13s %-8s %7.1f GFLOP/s  %s\n", shapes[i].what, names[k], rate,
                   implementation);
            slowest = fmin(slowest, rate);
        }
    assert_true(slowest > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(speed)};
    const char *isa = getenv("RESNET_ISA"); // as for the program
    bool avx512 =
        isa != NULL ? strcmp(isa, "avx512") == 0 : __builtin_cpu_supports("avx512bw") != 0;

    layout = avx512 ? RN_LAYOUT_NCHW16C : RN_LAYOUT_NCHW8C;
    if (rn_threads_set(0) != RN_OK ||
        rn_onednn_create(&onednn, avx512 ? "avx512" : "avx2") != RN_OK) {
        fprintf(stderr, "%s\n", rn_error_message());
        return 1;
    }
    printf("%s, %s, %d threads, batch %d\n", rn_onednn_version(onednn), avx512 ? "avx512" : "avx2",
           rn_threads(), BATCH);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rn_onednn_free(onednn);
    return failed;
}
