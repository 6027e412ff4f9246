#include "cli/network.h"

#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rn_status read_options(rn_model_options *options, const cli_arguments *args)
{
    if (cli_option_find(args->command->options, "classes") >= 0)
        options->classes = (int)cli_integer(args, "classes");
    if (cli_option_find(args->command->options, "input") >= 0 && cli_given(args, "input"))
        return cli_parse_input(options, cli_text(args, "input"));
    return RN_OK;
}

rn_status cli_network_open(cli_network *network, const cli_arguments *args, const char *fallback)
{
    rn_status st;
    rn_model_options options = {0};
    const char *word = args->word_count > 0 ? args->words[0] : fallback;

    *network = (cli_network){0};
    RN_TRY(read_options(&options, args));
    if (cli_is_path(word)) {
        if (options.classes != 0 || options.channels != 0) {
            st = rn_error(RN_EINVAL,
                          "'--classes' and '--input' are for a model's name; '%s' has "
                          "its own",
                          word);
            goto out;
        }
        RN_TRY(cli_model_open(&network->file, args, word));
        cli_model_note(&network->file, args);
        network->graph = network->file.checkpoint->graph;
    } else {
        RN_TRY(rn_graph_create(&network->built, word, &options));
        network->graph = network->built;
    }
out:
    return st;
}

void cli_network_release(cli_network *network)
{
    rn_graph_free(network->built);
    cli_model_release(&network->file);
}

void cli_processor_name(char *name, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    snprintf(name, size, "unknown processor");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && value != NULL) {
            value += 1 + strspn(value + 1, " \t");
            value[strcspn(value, "\n")] = '\0';
            snprintf(name, size, "%s", value);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
}
