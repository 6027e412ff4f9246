#include "cli/command.h"
#include "cli/term.h"

#include "resnet/resnet.h"

#include <stdarg.h>
#include <string.h>

enum { INDENT = 2, MAX_WIDTH = 100, WIDEST_OPTION = 28 };

static int page_width(FILE *stream)
{
    int width = cli_width(stream);

    return width > MAX_WIDTH ? MAX_WIDTH : width;
}

static void print_heading(FILE *stream, const char *heading)
{
    fprintf(stream, "\n%s%s:%s\n", cli_style(stream, CLI_BOLD), heading,
            cli_style(stream, CLI_NORMAL));
}

static void print_commands(FILE *stream, const cli_command *const *commands)
{
    size_t width = 0;

    for (int i = 0; commands[i] != NULL; i++)
        if (strlen(commands[i]->name) > width)
            width = strlen(commands[i]->name);
    int column = INDENT + (int)width + INDENT;
    for (; *commands != NULL; commands++) {
        fprintf(stream, "  %-*s", column - INDENT, (*commands)->name);
        cli_wrap(stream, (*commands)->summary, column, column, page_width(stream));
    }
}

void cli_print_overview(FILE *stream)
{
    fprintf(stream, "Usage: resnet COMMAND [ARGUMENT]... [OPTION]...\n\n");
    cli_wrap(stream, "Train, evaluate, study and use deep residual networks.", 0, 0,
             page_width(stream));
    print_heading(stream, "Commands");
    print_commands(stream, cli_commands);
    print_heading(stream, "Start with");
    fprintf(stream, "  resnet train resnet-20           # on generated pictures, a few minutes\n"
                    "  resnet train --help              # every option of a command\n");
    print_heading(stream, "Options");
    fprintf(stream, "  -h, --help   show this help and exit\n"
                    "  --version    show the version and exit\n"
                    "  --man        print the man page: resnet --man | man -l -\n");
}

static void append(char *text, size_t size, const char *fmt, ...)
{
    size_t used = strlen(text);
    va_list values;

    va_start(values, fmt);
    vsnprintf(text + used, size - used, fmt, values);
    va_end(values);
}

// "  -o, --out FOLDER"
static void spell_option(char *text, size_t size, const cli_option *option)
{
    char letter[] = "    ";

    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(text, size, "  %s--%s%s", letter, option->kind == CLI_SWITCH ? "[no-]" : "",
             option->name);
    if (option->argument != NULL)
        append(text, size, cli_option_is_optional(option) ? " [%s]" : " %s", option->argument);
}

static int widest(const cli_option *options, int most)
{
    char text[128];
    int width = 0;

    for (; options != NULL && options->name != NULL; options++) {
        spell_option(text, sizeof text, options);
        int length = (int)strlen(text);
        if (length > width && length <= most)
            width = length;
    }
    return width;
}

// The help with what the table knows besides: range or choices, default.
static void explain_option(char *text, size_t size, const cli_option *option)
{
    char range[128];

    cli_option_range(range, sizeof range, option);
    snprintf(text, size, "%s", option->help);
    if (range[0] != '\0')
        append(text, size, " (%s", range);
    if (option->fallback != NULL)
        append(text, size, "%sdefault: %s", range[0] != '\0' ? "; " : " (", option->fallback);
    if (range[0] != '\0' || option->fallback != NULL)
        append(text, size, ")");
}

static void print_option(FILE *stream, const cli_option *option, int column)
{
    char spelled[128], text[1024];

    spell_option(spelled, sizeof spelled, option);
    explain_option(text, sizeof text, option);
    int length = (int)strlen(spelled);
    fprintf(stream, "%s", spelled);
    if (length > column - INDENT)
        fprintf(stream, "\n%*s", column, "");
    else
        fprintf(stream, "%*s", column - length, "");
    cli_wrap(stream, text, column, column, page_width(stream));
}

static void print_options(FILE *stream, const cli_command *command)
{
    int width = page_width(stream);
    int column = widest(command->options, width < 60 ? 12 : WIDEST_OPTION) + INDENT;
    const cli_option *options = command->options;

    if (options == NULL || options->group == NULL)
        print_heading(stream, "Options");
    if (column < 14)
        column = 14;
    for (; options != NULL && options->name != NULL; options++) {
        if (options->group != NULL)
            print_heading(stream, options->group);
        print_option(stream, options, column);
    }
    print_option(stream, &cli_help_option, column);
}

static bool takes_recipe(const cli_option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        if (options->kind == CLI_RECIPE)
            return true;
    return false;
}

static void print_recipes(FILE *stream)
{
    size_t width = 0;

    print_heading(stream, "Recipes");
    for (int i = 0; rn_recipe_name(i) != NULL; i++)
        if (strlen(rn_recipe_name(i)) > width)
            width = strlen(rn_recipe_name(i));
    int column = INDENT + (int)width + INDENT;
    for (int i = 0; rn_recipe_name(i) != NULL; i++) {
        fprintf(stream, "  %-*s", column - INDENT, rn_recipe_name(i));
        cli_wrap(stream, rn_recipe_summary(i), column, column, page_width(stream));
    }
}

static void print_examples(FILE *stream, const char *examples)
{
    print_heading(stream, "Examples");
    while (*examples != '\0') {
        int length = (int)strcspn(examples, "\n");
        fprintf(stream, "  %.*s\n", length, examples);
        examples += length + (examples[length] == '\n');
    }
}

void cli_print_help(FILE *stream, const cli_command *command)
{
    fprintf(stream, "Usage: resnet %s%s%s%s\n\n", command->name, *command->usage != '\0' ? " " : "",
            command->usage, command->commands == NULL ? " [OPTION]..." : "");
    cli_wrap(stream, command->description, 0, 0, page_width(stream));
    if (command->commands != NULL) {
        print_heading(stream, "Commands");
        print_commands(stream, command->commands);
    }
    print_options(stream, command);
    if (takes_recipe(command->options))
        print_recipes(stream);
    if (command->examples != NULL)
        print_examples(stream, command->examples);
}
