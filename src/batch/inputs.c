#include "batch/inputs.h"

enum { LARGEST_PAD = 64 };

static rn_status check_pad(const rn_augment *augment)
{
    if (augment->pad < 0 || augment->pad > LARGEST_PAD)
        return rn_error(RN_EINVAL, "padding is %d, expected 0 to %d", augment->pad, LARGEST_PAD);
    return RN_OK;
}

// `before`: the one that holds until then.
static rn_status check_change(const rn_input_change *change, const rn_input_change *before)
{
    if (change->first < before->first)
        return rn_error(RN_EINVAL,
                        "inputs change at iteration %llu after a change at %llu, expected rising "
                        "iterations",
                        (unsigned long long)change->first, (unsigned long long)before->first);
    if (change->preprocess->channels != before->preprocess->channels)
        return rn_error(RN_EINVAL, "inputs change from %d channels to %d, expected as many",
                        before->preprocess->channels, change->preprocess->channels);
    return check_pad(&change->augment);
}

rn_status rn_inputs_init(rn_inputs *inputs, const rn_preprocess *preprocess,
                         const rn_loader_options *options)
{
    rn_status st = RN_OK;

    *inputs = (rn_inputs){.list = {{0, preprocess, options->augment}}, .count = 1};
    RN_TRY(check_pad(&options->augment));
    if (options->change_count < 0 || options->change_count > RN_MAX_INPUT_CHANGES)
        return rn_error(RN_EINVAL, "inputs change %d times, expected 0 to %d",
                        options->change_count, RN_MAX_INPUT_CHANGES);
    for (int i = 0; i < options->change_count; i++) {
        RN_TRY(check_change(&options->changes[i], &inputs->list[i]));
        inputs->list[inputs->count++] = options->changes[i];
    }
out:
    return st;
}

const rn_input_change *rn_inputs_at(const rn_inputs *inputs, uint64_t iteration)
{
    int i = inputs->count - 1;

    while (i > 0 && inputs->list[i].first > iteration)
        i--;
    return &inputs->list[i];
}

size_t rn_input_volume(const rn_input_change *input)
{
    const rn_preprocess *size = input->preprocess;

    return (size_t)size->channels * (size_t)size->height * (size_t)size->width;
}

size_t rn_inputs_largest(const rn_inputs *inputs)
{
    size_t largest = 0;

    for (int i = 0; i < inputs->count; i++)
        if (rn_input_volume(&inputs->list[i]) > largest)
            largest = rn_input_volume(&inputs->list[i]);
    return largest;
}
