// SGD with momentum, and the moving average of the weights, over a run's native-layout parameters.
#include "resnet/optim.h"

#include "base/memory.h"
#include "plan/op.h"

#include <string.h>

enum { FLOATS_PER_LINE = RN_ALIGNMENT / sizeof(float), LARGEST_FACTOR = 1000000 };

// One parameter of the run with what belongs to it here.
typedef struct slot {
    rn_param_view view;
    float *velocity; // NULL for running statistics, and where the plan freezes it
    float *average;  // NULL without EMA; of what the plan freezes the value itself
    rn_group group;
    bool decayed;
} slot;

struct rn_sgd {
    rn_run *run;
    rn_engine *engine;
    rn_sgd_options options;
    slot *slots;
    int count;
    float *block;   // velocities and averages
    uint64_t steps; // that the averages have seen
};

static bool in_unit_range(double value, bool one_allowed)
{
    return value >= 0 && (one_allowed ? value <= 1 : value < 1);
}

static rn_status check_options(const rn_sgd_options *options)
{
    if (!in_unit_range(options->momentum, false))
        return rn_error(RN_EINVAL, "momentum is %g, expected 0 to less than 1", options->momentum);
    if (!in_unit_range(options->weight_decay, true))
        return rn_error(RN_EINVAL, "weight decay is %g, expected 0 to 1", options->weight_decay);
    if (!in_unit_range(options->ema, false))
        return rn_error(RN_EINVAL, "EMA decay is %g, expected 0 to less than 1", options->ema);
    if (options->lookahead < 0 || (options->lookahead > 0 && !(options->ema > 0)))
        return rn_error(RN_EINVAL,
                        "lookahead every %d steps with an EMA decay of %g, expected 0 or more, and "
                        "then a decay above 0",
                        options->lookahead, options->ema);
    for (int i = 0; i < RN_GROUPS; i++)
        if (!(options->lr_factor[i] >= 0 && options->lr_factor[i] <= LARGEST_FACTOR))
            return rn_error(RN_EINVAL, "learning rate factor %d is %g, expected 0 to %d", i,
                            options->lr_factor[i], LARGEST_FACTOR);
    return RN_OK;
}

static bool decays(rn_decay decay, rn_param_kind kind)
{
    return decay == RN_DECAY_ALL || kind == RN_PARAM_CONV_WEIGHT || kind == RN_PARAM_LINEAR_WEIGHT;
}

static rn_group group_by_kind(rn_param_kind kind)
{
    switch (kind) {
    case RN_PARAM_BIAS:
    case RN_PARAM_BN_BIAS:
        return RN_GROUP_BIAS;
    case RN_PARAM_BN_GAIN:
        return RN_GROUP_GAIN;
    case RN_PARAM_CONV_WEIGHT:
    case RN_PARAM_LINEAR_WEIGHT:
    case RN_PARAM_RUNNING_MEAN:
    case RN_PARAM_RUNNING_VARIANCE:
        break;
    }
    return RN_GROUP_WEIGHT;
}

// Parameters come in the network's order, so the first convolution is the stem and the last linear
// layer, with the bias behind it, the head.
static void find_ends(rn_sgd *sgd)
{
    int stem = sgd->count, head = sgd->count;

    for (int i = 0; i < sgd->count; i++) {
        rn_param_kind kind = sgd->slots[i].view.param->kind;
        if (kind == RN_PARAM_CONV_WEIGHT && stem == sgd->count)
            stem = i;
        if (kind == RN_PARAM_LINEAR_WEIGHT)
            head = i;
    }
    if (stem < sgd->count)
        sgd->slots[stem].group = RN_GROUP_STEM;
    for (int i = head; i < sgd->count; i++)
        sgd->slots[i].group = RN_GROUP_HEAD;
}

// Each array starts on a cache line of its own.
static size_t padded(size_t count)
{
    return (count + FLOATS_PER_LINE - 1) / FLOATS_PER_LINE * FLOATS_PER_LINE;
}

static bool has_velocity(const rn_param_view *view)
{
    return rn_param_trained(view->param) && !view->frozen;
}

static rn_status collect_slots(rn_sgd *sgd, size_t *floats)
{
    rn_status st = RN_OK;
    bool averaged = sgd->options.ema > 0;

    *floats = 0;
    sgd->count = rn_run_params(sgd->run);
    RN_TRY(RN_NEW(&sgd->slots, (size_t)sgd->count));
    for (int i = 0; i < sgd->count; i++) {
        rn_param_view view = rn_run_param(sgd->run, i);
        if (has_velocity(&view) && view.gradient == NULL)
            return rn_error(RN_EINVAL, "'%s' has no gradient, expected a run of a training plan",
                            view.param->name);
        sgd->slots[i] = (slot){.view = view,
                               .group = group_by_kind(view.param->kind),
                               .decayed = decays(sgd->options.decay, view.param->kind)};
        *floats +=
            padded(view.count) * ((size_t)has_velocity(&view) + (size_t)(averaged && !view.frozen));
    }
    find_ends(sgd);
out:
    return st;
}

static void place_slots(rn_sgd *sgd)
{
    float *next = sgd->block;

    for (int i = 0; i < sgd->count; i++) {
        slot *s = &sgd->slots[i];
        if (has_velocity(&s->view)) {
            s->velocity = next;
            next += padded(s->view.count);
        }
        if (sgd->options.ema > 0 && s->view.frozen) {
            s->average = s->view.value;
        } else if (sgd->options.ema > 0) {
            s->average = next;
            next += padded(s->view.count);
            memcpy(s->average, s->view.value, s->view.count * sizeof *s->average);
        }
    }
}

rn_status rn_sgd_create(rn_sgd **out, rn_run *run, rn_engine *engine, const rn_sgd_options *options)
{
    rn_status st = RN_OK;
    rn_sgd *sgd = NULL;
    size_t floats = 0;

    *out = NULL;
    RN_TRY(check_options(options));
    RN_TRY(RN_NEW(&sgd, 1));
    sgd->run = run;
    sgd->engine = engine;
    sgd->options = *options;
    RN_TRY(collect_slots(sgd, &floats));
    RN_TRY(RN_NEW(&sgd->block, floats));
    place_slots(sgd);
    *out = sgd;
    sgd = NULL; // now the caller's
out:
    rn_sgd_free(sgd);
    return st;
}

void rn_sgd_free(rn_sgd *sgd)
{
    if (sgd == NULL)
        return;
    rn_free(sgd->slots);
    rn_free(sgd->block);
    rn_free(sgd);
}

// What is frozen is its own average; to form it would round.
static bool moves(const rn_sgd *sgd, const slot *s)
{
    return !s->view.frozen && (s->velocity == NULL || !sgd->options.frozen[s->group]);
}

static void update(const rn_sgd *sgd, const slot *s, double lr)
{
    double factor = sgd->options.lr_factor[s->group];

    factor = factor > 0 ? factor : 1;
    sgd->engine->sgd(&(rn_sgd_update){
        .value = s->view.value,
        .velocity = s->velocity,
        .gradient = s->view.gradient,
        .count = s->view.count,
        .lr = (float)(lr * factor),
        .momentum = (float)sgd->options.momentum,
        .decay = s->decayed ? (float)(sgd->options.weight_decay / factor) : 0.0f,
        .nesterov = sgd->options.nesterov,
    });
}

// The first averages are of few steps: they must not be of the start.
static double average_decay(const rn_sgd *sgd)
{
    double steps = (double)sgd->steps, early = (1 + steps) / (10 + steps);

    return early < sgd->options.ema ? early : sgd->options.ema;
}

void rn_sgd_step(rn_sgd *sgd, double lr)
{
    const float decay = (float)average_decay(sgd);

    for (int i = 0; i < sgd->count; i++) {
        const slot *s = &sgd->slots[i];
        if (s->velocity != NULL && moves(sgd, s))
            update(sgd, s, lr);
        if (s->average != NULL && sgd->options.lookahead == 0 && moves(sgd, s))
            sgd->engine->ema(s->average, s->view.value, s->view.count, decay);
    }
    sgd->steps++;
}

// By multiplication, not pow(): the same bits with every C library.
void rn_sgd_lookahead(rn_sgd *sgd, uint64_t iteration, uint64_t iterations)
{
    int every = sgd->options.lookahead;
    double share = (double)iteration / (double)iterations, decay = share * share * share;

    if (every == 0 || iteration % (uint64_t)every != 0)
        return;
    for (int i = 0; i < every; i++)
        decay *= sgd->options.ema;
    for (int i = 0; i < sgd->count; i++) {
        const slot *s = &sgd->slots[i];
        if (!moves(sgd, s))
            continue;
        sgd->engine->ema(s->average, s->view.value, s->view.count, (float)decay);
        memcpy(s->view.value, s->average, s->view.count * sizeof *s->average);
    }
}

typedef enum array { VELOCITY, AVERAGE } array;

static float *array_of(const slot *s, array which)
{
    return which == VELOCITY ? s->velocity : s->average;
}

static rn_status store(const rn_sgd *sgd, array which, rn_weights *weights)
{
    rn_status st = RN_OK;

    for (int i = 0; i < sgd->count; i++) {
        const float *native = array_of(&sgd->slots[i], which);
        float *canonical = rn_weights_data(weights, i);
        if (native == NULL) // a velocity that is not kept
            memset(canonical, 0, rn_weights_param(weights, i)->count * sizeof *canonical);
        else
            RN_TRY(rn_run_unpack(sgd->run, i, native, canonical));
    }
out:
    return st;
}

static rn_status load(rn_sgd *sgd, array which, const rn_weights *weights)
{
    rn_status st = RN_OK;

    for (int i = 0; i < sgd->count; i++) {
        float *native = array_of(&sgd->slots[i], which);
        if (native != NULL && !sgd->slots[i].view.frozen)
            RN_TRY(rn_run_pack(sgd->run, i, rn_weights_read(weights, i), native));
    }
out:
    return st;
}

static rn_status ema_in_use(const rn_sgd *sgd)
{
    return sgd->options.ema > 0 ? RN_OK : rn_error(RN_EINVAL, "the optimiser keeps no EMA");
}

rn_status rn_sgd_store_momentum(const rn_sgd *sgd, rn_weights *momentum)
{
    return store(sgd, VELOCITY, momentum);
}

rn_status rn_sgd_load_momentum(rn_sgd *sgd, const rn_weights *momentum)
{
    return load(sgd, VELOCITY, momentum);
}

rn_status rn_sgd_store_ema(const rn_sgd *sgd, rn_weights *ema)
{
    rn_status st = ema_in_use(sgd);

    return st == RN_OK ? store(sgd, AVERAGE, ema) : st;
}

rn_status rn_sgd_load_ema(rn_sgd *sgd, const rn_weights *ema, uint64_t steps)
{
    rn_status st = ema_in_use(sgd);

    sgd->steps = steps;
    return st == RN_OK ? load(sgd, AVERAGE, ema) : st;
}
