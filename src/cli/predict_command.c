#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/model_file.h"
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 32 };

typedef enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV } format;

typedef struct classifier {
    cli_model model;
    rn_predictor *predictor; // of the model
    int top, classes, failed;
    int *order; // classes, most probable first
    format format;
    cJSON *json; // array of results
    int width;   // of the longest file name
} classifier;

// Few classes are asked for: select them one by one.
static void rank_classes(classifier *c, const float *probabilities)
{
    for (int i = 0; i < c->classes; i++)
        c->order[i] = i;
    for (int i = 0; i < c->top; i++) {
        int best = i;
        for (int j = i + 1; j < c->classes; j++)
            if (probabilities[c->order[j]] > probabilities[c->order[best]])
                best = j;
        int class = c->order[best];
        memmove(c->order + i + 1, c->order + i, (size_t)(best - i) * sizeof *c->order);
        c->order[i] = class;
    }
}

static void print_text(const classifier *c, const char *file, const float *probabilities)
{
    for (int i = 0; i < c->top; i++)
        printf("%-*s  %6.2f%%  %s\n", c->width, i == 0 ? file : "",
               100 * (double)probabilities[c->order[i]],
               rn_predictor_label(c->predictor, c->order[i]));
}

static void print_csv_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_csv(const classifier *c, const char *file, const float *probabilities)
{
    for (int i = 0; i < c->top; i++) {
        print_csv_text(file);
        printf(",%d,", i + 1);
        print_csv_text(rn_predictor_label(c->predictor, c->order[i]));
        printf(",%.6f\n", (double)probabilities[c->order[i]]);
    }
}

static void add_json(classifier *c, const char *file, const float *probabilities)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *list;

    cJSON_AddStringToObject(result, "file", file);
    list = cJSON_AddArrayToObject(result, "predictions");
    for (int i = 0; i < c->top; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "label", rn_predictor_label(c->predictor, c->order[i]));
        cJSON_AddNumberToObject(item, "class", c->order[i]);
        cli_json_add(item, "probability", (double)probabilities[c->order[i]]);
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddItemToArray(c->json, result);
}

static void show(classifier *c, const char *file, const float *probabilities)
{
    rank_classes(c, probabilities);
    if (c->format == FORMAT_JSON)
        add_json(c, file, probabilities);
    else if (c->format == FORMAT_CSV)
        print_csv(c, file, probabilities);
    else
        print_text(c, file, probabilities);
}

static void report_failure(classifier *c, const char *file)
{
    c->failed++;
    fflush(stdout);
    fprintf(stderr, "resnet: error: %s\n", rn_error_message());
    if (c->format == FORMAT_JSON) {
        cJSON *result = cJSON_CreateObject();
        cJSON_AddStringToObject(result, "file", file);
        cJSON_AddStringToObject(result, "error", rn_error_message());
        cJSON_AddItemToArray(c->json, result);
    }
}

static rn_status set_picture(rn_predictor *predictor, int slot, const char *path)
{
    rn_status st;
    rn_image *image = NULL;

    RN_TRY(rn_image_open(&image, path));
    RN_TRY(rn_predictor_set(predictor, slot, image));
out:
    rn_image_free(image);
    return st;
}

// At most BATCH files; those that cannot be read are reported, the others classified.
static rn_status classify(classifier *c, char **files, int count)
{
    const char *good[BATCH];
    const float *probabilities;
    int used = 0;

    for (int i = 0; i < count; i++) {
        rn_status st = set_picture(c->predictor, used, files[i]);
        if (st == RN_ENOMEM)
            return st;
        if (st == RN_OK)
            good[used++] = files[i];
        else
            report_failure(c, files[i]);
    }
    if (used == 0)
        return RN_OK;
    rn_status st = rn_predictor_run(c->predictor, &probabilities);
    for (int i = 0; st == RN_OK && i < used; i++)
        show(c, good[i], probabilities + (ptrdiff_t)i * c->classes);
    return st;
}

static int widest(char **files, int count)
{
    size_t width = 0;

    for (int i = 0; i < count; i++)
        if (strlen(files[i]) > width)
            width = strlen(files[i]);
    return width > 60 ? 60 : (int)width;
}

static rn_status prepare(classifier *c, const cli_arguments *args)
{
    rn_status st;
    int files = args->word_count - 1;

    if (cli_flag(args, "json") && cli_flag(args, "csv"))
        return rn_error(RN_EINVAL, "'--json' and '--csv' exclude each other");
    c->format = cli_flag(args, "json")  ? FORMAT_JSON
                : cli_flag(args, "csv") ? FORMAT_CSV
                                        : FORMAT_TEXT;
    c->width = widest(args->words + 1, files);
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(cli_model_open(&c->model, args, args->words[0]));
    cli_model_note(&c->model, args);
    RN_TRY(rn_predictor_create_from(&c->predictor, c->model.checkpoint,
                                    files < BATCH ? files : BATCH, cli_text(args, "engine")));
    c->classes = rn_predictor_classes(c->predictor);
    c->top = (int)cli_integer(args, "top");
    c->top = c->top > c->classes ? c->classes : c->top;
    c->order = calloc((size_t)c->classes, sizeof *c->order);
    c->json = cJSON_CreateArray();
    if (c->order == NULL || c->json == NULL)
        st = rn_error(RN_ENOMEM, "no memory for %d classes", c->classes);
out:
    return st;
}

static rn_status finish(classifier *c, int files)
{
    rn_status st = RN_OK;

    if (c->format == FORMAT_JSON) {
        st = cli_print_json(c->json);
        c->json = NULL;
    }
    if (st == RN_OK && c->failed > 0)
        st = rn_error(RN_EIO, "%d of %d pictures could not be classified", c->failed, files);
    return st;
}

static rn_status run_predict(const cli_arguments *args)
{
    rn_status st;
    classifier c = {0};
    int files = args->word_count - 1;

    RN_TRY(prepare(&c, args));
    if (c.format == FORMAT_CSV)
        printf("file,rank,label,probability\n");
    for (int i = 0; i < files; i += BATCH)
        RN_TRY(classify(&c, args->words + 1 + i, files - i < BATCH ? files - i : BATCH));
    RN_TRY(finish(&c, files));
out:
    cJSON_Delete(c.json);
    free(c.order);
    rn_predictor_free(c.predictor);
    cli_model_release(&c.model);
    return st;
}

static const cli_option options[] = {
    {.name = "top",
     .letter = 'k',
     .kind = CLI_INTEGER,
     .argument = "K",
     .help = "how many classes to name, the most probable first",
     .fallback = "1",
     .low = 1,
     .high = 1000000},
    CLI_JSON_OPTION,
    {.name = "csv", .kind = CLI_FLAG, .help = "print comma-separated values"},
    CLI_THREADS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_predict = {
    .name = "predict",
    .usage = "MODEL-FILE|RUN IMAGE...",
    .summary = "say what is in pictures",
    .description = "Classify PNG, JPEG, WebP, PPM or PGM pictures of any size with a trained network. "
                   "Label names and preprocessing come from the model file. A picture that cannot "
                   "be read is reported, and the others are still classified.",
    .examples = "resnet predict runs/resnet-20-shapes cat.png dog.jpg\n"
                "resnet predict model.safetensors --top 3 --json *.png",
    .least = 2,
    .most = -1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_predict,
};
