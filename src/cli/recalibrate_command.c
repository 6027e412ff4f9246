#include "cli/bad_images.h"
#include "cli/command.h"
#include "cli/eval_views.h"
#include "cli/json_output.h"
#include "cli/model_file.h"
#include "cli/run_folder.h"
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_LAYERS = 5 };

typedef struct recalibration {
    rn_checkpoint *model;
    char *path, *source;
    rn_samples *train, *test; // test: NULL if there is none, or it is not wanted
    rn_augment augment;
    rn_recalibrate_options options;
    rn_recalibration result;
    rn_evaluation before, after; // on test
} recalibration;

// Before anything is read: where the result goes

static rn_status check_output(const recalibration *r, const cli_arguments *args)
{
    const char *out = cli_text(args, "out");

    if (out == NULL)
        return rn_error(RN_EINVAL, "'--out' must say where the result goes");
    if (!cli_ends_in(out, ".safetensors"))
        return rn_error(RN_EINVAL, "'--out' expects a name that ends in .safetensors, found '%s'",
                        out);
    if (cli_same_file(r->path, out) && !cli_flag(args, "force"))
        return rn_error(RN_EINVAL, "'%s' is the source itself; '--force' replaces it", out);
    return RN_OK;
}

// What to do

// The random changes that the network was trained with.
static rn_status choose_augment(recalibration *r, const cli_arguments *args)
{
    rn_status st = RN_OK;
    rn_recipe recipe;

    if (!cli_flag(args, "augment"))
        return RN_OK;
    if (r->model->recipe == NULL)
        return rn_error(RN_EINVAL, "option '--augment': '%s' holds no recipe to say how", r->path);
    RN_TRY(rn_recipe_load(&recipe, rn_recipe_name(0)));
    RN_TRY(rn_recipe_parse(&recipe, r->model->recipe, r->path));
    r->augment = recipe.augment;
    r->options.augment = &r->augment;
out:
    return st;
}

static rn_status open_data(recalibration *r, const cli_arguments *args)
{
    rn_status st;

    RN_TRY(cli_choose_source(&r->source, args, args->words[0], "it was trained on"));
    RN_TRY(rn_data_open(&r->train, r->source, RN_SPLIT_TRAIN));
    if (cli_given(args, "evaluate") && !cli_flag(args, "evaluate"))
        return RN_OK;
    st = rn_data_open(&r->test, r->source, RN_SPLIT_TEST);
    if (st == RN_ENOTFOUND && !cli_given(args, "evaluate"))
        st = RN_OK; // a training set alone will do
out:
    return st;
}

static rn_status prepare(recalibration *r, const cli_arguments *args)
{
    rn_status st;

    r->options = (rn_recalibrate_options){
        .engine = cli_text(args, "engine"),
        .batch = (int)cli_integer(args, "batch"),
        .images = (uint64_t)cli_integer(args, "images"),
        .seed = (uint64_t)cli_integer(args, "seed"),
        .bad_images = cli_bad_images(args),
    };
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(cli_model_path(&r->path, args->words[0]));
    RN_TRY(check_output(r, args));
    RN_TRY(cli_model_load(&r->model, args, args->words[0]));
    RN_TRY(cli_choose_weights(&r->options.ema, r->model, cli_text(args, "weights")));
    RN_TRY(choose_augment(r, args));
    RN_TRY(open_data(r, args));
    if (r->test == NULL || !rn_samples_same(r->train, r->test)) // else its evaluation tells of them
        r->options.on_bad = cli_note_bad;
out:
    return st;
}

static rn_status on_score(const rn_picture_scores *scores, void *context)
{
    if (scores->error != NULL)
        cli_note_bad(scores->error, context);
    return RN_OK;
}

// Bad pictures are told of the first time.
static rn_status evaluate_photos(const recalibration *r, rn_evaluation *out)
{
    const int most = 64, threads = rn_threads();
    const rn_member member = {r->model, r->options.ema};
    rn_evaluate_views_options options = {
        .views = {.protocol = RN_PROTOCOL_SINGLE},
        .workers = threads < most ? threads : most,
        .skip_bad = r->options.bad_images == RN_BAD_IMAGES_SKIP,
        .engine = r->options.engine,
        .on_picture = out == &r->before ? on_score : NULL,
    };

    cli_views_usual_sizes(&options.views, r->model->options.height);
    return rn_evaluate_views(out, &member, 1, r->test, &options);
}

static rn_status evaluate(const recalibration *r, rn_evaluation *out)
{
    rn_evaluate_options options = {.batch = r->options.batch, .engine = r->options.engine};

    if (r->test == NULL)
        return RN_OK;
    if (r->test->photos != NULL)
        return evaluate_photos(r, out);
    return rn_evaluate(out, r->model, r->options.ema, r->test, &options);
}

// What is told of it

// Non-finite statistics cannot be said to have moved so and so far.
static cli_number spell(double change)
{
    cli_number number;

    snprintf(number.text, sizeof number.text, change == 0 ? "0" : "%.3g", change);
    return number;
}

static double moved(const rn_statistics_change *change)
{
    return change->mean > change->variance ? change->mean : change->variance;
}

static int further_than(const rn_recalibration *result, int index)
{
    double own = moved(&result->changes[index]);
    int count = 0;

    for (int i = 0; i < result->layers; i++)
        count +=
            moved(&result->changes[i]) > own || (moved(&result->changes[i]) == own && i < index);
    return count;
}

static void print_changes(const rn_recalibration *result)
{
    printf("\n%s%-24s  %8s  %10s  %10s%s\n", cli_style(stdout, CLI_BOLD), "moved most", "channels",
           "mean", "variance", cli_style(stdout, CLI_NORMAL));
    for (int place = 0; place < SHOWN_LAYERS && place < result->layers; place++)
        for (int i = 0; i < result->layers; i++) {
            const rn_statistics_change *change = &result->changes[i];
            if (further_than(result, i) == place)
                printf("%-24s  %8d  %10s  %10s\n", change->name, change->channels,
                       spell(change->mean).text, spell(change->variance).text);
        }
    if (result->layers > SHOWN_LAYERS)
        printf("and %d more; ", result->layers - SHOWN_LAYERS);
    printf("mean in deviations, variance relative, of the channel that moved most\n");
}

static void print_errors(const recalibration *r)
{
    printf("\n%s: %s images\n", r->test->name, cli_count(r->before.count).text);
    printf("  error  %6.2f%% before, %s%6.2f%%%s after\n",
           cli_percent(r->before.wrong, r->before.count), cli_style(stdout, CLI_BOLD),
           cli_percent(r->after.wrong, r->after.count), cli_style(stdout, CLI_NORMAL));
    printf("  loss   %6.4f  before, %6.4f  after\n", r->before.loss, r->after.loss);
}

static void print_batches(const rn_recalibration *result)
{
    if (result->batches == 1)
        printf("one batch");
    else if (result->smallest == result->largest)
        printf("%s batches of %d", cli_count(result->batches).text, result->largest);
    else
        printf("%s batches of %d or %d", cli_count(result->batches).text, result->largest,
               result->smallest);
}

static void print_report(const recalibration *r, const char *out)
{
    const rn_recalibration *result = &r->result;

    printf("%s: %s images%s in ", r->train->name, cli_count((int64_t)result->images).text,
           r->options.augment != NULL ? ", augmented," : "");
    print_batches(result);
    printf(", %s\n", cli_time(result->seconds).text);
    if (result->skipped > 0)
        printf("skipped %s that could not be read\n", cli_count((int64_t)result->skipped).text);
    printf("%s: %d batch norms%s\n", r->model->model, result->layers,
           r->options.ema ? ", weights averaged (EMA)" : "");
    print_changes(result);
    if (r->test != NULL)
        print_errors(r);
    printf("\nwrote %s\n", out);
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

static rn_status print_json(const recalibration *r, const char *out)
{
    const rn_recalibration *result = &r->result;
    cJSON *json = cJSON_CreateObject(), *list;

    cJSON_AddStringToObject(json, "file", out);
    cJSON_AddStringToObject(json, "model", r->model->model);
    cJSON_AddStringToObject(json, "data", r->source);
    cJSON_AddStringToObject(json, "weights", r->options.ema ? "ema" : "last");
    cli_json_add(json, "images", (double)result->images);
    cli_json_add(json, "skipped", (double)result->skipped);
    cli_json_add(json, "batches", result->batches);
    cli_json_add(json, "smallest_batch", result->smallest);
    cli_json_add(json, "largest_batch", result->largest);
    cJSON_AddBoolToObject(json, "augmented", r->options.augment != NULL);
    cli_json_add(json, "seconds", result->seconds);
    list = cJSON_AddArrayToObject(json, "layers");
    for (int i = 0; i < result->layers; i++) {
        cJSON *layer = cJSON_CreateObject();
        cJSON_AddStringToObject(layer, "name", result->changes[i].name);
        cli_json_add(layer, "channels", result->changes[i].channels);
        cli_json_add(layer, "mean_moved", result->changes[i].mean);
        cli_json_add(layer, "variance_moved", result->changes[i].variance);
        cJSON_AddItemToArray(list, layer);
    }
    if (r->test != NULL) {
        cJSON_AddItemToObject(json, "before", evaluation_json(&r->before));
        cJSON_AddItemToObject(json, "after", evaluation_json(&r->after));
    }
    return cli_print_json(json);
}

static void release(recalibration *r)
{
    rn_evaluation_release(&r->before);
    rn_evaluation_release(&r->after);
    rn_recalibration_release(&r->result);
    rn_samples_free(r->train);
    rn_samples_free(r->test);
    rn_checkpoint_free(r->model);
    free(r->path);
    free(r->source);
}

static rn_status run_recalibrate(const cli_arguments *args)
{
    rn_status st;
    recalibration r = {0};
    const char *out = cli_text(args, "out");

    RN_TRY(prepare(&r, args));
    RN_TRY(evaluate(&r, &r.before));
    RN_TRY(rn_recalibrate(&r.result, r.model, r.train, &r.options));
    RN_TRY(evaluate(&r, &r.after));
    RN_TRY(rn_checkpoint_save(r.model, out));
    if (cli_flag(args, "json"))
        st = print_json(&r, out);
    else
        print_report(&r, out);
out:
    release(&r);
    return st;
}

static const cli_option options[] = {
    {.name = "data",
     .letter = 'd',
     .kind = CLI_SOURCE,
     .argument = "SOURCE",
     .help = "data set that it was trained on; by default that of the run"},
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FILE,
     .argument = "FILE",
     .help = "where the result goes: a name that ends in .safetensors"},
    {.name = "force", .kind = CLI_FLAG, .help = "let FILE be the source itself"},
    {.name = "images",
     .letter = 'n',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "how many training pictures, drawn at random; 0: all",
     .fallback = "0",
     .low = 0,
     .high = 4294967295},
    {.name = "seed",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "of the draw, and of the pictures' order",
     .fallback = "0",
     .low = 0,
     .high = 9e15},
    {.name = "weights",
     .kind = CLI_CHOICE,
     .argument = "WHICH",
     .help = "of a checkpoint: whose statistics, those of the moving average, which is the default "
             "where there is one, or those of the last weights",
     .choices = "ema|last"},
    {.name = "augment",
     .kind = CLI_FLAG,
     .help = "change the pictures at random, as the recipe in the file does"},
    {.name = "evaluate",
     .kind = CLI_SWITCH,
     .help = "measure the error on the test set before and after; by default where there is one"},
    CLI_BAD_IMAGES_OPTION("pictures that cannot be read: name each and take another, or end",
                          "skip"),
    CLI_BATCH_OPTION,
    CLI_THREADS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_JSON_OPTION,
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_recalibrate = {
    .name = "bn-recalibrate",
    .usage = "MODEL-FILE|RUN",
    .summary = "measure a network's running statistics anew on its training set",
    .description =
        "Measure the mean and variance that batch norms use in inference anew, over the training "
        "set, with the weights as they are. Training leaves moving averages, which lag behind the "
        "weights; those of a network trained in small batches, stopped early, or whose weights "
        "were averaged or edited gain most (\"precise BN\": Wu & Johnson 2021, \"Rethinking "
        "'Batch' in BatchNorm\").\n\nEvery picture counts once, also those of the last batch: all "
        "batches are of one size, or differ by one. Photographs are seen as 'resnet eval' shows "
        "them, the middle of each, or with --augment as in training. Everything else in the file "
        "stays as it is. "
        "FILE is written whole or not at all.",
    .examples = "resnet bn-recalibrate runs/resnet-20-shapes --out recalibrated.safetensors\n"
                "resnet bn-recalibrate old.safetensors --data cifar-10 -o new.safetensors",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_recalibrate,
};
