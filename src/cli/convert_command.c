#include "cli/command.h"
#include "cli/model_file.h"
#include "cli/run_folder.h"
#include "cli/shown.h"
#include "cli/term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SHOWN_LABELS = 4 };

// Options that only a file, or only a network's name, as SOURCE makes sense of.
static const char *const for_files[] = {"model", "mean", "deviation", "labels", "weights", NULL};
static const char *const for_names[] = {"seed", "classes", NULL};

static rn_status refuse(const cli_arguments *args, const char *const *names, const char *wanted)
{
    for (; *names != NULL; names++)
        if (cli_given(args, *names))
            return rn_error(RN_EINVAL, "'--%s' is for %s, '%s' is none", *names, wanted,
                            args->words[0]);
    return RN_OK;
}

// A network with fresh weights.
static rn_status create_model(cli_model *model, const cli_arguments *args)
{
    rn_status st;
    rn_model_options options = {.classes = (int)cli_integer(args, "classes")};

    RN_TRY(refuse(args, for_files, "a file or a run folder"));
    if (cli_given(args, "input"))
        RN_TRY(cli_parse_input(&options, cli_text(args, "input")));
    RN_TRY(rn_model_create(&model->checkpoint, args->words[0], &options,
                           (uint64_t)cli_integer(args, "seed")));
out:
    return st;
}

static rn_status open_source(cli_model *model, const cli_arguments *args)
{
    rn_status st;
    bool ema;

    if (!cli_is_path(args->words[0]))
        return create_model(model, args);
    RN_TRY(refuse(args, for_names, "a network's name"));
    RN_TRY(cli_model_open(model, args, args->words[0]));
    RN_TRY(cli_choose_weights(&ema, model->checkpoint, cli_text(args, "weights")));
    if (cli_same_file(model->path, args->words[1]))
        st =
            rn_error(RN_EINVAL, "'%s' is the source itself: write to another file", args->words[1]);
out:
    return st;
}

static rn_file_format format_named(const char *name)
{
    for (int f = RN_FILE_RESNET; name != NULL && rn_file_format_name((rn_file_format)f) != NULL;
         f++)
        if (strcmp(rn_file_format_name((rn_file_format)f), name) == 0)
            return (rn_file_format)f;
    return RN_FILE_UNKNOWN;
}

static rn_status write_model(const cli_model *model, const cli_arguments *args)
{
    const char *weights = cli_text(args, "weights");
    rn_export_options options = {.format = format_named(cli_text(args, "format")),
                                 .last = weights != NULL && strcmp(weights, "last") == 0,
                                 .fold_batch_norm = cli_flag(args, "fold")};

    return rn_model_save(model->checkpoint, args->words[1], &options);
}

static void print_labels(const rn_checkpoint *model)
{
    int classes = model->options.classes;

    printf("  labels       ");
    for (int i = 0; i < classes && i < SHOWN_LABELS; i++)
        printf("%s%s", i > 0 ? ", " : "", cli_shown(model->label_names[i]).text);
    printf("%s\n", classes > SHOWN_LABELS ? ", ..." : "");
}

static void print_counts(const rn_graph *graph)
{
    int64_t trained = 0, statistics = 0;

    for (int i = 0; i < rn_graph_params(graph); i++) {
        const rn_param *param = rn_graph_param(graph, i);
        *(rn_param_trained(param) ? &trained : &statistics) += (int64_t)param->count;
    }
    printf("  parameters   %s, and %s running statistics\n", cli_count(trained).text,
           cli_count(statistics).text);
}

static const char *how_model(const cli_model *model, const cli_arguments *args)
{
    if (model->path == NULL)
        return "fresh weights";
    if (model->origin.inferred_model)
        return "inferred from the tensors' names and shapes";
    return cli_given(args, "model") ? "as told" : "as the file says";
}

static const char *how_preprocess(const cli_model *model, const cli_arguments *args)
{
    if (model->path == NULL)
        return "training decides it";
    if (model->origin.assumed_preprocess)
        return "assumed: the file does not say it";
    return cli_given(args, "mean") ? "as told" : "as the file says";
}

static void print_source(const cli_model *model, const cli_arguments *args)
{
    const rn_checkpoint *c = model->checkpoint;

    if (model->path == NULL)
        printf("%s\n", args->words[0]);
    else
        printf("%s: %s\n", cli_shown(model->path).text, rn_file_format_name(model->origin.format));
    printf("  model        %s (%s)\n", c->model, how_model(model, args));
    printf("  input        %d x %d x %d, %d classes\n", c->options.channels, c->options.height,
           c->options.width, c->options.classes);
    printf("  preprocess   ");
    cli_print_preprocess(stdout, c->preprocess);
    printf(" (%s)\n", how_preprocess(model, args));
    print_labels(c);
    print_counts(c->graph);
    if (c->ema != NULL)
        printf("  weights      %s\n",
               strcmp(cli_given(args, "weights") ? cli_text(args, "weights") : "ema", "last") == 0
                   ? "the last"
                   : "moving average (EMA)");
}

static const char *written_format(const cli_arguments *args)
{
    const char *path = args->words[1];

    if (cli_given(args, "format"))
        return cli_text(args, "format");
    if (cli_ends_in(path, ".safetensors"))
        return "resnet";
    return cli_ends_in(path, ".onnx") ? "onnx" : "torch";
}

static void print_written(const cli_model *model, const cli_arguments *args)
{
    const rn_checkpoint *c = model->checkpoint;
    const char *format = written_format(args);
    struct stat status = {0};

    stat(args->words[1], &status);
    printf("wrote %s: %s, %s\n", cli_shown(args->words[1]).text, format,
           cli_bytes((double)status.st_size).text);
    if (strcmp(format, "torch") != 0)
        return;
    fflush(stdout);
    fprintf(stderr,
            "resnet: note: a PyTorch file holds weights only, neither the model ('%s') nor "
            "preprocess (",
            c->model);
    cli_print_preprocess(stderr, c->preprocess);
    fprintf(stderr, ") nor labels\n");
}

static rn_status run_convert(const cli_arguments *args)
{
    rn_status st;
    cli_model model = {0};

    RN_TRY(open_source(&model, args));
    RN_TRY(write_model(&model, args));
    print_source(&model, args);
    print_written(&model, args);
out:
    cli_model_release(&model);
    return st;
}

static const cli_option options[] = {
    {.name = "format",
     .letter = 'f',
     .kind = CLI_CHOICE,
     .argument = "NAME",
     .help = "what to write; by default as DEST ends: .safetensors resnet, .pth .pt .th torch, "
             ".onnx onnx",
     .choices = "resnet|safetensors|torch|onnx"},
    CLI_WEIGHTS_OPTION,
    {.name = "fold",
     .kind = CLI_FLAG,
     .help = "ONNX: make batch norms part of the convolutions before them"},
    CLI_FILE_OPTIONS,
    {.name = "labels",
     .kind = CLI_FILE,
     .argument = "FILE",
     .help = "names of the classes, one a line, where the file has none"},
    {.name = "seed",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "of fresh weights",
     .low = 0,
     .high = INFINITY,
     .group = "Networks by name"},
    CLI_CLASSES_OPTION,
    {0}};

const cli_command cli_convert = {
    .name = "convert",
    .usage = "SOURCE DEST",
    .summary = "exchange networks with PyTorch, safetensors and ONNX",
    .description =
        "Read a network and write it in another format. SOURCE is a model file of any format, "
        "which its contents tell, a run folder, or a network's name, which gives fresh weights.\n\n"
        "The formats: 'resnet' is this program's own (safetensors with checksums, preprocess and "
        "labels); 'safetensors' a state dict under torchvision's names, whose metadata hold the "
        "rest; 'torch' a state dict for torch.load(), which holds weights only; 'onnx' the network "
        "itself with its weights, and the rest as metadata.\n\nWhat SOURCE does not say is "
        "inferred "
        "or assumed, and how is printed. That shortcuts without parameters are there, and that "
        "bottlenecks stride on the 3x3 convolution, cannot be seen in names and shapes: --model "
        "says otherwise.",
    .examples = "resnet convert resnet20.th resnet20.safetensors --labels cifar10.txt\n"
                "resnet convert runs/resnet-20-shapes model.onnx --fold\n"
                "resnet convert resnet-56 fresh.pth --seed 7",
    .least = 2,
    .most = 2,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_convert,
};
