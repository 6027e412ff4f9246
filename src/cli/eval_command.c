#include "cli/command.h"
#include "cli/confusion_files.h"
#include "cli/eval_files.h"
#include "cli/eval_output.h"
#include "cli/eval_views.h"
#include "cli/model_file.h"
#include "cli/run_folder.h"
#include "cli/signals.h"
#include "cli/test_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MODELS = 32 };

typedef struct evaluator {
    const cli_arguments *args;
    cli_model models[MOST_MODELS];
    rn_member members[MOST_MODELS];
    int count; // of models
    rn_samples *samples;
    char *source;
    rn_tta tta;
    rn_evaluate_views_options views;
    bool by_views; // rn_evaluate_views(), not rn_evaluate()
    cli_scores_file file;
    rn_evaluation evaluation;
} evaluator;

static rn_status open_models(evaluator *e)
{
    rn_status st = RN_OK;

    for (int i = 0; i < e->args->word_count; i++) {
        e->count = i + 1; // of the last, opened in part, what there is must be released
        RN_TRY(cli_model_open(&e->models[i], e->args, e->args->words[i]));
        e->members[i].model = e->models[i].checkpoint;
        RN_TRY(cli_choose_weights(&e->members[i].ema, e->members[i].model,
                                  cli_text(e->args, "weights")));
        RN_TRY(cli_choose_type(e->models[i].checkpoint, e->args));
        cli_model_note(&e->models[i], e->args);
    }
out:
    return st;
}

// Names of the model's classes: the set's where these were matched by number, as those of a model
// are that only numbers its classes.
static char *const *class_names(const evaluator *e)
{
    const rn_checkpoint *model = e->members[0].model;
    const rn_samples *samples = e->samples;
    int unknown = 0;

    if (samples->classes != model->options.classes)
        return model->label_names;
    for (int i = 0; i < samples->classes && unknown == 0; i++)
        unknown += cli_find_label(model, samples->label_names[i]) < 0;
    return unknown > 0 ? samples->label_names : model->label_names;
}

static rn_status on_picture(const rn_picture_scores *scores, void *context)
{
    evaluator *e = context;

    if (scores->error != NULL)
        cli_note_bad(scores->error, NULL);
    return cli_scores_file_add(&e->file, scores);
}

// What only views have is refused where there are none.
static rn_status choose_way(evaluator *e)
{
    static const char *const of_views[] = {"resize",     "crop",    "scales",
                                           "mirror",     "filter",  "average",
                                           "bad-images", "workers", "save-logits"};
    const cli_arguments *args = e->args;
    const bool photos = e->samples->photos != NULL;

    e->by_views = photos || e->count > 1 || cli_given(args, "protocol");
    if (e->by_views && e->tta != RN_TTA_NONE)
        return rn_error(RN_EINVAL, "'--tta' is for one model and images of its input's size; "
                                   "'--protocol' and '--mirror' choose views of others");
    for (size_t i = 0; i < sizeof of_views / sizeof *of_views && !e->by_views; i++)
        if (cli_given(args, of_views[i]))
            return rn_error(RN_EINVAL, "option '--%s' needs '--protocol'", of_views[i]);
    return RN_OK;
}

static rn_status open_scores(evaluator *e)
{
    rn_status st;
    const cli_arguments *args = e->args;

    RN_TRY(cli_scores_file_open(&e->file, cli_text(args, "save-logits")));
    if (cli_confusion_names(cli_text(args, "confusion"), e->file.list_path))
        st = rn_error(RN_EINVAL, "'--confusion' and the list of '--save-logits' are one file, '%s'",
                      e->file.list_path);
out:
    return st;
}

static rn_status prepare_views(evaluator *e)
{
    rn_status st;
    const cli_arguments *args = e->args;
    const char *name = cli_text(args, "protocol");
    rn_protocol protocol = e->samples->photos != NULL ? RN_PROTOCOL_SINGLE : RN_PROTOCOL_WHOLE;

    if (name != NULL)
        RN_TRY(rn_protocol_parse(&protocol, name));
    e->views = (rn_evaluate_views_options){
        .average = strcmp(cli_text(args, "average"), "logits") == 0 ? RN_AVERAGE_LOGITS
                                                                    : RN_AVERAGE_SOFTMAX,
        .batch = (int)cli_integer(args, "batch"),
        .workers = (int)cli_integer(args, "workers"),
        .skip_bad = cli_bad_images(args) == RN_BAD_IMAGES_SKIP,
        .confusion = cli_given(args, "confusion") || cli_flag(args, "per-class"),
        .engine = cli_text(args, "engine"),
        .stop = cli_signals_catch(),
        .on_picture = on_picture,
        .context = e,
    };
    RN_TRY(cli_views_parse(&e->views.views, args, protocol, e->members[0].model));
    e->file = (cli_scores_file){.samples = e->samples,
                                .classes = e->members[0].model->options.classes,
                                .names = class_names(e)};
    if (cli_given(args, "save-logits"))
        RN_TRY(open_scores(e));
out:
    return st;
}

static rn_status evaluate(evaluator *e)
{
    rn_status st;
    const cli_arguments *args = e->args;
    const rn_evaluate_options options = {
        .batch = (int)cli_integer(args, "batch"),
        .confusion = cli_given(args, "confusion") || cli_flag(args, "per-class"),
        .tta = e->tta,
        .engine = cli_text(args, "engine"),
        .stop = cli_signals_catch(),
    };

    if (!e->by_views)
        return rn_evaluate(&e->evaluation, e->members[0].model, e->members[0].ema, e->samples,
                           &options);
    RN_TRY(prepare_views(e));
    RN_TRY(rn_evaluate_views(&e->evaluation, e->members, e->count, e->samples, &e->views));
out:
    return st;
}

static const char *which_weights(const rn_member *member)
{
    if (member->ema)
        return "ema";
    return member->model->state != NULL || member->model->ema != NULL ? "last" : "model";
}

static rn_status show(const evaluator *e)
{
    const char *files = cli_text(e->args, "confusion");
    const cli_scores scores = {
        .samples = e->samples,
        .evaluation = &e->evaluation,
        .source = e->source,
        .names = class_names(e),
        .tta = e->tta,
        .ema = e->members[0].ema,
        .weights = which_weights(&e->members[0]),
        .int8 = e->members[0].model->ranges != NULL,
        .views = e->by_views ? &e->views : NULL,
        .models = e->count,
    };

    if (cli_flag(e->args, "json"))
        return cli_scores_json(&scores);
    cli_scores_print(&scores, cli_flag(e->args, "per-class"), files != NULL && *files == '\0');
    return RN_OK;
}

// Last: what cannot be written takes no result away.
static rn_status write_files(evaluator *e)
{
    rn_status st;

    RN_TRY(cli_scores_file_finish(&e->file));
    RN_TRY(cli_confusion_write(cli_text(e->args, "confusion"), &e->evaluation, class_names(e)));
out:
    return st;
}

static rn_status run_eval(const cli_arguments *args)
{
    rn_status st;
    evaluator e = {.args = args};
    bool train = strcmp(cli_text(args, "split"), "train") == 0;

    RN_TRY(cli_confusion_check(cli_text(args, "confusion")));
    RN_TRY(rn_tta_parse(&e.tta, cli_text(args, "tta")));
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(open_models(&e));
    RN_TRY(cli_choose_source(&e.source, args, args->words[0], "to evaluate on"));
    RN_TRY(train ? rn_data_open(&e.samples, e.source, RN_SPLIT_TRAIN)
                 : cli_test_set_open(&e.samples, e.source, e.models[0].checkpoint, args->words[0]));
    RN_TRY(choose_way(&e));
    RN_TRY(evaluate(&e));
    RN_TRY(show(&e));
    RN_TRY(write_files(&e));
out:
    cli_scores_file_release(&e.file);
    rn_evaluation_release(&e.evaluation);
    rn_samples_free(e.samples);
    free(e.source);
    for (int i = 0; i < e.count; i++)
        cli_model_release(&e.models[i]);
    return st;
}

static const cli_option options[] = {
    {.name = "data",
     .letter = 'd',
     .kind = CLI_SOURCE,
     .argument = "SOURCE",
     .help = "data set, as for 'resnet train'; by default that of the run"},
    CLI_SPLIT_OPTION,
    {.name = "per-class", .kind = CLI_FLAG, .help = "show a table of the classes"},
    {.name = "confusion",
     .kind = CLI_OPTIONAL_FILE,
     .argument = "FILE,...",
     .help = "show which class is taken for which, too; or write it to files, FILE.csv a table, "
             "FILE.svg or FILE.png a picture"},
    CLI_WEIGHTS_OPTION,
    {.name = "tta",
     .kind = CLI_CHOICE,
     .argument = "VIEWS",
     .help = "average the logits of each picture with those of its mirror image, or of these and "
             "of crops a pixel aside",
     .fallback = "none",
     .choices = "none|flip|flip-translate"},
    {.name = "save-logits",
     .kind = CLI_FILE,
     .argument = "FILE.npy",
     .help = "write what was averaged for NumPy: probabilities of each picture, with '--average "
             "logits' logits (of images of one size with '--protocol whole'); and the pictures' "
             "names and labels to FILE.csv"},
    {.name = "batch",
     .letter = 'b',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "pictures at a time; by default 128, by views 32 and at most 4096",
     .low = 1,
     .high = 65536},
    CLI_PRODUCTS_OPTION,
    CLI_THREADS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_JSON_OPTION,
    CLI_VIEWS_OPTIONS,
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_eval = {
    .name = "eval",
    .usage = "MODEL-FILE|RUN...",
    .summary = "measure a trained network on a data set",
    .description =
        "Measure a trained network on every picture of a data set, once: error, "
        "accuracy, loss, speed.\n\nThe network is a model file (also of PyTorch, "
        "safetensors or ONNX), a checkpoint, or a run folder, of which the final model "
        "is taken, or the newest checkpoint. What a file does not say and is assumed is "
        "noted on standard error.\n\nA run on pictures without splits is measured on those that it "
        "held out, if it did; '--split train' takes all.\n\nPhotographs of any size are seen "
        "through the views of a "
        "protocol, and several models are an ensemble: probabilities are averaged over "
        "views and models.",
    .examples = "resnet eval runs/resnet-20-shapes\n"
                "resnet eval model.safetensors --data data --confusion\n"
                "resnet eval resnet20.th --data data\n"
                "resnet eval resnet50.pth --data imagenet --protocol ten\n"
                "resnet eval a.pth b.pth --data photos --protocol multi-scale --mirror",
    .least = 1,
    .most = MOST_MODELS,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_eval,
};
