#include "train/evaluate_views.h"

#include "base/memory.h"
#include "train/class_map.h"
#include "train/inference.h"
#include "train/view_feed.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_MODELS = 32,
    USUAL_BATCH = 32,
    USUAL_PIXELS = 224 * 224, // of a view; larger ones come in smaller batches
    LARGEST_BATCH = 4096
};
#define USUAL_PLAN_MEMORY ((size_t)2 << 30)

// One view of one picture of the window.
typedef struct view_job {
    const rn_view_picture *picture;
    int slot; // of the picture in the window
    int view;
} view_job;

typedef struct views_evaluation {
    const rn_member *members;
    int member_count, classes;
    const rn_samples *samples;
    rn_evaluate_views_options options;
    rn_view_plans *plans[MOST_MODELS];
    bool borrowed; // the plans
    rn_view_feed *feed;
    int32_t *map;     // class of the set -> class of the models
    view_job *jobs;   // [batch * RN_MAX_CUTS]
    double *sums;     // [batch][classes]: over views and models
    float *row;       // [classes]
    float *softmaxed; // the same
    rn_evaluation *out;
} views_evaluation;

static rn_status check_options(rn_evaluate_views_options *options)
{
    options->batch = options->batch == 0 ? USUAL_BATCH : options->batch;
    options->workers = options->workers == 0 ? 1 : options->workers;
    options->plan_memory = options->plan_memory == 0 ? USUAL_PLAN_MEMORY : options->plan_memory;
    if (options->batch < 1 || options->batch > LARGEST_BATCH)
        return rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", options->batch, LARGEST_BATCH);
    if (options->average != RN_AVERAGE_SOFTMAX && options->average != RN_AVERAGE_LOGITS)
        return rn_error(RN_EINVAL, "average %d, expected 0 or 1", (int)options->average);
    return rn_views_check(&options->views);
}

static rn_status check_members(const rn_member *members, int count)
{
    const rn_model_options *first;

    if (count < 1 || count > MOST_MODELS)
        return rn_error(RN_EINVAL, "%d models, expected 1 to %d", count, MOST_MODELS);
    first = &members[0].model->options;
    if (first->channels != 1 && first->channels != 3)
        return rn_error(RN_EINVAL, "model takes %d channels, expected 1 or 3 for a picture",
                        first->channels);
    for (int i = 0; i < count; i++) {
        const rn_model_options *options = &members[i].model->options;
        if (members[i].ema && members[i].model->ema == NULL)
            return rn_error(RN_EINVAL, "model %d has no averaged (EMA) weights", i + 1);
        if (options->classes != first->classes || options->channels != first->channels)
            return rn_error(
                RN_EINVAL, "model %d has %d classes and %d channels, the first has %d and %d",
                i + 1, options->classes, options->channels, first->classes, first->channels);
    }
    return RN_OK;
}

// An ensemble must mean the same by class k.
static rn_status check_labels(const rn_member *members, int count)
{
    for (int i = 1; i < count; i++)
        for (int k = 0; k < members[0].model->options.classes; k++) {
            const char *a = members[0].model->label_names[k], *b = members[i].model->label_names[k];
            if (strcmp(a, b) != 0)
                return rn_error(RN_EINVAL, "class %d is '%s' in model %d and '%s' in the first", k,
                                b, i + 1, a);
        }
    return RN_OK;
}

static rn_status prepare(views_evaluation *e)
{
    rn_status st = RN_OK;
    const size_t batch = (size_t)e->options.batch, classes = (size_t)e->classes;
    const rn_view_feed_options feed = {
        .views = &e->options.views,
        .channels = e->members[0].model->options.channels,
        .workers = e->options.workers,
        .ahead = rn_views_held(&e->options),
    };

    for (int i = 0; i < e->member_count && !e->borrowed; i++) {
        const rn_checkpoint *model = e->members[i].model;
        RN_TRY(rn_view_plans_create(
            &e->plans[i], model, e->members[i].ema ? model->ema : model->weights, e->options.engine,
            e->options.plan_memory / (size_t)e->member_count));
    }
    RN_TRY(RN_NEW(&e->jobs, batch * RN_MAX_CUTS));
    RN_TRY(RN_NEW(&e->sums, batch * classes));
    RN_TRY(RN_NEW(&e->row, classes));
    RN_TRY(RN_NEW(&e->softmaxed, classes));
    if (e->options.confusion)
        RN_TRY(RN_NEW(&e->out->confusion, classes * classes));
    RN_TRY(rn_view_feed_create(&e->feed, e->samples, &feed));
out:
    return st;
}

static void release(views_evaluation *e)
{
    rn_view_feed_free(e->feed);
    for (int i = 0; i < MOST_MODELS && !e->borrowed; i++) // however many were asked for
        rn_view_plans_free(e->plans[i]);
    rn_free(e->map);
    rn_free(e->jobs);
    rn_free(e->sums);
    rn_free(e->row);
    rn_free(e->softmaxed);
}

static const rn_cut *cut_of(const view_job *job)
{
    return &job->picture->cuts[job->view];
}

// By size, then in the order of the pictures, so that sums are the same whatever the threads did.
static int compare_jobs(const void *left, const void *right)
{
    const view_job *a = left, *b = right;
    const rn_cut *cut_a = cut_of(a), *cut_b = cut_of(b);

    if (cut_a->height != cut_b->height)
        return cut_a->height < cut_b->height ? -1 : 1;
    if (cut_a->width != cut_b->width)
        return cut_a->width < cut_b->width ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return a->view - b->view;
}

static int count_same_size(const view_job *jobs, int count)
{
    int same = 1;

    while (same < count && cut_of(&jobs[same])->height == cut_of(jobs)->height &&
           cut_of(&jobs[same])->width == cut_of(jobs)->width)
        same++;
    return same;
}

int rn_views_held(const rn_evaluate_views_options *options)
{
    return 2 * (options->batch == 0 ? USUAL_BATCH : options->batch);
}

// Powers of two, so that few shapes are planned and no place of a batch stays empty.
static int batch_of(int batch, int64_t pixels, int left)
{
    int64_t most = batch * (int64_t)USUAL_PIXELS / pixels;
    int power = 1;

    most = most > batch ? batch : most;
    most = most > left ? left : most;
    while (2 * power <= most)
        power *= 2;
    return power;
}

rn_view_shape rn_views_shape(const rn_evaluate_views_options *options, int height, int width)
{
    const int batch = options->batch == 0 ? USUAL_BATCH : options->batch;

    return (rn_view_shape){batch_of(batch, (int64_t)height * width, batch), height, width};
}

static rn_status fill(rn_inference *inference, const rn_preprocess *preprocess,
                      const view_job *jobs, int count)
{
    rn_status st = RN_OK;
    int failed = -1;

#pragma omp parallel for schedule(static)
    for (int i = 0; i < count; i++) {
        rn_status one = rn_preprocess_cut(preprocess, rn_inference_slot(inference, i),
                                          jobs[i].picture->resized[jobs[i].view], cut_of(&jobs[i]));
        if (one != RN_OK) {
#pragma omp atomic write
            failed = i;
        }
    }
    if (failed >= 0) // once more, for the message on this thread
        st = rn_preprocess_cut(preprocess, rn_inference_slot(inference, failed),
                               jobs[failed].picture->resized[jobs[failed].view],
                               cut_of(&jobs[failed]));
    return st;
}

static void add_row(views_evaluation *e, const view_job *job, const float *logits)
{
    double *sum = e->sums + (size_t)job->slot * (size_t)e->classes;
    const float *row = logits;

    if (e->options.average == RN_AVERAGE_SOFTMAX) {
        rn_softmax(e->softmaxed, logits, e->classes);
        row = e->softmaxed;
    }
    for (int k = 0; k < e->classes; k++)
        sum[k] += (double)row[k];
}

// `count` views in a batch of the shape, whose other places are not looked at.
static rn_status run_batch(views_evaluation *e, const view_job *jobs, int count,
                           rn_view_shape shape)
{
    rn_status st = RN_OK;
    rn_inference *inference;
    const float *logits;

    if (e->options.stop != NULL && *e->options.stop)
        return rn_error(RN_EINTERRUPTED, "evaluation interrupted after %lld pictures",
                        (long long)e->out->count);
    for (int m = 0; m < e->member_count; m++) {
        RN_TRY(rn_view_plans_get(e->plans[m], &inference, shape));
        RN_TRY(fill(inference, e->members[m].model->preprocess, jobs, count));
        RN_TRY(rn_inference_run(inference, &logits));
        for (int i = 0; i < count; i++)
            add_row(e, &jobs[i], logits + (size_t)i * (size_t)e->classes);
    }
    e->out->views += count;
out:
    return st;
}

static rn_status run_same_size(views_evaluation *e, const view_job *jobs, int count)
{
    rn_status st = RN_OK;
    rn_view_shape shape = rn_views_shape(&e->options, cut_of(jobs)->height, cut_of(jobs)->width);

    for (int done = 0, now; done < count; done += now) {
        const int left = count - done;
        if (!e->borrowed)
            shape.batch = batch_of(e->options.batch, (int64_t)shape.height * shape.width, left);
        now = left < shape.batch ? left : shape.batch;
        RN_TRY(run_batch(e, jobs + done, now, shape));
    }
out:
    return st;
}

static rn_status run_jobs(views_evaluation *e, int count)
{
    rn_status st = RN_OK;

    qsort(e->jobs, (size_t)count, sizeof *e->jobs, compare_jobs);
    for (int first = 0, same; first < count; first += same) {
        same = count_same_size(e->jobs + first, count - first);
        RN_TRY(run_same_size(e, e->jobs + first, same));
    }
out:
    return st;
}

static rn_status tell(const views_evaluation *e, const rn_picture_scores *scores)
{
    return e->options.on_picture == NULL ? RN_OK
                                         : e->options.on_picture(scores, e->options.context);
}

// Of the row in e->row: -log of the label's share.
static double loss_of(const views_evaluation *e, int label)
{
    float share;

    if (e->options.average == RN_AVERAGE_LOGITS)
        return rn_log_sum_exp(e->row, e->classes) - (double)e->row[label];
    share = e->row[label];
    return isnan(share) ? NAN : -log(share > FLT_MIN ? (double)share : (double)FLT_MIN);
}

static rn_status finish_picture(views_evaluation *e, const rn_view_picture *picture, size_t index,
                                int slot)
{
    const double *sum = e->sums + (size_t)slot * (size_t)e->classes;
    const double parts = (double)picture->count * e->member_count;
    rn_picture_scores scores = {.index = index, .label = e->map[e->samples->labels[index]]};

    if (picture->status != RN_OK) {
        e->out->skipped++;
        scores.error = picture->message;
        return tell(e, &scores);
    }
    for (int k = 0; k < e->classes; k++)
        e->row[k] = (float)(sum[k] / parts);
    rn_evaluation_count(e->out, e->row, scores.label);
    e->out->loss += loss_of(e, scores.label);
    scores.scores = e->row;
    return tell(e, &scores);
}

// A picture that is bad, rather than the machine out of memory.
static rn_status check_picture(const views_evaluation *e, const rn_view_picture *picture)
{
    if (picture->status == RN_OK || (e->options.skip_bad && picture->status != RN_ENOMEM))
        return RN_OK;
    return rn_error(picture->status, "%s", picture->message);
}

static rn_status run_window(views_evaluation *e, size_t first, int count)
{
    rn_status st = RN_OK;
    int jobs = 0;

    memset(e->sums, 0, (size_t)count * (size_t)e->classes * sizeof *e->sums);
    for (int i = 0; i < count; i++) {
        const rn_view_picture *picture = rn_view_feed_wait(e->feed, first + (size_t)i);
        RN_TRY(check_picture(e, picture));
        for (int v = 0; v < picture->count; v++)
            e->jobs[jobs++] = (view_job){picture, i, v};
    }
    RN_TRY(run_jobs(e, jobs));
    for (int i = 0; i < count; i++)
        RN_TRY(
            finish_picture(e, rn_view_feed_wait(e->feed, first + (size_t)i), first + (size_t)i, i));
    rn_view_feed_release(e->feed, first + (size_t)count);
out:
    return st;
}

static rn_status run_all(views_evaluation *e)
{
    rn_status st = RN_OK;
    const size_t window = (size_t)e->options.batch;
    double start = rn_clock();

    for (size_t first = 0; first < e->samples->count; first += window) {
        size_t left = e->samples->count - first;
        RN_TRY(run_window(e, first, (int)(left < window ? left : window)));
    }
    if (e->out->count == 0)
        return rn_error(RN_EFORMAT, "%s: none of %zu pictures could be read", e->samples->name,
                        e->samples->count);
    e->out->loss /= (double)e->out->count;
    e->out->seconds = rn_clock() - start;
out:
    return st;
}

static rn_status evaluate(views_evaluation *e, const rn_evaluate_views_options *options)
{
    rn_status st = RN_OK;

    *e->out = (rn_evaluation){0};
    if (options != NULL)
        e->options = *options;
    RN_TRY(check_options(&e->options));
    RN_TRY(check_members(e->members, e->member_count));
    RN_TRY(check_labels(e->members, e->member_count));
    e->classes = e->out->classes = e->members[0].model->options.classes;
    RN_TRY(rn_check_labelled(e->samples));
    RN_TRY(rn_class_map(&e->map, e->members[0].model, e->samples));
    RN_TRY(prepare(e));
    RN_TRY(run_all(e));
out:
    release(e);
    if (st != RN_OK)
        rn_evaluation_release(e->out);
    return st;
}

rn_status rn_evaluate_views(rn_evaluation *out, const rn_member *members, int count,
                            const rn_samples *samples, const rn_evaluate_views_options *options)
{
    views_evaluation e = {
        .members = members, .member_count = count, .samples = samples, .out = out};

    return evaluate(&e, options);
}

rn_status rn_evaluate_planned(rn_evaluation *out, const rn_member *member,
                              const rn_samples *samples, const rn_evaluate_views_options *options,
                              rn_view_plans *plans)
{
    views_evaluation e = {.members = member,
                          .member_count = 1,
                          .samples = samples,
                          .plans = {plans},
                          .borrowed = true,
                          .out = out};
    rn_status st = rn_view_plans_load(plans);

    return st == RN_OK ? evaluate(&e, options) : st;
}
