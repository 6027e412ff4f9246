#include "cli/run_folder.h"

#include "cli/json_output.h"
#include "cli/lock.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const char RECORD[] = "run.json";

bool cli_is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool cli_same_file(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

// The folder of a path, ending in a slash, so that only a folder answers to it; '*name' is the
// rest, a part of the path.
static char *split(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');

    *name = slash != NULL ? slash + 1 : path;
    return slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
}

bool cli_same_place(const char *a, const char *b)
{
    const char *first, *second;
    char *folder = split(a, &first), *other = split(b, &second);
    bool same = strcmp(first, second) == 0 && folder != NULL && other != NULL &&
                cli_same_file(folder, other);

    free(folder);
    free(other);
    return same || cli_same_file(a, b);
}

bool cli_ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);

    return length >= tail && strcasecmp(path + length - tail, ending) == 0;
}

rn_status cli_check_ending(const char *option, const char *path, const char *ending)
{
    return cli_ends_in(path, ending)
               ? RN_OK
               : rn_error(RN_EINVAL, "option '--%s' expects a name that ends in %s, found '%s'",
                          option, ending, path);
}

bool cli_is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

rn_status cli_check_writable(const char *path)
{
    rn_status st = RN_OK;
    const char *name;
    char *folder = split(path, &name);

    if (folder == NULL)
        return rn_error(RN_ENOMEM, "no memory for a path");
    if (access(path, F_OK) == 0 && !cli_is_file(path)) {
        st = rn_error(RN_EIO, "cannot write '%s': not a regular file", path);
    } else if (access(folder, W_OK | X_OK) != 0) {
        st = rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot write '%s': %s", path,
                      strerror(errno));
    }
    free(folder);
    return st;
}

rn_status cli_format(char **out, const char *fmt, ...)
{
    va_list values;
    int length;

    va_start(values, fmt);
    length = vasprintf(out, fmt, values);
    va_end(values);
    if (length >= 0)
        return RN_OK;
    *out = NULL;
    return rn_error(RN_ENOMEM, "no memory for a text");
}

// run.json

void cli_run_record_release(cli_run_record *record)
{
    free(record->command);
    free(record->model);
    free(record->source);
    free(record->data_name);
    free(record->options);
    *record = (cli_run_record){0};
}

static rn_status copy_member(char **out, const cJSON *json, const char *key, const char *folder)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    if (!cJSON_IsString(item))
        return rn_error(RN_EFORMAT, "'%s/%s': '%s' expected as text, found %s", folder, RECORD, key,
                        item == NULL ? "nothing" : "something else");
    return cli_format(out, "%s", item->valuestring);
}

rn_status cli_run_record_read(cli_run_record *record, const char *folder)
{
    rn_status st;
    char *text = NULL;
    cJSON *json = NULL;

    *record = (cli_run_record){0};
    RN_TRY(rn_run_folder_read(&text, folder, RECORD));
    json = cJSON_Parse(text);
    if (!cJSON_IsObject(json)) {
        st = rn_error(RN_EFORMAT, "'%s/%s' is damaged: no JSON object", folder, RECORD);
        goto out;
    }
    RN_TRY(copy_member(&record->model, json, "model", folder));
    RN_TRY(copy_member(&record->source, json, "data", folder));
    RN_TRY(copy_member(&record->data_name, json, "data_name", folder));
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(json, "data_count");
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(json, "options");
    const cJSON *command = cJSON_GetObjectItemCaseSensitive(json, "command");
    if (cJSON_IsNumber(count) && count->valuedouble >= 0)
        record->data_count = (uint64_t)count->valuedouble;
    if (cJSON_IsString(command))
        RN_TRY(cli_format(&record->command, "%s", command->valuestring));
    if (cJSON_IsObject(options))
        RN_TRY(cli_json_text(&record->options, cJSON_Duplicate(options, true)));
out:
    if (st != RN_OK)
        cli_run_record_release(record);
    cJSON_Delete(json);
    rn_text_free(text);
    return st;
}

rn_status cli_run_record_write(const cli_run_record *record, const char *folder)
{
    rn_status st;
    char *text = NULL, *line = NULL;
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "program", "resnet " RN_VERSION);
    if (record->command != NULL)
        cJSON_AddStringToObject(json, "command", record->command);
    cJSON_AddStringToObject(json, "model", record->model);
    cJSON_AddStringToObject(json, "data", record->source);
    cJSON_AddStringToObject(json, "data_name", record->data_name);
    cJSON_AddNumberToObject(json, "data_count", (double)record->data_count);
    cJSON_AddItemToObject(json, "options",
                          cJSON_Parse(record->options != NULL ? record->options : "{}"));
    RN_TRY(cli_json_text(&text, json));
    RN_TRY(cli_format(&line, "%s\n", text));
    RN_TRY(rn_run_folder_write(folder, RECORD, line));
out:
    free(line);
    free(text);
    return st;
}

// The folder

static bool is_run_file(const char *name)
{
    static const char *const patterns[] = {
        "checkpoint-*.safetensors", "best.safetensors", "model.safetensors", "log.jsonl",
        "events.out.tfevents.*",    "responses.json",   "recipe.json",       "environment.json",
        "environment-*.json",       "samples.json",     "run.json"};

    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

bool cli_run_exists(const char *folder)
{
    DIR *directory = opendir(folder);
    bool found = false;

    if (directory == NULL)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(directory)) != NULL;)
        found = is_run_file(entry->d_name);
    closedir(directory);
    return found;
}

bool cli_run_owns(const char *folder, const char *path)
{
    char *file = realpath(path, NULL), *place = realpath(folder, NULL);
    char *slash = file != NULL ? strrchr(file, '/') : NULL;
    bool owns = false;

    if (slash != NULL && place != NULL) {
        *slash = '\0';
        owns = strcmp(file, place) == 0 && is_run_file(slash + 1);
    }
    free(file);
    free(place);
    return owns;
}

rn_status cli_run_clear(const char *folder)
{
    DIR *directory = opendir(folder);
    rn_status st = RN_OK;

    if (directory == NULL)
        return errno == ENOENT ? RN_OK : rn_error(RN_EIO, "'%s': %s", folder, strerror(errno));
    for (struct dirent *entry; st == RN_OK && (entry = readdir(directory)) != NULL;)
        if (is_run_file(entry->d_name) && unlinkat(dirfd(directory), entry->d_name, 0) != 0)
            st = rn_error(RN_EIO, "'%s/%s': %s", folder, entry->d_name, strerror(errno));
    closedir(directory);
    return st;
}

rn_status cli_run_lock(int *lock, const char *folder)
{
    rn_status st;
    char *path = NULL;

    *lock = -1;
    RN_TRY(rn_run_folder_create(folder));
    RN_TRY(cli_format(&path, "%s/train.lock", folder));
    RN_TRY(cli_lock_file(lock, path, false));
    if (*lock < 0)
        st = rn_error(RN_EIO, "another process trains in '%s'", folder);
out:
    free(path);
    return st;
}

// Letters, digits, '.' and '-' stay; a recipe's path is cut to its file's bare name.
static void make_plain(char *text)
{
    for (; *text != '\0'; text++)
        *text = isalnum((unsigned char)*text) || *text == '.' ? (char)tolower((unsigned char)*text)
                                                              : '-';
}

rn_status cli_run_name(char **out, const char *model, const char *data_name, const char *recipe)
{
    rn_status st;
    char *name = NULL, *path = NULL;
    const char *slash = strrchr(recipe, '/');
    int data_length = (int)strcspn(data_name, " ");

    *out = NULL;
    recipe = slash != NULL ? slash + 1 : recipe;
    RN_TRY(cli_format(&name, "%s-%.*s-%.*s", model, data_length, data_name,
                      (int)strcspn(recipe, "."), recipe));
    if (strncasecmp(data_name, recipe, strlen(recipe)) == 0) // "shapes-shapes" says it twice
        name[strlen(model) + 1 + (size_t)data_length] = '\0';
    make_plain(name);
    RN_TRY(cli_format(&path, "runs/%s", name));
    for (int number = 2; access(path, F_OK) == 0; number++) {
        free(path);
        RN_TRY(cli_format(&path, "runs/%s-%d", name, number));
    }
    *out = path;
    path = NULL;
out:
    free(path);
    free(name);
    return st;
}

bool cli_source_is_generated(const char *source)
{
    return strcspn(source, ":") == strlen("shapes") && strncmp(source, "shapes", 6) == 0;
}

rn_status cli_source_absolute(char **out, const char *source)
{
    char folder[4096];

    *out = NULL;
    if (*source == '/' || cli_source_is_generated(source))
        return cli_format(out, "%s", source);
    if (getcwd(folder, sizeof folder) == NULL)
        return rn_error(RN_EIO, "the working folder: %s", strerror(errno));
    return cli_format(out, "%s/%s", folder, source);
}

// Model files

static rn_status newest_checkpoint(char **out, const char *folder)
{
    rn_status st;
    rn_checkpoint *checkpoint = NULL;
    char *path = NULL;
    int skipped;

    RN_TRY(rn_checkpoint_load_newest(&checkpoint, &path, &skipped, folder));
    RN_TRY(cli_format(out, "%s", path));
out:
    rn_checkpoint_free(checkpoint);
    rn_text_free(path);
    return st;
}

rn_status cli_model_path(char **out, const char *argument)
{
    rn_status st;

    *out = NULL;
    if (!cli_is_folder(argument))
        return cli_format(out, "%s", argument);
    st = cli_format(out, "%s/model.safetensors", argument);
    if (st != RN_OK || cli_is_file(*out))
        return st;
    free(*out);
    *out = NULL;
    return newest_checkpoint(out, argument);
}

bool cli_recorded_run(cli_run_record *record, const char *argument)
{
    char *copy = strdup(argument);
    const char *folder = copy == NULL || cli_is_folder(argument) ? copy : dirname(copy);
    bool found = folder != NULL && cli_run_record_read(record, folder) == RN_OK;

    free(copy);
    return found;
}

rn_status cli_choose_source(char **out, const cli_arguments *args, const char *word,
                            const char *why)
{
    cli_run_record record;

    if (cli_given(args, "data"))
        return cli_format(out, "%s", cli_text(args, "data"));
    *out = NULL;
    if (!cli_recorded_run(&record, word))
        return rn_error(RN_EINVAL, "no run.json beside '%s': '--data' must say what %s", word, why);
    *out = record.source;
    record.source = NULL; // now the caller's
    cli_run_record_release(&record);
    return RN_OK;
}
