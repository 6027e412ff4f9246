// Which network a training begins with: --from, --classes, --input.
#include "cli/train_job.h"

#include "cli/command.h"
#include "cli/shown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static rn_status read_classes(cli_job *job)
{
    const char *text = cli_text(job->args, "classes");
    char *end;

    if (text == NULL || strcmp(text, "auto") == 0)
        return RN_OK;
    long count = strtol(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || *text == '\0' || count < 1 || count > 1000000)
        return rn_error(RN_EINVAL,
                        "option '--classes' expects auto or a number from 1 to 1000000, "
                        "found '%s'",
                        text);
    job->network.classes = (int)count;
    return RN_OK;
}

static void note_preprocess(const cli_model *from)
{
    if (!from->origin.assumed_preprocess)
        return;
    fprintf(stderr, "resnet: note: '%s' does not say its preprocess, taken as: ",
            cli_shown(from->path).text);
    cli_print_preprocess(stderr, from->checkpoint->preprocess);
    fputs("; 'resnet convert' with --mean and --deviation says otherwise\n", stderr);
}

// A state dict does not say all: MODEL does, where it is given.
static rn_status load(cli_job *job, const char *word)
{
    rn_status st;
    const cli_arguments *args = job->args;
    const rn_import_options told = {.model = args->word_count > 0 ? args->words[0] : NULL};
    cli_model *from = &job->from;

    RN_TRY(cli_model_path(&from->path, word));
    RN_TRY(rn_model_load(&from->checkpoint, &from->origin, from->path, NULL));
    if (from->origin.inferred_model && told.model != NULL) {
        rn_checkpoint_free(from->checkpoint);
        RN_TRY(rn_model_load(&from->checkpoint, &from->origin, from->path, &told));
    }
    cli_model_note(from, args);
    note_preprocess(from);
out:
    return st;
}

// The run's record holds the absolute path, so that the run can be taken up from another folder;
// its checkpoints only the file's name and sum, so that equal trainings give equal files.
static rn_status describe(cli_job *job)
{
    rn_status st;
    char sum[RN_SHA256_TEXT];
    int index = cli_option_find(job->args->command->options, "from");
    const char *slash = strrchr(job->from.path, '/');

    RN_TRY(rn_file_sha256(sum, job->from.path));
    RN_TRY(cli_format(&job->from_name, "%s sha256:%s", slash != NULL ? slash + 1 : job->from.path,
                      sum));
    job->from_path = realpath(job->from.path, NULL);
    if (job->from_path == NULL)
        return rn_error(RN_EIO, "'%s': %s", job->from.path, strerror(errno));
    job->args->values[index] = job->from_path;
out:
    return st;
}

rn_status cli_job_read_network(cli_job *job)
{
    rn_status st;
    const cli_arguments *args = job->args;

    RN_TRY(read_classes(job));
    if (cli_given(args, "input"))
        RN_TRY(cli_parse_input(&job->network, cli_text(args, "input")));
    if (cli_given(args, "from")) {
        RN_TRY(load(job, cli_text(args, "from")));
        RN_TRY(describe(job));
    }
out:
    return st;
}

rn_status cli_job_fit_recipe(cli_job *job)
{
    const rn_checkpoint *from = job->from.checkpoint;

    if (from == NULL && job->recipe.freeze_until != RN_FREEZE_NONE)
        return rn_error(RN_EINVAL, "'--freeze-until %s' without '--from' would keep random weights",
                        rn_freeze_name(job->recipe.freeze_until));
    if (from == NULL)
        return RN_OK;
    if (cli_given(job->args, "normalize") && job->recipe.normalize != from->preprocess->normalize)
        return rn_error(RN_EINVAL, "option '--normalize' is %s, but the weights of '%s' expect %s",
                        rn_normalize_name(job->recipe.normalize), job->from.path,
                        rn_normalize_name(from->preprocess->normalize));
    if (cli_given(job->args, "whiten") && job->recipe.whiten > 0)
        return rn_error(RN_EINVAL,
                        "'--whiten' and '--from' exclude each other: both make the first "
                        "convolution");
    job->recipe.normalize = from->preprocess->normalize;
    job->recipe.whiten = 0;
    return RN_OK;
}
