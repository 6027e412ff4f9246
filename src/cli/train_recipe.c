#include "cli/train_recipe.h"

#include "cli/command.h"
#include "cli/json_output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The key of the option with this name ("lr-head": "head_lr"), else the name itself.
static const char *key_of(const cli_option *options, const char *name)
{
    int index = cli_option_find(options, name);

    return index >= 0 && options[index].key != NULL ? options[index].key : name;
}

enum { KEY_BYTES = 64 };

// pair: "key=value"
static rn_status read_key(char key[KEY_BYTES], const cli_option *options, const char *pair)
{
    size_t length = strcspn(pair, "=");

    if (length == 0 || pair[length] != '=' || length >= KEY_BYTES)
        return rn_error(RN_EINVAL, "option '--set' expects KEY=VALUE, found '%s'", pair);
    memcpy(key, pair, length);
    key[length] = '\0';
    const char *name = key_of(options, key);
    if (name != key)
        snprintf(key, KEY_BYTES, "%s", name);
    return RN_OK;
}

static const char *value_of(const char *pair)
{
    return strchr(pair, '=') + 1;
}

static bool is_length(const char *key)
{
    return strcmp(key, "epochs") == 0 || strcmp(key, "iterations") == 0;
}

// Both set one thing to different values.
static bool disagree(const char *key, const char *value, const char *other, const char *other_value)
{
    if (strcmp(key, other) == 0)
        return strcmp(value, other_value) != 0;
    return is_length(key) && is_length(other);
}

// What is given twice, with two values, is a mistake: which of them is meant?
static rn_status refuse_two_values(const cli_arguments *args, int index, const char *key)
{
    const cli_option *options = args->command->options;
    const char *pair = args->list[index];
    char other[KEY_BYTES];

    for (int i = 0; options[i].name != NULL; i++)
        if (options[i].key != NULL && args->values[i] != NULL &&
            disagree(key, value_of(pair), options[i].key, args->values[i]))
            return rn_error(RN_EINVAL, "'--%s' and '--set %s' set the same", options[i].name, pair);
    for (int i = 0; i < index; i++) {
        rn_status st = read_key(other, options, args->list[i]);
        if (st != RN_OK)
            return st;
        if (disagree(key, value_of(pair), other, value_of(args->list[i])))
            return rn_error(RN_EINVAL, "'--set %s' and '--set %s' set the same", args->list[i],
                            pair);
    }
    return RN_OK;
}

static rn_status set_pair(rn_recipe *recipe, const cli_arguments *args, int index)
{
    rn_status st;
    char key[KEY_BYTES];

    RN_TRY(read_key(key, args->command->options, args->list[index]));
    RN_TRY(refuse_two_values(args, index, key));
    if (rn_recipe_set(recipe, key, value_of(args->list[index])) != RN_OK)
        return rn_error(RN_EINVAL, "option '--set': %s", rn_error_message());
out:
    return st;
}

static rn_status refuse_unused(const rn_recipe *recipe, const char *key, const char *given)
{
    const char *needs = rn_recipe_unused(recipe, key);

    return needs == NULL
               ? RN_OK
               : rn_error(RN_EINVAL, "'%s' would change nothing: it needs %s", given, needs);
}

// What was asked for must count; what a recipe's file has may wait for it.
static rn_status check_use(const rn_recipe *recipe, const cli_arguments *args)
{
    rn_status st = RN_OK;
    const cli_option *options = args->command->options;
    char key[KEY_BYTES], given[KEY_BYTES];

    for (int i = 0; options[i].name != NULL; i++) {
        if (options[i].key == NULL || args->values[i] == NULL)
            continue;
        snprintf(given, sizeof given, "--%s", options[i].name);
        RN_TRY(refuse_unused(recipe, options[i].key, given));
    }
    for (int i = 0; i < args->list_count; i++) {
        RN_TRY(read_key(key, options, args->list[i]));
        RN_TRY(refuse_unused(recipe, key, args->list[i]));
    }
out:
    return st;
}

rn_status cli_recipe_apply(rn_recipe *recipe, const cli_arguments *args)
{
    rn_status st = RN_OK;
    const cli_option *options = args->command->options;

    if (cli_option_find(options, "epochs") >= 0 && cli_given(args, "epochs") &&
        cli_given(args, "iterations"))
        return rn_error(RN_EINVAL, "'--epochs' and '--iterations' exclude each other");
    for (int i = 0; options[i].name != NULL; i++)
        if (options[i].key != NULL && args->values[i] != NULL &&
            rn_recipe_set(recipe, options[i].key, args->values[i]) != RN_OK)
            return rn_error(RN_EINVAL, "option '--%s': %s", options[i].name, rn_error_message());
    for (int i = 0; i < args->list_count; i++)
        RN_TRY(set_pair(recipe, args, i));
    RN_TRY(rn_recipe_check(recipe));
    st = check_use(recipe, args);
out:
    return st;
}

static rn_status load(rn_recipe *recipe, const char *name)
{
    rn_status st = rn_recipe_load(recipe, name);
    bool is_path = strchr(name, '/') != NULL || strstr(name, ".json") != NULL;

    return st == RN_ENOTFOUND && !is_path ? RN_EINVAL : st; // a name misspelt, no file missing
}

rn_status cli_recipe_named(rn_recipe *recipe, const cli_arguments *args, const char *name)
{
    rn_status st = load(recipe, name);

    return st == RN_OK ? cli_recipe_apply(recipe, args) : st;
}

rn_status cli_recipe_choose(rn_recipe *recipe, const cli_arguments *args, const char *model)
{
    const char *name = cli_text(args, "recipe");

    if (name == NULL)
        name = rn_recipe_default(model, cli_text(args, "data"));
    return cli_recipe_named(recipe, args, name);
}

static rn_status report_difference(const cJSON *was, const cJSON *asked)
{
    char *before = was != NULL ? cJSON_PrintUnformatted(was) : NULL;
    char *now = cJSON_PrintUnformatted(asked);
    rn_status st =
        rn_error(RN_EINVAL,
                 "the run's '%s' is %s, but %s is asked for; a resumed run keeps its "
                 "recipe",
                 asked->string, before != NULL ? before : "absent", now != NULL ? now : "another");

    free(before);
    free(now);
    return st;
}

static rn_status compare(const char *was_text, const char *asked_text)
{
    cJSON *was = cJSON_Parse(was_text), *asked = cJSON_Parse(asked_text);
    const cJSON *item;
    rn_status st = RN_OK;

    cJSON_ArrayForEach(item, asked)
    {
        const cJSON *other = cJSON_GetObjectItemCaseSensitive(was, item->string);
        if (st == RN_OK && !cJSON_Compare(item, other, true))
            st = report_difference(other, item);
    }
    cJSON_Delete(was);
    cJSON_Delete(asked);
    return st;
}

rn_status cli_recipe_agree(const rn_recipe *recipe, const cli_arguments *args)
{
    rn_status st;
    rn_recipe asked = *recipe;
    char *was_text = NULL, *asked_text = NULL;

    if (cli_given(args, "recipe"))
        RN_TRY(load(&asked, cli_text(args, "recipe")));
    RN_TRY(cli_recipe_apply(&asked, args));
    RN_TRY(rn_recipe_print(&was_text, recipe));
    RN_TRY(rn_recipe_print(&asked_text, &asked));
    RN_TRY(compare(was_text, asked_text));
out:
    rn_text_free(was_text);
    rn_text_free(asked_text);
    return st;
}
