#include "cli/bad_images.h"
#include "cli/command.h"
#include "cli/model_file.h"
#include "cli/picture_names.h"
#include "cli/predict_cam.h"
#include "cli/predict_output.h"

#include <stdlib.h>
#include <string.h>

/** One picture of a batch. */
typedef struct row {
    char *name;
    char *message; // why there is no result; NULL: there is one
} row;

typedef struct classifier {
    cli_model model;
    cli_names *names;
    rn_pictures *pictures;
    const rn_picture *last; // of the batch; borrowed
    rn_predictor *predictor;
    predict_output output;
    predict_cam cam;
    int batch, count; // rows, and those in use
    row *rows;
    rn_bad_images bad_images;
    int64_t seen, failed;
} classifier;

static void empty_rows(classifier *c)
{
    for (int i = 0; i < c->count; i++) {
        free(c->rows[i].name);
        free(c->rows[i].message);
    }
    c->count = 0;
}

// The next picture to place `slot`; *used counts those that have one.
static rn_status take_picture(classifier *c, int *used)
{
    const rn_picture *picture = c->last;
    const rn_checkpoint *model = c->model.checkpoint;

    if (picture->status == RN_ENOMEM)
        return rn_error(RN_ENOMEM, "%s", picture->message);
    row *r = &c->rows[c->count++];
    *r = (row){.name = strdup(picture->name)};
    if (picture->status != RN_OK)
        r->message = strdup(picture->message);
    if (r->name == NULL || (picture->status != RN_OK && r->message == NULL))
        return rn_error(RN_ENOMEM, "no memory for a name");
    if (picture->status == RN_OK)
        memcpy(rn_predictor_input(c->predictor, (*used)++), picture->input,
               sizeof(float) * (size_t)model->options.channels * (size_t)model->options.height *
                   (size_t)model->options.width);
    return RN_OK;
}

static rn_status fill(classifier *c, int *used)
{
    rn_status st = RN_OK;

    *used = 0;
    empty_rows(c);
    while (c->count < c->batch) {
        RN_TRY(rn_pictures_next(c->pictures, &c->last));
        if (c->last == NULL)
            break;
        RN_TRY(take_picture(c, used));
    }
out:
    return st;
}

static rn_status report_failure(classifier *c, const row *r)
{
    c->failed++;
    if (c->bad_images == RN_BAD_IMAGES_STOP)
        return rn_error(RN_EIO, "%s", r->message);
    fflush(stdout);
    fprintf(stderr, "resnet: error: %s\n", r->message);
    return predict_output_miss(&c->output, r->name, r->message);
}

static rn_status show_rows(classifier *c, const float *probabilities)
{
    rn_status st = RN_OK;

    for (int i = 0; i < c->count; i++) {
        const row *r = &c->rows[i];
        if (r->message != NULL) {
            RN_TRY(report_failure(c, r));
            continue;
        }
        RN_TRY(predict_output_show(&c->output, r->name, probabilities));
        if (c->cam.layer != NULL)
            RN_TRY(predict_cam_show(&c->cam, c->predictor, c->last, c->output.order[0]));
        probabilities += rn_predictor_classes(c->predictor);
    }
    fflush(stdout);     // whoever reads along sees each batch as it is done
    if (ferror(stdout)) // the list may have no end; why, the program says in the end
        st = rn_error(RN_EINTERRUPTED, "standard output takes no more");
out:
    return st;
}

static rn_status classify_all(classifier *c)
{
    rn_status st = RN_OK;
    int used;

    do {
        const float *probabilities = NULL;
        RN_TRY(fill(c, &used));
        if (used > 0)
            RN_TRY(rn_predictor_run(c->predictor, &probabilities));
        RN_TRY(show_rows(c, probabilities));
        c->seen += c->count;
    } while (c->count > 0);
out:
    return st;
}

static void note_ids(const classifier *c, const cli_arguments *args)
{
    if (c->output.format == PREDICT_IMAGENET && !cli_given(args, "class-ids"))
        fprintf(stderr, "resnet: note: class 0 is taken as ILSVRC2012_ID 1, and so on; "
                        "--class-ids says otherwise\n");
}

static rn_status prepare(classifier *c, const cli_arguments *args)
{
    rn_status st;
    const rn_checkpoint *model;
    predict_format format;

    RN_TRY(predict_format_choose(&format, args)); // before the model's file is read
    c->bad_images = cli_bad_images(args);
    RN_TRY(cli_names_open(&c->names, args, 1));
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(cli_model_open(&c->model, args, args->words[0]));
    RN_TRY(cli_choose_type(c->model.checkpoint, args));
    cli_model_note(&c->model, args);
    model = c->model.checkpoint;
    RN_TRY(predict_cam_init(&c->cam, args, model, c->names));
    RN_TRY(predict_output_init(&c->output, args, model));
    note_ids(c, args);
    c->output.width = cli_names_width(c->names);
    bool maps = c->cam.layer != NULL; // a map needs its picture
    c->batch = maps ? 1 : cli_names_batch(c->names, args);
    RN_TRY(rn_predictor_create_with(
        &c->predictor, model,
        &(rn_predictor_options){c->batch, cli_text(args, "engine"), c->cam.layer}));
    RN_TRY(cli_pictures_start(&c->pictures, c->names, args, model->preprocess, maps));
    c->rows = calloc((size_t)c->batch, sizeof *c->rows);
    if (c->rows == NULL)
        st = rn_error(RN_ENOMEM, "no memory for %d pictures", c->batch);
out:
    return st;
}

static rn_status finish(classifier *c)
{
    rn_status st = RN_OK;
    int64_t missing = cli_names_failed(c->names);

    RN_TRY(predict_cam_finish(&c->cam));
    if (c->failed > 0 && c->output.format == PREDICT_IMAGENET)
        st = rn_error(RN_EIO,
                      "%lld of %lld pictures could not be classified: their lines are "
                      "'1 2 3 4 5', so that lines stay in step",
                      (long long)c->failed, (long long)c->seen);
    else if (c->failed > 0)
        st = rn_error(RN_EIO, "%lld of %lld pictures could not be classified", (long long)c->failed,
                      (long long)c->seen);
    else if (missing > 0)
        st =
            rn_error(RN_ENOTFOUND, "names of files, folders or patterns that gave no picture: %lld",
                     (long long)missing);
out:
    return st;
}

static rn_status run_predict(const cli_arguments *args)
{
    rn_status st;
    classifier c = {0};

    RN_TRY(prepare(&c, args));
    predict_output_begin(&c.output);
    st = classify_all(&c);
    predict_output_finish(&c.output); // whatever has happened: what is printed is whole
    RN_TRY(st);
    RN_TRY(finish(&c));
out:
    cli_names_stop(c.names);
    rn_pictures_free(c.pictures);
    empty_rows(&c);
    free(c.rows);
    rn_predictor_free(c.predictor);
    predict_cam_release(&c.cam);
    predict_output_release(&c.output);
    cli_names_free(c.names);
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
    {.name = "format",
     .kind = CLI_CHOICE,
     .argument = "NAME",
     .help = "what to print: a table, comma-separated values, an array of JSON, an object a line, "
             "or the lines that ImageNet's test server takes",
     .fallback = "text",
     .choices = "text|csv|json|jsonl|imagenet"},
    {.name = "json", .kind = CLI_FLAG, .help = "the same as --format json"},
    {.name = "csv", .kind = CLI_FLAG, .help = "the same as --format csv"},
    {.name = "class-ids",
     .kind = CLI_FILE,
     .argument = "FILE",
     .help = "for --format imagenet: ILSVRC2012_ID of each class, a line each in the network's "
             "order, or lines LABEL ID"},
    CLI_THREADS_OPTION,
    CLI_PRODUCTS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_PICTURE_OPTIONS,
    {.name = "cam",
     .kind = CLI_FILE,
     .argument = "PATH",
     .help = "draw which parts speak for the class: FILE.png for one picture, else a folder",
     .group = "Class activation maps"},
    {.name = "cam-class",
     .kind = CLI_TEXT,
     .argument = "NAME",
     .help = "the class, by label or number; by default the most probable one"},
    {.name = "cam-raw",
     .kind = CLI_FILE,
     .argument = "FILE.npy",
     .help = "write the maps as an array of NumPy, a row for each picture that could be read"},
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_predict = {
    .name = "predict",
    .usage = "MODEL-FILE|RUN PICTURE...",
    .summary = "say what is in pictures",
    .description =
        "Classify pictures of any size with a trained network. Label names and "
        "preprocessing come from the model file.\n\nA PICTURE is a PNG, JPEG, WebP, PPM or "
        "PGM file; a folder, of which all pictures are taken, in the order of their "
        "names; a pattern such as 'photos/*.jpg'; or -, a picture on standard input. "
        "One that cannot be read is reported, and the others are still classified.",
    .examples = "resnet predict runs/resnet-20-shapes cat.png dog.jpg\n"
                "resnet predict model.safetensors photos --top 3 --format csv\n"
                "find . -name '*.jpg' -print0 | resnet predict runs/a --files-from - -0\n"
                "resnet predict runs/a cat.jpg --cam seen.png --cam-class cat",
    .least = 1,
    .most = -1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_predict,
};
