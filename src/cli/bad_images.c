#include "cli/bad_images.h"

#include <stdio.h>
#include <string.h>

rn_bad_images cli_bad_images(const cli_arguments *args)
{
    return strcmp(cli_text(args, "bad-images"), "stop") == 0 ? RN_BAD_IMAGES_STOP
                                                             : RN_BAD_IMAGES_SKIP;
}

void cli_note_bad(const char *message, void *unused)
{
    (void)unused;
    fflush(stdout); // in order, where both go to one place
    fprintf(stderr, "resnet: note: left out: %s\n", message);
}
