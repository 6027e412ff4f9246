// Softmax cross-entropy with label smoothing, loss and gradient at once.
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

#include <math.h>

static double maximum(const float *logits, int classes)
{
    double largest = -INFINITY;

    for (int k = 0; k < classes; k++)
        largest = (double)logits[k] > largest ? (double)logits[k] : largest;
    return largest;
}

// log sum exp(x - largest): nothing overflows.
static double log_sum(const float *logits, int classes, double largest)
{
    double sum = 0;

    for (int k = 0; k < classes; k++)
        sum += exp((double)logits[k] - largest);
    return log(sum);
}

// The first of equal maxima is the answer; a row with a NaN has none.
static bool is_wrong(const float *logits, int classes, int label)
{
    int best = 0;

    for (int k = 0; k < classes; k++) {
        if (isnan(logits[k]))
            return true;
        if (logits[k] > logits[best])
            best = k;
    }
    return best != label;
}

// log p = x - max - log sum exp(x - max); target = (1 - s) onehot + s / K;
// loss = -sum target log p; dloss/dx = p - target. Mean over N.
static double row(const rn_op_desc *desc, const float *logits, int label, float *diff)
{
    int classes = desc->src.c;
    double s = (double)desc->label_smoothing, loss = 0;
    double largest = maximum(logits, classes), sum = log_sum(logits, classes, largest);

    for (int k = 0; k < classes; k++) {
        double target = (k == label ? 1 - s : 0) + s / classes;
        double log_p = (double)logits[k] - largest - sum;
        if (target > 0 || isnan(log_p))
            loss -= target * log_p;
        diff[k] = (float)((exp(log_p) - target) / desc->src.n);
    }
    return loss;
}

static rn_status cross_entropy(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    const float *logits = args[RN_ARG_SRC];
    const int32_t *labels = args[RN_ARG_LABELS];
    float *diff = args[RN_ARG_DIFF_SRC];
    rn_loss *loss = args[RN_ARG_LOSS];

    *loss = (rn_loss){0};
    for (int n = 0; n < desc->src.n; n++, logits += desc->src.c, diff += desc->src.c) {
        if (labels[n] < 0 || labels[n] >= desc->src.c)
            return rn_error(RN_EINVAL, "label %d of sample %d, expected 0 to %d", labels[n], n,
                            desc->src.c - 1);
        loss->loss += row(desc, logits, labels[n], diff) / desc->src.n;
        loss->wrong += is_wrong(logits, desc->src.c, labels[n]);
    }
    return RN_OK;
}

rn_status rn_ref_cross_entropy_create(rn_kernel **out, const rn_op_desc *desc)
{
    return rn_ref_kernel_create(out, desc, desc->kind == RN_OP_CROSS_ENTROPY ? cross_entropy : NULL,
                                0, 0);
}
