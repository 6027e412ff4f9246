// Dropout (Srivastava et al. 2014), scaled while training; with `whole` the draw of stochastic
// depth (Huang et al. 2016). Which elements stay depends on their place alone: see
// rn_dropout_keeps().
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

// Place in nChw16c of the first position of channel c of image n.
static uint64_t place_of(const rn_tensor_desc *t, size_t n, size_t c)
{
    uint64_t blocks = ((uint64_t)t->c + 15) / 16, area = (uint64_t)t->h * (uint64_t)t->w;

    return (n * blocks + c / 16) * area * 16 + c % 16;
}

static rn_status dropout(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    size_t channels = (size_t)desc->src.c, area = (size_t)desc->src.h * (size_t)desc->src.w;
    size_t planes = (size_t)desc->src.n * channels;
    const float *src = args[RN_ARG_SRC];
    float *dst = args[RN_ARG_DST];

    for (size_t plane = 0; plane < planes; plane++) {
        uint64_t first = place_of(&desc->src, plane / channels, plane % channels);
        for (size_t p = 0; p < area; p++) {
            uint64_t index = desc->whole ? 0 : first + 16 * p;
            size_t i = plane * area + p;
            bool keep = rn_dropout_keeps(args[RN_ARG_RANDOM], desc->stream, desc->rate, index);
            dst[i] = keep ? desc->scale * src[i] : 0;
        }
    }
    return RN_OK;
}

rn_status rn_ref_dropout_create(rn_kernel **out, const rn_op_desc *desc)
{
    bool fits = desc->rate >= 0 && desc->rate < 1;

    return rn_ref_kernel_create(out, desc, fits ? dropout : NULL, 0, 0);
}
