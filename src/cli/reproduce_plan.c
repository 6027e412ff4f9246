// Scales that fit a time, and the table that is shown before anything is computed.
#include "cli/reproduce_plan.h"

#include "cli/run_folder.h"
#include "cli/term.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEARCH_STEPS = 30, CORRECTIONS = 5 };

static const double CLOSE_ENOUGH = 1.05; // of the least that did not fit to what did

/** What the search knows: the target at one scale, and what it costs there. */
typedef struct known {
    const rn_reproduction *reproduction;
    const rn_run_cost *costs;
} known;

static rn_status estimate_left(rn_estimate *out, const rn_reproduction *r, const rn_run_cost *costs,
                               int processes, const double *done)
{
    const int places = rn_processors() / r->settings.threads;
    const int abreast = places < 1 ? 1 : places < processes ? places : processes;

    return rn_reproduction_estimate(out, r, costs, processes, abreast, done);
}

static rn_status make(rn_reproduction **out, const cli_budget *budget,
                      const rn_reproduce_settings *settings, double scale)
{
    rn_status st;
    rn_target *target = NULL;
    rn_reproduce_settings scaled = *settings;

    *out = NULL;
    RN_TRY(rn_target_load(&target, budget->target));
    scaled.scale = scale;
    RN_TRY(rn_reproduction_create(out, target, &scaled));
out:
    return st;
}

static rn_status seconds_at(double *seconds, const cli_budget *budget, const known *k, double scale)
{
    rn_status st;
    rn_reproduction *r = NULL;
    rn_estimate estimate;
    rn_run_cost *costs = NULL;

    RN_TRY(make(&r, budget, &k->reproduction->settings, scale));
    costs = calloc((size_t)r->target->run_count, sizeof *costs);
    if (costs == NULL) {
        st = rn_error(RN_ENOMEM, "no memory for an estimate");
        goto out;
    }
    for (int i = 0; i < r->target->run_count; i++)
        costs[i] = rn_run_cost_scaled(&k->costs[i], k->reproduction->runs[i].multiply_adds,
                                      r->runs[i].multiply_adds);
    RN_TRY(estimate_left(&estimate, r, costs, budget->processes, NULL));
    *seconds = estimate.seconds;
out:
    free(costs);
    rn_reproduction_free(r);
    return st;
}

// Three digits, downwards: a number that a person can repeat.
static double round_down(double scale, double least)
{
    double unit = pow(10, floor(log10(scale)) - 2);
    double rounded = floor(scale / unit * (1 + 1e-12)) * unit;
    char text[32];

    snprintf(text, sizeof text, "%.3g", rounded);
    rounded = strtod(text, NULL);
    return rounded < least ? least : rounded;
}

static rn_status search(double *scale, const cli_budget *budget, const known *k, double least)
{
    rn_status st;
    double low = least, high = 1, seconds;

    RN_TRY(seconds_at(&seconds, budget, k, 1));
    if (seconds <= budget->seconds) {
        *scale = 1;
        goto out;
    }
    for (int i = 0; i < SEARCH_STEPS; i++) {
        double middle = sqrt(low * high);
        RN_TRY(seconds_at(&seconds, budget, k, middle));
        if (seconds <= budget->seconds)
            low = middle;
        else
            high = middle;
    }
    *scale = round_down(low, least);
out:
    return st;
}

static rn_status too_long(const cli_budget *budget, const rn_reproduction *r, double seconds)
{
    int runs = r->settings.seeds;

    return rn_error(
        RN_EINVAL,
        "the least scale of target '%s', %.3g, takes about %s here with %d run%s of each "
        "network, more than the %s of --budget%s",
        r->target->name, rn_target_least_scale(r->target), cli_duration(seconds).text, runs,
        runs == 1 ? "" : "s", cli_duration(budget->seconds).text,
        runs > 1 ? "; fewer runs (--runs) take less" : "");
}

static void note_least(const cli_budget *budget, const rn_reproduction *r, double seconds)
{
    fprintf(stderr,
            "resnet: note: the least scale of target '%s', %.3g, takes about %s here, more than "
            "the usual %s (--budget)\n",
            r->target->name, r->settings.scale, cli_duration(seconds).text,
            cli_duration(budget->seconds).text);
}

// What is searched next, between what fitted and what did not: measurements are noisy, so that the
// search may ask for what has been tried. False: it is close enough.
static bool choose_next(double *scale, double fitted, double failed, double least)
{
    if (*scale > fitted && *scale < failed)
        return true;
    if (failed < fitted * CLOSE_ENOUGH || !isfinite(failed))
        return false;
    *scale = round_down(sqrt(fitted * failed), least);
    return *scale > fitted && *scale < failed;
}

// The costs of one scale say, by multiply-adds, what others take; what is found is measured, and
// corrects the search.
static rn_status refine(rn_reproduce_settings *settings, const cli_budget *budget,
                        cli_calibration *calibration, double least)
{
    rn_status st = RN_OK;
    rn_reproduction *r = NULL;
    rn_estimate estimate;
    double scale = least, fitted = 0, failed = INFINITY;

    for (int i = 0; i <= CORRECTIONS; i++) {
        rn_reproduction_free(r);
        r = NULL;
        RN_TRY(make(&r, budget, settings, scale));
        RN_TRY(cli_calibrate(calibration, r));
        RN_TRY(estimate_left(&estimate, r, calibration->costs, budget->processes, NULL));
        if (i == 0 && estimate.seconds > budget->seconds && budget->usual) {
            note_least(budget, r, estimate.seconds);
            settings->scale = least;
            settings->budget = NULL;
            goto out;
        }
        if (i == 0 && estimate.seconds > budget->seconds) {
            st = too_long(budget, r, estimate.seconds);
            goto out;
        }
        if (estimate.seconds <= budget->seconds)
            settings->scale = fitted = scale;
        else
            failed = scale;
        const known k = {r, calibration->costs};
        RN_TRY(search(&scale, budget, &k, least));
        if (!choose_next(&scale, fitted, failed, least))
            break;
    }
out:
    rn_reproduction_free(r);
    return st;
}

rn_status cli_budget_choose(rn_reproduce_settings *settings, const cli_budget *budget,
                            const char *folder, bool quiet)
{
    rn_status st;
    rn_target *target = NULL;
    cli_calibration calibration = {.folder = folder, .quiet = quiet};

    RN_TRY(rn_target_load(&target, budget->target));
    RN_TRY(refine(settings, budget, &calibration, rn_target_least_scale(target)));
out:
    cli_calibration_release(&calibration);
    rn_target_free(target);
    return st;
}

// The table

static rn_status find_done(double **out, int *left, const rn_reproduction *r, const char *folder)
{
    rn_status st = RN_OK;
    double *done = calloc((size_t)r->job_count, sizeof *done);

    *out = NULL;
    *left = 0;
    if (done == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d runs", r->job_count);
    for (int i = 0; i < r->job_count; i++) {
        rn_job_state state;
        RN_TRY(rn_job_find(&state, r, i, folder));
        RN_TRY(rn_job_share(&done[i], r, i, folder));
        *left += state != RN_JOB_DONE && state != RN_JOB_DIVERGED && state != RN_JOB_LEFT_OUT;
    }
    *out = done;
    done = NULL;
out:
    free(done);
    return st;
}

static int widest_name(const rn_reproduction *r)
{
    int width = 7;

    for (int i = 0; i < r->target->run_count; i++) {
        int length = (int)strlen(r->target->runs[i].name);
        width = length > width ? length : width;
    }
    return width;
}

static void print_row(const rn_reproduction *r, int run, const rn_run_cost *cost, int width)
{
    const rn_scaled_run *scaled = &r->runs[run];

    printf("  %-*s %6d", width, r->target->runs[run].name, scaled->depth);
    if (!r->target->cost)
        printf(" %11s", cli_count((int64_t)scaled->iterations).text);
    printf(" %10s %9.0f %10s %10s\n", cli_time(cost->training.seconds).text,
           scaled->recipe.batch / cost->training.seconds,
           cli_duration(rn_run_seconds(r, run, cost)).text,
           cli_bytes(cost->training.bytes + cost->inference.bytes).text);
}

static void print_total(const rn_reproduction *r, const rn_estimate *estimate, int processes,
                        int left)
{
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    printf("\n  %d of %d left to do: about %s with %d process%s of %d thread%s, %s of memory\n",
           left, r->job_count, cli_duration(estimate->seconds).text, processes,
           processes == 1 ? "" : "es", r->settings.threads, r->settings.threads == 1 ? "" : "s",
           cli_bytes(estimate->bytes).text);
    if (!r->target->cost)
        printf("  evaluations counted, waiting for data and for other programs not\n");
    if (estimate->bytes > memory)
        printf("  note: this machine has %s of memory; --memory limits each run\n",
               cli_bytes(memory).text);
}

rn_status cli_reproduce_print_plan(const rn_reproduction *r, const rn_run_cost *costs,
                                   int processes, const char *folder)
{
    rn_status st;
    double *done = NULL;
    int left, width = widest_name(r);
    rn_estimate estimate;

    RN_TRY(find_done(&done, &left, r, folder));
    RN_TRY(estimate_left(&estimate, r, costs, processes, done));
    printf("%s%s%s: %s\n%s\n\n", cli_style(stdout, CLI_BOLD), r->target->name,
           cli_style(stdout, CLI_NORMAL), r->target->title, r->target->paper);
    if (r->settings.scale < 1)
        printf("scale %.4g: iterations x %.3g, data x %.3g, depth x %.3g, width x %.3g; with whole "
               "units and channels %.3g of the cost\n\n",
               r->settings.scale, r->factor[RN_SCALE_ITERATIONS], r->factor[RN_SCALE_DATA],
               r->factor[RN_SCALE_DEPTH], r->factor[RN_SCALE_WIDTH], rn_reproduction_cost(r));
    printf("  %-*s %6s%s %10s %9s %10s %10s\n", width, "network", "depth",
           r->target->cost ? "" : "  iterations", "step", "images/s", "time a run", "memory");
    for (int i = 0; i < r->target->run_count; i++)
        print_row(r, i, &costs[i], width);
    print_total(r, &estimate, processes, left);
out:
    free(done);
    return st;
}
