// Ranges of what convolutions read, for multiplication in bytes. A first pass over the pictures
// finds the largest values, a second how they are distributed below; the range is then cut where
// the sum of squared errors, of rounding inside and of cutting off outside, is least.
#include "resnet/measure.h"

#include "base/memory.h"
#include "train/traced.h"

#include <math.h>
#include <string.h>

enum { DEFAULT_IMAGES = 512, BINS = 2048, CUTS = 128 };

/** What one node puts out. */
typedef struct gauge {
    const rn_node *node;
    int index;
    float low, high; // of all values
    uint64_t *bins;  // of absolute values, evenly from 0 to the largest
} gauge;

typedef struct calibration {
    rn_traced traced;
    gauge *gauges;
    int count;
    bool counting; // the second pass
} calibration;

// In inference such a node hands on what it reads.
static bool hands_on(const rn_node *node)
{
    return node->kind == RN_NODE_DROPOUT || (node->kind == RN_NODE_DROP_BRANCH && node->rate <= 0);
}

static gauge *gauge_of(const calibration *c, const rn_node *node)
{
    for (int i = 0; i < c->count; i++)
        if (c->gauges[i].node == node)
            return &c->gauges[i];
    return NULL;
}

// One for each node that a convolution reads, but for the input.
static rn_status find_gauges(calibration *c)
{
    rn_status st = RN_OK;
    const rn_graph *graph = c->traced.model->graph;

    RN_TRY(RN_NEW(&c->gauges, (size_t)rn_graph_nodes(graph)));
    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        int source = rn_graph_node(graph, i)->inputs[0];
        if (rn_graph_node(graph, i)->kind != RN_NODE_CONV)
            continue;
        while (hands_on(rn_graph_node(graph, source)))
            source = rn_graph_node(graph, source)->inputs[0];
        const rn_node *node = rn_graph_node(graph, source);
        if (source == 0 || gauge_of(c, node) != NULL)
            continue;
        gauge *made = &c->gauges[c->count++];
        *made = (gauge){.node = node, .index = source, .low = INFINITY, .high = -INFINITY};
        RN_TRY(RN_NEW(&made->bins, BINS));
    }
out:
    return st;
}

static float largest_of(const gauge *g)
{
    return fmaxf(fabsf(g->low), fabsf(g->high));
}

static rn_status bound(gauge *g, const float *values, size_t count)
{
    float low = g->low, high = g->high;
    int finite = 1;

#pragma omp parallel for schedule(static) reduction(min : low, finite) reduction(max : high)
    for (size_t i = 0; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
        finite = isfinite(values[i]) && finite;
    }
    g->low = low;
    g->high = high;
    return finite
               ? RN_OK
               : rn_error(RN_EDIVERGED, "'%s' puts out values that are not finite", g->node->name);
}

static void count_values(gauge *g, const float *values, size_t count)
{
    float scale = largest_of(g) > 0 ? BINS / largest_of(g) : 0;

#pragma omp parallel
    {
        uint64_t bins[BINS] = {0};
#pragma omp for schedule(static)
        for (size_t i = 0; i < count; i++) {
            int bin = (int)(fabsf(values[i]) * scale);
            bins[bin < BINS ? bin : BINS - 1]++;
        }
#pragma omp critical(rn_calibrate)
        for (int b = 0; b < BINS; b++)
            g->bins[b] += bins[b];
    }
}

static rn_status take_output(const rn_node *node, const int shape[4], const float *values,
                             void *context)
{
    calibration *c = context;
    gauge *g = gauge_of(c, node);
    size_t count =
        (size_t)c->traced.filled * (size_t)shape[1] * (size_t)shape[2] * (size_t)shape[3];

    if (g == NULL)
        return RN_OK;
    if (!c->counting)
        return bound(g, values, count);
    count_values(g, values, count);
    return RN_OK;
}

// The sum of squared errors where values above bin `cut` are cut off there, in units of bins.
static double error_of(const gauge *g, int cut, double levels)
{
    double step = cut / levels, error = 0;

    for (int b = 0; b < BINS; b++) {
        double beyond = b + 0.5 - cut;
        error += (double)g->bins[b] * (beyond > 0 ? beyond * beyond : step * step / 12);
    }
    return error;
}

static rn_range range_of(const gauge *g)
{
    int best = BINS;
    bool positive = g->low >= 0;
    double levels = positive ? 255 : 127, least = error_of(g, BINS, levels);

    for (int i = 1; i < CUTS; i++) {
        double error = error_of(g, i * (BINS / CUTS), levels);
        if (error < least) {
            least = error;
            best = i * (BINS / CUTS);
        }
    }
    float high = largest_of(g) * (float)best / BINS;
    return (rn_range){positive ? 0 : -high, high};
}

static rn_status finish(const calibration *c, rn_checkpoint *model)
{
    rn_status st = RN_OK;
    rn_range *ranges = NULL;

    RN_TRY(rn_ranges_create(&ranges, model->graph));
    for (int i = 0; i < c->count; i++)
        ranges[c->gauges[i].index] = range_of(&c->gauges[i]);
    rn_checkpoint_forget_ranges(model);
    model->ranges = ranges;
out:
    return st;
}

static void release(calibration *c)
{
    for (int i = 0; i < c->count; i++)
        rn_free(c->gauges[i].bins);
    rn_free(c->gauges);
    rn_traced_close(&c->traced);
}

rn_status rn_calibrate(rn_checkpoint *model, const rn_samples *samples,
                       const rn_calibrate_options *options)
{
    rn_status st = RN_OK;
    const rn_calibrate_options given = options == NULL ? (rn_calibrate_options){0} : *options;
    uint64_t usual = samples->count < DEFAULT_IMAGES ? samples->count : DEFAULT_IMAGES;
    calibration c = {0};

    RN_TRY(rn_traced_open(&c.traced, model, samples,
                          &(rn_traced_options){.engine = given.engine,
                                               .batch = given.batch,
                                               .images = given.images == 0 ? usual : given.images,
                                               .ema = given.ema,
                                               .stop = given.stop}));
    RN_TRY(find_gauges(&c));
    RN_TRY(rn_traced_run(&c.traced, take_output, &c));
    c.counting = true;
    RN_TRY(rn_traced_run(&c.traced, take_output, &c));
    RN_TRY(finish(&c, model));
out:
    release(&c);
    return st;
}
