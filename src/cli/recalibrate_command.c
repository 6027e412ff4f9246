#include "cli/bad_images.h"
#include "cli/command.h"
#include "cli/model_change.h"
#include "cli/model_file.h"
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_LAYERS = 5 };

typedef struct recalibration {
    cli_model_change change;
    rn_augment augment;
    rn_recalibrate_options options;
    rn_recalibration result;
} recalibration;

// What to do

// The random changes that the network was trained with.
static rn_status choose_augment(recalibration *r, const cli_arguments *args)
{
    rn_status st = RN_OK;
    rn_recipe recipe;

    if (!cli_flag(args, "augment"))
        return RN_OK;
    const cli_model_change *change = &r->change;
    if (change->model->recipe == NULL)
        return rn_error(RN_EINVAL, "option '--augment': '%s' holds no recipe to say how",
                        change->path);
    RN_TRY(rn_recipe_load(&recipe, rn_recipe_name(0)));
    RN_TRY(rn_recipe_parse(&recipe, change->model->recipe, change->path));
    r->augment = recipe.augment;
    r->options.augment = &r->augment;
out:
    return st;
}

static rn_status prepare(recalibration *r, const cli_arguments *args)
{
    rn_status st;

    RN_TRY(cli_change_open(&r->change, args));
    r->options = (rn_recalibrate_options){
        .engine = r->change.engine,
        .batch = r->change.batch,
        .images = (uint64_t)cli_integer(args, "images"),
        .seed = (uint64_t)cli_integer(args, "seed"),
        .ema = r->change.ema,
        .bad_images = r->change.bad_images,
    };
    RN_TRY(choose_augment(r, args));
    // Else the test set's evaluation tells of them.
    if (r->change.test == NULL || !rn_samples_same(r->change.train, r->change.test))
        r->options.on_bad = cli_note_bad;
out:
    return st;
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

    printf("%s: %s images%s in ", r->change.train->name, cli_count((int64_t)result->images).text,
           r->options.augment != NULL ? ", augmented," : "");
    print_batches(result);
    printf(", %s\n", cli_time(result->seconds).text);
    if (result->skipped > 0)
        printf("skipped %s that could not be read\n", cli_count((int64_t)result->skipped).text);
    printf("%s: %d batch norms%s\n", r->change.model->model, result->layers,
           r->options.ema ? ", weights averaged (EMA)" : "");
    print_changes(result);
    if (r->change.test != NULL)
        cli_change_print_errors(&r->change);
    printf("\nwrote %s\n", out);
}

static rn_status print_json(const recalibration *r, const char *out)
{
    const rn_recalibration *result = &r->result;
    cJSON *json = cJSON_CreateObject(), *list;

    cli_change_json(json, &r->change, out);
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
    return cli_print_json(json);
}

static void release(recalibration *r)
{
    rn_recalibration_release(&r->result);
    cli_change_release(&r->change);
}

static rn_status run_recalibrate(const cli_arguments *args)
{
    rn_status st;
    recalibration r = {0};
    const char *out = cli_text(args, "out");

    RN_TRY(prepare(&r, args));
    RN_TRY(cli_change_evaluate(&r.change, &r.change.before));
    RN_TRY(rn_recalibrate(&r.result, r.change.model, r.change.train, &r.options));
    RN_TRY(cli_change_evaluate(&r.change, &r.change.after));
    RN_TRY(rn_checkpoint_save(r.change.model, out));
    if (cli_flag(args, "json"))
        st = print_json(&r, out);
    else
        print_report(&r, out);
out:
    release(&r);
    return st;
}

static const cli_option options[] = {
    CLI_CHANGE_OPTIONS("whose statistics"),
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
    {.name = "augment",
     .kind = CLI_FLAG,
     .help = "change the pictures at random, as the recipe in the file does"},
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
                "resnet bn-recalibrate old.safetensors --data data -o new.safetensors",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_recalibrate,
};
