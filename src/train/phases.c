#include "train/phases.h"

#include "train/progressive.h"

#include <math.h>
#include <stdio.h>

static bool is_last(const rn_trainer *trainer, int phase)
{
    return phase == trainer->phase_count - 1;
}

// The first iteration behind a phase.
static uint64_t end_of(const rn_trainer *trainer, int phase)
{
    return is_last(trainer, phase) ? UINT64_MAX : trainer->phases[phase + 1].first;
}

static int phase_at(const rn_trainer *trainer, uint64_t iteration)
{
    int phase = 0;

    while (end_of(trainer, phase) <= iteration)
        phase++;
    return phase;
}

bool rn_phases_end_here(const rn_trainer *trainer)
{
    return trainer->progress.iteration == end_of(trainer, trainer->phase);
}

static rn_status describe_small(rn_trainer *trainer, rn_phase *phase, int size)
{
    rn_status st = RN_OK;
    const rn_checkpoint *checkpoint = trainer->checkpoint;
    const rn_model_options *full = &checkpoint->options;
    int shorter = full->height < full->width ? full->height : full->width;

    RN_TRY(rn_progressive_graph(&phase->own_graph, checkpoint->graph, size));
    RN_TRY(rn_progressive_preprocess(&phase->own_preprocess, checkpoint->preprocess,
                                     phase->own_graph));
    phase->graph = phase->own_graph;
    phase->preprocess = phase->own_preprocess;
    phase->augment =
        rn_progressive_augment(&trainer->recipe.augment, (double)size / (double)shorter);
out:
    return st;
}

// A share of the iterations, rounded down so that the last phase has one at least.
static rn_status describe(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_progressive *progressive = &trainer->recipe.progressive;
    rn_phase *phase = trainer->phases;

    trainer->phase_count = progressive->count + 1;
    for (int i = 0; i < progressive->count; i++, phase++) {
        phase[1].first = (uint64_t)floor(progressive->until[i] * (double)trainer->iterations);
        RN_TRY(describe_small(trainer, phase, progressive->size[i]));
    }
    phase->graph = trainer->checkpoint->graph;
    phase->preprocess = trainer->checkpoint->preprocess;
    phase->augment = trainer->recipe.augment;
out:
    return st;
}

static rn_status plan(rn_trainer *trainer, rn_phase *phase)
{
    rn_status st = rn_trainer_plan(trainer, &phase->plan, phase->graph);

    for (int i = 0; st == RN_OK && i < rn_plan_ops(phase->plan); i++)
        phase->flops += rn_plan_op_at(phase->plan, i).flops;
    return st;
}

// Memory for the phase, with the weights as they are in the checkpoint.
static rn_status enter(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_checkpoint *checkpoint = trainer->checkpoint;
    uint64_t iteration = trainer->progress.iteration;

    RN_TRY(rn_run_create(&trainer->run, trainer->phases[trainer->phase].plan));
    RN_TRY(rn_run_load(trainer->run, checkpoint->weights));
    RN_TRY(rn_sgd_create(&trainer->sgd, trainer->run, trainer->engine, &trainer->recipe.sgd));
    if (trainer->options->log_gradients > 0)
        RN_TRY(rn_gradient_norms_create(&trainer->norms, trainer->run));
    if (iteration > 0) {
        RN_TRY(rn_sgd_load_momentum(trainer->sgd, checkpoint->momentum));
        if (checkpoint->ema != NULL)
            RN_TRY(rn_sgd_load_ema(trainer->sgd, checkpoint->ema, iteration));
    }
out:
    return st;
}

// The largest first: where memory is short, its message counts.
rn_status rn_phases_create(rn_trainer *trainer)
{
    rn_status st = RN_OK;

    RN_TRY(describe(trainer));
    trainer->phase = phase_at(trainer, trainer->progress.iteration);
    for (int i = trainer->phase_count - 1; i >= trainer->phase; i--)
        if (trainer->phases[i].first < end_of(trainer, i))
            RN_TRY(plan(trainer, &trainer->phases[i]));
    RN_TRY(enter(trainer));
out:
    return st;
}

static void leave(rn_trainer *trainer)
{
    rn_gradient_norms_free(trainer->norms);
    rn_sgd_free(trainer->sgd);
    rn_run_free(trainer->run);
    trainer->norms = NULL;
    trainer->sgd = NULL;
    trainer->run = NULL;
}

void rn_phases_release(rn_trainer *trainer)
{
    leave(trainer);
    for (int i = 0; i < trainer->phase_count; i++) {
        rn_phase *phase = &trainer->phases[i];
        rn_plan_free(phase->plan);
        rn_graph_free(phase->own_graph);
        rn_preprocess_free(phase->own_preprocess);
    }
}

static void note(const rn_trainer *trainer, const char *text)
{
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
}

void rn_phases_tell(const rn_trainer *trainer)
{
    char text[RN_MAX_SIZES * 64];
    size_t length = 0;

    for (int i = trainer->phase; i < trainer->phase_count; i++) {
        const rn_phase *phase = &trainer->phases[i];
        if (phase->plan == NULL) // too short for one step
            continue;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%d x %d",
                                   length == 0 ? "images of " : ", then ",
                                   phase->preprocess->height, phase->preprocess->width);
        if (!is_last(trainer, i))
            length += (size_t)snprintf(text + length, sizeof text - length, " until step %llu",
                                       (unsigned long long)end_of(trainer, i));
    }
    if (trainer->phase_count > 1)
        note(trainer, text);
    rn_trainer_tell_plan(trainer, trainer->phases[trainer->phase].plan);
}

static void tell_change(const rn_trainer *trainer, const rn_phase *from, const rn_phase *to)
{
    char text[160];

    snprintf(text, sizeof text, "image size %d x %d -> %d x %d", from->preprocess->height,
             from->preprocess->width, to->preprocess->height, to->preprocess->width);
    note(trainer, text);
    rn_trainer_tell_plan(trainer, to->plan);
}

// By way of the canonical layout, as a resumed run's weights come. The old memory goes before the
// new is asked for.
rn_status rn_phases_continue(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    int phase = phase_at(trainer, trainer->progress.iteration);
    const rn_phase *from = &trainer->phases[trainer->phase], *to = &trainer->phases[phase];

    if (phase == trainer->phase)
        return RN_OK;
    RN_TRY(rn_trainer_collect(trainer));
    leave(trainer);
    trainer->phase = phase;
    RN_TRY(enter(trainer));
    tell_change(trainer, from, to);
out:
    return st;
}

int rn_phases_changes(const rn_trainer *trainer, rn_input_change changes[RN_MAX_SIZES + 1])
{
    int count = 0;

    for (const rn_phase *phase = trainer->phases;
         trainer->phase_count > 1 && count < trainer->phase_count; phase++)
        changes[count++] = (rn_input_change){phase->first, phase->preprocess, phase->augment};
    return count;
}

double rn_phases_work(const rn_trainer *trainer, uint64_t from, uint64_t to)
{
    double work = 0;

    for (int i = 0; i < trainer->phase_count; i++) {
        uint64_t first = trainer->phases[i].first, end = end_of(trainer, i);
        first = first > from ? first : from;
        end = end < to ? end : to;
        if (first < end)
            work += (double)(end - first) * trainer->phases[i].flops;
    }
    return work;
}
