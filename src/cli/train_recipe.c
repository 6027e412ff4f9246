#include "cli/train_recipe.h"

#include "cli/command.h"
#include "cli/json_output.h"

#include <stdlib.h>
#include <string.h>

// The key of the option with this name ("lr-head": "head_lr"), else the name itself.
static const char *key_of(const cli_option *options, const char *name)
{
    int index = cli_option_find(options, name);

    return index >= 0 && options[index].key != NULL ? options[index].key : name;
}

// pair: "key=value"
static rn_status set_pair(rn_recipe *recipe, const cli_option *options, const char *pair)
{
    char key[64];
    size_t length = strcspn(pair, "=");

    if (length == 0 || pair[length] != '=' || length >= sizeof key)
        return rn_error(RN_EINVAL, "option '--set' expects KEY=VALUE, found '%s'", pair);
    memcpy(key, pair, length);
    key[length] = '\0';
    if (rn_recipe_set(recipe, key_of(options, key), pair + length + 1) != RN_OK)
        return rn_error(RN_EINVAL, "option '--set': %s", rn_error_message());
    return RN_OK;
}

rn_status cli_recipe_apply(rn_recipe *recipe, const cli_arguments *args)
{
    const cli_option *options = args->command->options;

    if (cli_option_find(options, "epochs") >= 0 && cli_given(args, "epochs") &&
        cli_given(args, "iterations"))
        return rn_error(RN_EINVAL, "'--epochs' and '--iterations' exclude each other");
    for (int i = 0; options[i].name != NULL; i++)
        if (options[i].key != NULL && args->values[i] != NULL &&
            rn_recipe_set(recipe, options[i].key, args->values[i]) != RN_OK)
            return rn_error(RN_EINVAL, "option '--%s': %s", options[i].name, rn_error_message());
    for (int i = 0; i < args->list_count; i++)
        if (set_pair(recipe, options, args->list[i]) != RN_OK)
            return RN_EINVAL;
    return rn_recipe_check(recipe);
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
