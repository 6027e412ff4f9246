/** What 'resnet diff' prints. */
#ifndef CLI_DIFF_OUTPUT_H
#define CLI_DIFF_OUTPUT_H

#include "cli/model_file.h"

typedef struct cli_compared {
    const char *words[2]; // the models as the user names them
    cli_model files[2];
    rn_checkpoint *models[2]; // of the files
    const char *picture;      // NULL: noise
    rn_compare_options options;
    rn_comparison comparison;
} cli_compared;

/** Tables for people; `all`: every parameter and layer. */
void cli_diff_print(const cli_compared *d, bool all);

rn_status cli_diff_json(const cli_compared *d);

/** The class of a picture's largest logit, of model 0 or 1. */
int cli_diff_top(const cli_compared *d, int model, int picture);

#endif
