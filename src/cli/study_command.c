#include "cli/command.h"
#include "cli/reproduce_run.h"
#include "cli/term.h"

#include <string.h>

static void print_sentences(char *text)
{
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        cli_wrap(stdout, line, 0, 0, cli_width(stdout));
}

// Claims that do not hold are a result; runs without one are not.
static rn_status conclude(const cli_reproduction *c)
{
    rn_report_counts counts;
    char *text = NULL;
    rn_status st = cli_reproduction_report(&counts, c);

    if (st != RN_OK && st != RN_EDIVERGED)
        return st;
    if (rn_reproduction_explain(&text, c->reproduction, c->folder) == RN_OK) {
        if (!c->quiet)
            printf("\n");
        print_sentences(text);
        printf("\nfigure: %s/curves.svg, %s/curves.png\n", c->folder, c->folder);
        printf("report: %s/report.html, %s/report.md\n", c->folder, c->folder);
    } else if (st == RN_OK) {
        st = RN_EFORMAT;
    }
    rn_text_free(text);
    return st;
}

static rn_status study(cli_reproduction *c, const cli_arguments *args)
{
    rn_status st;

    RN_TRY(cli_reproduction_begin(c, "degradation", cli_text(args, "out"), "study"));
    RN_TRY(cli_reproduction_options(c, args));
    RN_TRY(cli_reproduction_run(c));
    RN_TRY(conclude(c));
out:
    return st;
}

static rn_status run_degradation(const cli_arguments *args)
{
    cli_reproduction c = {.again = "resnet study degradation --out", .usual_budget = "7m"};
    rn_status st = study(&c, args);

    cli_reproduction_release(&c);
    return st;
}

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FOLDER,
     .argument = "FOLDER",
     .help = "where everything goes; by default study/degradation"},
    CLI_REPRODUCTION_DATA_OPTION("the data; by default 'shapes', which are generated"),
    {.name = "budget",
     .kind = CLI_TEXT,
     .argument = "TIME",
     .help = "how long it may take on this machine, such as 30m or 1h30m: the training is made as "
             "long as fits (default: 7m, or what the shortest training takes)"},
    CLI_REPRODUCTION_OPTIONS,
    {0}};

static const cli_command cli_study_degradation = {
    .name = "study degradation",
    .usage = "",
    .summary = "see deeper plain networks do worse, and residual ones not",
    .description =
        "Train plain and residual networks of 20 and 56 layers on generated pictures, draw their "
        "errors side by side as figure 6 of the 2015 paper does, plain at the left and residual at "
        "the right, and say in two sentences what came out: also when it is not what the paper "
        "found.\n\n"
        "It is the target 'degradation' of 'resnet reproduce', and goes on in the same way where "
        "it was interrupted.",
    .examples = "resnet study degradation\n"
                "resnet study degradation --data data --budget 2h --runs 3",
    .options = options,
    .run = run_degradation,
};

static const cli_command *const commands[] = {&cli_study_degradation, NULL};

const cli_command cli_study = {
    .name = "study",
    .usage = "degradation",
    .summary = "see for yourself, in minutes, what the papers are about",
    .description = "Small experiments, each with a figure and what it shows in words.",
    .examples = "resnet study degradation",
    .commands = commands,
};
