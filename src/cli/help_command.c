#include "cli/command.h"

#include <string.h>

static rn_status run_help(const cli_arguments *args)
{
    const cli_command *command = NULL;
    const cli_command *const *commands = cli_commands;

    if (args->word_count == 0) {
        cli_print_overview(stdout);
        return RN_OK;
    }
    for (int i = 0; i < args->word_count; i++) {
        if (commands == NULL)
            return rn_error(RN_EINVAL, "'resnet %s' has no command '%s'", command->name,
                            args->words[i]);
        command = cli_command_find(commands, args->words[i]);
        if (command == NULL)
            return RN_EINVAL;
        commands = command->commands;
    }
    cli_print_help(stdout, command);
    return RN_OK;
}

static rn_status run_completion(const cli_arguments *args)
{
    if (strcmp(args->words[0], "bash") != 0)
        return rn_error(RN_EINVAL, "no completion for '%s', only for bash", args->words[0]);
    cli_print_completion(stdout);
    return RN_OK;
}

const cli_command cli_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "show the help of a command",
    .description = "Show the help of a command, or the list of commands.",
    .most = 2,
    .word = CLI_WORD_COMMAND,
    .run = run_help,
};

const cli_command cli_completion = {
    .name = "completion",
    .usage = "bash",
    .summary = "print the script that completes command lines",
    .description = "Print a script that completes commands, options and their values when you "
                   "press Tab. For one session: source <(resnet completion bash)",
    .examples = "resnet completion bash > ~/.local/share/bash-completion/completions/resnet",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_SHELL,
    .run = run_completion,
};
