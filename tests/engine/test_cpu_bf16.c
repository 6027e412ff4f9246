// The own kernels of bfloat16 activations against those of float32, of every instruction set that
// this machine has. Both compute in float32, in the same order: from the same inputs a result is
// the other's rounded, to the bit. Where an op reads again what it has written, it may be off by
// what the rounding took.
#include "conv_harness.h"

#include <math.h>

enum { EXACT = 0 };

// Blocks of channels take bfloat16; pictures and flat rows stay as they are.
static rn_op_desc as_bf16(rn_op_desc d)
{
    if (rn_layout_block(d.src.layout) > 1)
        d.src.dtype = RN_BFLOAT16;
    if (rn_layout_block(d.dst.layout) > 1)
        d.dst.dtype = RN_BFLOAT16;
    return d;
}

static bool is_bf16(const rn_op_desc *d, rn_arg arg)
{
    const rn_tensor_desc *tensor = harness_tensor(d, arg);

    return tensor != NULL && tensor->dtype == RN_BFLOAT16;
}

// Arguments that bfloat16 can hold.
static void draw(harness_values *v, const rn_op_desc *d)
{
    harness_draw(v, d, 17);
    for (rn_arg a = 0; a < RN_ARG_WORKSPACE; a++)
        for (size_t i = 0; is_bf16(d, a) && i < harness_count(d, a); i++)
            v->arg[a][i] = rn_bf16_value(rn_bf16_of(v->arg[a][i]));
    if (harness_inputs(d) & HARNESS_BIT(SAVED))
        harness_draw_saved(v, d);
}

// Results of float32 as bfloat16 would hold them.
static void round_results(harness_values *v, const rn_op_desc *d)
{
    for (rn_arg a = 0; a < RN_ARG_WORKSPACE; a++)
        for (size_t i = 0; is_bf16(d, a) && i < harness_count(d, a); i++)
            v->arg[a][i] = rn_bf16_value(rn_bf16_of(v->arg[a][i]));
}

static void check(const rn_op_desc *d, const harness_maker *maker, double tolerance)
{
    rn_op_desc bf16 = as_bf16(*d);
    harness_values expected, found;

    draw(&expected, &bf16);
    draw(&found, &bf16);
    harness_evaluate(d, maker, &expected, RN_ARGS, RN_ARGS);
    harness_evaluate(&bf16, maker, &found, RN_ARGS, RN_ARGS);
    round_results(&expected, &bf16);
    harness_compare(d, &expected, &found, tolerance);
    harness_values_release(&expected);
    harness_values_release(&found);
}

// Half of the last of 8 bits, relative to the value; some values are rounded twice, some are sums.
static const double rounding = 1.0 / 256;

static void batch_norm_body(rn_isa isa, const harness_maker *maker)
{
    for (int i = 0; i < SHAPES; i++)
        for (int variant = 0; variant < 8; variant++) {
            rn_op_desc d = like(RN_OP_BATCH_NORM_TRAIN, shape_at(i, layout_of(isa)));
            d.relu = variant & 1;
            d.add = variant & 2;
            d.diff_dst2 = variant & 4;
            check(&d, maker, EXACT);
            d.kind = RN_OP_BATCH_NORM_INFER;
            check(&d, maker, EXACT);
            d.kind = RN_OP_BATCH_NORM_AGAIN;
            check(&d, maker, EXACT);
            d.kind = RN_OP_BATCH_NORM_BACKWARD;
            check(&d, maker, d.add ? 2 * rounding : EXACT); // its sums are of the rounded gradient
        }
}

static void batch_norm(void **state)
{
    (void)state;
    each_isa(batch_norm_body);
}

static void elementwise_body(rn_isa isa, const harness_maker *maker)
{
    const rn_op_kind kinds[] = {RN_OP_RELU, RN_OP_RELU_BACKWARD, RN_OP_ADD,    RN_OP_SCALE,
                                RN_OP_GATE, RN_OP_GATE_BACKWARD, RN_OP_DROPOUT};

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int i = 0; i < 2 * SHAPES; i++) {
            rn_op_desc d = like(kinds[k], shape_at(i / 2, layout_of(isa)));
            d.scale = 0.7f;
            d.rate = 0.3f;
            d.stream = 5;
            d.relu = d.complement = i % 2;
            d.diff_dst2 = i % 2 && d.kind == RN_OP_RELU_BACKWARD;
            check(&d, maker, EXACT);
        }
}

static void elementwise(void **state)
{
    (void)state;
    each_isa(elementwise_body);
}

static void pools_body(rn_isa isa, const harness_maker *maker)
{
    const int windows[][3] = {{2, 2, 0}, {3, 2, 1}, {5, 2, 4}};

    for (int i = 0; i < SHAPES; i++) {
        rn_tensor_desc src = shape_at(i, layout_of(isa));
        rn_op_desc d = like(RN_OP_AVERAGE_POOL, src);
        d.dst = (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, src.n, src.c, 1, 1};
        check(&d, maker, EXACT);
        d.kind = RN_OP_AVERAGE_POOL_BACKWARD;
        check(&d, maker, EXACT);
        d.kind = RN_OP_FLATTEN;
        d.dst.c = src.c * src.h * src.w;
        check(&d, maker, EXACT);
        d.kind = RN_OP_FLATTEN_BACKWARD;
        check(&d, maker, EXACT);
        for (size_t k = 0; k < sizeof windows / sizeof *windows; k++) {
            const int *w = windows[k];
            if (src.h + 2 * w[2] < w[0] || src.w + 2 * w[2] < w[0])
                continue;
            d = like(RN_OP_MAX_POOL, src);
            d.kernel = w[0];
            d.stride = w[1];
            d.pad = w[2];
            d.dst.h = (src.h + 2 * w[2] - w[0]) / w[1] + 1;
            d.dst.w = (src.w + 2 * w[2] - w[0]) / w[1] + 1;
            d.training = true;
            check(&d, maker, EXACT);
            d.kind = RN_OP_MAX_POOL_BACKWARD;
            check(&d, maker, w[0] > w[1] ? 3 * rounding : EXACT); // sums of overlapping windows
        }
    }
}

static void pools_and_rows(void **state)
{
    (void)state;
    each_isa(pools_body);
}

static void shortcut_body(rn_isa isa, const harness_maker *maker)
{
    const int cases[][4] = {{3, 11, 4, 2}, {17, 40, 23, 2}, {16, 32, 8, 2}, {24, 48, 12, 1}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int stride = cases[i][3];
        rn_op_desc d = {
            .kind = RN_OP_SHORTCUT_PAD,
            .src = {RN_FLOAT32, layout_of(isa), 3, cases[i][0], 7, 10},
            .dst = {RN_FLOAT32, layout_of(isa), 3, cases[i][1], 6 / stride + 1, 9 / stride + 1},
            .stride = stride,
            .channel_offset = cases[i][2]};
        check(&d, maker, EXACT);
        d.kind = RN_OP_SHORTCUT_PAD_BACKWARD;
        check(&d, maker, EXACT);
    }
}

static void shortcut(void **state)
{
    (void)state;
    each_isa(shortcut_body);
}

// The table of the type that the results have, as the engine chooses.
static rn_status create_typed(void *context, rn_kernel **out, const rn_op_desc *desc)
{
    const conv_maker *maker = context;
    rn_isa isa = maker->functions->block == 16 ? RN_ISA_AVX512 : RN_ISA_AVX2;

    return rn_conv_kernel(out, rn_cpu_functions_of(isa, desc->dst.dtype), maker->method, desc);
}

static void check_conv_bf16(const conv_case *c, rn_layout layout, const harness_maker *maker)
{
    rn_op_desc d = conv_of(c, layout);

    check(&d, maker, EXACT);
    d.kind = RN_OP_CONV_BACKWARD_WEIGHTS;
    check(&d, maker, EXACT);
    d.kind = RN_OP_CONV_BACKWARD_DATA;
    if (d.src.layout == layout)
        check(&d, maker, EXACT);
    d.kind = RN_OP_CONV; // what may follow in inference
    for (int variant = 0; variant < 16; variant++) {
        d.constant = true;
        d.bias = variant & 1;
        d.fold = variant & 2;
        d.add = variant & 4;
        d.relu = variant & 8;
        d.epsilon = 1e-5f;
        check(&d, maker, EXACT);
    }
}

static const conv_case winograd_cases[] = {{1, 3, 2, 3, 5, 3, 1, 1, BLOCKED},
                                           {3, 20, 5, 7, 9, 3, 1, 1, BLOCKED},
                                           {2, 16, 32, 32, 16, 3, 1, 1, BLOCKED},
                                           {1, 177, 3, 5, 170, 3, 1, 1, BLOCKED},
                                           {90, 72, 1, 1, 68, 3, 1, 1, BLOCKED}};
static const conv_case direct_cases[] = {
    {2, 16, 9, 7, 16, 1, 1, 0, BLOCKED},   {2, 20, 9, 8, 40, 1, 2, 0, BLOCKED},
    {3, 16, 11, 13, 70, 3, 2, 1, BLOCKED}, {1, 3, 21, 19, 64, 7, 2, 3, PLAIN},
    {1, 80, 7, 7, 330, 1, 1, 0, BLOCKED},  {2, 3, 12, 13, 16, 3, 1, 1, PLAIN}};

static void convolutions(void **state)
{
    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++) {
        conv_maker context = {rn_cpu_functions_of(isa, RN_FLOAT32), RN_CONV_WINOGRAD};
        const harness_maker maker = {create_typed, &context};
        for (size_t i = 0; i < sizeof winograd_cases / sizeof *winograd_cases; i++)
            check_conv_bf16(&winograd_cases[i], layout_of(isa), &maker);
        context.method = RN_CONV_DIRECT;
        for (size_t i = 0; i < sizeof direct_cases / sizeof *direct_cases; i++)
            check_conv_bf16(&direct_cases[i], layout_of(isa), &maker);
    }
}

// What only bfloat16 asks of own kernels: a bias that is trained, and pictures of many channels.
static void convolutions_left_to_onednn(void **state)
{
    const conv_case cases[] = {{5, 20, 9, 8, 40, 3, 1, 1, BLOCKED},
                               {3, 16, 131, 13, 24, 3, 2, 1, BLOCKED},
                               {2, 9, 12, 13, 16, 3, 1, 1, PLAIN}};

    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++) {
        conv_maker context = {rn_cpu_functions_of(isa, RN_BFLOAT16), RN_CONV_AUTO};
        const harness_maker maker = {create_conv, &context};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            rn_op_desc d = as_bf16(conv_of(&cases[i], layout_of(isa)));
            d.bias = true;
            harness_check(&d, &ref, &maker, 2 * rounding); // inputs are rounded too
            d.kind = RN_OP_CONV_BACKWARD_WEIGHTS;
            harness_check(&d, &ref, &maker, 2 * rounding);
        }
    }
}

// A deferred batch norm's result is not rounded on its way into the convolution.
static void check_deferred_bf16(conv_case c, rn_layout layout, const harness_maker *maker)
{
    conv_case bf16 = c;
    rn_op_desc d = conv_of(&c, layout);
    size_t padded = (size_t)rn_padded_channels(&d.src), taps = (size_t)(d.kernel * d.kernel);
    const size_t counts[4] = {rn_tensor_elements(&d.dst),
                              padded * (size_t)rn_padded_channels(&d.dst) * taps,
                              rn_tensor_elements(&d.src), padded};
    void *expected[4], *found[4];

    bf16.source = BLOCKED_BF16;
    for (int relu = 0; relu < 2; relu++) {
        deferred_chain(&c, layout, maker, relu, true, expected);
        deferred_chain(&bf16, layout, maker, relu, true, found);
        for (int k = 0; k < 4; k++) {
            const float *e = expected[k];
            for (size_t i = 0; i < counts[k]; i++) {
                bool same = k % 2 == 0 ? ((uint16_t *)found[k])[i] == rn_bf16_of(e[i])
                                       : ((float *)found[k])[i] == e[i];
                if (!same)
                    fail_msg("%s, relu %d: result %d differs at %zu", harness_name(&d), relu, k, i);
            }
            rn_free(expected[k]);
            rn_free(found[k]);
        }
    }
}

static void statistics_and_deferred_norms(void **state)
{
    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++) {
        conv_maker context = {rn_cpu_functions_of(isa, RN_BFLOAT16), RN_CONV_AUTO};
        const harness_maker maker = {create_typed, &context};
        for (size_t i = 1; i < 4; i++) {
            conv_case winograd = winograd_cases[i], direct = direct_cases[i % 3];
            context.method = RN_CONV_WINOGRAD;
            check_deferred_bf16(winograd, layout_of(isa), &maker);
            context.method = RN_CONV_DIRECT;
            check_deferred_bf16(direct, layout_of(isa), &maker);
            context.method = RN_CONV_AUTO;
            winograd.source = direct.source = BLOCKED_BF16;
            check_statistics(&winograd, layout_of(isa), &maker, 1, 0);
            check_statistics(&direct, layout_of(isa), &maker, 1, 1);
        }
    }
}

// Row to blocks: every kind of float is rounded as rn_bf16_of() does.
static void rounding_body(rn_isa isa, const harness_maker *maker)
{
    static const uint32_t bits[] = {
        0x00000000, 0x80000000, 0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F817FFF,
        0x7F7F7FFF, 0x7F7F8000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000,
        0xFFC00000, 0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF, 0x00800000, 0x0080FFFF, 0x3FFFFFFF};
    enum { COUNT = sizeof bits / sizeof *bits };
    rn_op_desc d = as_bf16(
        like(RN_OP_FLATTEN_BACKWARD, (rn_tensor_desc){RN_FLOAT32, layout_of(isa), 1, 1, COUNT, 1}));
    uint16_t result[COUNT * 16];
    float row[COUNT];
    void *args[RN_ARGS] = {[RN_ARG_DIFF_DST] = row, [RN_ARG_DIFF_SRC] = result};
    rn_kernel *kernel = NULL;

    d.dst = (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, 1, COUNT, 1, 1};
    memcpy(row, bits, sizeof row);
    assert_int_equal(maker->create(maker->context, &kernel, &d), RN_OK);
    assert_int_equal(kernel->run(kernel, args), RN_OK);
    for (size_t i = 0; i < COUNT; i++) {
        uint16_t found = result[i * (size_t)rn_layout_block(d.src.layout)];
        assert_int_equal(found, rn_bf16_of(row[i]));
        assert_int_equal(isnan(rn_bf16_value(found)), isnan(row[i]));
        if (isfinite(row[i]) && isfinite(rn_bf16_value(found))) // the nearest: half a unit away
            assert_true(fabs((double)rn_bf16_value(found) - (double)row[i]) <=
                        fabs((double)row[i]) / 256);
    }
    rn_kernel_free(kernel);
}

static void rounding_of_oddities(void **state)
{
    (void)state;
    each_isa(rounding_body);
}

static void unsupported_body(rn_isa isa, const harness_maker *maker)
{
    rn_op_desc d = like(RN_OP_RELU, (rn_tensor_desc){RN_BFLOAT16, RN_LAYOUT_NCHW, 1, 3, 4, 4});
    rn_op_desc mixed = like(RN_OP_ADD, (rn_tensor_desc){RN_FLOAT32, layout_of(isa), 1, 3, 4, 4});
    rn_kernel *kernel = NULL;

    mixed.dst.dtype = RN_BFLOAT16;
    assert_int_equal(maker->create(maker->context, &kernel, &d), RN_EUNSUPPORTED);
    assert_int_equal(maker->create(maker->context, &kernel, &mixed), RN_EUNSUPPORTED);
    d.kind = RN_OP_RELU;
    assert_int_equal(ref.create(ref.context, &kernel, &d), RN_EUNSUPPORTED);
}

static void types_that_do_not_fit(void **state)
{
    (void)state;
    each_isa(unsupported_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(batch_norm),
                                       cmocka_unit_test(elementwise),
                                       cmocka_unit_test(pools_and_rows),
                                       cmocka_unit_test(shortcut),
                                       cmocka_unit_test(convolutions),
                                       cmocka_unit_test(convolutions_left_to_onednn),
                                       cmocka_unit_test(statistics_and_deferred_norms),
                                       cmocka_unit_test(rounding_of_oddities),
                                       cmocka_unit_test(types_that_do_not_fit)};

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
