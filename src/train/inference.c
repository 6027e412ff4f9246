#include "train/inference.h"

#include "base/memory.h"
#include "train/tta.h"

#include <math.h>
#include <string.h>

struct rn_inference {
    rn_engine *engine;
    rn_plan *plan;
    rn_run *run;
    int batch, classes;
    size_t image_floats;
    float *mean; // logits over the views, [batch][classes]
};

rn_status rn_inference_create(rn_inference **out, const rn_graph *graph, const rn_range *ranges,
                              const char *engine, int batch)
{
    return rn_inference_create_showing(out, graph, ranges, engine, batch, 0);
}

rn_status rn_inference_create_showing(rn_inference **out, const rn_graph *graph,
                                      const rn_range *ranges, const char *engine, int batch,
                                      int output)
{
    rn_status st = RN_OK;
    rn_inference *inference = NULL;
    const rn_model_options *model = rn_graph_options(graph);

    *out = NULL;
    RN_TRY(RN_NEW(&inference, 1));
    inference->batch = batch;
    inference->classes = model->classes;
    inference->image_floats =
        (size_t)model->channels * (size_t)model->height * (size_t)model->width;
    RN_TRY(rn_engine_create(&inference->engine, engine));
    RN_TRY(rn_plan_create(&inference->plan, graph, inference->engine,
                          &(rn_plan_options){.batch = batch, .ranges = ranges, .output = output}));
    // The plan has checked the batch.
    RN_TRY(RN_NEW(&inference->mean, (size_t)batch * (size_t)inference->classes));
    RN_TRY(rn_run_create(&inference->run, inference->plan));
    *out = inference;
    inference = NULL; // now the caller's
out:
    rn_inference_free(inference);
    return st;
}

void rn_inference_free(rn_inference *inference)
{
    if (inference == NULL)
        return;
    rn_run_free(inference->run);
    rn_plan_free(inference->plan);
    rn_engine_free(inference->engine);
    rn_free(inference->mean);
    rn_free(inference);
}

rn_status rn_inference_load(rn_inference *inference, const rn_weights *weights)
{
    return rn_run_load(inference->run, weights);
}

size_t rn_inference_memory(const rn_inference *inference)
{
    if (inference == NULL)
        return 0;
    rn_plan_memory use = rn_plan_memory_use(inference->plan);
    return use.arena + use.parameters;
}

int rn_inference_batch(const rn_inference *inference)
{
    return inference->batch;
}

float *rn_inference_slot(rn_inference *inference, int slot)
{
    return rn_run_input(inference->run) + (size_t)slot * inference->image_floats;
}

rn_status rn_inference_run(rn_inference *inference, const float **logits)
{
    *logits = rn_run_logits(inference->run);
    return rn_run_forward(inference->run);
}

rn_status rn_inference_run_to_output(rn_inference *inference)
{
    return rn_run_to_output(inference->run);
}

rn_status rn_inference_output(const rn_inference *inference, float *dst)
{
    return rn_run_output(inference->run, dst);
}

static int largest(const float *logits, int classes)
{
    int best = 0;

    for (int k = 1; k < classes; k++)
        if (logits[k] > logits[best])
            best = k;
    return best;
}

// log(sum(exp(x))), shifted by the maximum so that nothing overflows.
double rn_log_sum_exp(const float *logits, int classes)
{
    double max = (double)logits[largest(logits, classes)], sum = 0;

    for (int k = 0; k < classes; k++)
        sum += exp((double)logits[k] - max);
    return max + log(sum);
}

void rn_softmax(float *probabilities, const float *logits, int classes)
{
    double normaliser = rn_log_sum_exp(logits, classes);

    for (int k = 0; k < classes; k++)
        probabilities[k] = (float)exp((double)logits[k] - normaliser);
}

// How many classes score higher than the label; a NaN anywhere in the row makes the label last.
static int rank_of_label(const float *logits, int classes, int label)
{
    int higher = 0;

    for (int k = 0; k < classes; k++) {
        if (isnan(logits[k]))
            return classes;
        // Equal logits: the lower index goes first, as in argmax.
        higher += logits[k] > logits[label] || (logits[k] == logits[label] && k < label);
    }
    return higher;
}

void rn_evaluation_count(rn_evaluation *out, const float *scores, int label)
{
    const int classes = out->classes, rank = rank_of_label(scores, classes, label);

    out->count++;
    out->wrong += rank >= 1;
    out->wrong_top5 += rank >= 5;
    if (out->confusion != NULL)
        out->confusion[(size_t)label * (size_t)classes + (size_t)largest(scores, classes)]++;
}

static void count_row(rn_evaluation *out, const float *logits, int32_t given, const int32_t *map)
{
    const int label = map != NULL ? map[given] : given;

    rn_evaluation_count(out, logits, label);
    out->loss += rn_log_sum_exp(logits, out->classes) - (double)logits[label];
}

static void fill_batch(rn_inference *inference, const rn_inference_set *set, const rn_view *view,
                       size_t first, int count)
{
    size_t bytes = inference->image_floats; // one byte a value

#pragma omp parallel for schedule(static)
    for (int i = 0; i < count; i++)
        rn_preprocess_view(set->preprocess, rn_inference_slot(inference, i),
                           set->samples->images + (first + (size_t)i) * bytes, view);
}

// Weighted mean of the logits of images first .. first + count - 1 over the views.
static rn_status run_views(rn_inference *inference, const rn_inference_set *set, size_t first,
                           int count)
{
    rn_status st = RN_OK;
    size_t values = (size_t)count * (size_t)inference->classes;
    const rn_tta_view *view;
    const float *logits;

    memset(inference->mean, 0, values * sizeof *inference->mean);
    for (int v = 0; (view = rn_tta_view_at(set->tta, v)) != NULL; v++) {
        fill_batch(inference, set, &view->view, first, count);
        RN_TRY(rn_inference_run(inference, &logits));
        for (size_t i = 0; i < values; i++)
            inference->mean[i] += view->weight * logits[i];
    }
out:
    return st;
}

rn_status rn_inference_evaluate(rn_inference *inference, rn_evaluation *out,
                                const rn_inference_set *set)
{
    rn_status st = RN_OK;
    const rn_samples *samples = set->samples;
    size_t batch = (size_t)inference->batch, classes = (size_t)inference->classes;
    double start = rn_clock();

    out->classes = inference->classes;
    for (size_t first = 0; first < samples->count; first += batch) {
        size_t left = samples->count - first;
        int count = left < batch ? (int)left : inference->batch;
        if (set->stop != NULL && *set->stop)
            return rn_error(RN_EINTERRUPTED, "evaluation interrupted after %zu images", first);
        RN_TRY(run_views(inference, set, first, count));
        for (size_t i = 0; i < (size_t)count; i++) { // the rest of a short batch is not counted
            const float *logits = inference->mean + i * classes;
            count_row(out, logits, samples->labels[first + i], set->map);
            if (set->watch != NULL)
                rn_watch_logits(set->watch, first + i, samples->labels[first + i], logits);
        }
    }
    if (out->count > 0)
        out->loss /= (double)out->count;
    out->seconds = rn_clock() - start;
out:
    return st;
}
