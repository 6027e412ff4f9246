#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/model_file.h"
#include "cli/run_folder.h"
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>

static const char RESULT[] = "responses.json"; // in a run folder

/** One model, as it is measured. */
typedef struct measured {
    const cli_arguments *args;
    const char *word;
    cli_model model;
    bool ema;
    char *source;
    rn_samples *samples;
    rn_responses responses;
    int *ranks; // of the layers: 1 has the largest deviation
} measured;

// Measuring

static rn_status open_samples(measured *m)
{
    rn_status st;
    bool train = strcmp(cli_text(m->args, "split"), "train") == 0;

    RN_TRY(cli_choose_source(&m->source, m->args, m->word, "to measure on"));
    st = rn_data_open(&m->samples, m->source, train ? RN_SPLIT_TRAIN : RN_SPLIT_TEST);
out:
    return st;
}

// Layers of equal deviation are ranked in the network's order.
static rn_status rank_layers(measured *m)
{
    const rn_responses *r = &m->responses;

    m->ranks = calloc((size_t)r->count + 1, sizeof *m->ranks);
    if (m->ranks == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d layers", r->count);
    for (int i = 0; i < r->count; i++)
        for (int k = 0; k < r->count; k++)
            m->ranks[i] += r->layers[k].deviation > r->layers[i].deviation ||
                           (k <= i && !(r->layers[k].deviation < r->layers[i].deviation));
    return RN_OK;
}

static rn_status measure(measured *m)
{
    rn_status st;
    const cli_arguments *args = m->args;

    RN_TRY(cli_model_open(&m->model, args, m->word));
    RN_TRY(cli_choose_weights(&m->ema, m->model.checkpoint, cli_text(args, "weights")));
    cli_model_note(&m->model, args);
    RN_TRY(open_samples(m));
    const rn_responses_options options = {
        .engine = cli_text(args, "engine"),
        .batch = (int)cli_integer(args, "batch"),
        .images = (uint64_t)cli_integer(args, "images"),
        .ema = m->ema,
    };
    RN_TRY(rn_responses_measure(&m->responses, m->model.checkpoint, m->samples, &options));
    RN_TRY(rank_layers(m));
out:
    return st;
}

static void release(measured *m)
{
    rn_responses_release(&m->responses);
    rn_samples_free(m->samples);
    cli_model_release(&m->model);
    free(m->source);
    free(m->ranks);
}

// What is told of it

static void print_layer(const measured *m, int index)
{
    const rn_response *layer = &m->responses.layers[index];
    char kernel[16], std[32], mean[32];

    snprintf(kernel, sizeof kernel, "%dx%d", layer->conv->kernel, layer->conv->kernel);
    snprintf(std, sizeof std, "%.4f", layer->deviation);
    snprintf(mean, sizeof mean, "%.4f", layer->mean);
    printf("%-24s  %6s  %8d  %10s  %10s  %4d  %s\n", layer->conv->name, kernel,
           layer->conv->channels, std, mean, m->ranks[index], layer->measured->name);
}

static int index_at(const measured *m, int place)
{
    for (int i = 0; i < m->responses.count && cli_flag(m->args, "sort"); i++)
        if (m->ranks[i] == place + 1)
            return i;
    return place;
}

static void print_mean(const measured *m)
{
    const rn_responses *r = &m->responses;
    double sum = 0;
    int count = 0;

    for (int i = 0; i < r->count; i++)
        if (r->layers[i].conv->kernel == 3) {
            sum += r->layers[i].deviation;
            count++;
        }
    if (count > 0)
        printf("%d of 3x3: std %.4f on average\n", count, sum / count);
}

static void print_text(const measured *m)
{
    printf("%s: %d convolutions%s, on %s images of %s\n", m->model.checkpoint->model,
           m->responses.count, m->ema ? ", weights averaged (EMA)" : "",
           cli_count((int64_t)m->responses.images).text, m->samples->name);
    printf("%s%-24s  %6s  %8s  %10s  %10s  %4s  %s%s\n", cli_style(stdout, CLI_BOLD), "layer",
           "kernel", "channels", "std", "mean", "rank", "measured behind",
           cli_style(stdout, CLI_NORMAL));
    for (int place = 0; place < m->responses.count; place++)
        print_layer(m, index_at(m, place));
    print_mean(m);
}

static cJSON *layer_json(const measured *m, int index)
{
    const rn_response *layer = &m->responses.layers[index];
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "name", layer->conv->name);
    cJSON_AddStringToObject(json, "measured", layer->measured->name);
    cli_json_add(json, "kernel", layer->conv->kernel);
    cli_json_add(json, "channels", layer->conv->channels);
    cli_json_add(json, "std", layer->deviation);
    cli_json_add(json, "mean", layer->mean);
    cli_json_add(json, "rank", m->ranks[index]);
    return json;
}

static cJSON *model_json(const measured *m)
{
    cJSON *json = cJSON_CreateObject(), *layers;

    cJSON_AddStringToObject(json, "model", m->model.checkpoint->model);
    cJSON_AddStringToObject(json, "file", m->model.path);
    cJSON_AddStringToObject(json, "weights", m->ema ? "ema" : "last");
    cJSON_AddStringToObject(json, "data", m->samples->name);
    cli_json_add(json, "images", (double)m->responses.images);
    layers = cJSON_AddArrayToObject(json, "layers");
    for (int place = 0; place < m->responses.count; place++)
        cJSON_AddItemToArray(layers, layer_json(m, place));
    return json;
}

// As a file: with a newline in the end. Takes no part of `json`.
static rn_status text_of(char **out, const cJSON *json)
{
    rn_status st;
    char *text = NULL;

    RN_TRY(cli_json_shown(&text, cJSON_Duplicate(json, true), true));
    st = cli_format(out, "%s\n", text);
out:
    rn_text_free(text);
    return st;
}

static rn_status write_to_run(const char *folder, const cJSON *json)
{
    rn_status st;
    char *text = NULL;

    RN_TRY(text_of(&text, json));
    st = rn_run_folder_write(folder, RESULT, text);
out:
    free(text);
    return st;
}

static rn_status measure_model(cJSON *all, const cli_arguments *args, const char *word)
{
    rn_status st;
    measured m = {.args = args, .word = word};

    RN_TRY(measure(&m));
    cJSON *json = model_json(&m);
    if (!cJSON_AddItemToArray(all, json)) {
        cJSON_Delete(json);
        st = rn_error(RN_ENOMEM, "no memory for JSON");
        goto out;
    }
    if (cli_is_folder(word))
        RN_TRY(write_to_run(word, json));
    if (!cli_flag(args, "json"))
        print_text(&m);
out:
    release(&m);
    return st;
}

static rn_status check_out(const char *out)
{
    rn_status st;

    RN_TRY(cli_refuse_model_name("out", out));
    RN_TRY(cli_check_writable(out));
out:
    return st;
}

static rn_status run_responses(const cli_arguments *args)
{
    rn_status st;
    cJSON *all = cJSON_CreateArray();
    char *text = NULL;

    if (cli_given(args, "out"))
        RN_TRY(check_out(cli_text(args, "out")));
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    for (int i = 0; i < args->word_count; i++) {
        if (i > 0 && !cli_flag(args, "json"))
            printf("\n");
        RN_TRY(measure_model(all, args, args->words[i]));
    }
    RN_TRY(text_of(&text, args->word_count == 1 ? cJSON_GetArrayItem(all, 0) : all));
    if (cli_given(args, "out"))
        RN_TRY(rn_text_write(cli_text(args, "out"), text));
    if (cli_flag(args, "json"))
        fputs(text, stdout);
out:
    free(text);
    cJSON_Delete(all);
    return st;
}

static const cli_option options[] = {
    {.name = "data",
     .letter = 'd',
     .kind = CLI_SOURCE,
     .argument = "SOURCE",
     .help = "data set to measure on; by default that of the run"},
    CLI_SPLIT_OPTION,
    {.name = "images",
     .letter = 'n',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "how many pictures, evenly over the set; 0: all",
     .fallback = "0",
     .low = 0,
     .high = 4294967295},
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FILE,
     .argument = "FILE",
     .help = "write the result there too, as JSON"},
    {.name = "sort", .kind = CLI_FLAG, .help = "list the layer with the largest deviation first"},
    CLI_WEIGHTS_OPTION,
    CLI_BATCH_OPTION,
    CLI_THREADS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_JSON_OPTION,
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_responses = {
    .name = "responses",
    .usage = "MODEL-FILE|RUN...",
    .summary = "measure how strongly each layer responds",
    .description =
        "Measure mean and standard deviation of what each convolution gives for the pictures of a "
        "data set, behind its batch norm and before ReLU and addition: the analysis of layer "
        "responses of the 2015 paper (section 4.2, figure 7), which shows that residual functions "
        "are closer to zero than those of plain networks.\n\nWhere no batch norm reads a "
        "convolution alone, as in the last one of a pre-activation unit, its own output is "
        "measured. Of a run folder the result is left there as responses.json.",
    .examples = "resnet responses runs/plain-56 runs/resnet-56\n"
                "resnet responses m.safetensors --data data --images 1000 --sort",
    .least = 1,
    .most = -1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_responses,
};
