// plan.json: what a reproduction was begun with, so that a second call goes on with the same.
#include "resnet/reproduce.h"

#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "resnet/report.h"

#include <string.h>
#include <sys/stat.h>

static const char PLAN[] = "plan"; // .json
static const char MADE_BY[] = "resnet " RN_VERSION;

// Texts and numbers of the settings, each under its own name.
static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    {"budget", offsetof(rn_reproduce_settings, budget)},
    {"data", offsetof(rn_reproduce_settings, source)},
    {"data_name", offsetof(rn_reproduce_settings, data_name)},
    {"memory", offsetof(rn_reproduce_settings, memory)},
};

static const struct {
    const char *key;
    size_t offset;
    double low;
} integers[] = {
    {"runs", offsetof(rn_reproduce_settings, seeds), 1},
    {"threads", offsetof(rn_reproduce_settings, threads), 1},
    {"batch", offsetof(rn_reproduce_settings, batch), 1},
    {"classes", offsetof(rn_reproduce_settings, network) + offsetof(rn_model_options, classes), 0},
    {"channels", offsetof(rn_reproduce_settings, network) + offsetof(rn_model_options, channels),
     0},
    {"height", offsetof(rn_reproduce_settings, network) + offsetof(rn_model_options, height), 0},
    {"width", offsetof(rn_reproduce_settings, network) + offsetof(rn_model_options, width), 0},
};

static const struct {
    const char *key;
    size_t offset;
} counts[] = {
    {"train_count", offsetof(rn_reproduce_settings, train_count)},
    {"test_count", offsetof(rn_reproduce_settings, test_count)},
};

enum {
    TEXTS = sizeof texts / sizeof *texts,
    INTEGERS = sizeof integers / sizeof *integers,
    COUNTS = sizeof counts / sizeof *counts,
    OTHERS = 3 // program, scale, target
};

static const char **text_at(rn_reproduce_settings *settings, int i)
{
    return (const char **)(void *)((char *)settings + texts[i].offset);
}

static int *integer_at(rn_reproduce_settings *settings, int i)
{
    return (int *)(void *)((char *)settings + integers[i].offset);
}

static uint64_t *count_at(rn_reproduce_settings *settings, int i)
{
    return (uint64_t *)(void *)((char *)settings + counts[i].offset);
}

// Writing

static rn_status settings_json(cJSON *json, rn_reproduce_settings *settings)
{
    rn_status st;

    RN_TRY(rn_json_add_number(json, "scale", settings->scale));
    for (int i = 0; i < INTEGERS; i++)
        RN_TRY(rn_json_add_number(json, integers[i].key, *integer_at(settings, i)));
    for (int i = 0; i < COUNTS; i++)
        RN_TRY(rn_json_add_number(json, counts[i].key, (double)*count_at(settings, i)));
    for (int i = 0; i < TEXTS; i++)
        if (*text_at(settings, i) != NULL)
            RN_TRY(rn_json_add_item(json, texts[i].key,
                                    cJSON_CreateString(*text_at(settings, i)))); // paths: bytes
out:
    return st;
}

// FOLDER/NAME.json, with a newline in the end.
static rn_status write_printed(const char *folder, const char *name, const char *printed)
{
    rn_status st;
    char *text = NULL, *file = NULL;

    RN_TRY(rn_format(&text, "%s\n", printed));
    RN_TRY(rn_format(&file, "%s.json", name));
    RN_TRY(rn_run_folder_write(folder, file, text));
out:
    rn_free(file);
    rn_free(text);
    return st;
}

static rn_status write_plan(const rn_reproduction *r, const char *folder)
{
    rn_status st;
    cJSON *json = NULL;
    char *printed = NULL;
    rn_reproduce_settings settings = r->settings;

    RN_TRY(rn_json_object(&json));
    RN_TRY(rn_json_add_text(json, "program", MADE_BY));
    RN_TRY(settings_json(json, &settings));
    RN_TRY(rn_json_add_item(json, "target", cJSON_Duplicate(r->target->json, true)));
    RN_TRY(rn_json_print(&printed, json, true));
    RN_TRY(write_printed(folder, PLAN, printed));
out:
    rn_free(printed);
    cJSON_Delete(json);
    return st;
}

static rn_status write_recipe(const char *folder, const char *name, const rn_recipe *recipe)
{
    rn_status st;
    char *printed = NULL;

    RN_TRY(rn_recipe_print(&printed, recipe));
    RN_TRY(write_printed(folder, name, printed));
out:
    rn_free(printed);
    return st;
}

// The plan last: where it is, all is.
rn_status rn_reproduction_write(const rn_reproduction *r, const char *folder)
{
    rn_status st = RN_OK;
    char *recipes = NULL;

    RN_TRY(rn_format(&recipes, "%s/recipes", folder));
    for (int i = 0; i < r->target->run_count && !r->target->cost; i++)
        RN_TRY(write_recipe(recipes, r->target->runs[i].name, &r->runs[i].recipe));
    RN_TRY(write_plan(r, folder));
out:
    rn_free(recipes);
    return st;
}

// Reading

static rn_status read_settings(rn_reproduce_settings *settings, const cJSON *json, const char *what)
{
    rn_status st;

    settings->scale = 1;
    RN_TRY(rn_json_double(json, "scale", 0, 1, &settings->scale, what));
    for (int i = 0; i < INTEGERS; i++) {
        int64_t value = (int64_t)integers[i].low;
        RN_TRY(rn_json_int64(json, integers[i].key, (int64_t)integers[i].low, INT32_MAX, &value,
                             what));
        *integer_at(settings, i) = (int)value;
    }
    for (int i = 0; i < COUNTS; i++) {
        int64_t value = 0;
        RN_TRY(rn_json_int64(json, counts[i].key, 0, INT64_C(1) << 53, &value, what));
        *count_at(settings, i) = (uint64_t)value;
    }
    for (int i = 0; i < TEXTS; i++)
        RN_TRY(rn_json_text(json, texts[i].key, text_at(settings, i), what));
out:
    return st;
}

static rn_status check_keys(const cJSON *json, const char *what)
{
    const char *keys[TEXTS + INTEGERS + COUNTS + OTHERS] = {"program", "scale", "target"};
    size_t count = OTHERS;

    for (int i = 0; i < TEXTS; i++)
        keys[count++] = texts[i].key;
    for (int i = 0; i < INTEGERS; i++)
        keys[count++] = integers[i].key;
    for (int i = 0; i < COUNTS; i++)
        keys[count++] = counts[i].key;
    return rn_json_known_keys(json, keys, count, what);
}

static rn_status check_program(const cJSON *json, const char *what)
{
    rn_status st;
    const char *program = "";

    RN_TRY(rn_json_text(json, "program", &program, what));
    if (strcmp(program, MADE_BY) != 0)
        st = rn_error(RN_EFORMAT, "%s was made by '%s', this is '%s': begin in another folder",
                      what, program, MADE_BY);
out:
    return st;
}

static rn_status parse_plan(rn_reproduction **out, const char *text, const char *what)
{
    rn_status st;
    cJSON *json = NULL;
    char *target_text = NULL;
    rn_target *target = NULL;
    rn_reproduce_settings settings = {0};

    RN_TRY(rn_json_parse(&json, text, strlen(text), what));
    RN_TRY(check_program(json, what));
    RN_TRY(check_keys(json, what));
    RN_TRY(read_settings(&settings, json, what));
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "target");
    if (item == NULL) {
        st = rn_error(RN_EFORMAT, "%s: 'target' is missing", what);
        goto out;
    }
    RN_TRY(rn_json_print(&target_text, item, false));
    RN_TRY(rn_target_parse(&target, target_text, what));
    st = rn_reproduction_create(out, target, &settings);
    if (st == RN_EINVAL) // in a file it is the file that is wrong
        st = rn_error_prefix(RN_EFORMAT, "%s", what);
out:
    rn_free(target_text);
    cJSON_Delete(json);
    return st;
}

rn_status rn_reproduction_read(rn_reproduction **out, const char *folder)
{
    rn_status st;
    char *text = NULL, *what = NULL;

    *out = NULL;
    RN_TRY(rn_format(&what, "'%s/%s.json'", folder, PLAN));
    RN_TRY(rn_run_folder_read(&text, folder, "plan.json"));
    RN_TRY(parse_plan(out, text, what));
out:
    rn_free(text);
    rn_free(what);
    return st;
}

// Agreement

static rn_status text_differs(const char *key, const char *was, const char *asked)
{
    return rn_error(
        RN_EINVAL,
        "the reproduction was begun with %s %s, asked for is %s; another folder (--out) "
        "begins another",
        key, was != NULL ? was : "left out", asked);
}

static rn_status number_differs(const char *key, double was, double asked)
{
    return rn_error(
        RN_EINVAL,
        "the reproduction was begun with %s %g, asked for is %g; another folder (--out) "
        "begins another",
        key, was, asked);
}

static rn_status targets_agree(const rn_target *was, const rn_target *asked)
{
    if (strcmp(was->name, asked->name) != 0)
        return text_differs("target", was->name, asked->name);
    if (!cJSON_Compare(was->json, asked->json, true))
        return rn_error(RN_EINVAL,
                        "target '%s' has changed since the reproduction was begun; another folder "
                        "(--out) begins another",
                        asked->name);
    return RN_OK;
}

// As texts, or as names of one file or folder.
static bool same_text(const char *key, const char *a, const char *b)
{
    struct stat first, second;

    if (strcmp(a, b) == 0)
        return true;
    return strcmp(key, "data") == 0 && stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

rn_status rn_reproduction_agree(const rn_reproduction *r, const rn_target *target,
                                const rn_reproduce_settings *asked)
{
    rn_status st = target != NULL ? targets_agree(r->target, target) : RN_OK;
    rn_reproduce_settings was = r->settings, wanted = *asked;

    for (int i = 0; i < TEXTS && st == RN_OK; i++) {
        const char *now = *text_at(&wanted, i), *then = *text_at(&was, i);
        if (now != NULL && (then == NULL || !same_text(texts[i].key, now, then)))
            st = text_differs(texts[i].key, then, now);
    }
    for (int i = 0; i < INTEGERS && st == RN_OK; i++) {
        int now = *integer_at(&wanted, i), then = *integer_at(&was, i);
        if (now > 0 && now != then)
            st = number_differs(integers[i].key, then, now);
    }
    if (st == RN_OK && wanted.scale > 0 && wanted.scale != was.scale)
        st = number_differs("scale", was.scale, wanted.scale);
    return st;
}
