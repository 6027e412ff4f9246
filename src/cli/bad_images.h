/** --bad-images: what becomes of encoded pictures that cannot be read. */
#ifndef CLI_BAD_IMAGES_H
#define CLI_BAD_IMAGES_H

#include "cli/options.h"

#include "resnet/resnet.h"

/** `text` says what a command does with them, `usual` is its fallback. */
#define CLI_BAD_IMAGES_OPTION(text, usual)                                                         \
    {                                                                                              \
        .name = "bad-images", .kind = CLI_CHOICE, .argument = "HOW", .help = text,                 \
        .choices = "skip|stop", .fallback = usual                                                  \
    }

rn_bad_images cli_bad_images(const cli_arguments *args);

/** Say on standard error what is left out, behind what standard output has so far. */
void cli_note_bad(const char *message, void *unused);

#endif
