/** The network that a command's word names: a model spec, a model file or a run folder. */
#ifndef CLI_NETWORK_H
#define CLI_NETWORK_H

#include "cli/model_file.h"
#include "cli/options.h"

#include "resnet/resnet.h"

typedef struct cli_network {
    rn_graph *built;       // from a spec
    cli_model file;        // or from a file
    const rn_graph *graph; // of either
} cli_network;

/** The word, else `fallback`; --classes and --input where the command has them. */
rn_status cli_network_open(cli_network *network, const cli_arguments *args, const char *fallback);
void cli_network_release(cli_network *network);

/** Name of the processor; "unknown processor" if the system does not say. */
void cli_processor_name(char *name, size_t size);

#endif
