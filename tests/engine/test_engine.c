// Engines by name, RESNET_ISA, and what creating one arranges.
#include "resnet/engine.h"

#include "engine/cpu/isa.h"
#include "op_harness.h"

#include <float.h>

static void names(void **state)
{
    rn_engine *engine = NULL;

    (void)state;
    assert_int_equal(rn_engine_create(&engine, "ref"), RN_OK);
    assert_string_equal(rn_engine_name(engine), "ref");
    assert_int_equal(engine->layout, RN_LAYOUT_NCHW);
    rn_engine_free(engine);
    assert_int_equal(rn_engine_create(&engine, NULL), RN_OK);
    assert_string_equal(rn_engine_name(engine), "cpu");
    assert_non_null(strstr(rn_engine_description(engine), "oneDNN"));
    rn_engine_free(engine);
    assert_int_equal(rn_engine_create(&engine, "gpu"), RN_EINVAL);
    assert_null(engine);
    assert_string_equal(rn_error_message(), "unknown engine 'gpu', expected cpu or ref");
    rn_engine_free(NULL);
}

static void isa_from_environment(void **state)
{
    rn_engine *engine = NULL;

    (void)state;
    setenv("RESNET_ISA", "avx2", 1);
    assert_int_equal(rn_engine_create(&engine, "cpu"), RN_OK);
    assert_int_equal(engine->layout, RN_LAYOUT_NCHW8C);
    assert_non_null(strstr(rn_engine_description(engine), "cpu avx2,"));
    rn_engine_free(engine);
    setenv("RESNET_ISA", "sse9", 1);
    assert_int_equal(rn_engine_create(&engine, "cpu"), RN_EINVAL);
    assert_null(engine);
    assert_string_equal(rn_error_message(),
                        "environment variable RESNET_ISA is 'sse9', expected avx2 or avx512");
    assert_int_equal(rn_engine_create(&engine, "ref"), RN_OK); // does not care
    rn_engine_free(engine);
    setenv("RESNET_ISA", "", 1);
    assert_int_equal(rn_engine_create(&engine, "cpu"), RN_OK);
    if (rn_isa_supported() == RN_ISA_AVX512)
        assert_int_equal(engine->layout, RN_LAYOUT_NCHW16C);
    rn_engine_free(engine);
    unsetenv("RESNET_ISA");
}

static void convolutions_from_environment(void **state)
{
    static const struct {
        const char *value, *implementation;
    } cases[] = {
        {"winograd", "winograd"}, {"direct", "direct"}, {"onednn", "onednn"}, {"auto", "winograd"}};
    rn_engine *engine = NULL;
    rn_kernel *kernel = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("RESNET_CONV", cases[i].value, 1);
        assert_int_equal(rn_engine_create(&engine, "cpu"), RN_OK);
        rn_tensor_desc t = {RN_FLOAT32, engine->layout, 2, 16, 5, 5};
        rn_op_desc d = {.kind = RN_OP_CONV, .src = t, .dst = t, .kernel = 3, .stride = 1, .pad = 1};
        assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
        assert_non_null(strstr(kernel->implementation, cases[i].implementation));
        rn_kernel_free(kernel);
        rn_engine_free(engine);
    }
    setenv("RESNET_CONV", "fft", 1);
    assert_int_equal(rn_engine_create(&engine, "cpu"), RN_EINVAL);
    assert_null(engine);
    assert_string_equal(rn_error_message(), "environment variable RESNET_CONV is 'fft', expected "
                                            "auto, winograd, direct or onednn");
    unsetenv("RESNET_CONV");
}

// As on machines that this one is not.
static void isa_choices(void **state)
{
    rn_isa isa;

    (void)state;
    assert_int_equal(rn_isa_choose(&isa, RN_ISA_AVX512, NULL), RN_OK);
    assert_int_equal(isa, RN_ISA_AVX512);
    assert_int_equal(rn_isa_choose(&isa, RN_ISA_AVX512, "avx2"), RN_OK);
    assert_int_equal(isa, RN_ISA_AVX2);
    assert_int_equal(rn_isa_choose(&isa, RN_ISA_AVX2, NULL), RN_OK);
    assert_int_equal(isa, RN_ISA_AVX2);
    assert_int_equal(rn_isa_choose(&isa, RN_ISA_AVX2, "avx512"), RN_EUNSUPPORTED);
    assert_string_equal(
        rn_error_message(),
        "environment variable RESNET_ISA is 'avx512', but this processor has only avx2");
    assert_int_equal(rn_isa_choose(&isa, RN_ISA_NONE, NULL), RN_EUNSUPPORTED);
    assert_int_equal(isa, RN_ISA_NONE);
    assert_non_null(strstr(rn_error_message(), "lacks AVX2 or FMA"));
}

static void denormals_are_flushed(void **state)
{
    rn_engine *engine = NULL;
    volatile float least = FLT_MIN;

    (void)state;
    assert_int_equal(rn_threads_set(2), RN_OK);
    __builtin_ia32_ldmxcsr(0x1f80); // the default again
    assert_true(least / 2 > 0);
    assert_int_equal(rn_engine_create(&engine, "cpu"), RN_OK);
    assert_int_equal(rn_threads(), 2); // left as the caller has set it
    assert_true(least / 2 == 0);
    rn_engine_free(engine);
}

static bool fail_at(size_t bytes, void *context)
{
    int *left = context;

    (void)bytes;
    return (*left)-- != 0;
}

static void out_of_memory(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++)
        for (int k = 0;; k++) {
            rn_engine *engine = NULL;
            int left = k;
            rn_alloc_hook_set(fail_at, &left);
            rn_status st = rn_engine_create(&engine, which == 0 ? "ref" : "cpu");
            rn_alloc_hook_set(NULL, NULL);
            if (st == RN_OK) {
                assert_true(k > 0);
                rn_engine_free(engine);
                break;
            }
            assert_int_equal(st, RN_ENOMEM);
            assert_null(engine);
        }
}

// One op of each source, so that both reach the caller through one table.
static void kernels_of_both_sources(void **state)
{
    rn_engine *engine = NULL;
    rn_kernel *kernel = NULL;

    (void)state;
    assert_int_equal(rn_engine_create(&engine, "cpu"), RN_OK);
    rn_tensor_desc t = {RN_FLOAT32, engine->layout, 2, 16, 5, 5};
    rn_op_desc d = {.kind = RN_OP_RELU, .src = t, .dst = t, .kernel = 3, .stride = 1, .pad = 1};
    assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
    assert_memory_equal(kernel->implementation, "cpu avx", 7);
    rn_kernel_free(kernel);
    d.kind = RN_OP_CONV;
    assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
    assert_non_null(strstr(kernel->implementation, "winograd"));
    rn_kernel_free(kernel);
    d.kernel = 1;
    d.pad = 0;
    assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
    assert_memory_equal(kernel->implementation, "onednn", 6);
    rn_kernel_free(kernel);
    d.kind = RN_OP_BATCH_NORM_TRAIN;
    d.dst.c = 3;
    assert_int_equal(engine->create(engine, &kernel, &d), RN_EUNSUPPORTED);
    assert_null(kernel);
    assert_non_null(strstr(rn_error_message(), "batch norm"));
    rn_engine_free(engine);
}

// Fewer channels than there are, or not every stride-th row.
static void shortcuts_that_do_not_fit(void **state)
{
    static const char *const names[] = {"ref", "cpu"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rn_engine *engine = NULL;
        rn_kernel *kernel = NULL;
        assert_int_equal(rn_engine_create(&engine, names[i]), RN_OK);
        rn_tensor_desc t = {RN_FLOAT32, engine->layout, 2, 16, 5, 5};
        rn_op_desc d = {.kind = RN_OP_SHORTCUT_PAD, .src = t, .dst = t, .stride = 2};
        d.dst.h = d.dst.w = 3;
        assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
        rn_kernel_free(kernel);
        d.dst.c = 8;
        d.channel_offset = -4;
        assert_int_equal(engine->create(engine, &kernel, &d), RN_EUNSUPPORTED);
        d.dst.c = 16;
        d.channel_offset = 0;
        d.dst.h = 2;
        assert_int_equal(engine->create(engine, &kernel, &d), RN_EUNSUPPORTED);
        assert_null(kernel);
        rn_engine_free(engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(isa_from_environment),
        cmocka_unit_test(convolutions_from_environment),
        cmocka_unit_test(isa_choices),
        cmocka_unit_test(denormals_are_flushed),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(kernels_of_both_sources),
        cmocka_unit_test(shortcuts_that_do_not_fit),
    };

    unsetenv("RESNET_ISA"); // oneDNN can only be lowered before its first use in a process
    return cmocka_run_group_tests(tests, NULL, NULL);
}
