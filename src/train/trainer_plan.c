// The plan of a training step within what the memory limit leaves for it.
#include "train/trainer.h"

#include "base/memory.h"
#include "train/evaluate_views.h"

#include <stdio.h>

static size_t canonical_bytes(const rn_weights *weights)
{
    size_t count = 0;

    for (int i = 0; weights != NULL && i < rn_weights_count(weights); i++)
        count += rn_weights_param(weights, i)->count;
    return count * sizeof(float);
}

static size_t image_values(const rn_samples *samples)
{
    return (size_t)samples->channels * (size_t)samples->height * (size_t)samples->width;
}

static size_t input_values(const rn_checkpoint *checkpoint)
{
    const rn_model_options *model = &checkpoint->options;

    return (size_t)model->channels * (size_t)model->height * (size_t)model->width;
}

static size_t image_bytes(const rn_samples *samples)
{
    if (samples->photos != NULL) // mapped, or names; what is read of them is small
        return sizeof *samples->labels;
    return image_values(samples) + sizeof *samples->labels;
}

static size_t samples_bytes(const rn_samples *samples)
{
    return samples == NULL ? 0 : samples->count * image_bytes(samples);
}

// Of photographs being evaluated, as if they were squares.
static size_t resized_bytes(const rn_trainer *trainer)
{
    const rn_evaluate_views_options options = rn_trainer_views(trainer);
    const size_t side = (size_t)options.views.resize;
    const size_t channels = (size_t)trainer->checkpoint->options.channels;

    if (!rn_trainer_sees_photos(trainer))
        return 0;
    return (size_t)rn_views_held(&options) * channels * side * side;
}

// All that a training holds besides its plan and its optimiser.
static size_t bytes_beside(const rn_trainer *trainer)
{
    const rn_checkpoint *checkpoint = trainer->checkpoint;
    const rn_train_options *options = trainer->options;
    size_t batch = (size_t)trainer->recipe.batch * input_values(checkpoint) * sizeof(float);

    return rn_inference_memory(trainer->inference) + rn_view_plans_memory(trainer->plans) +
           resized_bytes(trainer) + canonical_bytes(checkpoint->weights) +
           canonical_bytes(checkpoint->momentum) + canonical_bytes(checkpoint->ema) +
           trainer->given * image_bytes(options->train) + samples_bytes(options->test) +
           samples_bytes(trainer->held) +
           (RN_TRAINER_READY + 1) * batch; // and one being trained on
}

rn_status rn_trainer_plan(const rn_trainer *trainer, rn_plan **out, const rn_graph *graph)
{
    const rn_plan_options plan = {
        .batch = trainer->recipe.batch,
        .dtype = trainer->recipe.dtype,
        .training = true,
        .label_smoothing = (float)trainer->recipe.label_smoothing,
        .mixed_labels = rn_mix_on(&trainer->recipe.mix),
        .bn_momentum = (float)trainer->recipe.bn_momentum,
        .freeze = trainer->recipe.freeze_until,
        .memory_limit = trainer->options->memory_limit,
        .memory_beside = bytes_beside(trainer),
        .momentum_beside = true,
        .average_beside = trainer->recipe.sgd.ema > 0,
    };

    return rn_plan_create(out, graph, trainer->engine, &plan);
}

void rn_trainer_tell_plan(const rn_trainer *trainer, const rn_plan *plan)
{
    rn_plan_memory step = rn_plan_memory_use(plan);
    double flops = -step.flops, mib = 1 << 20;
    char text[160];

    if (!step.limited)
        return; // there is room
    for (int i = 0; i < rn_plan_ops(plan); i++)
        flops += rn_plan_op_at(plan, i).flops;
    snprintf(text, sizeof text,
             "memory limit: %.0f MiB of activations instead of %.0f MiB, for %.2g %% more flops",
             (double)step.arena / mib, (double)step.kept / mib, 100 * step.flops / flops);
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
}

// The sets as rn_trainer_hold_out() will leave them, without moving anything.
static void count_sets(rn_trainer *trainer, rn_train_options *options, rn_samples sets[2])
{
    const size_t held = (size_t)trainer->recipe.hold_out;
    const size_t wanted = (size_t)trainer->recipe.train_images;

    trainer->given = options->train->count;
    sets[0] = sets[1] = *options->train;
    sets[0].count = wanted > 0 ? wanted : options->train->count - held;
    sets[1].count = held;
    options->train = &sets[0];
    trainer->held = held > 0 ? &sets[1] : NULL;
}

static rn_status describe_network(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    rn_checkpoint *checkpoint = NULL;

    RN_TRY(RN_NEW(&trainer->checkpoint, 1));
    checkpoint = trainer->checkpoint;
    RN_TRY(rn_train_graph(&checkpoint->graph, trainer->options));
    checkpoint->options = *rn_graph_options(checkpoint->graph);
    RN_TRY(rn_weights_create(&checkpoint->weights, checkpoint->graph));
    rn_weights_initialise(checkpoint->weights, trainer->recipe.seed);
    RN_TRY(rn_trainer_new_weights(trainer));
out:
    return st;
}

// Smaller images (rn_progressive) need less than those of the network's own size.
rn_status rn_train_check_memory(const rn_train_options *options)
{
    rn_status st = RN_OK;
    rn_train_options counted = *options;
    rn_samples sets[2];
    rn_trainer *trainer = NULL;
    rn_plan *plan = NULL;

    RN_TRY(rn_trainer_check_counts(options->recipe, options->train));
    RN_TRY(RN_NEW(&trainer, 1));
    trainer->options = &counted;
    trainer->recipe = *options->recipe;
    RN_TRY(describe_network(trainer)); // the input's size may be that of the data
    count_sets(trainer, &counted, sets);
    RN_TRY(rn_engine_create(&trainer->engine, options->engine));
    if (options->memory_limit > 0)
        RN_TRY(rn_trainer_plan_evaluation(trainer));
    RN_TRY(rn_trainer_plan(trainer, &plan, trainer->checkpoint->graph));
out:
    rn_plan_free(plan);
    if (trainer != NULL) {
        rn_inference_free(trainer->inference);
        rn_view_plans_free(trainer->plans);
        rn_engine_free(trainer->engine);
        rn_checkpoint_free(trainer->checkpoint);
    }
    rn_free(trainer);
    return st;
}
