// Two models beside each other: parameters, preprocess, labels.
#include "train/compare.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { MAX_RANDOM = 1024 };

static const double default_tolerance = 1e-4;

static double distance(float a, float b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    return isfinite(a) && isfinite(b) ? fabs((double)a - (double)b) : INFINITY;
}

rn_difference rn_difference_measure(const float *a, const float *b, size_t count, double tolerance)
{
    rn_difference d = {0};

    for (size_t i = 0; i < count; i++) {
        d.absolute = fmax(d.absolute, distance(a[i], b[i]));
        if (isfinite(a[i]))
            d.largest = fmax(d.largest, fabs((double)a[i]));
    }
    if (d.absolute > 0)
        d.relative = d.largest > 0 ? d.absolute / d.largest : INFINITY;
    d.beyond = d.relative > tolerance;
    return d;
}

// Parameters

static int find_param(const rn_weights *weights, const char *name, int guess)
{
    int count = rn_weights_count(weights);

    if (guess < count && strcmp(rn_weights_param(weights, guess)->name, name) == 0)
        return guess; // models of one kind have them in one order
    for (int i = 0; i < count; i++)
        if (strcmp(rn_weights_param(weights, i)->name, name) == 0)
            return i;
    return -1;
}

static bool same_shape(const rn_param *a, const rn_param *b)
{
    return a->dims == b->dims &&
           memcmp(a->shape, b->shape, (size_t)a->dims * sizeof *a->shape) == 0;
}

static rn_param_difference compare_param(const rn_weights *a, int in_a, const rn_weights *b,
                                         double tolerance)
{
    rn_param_difference p = {.a = rn_weights_param(a, in_a)};
    int in_b = find_param(b, p.a->name, in_a);

    if (in_b < 0)
        return p;
    p.b = rn_weights_param(b, in_b);
    p.measured = same_shape(p.a, p.b);
    if (p.measured)
        p.difference = rn_difference_measure(rn_weights_read(a, in_a), rn_weights_read(b, in_b),
                                             p.a->count, tolerance);
    return p;
}

static rn_status compare_params(rn_comparison *out, const rn_weights *a, const rn_weights *b,
                                double tolerance)
{
    rn_status st = RN_OK;
    int count_a = rn_weights_count(a), count_b = rn_weights_count(b);

    RN_TRY(RN_NEW(&out->params, (size_t)count_a + (size_t)count_b));
    for (int i = 0; i < count_a; i++)
        out->params[out->param_count++] = compare_param(a, i, b, tolerance);
    for (int i = 0; i < count_b; i++)
        if (find_param(a, rn_weights_param(b, i)->name, i) < 0)
            out->params[out->param_count++] = (rn_param_difference){.b = rn_weights_param(b, i)};
    for (int i = 0; i < out->param_count; i++)
        out->params_beyond += !out->params[i].measured || out->params[i].difference.beyond;
out:
    return st;
}

// What comes before the network and after it

static bool same_values(const float *a, const float *b, size_t count)
{
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

static bool same_preprocess(const rn_preprocess *a, const rn_preprocess *b)
{
    return a->normalize == b->normalize && a->channels == b->channels && a->height == b->height &&
           a->width == b->width && a->entries == b->entries && a->centre_ratio == b->centre_ratio &&
           same_values(a->mean, b->mean, a->entries) &&
           same_values(a->deviation, b->deviation, a->entries);
}

// A class that only one of the two has counts too.
static int count_other_labels(const rn_checkpoint *a, const rn_checkpoint *b)
{
    int few = a->options.classes, many = b->options.classes;

    if (few > many) {
        few = b->options.classes;
        many = a->options.classes;
    }
    int differing = many - few;
    for (int i = 0; i < few; i++)
        differing += strcmp(a->label_names[i], b->label_names[i]) != 0;
    return differing;
}

static rn_status check(const rn_compare_options *options)
{
    if (!(options->tolerance >= 0))
        return rn_error(RN_EINVAL, "tolerance is %g, expected 0 or more", options->tolerance);
    if (options->random < 0 || options->random > MAX_RANDOM)
        return rn_error(RN_EINVAL, "%d pictures of noise, expected 1 to %d", options->random,
                        MAX_RANDOM);
    return RN_OK;
}

rn_status rn_compare(rn_comparison *out, const rn_checkpoint *a, const rn_checkpoint *b,
                     const rn_compare_options *options)
{
    rn_status st = RN_OK;
    const rn_compare_options defaults = {.tolerance = default_tolerance};
    const rn_compare_options *o = options == NULL ? &defaults : options;
    const rn_checkpoint *const models[2] = {a, b};
    const rn_weights *weights[2] = {rn_compared_weights(a, o->last),
                                    rn_compared_weights(b, o->last)};

    *out = (rn_comparison){.first_beyond = -1};
    RN_TRY(check(o));
    rn_compare_structure(out->structure, a->graph, b->graph);
    if (out->structure[0][0] == '\0')
        RN_TRY(rn_compare_fold(out, models, weights));
    RN_TRY(compare_params(out, weights[0], weights[1], o->tolerance));
    out->same_preprocess = same_preprocess(a->preprocess, b->preprocess);
    out->labels_differing = count_other_labels(a, b);
    if (out->structure[0][0] == '\0')
        RN_TRY(rn_compare_layers(out, models, weights, o));
    out->within = out->params_beyond == 0 && out->structure[0][0] == '\0' && out->first_beyond < 0;
out:
    if (st != RN_OK)
        rn_comparison_release(out);
    return st;
}

void rn_comparison_release(rn_comparison *comparison)
{
    rn_free(comparison->params);
    rn_free(comparison->layers);
    rn_free(comparison->logits[0]);
    rn_free(comparison->logits[1]);
    rn_weights_free(comparison->folded);
    *comparison = (rn_comparison){0};
}
