#include "cli/bad_images.h"
#include "cli/command.h"
#include "cli/model_file.h"
#include "cli/picture_names.h"
#include "cli/run_folder.h"
#include "cli/shown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct extractor {
    const cli_arguments *args;
    cli_model model;
    rn_predictor *predictor;
    cli_names *names;
    rn_pictures *pictures;
    rn_samples *samples;
    char *list_path, *labels_path; // NULL: there is no such file
    int shape[3], batch;
    rn_npy *values, *labels;
    float *mean; // of one output over positions
    FILE *list;  // of names, in memory until all is written; NULL: of images in memory
    char *list_text;
    size_t list_size;
    int64_t written, failed;
} extractor;

static const char *layer_of(const extractor *e)
{
    const char *layer = cli_text(e->args, "layer");

    return layer != NULL ? layer : rn_embedding_layer(e->model.checkpoint->graph);
}

static bool is_map(const extractor *e)
{
    return e->shape[1] * e->shape[2] > 1 && !cli_flag(e->args, "pool");
}

// The mean of each channel, summed in double.
static void average(float *mean, const float *values, const int shape[3])
{
    size_t area = (size_t)shape[1] * (size_t)shape[2];

    for (size_t c = 0; c < (size_t)shape[0]; c++) {
        double sum = 0;
        for (size_t i = 0; i < area; i++)
            sum += (double)values[c * area + i];
        mean[c] = (float)(sum / (double)area);
    }
}

static rn_status append(extractor *e, const float *values, int count)
{
    rn_status st = RN_OK;
    size_t floats = (size_t)e->shape[0] * (size_t)e->shape[1] * (size_t)e->shape[2];

    e->written += count;
    if (is_map(e))
        return rn_npy_append(e->values, values, (uint64_t)count);
    for (int i = 0; i < count; i++) {
        average(e->mean, values + (size_t)i * floats, e->shape);
        RN_TRY(rn_npy_append(e->values, e->mean, 1));
    }
out:
    return st;
}

// A name a line: newlines and backslashes in it as \n and \\.
static void list_name(FILE *list, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '\n')
            fputs("\\n", list);
        else if (*name == '\\')
            fputs("\\\\", list);
        else
            fputc(*name, list);
    }
    fputc('\n', list);
}

static rn_status miss(extractor *e, const rn_picture *picture)
{
    if (picture->status == RN_ENOMEM || cli_bad_images(e->args) == RN_BAD_IMAGES_STOP)
        return rn_error(picture->status, "%s", picture->message);
    fprintf(stderr, "resnet: error: %s\n", picture->message);
    e->failed++;
    return RN_OK;
}

static rn_status take_picture(extractor *e, const rn_picture *picture, int *used)
{
    const rn_model_options *model = &e->model.checkpoint->options;

    if (picture->status != RN_OK)
        return miss(e, picture);
    if (e->list != NULL)
        list_name(e->list, picture->name);
    memcpy(rn_predictor_input(e->predictor, (*used)++), picture->input,
           sizeof(float) * (size_t)model->channels * (size_t)model->height * (size_t)model->width);
    return e->labels != NULL ? rn_npy_append(e->labels, &e->samples->labels[picture->index], 1)
                             : RN_OK;
}

static rn_status run_batch(extractor *e, int count)
{
    rn_status st = RN_OK;
    const float *values;

    if (count == 0)
        return RN_OK;
    RN_TRY(rn_predictor_features(e->predictor, &values));
    RN_TRY(append(e, values, count));
out:
    return st;
}

static rn_status read_pictures(extractor *e)
{
    rn_status st = RN_OK;
    const rn_picture *picture;
    int used = 0;

    do {
        RN_TRY(rn_pictures_next(e->pictures, &picture));
        if (picture != NULL)
            RN_TRY(take_picture(e, picture, &used));
        if (picture == NULL || used == e->batch) {
            RN_TRY(run_batch(e, used));
            used = 0;
        }
    } while (picture != NULL);
out:
    return st;
}

// "features.npy" and ".txt": "features.txt"
static rn_status name_beside(char **out, const char *path, const char *ending)
{
    int length = (int)strlen(path);

    length -= cli_ends_in(path, ".npy") ? 4 : 0;
    return cli_format(out, "%.*s%s", length, path, ending);
}

static rn_status check_size(const rn_samples *s, const rn_model_options *model)
{
    if (s->photos != NULL ||
        (s->channels == model->channels && s->height == model->height && s->width == model->width))
        return RN_OK;
    return rn_error(RN_EINVAL, "%s has images of %d x %d x %d, the model takes %d x %d x %d",
                    s->name, s->channels, s->height, s->width, model->channels, model->height,
                    model->width);
}

static rn_status open_list(extractor *e)
{
    e->list = open_memstream(&e->list_text, &e->list_size);
    if (e->list == NULL)
        return rn_error(RN_ENOMEM, "no memory for names");
    return cli_given(e->args, "names")
               ? cli_format(&e->list_path, "%s", cli_text(e->args, "names"))
               : name_beside(&e->list_path, cli_text(e->args, "out"), ".txt");
}

// Photographs have names, and rows for those alone that can be read.
static rn_status open_samples(extractor *e)
{
    rn_status st;
    const cli_arguments *args = e->args;
    bool train = strcmp(cli_text(args, "split"), "train") == 0;

    if (args->word_count > 1 || cli_given(args, "files-from"))
        return rn_error(RN_EINVAL, "'--data' and pictures exclude each other");
    if (cli_flag(args, "null"))
        return rn_error(RN_EINVAL, "'--null' is given without '--files-from'");
    RN_TRY(
        rn_data_open(&e->samples, cli_text(args, "data"), train ? RN_SPLIT_TRAIN : RN_SPLIT_TEST));
    RN_TRY(check_size(e->samples, &e->model.checkpoint->options));
    if (e->samples->photos != NULL)
        RN_TRY(open_list(e));
    else if (cli_given(args, "names"))
        return rn_error(RN_EINVAL, "option '--names': the images of %s have none",
                        e->samples->name);
    e->batch = (int)cli_integer(args, "batch");
    RN_TRY(name_beside(&e->labels_path, cli_text(args, "out"), ".labels.npy"));
    RN_TRY(rn_npy_create(&e->labels, e->labels_path, RN_NPY_INT32, 0, NULL));
out:
    return st;
}

static rn_status open_names(extractor *e)
{
    rn_status st;

    RN_TRY(cli_names_open(&e->names, e->args, 1));
    e->batch = cli_names_batch(e->names, e->args);
    RN_TRY(open_list(e));
out:
    return st;
}

static rn_status check_files(const extractor *e)
{
    rn_status st = RN_OK;

    if (e->list_path == NULL)
        return RN_OK;
    if (e->names != NULL)
        RN_TRY(cli_names_spare(e->names, "names", e->list_path));
    if (cli_same_place(e->list_path, cli_text(e->args, "out")) ||
        (e->labels_path != NULL && cli_same_place(e->list_path, e->labels_path)))
        return rn_error(RN_EINVAL, "option '--names' expects a file of its own, found '%s'",
                        e->list_path);
    RN_TRY(cli_check_writable(e->list_path));
out:
    return st;
}

static rn_status start_pictures(extractor *e)
{
    const rn_preprocess *preprocess = e->model.checkpoint->preprocess;
    const int workers = (int)cli_integer(e->args, "workers");
    const rn_pictures_options options = {
        .workers = workers, .ahead = e->batch + workers, .samples = e->samples};

    if (e->samples == NULL)
        return cli_pictures_start(&e->pictures, e->names, e->args, preprocess, false);
    return rn_pictures_create(&e->pictures, preprocess, &options);
}

static rn_status prepare(extractor *e)
{
    rn_status st;
    const cli_arguments *args = e->args;
    bool data = cli_given(args, "data");

    if (!cli_given(args, "out"))
        return rn_error(RN_EINVAL, "'--out' must say where to write");
    RN_TRY(cli_check_ending("out", cli_text(args, "out"), ".npy"));
    if (!data && cli_given(args, "split"))
        return rn_error(RN_EINVAL, "'--split' is given without '--data'");
    if (!data)
        RN_TRY(open_names(e));
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(cli_model_open(&e->model, args, args->words[0]));
    RN_TRY(cli_choose_type(e->model.checkpoint, args));
    cli_model_note(&e->model, args);
    if (data)
        RN_TRY(open_samples(e));
    RN_TRY(check_files(e));
    RN_TRY(rn_predictor_create_with(
        &e->predictor, e->model.checkpoint,
        &(rn_predictor_options){e->batch, cli_text(args, "engine"), layer_of(e)}));
    rn_predictor_shape(e->predictor, e->shape);
    e->mean = calloc((size_t)e->shape[0], sizeof *e->mean);
    if (e->mean == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d channels", e->shape[0]);
    RN_TRY(rn_npy_create(&e->values, cli_text(args, "out"), RN_NPY_FLOAT32, is_map(e) ? 3 : 1,
                         e->shape));
    RN_TRY(start_pictures(e));
out:
    return st;
}

// These first: an array is never there without them.
static rn_status write_beside(extractor *e)
{
    rn_status st = RN_OK;

    if (e->list != NULL && fflush(e->list) != 0)
        return rn_error(RN_ENOMEM, "no memory for names");
    if (e->list != NULL)
        RN_TRY(rn_text_write(e->list_path, e->list_text));
    if (e->labels != NULL)
        RN_TRY(rn_npy_commit(e->labels));
out:
    return st;
}

static void print_result(const extractor *e)
{
    printf("%s: %lld x %d", cli_shown(cli_text(e->args, "out")).text, (long long)e->written,
           e->shape[0]);
    if (is_map(e))
        printf(" x %d x %d", e->shape[1], e->shape[2]);
    printf(" of '%s'%s", layer_of(e),
           !is_map(e) && e->shape[1] * e->shape[2] > 1 ? ", averaged over positions" : "");
    if (e->labels_path != NULL)
        printf("; %s", cli_shown(e->labels_path).text);
    if (e->list_path != NULL)
        printf("; %s", cli_shown(e->list_path).text);
    printf("\n");
}

static rn_status finish(extractor *e)
{
    rn_status st;
    int missing = e->names != NULL ? cli_names_failed(e->names) : 0;

    if (e->written == 0)
        return rn_error(RN_ENOTFOUND, "no picture could be read: nothing is written");
    RN_TRY(write_beside(e));
    RN_TRY(rn_npy_commit(e->values));
    print_result(e);
    if (e->failed + missing > 0)
        st = rn_error(RN_EIO, "%lld pictures could not be read: they have no row",
                      (long long)e->failed + missing);
out:
    return st;
}

static rn_status run_features(const cli_arguments *args)
{
    rn_status st;
    extractor e = {.args = args};

    RN_TRY(prepare(&e));
    RN_TRY(read_pictures(&e));
    RN_TRY(finish(&e));
out:
    cli_names_stop(e.names);
    rn_pictures_free(e.pictures);
    cli_names_free(e.names);
    rn_npy_free(e.values);
    rn_npy_free(e.labels);
    rn_predictor_free(e.predictor);
    rn_samples_free(e.samples);
    if (e.list != NULL)
        fclose(e.list);
    free(e.list_text);
    free(e.mean);
    free(e.list_path);
    free(e.labels_path);
    cli_model_release(&e.model);
    return st;
}

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FILE,
     .argument = "FILE.npy",
     .help = "array of NumPy to write: float32, a row for each picture"},
    {.name = "layer",
     .letter = 'l',
     .kind = CLI_TEXT,
     .argument = "NAME",
     .help = "whose output is wanted, as 'resnet summary --all' lists it; by default the global "
             "average pool, or what the last linear layer reads"},
    {.name = "pool", .kind = CLI_FLAG, .help = "average maps over their positions"},
    {.name = "names",
     .kind = CLI_FILE,
     .argument = "FILE",
     .help = "list of the rows' pictures to write; by default FILE.txt beside FILE.npy"},
    {.name = "data",
     .letter = 'd',
     .kind = CLI_SOURCE,
     .argument = "SOURCE",
     .help = "a data set instead of pictures, in its order; its labels go to FILE.labels.npy"},
    CLI_SPLIT_OPTION,
    CLI_THREADS_OPTION,
    CLI_PRODUCTS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_PICTURE_OPTIONS,
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_features = {
    .name = "features",
    .usage = "MODEL-FILE|RUN [PICTURE]...",
    .summary = "write what a layer makes of pictures",
    .description = "Write the output of any layer, for each picture, as an array of NumPy: "
                   "[pictures][channels], or of layers with positions "
                   "[pictures][channels][height][width]. Pictures are given as for 'resnet "
                   "predict'; those that cannot be read are reported and have no row. Values are "
                   "those of inference, whatever is fused with the layer otherwise.",
    .examples = "resnet features runs/a photos --out photos.npy\n"
                "resnet features m.safetensors --data data --out test.npy\n"
                "resnet features m.safetensors cat.jpg --layer layer2.0.relu1 --out cat.npy",
    .least = 1,
    .most = -1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_features,
};
