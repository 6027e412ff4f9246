// Which of a recipe's values decide anything.
#include "resnet/recipe.h"

#include <string.h>

static bool steps(const rn_recipe *recipe)
{
    return recipe->schedule.kind == RN_SCHEDULE_STEP;
}

static bool watches(const rn_recipe *recipe)
{
    return recipe->schedule.kind == RN_SCHEDULE_PLATEAU;
}

static bool falls_by_factors(const rn_recipe *recipe)
{
    return steps(recipe) || watches(recipe);
}

static bool falls_smoothly(const rn_recipe *recipe)
{
    return !falls_by_factors(recipe) && recipe->schedule.kind != RN_SCHEDULE_CONSTANT;
}

static bool warms_up(const rn_recipe *recipe)
{
    return recipe->schedule.warmup > 0;
}

static bool warms_up_from_a_factor(const rn_recipe *recipe)
{
    return warms_up(recipe) && recipe->schedule.kind != RN_SCHEDULE_ONE_CYCLE;
}

static bool waits_for_an_error(const rn_recipe *recipe)
{
    return recipe->schedule.until_error > 0;
}

static bool pads(const rn_recipe *recipe)
{
    return recipe->augment.pad > 0;
}

static bool flips(const rn_recipe *recipe)
{
    return recipe->augment.flip;
}

static bool crops_resized(const rn_recipe *recipe)
{
    return recipe->augment.crop == RN_CROP_RESIZE;
}

static bool crops_areas(const rn_recipe *recipe)
{
    return recipe->augment.crop == RN_CROP_AREA;
}

static bool changes_at_random(const rn_recipe *recipe)
{
    return recipe->augment.randaugment > 0;
}

// What is not listed always counts, or switches on what does.
static const struct {
    const char *key;
    bool (*counts)(const rn_recipe *recipe);
    const char *needs;
} uses[] = {
    {"milestones", steps, "schedule step"},
    {"factor", falls_by_factors, "schedule step or plateau"},
    {"patience", watches, "schedule plateau"},
    {"threshold", watches, "schedule plateau"},
    {"final_factor", falls_smoothly, "schedule cosine, one-cycle or linear"},
    {"warmup_factor", warms_up_from_a_factor, "a warmup, and not schedule one-cycle"},
    {"warmup_flat", warms_up, "a warmup"},
    {"until_lr", waits_for_an_error, "an until_error"},
    {"pad_mode", pads, "a pad"},
    {"alternate_flip", flips, "flip"},
    {"resize_low", crops_resized, "crop resize"},
    {"resize_high", crops_resized, "crop resize"},
    {"crop_area", crops_areas, "crop area"},
    {"randaugment_magnitude", changes_at_random, "a randaugment"},
};

const char *rn_recipe_unused(const rn_recipe *recipe, const char *key)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (strcmp(key, uses[i].key) == 0)
            return uses[i].counts(recipe) ? NULL : uses[i].needs;
    return NULL;
}
