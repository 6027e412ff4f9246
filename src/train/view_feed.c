// Pictures in the order of the set, each made ready in the slot of its index.
#include "train/view_feed.h"

#include "base/memory.h"
#include "batch/ahead.h"
#include "data/photos.h"
#include "data/samples.h"

#include <stdio.h>
#include <string.h>

struct rn_view_feed {
    const rn_samples *samples;
    rn_view_feed_options options;
    rn_views views;
    rn_view_picture *pictures; // picture i is pictures[i % options.ahead]
    rn_ahead *ahead;
};

static rn_view_picture *picture_of(rn_view_feed *feed, uint64_t index)
{
    return &feed->pictures[index % (uint64_t)feed->options.ahead];
}

static void prefix_name(rn_status st, const rn_samples *samples, size_t index)
{
    if (samples->photos != NULL)
        rn_photos_blame(st, samples->photos, index);
    else
        rn_error_prefix(st, "%s, image %zu", samples->name, index);
}

static bool same_size(const rn_cut *a, const rn_cut *b)
{
    return a->resized_height == b->resized_height && a->resized_width == b->resized_width;
}

// Views in a row that are cut out of one size share the picture.
static rn_status resize_all(const rn_view_feed *feed, rn_view_picture *picture,
                            const rn_image *image)
{
    rn_status st = RN_OK;
    rn_resize_options options = {.channels = feed->options.channels, .filter = feed->views.filter};

    for (int i = 0; i < picture->count; i++) {
        const rn_cut *cut = &picture->cuts[i];
        options.width = cut->resized_width;
        options.height = cut->resized_height;
        if (i > 0 && same_size(cut, cut - 1))
            picture->resized[i] = picture->resized[i - 1];
        else
            RN_TRY(rn_image_resize(&picture->resized[i], image, &options));
    }
out:
    return st;
}

static void release_picture(rn_view_picture *picture)
{
    for (int i = 0; i < picture->count; i++)
        if (i == 0 || picture->resized[i] != picture->resized[i - 1])
            rn_image_free(picture->resized[i]);
    memset(picture->resized, 0, sizeof picture->resized);
    picture->count = 0;
}

static rn_status make_views(const rn_view_feed *feed, rn_view_picture *picture, size_t index)
{
    rn_status st = RN_OK;
    rn_image *image = NULL;

    RN_TRY(rn_samples_picture(&image, feed->samples, index, NULL));
    st = rn_views_list(picture->cuts, &picture->count, &feed->views, image->height, image->width);
    if (st == RN_OK)
        st = resize_all(feed, picture, image);
    if (st != RN_OK)
        prefix_name(st, feed->samples, index);
out:
    rn_image_free(image);
    return st;
}

static rn_status take(bool *more, uint64_t index, void *context)
{
    const rn_view_feed *feed = context;

    *more = index < feed->samples->count;
    return RN_OK;
}

static void make_ready(uint64_t index, void *context)
{
    rn_view_feed *feed = context;
    rn_view_picture *picture = picture_of(feed, index);

    picture->status = make_views(feed, picture, (size_t)index);
    if (picture->status == RN_OK)
        return;
    release_picture(picture);
    snprintf(picture->message, sizeof picture->message, "%s", rn_error_message());
}

static void empty(uint64_t index, void *context)
{
    release_picture(picture_of(context, index));
}

rn_status rn_view_feed_create(rn_view_feed **out, const rn_samples *samples,
                              const rn_view_feed_options *options)
{
    rn_status st = RN_OK;
    rn_view_feed *feed = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&feed, 1));
    feed->samples = samples;
    feed->options = *options;
    feed->views = *options->views;
    RN_TRY(RN_NEW(&feed->pictures, (size_t)options->ahead));
    RN_TRY(rn_ahead_create(&feed->ahead, &(rn_ahead_options){.workers = options->workers,
                                                             .slots = options->ahead,
                                                             .take = take,
                                                             .make = make_ready,
                                                             .empty = empty,
                                                             .context = feed}));
    *out = feed;
    feed = NULL; // now the caller's
out:
    rn_view_feed_free(feed);
    return st;
}

void rn_view_feed_free(rn_view_feed *feed)
{
    if (feed == NULL)
        return;
    rn_ahead_free(feed->ahead);
    for (int i = 0; feed->pictures != NULL && i < feed->options.ahead; i++)
        release_picture(&feed->pictures[i]);
    rn_free(feed->pictures);
    rn_free(feed);
}

const rn_view_picture *rn_view_feed_wait(rn_view_feed *feed, size_t index)
{
    bool there;

    rn_ahead_wait(feed->ahead, index, &there); // taking an index cannot fail
    return picture_of(feed, index);
}

void rn_view_feed_release(rn_view_feed *feed, size_t end)
{
    rn_ahead_release(feed->ahead, end);
}
