/**
 * Softmax cross-entropy with label smoothing s over K classes, mean over the batch of N:
 *
 *   p = exp(x - max) / sum exp(x - max),  target = (1 - s) onehot + s / K,
 *   loss = -sum target log p,             diff_src = (p - target) / N
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

static row_result row_loss(const rn_op_desc *desc, const float *logits, size_t label, float *diff)
{
    size_t classes = (size_t)desc->src.c;
    double s = (double)desc->label_smoothing, batch = (double)desc->src.n, totals[2];
    row_result result = {.wrong = row_is_wrong(logits, classes, label)};
    double x = (double)logits[label] - (double)row_maximum(logits, classes);

    row_exponentials(logits, classes, diff, totals);
    result.loss = log(totals[0]) - (1 - s) * x;
    if (s > 0) // else a logit of minus infinity is no harm
        result.loss -= s / (double)classes * totals[1];
    vec scale = vec_all((float)(1 / (totals[0] * batch)));
    vec smooth = vec_all((float)(-s / (double)classes / batch));
    for (size_t k = 0; k < classes; k += VEC) {
        size_t n = classes - k < VEC ? classes - k : VEC;
        vec_store_n(diff + k, n, vec_fma(vec_load_n(diff + k, n), scale, smooth));
    }
    diff[label] -= (float)((1 - s) / batch);
    return result;
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
    const int32_t *labels = args[RN_ARG_LABELS];
    float *diff = args[RN_ARG_DIFF_SRC];
    row_result *rows = args[RN_ARG_SCRATCH];
    rn_loss *loss = args[RN_ARG_LOSS];

    RN_TRY(check_labels(desc, labels));
#pragma omp parallel for schedule(static) if (batch * classes > PARALLEL_FLOATS / 8)
    for (size_t n = 0; n < batch; n++)
        rows[n] = row_loss(desc, logits + n * classes, (size_t)labels[n], diff + n * classes);
    *loss = (rn_loss){0};
    for (size_t n = 0; n < batch; n++) {
        loss->loss += rows[n].loss / (double)batch;
        loss->wrong += rows[n].wrong;
    }
out:
    return st;
}

#endif
