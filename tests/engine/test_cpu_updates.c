// SGD and moving average of every instruction set that this machine has, against the ref engine.
#include "engine/cpu/kernels.h"
#include "engine/ref/ref.h"
#include "op_harness.h"

// Parameters, velocities and averages of both engines after one update of the same values.
static void check_update(const rn_cpu_functions *functions, size_t count, bool nesterov)
{
    float *x[2][3];
    rn_stream stream;

    rn_stream_init(&stream, 5, RN_PURPOSE_TEST, 0, 0);
    for (int a = 0; a < 3; a++) {
        for (int i = 0; i < 2; i++)
            x[i][a] = calloc(count, sizeof(float));
        for (size_t k = 0; k < count; k++)
            x[0][a][k] = x[1][a][k] = rn_stream_normal(&stream);
    }
    for (int i = 0; i < 2; i++) {
        rn_sgd_update u = {.value = x[i][0],
                           .velocity = x[i][1],
                           .gradient = x[i][2],
                           .count = count,
                           .lr = 0.1f,
                           .momentum = 0.9f,
                           .decay = 1e-2f,
                           .nesterov = nesterov};
        (i == 0 ? rn_ref_sgd : functions->sgd)(&u);
        (i == 0 ? rn_ref_ema : functions->ema)(x[i][2], x[i][0], count, 0.99f);
    }
    for (int a = 0; a < 3; a++) {
        for (size_t k = 0; k < count; k++)
            assert_float_equal(x[0][a][k], x[1][a][k], 1e-6f);
        free(x[0][a]);
        free(x[1][a]);
    }
}

static void updates(void **state)
{
    const size_t counts[] = {1, 7, 8, 16, 31, 16384, 40007};

    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            check_update(rn_cpu_functions_of(isa, RN_FLOAT32), counts[i], false);
            check_update(rn_cpu_functions_of(isa, RN_FLOAT32), counts[i], true);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(updates)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
