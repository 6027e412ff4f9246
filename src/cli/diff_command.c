#include "cli/command.h"
#include "cli/diff_output.h"
#include "cli/model_file.h"
#include "cli/shown.h"

#include <stdio.h>
#include <string.h>

// A file that does not say its network is read as the other's, where that fits: whether there are
// shortcuts without parameters, and where a bottleneck strides, cannot be seen in names and shapes.
static rn_status borrow_model(cli_compared *d, int index)
{
    cli_model *file = &d->files[index];
    const rn_checkpoint *other = d->files[1 - index].checkpoint;
    rn_checkpoint *read = NULL;
    const rn_import_options like = {
        .model = other->model, .height = other->options.height, .width = other->options.width};
    rn_origin origin;
    rn_status st = rn_model_load(&read, &origin, file->path, &like);

    if (st == RN_ENOMEM)
        return st;
    if (st != RN_OK) // it is another network
        return RN_OK;
    rn_checkpoint_free(file->checkpoint);
    file->checkpoint = read;
    file->origin = origin;
    fprintf(stderr, "resnet: note: '%s' taken as '%s', as '%s' says\n", cli_shown(file->path).text,
            other->model, cli_shown(d->words[1 - index]).text);
    return RN_OK;
}

static rn_status borrow_preprocess(cli_compared *d, int index)
{
    rn_status st = RN_OK;
    cli_model *file = &d->files[index];
    const rn_preprocess *own = file->checkpoint->preprocess;
    const rn_preprocess *other = d->files[1 - index].checkpoint->preprocess;
    rn_preprocess *copy = NULL;

    if (own->channels != other->channels || own->height != other->height ||
        own->width != other->width)
        return RN_OK;
    RN_TRY(rn_preprocess_create(&copy, other->normalize, other->channels, other->height,
                                other->width, other->mean, other->deviation));
    copy->centre_ratio = other->centre_ratio;
    rn_preprocess_free(file->checkpoint->preprocess);
    file->checkpoint->preprocess = copy;
    file->origin.assumed_preprocess = false;
    fprintf(stderr, "resnet: note: '%s' does not say its preprocess, taken as that of '%s'\n",
            file->path, d->words[1 - index]);
out:
    return st;
}

static rn_status load_models(cli_compared *d, const cli_arguments *args)
{
    rn_status st = RN_OK;
    bool ema;

    for (int i = 0; i < 2; i++) {
        d->words[i] = args->words[i];
        RN_TRY(cli_model_open(&d->files[i], args, args->words[i]));
        st = cli_choose_weights(&ema, d->files[i].checkpoint, cli_text(args, "weights"));
        if (st != RN_OK)
            return rn_error_prefix(st, "'%s'", args->words[i]);
    }
    for (int i = 0; i < 2; i++) {
        const rn_origin *own = &d->files[i].origin, *other = &d->files[1 - i].origin;
        if (own->inferred_model && !other->inferred_model)
            RN_TRY(borrow_model(d, i));
        if (own->assumed_preprocess && !other->assumed_preprocess)
            RN_TRY(borrow_preprocess(d, i));
        cli_model_note(&d->files[i], args);
        d->models[i] = d->files[i].checkpoint;
    }
out:
    return st;
}

static rn_status compare(cli_compared *d, const cli_arguments *args)
{
    rn_status st = RN_OK;
    rn_image *image = NULL;
    const char *wish = cli_text(args, "weights");
    bool picture = args->word_count > 2;

    if (picture && (cli_given(args, "random") || cli_given(args, "seed")))
        return rn_error(RN_EINVAL, "'--random' and '--seed' are for noise, but a picture is given");
    if (picture)
        RN_TRY(rn_image_open(&image, args->words[2]));
    d->options = (rn_compare_options){
        .tolerance = cli_real(args, "tolerance"),
        .engine = {cli_text(args, "engine-a"), cli_text(args, "engine-b")},
        .last = wish != NULL && strcmp(wish, "last") == 0,
        .image = image,
        .random = (int)cli_integer(args, "random"),
        .seed = (uint64_t)cli_integer(args, "seed"),
    };
    d->picture = picture ? args->words[2] : NULL;
    RN_TRY(rn_compare(&d->comparison, d->models[0], d->models[1], &d->options));
out:
    rn_image_free(image);
    return st;
}

// Exit status 1, and in one line why.
static rn_status verdict(const cli_compared *d)
{
    const rn_comparison *c = &d->comparison;
    double tolerance = d->options.tolerance;

    if (c->within)
        return RN_OK;
    if (c->structure[0][0] != '\0')
        return rn_error(RN_EFORMAT, "the networks differ: in '%s' %s, in '%s' %s", d->words[0],
                        c->structure[0], d->words[1], c->structure[1]);
    if (c->first_beyond < 0)
        return rn_error(RN_EFORMAT, "%d parameter%s beyond the tolerance of %g", c->params_beyond,
                        c->params_beyond == 1 ? " is" : "s are", tolerance);
    const rn_layer_difference *first = &c->layers[c->first_beyond];
    return rn_error(RN_EFORMAT, "from '%s' on the networks differ: by %.2e, tolerance %g",
                    first->node->name, first->difference.relative, tolerance);
}

static rn_status run_diff(const cli_arguments *args)
{
    rn_status st;
    cli_compared d = {0};

    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(load_models(&d, args));
    RN_TRY(compare(&d, args));
    if (cli_flag(args, "json"))
        RN_TRY(cli_diff_json(&d));
    else
        cli_diff_print(&d, cli_flag(args, "all"));
    st = verdict(&d);
out:
    rn_comparison_release(&d.comparison);
    cli_model_release(&d.files[0]);
    cli_model_release(&d.files[1]);
    return st;
}

static const cli_option options[] = {
    {.name = "tolerance",
     .kind = CLI_REAL,
     .argument = "T",
     .help = "largest relative difference that is none: max |a - b| / max |a| of a tensor",
     .fallback = "1e-4",
     .low = 0,
     .high = 1e300},
    {.name = "random",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "without a picture: how many of noise",
     .fallback = "1",
     .low = 1,
     .high = 1024},
    {.name = "seed",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "of the noise",
     .fallback = "0",
     .low = 0,
     .high = 9e15},
    {.name = "engine-a",
     .kind = CLI_CHOICE,
     .argument = "NAME",
     .help = "who computes the first network",
     .fallback = "cpu",
     .choices = "cpu|ref"},
    {.name = "engine-b",
     .kind = CLI_CHOICE,
     .argument = "NAME",
     .help = "who computes the second",
     .fallback = "cpu",
     .choices = "cpu|ref"},
    {.name = "weights",
     .kind = CLI_CHOICE,
     .argument = "WHICH",
     .help = "of checkpoints: the moving average, which is the default where there is one, or the "
             "last weights",
     .choices = "ema|last"},
    {.name = "all", .kind = CLI_FLAG, .help = "show every parameter and every layer"},
    CLI_THREADS_OPTION,
    CLI_JSON_OPTION,
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_diff = {
    .name = "diff",
    .usage = "MODEL-A MODEL-B [IMAGE]",
    .summary = "compare two networks, parameter by parameter and layer by layer",
    .description =
        "Compare two model files, checkpoints or run folders, whatever their formats: the "
        "parameters, by name; then what both networks make of one picture, layer by layer, each "
        "through its own preprocessing. Without a picture they see noise. Differences are relative "
        "to the largest value of the first network's tensor.\n\nThe first layer beyond the "
        "tolerance is marked '>', others beyond it '!'. Layers of deep networks are summed up by "
        "unit or stage, of which the worst layer is shown. Networks of different structure are "
        "compared by their parameters only.\n\nThe exit status is 0 where all is within the "
        "tolerance, else 1. A network compared with itself on two engines checks the one engine "
        "against the other.",
    .examples = "resnet diff model.safetensors model.onnx cat.png\n"
                "resnet diff runs/a runs/b --all\n"
                "resnet diff model.safetensors model.safetensors --engine-b ref --random 4",
    .least = 2,
    .most = 3,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_diff,
};
