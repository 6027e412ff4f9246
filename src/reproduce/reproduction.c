// A target at a scale: networks, recipes in force, jobs.
#include "resnet/reproduce.h"

#include "base/json.h"
#include "base/memory.h"
#include "reproduce/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IMAGENET_CLASSES = 1000, WORDNET_DIGITS = 8 };

enum { LEAST_EVALUATIONS = 10, LOG_LINES = 500, MOST_BETWEEN_CHECKPOINTS = 500 };

// What a recipe's value may not be in a file, it may not be in a target either.
static rn_status apply_settings(rn_recipe *recipe, const cJSON *settings, const char *what)
{
    rn_status st;
    char *text = NULL;

    if (settings == NULL)
        return RN_OK;
    RN_TRY(rn_json_print(&text, settings, false));
    RN_TRY(rn_recipe_parse(recipe, text, what));
out:
    rn_free(text);
    return st;
}

static rn_status make_recipe(rn_recipe *recipe, const rn_reproduction *r, const rn_target_run *run)
{
    rn_status st;
    const rn_target *target = r->target;
    char what[160];

    if (target->cost) {
        *recipe = (rn_recipe){.batch = r->settings.batch};
        return RN_OK;
    }
    snprintf(what, sizeof what, "target '%s': settings of '%s'", target->name, run->name);
    RN_TRY(rn_recipe_load(recipe, run->recipe));
    RN_TRY(apply_settings(recipe, target->settings, what));
    RN_TRY(apply_settings(recipe, run->settings, what));
    RN_TRY(rn_recipe_check(recipe));
out:
    return st;
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

static uint64_t images_of(const rn_recipe *recipe, const rn_reproduction *r)
{
    return recipe->train_images > 0 ? recipe->train_images
                                    : r->settings.train_count - recipe->hold_out;
}

static uint64_t iterations_of(const rn_recipe *recipe, const rn_reproduction *r)
{
    return rn_recipe_iterations(recipe, images_of(recipe, r));
}

static void shrink_data(rn_scaled_run *run, double factor, int classes)
{
    uint64_t images = (uint64_t)llround((double)run->whole.images * factor);

    run->images = run->whole.images;
    if (factor == 1)
        return;
    run->images = clamp(images, (uint64_t)classes, run->whole.images);
    run->recipe.train_images = run->images;
}

// A plateau's patience is counted in evaluations, of which there are fewer.
static void shorten_patience(rn_scaled_run *run)
{
    rn_schedule *schedule = &run->recipe.schedule;
    double share = (double)run->evaluations / (double)run->whole.evaluations;

    if (schedule->kind == RN_SCHEDULE_PLATEAU)
        schedule->patience = (int)fmax(1, round(schedule->patience * share));
}

// How often things happen depends on the training's length, not on the machine: the same
// everywhere.
static void set_pace(rn_scaled_run *run, const rn_reproduction *r)
{
    const rn_recipe *recipe = &run->recipe;
    double share = r->factor[RN_SCALE_ITERATIONS], data = r->factor[RN_SCALE_DATA];

    run->whole.images = images_of(recipe, r);
    run->whole.iterations = iterations_of(recipe, r);
    shrink_data(run, data, r->settings.network.classes);
    rn_scale_recipe(&run->recipe, share, data);
    double steps_an_epoch = (double)run->images / recipe->batch;
    run->iterations = iterations_of(recipe, r);
    uint64_t most = (uint64_t)r->target->evaluations;
    uint64_t least = most < LEAST_EVALUATIONS ? most : LEAST_EVALUATIONS;
    run->evaluations = clamp((uint64_t)ceil((double)most * share), least, most);
    run->evaluations = clamp(run->evaluations, 1, run->iterations);
    run->whole.evaluations = clamp(most, 1, run->whole.iterations);
    shorten_patience(run);
    run->evaluate_every = (double)run->iterations / steps_an_epoch / (double)run->evaluations;
    if (run->evaluate_every < 0.001) // the least that training takes
        run->evaluate_every = 0.001;
    run->log_every = clamp(run->iterations / LOG_LINES, 1, 1000);
    run->checkpoint_every = clamp(run->iterations / 20, 1, MOST_BETWEEN_CHECKPOINTS);
}

static rn_status check_images(const rn_reproduction *r, int run)
{
    const rn_recipe *recipe = &r->runs[run].recipe;
    const char *target = r->target->name, *name = r->target->runs[run].name;
    uint64_t count = r->settings.train_count;

    if (recipe->hold_out >= count)
        return rn_error(RN_EINVAL, "target '%s': '%s' holds out %llu pictures, there are %llu",
                        target, name, (unsigned long long)recipe->hold_out,
                        (unsigned long long)count);
    if (recipe->train_images > count - recipe->hold_out)
        return rn_error(RN_EINVAL, "target '%s': '%s' trains on %llu pictures, there are %llu",
                        target, name, (unsigned long long)recipe->train_images,
                        (unsigned long long)(count - recipe->hold_out));
    return RN_OK;
}

static rn_status make_runs(rn_reproduction *r)
{
    rn_status st;
    const rn_target *target = r->target;

    RN_TRY(RN_NEW(&r->runs, (size_t)target->run_count));
    RN_TRY(rn_scale_models(r->runs, target, r->factor, &r->settings.network));
    for (int i = 0; i < target->run_count; i++) {
        RN_TRY(make_recipe(&r->runs[i].recipe, r, &target->runs[i]));
        if (target->cost)
            continue;
        RN_TRY(check_images(r, i));
        set_pace(&r->runs[i], r);
        RN_TRY(rn_recipe_check(&r->runs[i].recipe));
    }
out:
    return st;
}

// Rounds of measurements, which are no seeds: a lone one needs no number.
static rn_status name_job(rn_job *job, const rn_reproduction *r)
{
    const char *run = r->target->runs[job->run].name;

    if (r->target->cost && r->settings.seeds == 1)
        return rn_strdup(&job->name, run);
    return rn_format(&job->name, r->target->cost ? "%s-r%d" : "%s-s%d", run, (int)job->seed);
}

static rn_status make_jobs(rn_reproduction *r)
{
    rn_status st;
    const rn_target *target = r->target;
    int seeds = r->settings.seeds;

    RN_TRY(RN_NEW(&r->jobs, (size_t)seeds * (size_t)target->run_count));
    for (int s = 1; s <= seeds; s++)
        for (int i = 0; i < target->run_count; i++) {
            rn_job *job = &r->jobs[r->job_count++];
            *job = (rn_job){.run = i, .seed = (uint64_t)s};
            RN_TRY(name_job(job, r));
        }
out:
    return st;
}

static rn_status copy_text(const char **out, const char *text)
{
    char *copy = NULL;
    rn_status st = text != NULL ? rn_strdup(&copy, text) : RN_OK;

    *out = copy;
    return st;
}

static rn_status copy_settings(rn_reproduction *r, const rn_reproduce_settings *given)
{
    rn_status st;
    rn_reproduce_settings *settings = &r->settings;

    *settings = *given;
    settings->budget = settings->source = settings->data_name = settings->memory = NULL;
    RN_TRY(copy_text(&settings->budget, given->budget));
    RN_TRY(copy_text(&settings->source, given->source));
    RN_TRY(copy_text(&settings->data_name, given->data_name));
    RN_TRY(copy_text(&settings->memory, given->memory));
    if (settings->seeds == 0)
        settings->seeds = r->target->seeds;
    if (settings->scale == 0)
        settings->scale = 1;
    if (settings->batch == 0)
        settings->batch = r->target->batch;
    if (settings->threads == 0)
        settings->threads = 1;
out:
    return st;
}

static rn_status check_settings(const rn_reproduction *r)
{
    const rn_reproduce_settings *settings = &r->settings;

    if (settings->seeds < 1 || settings->seeds > RN_REPRODUCE_MOST_SEEDS)
        return rn_error(RN_EINVAL, "%d runs of each network, expected 1 to %d", settings->seeds,
                        RN_REPRODUCE_MOST_SEEDS);
    if (!(settings->scale > 0 && settings->scale <= 1))
        return rn_error(RN_EINVAL, "scale is %g, expected above 0, up to 1", settings->scale);
    if (!r->target->cost && (settings->source == NULL || settings->train_count == 0))
        return rn_error(RN_EINVAL, "target '%s' needs data to train on", r->target->name);
    return RN_OK;
}

rn_status rn_reproduction_create(rn_reproduction **out, rn_target *target,
                                 const rn_reproduce_settings *settings)
{
    rn_status st;
    rn_reproduction *r = NULL;

    *out = NULL;
    st = RN_NEW(&r, 1);
    if (st != RN_OK) {
        rn_target_free(target);
        return st;
    }
    r->target = target;
    RN_TRY(copy_settings(r, settings));
    RN_TRY(check_settings(r));
    RN_TRY(rn_scale_factors(r->factor, target, r->settings.scale));
    RN_TRY(make_runs(r));
    RN_TRY(make_jobs(r));
    *out = r;
    r = NULL; // now the caller's
out:
    rn_reproduction_free(r);
    return st;
}

static bool is_wordnet_id(const char *name)
{
    return *name == 'n' && strlen(name) == 1 + WORDNET_DIGITS &&
           strspn(name + 1, "0123456789") == WORDNET_DIGITS;
}

static bool is_imagenet(const rn_samples *samples)
{
    if (samples->classes != IMAGENET_CLASSES)
        return false;
    for (int i = 0; i < samples->classes; i++)
        if (!is_wordnet_id(samples->label_names[i]))
            return false;
    return true;
}

rn_status rn_reproduce_data_name(char **out, const rn_samples *samples)
{
    return rn_format(out, is_imagenet(samples) ? "ImageNet (%s)" : "%s", samples->name);
}

double rn_reproduction_cost(const rn_reproduction *r)
{
    double here = 0, whole = 0;

    for (int i = 0; i < r->target->run_count; i++) {
        const rn_scaled_run *run = &r->runs[i];
        here += run->multiply_adds * (r->target->cost ? 1 : (double)run->iterations);
        whole += run->whole.multiply_adds * (r->target->cost ? 1 : (double)run->whole.iterations);
    }
    return here / whole;
}

static void free_text(const char *text)
{
    rn_free((void *)text); // a copy of ours behind a borrower's type
}

void rn_reproduction_free(rn_reproduction *r)
{
    if (r == NULL)
        return;
    for (int i = 0; i < r->job_count; i++)
        rn_free(r->jobs[i].name);
    rn_free(r->jobs);
    for (int i = 0; r->runs != NULL && i < r->target->run_count; i++)
        rn_free(r->runs[i].model);
    rn_free(r->runs);
    free_text(r->settings.budget);
    free_text(r->settings.source);
    free_text(r->settings.data_name);
    free_text(r->settings.memory);
    rn_target_free(r->target);
    rn_free(r);
}
