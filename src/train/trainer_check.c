// Whether data and network of a training go together, before anything is written.
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

static rn_status check_labels(const rn_samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) {
        if (samples->labels[i] < 0)
            return rn_error(RN_EINVAL, "%s has pictures without a label", samples->name);
        if (samples->labels[i] >= samples->classes)
            return rn_error(RN_EINVAL, "%s: label %zu is %d, expected 0 to %d", samples->name, i,
                            (int)samples->labels[i], samples->classes - 1);
    }
    return RN_OK;
}

static rn_status check_samples(const rn_model_options *model, const rn_samples *samples)
{
    bool photos = samples->photos != NULL;

    if (photos && samples->classes > model->classes)
        return rn_error(RN_EINVAL, "%s has %d classes, the network is for %d", samples->name,
                        samples->classes, model->classes);
    if (!photos && (samples->classes > model->classes || samples->channels != model->channels ||
                    samples->height != model->height || samples->width != model->width))
        return rn_error(RN_EINVAL,
                        "%s has %d classes of %d x %d x %d images, the network is for %d classes "
                        "of %d x %d x %d",
                        samples->name, samples->classes, samples->channels, samples->height,
                        samples->width, model->classes, model->channels, model->height,
                        model->width);
    return check_labels(samples);
}

// What a class is called must not depend on the set: a label would mean two things.
static rn_status check_same_names(const rn_samples *train, const rn_samples *test)
{
    for (int i = 0; i < train->classes && i < test->classes; i++)
        if (strcmp(train->label_names[i], test->label_names[i]) != 0)
            return rn_error(RN_EINVAL, "class %d is '%.100s' in %s, but '%.100s' in %s", i,
                            train->label_names[i], train->name, test->label_names[i], test->name);
    return RN_OK;
}

// Photographs are evaluated by the names of classes, unless there are as many as the network has:
// classes that the training set lacks have their numbers for names (rn_class_map()).
static rn_status check_more_classes(const rn_model_options *model, const rn_samples *train,
                                    const rn_samples *test)
{
    char number[16];

    if (test->photos == NULL || test->classes == model->classes)
        return RN_OK;
    for (int i = train->classes; i < test->classes; i++) {
        snprintf(number, sizeof number, "%d", i);
        if (strcmp(test->label_names[i], number) != 0)
            return rn_error(RN_EINVAL, "%s has %d classes, but %s has %d, none of them '%.100s'",
                            test->name, test->classes, train->name, train->classes,
                            test->label_names[i]);
    }
    return RN_OK;
}

rn_status rn_trainer_check_counts(const rn_recipe *recipe, const rn_samples *train)
{
    unsigned long long held = recipe->hold_out, wanted = recipe->train_images;

    if (held >= train->count)
        return rn_error(RN_EINVAL, "%llu images to hold out, %s has %zu", held, train->name,
                        train->count);
    if (wanted > train->count - held)
        return rn_error(RN_EINVAL, "%llu images to train on, %s has %zu, %llu of them held out",
                        wanted, train->name, train->count, held);
    return RN_OK;
}

rn_status rn_trainer_check_data(const rn_model_options *model, const rn_train_options *options)
{
    rn_status st = RN_OK;

    RN_TRY(check_samples(model, options->train));
    if (options->test == NULL)
        return RN_OK;
    RN_TRY(check_samples(model, options->test));
    RN_TRY(check_same_names(options->train, options->test));
    RN_TRY(check_more_classes(model, options->train, options->test));
out:
    return st;
}
