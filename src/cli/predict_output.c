#include "cli/predict_output.h"

#include "cli/class_ids.h"
#include "cli/json_output.h"
#include "cli/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGENET_LABELS = 5 }; // a line of the submission

rn_status predict_format_choose(predict_format *format, const cli_arguments *args)
{
    static const char *const names[] = {"text", "csv", "json", "jsonl", "imagenet"};
    const char *name = cli_text(args, "format");

    if (cli_flag(args, "json") && cli_flag(args, "csv"))
        return rn_error(RN_EINVAL, "'--json' and '--csv' exclude each other");
    if ((cli_flag(args, "json") || cli_flag(args, "csv")) && cli_given(args, "format"))
        return rn_error(RN_EINVAL, "'--format' and '--%s' exclude each other",
                        cli_flag(args, "json") ? "json" : "csv");
    name = cli_flag(args, "json") ? "json" : cli_flag(args, "csv") ? "csv" : name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            *format = (predict_format)i;
    if (cli_given(args, "class-ids") && *format != PREDICT_IMAGENET)
        return rn_error(RN_EINVAL, "'--class-ids' is for '--format imagenet'");
    if (cli_given(args, "top") && *format == PREDICT_IMAGENET)
        return rn_error(RN_EINVAL,
                        "'--top' is not for '--format imagenet', whose lines have %d "
                        "classes",
                        IMAGENET_LABELS);
    return RN_OK;
}

rn_status predict_output_init(predict_output *output, const cli_arguments *args,
                              const rn_checkpoint *model)
{
    rn_status st;
    int classes = model->options.classes;
    int64_t top = cli_integer(args, "top");

    *output = (predict_output){.model = model, .top = top > classes ? classes : (int)top};
    RN_TRY(predict_format_choose(&output->format, args));
    if (output->format == PREDICT_IMAGENET) {
        output->top = IMAGENET_LABELS;
        RN_TRY(cli_class_ids_read(&output->ids, model, cli_text(args, "class-ids")));
    }
    output->order = calloc((size_t)classes, sizeof *output->order);
    if (output->order == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d classes", classes);
out:
    return st;
}

void predict_output_begin(const predict_output *output)
{
    if (output->format == PREDICT_CSV)
        printf("file,rank,label,probability\n");
    if (output->format == PREDICT_JSON)
        printf("[");
}

void predict_output_release(predict_output *output)
{
    free(output->order);
    free(output->ids);
}

// Few classes are asked for: select them one by one.
static void rank_classes(predict_output *o, const float *probabilities)
{
    int classes = o->model->options.classes;

    for (int i = 0; i < classes; i++)
        o->order[i] = i;
    for (int i = 0; i < o->top; i++) {
        int best = i;
        for (int j = i + 1; j < classes; j++)
            if (probabilities[o->order[j]] > probabilities[o->order[best]])
                best = j;
        int class = o->order[best];
        memmove(o->order + i + 1, o->order + i, (size_t)(best - i) * sizeof *o->order);
        o->order[i] = class;
    }
}

static void print_text(const predict_output *o, const char *name, const float *probabilities)
{
    for (int i = 0; i < o->top; i++)
        printf("%-*s  %6.2f%%  %s\n", o->width, i == 0 ? cli_shown(name).text : "",
               100 * (double)probabilities[o->order[i]],
               cli_shown(o->model->label_names[o->order[i]]).text);
}

static void print_csv(const predict_output *o, const char *name, const float *probabilities)
{
    for (int i = 0; i < o->top; i++) {
        cli_put_csv(stdout, name);
        printf(",%d,", i + 1);
        cli_put_csv(stdout, o->model->label_names[o->order[i]]);
        printf(",%.6f\n", (double)probabilities[o->order[i]]);
    }
}

static void print_imagenet(const predict_output *o)
{
    for (int i = 0; i < IMAGENET_LABELS; i++)
        printf("%s%d", i > 0 ? " " : "", o->ids[o->order[i]]);
    printf("\n");
}

static void add_predictions(const predict_output *o, cJSON *result, const float *probabilities)
{
    cJSON *list = cJSON_AddArrayToObject(result, "predictions");

    for (int i = 0; i < o->top; i++) {
        int class = o->order[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "label", o->model->label_names[class]);
        cJSON_AddNumberToObject(item, "class", class);
        cli_json_add(item, "probability", (double)probabilities[class]);
        cJSON_AddItemToArray(list, item);
    }
}

static cJSON *new_result(const char *name)
{
    cJSON *result = cJSON_CreateObject();

    cJSON_AddStringToObject(result, "file", name);
    return result;
}

// One object at a time, so that an array of any length takes no memory. Releases it.
static rn_status print_object(const predict_output *o, cJSON *result)
{
    char *text;
    rn_status st = cli_json_shown(&text, result, o->format == PREDICT_JSON);

    if (st != RN_OK)
        return st;
    if (o->format == PREDICT_JSON)
        printf("%s%s", o->shown > 0 ? ", " : "", text);
    else
        printf("%s\n", text);
    rn_text_free(text);
    return RN_OK;
}

static rn_status print_json(const predict_output *o, const char *name, const float *probabilities)
{
    cJSON *result = new_result(name);

    add_predictions(o, result, probabilities);
    return print_object(o, result);
}

rn_status predict_output_show(predict_output *o, const char *name, const float *probabilities)
{
    rn_status st = RN_OK;

    rank_classes(o, probabilities);
    switch (o->format) {
    case PREDICT_TEXT:
        print_text(o, name, probabilities);
        break;
    case PREDICT_CSV:
        print_csv(o, name, probabilities);
        break;
    case PREDICT_IMAGENET:
        print_imagenet(o);
        break;
    case PREDICT_JSON:
    case PREDICT_LINES:
        st = print_json(o, name, probabilities);
    }
    o->shown++;
    return st;
}

rn_status predict_output_miss(predict_output *o, const char *name, const char *message)
{
    rn_status st = RN_OK;

    if (o->format == PREDICT_JSON || o->format == PREDICT_LINES) {
        cJSON *result = new_result(name);
        cJSON_AddStringToObject(result, "error", message);
        st = print_object(o, result);
        o->shown++;
    } else if (o->format == PREDICT_IMAGENET) { // lines stay in step with pictures
        printf("1 2 3 4 5\n");
    }
    return st;
}

void predict_output_finish(const predict_output *o)
{
    if (o->format == PREDICT_JSON)
        printf("]\n");
}
