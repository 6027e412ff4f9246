#include "cli/eval_files.h"

#include "cli/run_folder.h"
#include "cli/shown.h"

#include <stdlib.h>
#include <string.h>

rn_status cli_scores_file_open(cli_scores_file *file, const char *path)
{
    rn_status st;
    size_t length = strlen(path);

    RN_TRY(cli_check_ending("save-logits", path, ".npy"));
    RN_TRY(cli_format(&file->list_path, "%.*s.csv", (int)length - 4, path));
    RN_TRY(cli_check_writable(path));
    RN_TRY(cli_check_writable(file->list_path));
    RN_TRY(rn_npy_create(&file->array, path, RN_NPY_FLOAT32, 1, &file->classes));
    file->list = open_memstream(&file->list_text, &file->list_size);
    if (file->list == NULL)
        return rn_error(RN_ENOMEM, "no memory for names");
    fputs("row,picture,label,predicted,error\n", file->list);
out:
    return st;
}

static void put_picture(const cli_scores_file *file, size_t index)
{
    char number[32];

    snprintf(number, sizeof number, "%zu", index);
    cli_put_csv(file->list, file->samples->photos != NULL
                                ? rn_photos_name(file->samples->photos, index)
                                : number);
}

static int largest(const float *scores, int classes)
{
    int best = 0;

    for (int k = 1; k < classes; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

rn_status cli_scores_file_add(cli_scores_file *file, const rn_picture_scores *scores)
{
    if (file->list == NULL)
        return RN_OK;
    if (scores->scores != NULL)
        fprintf(file->list, "%lld", (long long)file->rows++);
    putc(',', file->list);
    put_picture(file, scores->index);
    putc(',', file->list);
    cli_put_csv(file->list, file->names[scores->label]);
    putc(',', file->list);
    if (scores->scores != NULL)
        cli_put_csv(file->list, file->names[largest(scores->scores, file->classes)]);
    putc(',', file->list);
    if (scores->error != NULL)
        cli_put_csv(file->list, scores->error);
    putc('\n', file->list);
    return scores->scores != NULL ? rn_npy_append(file->array, scores->scores, 1) : RN_OK;
}

// The list first: an array is never there without it.
rn_status cli_scores_file_finish(cli_scores_file *file)
{
    rn_status st;

    if (file->list == NULL)
        return RN_OK;
    if (fflush(file->list) != 0)
        return rn_error(RN_ENOMEM, "no memory for names");
    RN_TRY(rn_text_write(file->list_path, file->list_text));
    RN_TRY(rn_npy_commit(file->array));
out:
    return st;
}

void cli_scores_file_release(cli_scores_file *file)
{
    rn_npy_free(file->array);
    if (file->list != NULL)
        fclose(file->list);
    free(file->list_text);
    free(file->list_path);
    *file = (cli_scores_file){0};
}
