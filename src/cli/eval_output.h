/** What 'resnet eval' prints. */
#ifndef CLI_EVAL_OUTPUT_H
#define CLI_EVAL_OUTPUT_H

#include "resnet/resnet.h"

typedef struct cli_scores {
    const rn_samples *samples;
    const rn_evaluation *evaluation;
    const char *source;
    char *const *names; // of the evaluation's classes
    rn_tta tta;
    bool ema;
    const char *weights; // "ema", "last", or "model" of a file that holds one set alone
    bool int8;           // convolutions multiplied bytes
    const rn_evaluate_views_options *views; // NULL: images as they are, by rn_evaluate()
    int models;
} cli_scores;

/** The tables need a confusion. */
void cli_scores_print(const cli_scores *s, bool per_class, bool matrix);

rn_status cli_scores_json(const cli_scores *s);

#endif
