// Recipes: from names, files, JSON and single options, and back to JSON.
#include "resnet/recipe.h"

#include "augment/photo_crop.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "train/recipe_builtin.h"
#include "train/recipe_field.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NAMES = 128, MAX_FILE = 1 << 20 };

static int builtin_names(const char *names[MAX_NAMES])
{
    int count = 0;

    while (count < MAX_NAMES && rn_recipe_name(count) != NULL) {
        names[count] = rn_recipe_name(count);
        count++;
    }
    return count;
}

// The keys of the table and, last, "base".
static size_t known_keys(const char *keys[MAX_NAMES])
{
    size_t count = 0;

    for (int i = 0; rn_recipe_field(i) != NULL; i++)
        keys[count++] = rn_recipe_field(i)->key;
    keys[count++] = "base";
    return count;
}

static const rn_recipe *find_builtin(const char *name)
{
    for (int i = 0; rn_recipe_builtin(i) != NULL; i++) {
        if (strcmp(name, rn_recipe_name(i)) == 0)
            return rn_recipe_builtin(i);
    }
    return NULL;
}

// "unknown recipe 'quik'; did you mean 'quick'?" or the list of all.
static rn_status unknown_recipe(rn_status code, const char *name)
{
    const char *names[MAX_NAMES];
    char all[512] = "";
    int count = builtin_names(names);
    const char *nearest = rn_nearest(name, names, (size_t)count);

    if (nearest != NULL)
        return rn_error(code, "unknown recipe '%s'; did you mean '%s'?", name, nearest);
    for (int i = 0; i < count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", names[i]);
    return rn_error(code, "unknown recipe '%s', expected one of %s, or the path of a .json file",
                    name, all);
}

static bool names_a_file(const char *name)
{
    size_t length = strlen(name);

    return strchr(name, '/') != NULL || (length >= 5 && strcmp(name + length - 5, ".json") == 0);
}

// "dir/mine.json" is called "mine" unless its JSON has a name. A name is repaired before it is cut:
// checkpoints repair what is no UTF-8, and what they hold must not be too long to be read again.
static rn_status name_after_file(rn_recipe *recipe, const char *path)
{
    rn_status st = RN_OK;
    const char *slash = strrchr(path, '/');
    char *stem = NULL;

    RN_TRY(rn_text_repair(&stem, slash == NULL ? path : slash + 1));
    size_t length = strlen(stem);
    if (length > 5 && strcmp(stem + length - 5, ".json") == 0)
        length -= 5;
    if (length >= sizeof recipe->name)
        length = rn_utf8_fit(stem, sizeof recipe->name - 1);
    memset(recipe->name, 0, sizeof recipe->name);
    memcpy(recipe->name, stem, length);
out:
    rn_text_free(stem);
    return st;
}

static rn_status load_file(rn_recipe *out, const char *path)
{
    rn_status st = RN_OK;
    char *text = NULL, *what = NULL;
    size_t size = 0;
    rn_recipe recipe = *find_builtin("paper-cifar");

    RN_TRY(rn_format(&what, "recipe '%s'", path));
    RN_TRY(rn_file_read(&text, &size, path, MAX_FILE));
    if (strlen(text) != size) {
        st = rn_error(RN_EFORMAT, "%s: JSON holds a NUL byte", what);
        goto out;
    }
    RN_TRY(name_after_file(&recipe, path));
    RN_TRY(rn_recipe_parse(&recipe, text, what));
    *out = recipe;
out:
    rn_free(text);
    rn_free(what);
    return st;
}

rn_status rn_recipe_load(rn_recipe *out, const char *name)
{
    const rn_recipe *builtin = find_builtin(name);

    if (builtin != NULL) {
        *out = *builtin;
        return RN_OK;
    }
    return names_a_file(name) ? load_file(out, name) : unknown_recipe(RN_ENOTFOUND, name);
}

// "base": start from a built-in recipe; the name stays.
static rn_status apply_base(rn_recipe *recipe, const cJSON *json, const char *what)
{
    rn_status st = RN_OK;
    const char *base = NULL;

    RN_TRY(rn_json_text(json, "base", &base, what));
    if (base == NULL)
        return RN_OK;
    const rn_recipe *builtin = find_builtin(base);
    if (builtin == NULL) {
        unknown_recipe(RN_EFORMAT, base);
        return rn_error_prefix(RN_EFORMAT, "%s: 'base'", what);
    }
    rn_recipe started = *builtin;
    memcpy(started.name, recipe->name, sizeof started.name);
    *recipe = started;
out:
    return st;
}

static bool is_length(const recipe_field *field)
{
    return strcmp(field->key, "epochs") == 0 || strcmp(field->key, "iterations") == 0;
}

// A training has one length: setting it in one unit clears the other.
static void clear_other_length(rn_recipe *recipe, const recipe_field *field)
{
    bool epochs = strcmp(field->key, "epochs") == 0;

    if (epochs && recipe->epochs > 0)
        recipe->iterations = 0;
    if (!epochs && recipe->iterations > 0)
        recipe->epochs = 0;
}

static bool positive_member(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    return cJSON_IsNumber(item) && item->valuedouble > 0;
}

static rn_status check_object(const cJSON *json, const char *what)
{
    const char *keys[MAX_NAMES];
    rn_status st = rn_json_known_keys(json, keys, known_keys(keys), what);

    if (st != RN_OK)
        return st;
    if (positive_member(json, "epochs") && positive_member(json, "iterations"))
        return rn_error(RN_EFORMAT, "%s: 'epochs' and 'iterations' are both given, expected one",
                        what);
    return RN_OK;
}

static rn_status apply_members(rn_recipe *recipe, const cJSON *json, const char *what)
{
    rn_status st = RN_OK;
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        const recipe_field *field = rn_recipe_field_find(item->string);
        if (field == NULL) // "base"
            continue;
        RN_TRY(rn_recipe_field_store(recipe, field, item, RN_EFORMAT, what));
        if (is_length(field))
            clear_other_length(recipe, field);
    }
out:
    return st;
}

rn_status rn_recipe_parse(rn_recipe *recipe, const char *json, const char *what)
{
    rn_status st = RN_OK;
    cJSON *object = NULL;
    rn_recipe parsed = *recipe;

    RN_TRY(rn_json_parse(&object, json, strlen(json), what));
    RN_TRY(check_object(object, what));
    RN_TRY(apply_base(&parsed, object, what));
    RN_TRY(apply_members(&parsed, object, what));
    *recipe = parsed;
out:
    cJSON_Delete(object);
    return st;
}

rn_status rn_recipe_set(rn_recipe *recipe, const char *key, const char *value)
{
    const char *keys[MAX_NAMES];
    char hint[RN_HINT_BYTES];
    const recipe_field *field = rn_recipe_field_find(key);

    if (field == NULL) {
        const size_t count = known_keys(keys) - 1;
        return rn_error(RN_EINVAL, "unknown recipe key '%s'%s", key,
                        rn_text_hint(hint, key, keys, count));
    }
    cJSON *item = rn_recipe_field_from_text(field, value);
    if (item == NULL)
        return rn_error(RN_ENOMEM, "out of memory: '%s' cannot be read", key);
    rn_status st = rn_recipe_field_store(recipe, field, item, RN_EINVAL, "recipe");
    if (st == RN_OK && is_length(field))
        clear_other_length(recipe, field);
    cJSON_Delete(item);
    return st;
}

static rn_status check_length(const rn_recipe *recipe)
{
    if (recipe->epochs > 0 && recipe->iterations > 0)
        return rn_error(RN_EINVAL, "'epochs' and 'iterations' are both given, expected one");
    if (!(recipe->epochs > 0) && recipe->iterations == 0)
        return rn_error(RN_EINVAL, "neither 'epochs' nor 'iterations' is above 0");
    return RN_OK;
}

static rn_status check_schedule(const rn_schedule *schedule)
{
    if (schedule->kind == RN_SCHEDULE_STEP && schedule->milestones == 0)
        return rn_error(RN_EINVAL, "'milestones' is empty, which schedule 'step' needs");
    if (schedule->until_error > 0 && !(schedule->until_lr > 0))
        return rn_error(RN_EINVAL, "'until_lr' is 0, expected above 0 because 'until_error' is %g",
                        schedule->until_error);
    if (schedule->until_error > 0 && schedule->warmup > 0)
        return rn_error(RN_EINVAL, "'until_error' and 'warmup' are both above 0, expected one");
    if (schedule->warmup_flat && schedule->kind == RN_SCHEDULE_ONE_CYCLE)
        return rn_error(RN_EINVAL, "'warmup_flat' is true, but schedule 'one-cycle' rises in its "
                                   "warm-up");
    if (schedule->warmup_flat && schedule->warmup > 0 && !(schedule->warmup_factor > 0))
        return rn_error(RN_EINVAL, "'warmup_factor' is 0, expected above 0 because 'warmup_flat' "
                                   "is true");
    return RN_OK;
}

// A step that only rounding begins is none: 1.1 epochs of 50,000 images are 550 steps of 100, and
// in doubles a hair more.
uint64_t rn_recipe_iterations(const rn_recipe *recipe, uint64_t images)
{
    double steps = recipe->epochs * (double)images / recipe->batch * (1 - 4 * DBL_EPSILON);

    return recipe->iterations > 0 ? recipe->iterations : (uint64_t)ceil(steps);
}

double rn_recipe_centre_ratio(const rn_recipe *recipe)
{
    const rn_augment *augment = &recipe->augment;

    if (augment->crop_ratio > 0)
        return augment->crop_ratio;
    return augment->crop == RN_CROP_RESIZE || augment->crop == RN_CROP_AREA ? RN_CENTRE_RATIO : 1;
}

static rn_status check_augment(const rn_augment *augment)
{
    const int low = rn_augment_low(augment), high = rn_augment_high(augment);

    if (augment->crop == RN_CROP_RESIZE && low > high)
        return rn_error(RN_EINVAL,
                        "'resize_low' is %d, expected at most 'resize_high', which is %d", low,
                        high);
    if (augment->crop_ratio > 0 && augment->crop_ratio < 0.01)
        return rn_error(RN_EINVAL, "'crop_ratio' is %g, expected 0.01 to 1, or 0",
                        augment->crop_ratio);
    return RN_OK;
}

static rn_status check_together(const rn_recipe *recipe)
{
    rn_status st = RN_OK;

    RN_TRY(check_length(recipe));
    RN_TRY(check_schedule(&recipe->schedule));
    RN_TRY(check_augment(&recipe->augment));
    if (recipe->iterations > 0 && recipe->schedule.warmup >= 1 &&
        recipe->schedule.warmup >= (double)recipe->iterations)
        return rn_error(RN_EINVAL, "'warmup' is %g, expected less than 'iterations', which is %llu",
                        recipe->schedule.warmup, (unsigned long long)recipe->iterations);
    if (recipe->sgd.nesterov && !(recipe->sgd.momentum > 0))
        return rn_error(RN_EINVAL, "'momentum' is 0, expected above 0 because 'nesterov' is true");
    if (recipe->sgd.lookahead > 0 && !(recipe->sgd.ema > 0))
        return rn_error(RN_EINVAL, "'ema' is 0, expected above 0 because 'lookahead' is %d",
                        recipe->sgd.lookahead);
out:
    return st;
}

rn_status rn_recipe_check(const rn_recipe *recipe)
{
    rn_status st = RN_OK;
    char what[sizeof recipe->name + 16];

    snprintf(what, sizeof what, "recipe '%.*s'", (int)sizeof recipe->name, recipe->name);
    for (int i = 0; rn_recipe_field(i) != NULL; i++)
        RN_TRY(rn_recipe_field_check(recipe, rn_recipe_field(i), what));
    st = check_together(recipe);
    if (st != RN_OK)
        rn_error_prefix(st, "%s", what);
out:
    return st;
}

rn_status rn_recipe_print(char **out, const rn_recipe *recipe)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;

    *out = NULL;
    RN_TRY(rn_json_object(&json));
    for (int i = 0; rn_recipe_field(i) != NULL; i++)
        RN_TRY(rn_json_add_item(json, rn_recipe_field(i)->key,
                                rn_recipe_field_json(recipe, rn_recipe_field(i))));
    RN_TRY(rn_json_print(out, json, true));
out:
    cJSON_Delete(json);
    return st;
}
