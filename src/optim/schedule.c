// Learning-rate schedules: a pure function of the iteration and of the little that they remember.
#include "resnet/optim.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
static const double ONE_CYCLE_START = 1.0 / 25.0; // of the peak, as in Smith & Topin 2017

static const char *const kind_names[] = {
    [RN_SCHEDULE_CONSTANT] = "constant",   [RN_SCHEDULE_STEP] = "step",
    [RN_SCHEDULE_PLATEAU] = "plateau",     [RN_SCHEDULE_COSINE] = "cosine",
    [RN_SCHEDULE_ONE_CYCLE] = "one-cycle", [RN_SCHEDULE_LINEAR] = "linear",
};

enum { KINDS = sizeof kind_names / sizeof *kind_names };

const char *rn_schedule_name(rn_schedule_kind kind)
{
    return (unsigned)kind < KINDS ? kind_names[kind] : NULL;
}

rn_status rn_schedule_parse(rn_schedule_kind *out, const char *name)
{
    char hint[RN_HINT_BYTES];

    for (int i = 0; i < KINDS; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            *out = (rn_schedule_kind)i;
            return RN_OK;
        }
    }
    return rn_error(RN_EINVAL,
                    "unknown schedule '%s', expected constant, step, plateau, cosine, "
                    "one-cycle or linear%s",
                    name, rn_text_hint(hint, name, kind_names, KINDS));
}

static double warmup_iterations(const rn_schedule *schedule, uint64_t iterations)
{
    return schedule->warmup < 1 ? schedule->warmup * (double)iterations : schedule->warmup;
}

// By multiplication, not pow(): the same bits with every C library.
static double repeated_factor(double factor, int times)
{
    double product = 1.0;

    for (int i = 0; i < times; i++)
        product *= factor;
    return product;
}

static int milestones_passed(const rn_schedule *schedule, uint64_t iteration)
{
    int passed = 0;

    for (int i = 0; i < schedule->milestones; i++)
        passed += iteration >= schedule->milestone[i];
    return passed;
}

// How much of the way from the end of the warm-up to `iterations` is behind, 0 .. 1.
static double share_of_descent(const rn_schedule *schedule, uint64_t iteration, uint64_t iterations)
{
    double start = warmup_iterations(schedule, iterations);
    double length = (double)iterations - start;
    double passed = (double)iteration - start;

    if (passed <= 0)
        return 0.0;
    return passed < length ? passed / length : 1.0;
}

// From 1 to final_factor (Loshchilov & Hutter 2017).
static double half_cosine(const rn_schedule *schedule, double share)
{
    double low = schedule->final_factor;

    return share > 0 ? low + (1.0 - low) * 0.5 * (1.0 + cos(PI * share)) : 1.0;
}

static double straight_line(const rn_schedule *schedule, double share)
{
    return 1.0 - (1.0 - schedule->final_factor) * share;
}

static double warmup_factor(const rn_schedule *schedule, uint64_t iteration, uint64_t iterations)
{
    double length = warmup_iterations(schedule, iterations);
    double low =
        schedule->kind == RN_SCHEDULE_ONE_CYCLE ? ONE_CYCLE_START : schedule->warmup_factor;

    if ((double)iteration >= length)
        return 1.0;
    if (schedule->warmup_flat)
        return low;
    return low + (1.0 - low) * (double)iteration / length;
}

double rn_schedule_rate(const rn_schedule *schedule, const rn_schedule_state *state,
                        uint64_t iteration, uint64_t iterations)
{
    double factor = 1.0;

    if (schedule->until_error > 0 && !state->released)
        return schedule->until_lr;
    switch (schedule->kind) {
    case RN_SCHEDULE_CONSTANT:
        break;
    case RN_SCHEDULE_STEP:
        factor = repeated_factor(schedule->factor, milestones_passed(schedule, iteration));
        break;
    case RN_SCHEDULE_PLATEAU:
        factor = repeated_factor(schedule->factor, state->reductions);
        break;
    case RN_SCHEDULE_COSINE:
    case RN_SCHEDULE_ONE_CYCLE:
        factor = half_cosine(schedule, share_of_descent(schedule, iteration, iterations));
        break;
    case RN_SCHEDULE_LINEAR:
        factor = straight_line(schedule, share_of_descent(schedule, iteration, iterations));
        break;
    }
    return schedule->lr * (factor * warmup_factor(schedule, iteration, iterations));
}

void rn_schedule_observe_training(const rn_schedule *schedule, rn_schedule_state *state,
                                  uint64_t iteration, double error)
{
    if (!(schedule->until_error > 0) || state->released || !(error < schedule->until_error))
        return;
    state->released = true;
    state->released_at = iteration;
}

void rn_schedule_observe_epoch(const rn_schedule *schedule, rn_schedule_state *state, double error)
{
    if (schedule->kind != RN_SCHEDULE_PLATEAU || !isfinite(error) ||
        (schedule->until_error > 0 && !state->released))
        return;
    bool fallen = state->evaluations == 0 ||
                  (error < state->best && state->best - error >= schedule->threshold);
    state->evaluations++;
    if (fallen) {
        state->best = error;
        state->waited = 0;
    } else if (++state->waited >= schedule->patience) {
        state->reductions++;
        state->waited = 0;
    }
}
