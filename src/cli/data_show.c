#include "cli/command.h"
#include "cli/data_sheet.h"
#include "cli/json_output.h"
#include "cli/run_folder.h"
#include "cli/shown.h"
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>

enum { TRAIN, TEST, SPLITS };

static const char *const split_names[SPLITS] = {"train", "test"};

typedef struct shown {
    rn_samples *sets[SPLITS]; // NULL: the source has no such pictures
    const rn_samples *first;  // the training set, or what there is
    bool same;                // they are one set
    rn_preprocess *measured;  // mean and deviation of its channels; NULL: of encoded pictures
    int64_t *counts[SPLITS];  // of each class
} shown;

static rn_status count_classes(int64_t **out, const rn_samples *samples)
{
    int64_t *counts = calloc((size_t)samples->classes, sizeof *counts);

    *out = counts;
    if (counts == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d classes", samples->classes);
    for (size_t i = 0; i < samples->count; i++) {
        if (samples->labels[i] >= 0)
            counts[samples->labels[i]]++;
    }
    return RN_OK;
}

// Folders of pictures may have one split.
static rn_status open_sets(shown *s, const char *source)
{
    rn_status st;

    st = rn_data_open(&s->sets[TRAIN], source, RN_SPLIT_TRAIN);
    if (st != RN_OK && st != RN_ENOTFOUND)
        return st;
    st = rn_data_open(&s->sets[TEST], source, RN_SPLIT_TEST);
    s->first = s->sets[TRAIN] != NULL ? s->sets[TRAIN] : s->sets[TEST];
    if (st == RN_ENOTFOUND && s->first != NULL && s->first->photos != NULL)
        st = RN_OK;
    return st;
}

static rn_status open_shown(shown *s, const char *source)
{
    rn_status st;

    RN_TRY(open_sets(s, source));
    s->same = s->sets[TRAIN] != NULL && s->sets[TEST] != NULL &&
              rn_samples_same(s->sets[TRAIN], s->sets[TEST]);
    if (s->first->photos == NULL)
        RN_TRY(rn_preprocess_measure(&s->measured, s->first, RN_NORMALIZE_CHANNEL));
    for (int i = 0; i < SPLITS; i++)
        if (s->sets[i] != NULL)
            RN_TRY(count_classes(&s->counts[i], s->sets[i]));
out:
    return st;
}

static void release(shown *s)
{
    for (int i = 0; i < SPLITS; i++) {
        free(s->counts[i]);
        rn_samples_free(s->sets[i]);
    }
    rn_preprocess_free(s->measured);
}

static void print_set(const rn_samples *samples)
{
    if (samples->photos != NULL) {
        printf("%-24s  %8s encoded pictures\n", samples->name,
               cli_count((int64_t)samples->count).text);
        return;
    }
    printf("%-24s  %8s images of %d x %d x %d\n", samples->name,
           cli_count((int64_t)samples->count).text, samples->channels, samples->height,
           samples->width);
}

// What there is; sets that are one are shown as one.
static void print_sets(const shown *s)
{
    for (int i = 0; i < SPLITS; i++)
        if (s->sets[i] != NULL && !(s->same && i == TEST))
            print_set(s->sets[i]);
    if (s->same)
        printf(
            "no splits: these are both the training and the test set; 'resnet train --hold-out N' "
            "sets some aside\n");
    for (int i = 0; i < SPLITS; i++)
        if (s->sets[i] == NULL)
            printf("no %s pictures\n", i == TRAIN ? "training" : "test");
}

static void print_channels(const rn_preprocess *measured)
{
    for (int i = 0; i < 2; i++) {
        const float *values = i == 0 ? measured->mean : measured->deviation;
        printf("%-11s", i == 0 ? "mean" : "deviation");
        for (int c = 0; c < measured->channels; c++)
            printf("  %.4f", (double)values[c]);
        printf("%s\n", i == 0 ? "   of the training set's channels, 0 to 1" : "");
    }
}

static void print_count(const shown *s, int split, int class)
{
    if (s->sets[split] == NULL || (s->same && split == TEST))
        return;
    printf("  %8s", class < s->sets[split]->classes ? cli_count(s->counts[split][class]).text : "");
}

static void print_shown(const shown *s)
{
    const int width =
        cli_shown_width(s->first->label_names, s->first->classes, (int)strlen("class"));

    print_sets(s);
    if (s->measured != NULL) {
        printf("\n");
        print_channels(s->measured);
    }
    printf("\n%s%3s  %-*s", cli_style(stdout, CLI_BOLD), "", width, "class");
    for (int k = 0; k < SPLITS; k++)
        if (s->sets[k] != NULL && !(s->same && k == TEST))
            printf("  %8s", s->same ? "pictures" : split_names[k]);
    printf("%s\n", cli_style(stdout, CLI_NORMAL));
    for (int i = 0; i < s->first->classes; i++) {
        printf("%3d  %-*s", i, width, cli_shown(s->first->label_names[i]).text);
        for (int k = 0; k < SPLITS; k++)
            print_count(s, k, i);
        printf("\n");
    }
}

static cJSON *set_json(const rn_samples *samples, const int64_t *counts)
{
    cJSON *json = cJSON_CreateObject(), *list;
    int shape[3] = {samples->channels, samples->height, samples->width};

    cJSON_AddStringToObject(json, "name", samples->name);
    cli_json_add(json, "count", (double)samples->count);
    cJSON_AddItemToObject(json, "shape",
                          samples->photos != NULL ? cJSON_CreateNull()
                                                  : cJSON_CreateIntArray(shape, 3));
    list = cJSON_AddArrayToObject(json, "class_counts");
    for (int i = 0; i < samples->classes; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)counts[i]));
    return json;
}

static rn_status print_json(const shown *s)
{
    cJSON *json = cJSON_CreateObject(), *labels = cJSON_AddArrayToObject(json, "labels");
    const rn_preprocess *m = s->measured;

    for (int i = 0; i < s->first->classes; i++)
        cJSON_AddItemToArray(labels, cJSON_CreateString(s->first->label_names[i]));
    for (int i = 0; i < SPLITS; i++)
        cJSON_AddItemToObject(json, split_names[i],
                              s->sets[i] != NULL ? set_json(s->sets[i], s->counts[i])
                                                 : cJSON_CreateNull());
    cJSON_AddBoolToObject(json, "same", s->same);
    if (m != NULL) {
        cJSON_AddItemToObject(json, "mean", cJSON_CreateFloatArray(m->mean, m->channels));
        cJSON_AddItemToObject(json, "deviation", cJSON_CreateFloatArray(m->deviation, m->channels));
    }
    return cli_print_json(json);
}

static rn_status run_show(const cli_arguments *args)
{
    rn_status st;
    shown s = {0};

    if (cli_given(args, "sheet"))
        RN_TRY(cli_check_ending("sheet", cli_text(args, "sheet"), ".png"));
    RN_TRY(open_shown(&s, args->words[0]));
    if (cli_given(args, "sheet"))
        RN_TRY(cli_sheet_save(s.first, cli_text(args, "sheet")));
    if (cli_flag(args, "json"))
        st = print_json(&s);
    else
        print_shown(&s);
out:
    release(&s);
    return st;
}

static const cli_option options[] = {{.name = "sheet",
                                      .kind = CLI_FILE,
                                      .argument = "FILE.png",
                                      .help = "save a picture with the first images of each class"},
                                     CLI_JSON_OPTION,
                                     {0}};

const cli_command cli_data_show = {
    .name = "data show",
    .usage = "SOURCE",
    .summary = "counts, sizes, classes, mean and deviation",
    .description =
        "Show what a data set holds: images, their size, classes and how many of each, "
        "mean and deviation of the channels. Pictures that are not split are shown once.",
    .examples = "resnet data show shapes --sheet shapes.png\n"
                "resnet data show data",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_SOURCE,
    .options = options,
    .run = run_show,
};
