/**
 * Softmax cross-entropy with label smoothing s over K classes, mean over the batch of N:
 *
 *   p = exp(x - max) / sum exp(x - max),  target = (1 - s) sum share onehot(label) + s / K,
 *   loss = -sum target log p,             diff_src = (p - target) / N
 *
 * over one label, which has the whole, or two.
 */
#ifndef ENGINE_CPU_BODY_CROSS_ENTROPY_H
#define ENGINE_CPU_BODY_CROSS_ENTROPY_H

#include "engine/cpu/body_range.h"
#include "engine/cpu/kernels.h"

typedef struct row_result {
    double loss;
    int64_t wrong;
} row_result;

_Static_assert(sizeof(row_result) == RN_CPU_ROW_RESULT_BYTES, "scratch of cross entropy");

// The first of equal maxima counts as the answer; a NaN anywhere makes a comparison fail.
static bool row_is_wrong(const float *logits, size_t classes, size_t label)
{
    for (size_t k = 0; k < label; k++)
        if (!(logits[label] > logits[k]))
            return true;
    for (size_t k = label; k < classes; k++)
        if (!(logits[label] >= logits[k]))
            return true;
    return false;
}

static float row_maximum(const float *logits, size_t classes)
{
    float maximum = logits[0];

    for (size_t k = 1; k < classes; k++)
        maximum = logits[k] > maximum ? logits[k] : maximum;
    return maximum;
}

// numerators: exp(x - max). totals: their sum, and the sum of x - max.
static void row_exponentials(const float *logits, size_t classes, float *numerators,
                             double totals[2])
{
    vec maximum = vec_all(row_maximum(logits, classes)), sum = vec_zero(), shifted = vec_zero();

    for (size_t k = 0; k < classes; k += VEC) {
        size_t n = classes - k < VEC ? classes - k : VEC;
        vec x = vec_sub(vec_load_n(logits + k, n), maximum), e = vec_exp(x);
        vec_store_n(numerators + k, n, e);
        sum = vec_add(sum, n == VEC ? e : vec_keep_first(e, n));
        shifted = vec_add(shifted, n == VEC ? x : vec_keep_first(x, n));
    }
    totals[0] = (double)vec_sum(sum);
    totals[1] = (double)vec_sum(shifted);
}

// The labels of one sample and what share each has; one label, or the same twice, has the whole.
typedef struct row_labels {
    size_t label[2];
    double share[2];
} row_labels;

static row_labels row_labels_of(const rn_op_desc *desc, void *const args[RN_ARGS], size_t n)
{
    const int32_t *labels = args[RN_ARG_LABELS], *labels_b = args[RN_ARG_LABELS_B];
    const float *shares = args[RN_ARG_SHARES];

    if (!desc->mixed || labels[n] == labels_b[n])
        return (row_labels){{(size_t)labels[n], 0}, {1, 0}};
    return (row_labels){{(size_t)labels[n], (size_t)labels_b[n]},
                        {(double)shares[n], 1 - (double)shares[n]}};
}

static row_result row_loss(const rn_op_desc *desc, const float *logits, const row_labels *labels,
                           float *diff)
{
    size_t classes = (size_t)desc->src.c;
    double s = (double)desc->label_smoothing, batch = (double)desc->src.n, totals[2];
    size_t answer = labels->label[labels->share[0] < 0.5];
    row_result result = {.wrong = row_is_wrong(logits, classes, answer)};
    double maximum = (double)row_maximum(logits, classes);

    row_exponentials(logits, classes, diff, totals);
    result.loss = log(totals[0]);
    for (int i = 0; i < 2; i++)
        if (labels->share[i] > 0)
            result.loss -=
                (1 - s) * labels->share[i] * ((double)logits[labels->label[i]] - maximum);
    if (s > 0) // else a logit of minus infinity is no harm
        result.loss -= s / (double)classes * totals[1];
    vec scale = vec_all((float)(1 / (totals[0] * batch)));
    vec smooth = vec_all((float)(-s / (double)classes / batch));
    for (size_t k = 0; k < classes; k += VEC) {
        size_t n = classes - k < VEC ? classes - k : VEC;
        vec_store_n(diff + k, n, vec_fma(vec_load_n(diff + k, n), scale, smooth));
    }
    for (int i = 0; i < 2; i++)
        diff[labels->label[i]] -= (float)((1 - s) * labels->share[i] / batch);
    return result;
}

static rn_status check_shares(const rn_op_desc *desc, const float *shares)
{
    for (int n = 0; n < desc->src.n; n++)
        if (!(shares[n] >= 0 && shares[n] <= 1))
            return rn_error(RN_EINVAL, "share %g of sample %d's label, expected 0 to 1",
                            (double)shares[n], n);
    return RN_OK;
}

static rn_status check_labels(const rn_op_desc *desc, const int32_t *labels)
{
    for (int n = 0; n < desc->src.n; n++)
        if (labels[n] < 0 || labels[n] >= desc->src.c)
            return rn_error(RN_EINVAL, "label %d of sample %d, expected 0 to %d", labels[n], n,
                            desc->src.c - 1);
    return RN_OK;
}

static rn_status cross_entropy(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    rn_status st = RN_OK;
    size_t batch = (size_t)desc->src.n, classes = (size_t)desc->src.c;
    const float *logits = args[RN_ARG_SRC];
    float *diff = args[RN_ARG_DIFF_SRC];
    row_result *rows = args[RN_ARG_SCRATCH];
    rn_loss *loss = args[RN_ARG_LOSS];

    RN_TRY(check_labels(desc, args[RN_ARG_LABELS]));
    if (desc->mixed) {
        RN_TRY(check_labels(desc, args[RN_ARG_LABELS_B]));
        RN_TRY(check_shares(desc, args[RN_ARG_SHARES]));
    }
#pragma omp parallel for schedule(static) if (batch * classes > PARALLEL_FLOATS / 8)
    for (size_t n = 0; n < batch; n++) {
        row_labels labels = row_labels_of(desc, args, n);
        rows[n] = row_loss(desc, logits + n * classes, &labels, diff + n * classes);
    }
    *loss = (rn_loss){0};
    for (size_t n = 0; n < batch; n++) {
        loss->loss += rows[n].loss / (double)batch;
        loss->wrong += rows[n].wrong;
    }
out:
    return st;
}

#endif
