#include "cli/network.h"

#include "cli/command.h"
#include "cli/run_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_path(const char *word)
{
    return strchr(word, '/') != NULL || strstr(word, ".safetensors") != NULL || cli_is_file(word) ||
           cli_is_folder(word);
}

// "3x32x32"
static rn_status parse_input(rn_model_options *options, const char *text)
{
    int used = 0;

    if (strspn(text, "0123456789x") == strlen(text) && strlen(text) < 24 &&
        sscanf(text, "%dx%dx%d%n", &options->channels, &options->height, &options->width, &used) ==
            3 &&
        text[used] == '\0' && options->channels > 0 && options->height > 0 && options->width > 0)
        return RN_OK;
    return rn_error(RN_EINVAL, "option '--input' expects CxHxW, such as 3x32x32, found '%s'", text);
}

static rn_status read_options(rn_model_options *options, const cli_arguments *args)
{
    if (cli_option_find(args->command->options, "classes") >= 0)
        options->classes = (int)cli_integer(args, "classes");
    if (cli_option_find(args->command->options, "input") >= 0 && cli_given(args, "input"))
        return parse_input(options, cli_text(args, "input"));
    return RN_OK;
}

rn_status cli_network_open(cli_network *network, const cli_arguments *args, const char *fallback)
{
    rn_status st;
    rn_model_options options = {0};
    const char *word = args->word_count > 0 ? args->words[0] : fallback;

    *network = (cli_network){0};
    RN_TRY(read_options(&options, args));
    if (is_path(word)) {
        if (options.classes != 0 || options.channels != 0) {
            st = rn_error(RN_EINVAL,
                          "'--classes' and '--input' are for a model's name; '%s' has "
                          "its own",
                          word);
            goto out;
        }
        RN_TRY(cli_model_load(&network->checkpoint, word));
        network->graph = network->checkpoint->graph;
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
    rn_checkpoint_free(network->checkpoint);
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
