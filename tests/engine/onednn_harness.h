/**
 * oneDNN's kernels against the ref engine, in both blocked layouts. oneDNN's instruction set can be
 * limited only once in a process: "avx2" runs in a child. Header only, for cmocka programs.
 */
#ifndef ENGINE_ONEDNN_HARNESS_H
#define ENGINE_ONEDNN_HARNESS_H

#include "engine/onednn/onednn.h"
#include "engine/ref/ref.h"
#include "op_harness.h"

#include <sys/wait.h>
#include <unistd.h>

static const char *isa;  // of this process
static rn_layout layout; // the blocked one that suits it
static rn_onednn *onednn;

static inline rn_status create_ref(void *context, rn_kernel **out, const rn_op_desc *desc)
{
    (void)context;
    if (desc->kind <= RN_OP_CONV_BACKWARD_WEIGHTS)
        return rn_ref_conv_create(out, desc);
    if (desc->kind <= RN_OP_LINEAR_BACKWARD_WEIGHTS)
        return rn_ref_linear_create(out, desc);
    return rn_ref_pool_create(out, desc);
}

static inline rn_status create_tested(void *context, rn_kernel **out, const rn_op_desc *desc)
{
    (void)context;
    return rn_onednn_kernel(onednn, out, desc);
}

static const harness_maker ref = {create_ref, NULL}, tested = {create_tested, NULL};

static inline void check(rn_op_desc d, rn_op_kind kind)
{
    d.kind = kind;
    harness_check(&d, &ref, &tested, 1e-5);
}

static inline rn_tensor_desc image(rn_layout order, int n, int c, int size)
{
    return (rn_tensor_desc){RN_FLOAT32, order, n, c, size, size + (size > 5 ? 1 : 0)};
}

static inline rn_tensor_desc row(int n, int c)
{
    return (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, n, c, 1, 1};
}

static inline void set_dst_size(rn_op_desc *d)
{
    d->dst.h = (d->src.h + 2 * d->pad - d->kernel) / d->stride + 1;
    d->dst.w = (d->src.w + 2 * d->pad - d->kernel) / d->stride + 1;
}

static inline rn_op_desc conv(rn_tensor_desc src, rn_layout order, int out, int kernel, int stride)
{
    rn_op_desc d = {.src = src, .kernel = kernel, .stride = stride, .pad = kernel / 2};

    d.dst = image(order, src.n, out, 0);
    set_dst_size(&d);
    return d;
}

static inline void check_conv(rn_op_desc d)
{
    for (int bias = 0; bias < 2; bias++) {
        d.bias = bias != 0;
        check(d, RN_OP_CONV);
        check(d, RN_OP_CONV_BACKWARD_WEIGHTS);
    }
    check(d, RN_OP_CONV_BACKWARD_DATA);
}

static inline rn_kernel *make(rn_op_desc d, rn_op_kind kind, const rn_kernel *forward)
{
    rn_kernel *kernel = NULL;

    d.kind = kind;
    d.forward = forward;
    if (rn_onednn_kernel(onednn, &kernel, &d) != RN_OK)
        fail_msg("%s", rn_error_message());
    return kernel;
}

// Every direction of a convolution is oneDNN's generated code, neither plain loops nor im2col.
static inline void check_generated(rn_op_desc d)
{
    rn_kernel *forward = make(d, RN_OP_CONV, NULL);

    for (rn_op_kind kind = RN_OP_CONV; kind <= RN_OP_CONV_BACKWARD_WEIGHTS; kind++) {
        if (d.src.c == 3 && kind == RN_OP_CONV_BACKWARD_DATA)
            continue; // images have no gradient
        rn_kernel *kernel = make(d, kind, forward);
        d.kind = kind;
        if (getenv("RESNET_TEST_VERBOSE") != NULL)
            print_message("%s: %s\n", harness_name(&d), kernel->implementation);
        if (strstr(kernel->implementation, "ref") != NULL ||
            strstr(kernel->implementation, "gemm") != NULL)
            fail_msg("%s is '%s'", harness_name(&d), kernel->implementation);
        rn_kernel_free(kernel);
    }
    rn_kernel_free(forward);
}

// Run a group of tests for one instruction set; returns how many failed.
static inline int test_isa(const char *with, const struct CMUnitTest *tests, size_t count)
{
    isa = with;
    layout = strcmp(isa, "avx512") == 0 ? RN_LAYOUT_NCHW16C : RN_LAYOUT_NCHW8C;
    if (rn_onednn_create(&onednn, isa) != RN_OK) {
        print_error("%s\n", rn_error_message());
        return 1;
    }
    int failed = _cmocka_run_group_tests(isa, tests, count, NULL, NULL);
    rn_onednn_free(onednn);
    return failed;
}

/** Run a group of tests in both blocked layouts, as far as this machine can; 0 if all pass. */
static inline int test_both(const struct CMUnitTest *tests, size_t count)
{
    int status = 0;
    pid_t child;

    if (!__builtin_cpu_supports("avx512bw"))
        return test_isa("avx2", tests, count);
    child = fork();
    if (child == 0)
        exit(test_isa("avx2", tests, count));
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    int failed = test_isa("avx512", tests, count);
    return failed != 0 || status != 0;
}

#endif
