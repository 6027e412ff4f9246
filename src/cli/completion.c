#include "cli/command.h"

#include "resnet/resnet.h"

#include <string.h>

static void print_choices(FILE *stream, const char *choices)
{
    for (; *choices != '\0'; choices++)
        fputc(*choices == '|' ? ' ' : *choices, stream);
}

static void print_names(FILE *stream, const char *(*name)(int))
{
    for (int i = 0; name(i) != NULL; i++)
        fprintf(stream, "%s%s", i > 0 ? " " : "", name(i));
}

static const char *download_name(int index)
{
    const rn_download *download = rn_download_at(index);

    return download != NULL ? download->name : NULL;
}

static const char *command_name(int index)
{
    return cli_commands[index] != NULL ? cli_commands[index]->name : NULL;
}

// compgen's arguments for an option's value
static void print_value(FILE *stream, const cli_option *option)
{
    switch (option->kind) {
    case CLI_CHOICE:
        fputs("-W '", stream);
        print_choices(stream, option->choices);
        fputs("'", stream);
        break;
    case CLI_RECIPE:
        fputs("-f -W '", stream);
        print_names(stream, rn_recipe_name);
        fputs("'", stream);
        break;
    case CLI_SOURCE:
        fputs("-f -W 'shapes'", stream);
        break;
    case CLI_FILE:
    case CLI_OPTIONAL_FILE:
        fputs("-f", stream);
        break;
    case CLI_FOLDER:
    case CLI_OPTIONAL_FOLDER:
        fputs("-d", stream);
        break;
    default:
        fputs("-W ''", stream);
    }
}

// compgen's arguments for a command's words
static void print_words(FILE *stream, cli_word word)
{
    static const struct {
        const char *before, *after;
        const char *(*name)(int);
    } words[] = {[CLI_WORD_NONE] = {"-W ''", "", NULL},
                 [CLI_WORD_MODEL] = {"-f -W '", "'", rn_model_name},
                 [CLI_WORD_FILE] = {"-f", "", NULL},
                 [CLI_WORD_SOURCE] = {"-f -W 'shapes'", "", NULL},
                 [CLI_WORD_DOWNLOAD] = {"-W '", "'", download_name},
                 [CLI_WORD_COMMAND] = {"-W '", "'", command_name},
                 [CLI_WORD_SHELL] = {"-W 'bash'", "", NULL}};

    fputs(words[word].before, stream);
    if (words[word].name != NULL)
        print_names(stream, words[word].name);
    fputs(words[word].after, stream);
}

static void print_option_names(FILE *stream, const cli_command *command)
{
    for (const cli_option *o = command->options; o != NULL && o->name != NULL; o++) {
        fprintf(stream, "--%s ", o->name);
        if (o->kind == CLI_SWITCH)
            fprintf(stream, "--no-%s ", o->name);
    }
    fputs("--help", stream);
}

static void print_option_values(FILE *stream, const cli_command *command)
{
    for (const cli_option *o = command->options; o != NULL && o->name != NULL; o++) {
        if (o->kind == CLI_FLAG || o->kind == CLI_SWITCH)
            continue;
        fprintf(stream, "    '%s --%s'", command->name, o->name);
        if (o->letter != 0)
            fprintf(stream, "|'%s -%c'", command->name, o->letter);
        fputs(") _resnet_reply ", stream);
        print_value(stream, o);
        fputs("; return ;;\n", stream);
    }
}

static void for_each_command(FILE *stream, void (*print)(FILE *, const cli_command *))
{
    for (const cli_command *const *command = cli_commands; *command != NULL; command++) {
        print(stream, *command);
        for (int i = 0; (*command)->commands != NULL && (*command)->commands[i] != NULL; i++)
            print(stream, (*command)->commands[i]);
    }
}

static void print_command_case(FILE *stream, const cli_command *command)
{
    fprintf(stream, "    '%s')\n      case $cur in\n        -*) _resnet_reply -W '", command->name);
    print_option_names(stream, command);
    fputs("' ;;\n        *) _resnet_reply ", stream);
    if (command->commands != NULL) {
        fputs("-W '", stream);
        for (int i = 0; command->commands[i] != NULL; i++)
            fprintf(stream, "%s%s", i > 0 ? " " : "", strchr(command->commands[i]->name, ' ') + 1);
        fputs("'", stream);
    } else {
        print_words(stream, command->word);
    }
    fputs(" ;;\n      esac ;;\n", stream);
}

// Of commands that have commands of their own, two words are the command.
static void print_joining(FILE *stream)
{
    const char *between = "";

    fputs("  case $command in\n    ", stream);
    for (const cli_command *const *command = cli_commands; *command != NULL; command++)
        if ((*command)->commands != NULL) {
            fprintf(stream, "%s%s", between, (*command)->name);
            between = "|";
        }
    fputs(") [ \"$COMP_CWORD\" -gt 2 ] && command=\"$command ${COMP_WORDS[2]}\" ;;\n  esac\n",
          stream);
}

void cli_print_completion(FILE *stream)
{
    fputs("# Completion of resnet's command lines in bash:\n"
          "#   source <(resnet completion bash)\n"
          "_resnet_reply() {\n"
          "  mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\")\n"
          "}\n"
          "_resnet() {\n"
          "  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
          "  local command=${COMP_WORDS[1]}\n"
          "  COMPREPLY=()\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "    _resnet_reply -W '",
          stream);
    print_names(stream, command_name);
    fputs(" --help --version --man'\n    return\n  fi\n", stream);
    print_joining(stream);
    fputs("  case \"$command $previous\" in\n", stream);
    for_each_command(stream, print_option_values);
    fputs("  esac\n  case $command in\n", stream);
    for_each_command(stream, print_command_case);
    fputs("  esac\n}\ncomplete -o filenames -F _resnet resnet\n", stream);
}
