// Dropout of every instruction set that this machine has: bit for bit the ref engine's, which
// follows rn_dropout_keeps(); and what the draws are like.
#include "cpu_harness.h"

static rn_op_desc dropout(rn_tensor_desc t, float rate)
{
    rn_op_desc d = like(RN_OP_DROPOUT, t);

    d.rate = rate;
    d.scale = 1 / (1 - rate);
    d.stream = 17;
    return d;
}

static rn_tensor_desc row(int n, int c)
{
    return (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, n, c, 1, 1};
}

static void check(rn_op_desc d, const harness_maker *maker)
{
    harness_check(&d, &ref, maker, 0);
    harness_check_in_place(&d, &ref, maker, 0, RN_ARG_DST, RN_ARG_SRC);
}

static void images_body(rn_isa isa, const harness_maker *maker)
{
    const rn_layout layouts[] = {layout_of(isa), RN_LAYOUT_NCHW, RN_LAYOUT_NCHW16C};
    const float rates[] = {0, 0.25f, 0.5f, 0.999999f};

    for (int i = 0; i < SHAPES; i++)
        for (int k = 0; k < 12; k++) {
            rn_op_desc d = dropout(shape_at(i, layouts[k / 4]), rates[k % 4]);
            check(d, maker);
            d.whole = true;
            check(d, maker);
        }
}

static void images(void **state)
{
    (void)state;
    each_isa(images_body);
}

static void rows_body(rn_isa isa, const harness_maker *maker)
{
    const int counts[] = {1, 4, 7, 8, 15, 16, 17, 31, 32, 33, 48, 100, 4096, 25088};

    (void)isa;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int n = 1; n <= 3; n++)
            check(dropout(row(n, counts[i]), 0.5f), maker);
}

static void rows(void **state)
{
    (void)state;
    each_isa(rows_body);
}

// Every element has its own index: the words of the first blocks, written out.
static void indices(void **state)
{
    const rn_random random = {.seed = 0x123456789abcdef0u, .step = 0x100000007u};
    const uint32_t key[2] = {0x9abcdef0u, 0x12345678u};
    uint32_t counter[4] = {0, 17, 7, RN_PURPOSE_DROPOUT}, block[4];
    int kept = 0;

    (void)state;
    for (uint64_t index = 0; index < 4000; index++) {
        counter[0] = (uint32_t)(index / 4);
        rn_philox(block, counter, key);
        bool keep = (double)block[index % 4] >= 0.3f * 4294967296.0;
        assert_int_equal(rn_dropout_keeps(&random, 17, 0.3f, index), keep);
        kept += keep;
    }
    assert_in_range(kept, 2640, 2960); // 2800 +- 5.5 deviations
}

// The ref engine asks for the place in nChw16c, as plan/op.h has it.
static void places(void **state)
{
    enum { N = 2, C = 37, H = 3, W = 5 };
    rn_op_desc d = dropout((rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NCHW, N, C, H, W}, 0.5f);
    harness_values v;

    (void)state;
    harness_draw(&v, &d, 8);
    for (size_t i = 0; i < N * C * H * W; i++)
        v.arg[RN_ARG_SRC][i] = 1;
    const rn_random random = v.random;
    harness_evaluate(&d, &ref, &v, RN_ARGS, RN_ARGS);
    for (unsigned i = 0; i < N * C * H * W; i++) {
        unsigned n = i / (C * H * W), c = i / (H * W) % C, y = i / W % H, x = i % W;
        uint64_t index = ((n * 3 + c / 16) * H * W + y * W + x) * 16 + c % 16; // 37: 3 blocks
        bool keep = rn_dropout_keeps(&random, d.stream, d.rate, index);
        assert_true(v.arg[RN_ARG_DST][i] == (keep ? d.scale : 0));
    }
    harness_values_release(&v);
}

// Which of `count` elements a draw keeps, by each engine alike.
static unsigned char *draw(const harness_maker *maker, rn_op_desc d, rn_random random)
{
    size_t count = harness_count(&d, RN_ARG_SRC);
    unsigned char *keeps = malloc(count);
    harness_values v;

    assert_non_null(keeps);
    harness_draw(&v, &d, 1);
    for (size_t i = 0; i < count; i++)
        v.arg[RN_ARG_SRC][i] = 1;
    v.random = random;
    harness_evaluate(&d, maker, &v, RN_ARGS, RN_ARGS);
    for (size_t i = 0; i < count; i++) {
        assert_true(v.arg[RN_ARG_DST][i] == 0 || v.arg[RN_ARG_DST][i] == d.scale);
        keeps[i] = v.arg[RN_ARG_DST][i] != 0;
    }
    harness_values_release(&v);
    return keeps;
}

// Part in which two draws agree, and must to within 6 deviations.
static void check_part(const unsigned char *a, const unsigned char *b, size_t count, double part)
{
    double same = 0, bound = 6 * sqrt(part * (1 - part) * (double)count);

    for (size_t i = 0; i < count; i++)
        same += a[i] == b[i];
    if (!(fabs(same - part * (double)count) <= bound))
        fail_msg("%.0f of %zu agree, expected %.0f +- %.0f", same, count, part * (double)count,
                 bound);
}

static void statistics_body(rn_isa isa, const harness_maker *maker)
{
    const rn_random base = {.seed = 5, .step = 9};
    const rn_random others[] = {{5, 10}, {6, 9}, {5 + (1ull << 32), 9}, {9, 5}};
    const rn_tensor_desc t = {RN_FLOAT32, layout_of(isa), 4, 40, 31, 29};
    rn_op_desc d = dropout(t, 0.3f);
    size_t count = harness_count(&d, RN_ARG_SRC);
    unsigned char *first = draw(maker, d, base), *again = draw(maker, d, base);
    unsigned char *ones = malloc(count);

    assert_non_null(ones);
    memset(ones, 1, count);
    check_part(first, ones, count, 0.7);
    assert_memory_equal(first, again, count);
    free(again);
    // neighbours, and the same place of two images, are independent
    check_part(first, first + 1, count - 1, 0.7 * 0.7 + 0.3 * 0.3);
    check_part(first, first + count / 4, count - count / 4, 0.7 * 0.7 + 0.3 * 0.3);
    for (int i = 0; i < 5; i++) {
        rn_op_desc other = d;
        other.stream += i == 4;
        unsigned char *keeps = draw(maker, other, i == 4 ? base : others[i]);
        check_part(keeps, ones, count, 0.7);
        check_part(first, keeps, count, 0.7 * 0.7 + 0.3 * 0.3);
        free(keeps);
    }
    free(first);
    free(ones);
}

static void statistics(void **state)
{
    (void)state;
    each_isa(statistics_body);
}

// One draw for all: kept in 1 - rate of the steps, whole each time.
static void whole_body(rn_isa isa, const harness_maker *maker)
{
    enum { STEPS = 400 };
    rn_op_desc d = dropout((rn_tensor_desc){RN_FLOAT32, layout_of(isa), 2, 5, 3, 3}, 0.4f);
    size_t count = harness_count(&d, RN_ARG_SRC);
    int kept = 0;

    d.whole = true;
    for (uint64_t step = 0; step < STEPS; step++) {
        unsigned char *keeps = draw(maker, d, (rn_random){.seed = 3, .step = step});
        for (size_t i = 1; i < count; i++)
            assert_int_equal(keeps[i], keeps[0]);
        kept += keeps[0];
        free(keeps);
    }
    assert_in_range(kept, 240 - 59, 240 + 59); // 6 deviations
}

static void whole(void **state)
{
    (void)state;
    each_isa(whole_body);
}

// A dropped NaN is 0, a kept one NaN; rate 0 keeps all.
static void nan_body(rn_isa isa, const harness_maker *maker)
{
    rn_op_desc d = dropout(shape_at(4, layout_of(isa)), 0.5f), plain = harness_plain(&d);
    harness_values v[2];

    for (int i = 0; i < 2; i++) {
        harness_draw(&v[i], &plain, 3);
        for (size_t k = 0; k < harness_count(&d, RN_ARG_SRC); k++)
            v[i].arg[RN_ARG_SRC][k] = NAN;
    }
    harness_evaluate(&plain, &ref, &v[0], RN_ARGS, RN_ARGS);
    harness_evaluate(&d, maker, &v[1], RN_ARGS, RN_ARGS);
    for (size_t k = 0; k < harness_count(&d, RN_ARG_DST); k++) {
        assert_int_equal(isnan(v[0].arg[RN_ARG_DST][k]) != 0, isnan(v[1].arg[RN_ARG_DST][k]) != 0);
        assert_true(isnan(v[1].arg[RN_ARG_DST][k]) || v[1].arg[RN_ARG_DST][k] == 0);
    }
    harness_values_release(&v[0]);
    harness_values_release(&v[1]);
}

static void nan_is_not_hidden(void **state)
{
    (void)state;
    each_isa(nan_body);
}

static void threads_body(rn_isa isa, const harness_maker *maker)
{
    const rn_tensor_desc tensors[] = {shape_at(4, layout_of(isa)), shape_at(4, RN_LAYOUT_NCHW),
                                      row(1, 20001)};
    int threads = rn_threads();

    for (int i = 0; i < 3; i++)
        for (int t = 1; t <= 3; t++) {
            assert_int_equal(rn_threads_set(t), RN_OK);
            check(dropout(tensors[i], 0.5f), maker);
        }
    assert_int_equal(rn_threads_set(threads), RN_OK);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    each_isa(threads_body);
}

static void refuses(void **state)
{
    const float rates[] = {1, -0.1f, NAN, INFINITY};
    rn_kernel *kernel = NULL;

    (void)state;
    for (int i = 0; i < 4; i++) {
        rn_op_desc d = like(RN_OP_DROPOUT, shape_at(0, RN_LAYOUT_NCHW));
        d.rate = rates[i];
        assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
        assert_int_equal(ref_engine->create(ref_engine, &kernel, &d), RN_EUNSUPPORTED);
        assert_null(kernel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images),
        cmocka_unit_test(rows),
        cmocka_unit_test(indices),
        cmocka_unit_test(statistics),
        cmocka_unit_test(whole),
        cmocka_unit_test(nan_is_not_hidden),
        cmocka_unit_test(refuses),
        cmocka_unit_test(places),
        cmocka_unit_test(threads_do_not_matter),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
