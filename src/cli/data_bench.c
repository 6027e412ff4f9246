#include "cli/bench_serve.h"
#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/model_file.h"
#include "cli/network.h"
#include "cli/term.h"
#include "cli/train_recipe.h"

#include <stdlib.h>

enum { WARM_UP = 1, MOST_WORKERS = 64 };

typedef struct loading {
    rn_samples *samples;
    rn_preprocess *preprocess;
    rn_recipe recipe;
    rn_loader_options options;
    int steps;
    double *seconds; // of each step, ascending
    uint64_t bad;    // pictures that could not be read
} loading;

static void count_bad(loading *l, rn_loader *loader)
{
    char *text;

    while ((text = rn_loader_bad_picture(loader)) != NULL) {
        if (l->bad++ == 0)
            fprintf(stderr, "note: %s\n", text);
        rn_text_free(text);
    }
}

// One batch, by threads that have nothing ready: what is read ahead is not counted and not waited
// for.
static rn_status load_batch(void *context, double *seconds)
{
    rn_status st;
    loading *l = context;
    rn_loader *loader = NULL;
    rn_batch batch;
    double start = rn_clock();

    RN_TRY(rn_loader_create(&loader, l->samples, l->preprocess, &l->options));
    RN_TRY(rn_loader_next(loader, &batch));
    *seconds = rn_clock() - start;
    count_bad(l, loader);
    l->options.first++;
out:
    rn_loader_free(loader);
    return st;
}

static int by_time(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static rn_status measure(loading *l)
{
    rn_status st = RN_OK;
    double unused;

    l->seconds = calloc((size_t)l->steps, sizeof *l->seconds);
    if (l->seconds == NULL)
        return rn_error(RN_ENOMEM, "no memory for the times of %d batches", l->steps);
    for (int i = 0; i < WARM_UP; i++)
        RN_TRY(load_batch(l, &unused));
    for (int i = 0; i < l->steps; i++)
        RN_TRY(load_batch(l, &l->seconds[i]));
    qsort(l->seconds, (size_t)l->steps, sizeof *l->seconds, by_time);
out:
    return st;
}

// Pictures a second, of which each thread makes its share.
static double rate(const loading *l, double seconds)
{
    return l->options.batch / seconds;
}

static rn_status print_json(const loading *l)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "data", l->samples->name);
    cJSON_AddStringToObject(json, "recipe", l->recipe.name);
    cli_json_add(json, "batch", l->options.batch);
    cli_json_add(json, "workers", l->options.workers);
    cli_json_add(json, "height", l->preprocess->height);
    cli_json_add(json, "width", l->preprocess->width);
    cli_json_add(json, "best_seconds", l->seconds[0]);
    cli_json_add(json, "median_seconds", l->seconds[l->steps / 2]);
    cli_json_add(json, "images_per_second", rate(l, l->seconds[l->steps / 2]));
    cli_json_add(json, "bad_pictures", (double)l->bad);
    return cli_print_json(json);
}

static void print_text(const loading *l)
{
    double best = l->seconds[0], median = l->seconds[l->steps / 2];
    int workers = l->options.workers;
    char processor[128];

    cli_processor_name(processor, sizeof processor);
    printf("%s: %s %s, recipe %s, %d x %d\n", l->samples->name,
           cli_count((int64_t)l->samples->count).text,
           l->samples->photos != NULL ? "pictures" : "images", l->recipe.name,
           l->preprocess->height, l->preprocess->width);
    printf("%s, %d thread%s, %d batch%s of %d\n\n", processor, workers, workers == 1 ? "" : "s",
           l->steps, l->steps == 1 ? "" : "es", l->options.batch);
    printf("  best    %10s  %8.0f images/s  %8.0f for each thread\n", cli_time(best).text,
           rate(l, best), rate(l, best) / workers);
    printf("  median  %10s  %8.0f images/s  %8.0f for each thread\n", cli_time(median).text,
           rate(l, median), rate(l, median) / workers);
    if (l->bad > 0)
        printf("  %s pictures could not be read\n", cli_count((int64_t)l->bad).text);
}

static int worker_count(const cli_arguments *args)
{
    int processors = rn_threads();

    if (cli_given(args, "workers"))
        return (int)cli_integer(args, "workers");
    return processors < MOST_WORKERS ? processors : MOST_WORKERS;
}

static rn_status set_up(loading *l, const cli_arguments *args)
{
    rn_status st;
    rn_model_options size = {.channels = 3, .height = 224, .width = 224};

    if (cli_flag(args, "serve") && (cli_given(args, "steps") || cli_flag(args, "json")))
        return rn_error(RN_EINVAL, "'--serve' excludes '--steps' and '--json'");
    RN_TRY(cli_recipe_named(&l->recipe, args, cli_text(args, "recipe")));
    RN_TRY(rn_threads_set(0));
    RN_TRY(rn_data_open(&l->samples, args->words[0], RN_SPLIT_TRAIN));
    if (l->samples->photos == NULL)
        size = (rn_model_options){.channels = l->samples->channels,
                                  .height = l->samples->height,
                                  .width = l->samples->width};
    if (cli_given(args, "input"))
        RN_TRY(cli_parse_input(&size, cli_text(args, "input")));
    RN_TRY(rn_preprocess_create(&l->preprocess,
                                size.channels == 3 ? RN_NORMALIZE_IMAGENET : RN_NORMALIZE_NONE,
                                size.channels, size.height, size.width, NULL, NULL));
    l->steps = (int)cli_integer(args, "steps");
    l->options = (rn_loader_options){.batch = (int)cli_integer(args, "batch"),
                                     .seed = l->recipe.seed,
                                     .augment = l->recipe.augment,
                                     .workers = worker_count(args),
                                     .depth = 1};
out:
    return st;
}

static rn_status run_bench(const cli_arguments *args)
{
    rn_status st;
    loading l = {0};

    RN_TRY(set_up(&l, args));
    if (cli_flag(args, "serve")) {
        st = cli_bench_serve(&(cli_bench_server){.step = load_batch, .context = &l});
        goto out;
    }
    RN_TRY(measure(&l));
    if (cli_flag(args, "json"))
        st = print_json(&l);
    else
        print_text(&l);
out:
    free(l.seconds);
    rn_preprocess_free(l.preprocess);
    rn_samples_free(l.samples);
    return st;
}

static const cli_option options[] = {
    {.name = "recipe",
     .letter = 'r',
     .kind = CLI_RECIPE,
     .argument = "NAME|FILE",
     .help = "whose augmentation is made",
     .fallback = "modern"},
    CLI_BATCH_OPTION,
    {.name = "steps",
     .letter = 'n',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "batches measured",
     .fallback = "10",
     .low = 1,
     .high = 1000000},
    {.name = "input",
     .kind = CLI_TEXT,
     .argument = "CxHxW",
     .help = "size of what is made of pictures of any size (default: 3x224x224)"},
    {.name = "workers",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "threads that prepare data; by default RESNET_THREADS, else OMP_NUM_THREADS, else as "
             "many as there are processors, up to 64",
     .low = 1,
     .high = MOST_WORKERS},
    {.name = "serve",
     .kind = CLI_FLAG,
     .help = "measure on demand, as 'resnet bench --serve' does: a step is a batch"},
    CLI_JSON_OPTION,
    {0}};

const cli_command cli_data_bench = {
    .name = "data bench",
    .usage = "SOURCE",
    .summary = "measure how fast training data are made",
    .description =
        "Measure how many pictures a second are read, decoded, cut, changed at random and "
        "normalised, as for training: best and median of some batches, each by threads that have "
        "nothing ready. A training step of so many pictures must not be faster than that, or it "
        "waits for data.",
    .examples = "resnet data bench photos\n"
                "resnet data bench photos.rnpack --workers 1 --batch 64",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_SOURCE,
    .options = options,
    .run = run_bench,
};
