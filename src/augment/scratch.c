#include "augment/scratch.h"

#include "base/memory.h"

rn_status rn_scratch_create(rn_scratch **out)
{
    return RN_NEW(out, 1);
}

void rn_scratch_free(rn_scratch *scratch)
{
    if (scratch == NULL)
        return;
    rn_scratch_release(scratch);
    rn_free(scratch);
}

void rn_scratch_release(rn_scratch *scratch)
{
    rn_free(scratch->picture.bytes);
    rn_free(scratch->spare.bytes);
    rn_free(scratch->source.bytes);
    rn_free(scratch->image.bytes);
}

rn_augment_where rn_scratch_choose(const rn_augment_where *where, rn_scratch *own)
{
    rn_augment_where chosen = where != NULL ? *where : (rn_augment_where){0};

    if (chosen.scratch == NULL)
        chosen.scratch = own;
    return chosen;
}

rn_status rn_scratch_reserve(scratch_buffer *room, int channels, int height, int width)
{
    const size_t bytes = (size_t)channels * (size_t)height * (size_t)width;

    return rn_grow((void **)&room->bytes, &room->size, bytes, 1);
}

rn_status rn_scratch_pixels(rn_pixels *pixels, rn_scratch *scratch, const rn_preprocess *input)
{
    rn_status st = RN_OK;

    if (input->channels != 1 && input->channels != 3)
        return rn_error(RN_EINVAL, "network takes %d channels, expected 1 or 3 for a picture",
                        input->channels);
    RN_TRY(rn_scratch_reserve(&scratch->picture, input->channels, input->height, input->width));
    RN_TRY(rn_scratch_reserve(&scratch->spare, input->channels, input->height, input->width));
    *pixels = (rn_pixels){input->channels, input->height, input->width, scratch->picture.bytes,
                          scratch->spare.bytes};
out:
    return st;
}
