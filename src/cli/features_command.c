#include "cli/command.h"
#include "cli/model_file.h"
#include "cli/picture_names.h"
#include "cli/run_folder.h"

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
    char *beside; // file of names, or of labels
    int shape[3], batch;
    rn_npy *values, *labels;
    float *mean; // of one output over positions
    FILE *list;  // of names, in memory until all is written
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

static rn_status take_picture(extractor *e, const rn_picture *picture, int *used)
{
    const rn_model_options *model = &e->model.checkpoint->options;

    if (picture->status == RN_ENOMEM)
        return rn_error(RN_ENOMEM, "%s", picture->message);
    if (picture->status != RN_OK) {
        fprintf(stderr, "resnet: error: %s\n", picture->message);
        e->failed++;
        return RN_OK;
    }
    list_name(e->list, picture->name);
    memcpy(rn_predictor_input(e->predictor, (*used)++), picture->input,
           sizeof(float) * (size_t)model->channels * (size_t)model->height * (size_t)model->width);
    return RN_OK;
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

static rn_status read_samples(extractor *e)
{
    rn_status st = RN_OK;
    const rn_samples *s = e->samples;
    size_t bytes = (size_t)s->channels * (size_t)s->height * (size_t)s->width;

    for (size_t first = 0; first < s->count; first += (size_t)e->batch) {
        size_t left = s->count - first;
        int count = left < (size_t)e->batch ? (int)left : e->batch;
        for (int i = 0; i < count; i++)
            rn_preprocess_apply(e->model.checkpoint->preprocess,
                                rn_predictor_input(e->predictor, i),
                                s->images + (first + (size_t)i) * bytes, NULL, 0, 0, 0);
        RN_TRY(run_batch(e, count));
    }
    RN_TRY(rn_npy_append(e->labels, s->labels, s->count));
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

static rn_status open_samples(extractor *e)
{
    rn_status st;
    const rn_model_options *model = &e->model.checkpoint->options;
    bool train = strcmp(cli_text(e->args, "split"), "train") == 0;

    if (e->args->word_count > 1 || cli_given(e->args, "files-from"))
        return rn_error(RN_EINVAL, "'--data' and pictures exclude each other");
    RN_TRY(rn_data_open(&e->samples, cli_text(e->args, "data"),
                        train ? RN_SPLIT_TRAIN : RN_SPLIT_TEST));
    const rn_samples *s = e->samples;
    if (s->channels != model->channels || s->height != model->height || s->width != model->width)
        return rn_error(RN_EINVAL, "%s has images of %d x %d x %d, the model takes %d x %d x %d",
                        s->name, s->channels, s->height, s->width, model->channels, model->height,
                        model->width);
    e->batch = (int)cli_integer(e->args, "batch");
    RN_TRY(name_beside(&e->beside, cli_text(e->args, "out"), ".labels.npy"));
    RN_TRY(rn_npy_create(&e->labels, e->beside, RN_NPY_INT32, 0, NULL));
out:
    return st;
}

static rn_status open_names(extractor *e)
{
    rn_status st;

    RN_TRY(cli_names_open(&e->names, e->args, 1));
    e->batch = cli_names_batch(e->names, e->args);
    e->list = open_memstream(&e->list_text, &e->list_size);
    if (e->list == NULL)
        return rn_error(RN_ENOMEM, "no memory for names");
    st = cli_given(e->args, "names") ? cli_format(&e->beside, "%s", cli_text(e->args, "names"))
                                     : name_beside(&e->beside, cli_text(e->args, "out"), ".txt");
out:
    return st;
}

static rn_status prepare(extractor *e)
{
    rn_status st;
    const cli_arguments *args = e->args;
    bool data = cli_given(args, "data");

    if (!cli_given(args, "out"))
        return rn_error(RN_EINVAL, "'--out' must say where to write");
    if (!data)
        RN_TRY(open_names(e));
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(cli_model_open(&e->model, args, args->words[0]));
    cli_model_note(&e->model, args);
    if (data)
        RN_TRY(open_samples(e));
    RN_TRY(rn_predictor_create_with(
        &e->predictor, e->model.checkpoint,
        &(rn_predictor_options){e->batch, cli_text(args, "engine"), layer_of(e)}));
    rn_predictor_shape(e->predictor, e->shape);
    e->mean = calloc((size_t)e->shape[0], sizeof *e->mean);
    if (e->mean == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d channels", e->shape[0]);
    RN_TRY(rn_npy_create(&e->values, cli_text(args, "out"), RN_NPY_FLOAT32, is_map(e) ? 3 : 1,
                         e->shape));
    if (!data)
        RN_TRY(cli_pictures_start(&e->pictures, e->names, args, e->model.checkpoint->preprocess,
                                  false));
out:
    return st;
}

// The list first: an array is never there without it.
static rn_status write_list(extractor *e)
{
    rn_status st;

    if (e->labels != NULL)
        return rn_npy_commit(e->labels);
    if (fflush(e->list) != 0)
        return rn_error(RN_ENOMEM, "no memory for names");
    RN_TRY(rn_text_write(e->beside, e->list_text));
out:
    return st;
}

static void print_result(const extractor *e)
{
    printf("%s: %lld x %d", cli_text(e->args, "out"), (long long)e->written, e->shape[0]);
    if (is_map(e))
        printf(" x %d x %d", e->shape[1], e->shape[2]);
    printf(" of '%s'%s; %s\n", layer_of(e),
           !is_map(e) && e->shape[1] * e->shape[2] > 1 ? ", averaged over positions" : "",
           e->beside);
}

static rn_status finish(extractor *e)
{
    rn_status st;
    int missing = e->names != NULL ? cli_names_failed(e->names) : 0;

    if (e->written == 0)
        return rn_error(RN_ENOTFOUND, "no picture could be read: nothing is written");
    RN_TRY(write_list(e));
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
    RN_TRY(e.samples != NULL ? read_samples(&e) : read_pictures(&e));
    RN_TRY(finish(&e));
out:
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
    free(e.beside);
    cli_model_release(&e.model);
    return st;
}

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FILE,
     .argument = "FILE",
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
     .help = "a data set instead of pictures; its labels go to FILE.labels.npy"},
    CLI_SPLIT_OPTION,
    CLI_THREADS_OPTION,
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
                "resnet features m.safetensors --data cifar-10-batches-bin --out test.npy\n"
                "resnet features m.safetensors cat.jpg --layer layer2.0.relu1 --out cat.npy",
    .least = 1,
    .most = -1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_features,
};
