/** Files that 'resnet eval' writes. */
#ifndef CLI_EVAL_FILES_H
#define CLI_EVAL_FILES_H

#include "resnet/resnet.h"

#include <stdio.h>

/**
 * --save-logits FILE.npy: the scores of each picture, float32 [pictures][classes] in NumPy's
 * format, and beside it FILE.csv, a line each: row of the array, picture, label, predicted, error.
 * A bad picture has no row. Until both are finished, what was there stays.
 */
typedef struct cli_scores_file {
    const rn_samples *samples;
    char *const *names; // of the models' classes
    int classes;
    rn_npy *array;
    FILE *list; // in memory: list_text
    char *list_text, *list_path;
    size_t list_size;
    int64_t rows;
} cli_scores_file;

/**
 * Begin, with `samples`, `names` and `classes` set and the rest zero.
 *
 * @return RN_OK; RN_EINVAL (another ending); RN_ENOMEM; as cli_check_writable().
 */
rn_status cli_scores_file_open(cli_scores_file *file, const char *path);
/** Does nothing to one that was not opened, as finishing and releasing do. RN_EIO; RN_ENOMEM. */
rn_status cli_scores_file_add(cli_scores_file *file, const rn_picture_scores *scores);
/** Put both files in place. RN_EIO; RN_ENOMEM. */
rn_status cli_scores_file_finish(cli_scores_file *file);
void cli_scores_file_release(cli_scores_file *file);

#endif
