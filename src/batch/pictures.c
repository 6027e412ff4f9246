// Pictures of one source, made ready ahead in a ring of items.
#include "resnet/batch.h"

#include "augment/reader.h"
#include "base/memory.h"
#include "base/text.h"
#include "batch/ahead.h"
#include "data/photos.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_AHEAD = 65536, USUAL_AHEAD = 32 };

typedef struct item {
    char *name; // of options.next: free()
    float *input;
    rn_image *image;
    rn_status status;
    char message[RN_MESSAGE_BYTES];
    rn_picture shown;
} item;

struct rn_pictures {
    const rn_preprocess *preprocess;
    rn_pictures_options options;
    int slots;
    item *items; // picture i is items[i % slots]
    rn_ahead *ahead;
    uint64_t given; // to the caller
};

static item *item_of(rn_pictures *pictures, uint64_t number)
{
    return &pictures->items[number % (uint64_t)pictures->slots];
}

static rn_status take_name(bool *more, uint64_t number, void *context)
{
    rn_status st = RN_OK;
    rn_pictures *pictures = context;
    char *name = NULL;

    if (pictures->options.samples != NULL) {
        *more = number < pictures->options.samples->count;
        return RN_OK;
    }
    RN_TRY(pictures->options.next(&name, pictures->options.context));
    item_of(pictures, number)->name = name;
    *more = name != NULL;
out:
    return st;
}

static rn_status open_picture(const rn_pictures *pictures, item *work, uint64_t number)
{
    const rn_pictures_options *options = &pictures->options;

    if (options->samples != NULL)
        return rn_photos_decode(&work->image, options->samples->photos, (size_t)number, NULL);
    if (options->open != NULL)
        return options->open(&work->image, work->name, options->context);
    return rn_image_open(&work->image, work->name);
}

static rn_status prepare(const rn_pictures *pictures, item *work, uint64_t number)
{
    rn_status st = RN_OK;
    const rn_samples *samples = pictures->options.samples;

    if (samples != NULL && samples->photos == NULL) {
        rn_preprocess_apply(pictures->preprocess, work->input,
                            samples->images + (size_t)number * rn_samples_image_bytes(samples),
                            NULL, 0, 0, 0);
        return RN_OK;
    }
    RN_TRY(open_picture(pictures, work, number));
    st = rn_preprocess_image(pictures->preprocess, work->input, work->image);
    if (st != RN_OK && samples != NULL)
        rn_photos_blame(st, samples->photos, (size_t)number);
    else if (st != RN_OK)
        rn_error_prefix(st, "'%s'", work->name);
    if (st != RN_OK || !pictures->options.keep) {
        rn_image_free(work->image);
        work->image = NULL;
    }
out:
    return st;
}

static void make_item(uint64_t number, void *context)
{
    rn_pictures *pictures = context;
    item *work = item_of(pictures, number);

    work->status = prepare(pictures, work, number);
    if (work->status != RN_OK)
        snprintf(work->message, sizeof work->message, "%s", rn_error_message());
}

static void empty_item(uint64_t number, void *context)
{
    item *work = item_of(context, number);

    free(work->name);
    rn_image_free(work->image);
    work->name = NULL;
    work->image = NULL;
}

static rn_status check(const rn_pictures_options *options, const rn_preprocess *preprocess)
{
    if (options->ahead < 1 || options->ahead > MOST_AHEAD)
        return rn_error(RN_EINVAL, "pictures ahead are %d, expected 1 to %d", options->ahead,
                        MOST_AHEAD);
    return options->samples != NULL ? rn_reader_check(options->samples, preprocess) : RN_OK;
}

static rn_status make_items(rn_pictures *pictures)
{
    rn_status st = RN_OK;
    const rn_preprocess *p = pictures->preprocess;
    size_t floats = (size_t)p->channels * (size_t)p->height * (size_t)p->width;

    pictures->slots = pictures->options.ahead + 1; // one is in the caller's hands
    RN_TRY(RN_NEW(&pictures->items, (size_t)pictures->slots));
    for (int i = 0; i < pictures->slots; i++)
        RN_TRY(RN_NEW(&pictures->items[i].input, floats));
out:
    return st;
}

rn_status rn_pictures_create(rn_pictures **out, const rn_preprocess *preprocess,
                             const rn_pictures_options *options)
{
    rn_status st = RN_OK;
    rn_pictures *pictures = NULL;
    rn_pictures_options full = *options;

    *out = NULL;
    full.workers = full.workers == 0 ? 1 : full.workers;
    full.ahead = full.ahead == 0 ? USUAL_AHEAD : full.ahead;
    RN_TRY(check(&full, preprocess));
    RN_TRY(RN_NEW(&pictures, 1));
    pictures->preprocess = preprocess;
    pictures->options = full;
    RN_TRY(make_items(pictures));
    RN_TRY(rn_ahead_create(&pictures->ahead, &(rn_ahead_options){.workers = full.workers,
                                                                 .slots = pictures->slots,
                                                                 .take = take_name,
                                                                 .make = make_item,
                                                                 .empty = empty_item,
                                                                 .context = pictures}));
    *out = pictures;
    pictures = NULL; // now the caller's
out:
    rn_pictures_free(pictures);
    return st;
}

void rn_pictures_free(rn_pictures *pictures)
{
    if (pictures == NULL)
        return;
    rn_ahead_free(pictures->ahead);
    for (int i = 0; pictures->items != NULL && i < pictures->slots; i++) {
        empty_item((uint64_t)i, pictures);
        rn_free(pictures->items[i].input);
    }
    rn_free(pictures->items);
    rn_free(pictures);
}

// Images in memory have none.
static const char *name_of(const rn_pictures *pictures, const item *it, size_t index)
{
    const rn_samples *samples = pictures->options.samples;

    if (samples == NULL)
        return it->name;
    return samples->photos != NULL ? rn_photos_name(samples->photos, index) : "";
}

rn_status rn_pictures_next(rn_pictures *pictures, const rn_picture **picture)
{
    rn_status st = RN_OK;
    const size_t index = (size_t)pictures->given;
    bool there;

    *picture = NULL;
    rn_ahead_release(pictures->ahead, pictures->given); // what the caller had
    RN_TRY(rn_ahead_wait(pictures->ahead, pictures->given, &there));
    if (!there)
        return RN_OK;
    item *next = item_of(pictures, pictures->given++);
    bool good = next->status == RN_OK;
    next->shown = (rn_picture){.index = index,
                               .name = name_of(pictures, next, index),
                               .status = next->status,
                               .message = good ? "" : next->message,
                               .input = good ? next->input : NULL,
                               .image = next->image};
    *picture = &next->shown;
out:
    return st;
}
