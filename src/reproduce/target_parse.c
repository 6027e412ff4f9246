// Targets from JSON: every key known, every value checked, every place named.
#include "reproduce/target_parse.h"

#include "base/memory.h"
#include "base/text.h"
#include "graph/spec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_RUNS = 64, LONGEST_NAME = 48 };

static const char *const kinds[] = {"training", "cost"};

static const char *kind_of(const rn_target *target)
{
    return kinds[target->cost];
}

void rn_target_place(char place[TARGET_WHAT], const char *what, const char *key, int index)
{
    snprintf(place, TARGET_WHAT, "%.180s: %.32s[%d]", what, key, index);
}

rn_status rn_target_require(const cJSON *object, const char *key, const char *what)
{
    if (cJSON_GetObjectItemCaseSensitive(object, key) == NULL)
        return rn_error(RN_EFORMAT, "%s: '%s' is missing", what, key);
    return RN_OK;
}

rn_status rn_target_text(const cJSON *object, const char *key, const char **value, const char *what)
{
    rn_status st;

    RN_TRY(rn_target_require(object, key, what));
    RN_TRY(rn_json_text(object, key, value, what));
    if (**value == '\0')
        st = rn_error(RN_EFORMAT, "%s: '%s' is empty", what, key);
out:
    return st;
}

rn_status rn_target_array(const cJSON **out, const cJSON *object, const char *key, const char *what)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, key), *item;
    int index = 0;

    *out = array;
    if (array == NULL)
        return RN_OK;
    if (!cJSON_IsArray(array))
        return rn_error(RN_EFORMAT, "%s: '%s' is not an array", what, key);
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsObject(item))
            return rn_error(RN_EFORMAT, "%s: %s[%d] is not an object", what, key, index);
        index++;
    }
    return RN_OK;
}

rn_status rn_target_metric(rn_metric *out, const char *name, const char *what)
{
    const char *names[RN_METRICS];
    char hint[RN_HINT_BYTES];

    for (int i = 0; i < RN_METRICS; i++) {
        names[i] = rn_metric_name((rn_metric)i);
        if (strcmp(names[i], name) == 0) {
            *out = (rn_metric)i;
            return RN_OK;
        }
    }
    return rn_error(RN_EFORMAT, "%s: unknown metric '%s'%s", what, name,
                    rn_text_hint(hint, name, names, RN_METRICS));
}

// Metrics of trainings and of steps do not mix.
rn_status rn_target_check_metric(const rn_target *target, rn_metric metric, const char *what)
{
    const bool cost = metric >= RN_METRIC_STEP_SECONDS;

    if (cost != target->cost)
        return rn_error(RN_EFORMAT, "%s: metric '%s' is not measured by a target of kind '%s'",
                        what, rn_metric_name(metric), kind_of(target));
    const char *missing = metric == RN_METRIC_RESPONSE && !target->responses         ? "responses"
                          : metric == RN_METRIC_TEN_CROP_ERROR && !target->ten_crops ? "ten_crops"
                                                                                     : NULL;
    if (missing != NULL)
        return rn_error(RN_EFORMAT, "%s: metric '%s' needs \"%s\": true in the target", what,
                        rn_metric_name(metric), missing);
    return RN_OK;
}

rn_status rn_target_find_run(int *out, const rn_target *target, const char *name, const char *what)
{
    const char *names[MOST_RUNS];
    char hint[RN_HINT_BYTES];

    for (int i = 0; i < target->run_count; i++) {
        names[i] = target->runs[i].name;
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return RN_OK;
        }
    }
    return rn_error(RN_EFORMAT, "%s: no run is named '%s'%s", what, name,
                    rn_text_hint(hint, name, names, (size_t)target->run_count));
}

// Names become parts of file names.
static rn_status check_name(const char *name, const char *what)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);

    if (length > LONGEST_NAME || strspn(name, plain) != length || *name == '.' || *name == '-')
        return rn_error(RN_EFORMAT,
                        "%s: name '%.64s' is not 1 to %d letters, digits, '.', '_' and '-', the "
                        "first a letter or digit",
                        what, name, LONGEST_NAME);
    return RN_OK;
}

// What a target of the other kind alone has would do nothing.
static rn_status check_kind(const rn_target *target, const cJSON *object, const char *what)
{
    static const char *const of_trainings[] = {"needs",       "source",    "statistic",
                                               "evaluations", "responses", "ten_crops",
                                               "recipe",      "settings",  NULL};
    static const char *const of_costs[] = {"batch", NULL};

    for (const char *const *key = target->cost ? of_trainings : of_costs; *key != NULL; key++)
        if (cJSON_GetObjectItemCaseSensitive(object, *key) != NULL)
            return rn_error(RN_EFORMAT, "%s: '%s' is not for a target of kind '%s'", what, *key,
                            kind_of(target));
    return RN_OK;
}

// Objects of a recipe's keys; their values are checked when a recipe is made of them.
static rn_status read_settings(const cJSON **out, const cJSON *object, const char *what)
{
    *out = cJSON_GetObjectItemCaseSensitive(object, "settings");
    if (*out != NULL && !cJSON_IsObject(*out))
        return rn_error(RN_EFORMAT, "%s: 'settings' is not an object", what);
    return RN_OK;
}

static rn_status read_published(rn_target_run *run, const rn_target *target, const cJSON *object,
                                const char *what)
{
    rn_status st = RN_OK;
    const cJSON *paper = cJSON_GetObjectItemCaseSensitive(object, "paper"), *item;
    char place[TARGET_WHAT];
    rn_metric metric = RN_METRICS;

    run->published_first = RN_METRICS;
    for (int i = 0; i < RN_METRICS; i++)
        run->published[i] = NAN;
    run->published_deviation = NAN;
    if (paper == NULL)
        return RN_OK;
    snprintf(place, sizeof place, "%.200s: paper", what);
    if (!cJSON_IsObject(paper))
        return rn_error(RN_EFORMAT, "%s is not an object", place);
    RN_TRY(rn_json_text(paper, "note", &run->note, place));
    RN_TRY(rn_json_double(paper, "deviation", 0, 1e300, &run->published_deviation, place));
    cJSON_ArrayForEach(item, paper)
    {
        if (strcmp(item->string, "note") == 0 || strcmp(item->string, "deviation") == 0)
            continue;
        RN_TRY(rn_target_metric(&metric, item->string, place));
        RN_TRY(rn_target_check_metric(target, metric, place));
        RN_TRY(rn_json_double(paper, item->string, 0, 1e300, &run->published[metric], place));
        if (run->published_first == RN_METRICS)
            run->published_first = metric;
    }
    if (run->published_first == RN_METRICS && !isnan(run->published_deviation))
        st = rn_error(RN_EFORMAT, "%s: 'deviation' without a number that it is of", place);
out:
    return st;
}

static rn_status check_model(const char *model, const char *what)
{
    rn_graph *graph = NULL;
    rn_status st = rn_graph_create(&graph, model, NULL);

    rn_graph_free(graph);
    return st == RN_EINVAL ? rn_error_prefix(RN_EFORMAT, "%s", what) : st;
}

static rn_status read_run(rn_target *target, const cJSON *object, const char *what)
{
    static const char *const keys[] = {"name", "model", "recipe", "settings", "panel", "paper"};
    rn_status st;
    rn_target_run *run = &target->runs[target->run_count];
    int twin;

    RN_TRY(rn_json_known_keys(object, keys, sizeof keys / sizeof *keys, what));
    RN_TRY(check_kind(target, object, what));
    RN_TRY(rn_target_text(object, "model", &run->model, what));
    run->name = run->model;
    RN_TRY(rn_json_text(object, "name", &run->name, what));
    RN_TRY(check_name(run->name, what));
    if (rn_target_find_run(&twin, target, run->name, what) == RN_OK) {
        st = rn_error(RN_EFORMAT, "%s: a second run named '%s'", what, run->name);
        goto out;
    }
    RN_TRY(check_model(run->model, what));
    RN_TRY(rn_json_text(object, "panel", &run->panel, what));
    RN_TRY(rn_json_text(target->json, "recipe", &run->recipe, what));
    RN_TRY(rn_json_text(object, "recipe", &run->recipe, what));
    if (run->recipe == NULL && !target->cost) {
        st = rn_error(RN_EFORMAT, "%s: 'recipe' is missing here and in the target", what);
        goto out;
    }
    RN_TRY(read_settings(&run->settings, object, what));
    RN_TRY(read_published(run, target, object, what));
    target->run_count++;
out:
    return st;
}

static rn_status read_runs(rn_target *target, const char *what)
{
    rn_status st;
    const cJSON *array, *item;
    char place[TARGET_WHAT];

    RN_TRY(rn_target_require(target->json, "runs", what));
    RN_TRY(rn_target_array(&array, target->json, "runs", what));
    int count = cJSON_GetArraySize(array);
    if (count < 1 || count > MOST_RUNS) {
        st = rn_error(RN_EFORMAT, "%s: %d runs, expected 1 to %d", what, count, MOST_RUNS);
        goto out;
    }
    RN_TRY(RN_NEW(&target->runs, (size_t)count));
    cJSON_ArrayForEach(item, array)
    {
        rn_target_place(place, what, "runs", target->run_count);
        RN_TRY(read_run(target, item, place));
    }
out:
    return st;
}

// Only networks made of units can have fewer of them.
static rn_status check_depth(const rn_target *target, const char *what)
{
    rn_status st = RN_OK;

    for (int i = 0; i < target->run_count; i++) {
        rn_spec spec;
        RN_TRY(rn_spec_parse(&spec, target->runs[i].model));
        if (spec.units.count == 0) {
            st = rn_error(RN_EFORMAT, "%s: 'depth' cannot be shrunk: '%s' is not made of units",
                          what, target->runs[i].model);
            goto out;
        }
    }
out:
    return st;
}

static rn_status read_scale_step(rn_target *target, const cJSON *object, const char *what)
{
    static const char *const keys[] = {"of", "least"};
    rn_status st;
    const char *of = NULL;
    rn_scale_step step = {.least = 1};

    RN_TRY(rn_json_known_keys(object, keys, 2, what));
    RN_TRY(rn_target_text(object, "of", &of, what));
    RN_TRY(rn_target_require(object, "least", what));
    RN_TRY(rn_json_double(object, "least", 1e-6, 1, &step.least, what));
    while (step.kind < RN_SCALES && strcmp(rn_scale_name(step.kind), of) != 0)
        step.kind++;
    if (step.kind == RN_SCALES) {
        st = rn_error(RN_EFORMAT, "%s: 'of' is '%s', expected iterations, data, depth or width",
                      what, of);
        goto out;
    }
    if (target->cost && (step.kind == RN_SCALE_ITERATIONS || step.kind == RN_SCALE_DATA)) {
        st = rn_error(RN_EFORMAT,
                      "%s: 'of' is '%s', expected depth or width in a target of kind 'cost'", what,
                      of);
        goto out;
    }
    for (int i = 0; i < target->scale_count; i++)
        if (target->scale[i].kind == step.kind) {
            st = rn_error(RN_EFORMAT, "%s: '%s' stands twice", what, of);
            goto out;
        }
    if (step.kind == RN_SCALE_DEPTH)
        RN_TRY(check_depth(target, what));
    target->scale[target->scale_count++] = step;
out:
    return st;
}

static rn_status read_scale(rn_target *target, const char *what)
{
    rn_status st;
    const cJSON *array, *item;
    char place[TARGET_WHAT];
    int index = 0;

    RN_TRY(rn_target_array(&array, target->json, "scale", what));
    cJSON_ArrayForEach(item, array)
    {
        rn_target_place(place, what, "scale", index++);
        RN_TRY(read_scale_step(target, item, place));
    }
out:
    return st;
}

static rn_status read_deviations(rn_target *target, const char *what)
{
    rn_status st;
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(target->json, "deviations"), *item;

    if (array == NULL)
        return RN_OK;
    if (!cJSON_IsArray(array))
        return rn_error(RN_EFORMAT, "%s: 'deviations' is not an array", what);
    RN_TRY(RN_NEW(&target->deviations, (size_t)cJSON_GetArraySize(array)));
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsString(item)) {
            st = rn_error(RN_EFORMAT, "%s: deviations[%d] is not a text", what,
                          target->deviation_count);
            goto out;
        }
        target->deviations[target->deviation_count++] = item->valuestring;
    }
out:
    return st;
}

// One of two words: the first if it is not said.
static rn_status read_either(const cJSON *json, const char *key, const char *const words[2],
                             bool *second, const char *what)
{
    rn_status st;
    const char *word = words[0];

    RN_TRY(rn_json_text(json, key, &word, what));
    *second = strcmp(word, words[1]) == 0;
    if (!*second && strcmp(word, words[0]) != 0)
        st = rn_error(RN_EFORMAT, "%s: '%s' is '%s', expected %s or %s", what, key, word, words[0],
                      words[1]);
out:
    return st;
}

static rn_status read_int(const cJSON *json, const char *key, int high, int *value,
                          const char *what)
{
    int64_t number = *value;
    rn_status st = rn_json_int64(json, key, 1, high, &number, what);

    *value = (int)number;
    return st;
}

static rn_status read_head(rn_target *target, const char *what)
{
    static const char *const statistics[] = {"mean", "median"};
    rn_status st;
    const cJSON *json = target->json;

    RN_TRY(rn_target_text(json, "name", &target->name, what));
    RN_TRY(check_name(target->name, what));
    RN_TRY(rn_target_text(json, "title", &target->title, what));
    RN_TRY(rn_target_text(json, "paper", &target->paper, what));
    RN_TRY(read_either(json, "kind", kinds, &target->cost, what));
    RN_TRY(check_kind(target, json, what));
    RN_TRY(rn_json_text(json, "needs", &target->needs, what));
    RN_TRY(rn_json_text(json, "source", &target->source, what));
    target->seeds = 1;
    target->evaluations = 100;
    target->batch = 32;
    RN_TRY(read_int(json, "seeds", RN_REPRODUCE_MOST_SEEDS, &target->seeds, what));
    RN_TRY(read_either(json, "statistic", statistics, &target->medians, what));
    RN_TRY(read_int(json, "evaluations", 100000, &target->evaluations, what));
    RN_TRY(read_int(json, "batch", 65536, &target->batch, what));
    RN_TRY(rn_json_bool(json, "responses", &target->responses, what));
    RN_TRY(rn_json_bool(json, "ten_crops", &target->ten_crops, what));
    RN_TRY(read_settings(&target->settings, json, what));
out:
    return st;
}

static rn_status read_target(rn_target *target, const char *what)
{
    static const char *const keys[] = {
        "name",     "title",     "paper",       "kind",  "needs",      "source",
        "seeds",    "statistic", "evaluations", "batch", "responses",  "recipe",
        "settings", "runs",      "claims",      "scale", "deviations", "ten_crops"};
    rn_status st;

    RN_TRY(rn_json_known_keys(target->json, keys, sizeof keys / sizeof *keys, what));
    RN_TRY(read_head(target, what));
    RN_TRY(read_runs(target, what));
    RN_TRY(rn_target_read_claims(target, what));
    RN_TRY(read_scale(target, what));
    RN_TRY(read_deviations(target, what));
out:
    return st;
}

rn_status rn_target_parse(rn_target **out, const char *json, const char *what)
{
    rn_status st;
    rn_target *target = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&target, 1));
    RN_TRY(rn_json_parse(&target->json, json, strlen(json), what));
    RN_TRY(read_target(target, what));
    *out = target;
    target = NULL; // now the caller's
out:
    rn_target_free(target);
    return st;
}

void rn_target_free(rn_target *target)
{
    if (target == NULL)
        return;
    for (int i = 0; i < target->claim_count; i++)
        rn_free(target->claims[i].runs);
    rn_free(target->claims);
    rn_free(target->runs);
    rn_free(target->deviations);
    cJSON_Delete(target->json);
    rn_free(target);
}
