#include "plan/stream.h"

enum { REPEATS = 4, ROW = 1024 };

rn_op_desc rn_stream_op(size_t bytes)
{
    int rows = (int)(bytes / (ROW * sizeof(float)));
    rn_tensor_desc desc = {.layout = RN_LAYOUT_NCHW, .n = 1, .c = 1, .h = rows, .w = ROW};

    return (rn_op_desc){.kind = RN_OP_ADD, .src = desc, .dst = desc};
}

rn_status rn_stream_measure(double *rate, rn_kernel *kernel, float *arrays, size_t bytes)
{
    rn_status st = RN_OK;
    size_t floats = bytes / sizeof(float);
    void *args[RN_ARGS] = {
        [RN_ARG_SRC] = arrays, [RN_ARG_SRC2] = arrays + floats, [RN_ARG_DST] = arrays + 2 * floats};

    *rate = 0;
    RN_TRY(kernel->run(kernel, args));
    for (int i = 0; i < REPEATS; i++) {
        double start = rn_clock();
        RN_TRY(kernel->run(kernel, args));
        double now = RN_STREAM_ARRAYS * (double)bytes / (rn_clock() - start);
        *rate = now > *rate ? now : *rate;
    }
out:
    return st;
}
