/** What `resnet predict` prints, in each format. */
#ifndef CLI_PREDICT_OUTPUT_H
#define CLI_PREDICT_OUTPUT_H

#include "cli/options.h"

#include "resnet/resnet.h"

typedef enum predict_format {
    PREDICT_TEXT,
    PREDICT_CSV,
    PREDICT_JSON,  // one array
    PREDICT_LINES, // JSON Lines: an object a picture
    PREDICT_IMAGENET
} predict_format;

typedef struct predict_output {
    predict_format format;
    const rn_checkpoint *model;
    int top;
    int *order; // classes, most probable first
    int *ids;   // of the classes, in PREDICT_IMAGENET
    int width;  // of names, in PREDICT_TEXT
    int64_t shown;
} predict_output;

/** By the options --format, --json and --csv: RN_EINVAL where they, or --class-ids, disagree. */
rn_status predict_format_choose(predict_format *format, const cli_arguments *args);

/** By the options --format, --json, --csv, --top and --class-ids. */
rn_status predict_output_init(predict_output *output, const cli_arguments *args,
                              const rn_checkpoint *model);
void predict_output_release(predict_output *output);

/** What stands in front. */
void predict_output_begin(const predict_output *output);

/** The most probable class is then order[0]. */
rn_status predict_output_show(predict_output *output, const char *name, const float *probabilities);

/** A picture that has no result, where the format says so; standard error is the caller's. */
rn_status predict_output_miss(predict_output *output, const char *name, const char *message);

/** What stands behind. */
void predict_output_finish(const predict_output *output);

#endif
