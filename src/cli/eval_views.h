/** Views of pictures on the command line of 'resnet eval'. */
#ifndef CLI_EVAL_VIEWS_H
#define CLI_EVAL_VIEWS_H

#include "cli/bad_images.h"
#include "cli/options.h"

#include "resnet/resnet.h"

/**
 * What --protocol and its sizes say.
 *
 * @param model  Whose input is cut out where --crop does not say it, as its training did.
 * @return RN_OK; RN_EINVAL (an option that the protocol does not have, or out of range).
 */
rn_status cli_views_parse(rn_views *views, const cli_arguments *args, rn_protocol protocol,
                          const rn_checkpoint *model);

/** What the model's own training evaluates photographs by. */
rn_views cli_views_usual(const rn_checkpoint *model);

/** "ten (256, crop 224)", "multi-scale (224, 256; mirrored)". */
typedef struct cli_views_text {
    char text[256];
} cli_views_text;
cli_views_text cli_views_describe(const rn_views *views);

/** The options that these take, in a command's table. */
#define CLI_VIEWS_OPTIONS                                                                          \
    {.name = "protocol",                                                                           \
     .kind = CLI_CHOICE,                                                                           \
     .argument = "NAME",                                                                           \
     .help = "views of each picture: as it is, its centre, ten crops, or the whole of it at "      \
             "several sizes; by default 'single' for photographs",                                 \
     .choices = "whole|single|ten|multi-scale",                                                    \
     .group = "Views of pictures"},                                                                \
        {.name = "resize",                                                                         \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "N",                                                                          \
         .help = "single, ten: pixels of the shorter side; by default 8/7 of the crop, or by the " \
                 "crop_ratio of the model's recipe",                                               \
         .low = 1,                                                                                 \
         .high = RN_LARGEST_SCALE},                                                                \
        {.name = "crop",                                                                           \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "N",                                                                          \
         .help = "single, ten: side of the square cut out; by default the model's input",          \
         .low = 1,                                                                                 \
         .high = RN_LARGEST_SCALE},                                                                \
        {.name = "scales",                                                                         \
         .kind = CLI_TEXT,                                                                         \
         .argument = "N,N,...",                                                                    \
         .help = "multi-scale: shorter sides; by default 224,256,384,480,640"},                    \
        {.name = "mirror", .kind = CLI_FLAG, .help = "each view mirrored, too (ten always does)"}, \
        {.name = "filter",                                                                         \
         .kind = CLI_CHOICE,                                                                       \
         .argument = "NAME",                                                                       \
         .help = "of resizing",                                                                    \
         .fallback = "bilinear",                                                                   \
         .choices = "bilinear|bicubic"},                                                           \
        {.name = "average",                                                                        \
         .kind = CLI_CHOICE,                                                                       \
         .argument = "WHAT",                                                                       \
         .help = "over views and models",                                                          \
         .fallback = "softmax",                                                                    \
         .choices = "softmax|logits"},                                                             \
        CLI_BAD_IMAGES_OPTION("pictures that cannot be read: name and leave out, or end", "stop"), \
    {                                                                                              \
        .name = "workers", .kind = CLI_INTEGER, .argument = "N",                                   \
        .help = "threads that decode and resize", .fallback = "1", .low = 1, .high = 64            \
    }

#endif
