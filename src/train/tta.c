#include "train/tta.h"

#include <string.h>

enum { MOST_VIEWS = 6 };

static const struct {
    const char *name;
    int views;
    rn_tta_view view[MOST_VIEWS];
} kinds[] = {
    [RN_TTA_NONE] = {"none", 1, {{{0}, 1}}},
    [RN_TTA_FLIP] = {"flip", 2, {{{0}, 0.5f}, {{.flip = true}, 0.5f}}},
    // Jordan 2024 (arXiv:2404.00498), section 3.5
    [RN_TTA_FLIP_TRANSLATE] = {"flip-translate",
                               6,
                               {{{0}, 0.25f},
                                {{.flip = true}, 0.25f},
                                {{-1, -1, false, RN_PAD_REFLECT}, 0.125f},
                                {{-1, -1, true, RN_PAD_REFLECT}, 0.125f},
                                {{1, 1, false, RN_PAD_REFLECT}, 0.125f},
                                {{1, 1, true, RN_PAD_REFLECT}, 0.125f}}},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

const char *rn_tta_name(rn_tta tta)
{
    return (unsigned)tta < KINDS ? kinds[tta].name : NULL;
}

rn_status rn_tta_parse(rn_tta *out, const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(name, kinds[i].name) == 0) {
            *out = (rn_tta)i;
            return RN_OK;
        }
    return rn_error(RN_EINVAL,
                    "unknown test-time augmentation '%s', expected none, flip or flip-translate",
                    name);
}

const rn_tta_view *rn_tta_view_at(rn_tta tta, int index)
{
    return index < kinds[tta].views ? &kinds[tta].view[index] : NULL;
}
