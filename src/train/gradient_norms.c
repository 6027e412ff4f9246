#include "train/gradient_norms.h"

#include "base/memory.h"

#include <math.h>

enum { LANES = 8 }; // partial sums, so that the loop can be vectorised

struct rn_gradient_norms {
    rn_param_view *views;
    rn_param_norm *norms;
    int count;
};

rn_status rn_gradient_norms_create(rn_gradient_norms **out, rn_run *run)
{
    rn_status st = RN_OK;
    rn_gradient_norms *norms = NULL;
    size_t params = (size_t)rn_run_params(run);

    *out = NULL;
    RN_TRY(RN_NEW(&norms, 1));
    RN_TRY(RN_NEW(&norms->views, params));
    RN_TRY(RN_NEW(&norms->norms, params));
    for (int i = 0; i < rn_run_params(run); i++) {
        rn_param_view view = rn_run_param(run, i);
        if (view.gradient == NULL)
            continue;
        norms->norms[norms->count].name = view.param->name;
        norms->views[norms->count++] = view;
    }
    *out = norms;
    norms = NULL; // now the caller's
out:
    rn_gradient_norms_free(norms);
    return st;
}

void rn_gradient_norms_free(rn_gradient_norms *norms)
{
    if (norms == NULL)
        return;
    rn_free(norms->views);
    rn_free(norms->norms);
    rn_free(norms);
}

// What a layout pads with is 0 and adds nothing.
static double norm_of(const float *values, size_t count)
{
    double sums[LANES] = {0}, sum = 0;
    size_t whole = count - count % LANES;

    for (size_t i = 0; i < whole; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += (double)values[i + lane] * (double)values[i + lane];
    for (size_t i = whole; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    for (size_t lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    return sqrt(sum);
}

void rn_gradient_norms_measure(rn_gradient_norms *norms)
{
#pragma omp parallel for schedule(static, 1)
    for (int i = 0; i < norms->count; i++) {
        const rn_param_view *view = &norms->views[i];
        norms->norms[i].gradient = norm_of(view->gradient, view->count);
        norms->norms[i].value = norm_of(view->value, view->count);
    }
}

const rn_param_norm *rn_gradient_norms_read(const rn_gradient_norms *norms, int *count)
{
    *count = norms->count;
    return norms->norms;
}
