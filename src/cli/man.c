#include "cli/command.h"

#include "resnet/resnet.h"

#include <string.h>

// Text in troff: no character of it may be taken for a request or a font change.
static void print_text(FILE *stream, const char *text)
{
    bool line_start = true;

    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stream);
        if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '-')
            fputs("\\-", stream);
        else if (text[0] == '\n' && text[1] == '\n')
            fputs("\n.PP", stream);
        else
            fputc(*text, stream);
        line_start = *text == '\n';
    }
}

static void print_paragraph(FILE *stream, const char *text)
{
    fputs(".PP\n", stream);
    print_text(stream, text);
    fputc('\n', stream);
}

static void print_option_name(FILE *stream, const cli_option *option)
{
    fputs(".TP\n", stream);
    if (option->letter != 0)
        fprintf(stream, "\\fB\\-%c\\fR, ", option->letter);
    fprintf(stream, "\\fB\\-\\-%s", option->kind == CLI_SWITCH ? "[no\\-]" : "");
    print_text(stream, option->name);
    fputs("\\fR", stream);
    if (option->argument != NULL) {
        fprintf(stream, cli_option_is_optional(option) ? " [\\fI" : " \\fI");
        print_text(stream, option->argument);
        fprintf(stream, cli_option_is_optional(option) ? "\\fR]" : "\\fR");
    }
    fputc('\n', stream);
}

static void print_option(FILE *stream, const cli_option *option)
{
    char range[128];

    cli_option_range(range, sizeof range, option);
    print_option_name(stream, option);
    print_text(stream, option->help);
    if (range[0] != '\0') {
        fputs(" (", stream);
        print_text(stream, range);
        fputs(")", stream);
    }
    fputs(".\n", stream);
    if (option->fallback != NULL) {
        fputs("Default: ", stream);
        print_text(stream, option->fallback);
        fputs(".\n", stream);
    }
}

static void print_options(FILE *stream, const cli_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (options->group != NULL) {
            fputs(".PP\n\\fB", stream);
            print_text(stream, options->group);
            fputs(":\\fR\n", stream);
        }
        print_option(stream, options);
    }
}

static void print_examples(FILE *stream, const char *examples)
{
    fputs(".PP\nExamples:\n.PP\n.nf\n.RS 4\n", stream);
    print_text(stream, examples);
    fputs("\n.RE\n.fi\n", stream);
}

// Of a command with commands of its own, those have what it takes in their headings.
static void print_command(FILE *stream, const cli_command *command)
{
    bool usage = *command->usage != '\0' && command->commands == NULL;

    fprintf(stream, ".SS \"resnet %s%s", command->name, usage ? " " : "");
    if (usage)
        print_text(stream, command->usage);
    fputs("\"\n", stream);
    print_paragraph(stream, command->description);
    print_options(stream, command->options);
    if (command->examples != NULL)
        print_examples(stream, command->examples);
    for (const cli_command *const *sub = command->commands; sub != NULL && *sub != NULL; sub++)
        print_command(stream, *sub);
}

static void print_items(FILE *stream, const char *section, const char *const (*items)[2])
{
    fprintf(stream, ".SH %s\n", section);
    for (; (*items)[0] != NULL; items++) {
        fputs(".TP\n.B ", stream);
        print_text(stream, (*items)[0]);
        fputc('\n', stream);
        print_text(stream, (*items)[1]);
        fputc('\n', stream);
    }
}

static void print_recipes(FILE *stream)
{
    fputs(".SH RECIPES\n", stream);
    for (int i = 0; rn_recipe_name(i) != NULL; i++) {
        fputs(".TP\n.B ", stream);
        print_text(stream, rn_recipe_name(i));
        fputc('\n', stream);
        print_text(stream, rn_recipe_summary(i));
        fputs(".\n", stream);
    }
}

static const char *const exit_statuses[][2] = {
    {"0", "Success."},
    {"1", "Failure: a file, the network, memory, a training that diverged; one line on standard "
          "error says which."},
    {"2",
     "Usage: an option, argument, model, recipe's name or value that makes no sense. (A recipe "
     "file with errors is a failure.)"},
    {"130, 143", "Stopped by SIGINT or SIGTERM. A training has saved its state first. (129: "
                 "SIGHUP.)"},
    {NULL, NULL}};

static const char *const variables[][2] = {
    {"RESNET_THREADS", "Compute threads, where --threads is not given."},
    {"RESNET_ISA", "avx2 or avx512: the highest instruction set that the cpu engine uses."},
    {"RESNET_CONV", "winograd, direct or onednn: the one kind of convolution that the cpu engine "
                    "uses where it can, oneDNN's elsewhere; auto: whichever is fastest."},
    {"RESNET_MAX_PIXELS", "The most pixels of a picture that is decoded, 268435456 if not set; "
                          "larger ones are refused by their headers."},
    {"OMP_NUM_THREADS", "Compute threads, where neither --threads nor RESNET_THREADS is given."},
    {"GOMP_SPINCOUNT, OMP_WAIT_POLICY",
     "How long waiting threads spin before they sleep; if neither "
     "is set, briefly (GOMP_SPINCOUNT=10000)."},
    {"RESNET_DASHBOARD_TOKEN", "The dashboard's token, where --dashboard-token is not given."},
    {"NO_COLOR", "If set and not empty, no colours."},
    {"TERM", "If dumb, plain lines instead of a progress line."},
    {NULL, NULL}};

static const char *const files[][2] = {
    {"RUN/model.safetensors", "The trained network, with labels and preprocessing."},
    {"RUN/best.safetensors", "The weights with the lowest error so far."},
    {"RUN/checkpoint-N.safetensors", "The whole state after step N, to resume from."},
    {"RUN/log.jsonl", "One JSON object for each measured point."},
    {"RUN/recipe.json", "Everything that decides what is computed; a recipe for --recipe."},
    {"RUN/events.out.tfevents.*", "What log.jsonl has, for TensorBoard, with --tensorboard."},
    {"RUN/responses.json", "What 'resnet responses RUN' measured."},
    {"RUN/samples.json", "Some pictures and what the network takes them for."},
    {"RUN/run.json", "Command line, model, data."},
    {"RUN/environment.json", "Processor, threads, versions."},
    {NULL, NULL}};

static const char *const program_options[][2] = {
    {"-h, --help", "Show the commands, or behind a command its options, and exit."},
    {"--version", "Show the version and exit."},
    {"--man", "Print this page: resnet --man | man -l -"},
    {NULL, NULL}};

void cli_print_man(FILE *stream)
{
    fprintf(stream,
            ".TH RESNET 1 \"\" \"resnet %s\" \"User Commands\"\n"
            ".SH NAME\nresnet \\- train, evaluate and use deep residual networks\n"
            ".SH SYNOPSIS\n\\fBresnet\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR]... "
            "[\\fIOPTION\\fR]...\n.br\n\\fBresnet\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR\n",
            RN_VERSION);
    fputs(".SH DESCRIPTION\nTrain, evaluate, study and use deep residual networks (He et al. 2015, "
          "arXiv:1512.03385, and 2016, arXiv:1603.05027) on the processors that people have.\n",
          stream);
    print_items(stream, "OPTIONS", program_options);
    fputs(".SH COMMANDS\n", stream);
    for (const cli_command *const *command = cli_commands; *command != NULL; command++)
        print_command(stream, *command);
    print_recipes(stream);
    print_items(stream, "FILES", files);
    print_items(stream, "ENVIRONMENT", variables);
    print_items(stream, "EXIT STATUS", exit_statuses);
}
