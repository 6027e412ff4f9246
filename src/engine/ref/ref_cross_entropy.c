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

// The labels of one sample and what share each has; one label has the whole.
typedef struct row_labels {
    int label[2];
    double share[2];
} row_labels;

static rn_status get_labels(row_labels *out, const rn_op_desc *desc, void *const args[RN_ARGS],
                            int n)
{
    const int32_t *labels[2] = {args[RN_ARG_LABELS], args[RN_ARG_LABELS_B]};
    const float *shares = args[RN_ARG_SHARES];

    *out = (row_labels){.share = {1, 0}};
    for (int i = 0; i < 1 + desc->mixed; i++) {
        out->label[i] = labels[i][n];
        if (out->label[i] < 0 || out->label[i] >= desc->src.c)
            return rn_error(RN_EINVAL, "label %d of sample %d, expected 0 to %d", out->label[i], n,
                            desc->src.c - 1);
    }
    if (!desc->mixed)
        return RN_OK;
    if (!(shares[n] >= 0 && shares[n] <= 1))
        return rn_error(RN_EINVAL, "share %g of sample %d's label, expected 0 to 1",
                        (double)shares[n], n);
    out->share[0] = (double)shares[n];
    out->share[1] = 1 - (double)shares[n];
    return RN_OK;
}

// log p = x - max - log sum exp(x - max); target = (1 - s) sum share onehot(label) + s / K;
// loss = -sum target log p; dloss/dx = p - target. Mean over N.
static double row(const rn_op_desc *desc, const float *logits, const row_labels *labels,
                  float *diff)
{
    int classes = desc->src.c;
    double s = (double)desc->label_smoothing, loss = 0;
    double largest = maximum(logits, classes), sum = log_sum(logits, classes, largest);

    for (int k = 0; k < classes; k++) {
        double target = s / classes;
        for (int i = 0; i < 2; i++)
            target += k == labels->label[i] ? (1 - s) * labels->share[i] : 0;
        double log_p = (double)logits[k] - largest - sum;
        if (target > 0 || isnan(log_p))
            loss -= target * log_p;
        diff[k] = (float)((exp(log_p) - target) / desc->src.n);
    }
    return loss;
}

static rn_status cross_entropy(rn_kernel *kernel, void *const args[RN_ARGS])
{
    rn_status st = RN_OK;
    const rn_op_desc *desc = rn_ref_desc(kernel);
    const float *logits = args[RN_ARG_SRC];
    float *diff = args[RN_ARG_DIFF_SRC];
    rn_loss *loss = args[RN_ARG_LOSS];

    *loss = (rn_loss){0};
    for (int n = 0; n < desc->src.n; n++, logits += desc->src.c, diff += desc->src.c) {
        row_labels labels;
        RN_TRY(get_labels(&labels, desc, args, n));
        loss->loss += row(desc, logits, &labels, diff) / desc->src.n;
        int answer = labels.label[labels.share[0] < 0.5];
        loss->wrong += is_wrong(logits, desc->src.c, answer);
    }
out:
    return st;
}

rn_status rn_ref_cross_entropy_create(rn_kernel **out, const rn_op_desc *desc)
{
    return rn_ref_kernel_create(out, desc, desc->kind == RN_OP_CROSS_ENTROPY ? cross_entropy : NULL,
                                0, 0);
}
