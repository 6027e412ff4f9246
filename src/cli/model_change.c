#include "cli/model_change.h"

#include "cli/bad_images.h"
#include "cli/command.h"
#include "cli/eval_views.h"
#include "cli/model_file.h"
#include "cli/run_folder.h"
#include "cli/term.h"
#include "cli/test_set.h"

#include <stdlib.h>

// Before anything is read: where the result goes

static rn_status check_output(const cli_model_change *c, const cli_arguments *args)
{
    const char *out = cli_text(args, "out");

    if (out == NULL)
        return rn_error(RN_EINVAL, "'--out' must say where the result goes");
    if (!cli_ends_in(out, ".safetensors"))
        return rn_error(RN_EINVAL, "'--out' expects a name that ends in .safetensors, found '%s'",
                        out);
    if (cli_same_file(c->path, out) && !cli_flag(args, "force"))
        return rn_error(RN_EINVAL, "'%s' is the source itself; '--force' replaces it", out);
    return cli_check_writable(out);
}

static rn_status open_data(cli_model_change *c, const cli_arguments *args)
{
    rn_status st;

    RN_TRY(cli_choose_source(&c->source, args, args->words[0], "it was trained on"));
    RN_TRY(rn_data_open(&c->train, c->source, RN_SPLIT_TRAIN));
    if (cli_given(args, "evaluate") && !cli_flag(args, "evaluate"))
        return RN_OK;
    st = cli_test_set_open(&c->test, c->source, c->model, args->words[0]);
    if (st == RN_ENOTFOUND && !cli_given(args, "evaluate"))
        st = RN_OK; // a training set alone will do
out:
    return st;
}

rn_status cli_change_open(cli_model_change *change, const cli_arguments *args)
{
    rn_status st;

    change->engine = cli_text(args, "engine");
    change->batch = (int)cli_integer(args, "batch");
    change->bad_images = cli_bad_images(args);
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(cli_model_path(&change->path, args->words[0]));
    RN_TRY(check_output(change, args));
    RN_TRY(cli_model_load(&change->model, args, args->words[0]));
    RN_TRY(cli_choose_weights(&change->ema, change->model, cli_text(args, "weights")));
    RN_TRY(open_data(change, args));
out:
    return st;
}

void cli_change_release(cli_model_change *change)
{
    rn_evaluation_release(&change->before);
    rn_evaluation_release(&change->after);
    rn_samples_free(change->train);
    rn_samples_free(change->test);
    rn_checkpoint_free(change->model);
    free(change->path);
    free(change->source);
}

static rn_status on_score(const rn_picture_scores *scores, void *context)
{
    if (scores->error != NULL)
        cli_note_bad(scores->error, context);
    return RN_OK;
}

// Bad pictures are told of the first time.
static rn_status evaluate_photos(const cli_model_change *c, rn_evaluation *out)
{
    const int most = 64, threads = rn_threads();
    const rn_member member = {c->model, c->ema};
    rn_evaluate_views_options options = {
        .views = cli_views_usual(c->model),
        .workers = threads < most ? threads : most,
        .skip_bad = c->bad_images == RN_BAD_IMAGES_SKIP,
        .engine = c->engine,
        .on_picture = out == &c->before ? on_score : NULL,
    };

    return rn_evaluate_views(out, &member, 1, c->test, &options);
}

rn_status cli_change_evaluate(const cli_model_change *c, rn_evaluation *out)
{
    rn_evaluate_options options = {.batch = c->batch, .engine = c->engine};

    if (c->test == NULL)
        return RN_OK;
    if (c->test->photos != NULL)
        return evaluate_photos(c, out);
    return rn_evaluate(out, c->model, c->ema, c->test, &options);
}

void cli_change_print_errors(const cli_model_change *c)
{
    printf("\n%s: %s images\n", c->test->name, cli_count(c->before.count).text);
    printf("  error  %6.2f%% before, %s%6.2f%%%s after\n",
           cli_percent(c->before.wrong, c->before.count), cli_style(stdout, CLI_BOLD),
           cli_percent(c->after.wrong, c->after.count), cli_style(stdout, CLI_NORMAL));
    printf("  loss   %6.4f  before, %6.4f  after\n", c->before.loss, c->after.loss);
}

static cJSON *evaluation_json(const rn_evaluation *e)
{
    cJSON *json = cJSON_CreateObject();

    cli_json_add(json, "count", (double)e->count);
    cli_json_add(json, "wrong", (double)e->wrong);
    cli_json_add(json, "error", cli_percent(e->wrong, e->count));
    cli_json_add(json, "loss", e->loss);
    return json;
}

void cli_change_json(cJSON *json, const cli_model_change *change, const char *out)
{
    cJSON_AddStringToObject(json, "file", out);
    cJSON_AddStringToObject(json, "model", change->model->model);
    cJSON_AddStringToObject(json, "data", change->source);
    cJSON_AddStringToObject(json, "weights", change->ema ? "ema" : "last");
    if (change->test == NULL)
        return;
    cJSON_AddItemToObject(json, "before", evaluation_json(&change->before));
    cJSON_AddItemToObject(json, "after", evaluation_json(&change->after));
}
