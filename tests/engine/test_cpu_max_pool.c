// The own max pool of every instruction set that this machine has, against the ref engine.
#include "cpu_harness.h"

#include <math.h>

static rn_op_desc pool_of(rn_tensor_desc src, int kernel, int stride, int pad)
{
    rn_op_desc d = {.kind = RN_OP_MAX_POOL,
                    .src = src,
                    .dst = src,
                    .kernel = kernel,
                    .stride = stride,
                    .pad = pad,
                    .training = true};

    d.dst.h = (src.h + 2 * pad - kernel) / stride + 1;
    d.dst.w = (src.w + 2 * pad - kernel) / stride + 1;
    return d;
}

static void max_pool_body(rn_isa isa, const harness_maker *maker)
{
    static const int windows[][3] = {{2, 2, 0}, {3, 2, 1}, {3, 1, 1}, {3, 3, 0},
                                     {2, 3, 0}, {5, 2, 4}, {1, 1, 0}, {15, 4, 7}};

    for (int i = 0; i < SHAPES; i++)
        for (size_t k = 0; k < sizeof windows / sizeof *windows; k++) {
            const int *w = windows[k];
            rn_tensor_desc src = shape_at(i, layout_of(isa));
            if (src.h + 2 * w[2] < w[0] || src.w + 2 * w[2] < w[0])
                continue;
            rn_op_desc d = pool_of(src, w[0], w[1], w[2]);
            harness_check(&d, &ref, maker, 0);
            d.kind = RN_OP_MAX_POOL_BACKWARD;
            harness_check(&d, &ref, maker, w[0] > w[1] ? 1e-6 : 0); // where windows overlap: sums
            d.kind = RN_OP_MAX_POOL;
            d.training = false;
            harness_check(&d, &ref, maker, 0);
        }
}

static void max_pool(void **state)
{
    (void)state;
    each_isa(max_pool_body);
}

// All windows of NaN, infinities and equals: as the ref engine, to the bit.
static void max_pool_of_oddities_body(rn_isa isa, const harness_maker *maker)
{
    const float odd[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1};
    rn_op_desc d = pool_of((rn_tensor_desc){RN_FLOAT32, layout_of(isa), 2, 9, 36, 4}, 2, 2, 0);
    rn_op_desc back = d;

    back.kind = RN_OP_MAX_POOL_BACKWARD;
    rn_op_desc plain = harness_plain(&back);
    harness_values v[2];
    for (int i = 0; i < 2; i++)
        harness_draw(&v[i], &plain, 3);
    size_t count = (size_t)2 * 9 * 36 * 4;
    for (size_t k = 0; k < count; k++) {
        size_t window = k / 8 * 2 + k % 4 / 2, row = k / 4 % 2, column = k % 2; // base 6 digits
        size_t digit = window /
                       (row * 2 + column == 0   ? 1
                        : row * 2 + column == 1 ? 6
                        : row * 2 + column == 2 ? 36
                                                : 216) %
                       6;
        v[0].arg[RN_ARG_SRC][k] = v[1].arg[RN_ARG_SRC][k] = odd[digit];
    }
    harness_evaluate(&plain, &ref, &v[0], RN_ARGS, RN_ARGS);
    harness_evaluate(&back, maker, &v[1], RN_ARGS, RN_ARGS);
    assert_memory_equal(v[0].arg[RN_ARG_DIFF_SRC], v[1].arg[RN_ARG_DIFF_SRC],
                        count * sizeof(float));
    for (int i = 0; i < 2; i++)
        harness_values_release(&v[i]);
}

static void max_pool_of_oddities(void **state)
{
    (void)state;
    each_isa(max_pool_of_oddities_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_pool),
        cmocka_unit_test(max_pool_of_oddities),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
