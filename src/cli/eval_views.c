#include "cli/eval_views.h"

#include "cli/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rn_status parse_scales(rn_views *views, const char *text)
{
    const char *at = text;

    for (;; at++) {
        char *end;
        long side = strtol(at, &end, 10);
        if (end == at || side < 1 || side > RN_LARGEST_SCALE || (*end != ',' && *end != '\0') ||
            views->scale_count == RN_MAX_SCALES)
            return rn_error(RN_EINVAL,
                            "option '--scales' expects 1 to %d numbers from 1 to %d, such as "
                            "224,256,384, found '%s'",
                            RN_MAX_SCALES, RN_LARGEST_SCALE, text);
        views->scales[views->scale_count++] = (int)side;
        if (*end == '\0')
            return RN_OK;
        at = end;
    }
}

// An option that would do nothing is a mistake.
static rn_status refuse(const cli_arguments *args, const char *option, rn_protocol protocol)
{
    if (!cli_given(args, option))
        return RN_OK;
    return rn_error(RN_EINVAL, "option '--%s': protocol '%s' has none", option,
                    rn_protocol_name(protocol));
}

rn_views cli_views_usual(const rn_checkpoint *model)
{
    return rn_views_centre(model->options.height, model->options.width,
                           model->preprocess->centre_ratio);
}

static rn_views parse_crop(const cli_arguments *args, const rn_checkpoint *model)
{
    const int crop = (int)cli_integer(args, "crop");
    rn_views views = crop > 0 ? rn_views_centre(crop, crop, model->preprocess->centre_ratio)
                              : cli_views_usual(model);

    if (cli_given(args, "resize"))
        views.resize = (int)cli_integer(args, "resize");
    return views;
}

rn_status cli_views_parse(rn_views *views, const cli_arguments *args, rn_protocol protocol,
                          const rn_checkpoint *model)
{
    rn_status st = RN_OK;

    *views = (rn_views){0};
    if (protocol == RN_PROTOCOL_SINGLE || protocol == RN_PROTOCOL_TEN) {
        RN_TRY(refuse(args, "scales", protocol));
        *views = parse_crop(args, model);
    } else {
        RN_TRY(refuse(args, "resize", protocol));
        RN_TRY(refuse(args, "crop", protocol));
    }
    views->protocol = protocol;
    views->mirror = cli_flag(args, "mirror");
    if (strcmp(cli_text(args, "filter"), "bicubic") == 0)
        views->filter = RN_RESIZE_BICUBIC;
    if (protocol == RN_PROTOCOL_WHOLE) {
        RN_TRY(refuse(args, "scales", protocol));
        RN_TRY(refuse(args, "filter", protocol));
    } else if (cli_given(args, "scales")) {
        RN_TRY(parse_scales(views, cli_text(args, "scales")));
    }
    RN_TRY(rn_views_check(views));
out:
    return st;
}

cli_views_text cli_views_describe(const rn_views *views)
{
    cli_views_text t;
    const char *name = rn_protocol_name(views->protocol);
    const char *filter = views->filter == RN_RESIZE_BICUBIC ? "; bicubic" : "";
    const char *mirror = views->mirror && views->protocol != RN_PROTOCOL_TEN ? "; mirrored" : "";
    char sizes[160] = "";
    size_t length = 0;

    if (views->protocol == RN_PROTOCOL_MULTI_SCALE)
        for (int i = 0; i < views->scale_count; i++)
            length += (size_t)snprintf(sizes + length, sizeof sizes - length, "%s%d",
                                       i > 0 ? ", " : "", views->scales[i]);
    else if (views->protocol == RN_PROTOCOL_WHOLE)
        snprintf(sizes, sizeof sizes, "as it is");
    else if (views->crop_height == views->crop_width)
        snprintf(sizes, sizeof sizes, "%d, crop %d", views->resize, views->crop_width);
    else
        snprintf(sizes, sizeof sizes, "%d, crop %d x %d", views->resize, views->crop_width,
                 views->crop_height);
    snprintf(t.text, sizeof t.text, "%s (%s%s%s)", name, sizes, filter, mirror);
    return t;
}
