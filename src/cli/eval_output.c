#include "cli/eval_output.h"

#include "cli/eval_views.h"
#include "cli/json_output.h"
#include "cli/shown.h"
#include "cli/term.h"

#include <string.h>

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

static void print_classes(const cli_scores *s)
{
    const rn_evaluation *e = s->evaluation;
    int width = cli_shown_width(s->names, e->classes, (int)strlen("class"));

    printf("\n%-*s  %7s  %7s  %8s  most often taken for\n", width, "class", "images", "wrong",
           "accuracy");
    for (int i = 0; i < e->classes; i++) {
        int64_t total = class_total(e, i), right = confused(e, i, i);
        int other = most_confused(e, i);
        printf("%-*s  %7s  %7s", width, cli_shown(s->names[i]).text, cli_count(total).text,
               cli_count(total - right).text);
        if (total > 0)
            printf("  %7.2f%%", cli_percent(right, total));
        if (other >= 0)
            printf("  %s (%s)", cli_shown(s->names[other]).text,
                   cli_count(confused(e, i, other)).text);
        printf("\n");
    }
}

static void print_matrix(const cli_scores *s)
{
    const rn_evaluation *e = s->evaluation;
    int width = cli_shown_width(s->names, e->classes, (int)strlen("class"));

    printf("\n%-*s  predicted\n%*s ", width, "label", width, "");
    for (int i = 0; i < e->classes; i++)
        printf(" %6.6s", cli_shown(s->names[i]).text);
    printf("\n");
    for (int i = 0; i < e->classes; i++) {
        printf("%-*s ", width, cli_shown(s->names[i]).text);
        for (int j = 0; j < e->classes; j++)
            printf(" %6lld", (long long)confused(e, i, j));
        printf("\n");
    }
}

static void print_views(const cli_scores *s)
{
    const rn_evaluation *e = s->evaluation;

    printf("  views     %s, %.4g a picture", cli_views_describe(&s->views->views).text,
           e->count > 0 ? (double)e->views / (double)e->count : 0);
    if (s->models > 1)
        printf(", %d models", s->models);
    if (s->models > 1 || e->views > e->count)
        printf(", %s averaged",
               s->views->average == RN_AVERAGE_LOGITS ? "logits" : "probabilities");
    printf("\n");
    if (e->skipped > 0)
        printf("  skipped   %s that could not be read\n", cli_count(e->skipped).text);
}

static void print_scores(const cli_scores *s)
{
    const rn_evaluation *e = s->evaluation;
    int64_t right = e->count - e->wrong;

    printf("%s: %s images%s", s->samples->name, cli_count(e->count).text,
           s->ema ? ", weights averaged (EMA)" : "");
    if (s->int8)
        printf(", int8");
    if (s->tta != RN_TTA_NONE)
        printf(", logits averaged (%s)", rn_tta_name(s->tta));
    printf("\n");
    if (s->views != NULL)
        print_views(s);
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

static void add_views(cJSON *json, const cli_scores *s)
{
    const rn_views *views = &s->views->views;

    cJSON_AddStringToObject(json, "protocol", rn_protocol_name(views->protocol));
    if (views->protocol == RN_PROTOCOL_MULTI_SCALE) {
        cJSON *scales = cJSON_AddArrayToObject(json, "scales");
        for (int i = 0; i < views->scale_count; i++)
            cJSON_AddItemToArray(scales, cJSON_CreateNumber(views->scales[i]));
    } else if (views->protocol != RN_PROTOCOL_WHOLE) {
        cli_json_add(json, "resize", views->resize);
        if (views->crop_height == views->crop_width) {
            cli_json_add(json, "crop", views->crop_width);
        } else {
            cli_json_add(json, "crop_height", views->crop_height);
            cli_json_add(json, "crop_width", views->crop_width);
        }
    }
    cJSON_AddBoolToObject(json, "mirror", views->mirror || views->protocol == RN_PROTOCOL_TEN);
    cJSON_AddStringToObject(json, "filter",
                            views->filter == RN_RESIZE_BICUBIC ? "bicubic" : "bilinear");
    cJSON_AddStringToObject(json, "average",
                            s->views->average == RN_AVERAGE_LOGITS ? "logits" : "softmax");
    cli_json_add(json, "models", s->models);
    cli_json_add(json, "views", (double)s->evaluation->views);
    cli_json_add(json, "skipped", (double)s->evaluation->skipped);
}

rn_status cli_scores_json(const cli_scores *s)
{
    const rn_evaluation *e = s->evaluation;
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "data", s->source);
    cJSON_AddStringToObject(json, "set", s->samples->name);
    cJSON_AddStringToObject(json, "weights", s->weights);
    cJSON_AddStringToObject(json, "dtype", s->int8 ? "int8" : "float32");
    cJSON_AddStringToObject(json, "tta", rn_tta_name(s->tta));
    if (s->views != NULL)
        add_views(json, s);
    cli_json_add(json, "count", (double)e->count);
    cli_json_add(json, "wrong", (double)e->wrong);
    cli_json_add(json, "wrong_top5", (double)e->wrong_top5);
    cli_json_add(json, "error", cli_percent(e->wrong, e->count));
    cli_json_add(json, "accuracy", cli_percent(e->count - e->wrong, e->count));
    cli_json_add(json, "loss", e->loss);
    cli_json_add(json, "seconds", e->seconds);
    cli_json_add(json, "images_per_second", e->seconds > 0 ? (double)e->count / e->seconds : 0);
    cJSON *labels = cJSON_AddArrayToObject(json, "labels");
    for (int i = 0; i < s->evaluation->classes; i++)
        cJSON_AddItemToArray(labels, cJSON_CreateString(s->names[i]));
    if (e->confusion != NULL)
        cJSON_AddItemToObject(json, "confusion", matrix_json(e));
    return cli_print_json(json);
}

void cli_scores_print(const cli_scores *s, bool per_class, bool matrix)
{
    print_scores(s);
    if (per_class || matrix)
        print_classes(s);
    if (matrix)
        print_matrix(s);
}
