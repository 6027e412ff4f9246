#include "train/traced.h"

#include "train/inference.h"

enum { DEFAULT_BATCH = 128, MAX_BATCH = 65536 };

static rn_status check(const rn_checkpoint *model, const rn_samples *samples,
                       const rn_traced_options *options)
{
    if (options->batch < 0 || options->batch > MAX_BATCH)
        return rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", options->batch, MAX_BATCH);
    if (options->ema && model->ema == NULL)
        return rn_error(RN_EINVAL, "the model file has no averaged (EMA) weights");
    if (samples->count == 0)
        return rn_error(RN_EINVAL, "%s has no images", samples->name);
    if (options->images > samples->count)
        return rn_error(RN_EINVAL, "%llu images are wanted, %s has %zu",
                        (unsigned long long)options->images, samples->name, samples->count);
    return rn_check_size(model, samples);
}

rn_status rn_traced_open(rn_traced *traced, const rn_checkpoint *model, const rn_samples *samples,
                         const rn_traced_options *options)
{
    rn_status st = RN_OK;
    uint64_t batch = options->batch == 0 ? DEFAULT_BATCH : (uint64_t)options->batch;

    *traced = (rn_traced){.model = model, .samples = samples, .stop = options->stop};
    RN_TRY(check(model, samples, options));
    traced->weights = options->ema ? model->ema : model->weights;
    traced->images = options->images == 0 ? samples->count : options->images;
    traced->batch = (int)(batch < traced->images ? batch : traced->images);
    RN_TRY(rn_engine_create(&traced->engine, options->engine));
    RN_TRY(
        rn_plan_create(&traced->plan, model->graph, traced->engine,
                       &(rn_plan_options){.batch = traced->batch, .separate = options->separate}));
    RN_TRY(rn_run_create(&traced->run, traced->plan));
    RN_TRY(rn_run_load(traced->run, traced->weights));
out:
    return st;
}

void rn_traced_close(rn_traced *traced)
{
    rn_run_free(traced->run);
    rn_plan_free(traced->plan);
    rn_engine_free(traced->engine);
}

static rn_status fill_slot(const rn_traced *t, int slot, uint64_t number)
{
    rn_status st = RN_OK;
    const rn_samples *s = t->samples;
    const rn_model_options *model = &t->model->options;
    size_t values = (size_t)model->channels * (size_t)model->height * (size_t)model->width;
    size_t index = (size_t)(number * s->count / t->images); // a set has below 2^32 images
    float *input = rn_run_input(t->run) + (size_t)slot * values;
    rn_image *image = NULL;

    if (s->photos == NULL) {
        rn_preprocess_apply(t->model->preprocess, input, s->images + index * values, NULL, 0, 0, 0);
        return RN_OK;
    }
    RN_TRY(rn_photos_decode(&image, s->photos, index, NULL));
    RN_TRY(rn_preprocess_image(t->model->preprocess, input, image));
out:
    rn_image_free(image);
    return st;
}

// A failure's message belongs to the thread that had it, so the first is tried again in this one.
static rn_status fill_input(const rn_traced *t, uint64_t first)
{
    int failed = t->filled;

#pragma omp parallel for schedule(dynamic) reduction(min : failed)
    for (int i = 0; i < t->filled; i++)
        if (fill_slot(t, i, first + (uint64_t)i) != RN_OK && i < failed)
            failed = i;
    return failed < t->filled ? fill_slot(t, failed, first + (uint64_t)failed) : RN_OK;
}

rn_status rn_traced_run(rn_traced *traced, rn_trace_visit visit, void *context)
{
    rn_status st = RN_OK;

    for (uint64_t first = 0; first < traced->images; first += (uint64_t)traced->batch) {
        uint64_t left = traced->images - first;
        if (traced->stop != NULL && *traced->stop)
            return rn_error(RN_EINTERRUPTED, "interrupted after %llu images",
                            (unsigned long long)first);
        traced->filled = left < (uint64_t)traced->batch ? (int)left : traced->batch;
        RN_TRY(fill_input(traced, first));
        RN_TRY(rn_run_trace(traced->run, visit, context));
    }
out:
    return st;
}
