// Running statistics measured anew ("precise BN"): batch statistics of a network whose weights
// stand still, pooled over a set of images.
#include "base/memory.h"
#include "batch/order.h"
#include "train/inference.h"

#include <math.h>
#include <string.h>

enum { DEFAULT_BATCH = 128, MAX_BATCH = 65536 };

/** Moments of what one batch norm has seen so far. */
typedef struct moments {
    const rn_node *node;
    double count;       // values of a channel
    double *mean;       // [channels]
    double *deviations; // [channels]: sum of squared deviations from the mean
} moments;

typedef struct recalibrator {
    rn_checkpoint *model;
    rn_weights *weights; // of the model: last or EMA
    const rn_samples *samples;
    const rn_recalibrate_options *options;
    rn_recalibration *out;
    rn_engine *engine;
    rn_order *order;
    rn_order_entry *entries; // of one batch
    float *mean, *variance;  // of one batch, canonical layout
    moments *layers;         // out->layers of them
    uint64_t images, done;   // in all, and so far
} recalibrator;

// Setting up

static rn_status check(const recalibrator *r)
{
    const rn_recalibrate_options *options = r->options;
    rn_status st = rn_check_fit(r->model, r->samples);

    if (st != RN_OK)
        return st;
    if (options->batch < 0 || options->batch > MAX_BATCH)
        return rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", options->batch, MAX_BATCH);
    if (options->ema && r->model->ema == NULL)
        return rn_error(RN_EINVAL, "the model file has no averaged (EMA) weights");
    if (r->samples->count == 0)
        return rn_error(RN_EINVAL, "%s has no images", r->samples->name);
    if (options->images > r->samples->count)
        return rn_error(RN_EINVAL, "%llu images are wanted, %s has %zu",
                        (unsigned long long)options->images, r->samples->name, r->samples->count);
    return RN_OK;
}

static rn_status add_layer(recalibrator *r, const rn_node *node, size_t *widest)
{
    rn_status st = RN_OK;
    size_t channels = (size_t)node->channels;
    moments *layer = &r->layers[r->out->layers];
    rn_statistics_change *change = &r->out->changes[r->out->layers];

    layer->node = node;
    RN_TRY(RN_NEW(&layer->mean, channels));
    RN_TRY(RN_NEW(&layer->deviations, channels));
    memcpy(change->name, node->name, sizeof change->name);
    change->channels = node->channels;
    *widest = channels > *widest ? channels : *widest;
out:
    r->out->layers++; // counted even if half made: release frees both
    return st;
}

static rn_status find_layers(recalibrator *r)
{
    rn_status st = RN_OK;
    const rn_graph *graph = r->model->graph;
    size_t nodes = (size_t)rn_graph_nodes(graph), widest = 0;

    RN_TRY(RN_NEW(&r->layers, nodes));
    RN_TRY(RN_NEW(&r->out->changes, nodes));
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        if (rn_graph_node(graph, i)->kind == RN_NODE_BATCH_NORM)
            RN_TRY(add_layer(r, rn_graph_node(graph, i), &widest));
    if (r->out->layers == 0)
        return rn_error(RN_EINVAL, "'%s' has no batch norm to recalibrate", rn_graph_model(graph));
    RN_TRY(RN_NEW(&r->mean, widest));
    RN_TRY(RN_NEW(&r->variance, widest));
out:
    return st;
}

static rn_status set_up(recalibrator *r)
{
    rn_status st = RN_OK;
    rn_recalibration *out = r->out;
    uint64_t batch = r->options->batch == 0 ? DEFAULT_BATCH : (uint64_t)r->options->batch;

    r->images = r->options->images == 0 ? r->samples->count : r->options->images;
    r->weights = r->options->ema ? r->model->ema : r->model->weights;
    uint64_t batches = (r->images + batch - 1) / batch;
    if (batches > INT32_MAX)
        return rn_error(RN_EINVAL, "%llu images are too many in batches of %llu",
                        (unsigned long long)r->images, (unsigned long long)batch);
    out->images = r->images;
    out->batches = (int)batches;
    out->smallest = (int)(r->images / batches);
    out->largest = out->smallest + (r->images % batches > 0);
    RN_TRY(find_layers(r));
    RN_TRY(RN_NEW(&r->entries, (size_t)out->largest));
    RN_TRY(rn_order_create(&r->order, r->samples->count, r->options->seed));
    RN_TRY(rn_engine_create(&r->engine, r->options->engine));
out:
    return st;
}

static void release(recalibrator *r)
{
    for (int i = 0; r->layers != NULL && i < r->out->layers; i++) {
        rn_free(r->layers[i].mean);
        rn_free(r->layers[i].deviations);
    }
    rn_free(r->layers);
    rn_free(r->mean);
    rn_free(r->variance);
    rn_free(r->entries);
    rn_order_free(r->order);
    rn_engine_free(r->engine);
}

// One batch

static rn_status fill_input(recalibrator *r, float *input, int count)
{
    const rn_samples *s = r->samples;
    int failed = RN_OK;
    size_t image = (size_t)s->channels * (size_t)s->height * (size_t)s->width;

#pragma omp parallel for schedule(static) reduction(max : failed)
    for (int i = 0; i < count; i++) {
        const rn_order_entry *entry = &r->entries[i];
        const rn_augment_where where = {r->options->seed, entry->epoch, entry->sample, NULL};
        int made = (int)rn_preprocess_sample(r->model->preprocess, input + (size_t)i * image,
                                             s->images + (size_t)entry->sample * image,
                                             r->options->augment, &where);
        failed = made > failed ? made : failed;
    }
    if (failed != RN_OK) // whose message another thread may have
        return rn_error((rn_status)failed, "a picture of '%s' cannot be augmented: %s",
                        s->name == NULL ? "set" : s->name, rn_status_text((rn_status)failed));
    return RN_OK;
}

// Moments of a union from those of its disjoint parts (Chan, Golub & LeVeque 1979): no difference
// of large squares, where a mean is far from 0.
static void merge(moments *layer, const recalibrator *r, double count)
{
    double unbiased = count > 1 ? (count - 1) / count : 1; // a single value's is left as it is
    double whole = layer->count + count;

    for (int c = 0; c < layer->node->channels; c++) {
        double delta = (double)r->mean[c] - layer->mean[c];
        layer->mean[c] += delta * (count / whole);
        layer->deviations[c] += (double)r->variance[c] * unbiased * count +
                                delta * delta * (layer->count * count / whole);
    }
    layer->count = whole;
}

static rn_status take_statistics(recalibrator *r, rn_run *run, int count)
{
    rn_status st = RN_OK;

    for (int i = 0; i < r->out->layers; i++) {
        moments *layer = &r->layers[i];
        const rn_node *node = layer->node;
        int mean = node->running_mean, variance = node->running_variance;
        RN_TRY(rn_run_unpack(run, mean, rn_run_param(run, mean).value, r->mean));
        RN_TRY(rn_run_unpack(run, variance, rn_run_param(run, variance).value, r->variance));
        merge(layer, r, (double)count * node->height * node->width);
    }
out:
    return st;
}

static rn_status run_batch(recalibrator *r, rn_run *run, int count)
{
    rn_status st = RN_OK;

    if (r->options->stop != NULL && *r->options->stop)
        return rn_error(RN_EINTERRUPTED, "recalibration interrupted after %llu of %llu images",
                        (unsigned long long)r->done, (unsigned long long)r->images);
    RN_TRY(rn_order_take(r->order, r->done, count, r->entries));
    RN_TRY(fill_input(r, rn_run_input(run), count));
    RN_TRY(rn_run_forward(run));
    RN_TRY(take_statistics(r, run, count));
    r->done += (uint64_t)count;
out:
    return st;
}

// Old statistics count with weight 0, but 0 times NaN is NaN.
static void clear_statistics(rn_run *run)
{
    for (int i = 0; i < rn_run_params(run); i++) {
        rn_param_view view = rn_run_param(run, i);
        if (!rn_param_trained(view.param))
            memset(view.value, 0, view.count * sizeof *view.value);
    }
}

static rn_status run_batches(recalibrator *r, int batches, int size)
{
    rn_status st = RN_OK;
    rn_plan *plan = NULL;
    rn_run *run = NULL;
    rn_plan_options options = {.batch = size, .batch_statistics = true};

    if (batches == 0)
        return RN_OK;
    RN_TRY(rn_plan_create(&plan, r->model->graph, r->engine, &options));
    RN_TRY(rn_run_create(&run, plan));
    RN_TRY(rn_run_load(run, r->weights));
    clear_statistics(run);
    for (int i = 0; i < batches; i++)
        RN_TRY(run_batch(r, run, size));
out:
    rn_run_free(run);
    rn_plan_free(plan);
    return st;
}

// The result

static double unbiased_variance(const moments *layer, int channel)
{
    return layer->deviations[channel] / (layer->count > 1 ? layer->count - 1 : 1);
}

static rn_status check_finite(const recalibrator *r)
{
    for (int i = 0; i < r->out->layers; i++) {
        const moments *layer = &r->layers[i];
        for (int c = 0; c < layer->node->channels; c++)
            if (!isfinite((float)layer->mean[c]) || !isfinite((float)unbiased_variance(layer, c)))
                return rn_error(RN_EDIVERGED,
                                "'%s': the statistics of channel %d are not finite: this network's "
                                "weights have diverged",
                                layer->node->name, c);
    }
    return RN_OK;
}

static double moved(double now, double before, double unit)
{
    double distance = fabs(now - before);

    return isfinite(before) ? (distance > 0 ? distance / unit : 0) : INFINITY;
}

static void replace_statistics(const recalibrator *r, int index)
{
    const moments *layer = &r->layers[index];
    rn_statistics_change *change = &r->out->changes[index];
    float *mean = rn_weights_data(r->weights, layer->node->running_mean);
    float *variance = rn_weights_data(r->weights, layer->node->running_variance);

    for (int c = 0; c < layer->node->channels; c++) {
        double spread = unbiased_variance(layer, c), safe = spread + (double)layer->node->epsilon;
        change->mean = fmax(change->mean, moved(layer->mean[c], (double)mean[c], sqrt(safe)));
        change->variance = fmax(change->variance, moved(spread, (double)variance[c], safe));
        mean[c] = (float)layer->mean[c];
        variance[c] = (float)spread;
    }
}

rn_status rn_recalibrate(rn_recalibration *out, rn_checkpoint *model, const rn_samples *samples,
                         const rn_recalibrate_options *options)
{
    rn_status st = RN_OK;
    double start = rn_clock();
    recalibrator r = {.model = model, .samples = samples, .out = out};
    const rn_recalibrate_options defaults = {0};

    *out = (rn_recalibration){0};
    r.options = options == NULL ? &defaults : options;
    RN_TRY(check(&r));
    RN_TRY(set_up(&r));
    int larger = (int)(r.images % (uint64_t)out->batches); // batches with one image more
    RN_TRY(run_batches(&r, larger, out->smallest + 1));
    RN_TRY(run_batches(&r, out->batches - larger, out->smallest));
    RN_TRY(check_finite(&r));
    for (int i = 0; i < out->layers; i++)
        replace_statistics(&r, i);
    out->seconds = rn_clock() - start;
out:
    release(&r);
    if (st != RN_OK)
        rn_recalibration_release(out);
    return st;
}

void rn_recalibration_release(rn_recalibration *recalibration)
{
    rn_free(recalibration->changes);
    *recalibration = (rn_recalibration){0};
}
