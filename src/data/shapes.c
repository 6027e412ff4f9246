#include "data/shapes.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/outlines.h"

#include <string.h>

_Static_assert((int)RN_OUTLINE_COUNT == (int)RN_SHAPES_CLASSES, "a class for each outline");

static rn_status set_option(rn_shapes_options *options, const char *key, const char *value)
{
    static const char *const keys[] = {"train", "test", "seed"};
    char hint[RN_HINT_BYTES];
    bool is_seed = strcmp(key, "seed") == 0, is_train = strcmp(key, "train") == 0;
    int64_t low = is_seed ? 0 : 1, high = is_seed ? INT64_MAX : RN_SHAPES_MAX_COUNT, number;

    if (!is_seed && !is_train && strcmp(key, "test") != 0)
        return rn_error(RN_EINVAL, "shapes: unknown option '%s', expected train, test or seed%s",
                        key, rn_text_hint(hint, key, keys, 3));
    if (!rn_text_int64(value, low, high, &number))
        return rn_error(RN_EINVAL, "shapes: '%s' is '%s', expected an integer from %lld to %lld",
                        key, value, (long long)low, (long long)high);
    if (is_seed)
        options->seed = (uint64_t)number;
    else if (is_train)
        options->train = (size_t)number;
    else
        options->test = (size_t)number;
    return RN_OK;
}

rn_status rn_shapes_parse(rn_shapes_options *options, const char *text)
{
    rn_status st = RN_OK;
    char *copy = NULL;

    RN_TRY(rn_strdup(&copy, text));
    for (char *item = copy, *next; item != NULL; item = next) {
        next = strchr(item, ',');
        if (next != NULL)
            *next++ = '\0';
        char *value = strchr(item, '=');
        if (value == NULL) {
            st = rn_error(RN_EINVAL, "shapes: '%s' is not of the form key=value", item);
            goto out;
        }
        *value++ = '\0';
        RN_TRY(set_option(options, item, value));
    }
out:
    rn_free(copy);
    return st;
}

static rn_status name_classes(rn_samples *samples)
{
    const char *names[RN_SHAPES_CLASSES];

    for (int i = 0; i < RN_SHAPES_CLASSES; i++)
        names[i] = rn_outline_name((rn_outline)i);
    return rn_samples_set_label_names(samples, names);
}

static void draw_all(rn_samples *samples, uint64_t seed, rn_split split)
{
    const size_t bytes = rn_samples_image_bytes(samples);
    int64_t count = (int64_t)samples->count;

#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        rn_shapes_draw(samples->images + (size_t)i * bytes, seed, split, (uint32_t)i);
        samples->labels[i] = (int32_t)(i % RN_SHAPES_CLASSES);
    }
}

rn_status rn_shapes_create(rn_samples **out, const rn_shapes_options *options, rn_split split)
{
    rn_status st = RN_OK;
    rn_samples *samples = NULL;
    char *name = NULL;
    size_t count = split == RN_SPLIT_TRAIN ? options->train : options->test;

    *out = NULL;
    if (count < 1 || count > RN_SHAPES_MAX_COUNT)
        return rn_error(RN_EINVAL, "shapes: %zu images, expected 1 to %d", count,
                        RN_SHAPES_MAX_COUNT);
    RN_TRY(rn_format(&name, "shapes %s (seed %llu)", split == RN_SPLIT_TRAIN ? "train" : "test",
                     (unsigned long long)options->seed));
    RN_TRY(rn_samples_create(
        &samples, &(rn_samples_shape){count, 3, RN_SHAPES_SIDE, RN_SHAPES_SIDE, RN_SHAPES_CLASSES},
        name));
    RN_TRY(name_classes(samples));
    draw_all(samples, options->seed, split);
    *out = samples;
    samples = NULL;
out:
    rn_samples_free(samples);
    rn_free(name);
    return st;
}
