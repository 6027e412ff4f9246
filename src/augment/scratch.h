/** Buffers that grow to what a picture needs, and are kept for the next. */
#ifndef AUGMENT_SCRATCH_H
#define AUGMENT_SCRATCH_H

#include "augment/pixels.h"
#include "resnet/augment.h"

typedef struct scratch_buffer {
    uint8_t *bytes;
    size_t size;
} scratch_buffer;

struct rn_scratch {
    scratch_buffer picture, spare; // of the input's size
    scratch_buffer source;         // the part of a picture that is resized
    scratch_buffer image;          // an image of planes as pixels
};

/** `where` with a scratch: its own, or `own`, which must be zeroes and be released. */
rn_augment_where rn_scratch_choose(const rn_augment_where *where, rn_scratch *own);
void rn_scratch_release(rn_scratch *scratch);

/** Make room for a picture. */
rn_status rn_scratch_reserve(scratch_buffer *room, int channels, int height, int width);

/** Room for a picture of the input's size, and for a second. RN_EINVAL (channels not 1 or 3). */
rn_status rn_scratch_pixels(rn_pixels *pixels, rn_scratch *scratch, const rn_preprocess *input);

#endif
