#include "train/recipe_field.h"

#include "base/json_write.h"
#include "base/text.h"
#include "train/progressive.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EXPECTED_TEXT = 160, FOUND_TEXT = 80, LONGEST_LIST = 400 };

static const char *schedule_choice(int index)
{
    return rn_schedule_name((rn_schedule_kind)index);
}

static const char *dtype_choice(int index)
{
    return rn_dtype_name((rn_dtype)index);
}

static const char *decay_choice(int index)
{
    return index == RN_DECAY_ALL ? "all" : index == RN_DECAY_WEIGHTS ? "weights" : NULL;
}

static const char *normalize_choice(int index)
{
    return rn_normalize_name((rn_normalize)index);
}

static const char *pad_mode_choice(int index)
{
    return rn_pad_mode_name((rn_pad_mode)index);
}

static const char *crop_choice(int index)
{
    return rn_crop_name((rn_crop)index);
}

static const char *filter_choice(int index)
{
    return rn_resize_filter_name((rn_resize_filter)index);
}

static const char *tta_choice(int index)
{
    return rn_tta_name((rn_tta)index);
}

static const char *freeze_choice(int index)
{
    return rn_freeze_name((rn_freeze)index);
}

#define WHOLE 0x1p53 // largest integer up to which a double holds every one
#define AT(member) offsetof(rn_recipe, member)

static const recipe_field fields[] = {
    {"name", RECIPE_TEXT, AT(name), .high = sizeof((rn_recipe *)0)->name - 1},
    {"epochs", RECIPE_DOUBLE, AT(epochs), .high = 1e6},
    {"iterations", RECIPE_UINT64, AT(iterations), .high = 1e12},
    {"batch", RECIPE_INT, AT(batch), .low = 1, .high = 65536},
    {"dtype", RECIPE_CHOICE, AT(dtype), .high = 0, .choice = dtype_choice},
    {"seed", RECIPE_UINT64, AT(seed), .high = WHOLE},
    {"schedule", RECIPE_CHOICE, AT(schedule.kind), .high = 0, .choice = schedule_choice},
    {"lr", RECIPE_DOUBLE, AT(schedule.lr), .high = 1000, .above_low = true},
    {"factor", RECIPE_DOUBLE, AT(schedule.factor), .high = 1, .above_low = true,
     .below_high = true},
    {"final_factor", RECIPE_DOUBLE, AT(schedule.final_factor), .high = 1},
    {"milestones", RECIPE_LIST, AT(schedule.milestone), .low = 1, .high = 1e12},
    {"patience", RECIPE_INT, AT(schedule.patience), .low = 1, .high = 1e6},
    {"threshold", RECIPE_DOUBLE, AT(schedule.threshold), .high = 100},
    {"warmup", RECIPE_DOUBLE, AT(schedule.warmup), .high = 1e12},
    {"warmup_factor", RECIPE_DOUBLE, AT(schedule.warmup_factor), .high = 1},
    {"warmup_flat", RECIPE_BOOL, AT(schedule.warmup_flat), .high = 0},
    {"until_error", RECIPE_DOUBLE, AT(schedule.until_error), .high = 100},
    {"until_lr", RECIPE_DOUBLE, AT(schedule.until_lr), .high = 1000},
    {"momentum", RECIPE_DOUBLE, AT(sgd.momentum), .high = 1, .below_high = true},
    {"weight_decay", RECIPE_DOUBLE, AT(sgd.weight_decay), .high = 1},
    {"decay", RECIPE_CHOICE, AT(sgd.decay), .high = 0, .choice = decay_choice},
    {"nesterov", RECIPE_BOOL, AT(sgd.nesterov), .high = 0},
    {"bias_lr", RECIPE_DOUBLE, AT(sgd.lr_factor[RN_GROUP_BIAS]), .high = 1e6},
    {"gain_lr", RECIPE_DOUBLE, AT(sgd.lr_factor[RN_GROUP_GAIN]), .high = 1e6},
    {"stem_lr", RECIPE_DOUBLE, AT(sgd.lr_factor[RN_GROUP_STEM]), .high = 1e6},
    {"head_lr", RECIPE_DOUBLE, AT(sgd.lr_factor[RN_GROUP_HEAD]), .high = 1e6},
    {"freeze_gains", RECIPE_BOOL, AT(sgd.frozen[RN_GROUP_GAIN]), .high = 0},
    {"freeze_stem", RECIPE_BOOL, AT(sgd.frozen[RN_GROUP_STEM]), .high = 0},
    {"ema", RECIPE_DOUBLE, AT(sgd.ema), .high = 1, .below_high = true},
    {"lookahead", RECIPE_INT, AT(sgd.lookahead), .high = 1e6},
    {"label_smoothing", RECIPE_DOUBLE, AT(label_smoothing), .high = 1},
    {"bn_momentum", RECIPE_DOUBLE, AT(bn_momentum), .high = 1},
    {"pad", RECIPE_INT, AT(augment.pad), .high = 64},
    {"pad_mode", RECIPE_CHOICE, AT(augment.pad_mode), .high = 0, .choice = pad_mode_choice},
    {"flip", RECIPE_BOOL, AT(augment.flip), .high = 0},
    {"alternate_flip", RECIPE_BOOL, AT(augment.alternate_flip), .high = 0},
    {"crop", RECIPE_CHOICE, AT(augment.crop), .high = 0, .choice = crop_choice},
    {"resize_low", RECIPE_INT, AT(augment.resize_low), .high = 65536},
    {"resize_high", RECIPE_INT, AT(augment.resize_high), .high = 65536},
    {"crop_area", RECIPE_DOUBLE, AT(augment.crop_area), .high = 1},
    {"crop_ratio", RECIPE_DOUBLE, AT(augment.crop_ratio), .high = 1},
    {"filter", RECIPE_CHOICE, AT(augment.filter), .high = 0, .choice = filter_choice},
    {"randaugment", RECIPE_INT, AT(augment.randaugment), .high = 16},
    {"randaugment_magnitude", RECIPE_INT, AT(augment.randaugment_magnitude), .high = 30},
    {"brightness", RECIPE_DOUBLE, AT(augment.brightness), .high = 10},
    {"contrast", RECIPE_DOUBLE, AT(augment.contrast), .high = 10},
    {"saturation", RECIPE_DOUBLE, AT(augment.saturation), .high = 10},
    {"hue", RECIPE_DOUBLE, AT(augment.hue), .high = 0.5},
    {"pca", RECIPE_DOUBLE, AT(augment.pca), .high = 10},
    {"erase", RECIPE_DOUBLE, AT(augment.erase), .high = 1},
    {"progressive", RECIPE_SIZES, AT(progressive), .high = 0},
    {"mixup", RECIPE_DOUBLE, AT(mix.mixup), .high = 100},
    {"cutmix", RECIPE_DOUBLE, AT(mix.cutmix), .high = 100},
    {"normalize", RECIPE_CHOICE, AT(normalize), .high = 0, .choice = normalize_choice},
    {"whiten", RECIPE_UINT64, AT(whiten), .high = 1e9},
    {"tta", RECIPE_CHOICE, AT(tta), .high = 0, .choice = tta_choice},
    {"hold_out", RECIPE_UINT64, AT(hold_out), .high = 1e9},
    {"train_images", RECIPE_UINT64, AT(train_images), .high = 1e9},
    {"freeze_until", RECIPE_CHOICE, AT(freeze_until), .high = 0, .choice = freeze_choice},
};

enum { FIELDS = sizeof fields / sizeof *fields };

const recipe_field *rn_recipe_field(int index)
{
    return index >= 0 && index < FIELDS ? &fields[index] : NULL;
}

const recipe_field *rn_recipe_field_find(const char *key)
{
    for (int i = 0; i < FIELDS; i++) {
        if (strcmp(key, fields[i].key) == 0)
            return &fields[i];
    }
    return NULL;
}

static bool is_whole_type(recipe_type type)
{
    return type == RECIPE_INT || type == RECIPE_UINT64 || type == RECIPE_LIST;
}

static void describe_number(char *text, const recipe_field *field)
{
    char low[RN_NUMBER_TEXT], high[RN_NUMBER_TEXT];

    rn_json_number_text(low, field->low);
    rn_json_number_text(high, field->high);
    snprintf(text, EXPECTED_TEXT, "a %snumber %s %s %s %s",
             is_whole_type(field->type) ? "whole " : "", field->above_low ? "above" : "from", low,
             field->below_high ? "to less than" : "to", high);
}

static void describe_choice(char *text, const recipe_field *field)
{
    size_t length = 0;

    text[0] = '\0';
    for (int i = 0; field->choice(i) != NULL && length < EXPECTED_TEXT; i++) {
        const char *separator = i == 0 ? "" : field->choice(i + 1) == NULL ? " or " : ", ";
        length += (size_t)snprintf(text + length, EXPECTED_TEXT - length, "%s%s", separator,
                                   field->choice(i));
    }
}

static void describe_expected(char text[EXPECTED_TEXT], const recipe_field *field)
{
    switch (field->type) {
    case RECIPE_TEXT:
        snprintf(text, EXPECTED_TEXT, "a text of at most %g bytes", field->high);
        break;
    case RECIPE_BOOL:
        snprintf(text, EXPECTED_TEXT, "true or false");
        break;
    case RECIPE_CHOICE:
        describe_choice(text, field);
        break;
    case RECIPE_LIST:
        snprintf(text, EXPECTED_TEXT, "up to %d rising whole numbers from 1 to %g",
                 RN_MAX_MILESTONES, field->high);
        break;
    case RECIPE_SIZES:
        snprintf(text, EXPECTED_TEXT,
                 "none or up to %d SIZE:UNTIL such as 128:0.4,160:0.75, whole numbers from 1 and "
                 "shares of the training between 0 and 1, both rising",
                 RN_MAX_SIZES);
        break;
    case RECIPE_DOUBLE:
    case RECIPE_INT:
    case RECIPE_UINT64:
        describe_number(text, field);
        break;
    }
}

static void describe_found(char text[FOUND_TEXT], const cJSON *item)
{
    char *printed = cJSON_IsNumber(item) ? NULL : cJSON_PrintUnformatted(item);

    if (cJSON_IsNumber(item))
        snprintf(text, FOUND_TEXT, "%.10g", item->valuedouble);
    else if (cJSON_IsString(item))
        snprintf(text, FOUND_TEXT, "'%.60s'", item->valuestring);
    else
        snprintf(text, FOUND_TEXT, "%.60s", printed == NULL ? "unprintable" : printed);
    cJSON_free(printed);
}

static rn_status mismatch(const recipe_field *field, const cJSON *item, rn_status code,
                          const char *what)
{
    char expected[EXPECTED_TEXT], found[FOUND_TEXT];

    describe_expected(expected, field);
    describe_found(found, item);
    return rn_error(code, "%s: '%s' is %s, expected %s", what, field->key, found, expected);
}

static bool number_fits(const recipe_field *field, const cJSON *item)
{
    if (!cJSON_IsNumber(item))
        return false;
    double value = item->valuedouble;
    bool high_enough = field->above_low ? value > field->low : value >= field->low;
    bool low_enough = field->below_high ? value < field->high : value <= field->high;
    return high_enough && low_enough && (!is_whole_type(field->type) || value == floor(value));
}

static bool store_list(rn_schedule *schedule, const recipe_field *field, const cJSON *list)
{
    uint64_t read[RN_MAX_MILESTONES] = {0};
    int count = 0;
    const cJSON *item;

    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list)
    {
        if (count == RN_MAX_MILESTONES || !number_fits(field, item))
            return false;
        read[count++] = (uint64_t)item->valuedouble;
        if (count > 1 && read[count - 2] >= read[count - 1])
            return false;
    }
    memcpy(schedule->milestone, read, sizeof read);
    schedule->milestones = count;
    return true;
}

static bool store_choice(unsigned *value, const recipe_field *field, const cJSON *item)
{
    if (!cJSON_IsString(item))
        return false;
    for (int i = 0; field->choice(i) != NULL; i++) {
        if (strcmp(item->valuestring, field->choice(i)) == 0) {
            *value = (unsigned)i;
            return true;
        }
    }
    return false;
}

static bool store_text(char *value, const recipe_field *field, const char *text)
{
    size_t room = (size_t)field->high + 1;

    if (strlen(text) >= room)
        return false;
    memset(value, 0, room);
    memcpy(value, text, strlen(text));
    return true;
}

static bool store_sizes(rn_progressive *value, const cJSON *item)
{
    rn_progressive read;

    if (!cJSON_IsString(item) || !rn_progressive_parse(&read, item->valuestring))
        return false;
    *value = read;
    return true;
}

static void store_number(void *value, recipe_type type, double number)
{
    if (type == RECIPE_DOUBLE)
        *(double *)value = number;
    else if (type == RECIPE_INT)
        *(int *)value = (int)number;
    else
        *(uint64_t *)value = (uint64_t)number;
}

static bool store(rn_recipe *recipe, const recipe_field *field, const cJSON *item)
{
    void *value = (char *)recipe + field->offset;

    switch (field->type) {
    case RECIPE_TEXT:
        return cJSON_IsString(item) && store_text(value, field, item->valuestring);
    case RECIPE_BOOL:
        if (cJSON_IsBool(item))
            *(bool *)value = cJSON_IsTrue(item);
        return cJSON_IsBool(item);
    case RECIPE_CHOICE:
        return store_choice(value, field, item);
    case RECIPE_LIST:
        return store_list(&recipe->schedule, field, item);
    case RECIPE_SIZES:
        return store_sizes(&recipe->progressive, item);
    case RECIPE_DOUBLE:
    case RECIPE_INT:
    case RECIPE_UINT64:
        if (!number_fits(field, item))
            return false;
        store_number(value, field->type, item->valuedouble);
        return true;
    }
    return false;
}

rn_status rn_recipe_field_store(rn_recipe *recipe, const recipe_field *field, const cJSON *item,
                                rn_status code, const char *what)
{
    rn_status st = RN_OK;
    cJSON *repaired = NULL;

    // Checkpoints repair what is no UTF-8, and that makes a text longer: only so it is measured.
    if (field->type == RECIPE_TEXT && cJSON_IsString(item)) {
        repaired = rn_json_text_item(item->valuestring);
        if (repaired == NULL)
            return rn_error(RN_ENOMEM, "out of memory: '%s' cannot be read", field->key);
        item = repaired;
    }
    if (!store(recipe, field, item))
        st = mismatch(field, item, code, what);
    cJSON_Delete(repaired);
    return st;
}

static cJSON *number_json(double value)
{
    char text[RN_NUMBER_TEXT];

    rn_json_number_text(text, value);
    return cJSON_CreateRaw(text);
}

// On one line even where the recipe is indented.
static cJSON *list_json(const rn_schedule *schedule)
{
    char text[LONGEST_LIST] = "[";
    size_t length = 1;

    for (int i = 0; i < schedule->milestones && i < RN_MAX_MILESTONES; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%llu", i ? ", " : "",
                                   (unsigned long long)schedule->milestone[i]);
    snprintf(text + length, sizeof text - length, "]");
    return cJSON_CreateRaw(text);
}

static cJSON *sizes_json(const rn_progressive *progressive)
{
    char text[RN_PROGRESSIVE_TEXT];

    rn_progressive_print(text, progressive);
    return cJSON_CreateString(text);
}

cJSON *rn_recipe_field_json(const rn_recipe *recipe, const recipe_field *field)
{
    const void *value = (const char *)recipe + field->offset;

    switch (field->type) {
    case RECIPE_TEXT:
        return cJSON_CreateString(value);
    case RECIPE_BOOL:
        return cJSON_CreateBool(*(const bool *)value);
    case RECIPE_CHOICE: {
        const char *name = field->choice(*(const int *)value);
        return name == NULL ? cJSON_CreateNull() : cJSON_CreateString(name);
    }
    case RECIPE_LIST:
        return list_json(&recipe->schedule);
    case RECIPE_SIZES:
        return sizes_json(&recipe->progressive);
    case RECIPE_DOUBLE:
        return number_json(*(const double *)value);
    case RECIPE_INT:
        return number_json(*(const int *)value);
    case RECIPE_UINT64:
        return number_json((double)*(const uint64_t *)value);
    }
    return NULL;
}

static cJSON *list_from_text(const char *text)
{
    char bracketed[LONGEST_LIST];

    if (snprintf(bracketed, sizeof bracketed, "[%s]", text) >= (int)sizeof bracketed)
        return NULL;
    return cJSON_ParseWithOpts(bracketed, NULL, true);
}

cJSON *rn_recipe_field_from_text(const recipe_field *field, const char *text)
{
    double number = 0;
    cJSON *item = NULL;

    if (field->type == RECIPE_LIST)
        item = list_from_text(text);
    else if (field->type == RECIPE_BOOL && strcmp(text, "true") == 0)
        item = cJSON_CreateTrue();
    else if (field->type == RECIPE_BOOL && strcmp(text, "false") == 0)
        item = cJSON_CreateFalse();
    else if (field->type != RECIPE_TEXT && rn_text_double(text, -INFINITY, INFINITY, &number))
        item = cJSON_CreateNumber(number);
    return item == NULL ? cJSON_CreateString(text) : item;
}

// Numbers and lists are raw texts in rn_recipe_field_json(): parsed, they are what a file holds.
rn_status rn_recipe_field_check(const rn_recipe *recipe, const recipe_field *field,
                                const char *what)
{
    rn_recipe scratch = *recipe;
    cJSON *item = rn_recipe_field_json(recipe, field);
    cJSON *parsed = cJSON_IsRaw(item) ? cJSON_Parse(item->valuestring) : item;
    rn_status st = RN_OK;

    if (parsed == NULL)
        st = rn_error(RN_ENOMEM, "out of memory: recipe cannot be checked");
    else
        st = rn_recipe_field_store(&scratch, field, parsed, RN_EINVAL, what);
    if (parsed != item)
        cJSON_Delete(parsed);
    cJSON_Delete(item);
    return st;
}
