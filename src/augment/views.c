#include "augment/centre.h"

#include <math.h>
#include <string.h>

enum { USUAL_RESIZE = 256, USUAL_CROP = 224, MOST_PIXELS = 1 << 28 };

static const char *const names[] = {
    [RN_PROTOCOL_WHOLE] = "whole",
    [RN_PROTOCOL_SINGLE] = "single",
    [RN_PROTOCOL_TEN] = "ten",
    [RN_PROTOCOL_MULTI_SCALE] = "multi-scale",
};
enum { NAMES = sizeof names / sizeof *names };

// 2015 paper, section 3.4
static const int usual_scales[] = {224, 256, 384, 480, 640};
enum { USUAL_SCALES = sizeof usual_scales / sizeof *usual_scales };

const char *rn_protocol_name(rn_protocol protocol)
{
    return (unsigned)protocol < NAMES ? names[protocol] : NULL;
}

rn_status rn_protocol_parse(rn_protocol *out, const char *name)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (rn_protocol)i;
            return RN_OK;
        }
    const char *nearest = rn_nearest(name, names, NAMES);
    if (nearest != NULL)
        return rn_error(RN_EINVAL, "unknown protocol '%s'; did you mean '%s'?", name, nearest);
    return rn_error(RN_EINVAL, "unknown protocol '%s', expected whole, single, ten or multi-scale",
                    name);
}

static rn_status check_side(const char *what, int side, int largest)
{
    if (side < 1 || side > largest)
        return rn_error(RN_EINVAL, "%s is %d pixels, expected 1 to %d", what, side, largest);
    return RN_OK;
}

static rn_status check_scales(rn_views *views)
{
    rn_status st = RN_OK;

    if (views->scale_count == 0) {
        memcpy(views->scales, usual_scales, sizeof usual_scales);
        views->scale_count = USUAL_SCALES;
    }
    if (views->scale_count < 1 || views->scale_count > RN_MAX_SCALES)
        return rn_error(RN_EINVAL, "%d scales, expected 1 to %d", views->scale_count,
                        RN_MAX_SCALES);
    for (int i = 0; i < views->scale_count; i++)
        RN_TRY(check_side("shorter side of a scale", views->scales[i], RN_LARGEST_SCALE));
out:
    return st;
}

static rn_status check_crop(const rn_views *views)
{
    rn_status st = RN_OK;
    const int height = views->crop_height, width = views->crop_width;

    RN_TRY(check_side("resized shorter side", views->resize, RN_LARGEST_SCALE));
    RN_TRY(check_side("side of the crop", height < width ? height : width, views->resize));
    RN_TRY(check_side("side of the crop", height < width ? width : height, RN_LARGEST_SCALE));
out:
    return st;
}

rn_status rn_views_check(rn_views *views)
{
    if (views->filter != RN_RESIZE_BILINEAR && views->filter != RN_RESIZE_BICUBIC)
        return rn_error(RN_EINVAL, "resize filter %d, expected 0 or 1", (int)views->filter);
    switch (views->protocol) {
    case RN_PROTOCOL_WHOLE:
        return RN_OK;
    case RN_PROTOCOL_SINGLE:
    case RN_PROTOCOL_TEN:
        views->resize = views->resize == 0 ? USUAL_RESIZE : views->resize;
        views->crop_height = views->crop_height == 0 ? USUAL_CROP : views->crop_height;
        views->crop_width = views->crop_width == 0 ? USUAL_CROP : views->crop_width;
        return check_crop(views);
    case RN_PROTOCOL_MULTI_SCALE:
        return check_scales(views);
    }
    return rn_error(RN_EINVAL, "protocol %d is unknown", (int)views->protocol);
}

rn_views rn_views_centre(int height, int width, double ratio)
{
    const double side = (height < width ? height : width) / (ratio > 0 ? ratio : RN_CENTRE_RATIO);

    return (rn_views){.protocol = RN_PROTOCOL_SINGLE,
                      .resize = side < RN_LARGEST_SCALE ? (int)lround(side) : RN_LARGEST_SCALE,
                      .crop_height = height,
                      .crop_width = width};
}

// The whole of a picture, one side of which becomes `side`; the other one rounds down.
static rn_status resized_whole(rn_cut *cut, bool by_width, int side, int height, int width)
{
    int64_t resized_height = by_width ? (int64_t)height * side / width : side;
    int64_t resized_width = by_width ? side : (int64_t)width * side / height;

    if ((by_width ? resized_height : resized_width) > MOST_PIXELS / side)
        return rn_error(RN_EINVAL, "picture of %d x %d pixels would be %lld x %lld, over %d pixels",
                        width, height, (long long)resized_width, (long long)resized_height,
                        MOST_PIXELS);
    *cut = (rn_cut){.resized_height = (int)resized_height, .resized_width = (int)resized_width};
    cut->height = cut->resized_height;
    cut->width = cut->resized_width;
    return RN_OK;
}

// Its shorter side becomes `side`.
static rn_status resized_shorter(rn_cut *cut, int side, int height, int width)
{
    return resized_whole(cut, width <= height, side, height, width);
}

// The same, or larger where the crop would not fit in.
static rn_status resized_covering(rn_cut *cut, const rn_views *views, int height, int width)
{
    rn_status st = RN_OK;
    const int crop_height = views->crop_height, crop_width = views->crop_width;

    RN_TRY(resized_shorter(cut, views->resize, height, width));
    if (cut->resized_height < crop_height || cut->resized_width < crop_width) {
        bool by_width = (int64_t)width * crop_height <= (int64_t)height * crop_width;
        st = resized_whole(cut, by_width, by_width ? crop_width : crop_height, height, width);
    }
out:
    return st;
}

static rn_cut part(rn_cut whole, const rn_views *views, int top, int left)
{
    whole.top = top;
    whole.left = left;
    whole.height = views->crop_height;
    whole.width = views->crop_width;
    return whole;
}

static rn_cut center(rn_cut whole, const rn_views *views)
{
    return part(whole, views, (int)rn_half_to_even(whole.resized_height - views->crop_height),
                (int)rn_half_to_even(whole.resized_width - views->crop_width));
}

static void add_five(rn_cut *cuts, const rn_cut *whole, const rn_views *views)
{
    const int bottom = whole->resized_height - views->crop_height;
    const int right = whole->resized_width - views->crop_width;

    cuts[0] = part(*whole, views, 0, 0);
    cuts[1] = part(*whole, views, 0, right);
    cuts[2] = part(*whole, views, bottom, 0);
    cuts[3] = part(*whole, views, bottom, right);
    cuts[4] = center(*whole, views);
}

// What a window of the mirrored picture shows, as a window of the picture.
static rn_cut of_mirrored(rn_cut cut)
{
    cut.left = cut.resized_width - cut.width - cut.left;
    cut.mirror = true;
    return cut;
}

static void add(rn_cut *cuts, int *count, rn_cut cut, bool mirror)
{
    cuts[(*count)++] = cut;
    cut.mirror = true;
    if (mirror)
        cuts[(*count)++] = cut;
}

static rn_status check_longest(const rn_cut *cut)
{
    if (cut->height > RN_LARGEST_SCALE || cut->width > RN_LARGEST_SCALE)
        return rn_error(RN_EINVAL, "view is %d x %d pixels, expected sides up to %d", cut->width,
                        cut->height, RN_LARGEST_SCALE);
    return RN_OK;
}

static rn_status list_scales(rn_cut *cuts, int *count, const rn_views *views, int height, int width)
{
    rn_status st = RN_OK;
    rn_cut whole = {0};

    for (int i = 0; i < views->scale_count; i++) {
        RN_TRY(resized_shorter(&whole, views->scales[i], height, width));
        RN_TRY(check_longest(&whole));
        add(cuts, count, whole, views->mirror);
    }
out:
    return st;
}

static rn_status list_crops(rn_cut *cuts, int *count, const rn_views *views, int height, int width)
{
    rn_status st = RN_OK;
    rn_cut whole = {0};

    RN_TRY(resized_covering(&whole, views, height, width));
    if (views->protocol == RN_PROTOCOL_SINGLE) {
        add(cuts, count, center(whole, views), views->mirror);
        return RN_OK;
    }
    add_five(cuts, &whole, views);
    for (int i = 0; i < 5; i++)
        cuts[5 + i] = of_mirrored(cuts[i]);
    *count = 10;
out:
    return st;
}

rn_status rn_views_list(rn_cut cuts[RN_MAX_CUTS], int *count, const rn_views *views, int height,
                        int width)
{
    rn_status st = RN_OK;
    rn_views full = *views;
    const rn_cut whole = {height, width, 0, 0, height, width, false};

    *count = 0;
    RN_TRY(rn_views_check(&full));
    RN_TRY(check_side("height of the picture", height, MOST_PIXELS));
    RN_TRY(check_side("width of the picture", width, MOST_PIXELS));
    if (full.protocol == RN_PROTOCOL_MULTI_SCALE)
        return list_scales(cuts, count, &full, height, width);
    if (full.protocol != RN_PROTOCOL_WHOLE)
        return list_crops(cuts, count, &full, height, width);
    RN_TRY(check_longest(&whole));
    add(cuts, count, whole, full.mirror);
out:
    return st;
}
