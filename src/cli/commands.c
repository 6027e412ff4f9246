#include "cli/command.h"

#include <string.h>

const cli_command *const cli_commands[] = {
    &cli_train,     &cli_eval,  &cli_predict, &cli_features,    &cli_convert,
    &cli_summary,   &cli_plan,  &cli_diff,    &cli_recalibrate, &cli_quantize,
    &cli_responses, &cli_plot,  &cli_study,   &cli_reproduce,   &cli_dashboard,
    &cli_data,      &cli_bench, &cli_help,    &cli_completion,  NULL};

enum { MAX_COMMANDS = 32 };

static const char *last_word(const char *name)
{
    const char *blank = strrchr(name, ' ');

    return blank != NULL ? blank + 1 : name;
}

const cli_command *cli_command_find(const cli_command *const *commands, const char *name)
{
    const char *names[MAX_COMMANDS];
    size_t count = 0;

    for (; commands[count] != NULL && count < MAX_COMMANDS; count++) {
        names[count] = last_word(commands[count]->name);
        if (strcmp(names[count], name) == 0)
            return commands[count];
    }
    const char *nearest = rn_nearest(name, names, count);
    if (nearest != NULL)
        rn_error(RN_EINVAL, "unknown command '%s'; did you mean '%s'?", name, nearest);
    else
        rn_error(RN_EINVAL, "unknown command '%s'", name);
    return NULL;
}
