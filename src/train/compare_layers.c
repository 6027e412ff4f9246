// Two networks on the same pictures: the first one's outputs are kept, the second one's are
// compared with them as they come.
#include "train/compare.h"

#include "base/memory.h"
#include "base/random.h"

#include <string.h>

/** One output of the first network. */
typedef struct kept {
    const rn_node *node;
    size_t count;
    float *values;
    bool met; // the second network has it too
} kept;

typedef struct tracer {
    rn_comparison *out;
    const rn_compare_options *options;
    const rn_checkpoint *model; // that is running
    const rn_weights *weights;  // of it
    uint8_t *noise;             // images of noise, or NULL
    kept *first;
    int count, next; // where the search for the next output begins: both have one order
} tracer;

static size_t image_bytes(const rn_checkpoint *model)
{
    return (size_t)model->options.channels * (size_t)model->options.height *
           (size_t)model->options.width;
}

// The same bytes for both networks: their sizes are equal.
static rn_status make_noise(tracer *t)
{
    rn_status st = RN_OK;
    size_t bytes = image_bytes(t->model);

    RN_TRY(RN_NEW(&t->noise, bytes * (size_t)t->out->images));
    for (int i = 0; i < t->out->images; i++) {
        rn_stream stream;
        rn_stream_init(&stream, t->options->seed, RN_PURPOSE_TEST, 0, (uint32_t)i);
        for (size_t k = 0; k < bytes; k++)
            t->noise[(size_t)i * bytes + k] = (uint8_t)(rn_stream_bits(&stream) >> 24);
    }
out:
    return st;
}

static rn_status fill_input(const tracer *t, float *input)
{
    size_t bytes = image_bytes(t->model);

    if (t->options->image != NULL)
        return rn_preprocess_image(t->model->preprocess, input, t->options->image);
    for (int i = 0; i < t->out->images; i++)
        rn_preprocess_apply(t->model->preprocess, input + (size_t)i * bytes,
                            t->noise + (size_t)i * bytes, NULL, 0, 0, 0);
    return RN_OK;
}

static size_t elements(const int shape[4])
{
    return (size_t)shape[0] * (size_t)shape[1] * (size_t)shape[2] * (size_t)shape[3];
}

static rn_status keep(const rn_node *node, const int shape[4], const float *values, void *context)
{
    rn_status st = RN_OK;
    tracer *t = context;
    kept *output = &t->first[t->count];

    output->node = node;
    output->count = elements(shape);
    RN_TRY(RN_NEW(&output->values, output->count));
    memcpy(output->values, values, output->count * sizeof *values);
    t->count++;
out:
    return st;
}

static kept *find(tracer *t, const char *name)
{
    for (int i = 0; i < t->count; i++) {
        kept *output = &t->first[(t->next + i) % t->count];
        if (strcmp(output->node->name, name) != 0)
            continue;
        t->next += i + 1;
        return output;
    }
    return NULL;
}

static rn_status compare(const rn_node *node, const int shape[4], const float *values,
                         void *context)
{
    tracer *t = context;
    rn_comparison *out = t->out;
    kept *output = find(t, node->name);

    if (output == NULL || output->count != elements(shape)) {
        out->unmatched++;
        return RN_OK;
    }
    output->met = true;
    rn_layer_difference layer = {
        .node = output->node,
        .difference =
            rn_difference_measure(output->values, values, output->count, t->options->tolerance),
    };
    if (layer.difference.beyond && out->first_beyond < 0)
        out->first_beyond = out->layer_count;
    out->layers[out->layer_count++] = layer;
    return RN_OK;
}

static rn_status copy_logits(float **copy, const rn_run *run, const rn_comparison *out)
{
    size_t count = (size_t)out->images * (size_t)out->classes;
    rn_status st = RN_NEW(copy, count);

    if (st == RN_OK)
        memcpy(*copy, rn_run_logits(run), count * sizeof **copy);
    return st;
}

static rn_status run_network(tracer *t, const char *engine_name, rn_trace_visit visit,
                             float **logits)
{
    rn_status st = RN_OK;
    rn_engine *engine = NULL;
    rn_plan *plan = NULL;
    rn_run *run = NULL;
    const rn_checkpoint *model = t->model;
    const rn_node *input = rn_graph_node(model->graph, 0);
    const int shape[4] = {t->out->images, input->channels, input->height, input->width};
    rn_plan_options options = {.batch = t->out->images, .separate = true};

    RN_TRY(rn_engine_create(&engine, engine_name));
    RN_TRY(rn_plan_create(&plan, model->graph, engine, &options));
    RN_TRY(rn_run_create(&run, plan));
    RN_TRY(rn_run_load(run, t->weights));
    RN_TRY(fill_input(t, rn_run_input(run)));
    RN_TRY(visit(input, shape, rn_run_input(run), t));
    RN_TRY(rn_run_trace(run, visit, t));
    RN_TRY(copy_logits(logits, run, t->out));
out:
    rn_run_free(run);
    rn_plan_free(plan);
    rn_engine_free(engine);
    return st;
}

static void release(tracer *t, int capacity)
{
    for (int i = 0; t->first != NULL && i < capacity; i++)
        rn_free(t->first[i].values);
    rn_free(t->first);
    rn_free(t->noise);
}

rn_status rn_compare_layers(rn_comparison *out, const rn_checkpoint *const models[2],
                            const rn_weights *const weights[2], const rn_compare_options *options)
{
    rn_status st = RN_OK;
    tracer t = {.out = out, .options = options, .model = models[0], .weights = weights[0]};
    int nodes = rn_graph_nodes(models[0]->graph); // no network shows more outputs

    out->classes = models[0]->options.classes;
    out->images = options->image != NULL || options->random == 0 ? 1 : options->random;
    RN_TRY(RN_NEW(&t.first, (size_t)nodes));
    RN_TRY(RN_NEW(&out->layers, (size_t)nodes));
    if (options->image == NULL)
        RN_TRY(make_noise(&t));
    RN_TRY(run_network(&t, options->engine[0], keep, &out->logits[0]));
    t.model = models[1];
    t.weights = weights[1];
    RN_TRY(run_network(&t, options->engine[1], compare, &out->logits[1]));
    for (int i = 0; i < t.count; i++)
        out->unmatched += !t.first[i].met;
out:
    release(&t, nodes);
    return st;
}
