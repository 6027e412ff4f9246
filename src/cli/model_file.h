/** Model files of any format, and what the command line adds to what they say. */
#ifndef CLI_MODEL_FILE_H
#define CLI_MODEL_FILE_H

#include "cli/options.h"

#include "resnet/resnet.h"

#include <stdio.h>

/** Options of commands that take model files of any program. */
#define CLI_FILE_OPTIONS                                                                           \
    {.name = "model",                                                                              \
     .kind = CLI_TEXT,                                                                             \
     .argument = "MODEL",                                                                          \
     .help =                                                                                       \
         "network of a file that does not say it; by default inferred from the tensors' names "    \
         "and shapes",                                                                             \
     .group = "Files of other programs"},                                                          \
        {.name = "mean",                                                                           \
         .kind = CLI_TEXT,                                                                         \
         .argument = "A,B,C",                                                                      \
         .help = "what to subtract from the channels (0 to 1) where the file does not say it; by " \
                 "default ImageNet's 0.485,0.456,0.406"},                                          \
        {.name = "deviation",                                                                      \
         .kind = CLI_TEXT,                                                                         \
         .argument = "A,B,C",                                                                      \
         .help = "what to divide the channels by; by default ImageNet's 0.229,0.224,0.225, or 1 "  \
                 "with --mean"},                                                                   \
    {                                                                                              \
        .name = "input", .kind = CLI_TEXT, .argument = "CxHxW",                                    \
        .help = "size of the pictures; by default the network's usual one"                         \
    }

/** A name that ends as those of model files do: .safetensors, .pth, .pt, .th, .onnx. */
bool cli_is_model_name(const char *path);
/** Of an option that names the file to write, never a model: RN_EINVAL if the name is one's. */
rn_status cli_refuse_model_name(const char *option, const char *path);

/** True for what means a file or folder rather than a network's name. */
bool cli_is_path(const char *word);

/** "3x32x32", the value of '--input'. */
rn_status cli_parse_input(rn_model_options *options, const char *text);

/** A loaded file and how it was understood. */
typedef struct cli_model {
    rn_checkpoint *checkpoint;
    rn_origin origin;
    char *path; // the file taken, of a run folder
} cli_model;

/**
 * Load the file or run folder that a word names, with the options --model, --mean, --deviation,
 * --labels and --input where the command has them.
 */
rn_status cli_model_open(cli_model *model, const cli_arguments *args, const char *word);
void cli_model_release(cli_model *model);

/** The same, with its notes said, where only the checkpoint matters (rn_checkpoint_free()). */
rn_status cli_model_load(rn_checkpoint **out, const cli_arguments *args, const char *word);

/** Say on standard error what the file did not tell and was assumed, as far as it matters, and how
 * many parameters are not finite. */
void cli_model_note(const cli_model *model, const cli_arguments *args);

/** "mean 0.485, 0.456, 0.406; deviation 0.229, 0.224, 0.225", "none", "pixel". */
void cli_print_preprocess(FILE *stream, const rn_preprocess *preprocess);

/** The number of a model's class of this name; -1: it has none. */
int cli_find_label(const rn_checkpoint *model, const char *name);

/** The recipe that the model was trained by; false: its file holds none that can be read. */
bool cli_model_recipe(rn_recipe *recipe, const rn_checkpoint *model);

/**
 * --dtype float32|int8; by default int8 where the model has ranges, unless --engine ref computes.
 * RN_EINVAL: the model, or the engine, has no int8.
 */
rn_status cli_choose_type(rn_checkpoint *model, const cli_arguments *args);

/** --weights ema|last of a checkpoint: RN_EINVAL if the moving average is wanted and missing. */
rn_status cli_choose_weights(bool *ema, const rn_checkpoint *checkpoint, const char *wish);

#endif
