/** Options of random changes to training pictures: those of `train` and of `data preview`. */
#ifndef CLI_AUGMENT_OPTIONS_H
#define CLI_AUGMENT_OPTIONS_H

#include "cli/options.h"

#define CLI_AUGMENT_OPTIONS                                                                        \
    {.name = "pad",                                                                                \
     .kind = CLI_INTEGER,                                                                          \
     .argument = "PIXELS",                                                                         \
     .help = "padding before the random crop; 0: no crop",                                         \
     .low = 0,                                                                                     \
     .high = 64,                                                                                   \
     .key = "pad"},                                                                                \
        {.name = "pad-mode",                                                                       \
         .kind = CLI_CHOICE,                                                                       \
         .argument = "MODE",                                                                       \
         .help = "what the padding holds: zeros, or the picture's mirror image",                   \
         .choices = "zero|reflect",                                                                \
         .key = "pad_mode"},                                                                       \
        {.name = "flip",                                                                           \
         .kind = CLI_SWITCH,                                                                       \
         .help = "mirror each picture with probability 1/2",                                       \
         .key = "flip"},                                                                           \
        {.name = "alternate-flip",                                                                 \
         .kind = CLI_SWITCH,                                                                       \
         .help = "with flip: each picture's side is drawn once and then alternates every epoch",   \
         .key = "alternate_flip"},                                                                 \
        {.name = "crop",                                                                           \
         .kind = CLI_CHOICE,                                                                       \
         .argument = "HOW",                                                                        \
         .help =                                                                                   \
             "how photographs are cut: the middle, a random place at a random size, or a part of " \
             "random area and aspect; 'pad': only pictures of the input's size, after padding",    \
         .choices = "pad|resize|area|centre",                                                      \
         .key = "crop"},                                                                           \
        {.name = "resize-low",                                                                     \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "PIXELS",                                                                     \
         .help = "crop resize: least shorter side; 0: 256",                                        \
         .low = 0,                                                                                 \
         .high = 65536,                                                                            \
         .key = "resize_low"},                                                                     \
        {.name = "resize-high",                                                                    \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "PIXELS",                                                                     \
         .help = "crop resize: largest shorter side; 0: 480",                                      \
         .low = 0,                                                                                 \
         .high = 65536,                                                                            \
         .key = "resize_high"},                                                                    \
        {.name = "crop-area",                                                                      \
         .kind = CLI_REAL,                                                                         \
         .argument = "SHARE",                                                                      \
         .help = "crop area: least share of the picture's area; 0: 0.08",                          \
         .low = 0,                                                                                 \
         .high = 1,                                                                                \
         .key = "crop_area"},                                                                      \
        {.name = "crop-ratio",                                                                     \
         .kind = CLI_REAL,                                                                         \
         .argument = "SHARE",                                                                      \
         .help = "crop centre: shorter side of the input, as a share of the resized picture's, "   \
                 "from 0.01 on; 0: 1",                                                             \
         .low = 0,                                                                                 \
         .high = 1,                                                                                \
         .key = "crop_ratio"},                                                                     \
        {.name = "filter",                                                                         \
         .kind = CLI_CHOICE,                                                                       \
         .argument = "NAME",                                                                       \
         .help = "how photographs are resized",                                                    \
         .choices = "bilinear|bicubic",                                                            \
         .key = "filter"},                                                                         \
        {.name = "randaugment",                                                                    \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "N",                                                                          \
         .help = "so many random operations (shear, rotation, posterize, ...) on each picture",    \
         .low = 0,                                                                                 \
         .high = 16,                                                                               \
         .key = "randaugment"},                                                                    \
        {.name = "randaugment-magnitude",                                                          \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "M",                                                                          \
         .help = "their strength, of 30; 0: 9",                                                    \
         .low = 0,                                                                                 \
         .high = 30,                                                                               \
         .key = "randaugment_magnitude"},                                                          \
        {.name = "brightness",                                                                     \
         .kind = CLI_REAL,                                                                         \
         .argument = "B",                                                                          \
         .help = "random factor on the brightness, from 1 - B to 1 + B; 0: none",                  \
         .low = 0,                                                                                 \
         .high = 10,                                                                               \
         .key = "brightness"},                                                                     \
        {.name = "contrast",                                                                       \
         .kind = CLI_REAL,                                                                         \
         .argument = "B",                                                                          \
         .help = "the same of the contrast",                                                       \
         .low = 0,                                                                                 \
         .high = 10,                                                                               \
         .key = "contrast"},                                                                       \
        {.name = "saturation",                                                                     \
         .kind = CLI_REAL,                                                                         \
         .argument = "B",                                                                          \
         .help = "the same of the saturation",                                                     \
         .low = 0,                                                                                 \
         .high = 10,                                                                               \
         .key = "saturation"},                                                                     \
        {.name = "hue",                                                                            \
         .kind = CLI_REAL,                                                                         \
         .argument = "SHARE",                                                                      \
         .help = "random turn of the hue, up to this share of the circle to either side; 0: none", \
         .low = 0,                                                                                 \
         .high = 0.5,                                                                              \
         .key = "hue"},                                                                            \
        {.name = "pca",                                                                            \
         .kind = CLI_REAL,                                                                         \
         .argument = "DEVIATION",                                                                  \
         .help = "random shift along the principal components of ImageNet's colours, usually "     \
                 "0.1; 0: none",                                                                   \
         .low = 0,                                                                                 \
         .high = 10,                                                                               \
         .key = "pca"},                                                                            \
    {                                                                                              \
        .name = "erase", .kind = CLI_REAL, .argument = "P",                                        \
        .help = "probability that a random rectangle becomes the mean colour", .low = 0,           \
        .high = 1, .key = "erase"                                                                  \
    }

#endif
