#include "cli/test_set.h"

#include "cli/model_file.h"
#include "cli/run_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// By another name, through a link or with a slash behind it is the same folder.
static bool is_of_run(const cli_run_record *record, const char *source)
{
    char *absolute = NULL;
    bool same = cli_source_absolute(&absolute, source) == RN_OK &&
                (strcmp(absolute, record->source) == 0 || cli_same_file(absolute, record->source));

    free(absolute);
    return same;
}

// As the training did: what is drawn depends on the pictures and the recipe's seed.
static rn_status open_held(rn_samples **out, const cli_run_record *record, const rn_recipe *recipe)
{
    rn_status st;
    rn_samples *train = NULL, *test = NULL;

    st = rn_data_open(&test, record->source, RN_SPLIT_TEST);
    if (st != RN_OK && st != RN_ENOTFOUND)
        return st;
    if (test == NULL || test->photos != NULL) // images of one size have a test set apart
        RN_TRY(rn_data_open(&train, record->source, RN_SPLIT_TRAIN));
    if (train == NULL || (test != NULL && !rn_samples_same(train, test))) {
        *out = test;
        test = NULL; // now the caller's
        goto out;
    }
    if (train->count != record->data_count) {
        st = rn_error(RN_EINVAL,
                      "%s has %zu pictures, the run was on %llu: which ones it held out is not "
                      "known; '--split train' takes all",
                      train->name, train->count, (unsigned long long)record->data_count);
        goto out;
    }
    st = rn_samples_hold_out(out, train, (size_t)recipe->hold_out, recipe->seed);
out:
    rn_samples_free(train);
    rn_samples_free(test);
    return st;
}

static void note_unknown_run(const rn_recipe *recipe, const char *word)
{
    fprintf(stderr,
            "resnet: note: '%s' held out %llu pictures of what it was trained on, but no run.json "
            "beside it says what that was: it may be evaluated on pictures that it has seen\n",
            word, (unsigned long long)recipe->hold_out);
}

rn_status cli_test_set_open(rn_samples **out, const char *source, const rn_checkpoint *model,
                            const char *word)
{
    rn_status st;
    rn_recipe recipe;
    cli_run_record record = {0};

    *out = NULL;
    const bool held = cli_model_recipe(&recipe, model) && recipe.hold_out > 0;
    const bool recorded = held && cli_recorded_run(&record, word);
    if (recorded && is_of_run(&record, source))
        st = open_held(out, &record, &recipe);
    else
        st = rn_data_open(out, source, RN_SPLIT_TEST);
    if (held && !recorded)
        note_unknown_run(&recipe, word);
    cli_run_record_release(&record);
    return st;
}
