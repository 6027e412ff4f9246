/**
 * A model file that a command changes by looking at training pictures: read, measured on the test
 * set before and after, and written elsewhere. For `bn-recalibrate` and `quantize`.
 */
#ifndef CLI_MODEL_CHANGE_H
#define CLI_MODEL_CHANGE_H

#include "cli/json_output.h"
#include "cli/options.h"

#include "resnet/evaluate.h"

typedef struct cli_model_change {
    rn_checkpoint *model;
    char *path, *source;
    rn_samples *train, *test; // test: NULL if there is none, or it is not wanted
    const char *engine;
    int batch;
    bool ema; // whose weights
    rn_bad_images bad_images;
    rn_evaluation before, after; // on test
} cli_model_change;

/** Options that both commands have: --data, --out, --force, --evaluate, --weights, ... */
#define CLI_CHANGE_OPTIONS(what)                                                                   \
    {.name = "data",                                                                               \
     .letter = 'd',                                                                                \
     .kind = CLI_SOURCE,                                                                           \
     .argument = "SOURCE",                                                                         \
     .help = "data set that it was trained on; by default that of the run"},                       \
        {.name = "out",                                                                            \
         .letter = 'o',                                                                            \
         .kind = CLI_FILE,                                                                         \
         .argument = "FILE",                                                                       \
         .help = "where the result goes: a name that ends in .safetensors"},                       \
        {.name = "force", .kind = CLI_FLAG, .help = "let FILE be the source itself"},              \
        {.name = "weights",                                                                        \
         .kind = CLI_CHOICE,                                                                       \
         .argument = "WHICH",                                                                      \
         .help = "of a checkpoint: " what ", those of the moving average, which is the default "   \
                 "where there is one, or those of the last weights",                               \
         .choices = "ema|last"},                                                                   \
    {                                                                                              \
        .name = "evaluate", .kind = CLI_SWITCH,                                                    \
        .help = "measure the error on the test set before and after; by default where there is "   \
                "one"                                                                              \
    }

/** What the options say: read the model and open the sets. */
rn_status cli_change_open(cli_model_change *change, const cli_arguments *args);
void cli_change_release(cli_model_change *change);

/** The model as it is now, on the test set, if there is one. */
rn_status cli_change_evaluate(const cli_model_change *change, rn_evaluation *out);

void cli_change_print_errors(const cli_model_change *change);
void cli_change_json(cJSON *json, const cli_model_change *change, const char *out);

#endif
