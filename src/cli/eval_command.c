#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/model_file.h"
#include "cli/run_folder.h"
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>

typedef struct scores {
    const rn_samples *samples;
    const rn_evaluation *evaluation;
    const char *source;
    rn_tta tta;
    bool ema;
} scores;

static int64_t class_total(const rn_evaluation *e, int label)
{
    int64_t total = 0;

    for (int predicted = 0; predicted < e->classes; predicted++)
        total += e->confusion[(size_t)label * (size_t)e->classes + (size_t)predicted];
    return total;
}

static int64_t confused(const rn_evaluation *e, int label, int predicted)
{
    return e->confusion[(size_t)label * (size_t)e->classes + (size_t)predicted];
}

// The class that a label is most often taken for; -1: never for another.
static int most_confused(const rn_evaluation *e, int label)
{
    int most = -1;

    for (int predicted = 0; predicted < e->classes; predicted++)
        if (predicted != label && confused(e, label, predicted) > 0 &&
            (most < 0 || confused(e, label, predicted) > confused(e, label, most)))
            most = predicted;
    return most;
}

static int label_width(const rn_samples *samples)
{
    size_t width = strlen("class");

    for (int i = 0; i < samples->classes; i++)
        if (strlen(samples->label_names[i]) > width)
            width = strlen(samples->label_names[i]);
    return (int)width;
}

static void print_classes(const scores *s)
{
    const rn_evaluation *e = s->evaluation;
    int width = label_width(s->samples);

    printf("\n%-*s  %7s  %7s  %8s  most often taken for\n", width, "class", "images", "wrong",
           "accuracy");
    for (int i = 0; i < e->classes; i++) {
        int64_t total = class_total(e, i), right = confused(e, i, i);
        int other = most_confused(e, i);
        printf("%-*s  %7s  %7s  %7.2f%%", width, s->samples->label_names[i], cli_count(total).text,
               cli_count(total - right).text, cli_percent(right, total));
        if (other >= 0)
            printf("  %s (%s)", s->samples->label_names[other],
                   cli_count(confused(e, i, other)).text);
        printf("\n");
    }
}

static void print_matrix(const scores *s)
{
    const rn_evaluation *e = s->evaluation;
    int width = label_width(s->samples);

    printf("\n%-*s  predicted\n%*s ", width, "label", width, "");
    for (int i = 0; i < e->classes; i++)
        printf(" %6.6s", s->samples->label_names[i]);
    printf("\n");
    for (int i = 0; i < e->classes; i++) {
        printf("%-*s ", width, s->samples->label_names[i]);
        for (int j = 0; j < e->classes; j++)
            printf(" %6lld", (long long)confused(e, i, j));
        printf("\n");
    }
}

static void print_scores(const scores *s)
{
    const rn_evaluation *e = s->evaluation;
    int64_t right = e->count - e->wrong;

    printf("%s: %s images%s", s->samples->name, cli_count(e->count).text,
           s->ema ? ", weights averaged (EMA)" : "");
    if (s->tta != RN_TTA_NONE)
        printf(", logits averaged (%s)", rn_tta_name(s->tta));
    printf("\n");
    printf("  %saccuracy  %6.2f%%%s  %s right\n", cli_style(stdout, CLI_BOLD),
           cli_percent(right, e->count), cli_style(stdout, CLI_NORMAL), cli_count(right).text);
    printf("  error     %6.2f%%  %s wrong\n", cli_percent(e->wrong, e->count),
           cli_count(e->wrong).text);
    if (e->classes > 5)
        printf("  top-5     %6.2f%%  %s right\n", cli_percent(e->count - e->wrong_top5, e->count),
               cli_count(e->count - e->wrong_top5).text);
    printf("  loss      %6.4f\n", e->loss);
    printf("  speed     %6.0f   images/s (%s)\n",
           e->seconds > 0 ? (double)e->count / e->seconds : 0, cli_time(e->seconds).text);
}

static cJSON *matrix_json(const rn_evaluation *e)
{
    cJSON *rows = cJSON_CreateArray();

    for (int i = 0; i < e->classes; i++) {
        cJSON *row = cJSON_CreateArray();
        for (int j = 0; j < e->classes; j++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber((double)confused(e, i, j)));
        cJSON_AddItemToArray(rows, row);
    }
    return rows;
}

static rn_status print_json(const scores *s)
{
    const rn_evaluation *e = s->evaluation;
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "data", s->source);
    cJSON_AddStringToObject(json, "set", s->samples->name);
    cJSON_AddStringToObject(json, "weights", s->ema ? "ema" : "last");
    cJSON_AddStringToObject(json, "tta", rn_tta_name(s->tta));
    cli_json_add(json, "count", (double)e->count);
    cli_json_add(json, "wrong", (double)e->wrong);
    cli_json_add(json, "wrong_top5", (double)e->wrong_top5);
    cli_json_add(json, "error", cli_percent(e->wrong, e->count));
    cli_json_add(json, "accuracy", cli_percent(e->count - e->wrong, e->count));
    cli_json_add(json, "loss", e->loss);
    cli_json_add(json, "seconds", e->seconds);
    cli_json_add(json, "images_per_second", e->seconds > 0 ? (double)e->count / e->seconds : 0);
    cJSON *labels = cJSON_AddArrayToObject(json, "labels");
    for (int i = 0; i < s->samples->classes; i++)
        cJSON_AddItemToArray(labels, cJSON_CreateString(s->samples->label_names[i]));
    if (e->confusion != NULL)
        cJSON_AddItemToObject(json, "confusion", matrix_json(e));
    return cli_print_json(json);
}

static rn_status choose_source(char **source, const cli_arguments *args)
{
    if (cli_given(args, "data"))
        return cli_format(source, "%s", cli_text(args, "data"));
    *source = cli_recorded_source(args->words[0]);
    if (*source == NULL)
        return rn_error(RN_EINVAL, "no run.json beside '%s': '--data' must say what to evaluate on",
                        args->words[0]);
    return RN_OK;
}

static rn_status show(const cli_arguments *args, const scores *s)
{
    if (cli_flag(args, "json"))
        return print_json(s);
    print_scores(s);
    if (cli_flag(args, "per-class") || cli_flag(args, "confusion"))
        print_classes(s);
    if (cli_flag(args, "confusion"))
        print_matrix(s);
    return RN_OK;
}

static rn_status run_eval(const cli_arguments *args)
{
    rn_status st;
    cli_model model = {0};
    rn_samples *samples = NULL;
    char *source = NULL;
    bool ema, train = strcmp(cli_text(args, "split"), "train") == 0;
    rn_evaluation evaluation = {0};
    rn_evaluate_options options = {
        .batch = (int)cli_integer(args, "batch"),
        .confusion = cli_flag(args, "confusion") || cli_flag(args, "per-class"),
        .engine = cli_text(args, "engine"),
    };

    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(cli_model_open(&model, args, args->words[0]));
    RN_TRY(cli_choose_weights(&ema, model.checkpoint, cli_text(args, "weights")));
    cli_model_note(&model, args);
    RN_TRY(choose_source(&source, args));
    RN_TRY(rn_data_open(&samples, source, train ? RN_SPLIT_TRAIN : RN_SPLIT_TEST));
    RN_TRY(rn_tta_parse(&options.tta, cli_text(args, "tta")));
    RN_TRY(rn_evaluate(&evaluation, model.checkpoint, ema, samples, &options));
    RN_TRY(show(args, &(scores){samples, &evaluation, source, options.tta, ema}));
out:
    rn_evaluation_release(&evaluation);
    rn_samples_free(samples);
    free(source);
    cli_model_release(&model);
    return st;
}

static const cli_option options[] = {
    {.name = "data",
     .letter = 'd',
     .kind = CLI_SOURCE,
     .argument = "SOURCE",
     .help = "data set, as for 'resnet train'; by default that of the run"},
    {.name = "split",
     .kind = CLI_CHOICE,
     .argument = "NAME",
     .help = "which part of it",
     .fallback = "test",
     .choices = "test|train"},
    {.name = "per-class", .kind = CLI_FLAG, .help = "show a table of the classes"},
    {.name = "confusion", .kind = CLI_FLAG, .help = "show which class is taken for which, too"},
    {.name = "weights",
     .kind = CLI_CHOICE,
     .argument = "WHICH",
     .help = "of a checkpoint: the moving average, which is the default where there is one, or "
             "the last weights",
     .choices = "ema|last"},
    {.name = "tta",
     .kind = CLI_CHOICE,
     .argument = "VIEWS",
     .help = "average the logits of each picture with those of its mirror image, or of these and "
             "of crops a pixel aside",
     .fallback = "none",
     .choices = "none|flip|flip-translate"},
    CLI_BATCH_OPTION,
    CLI_THREADS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_JSON_OPTION,
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_eval = {
    .name = "eval",
    .usage = "MODEL-FILE|RUN",
    .summary = "measure a trained network on a data set",
    .description = "Measure a trained network on every picture of a data set, once: error, "
                   "accuracy, loss, speed.\n\nThe network is a model file (also of PyTorch, "
                   "safetensors or ONNX), a checkpoint, or a run folder, of which the final model "
                   "is taken, or the newest checkpoint. What a file does not say and is assumed is "
                   "noted on standard error.",
    .examples = "resnet eval runs/resnet-20-shapes\n"
                "resnet eval model.safetensors --data cifar-10-batches-bin --confusion\n"
                "resnet eval resnet20.th --data cifar-10-batches-bin",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_eval,
};
