#include "cli/model_file.h"

#include "cli/command.h"
#include "cli/lines.h"
#include "cli/run_folder.h"
#include "cli/shown.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MAX_CHANNELS = 1024, MAX_LABELS = 1000000, SHOWN_CHANNELS = 4 };

// What the command line says of a file; texts are borrowed from it, labels are not.
typedef struct told {
    rn_import_options options;
    float mean[MAX_CHANNELS], deviation[MAX_CHANNELS];
    char **labels;
    int input_channels;
} told;

bool cli_is_model_name(const char *path)
{
    static const char *const endings[] = {".safetensors", ".pth", ".pt", ".th", ".onnx"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (cli_ends_in(path, endings[i]))
            return true;
    return false;
}

rn_status cli_refuse_model_name(const char *option, const char *path)
{
    return cli_is_model_name(path)
               ? rn_error(RN_EINVAL, "option '--%s' names the file to write, found model file '%s'",
                          option, path)
               : RN_OK;
}

bool cli_is_path(const char *word)
{
    return cli_is_model_name(word) || strchr(word, '/') != NULL || cli_is_file(word) ||
           cli_is_folder(word);
}

rn_status cli_parse_input(rn_model_options *options, const char *text)
{
    int used = 0;

    if (strspn(text, "0123456789x") == strlen(text) && strlen(text) < 24 &&
        sscanf(text, "%dx%dx%d%n", &options->channels, &options->height, &options->width, &used) ==
            3 &&
        text[used] == '\0' && options->channels > 0 && options->height > 0 && options->width > 0)
        return RN_OK;
    return rn_error(RN_EINVAL, "option '--input' expects CxHxW, such as 3x32x32, found '%s'", text);
}

static const char *given(const cli_arguments *args, const char *name)
{
    return cli_option_find(args->command->options, name) >= 0 && cli_given(args, name)
               ? cli_text(args, name)
               : NULL;
}

static bool parse_number(float *value, const char **text)
{
    char *end;
    double number = strtod(*text, &end);

    if (end == *text || strchr("+-.0123456789", **text) == NULL || strpbrk(*text, "xXpP") != NULL ||
        !(fabs(number) <= 1e6) || (*end != ',' && *end != '\0'))
        return false;
    *value = (float)number;
    *text = end;
    return true;
}

// "0.485,0.456,0.406"; deviations are above 0.
static rn_status parse_numbers(float *values, int *count, const char *option, const char *text)
{
    bool positive = strcmp(option, "deviation") == 0;
    const char *rest = text;

    for (*count = 0; *count < MAX_CHANNELS;) {
        float *value = &values[(*count)++];
        if (!parse_number(value, &rest) || (positive && !(*value > 0)))
            break;
        if (*rest++ == '\0')
            return RN_OK;
    }
    return rn_error(RN_EINVAL, "option '--%s' expects numbers%s, one a channel, found '%s'", option,
                    positive ? " above 0" : "", text);
}

static rn_status read_normalization(told *t, const cli_arguments *args)
{
    rn_status st = RN_OK;
    const char *mean = given(args, "mean"), *deviation = given(args, "deviation");
    int deviations = 0;

    if (mean == NULL && deviation != NULL)
        return rn_error(RN_EINVAL, "'--deviation' is given without '--mean'");
    if (mean == NULL)
        return RN_OK;
    RN_TRY(parse_numbers(t->mean, &t->options.channels, "mean", mean));
    t->options.mean = t->mean;
    if (deviation == NULL)
        return RN_OK;
    RN_TRY(parse_numbers(t->deviation, &deviations, "deviation", deviation));
    t->options.deviation = t->deviation;
    if (deviations != t->options.channels)
        st = rn_error(RN_EINVAL, "'--mean' has %d number%s, '--deviation' %d", t->options.channels,
                      t->options.channels == 1 ? "" : "s", deviations);
out:
    return st;
}

static rn_status add_label(told *t, size_t *room, const char *line)
{
    int count = t->options.classes;

    if (count == MAX_LABELS)
        return rn_error(RN_EFORMAT, "more than %d labels", MAX_LABELS);
    if (*line == '\0')
        return rn_error(RN_EFORMAT, "line %d is empty, expected a label", count + 1);
    if ((size_t)count == *room) {
        size_t more = *room * 2 + 16;
        char **larger = realloc(t->labels, more * sizeof *larger);
        if (larger == NULL)
            return rn_error(RN_ENOMEM, "no memory for %zu labels", more);
        t->labels = larger;
        *room = more;
    }
    t->labels[count] = strdup(line);
    if (t->labels[count] == NULL)
        return rn_error(RN_ENOMEM, "no memory for a label");
    t->options.classes++;
    return RN_OK;
}

static rn_status read_lines(told *t, FILE *file)
{
    rn_status st = RN_OK;
    char *line = NULL;
    size_t room = 0;

    for (;; free(line)) {
        RN_TRY(cli_line_read(&line, file, '\n'));
        if (line == NULL)
            break;
        line[strcspn(line, "\r")] = '\0';
        RN_TRY(add_label(t, &room, line));
    }
    if (t->options.classes == 0)
        st = rn_error(RN_EFORMAT, "no label in it");
out:
    free(line);
    return st;
}

static rn_status read_labels(told *t, const cli_arguments *args)
{
    rn_status st;
    const char *path = given(args, "labels");
    FILE *file;

    if (path == NULL)
        return RN_OK;
    if (cli_is_folder(path))
        return rn_error(RN_EIO, "'%s' is a folder, expected a file of labels", path);
    if (access(path, F_OK) == 0 && !cli_is_file(path))
        return rn_error(RN_EIO, "'%s' is not a regular file, expected a file of labels", path);
    file = fopen(path, "r");
    if (file == NULL)
        return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot open '%s': %s", path,
                        strerror(errno));
    st = read_lines(t, file);
    if (st != RN_OK)
        rn_error_prefix(st, "'%s'", path);
    fclose(file);
    t->options.label_names = (const char *const *)t->labels;
    return st;
}

static rn_status read_input(told *t, const cli_arguments *args)
{
    rn_model_options size = {0};
    const char *text = given(args, "input");
    rn_status st = text == NULL ? RN_OK : cli_parse_input(&size, text);

    t->input_channels = size.channels;
    t->options.height = size.height;
    t->options.width = size.width;
    return st;
}

static void release_told(told *t)
{
    for (int i = 0; t->labels != NULL && i < t->options.classes; i++)
        free(t->labels[i]);
    free(t->labels);
    free(t);
}

static rn_status read_told(told **out, const cli_arguments *args)
{
    rn_status st;
    told *t = calloc(1, sizeof *t);

    *out = t;
    if (t == NULL)
        return rn_error(RN_ENOMEM, "no memory for options");
    t->options.model = given(args, "model");
    RN_TRY(read_normalization(t, args));
    RN_TRY(read_input(t, args));
    RN_TRY(read_labels(t, args));
out:
    return st;
}

rn_status cli_model_open(cli_model *model, const cli_arguments *args, const char *word)
{
    rn_status st;
    told *t = NULL;

    *model = (cli_model){0};
    RN_TRY(read_told(&t, args));
    RN_TRY(cli_model_path(&model->path, word));
    RN_TRY(rn_model_load(&model->checkpoint, &model->origin, model->path, &t->options));
    if (t->input_channels != 0 && t->input_channels != model->checkpoint->options.channels)
        st = rn_error(RN_EINVAL, "option '--input' has %d channels, the network of '%s' %d",
                      t->input_channels, word, model->checkpoint->options.channels);
out:
    if (t != NULL)
        release_told(t);
    return st;
}

void cli_model_release(cli_model *model)
{
    rn_checkpoint_free(model->checkpoint);
    free(model->path);
}

rn_status cli_model_load(rn_checkpoint **out, const cli_arguments *args, const char *word)
{
    cli_model model;
    rn_status st = cli_model_open(&model, args, word);

    *out = NULL;
    if (st == RN_OK) {
        cli_model_note(&model, args);
        *out = model.checkpoint;
        model.checkpoint = NULL; // now the caller's
    }
    cli_model_release(&model);
    return st;
}

static void print_numbers(FILE *stream, const char *what, const float *values, size_t count)
{
    fprintf(stream, "%s", what);
    for (size_t i = 0; i < count && i < SHOWN_CHANNELS; i++)
        fprintf(stream, "%s%.6g", i > 0 ? "," : " ", (double)values[i]);
    if (count > SHOWN_CHANNELS)
        fprintf(stream, ",...");
}

void cli_print_preprocess(FILE *stream, const rn_preprocess *preprocess)
{
    switch (preprocess->normalize) {
    case RN_NORMALIZE_CHANNEL:
        print_numbers(stream, "mean", preprocess->mean, preprocess->entries);
        print_numbers(stream, ", deviation", preprocess->deviation, preprocess->entries);
        break;
    case RN_NORMALIZE_CHANNEL_MEAN:
        print_numbers(stream, "mean", preprocess->mean, preprocess->entries);
        break;
    case RN_NORMALIZE_PIXEL:
        fputs("mean and deviation of each pixel", stream);
        break;
    case RN_NORMALIZE_PIXEL_MEAN:
        fputs("mean of each pixel", stream);
        break;
    case RN_NORMALIZE_NONE:
    case RN_NORMALIZE_IMAGENET: // which no model has
        fputs("none", stream);
    }
}

static size_t count_nonfinite(const rn_weights *weights, size_t *count)
{
    size_t found = 0;

    for (int i = 0; i < rn_weights_count(weights); i++) {
        const float *values = rn_weights_read(weights, i);
        const size_t many = rn_weights_param(weights, i)->count;
        for (size_t k = 0; k < many; k++)
            found += isfinite(values[k]) ? 0 : 1;
        *count += many;
    }
    return found;
}

// What a network makes of such weights may look like an answer.
static void note_nonfinite(const cli_model *model, const rn_weights *weights, const char *what)
{
    size_t count = 0, found = weights != NULL ? count_nonfinite(weights, &count) : 0;

    if (found > 0)
        fprintf(stderr, "resnet: note: '%s': %zu of %zu %s are not finite\n",
                cli_shown(model->path).text, found, count, what);
}

void cli_model_note(const cli_model *model, const cli_arguments *args)
{
    bool has_mean = cli_option_find(args->command->options, "mean") >= 0;
    bool has_model = cli_option_find(args->command->options, "model") >= 0;

    fflush(stdout); // in order, where both go to one place
    if (model->origin.inferred_model)
        fprintf(stderr, "resnet: note: '%s' taken as '%s' by its tensors' names and shapes%s\n",
                cli_shown(model->path).text, model->checkpoint->model,
                has_model ? "; --model says otherwise" : "");
    if (model->origin.assumed_preprocess && has_mean) {
        fprintf(stderr, "resnet: note: '%s' does not say its preprocess, taken as: ",
                cli_shown(model->path).text);
        cli_print_preprocess(stderr, model->checkpoint->preprocess);
        fputs("; --mean and --deviation say otherwise\n", stderr);
    }
    note_nonfinite(model, model->checkpoint->weights, "parameters");
    note_nonfinite(model, model->checkpoint->ema, "averaged parameters");
}

rn_status cli_choose_weights(bool *ema, const rn_checkpoint *checkpoint, const char *wish)
{
    *ema = checkpoint->ema != NULL && (wish == NULL || strcmp(wish, "ema") == 0);
    if (wish != NULL && strcmp(wish, "ema") == 0 && checkpoint->ema == NULL)
        return rn_error(RN_EINVAL, "option '--weights ema': this file holds no moving average");
    return RN_OK;
}

bool cli_model_recipe(rn_recipe *recipe, const rn_checkpoint *model)
{
    return model->recipe != NULL && rn_recipe_load(recipe, rn_recipe_name(0)) == RN_OK &&
           rn_recipe_parse(recipe, model->recipe, "the model's recipe") == RN_OK;
}

rn_status cli_choose_type(rn_checkpoint *model, const cli_arguments *args)
{
    const char *wish = cli_text(args, "dtype");
    const bool floats = strcmp(cli_text(args, "engine"), "ref") == 0;

    if (floats && wish != NULL && strcmp(wish, "int8") == 0)
        return rn_error(RN_EINVAL, "option '--dtype int8': engine 'ref' has float32 only");
    if (floats || (wish != NULL && strcmp(wish, "float32") == 0))
        rn_checkpoint_forget_ranges(model);
    if (wish != NULL && strcmp(wish, "int8") == 0 && model->ranges == NULL)
        return rn_error(RN_EINVAL, "option '--dtype int8': the model file holds no ranges, which "
                                   "'resnet quantize' measures");
    return RN_OK;
}

int cli_find_label(const rn_checkpoint *model, const char *name)
{
    for (int i = 0; i < model->options.classes; i++)
        if (strcmp(model->label_names[i], name) == 0)
            return i;
    return -1;
}
