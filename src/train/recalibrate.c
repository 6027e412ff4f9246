// Running statistics measured anew ("precise BN"): batch statistics of a network whose weights
// stand still, pooled over a set of images. Pictures are decoded a batch at a time; where one
// cannot be read the next of the order fills the batch, so that only the last batches may be
// smaller.
#include "resnet/measure.h"

#include "augment/reader.h"
#include "base/memory.h"
#include "batch/order.h"
#include "train/class_map.h"
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

/** What came of reading one picture. */
typedef struct reading {
    rn_status status;
    char *message; // of a failure; NULL where there was no memory for it
} reading;

typedef struct recalibrator {
    rn_checkpoint *model;
    rn_weights *weights; // of the model: last or EMA
    const rn_samples *samples;
    const rn_recalibrate_options *options;
    rn_recalibration *out;
    rn_engine *engine;
    rn_plan *plan; // of batches of `size`
    rn_run *run;
    int size;
    rn_augment augment;
    rn_order *order;
    rn_order_entry *entries; // of one batch, as are the following
    reading *readings;
    float *inputs;
    size_t volume;            // of one input
    float *mean, *variance;   // of one batch, canonical layout
    moments *layers;          // out->layers of them
    uint64_t images, batches; // that are to be seen, and in how many
    uint64_t taken;           // entries of the order so far
} recalibrator;

// Setting up

static rn_status check(const recalibrator *r)
{
    const rn_recalibrate_options *options = r->options;
    rn_status st = RN_OK;
    int32_t *map = NULL; // not needed, but another set than the model's is a mistake

    RN_TRY(rn_class_map(&map, r->model, r->samples));
    RN_TRY(rn_check_size(r->model, r->samples));
    if (options->batch < 0 || options->batch > MAX_BATCH)
        st = rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", options->batch, MAX_BATCH);
    else if (options->ema && r->model->ema == NULL)
        st = rn_error(RN_EINVAL, "the model file has no averaged (EMA) weights");
    else if (r->samples->count == 0)
        st = rn_error(RN_EINVAL, "%s has no images", r->samples->name);
    else if (options->images > r->samples->count)
        st = rn_error(RN_EINVAL, "%llu images are wanted, %s has %zu",
                      (unsigned long long)options->images, r->samples->name, r->samples->count);
out:
    rn_free(map);
    return st;
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

// What is random is the caller's; what a photograph's evaluation shows is the middle.
static void choose_augment(recalibrator *r)
{
    if (r->options->augment != NULL)
        r->augment = *r->options->augment;
    else if (r->samples->photos != NULL)
        r->augment =
            (rn_augment){.crop = RN_CROP_CENTRE, .crop_ratio = r->model->preprocess->centre_ratio};
}

static rn_status set_up(recalibrator *r)
{
    rn_status st = RN_OK;
    const rn_preprocess *p = r->model->preprocess;
    uint64_t batch = r->options->batch == 0 ? DEFAULT_BATCH : (uint64_t)r->options->batch;

    r->images = r->options->images == 0 ? r->samples->count : r->options->images;
    r->weights = r->options->ema ? r->model->ema : r->model->weights;
    r->batches = (r->images + batch - 1) / batch;
    if (r->batches > INT32_MAX)
        return rn_error(RN_EINVAL, "%llu images are too many in batches of %llu",
                        (unsigned long long)r->images, (unsigned long long)batch);
    choose_augment(r);
    RN_TRY(find_layers(r));
    size_t largest = (size_t)((r->images + r->batches - 1) / r->batches);
    r->volume = (size_t)p->channels * (size_t)p->height * (size_t)p->width;
    RN_TRY(RN_NEW(&r->entries, largest));
    RN_TRY(RN_NEW(&r->readings, largest));
    RN_TRY(rn_alloc((void **)&r->inputs, largest, r->volume * sizeof *r->inputs));
    RN_TRY(rn_order_create(&r->order, r->samples->count, r->options->seed));
    RN_TRY(rn_engine_create(&r->engine, r->options->engine));
out:
    return st;
}

static void drop_plan(recalibrator *r)
{
    rn_run_free(r->run);
    rn_plan_free(r->plan);
    r->run = NULL;
    r->plan = NULL;
}

static void release(recalibrator *r)
{
    for (int i = 0; r->layers != NULL && i < r->out->layers; i++) {
        rn_free(r->layers[i].mean);
        rn_free(r->layers[i].deviations);
    }
    drop_plan(r);
    rn_free(r->layers);
    rn_free(r->mean);
    rn_free(r->variance);
    rn_free(r->entries);
    rn_free(r->readings);
    rn_free(r->inputs);
    rn_order_free(r->order);
    rn_engine_free(r->engine);
}

// Reading pictures

static void read_entry(recalibrator *r, const rn_reader *reader, float *dst, int index)
{
    const rn_order_entry *entry = &r->entries[index];
    reading *result = &r->readings[index];
    const rn_augment_where where = {
        .seed = r->options->seed, .epoch = entry->epoch, .sample = entry->sample};

    result->status = rn_reader_input(reader, dst + (size_t)index * r->volume, &r->augment, &where);
    result->message = NULL;
    if (result->status != RN_OK && rn_strdup(&result->message, rn_error_message()) != RN_OK)
        result->status = RN_ENOMEM;
}

static rn_status read_share(recalibrator *r, float *dst, int count, int *next)
{
    rn_status st = RN_OK;
    rn_reader reader = {0};
    int i;

    RN_TRY(rn_reader_init(&reader, r->samples, r->model->preprocess));
    while ((i = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < count)
        read_entry(r, &reader, dst, i);
out:
    rn_reader_release(&reader);
    return st;
}

// With the message that another thread may have had.
static rn_status judge(const recalibrator *r, const reading *result)
{
    const rn_recalibrate_options *options = r->options;

    if (result->message == NULL)
        return rn_error(RN_ENOMEM, "no memory to read pictures of %s", r->samples->name);
    if (!rn_is_bad_picture(result->status) || options->bad_images == RN_BAD_IMAGES_STOP)
        return rn_error(result->status, "%s", result->message);
    if (options->on_bad != NULL)
        options->on_bad(result->message, options->context);
    r->out->skipped++;
    return RN_OK;
}

// Move the inputs that could be read together; *got of them.
static rn_status keep_good(recalibrator *r, float *dst, int count, int *got)
{
    rn_status st = RN_OK;

    *got = 0;
    for (int i = 0; i < count; i++) {
        reading *result = &r->readings[i];
        if (result->status == RN_OK && i > *got)
            memcpy(dst + (size_t)*got * r->volume, dst + (size_t)i * r->volume,
                   r->volume * sizeof *dst);
        else if (result->status != RN_OK && st == RN_OK)
            st = judge(r, result);
        *got += result->status == RN_OK;
        rn_free(result->message);
        result->message = NULL;
    }
    return st;
}

// The next entries of the order into inputs from `first` on.
static rn_status read_entries(recalibrator *r, int first, int count, int *got)
{
    rn_status st = RN_OK;
    float *dst = r->inputs + (size_t)first * r->volume;
    int next = 0, failed = 0;

    RN_TRY(rn_order_take(r->order, r->taken, count, r->entries));
    for (int i = 0; i < count; i++)
        r->readings[i] = (reading){RN_ENOMEM, NULL}; // unless a thread comes to it
#pragma omp parallel
    if (read_share(r, dst, count, &next) != RN_OK)
        __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
    RN_TRY(keep_good(r, dst, count, got));
    if (failed)
        st = rn_error(RN_ENOMEM, "no memory to read pictures of %s", r->samples->name);
    r->taken += (uint64_t)count;
out:
    return st;
}

// As many good pictures as are wanted, or as there still are.
static rn_status fill_inputs(recalibrator *r, int wanted, int *filled)
{
    rn_status st = RN_OK;

    *filled = 0;
    while (*filled < wanted && r->taken < r->samples->count) {
        uint64_t left = r->samples->count - r->taken;
        int missing = wanted - *filled, got;
        RN_TRY(read_entries(r, *filled, left < (uint64_t)missing ? (int)left : missing, &got));
        *filled += got;
    }
out:
    return st;
}

// One batch

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

static rn_status take_statistics(recalibrator *r)
{
    rn_status st = RN_OK;

    for (int i = 0; i < r->out->layers; i++) {
        moments *layer = &r->layers[i];
        const rn_node *node = layer->node;
        int mean = node->running_mean, variance = node->running_variance;
        RN_TRY(rn_run_unpack(r->run, mean, rn_run_param(r->run, mean).value, r->mean));
        RN_TRY(rn_run_unpack(r->run, variance, rn_run_param(r->run, variance).value, r->variance));
        merge(layer, r, (double)r->size * node->height * node->width);
    }
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

static rn_status plan_for(recalibrator *r, int size)
{
    rn_status st = RN_OK;
    const rn_plan_options options = {.batch = size, .batch_statistics = true};

    if (r->run != NULL && r->size == size)
        return RN_OK;
    drop_plan(r);
    r->size = size;
    RN_TRY(rn_plan_create(&r->plan, r->model->graph, r->engine, &options));
    RN_TRY(rn_run_create(&r->run, r->plan));
    RN_TRY(rn_run_load(r->run, r->weights));
    clear_statistics(r->run);
out:
    return st;
}

static void count_batch(rn_recalibration *out, int size)
{
    out->smallest = out->batches == 0 || size < out->smallest ? size : out->smallest;
    out->largest = size > out->largest ? size : out->largest;
    out->images += (uint64_t)size;
    out->batches++;
}

static rn_status run_batch(recalibrator *r, int wanted)
{
    rn_status st = RN_OK;
    int size;

    if (r->options->stop != NULL && *r->options->stop)
        return rn_error(RN_EINTERRUPTED, "recalibration interrupted after %llu of %llu images",
                        (unsigned long long)r->out->images, (unsigned long long)r->images);
    RN_TRY(fill_inputs(r, wanted, &size));
    if (size == 0)
        return RN_OK;
    RN_TRY(plan_for(r, size));
    memcpy(rn_run_input(r->run), r->inputs, (size_t)size * r->volume * sizeof *r->inputs);
    RN_TRY(rn_run_forward(r->run));
    RN_TRY(take_statistics(r));
    count_batch(r->out, size);
out:
    return st;
}

// The first batches have one image more where sizes differ.
static rn_status run_batches(recalibrator *r)
{
    rn_status st = RN_OK;
    const uint64_t larger = r->images % r->batches;

    for (uint64_t i = 0; i < r->batches; i++)
        RN_TRY(run_batch(r, (int)(r->images / r->batches + (i < larger))));
    if (r->out->images == 0)
        st = rn_error(RN_EFORMAT, "none of the %zu pictures of %s can be read", r->samples->count,
                      r->samples->name);
out:
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
    RN_TRY(run_batches(&r));
    RN_TRY(check_finite(&r));
    for (int i = 0; i < out->layers; i++)
        replace_statistics(&r, i);
    rn_checkpoint_forget_ranges(model); // they were of the old ones
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
