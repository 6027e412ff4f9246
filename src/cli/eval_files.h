/** Files that 'resnet eval' writes. */
#ifndef CLI_EVAL_FILES_H
#define CLI_EVAL_FILES_H

#include "resnet/resnet.h"

#include <stdio.h>

/**
 * --confusion FILE[,FILE]: each ends in .csv or .png. Checks the names only; NULL and "" are legal.
 */
rn_status cli_confusion_check(const char *files);
/** Write them. */
rn_status cli_confusion_write(const char *files, const rn_evaluation *evaluation,
                              char *const *names);

/**
 * --save-logits FILE.npy: the scores of each picture, float32 [pictures][classes] in NumPy's
 * format, and beside it FILE.csv, a line each: row of the array, picture, label, predicted, error.
 * A bad picture has no row.
 */
typedef struct cli_scores_file {
    FILE *array, *list;
    const char *path;
    char *list_path;
    const rn_samples *samples;
    char *const *names; // of the models' classes
    int classes;
    int64_t rows;
} cli_scores_file;

/** RN_EINVAL (another ending); RN_EIO. Zero-initialise first, so that closing is legal. */
rn_status cli_scores_file_open(cli_scores_file *file, const char *path);
rn_status cli_scores_file_add(cli_scores_file *file, const rn_picture_scores *scores);
/** Write the header, now that the rows are counted. RN_EIO. */
rn_status cli_scores_file_finish(cli_scores_file *file);
/** Close and release; what was not finished is removed. */
void cli_scores_file_close(cli_scores_file *file);

#endif
