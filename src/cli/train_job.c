#include "cli/train_job.h"
#include "cli/command.h"
#include "cli/step_plan.h"
#include "cli/train_recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cli_job_release(cli_job *job)
{
    rn_dashboard_free(job->dashboard);
    rn_tensorboard_close(job->board);
    rn_run_log_close(job->log);
    rn_samples_free(job->test);
    rn_samples_free(job->train);
    cli_run_record_release(&job->record);
    cJSON_Delete(job->recorded_options);
    rn_checkpoint_free(job->checkpoint);
    cli_model_release(&job->from);
    free(job->from_path);
    free(job->from_name);
    free(job->folder);
    if (job->lock >= 0)
        close(job->lock);
}

rn_train_options cli_job_train_options(const cli_job *job)
{
    return (rn_train_options){
        .model = job->record.model,
        .model_options = job->network,
        .from = job->from.checkpoint,
        .from_name = job->from_name,
        .recipe = &job->recipe,
        .train = job->train,
        .test = job->test,
        .folder = job->folder,
        .resume = job->resume,
        .evaluate_every = cli_real(job->args, "evaluate-every"),
    };
}

// --shortcut KIND is the spec's key of that name.
static rn_status add_shortcut(char **out, const char *model, const char *shortcut)
{
    if (shortcut == NULL)
        return cli_format(out, "%s", model);
    return cli_format(out, "%s%cshortcut=%s", model, strchr(model, ':') == NULL ? ':' : ';',
                      shortcut);
}

// The model's canonical spec: checks the name before any data are read.
static rn_status canonical_model(char **out, const char *model, const char *shortcut)
{
    rn_status st;
    rn_graph *graph = NULL;
    char *spec = NULL;

    *out = NULL;
    RN_TRY(add_shortcut(&spec, model, shortcut));
    RN_TRY(rn_graph_create(&graph, spec, NULL));
    RN_TRY(cli_format(out, "%s", rn_graph_model(graph)));
out:
    rn_graph_free(graph);
    free(spec);
    return st;
}

// The options besides recipe, model and folder that a resumed run takes over.
static bool is_recorded(const cli_option *option)
{
    static const char *const names[] = {
        "threads",        "workers",   "engine",        "memory",      "keep", "checkpoint-every",
        "evaluate-every", "log-every", "log-gradients", "tensorboard", "from", "classes",
        "input",          "bad-images"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], option->name) == 0)
            return true;
    return false;
}

static rn_status check_folder(const cli_job *job, const char *out)
{
    if (cli_run_exists(out) && !cli_flag(job->args, "force"))
        return rn_error(RN_EINVAL,
                        "'%s' already holds a run: go on with it by --resume, start anew by "
                        "--force, or choose another folder",
                        out);
    if (job->from_path != NULL && cli_run_owns(out, job->from_path))
        return rn_error(RN_EINVAL,
                        "'--force' would delete '%s', which '--from' starts from: choose another "
                        "folder",
                        job->from.path);
    return RN_OK;
}

// The command line in force, as what the run began with.
static rn_status record_command(cli_job *job)
{
    const cli_option *options = job->args->command->options;
    cJSON *json = cJSON_CreateObject();
    rn_status st;

    for (int i = 0; options[i].name != NULL; i++)
        if (is_recorded(&options[i]) && job->args->values[i] != NULL)
            cJSON_AddStringToObject(json, options[i].name, job->args->values[i]);
    RN_TRY(cli_json_text(&job->record.options, json));
    st = cli_format(&job->record.command, "%s", job->args->line);
out:
    return st;
}

rn_status cli_job_plan(cli_job *job)
{
    rn_status st;
    const cli_arguments *args = job->args;
    const char *out = cli_text(args, "out");

    if (args->word_count == 0 && !cli_given(args, "from"))
        return rn_error(RN_EINVAL, "'resnet train' expects MODEL, for example resnet-20");
    RN_TRY(cli_job_read_network(job));
    RN_TRY(canonical_model(&job->record.model,
                           args->word_count > 0 ? args->words[0] : job->from.checkpoint->model,
                           cli_text(args, "shortcut")));
    RN_TRY(cli_recipe_choose(&job->recipe, args, job->record.model));
    RN_TRY(cli_job_fit_recipe(job));
    RN_TRY(cli_source_absolute(&job->record.source, cli_text(args, "data")));
    RN_TRY(record_command(job));
    if (out == NULL)
        goto out;
    RN_TRY(check_folder(job, out));
    RN_TRY(cli_format(&job->folder, "%s", out));
out:
    return st;
}

// Resuming

static rn_status resumed_folder(cli_job *job)
{
    const char *folder = cli_text(job->args, "resume"), *out = cli_text(job->args, "out");

    if (*folder == '\0')
        folder = out;
    if (folder == NULL)
        return rn_error(RN_EINVAL, "option '--resume' expects FOLDER, here or as --out FOLDER");
    if (out != NULL && strcmp(out, folder) != 0)
        return rn_error(RN_EINVAL, "'--resume %s' and '--out %s' name two folders", folder, out);
    if (cli_flag(job->args, "force"))
        return rn_error(RN_EINVAL, "'--resume' and '--force' exclude each other");
    if (!cli_is_folder(folder))
        return rn_error(RN_ENOTFOUND, "no folder '%s' to resume from", folder);
    if (!cli_run_exists(folder))
        return rn_error(RN_ENOTFOUND, "'%s' holds no run to resume", folder);
    return cli_format(&job->folder, "%s", folder);
}

// A network in training is what it is.
static rn_status refuse_network_options(const cli_arguments *args)
{
    static const char *const names[] = {"from", "classes", "input"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (cli_given(args, names[i]))
            return rn_error(RN_EINVAL, "'--resume' and '--%s' exclude each other", names[i]);
    return RN_OK;
}

// The recorded options stand in for those that were not given now.
static rn_status take_recorded_options(cli_job *job)
{
    const cJSON *item;

    job->recorded_options = cJSON_Parse(job->record.options);
    cJSON_ArrayForEach(item, job->recorded_options)
    {
        const cli_option *options = job->args->command->options;
        int index = cli_option_find(options, item->string);
        if (index < 0 || !is_recorded(&options[index]) || !cJSON_IsString(item) ||
            cli_option_check(&options[index], item->valuestring) != RN_OK)
            return rn_error(RN_EFORMAT, "'%s/run.json': option '%s' is damaged", job->folder,
                            item->string);
        if (job->args->values[index] == NULL)
            job->args->values[index] = item->valuestring;
    }
    return RN_OK;
}

// Models that a training from the start would replace.
static rn_status find_models(bool *found, const char *folder)
{
    static const char *const names[] = {"best.safetensors", "model.safetensors"};
    rn_status st = RN_OK;

    *found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && st == RN_OK; i++) {
        char *path = NULL;
        st = cli_format(&path, "%s/%s", folder, names[i]);
        *found = *found || (st == RN_OK && cli_is_file(path));
        free(path);
    }
    return st;
}

// What a run killed before its first checkpoint left: it starts again.
static rn_status restart(cli_job *job)
{
    rn_status st;
    bool has_models;
    char *path = NULL;

    if (job->record.model == NULL)
        return rn_error(RN_ENOTFOUND, "'%s' holds no run to resume", job->folder);
    RN_TRY(find_models(&has_models, job->folder));
    if (has_models)
        return rn_error(RN_ENOTFOUND,
                        "'%s' holds a trained model, but no checkpoint to go on from: --force "
                        "instead of --resume begins anew",
                        job->folder);
    RN_TRY(cli_format(&path, "%s/recipe.json", job->folder));
    RN_TRY(rn_recipe_load(&job->recipe, path));
out:
    free(path);
    return st;
}

static rn_status load_state(cli_job *job)
{
    rn_status st;
    char *path = NULL;
    int skipped = 0;

    st = rn_checkpoint_load_newest(&job->checkpoint, &path, &skipped, job->folder);
    if (st == RN_ENOTFOUND)
        return restart(job);
    if (st != RN_OK)
        return st;
    job->resume = true;
    if (job->checkpoint->recipe == NULL)
        st = rn_error(RN_EFORMAT, "'%s' has no recipe to go on with", path);
    else
        st = rn_recipe_load(&job->recipe, "paper-cifar");
    if (st == RN_OK)
        st = rn_recipe_parse(&job->recipe, job->checkpoint->recipe, path);
    rn_text_free(path);
    return st;
}

// The record and the checkpoint must be of one run; then the command line may name its model, too.
static rn_status check_model(const cli_job *job)
{
    rn_status st;
    const cli_arguments *args = job->args;
    const char *run_model = job->record.model;
    char *model = NULL;

    if (job->checkpoint != NULL && strcmp(job->checkpoint->model, run_model) != 0)
        return rn_error(RN_EFORMAT,
                        "'%s' holds two runs: run.json is of '%s', the checkpoint of "
                        "'%s'",
                        job->folder, run_model, job->checkpoint->model);
    if (args->word_count == 0 && !cli_given(args, "shortcut"))
        return RN_OK;
    RN_TRY(canonical_model(&model, args->word_count > 0 ? args->words[0] : run_model,
                           cli_text(args, "shortcut")));
    if (strcmp(model, run_model) != 0)
        st = rn_error(RN_EINVAL, "model '%s' is asked for, but the run in '%s' trains '%s'", model,
                      job->folder, run_model);
out:
    free(model);
    return st;
}

rn_status cli_job_resume(cli_job *job)
{
    rn_status st;

    RN_TRY(resumed_folder(job));
    RN_TRY(refuse_network_options(job->args));
    RN_TRY(cli_run_lock(&job->lock, job->folder)); // what is read stays as it is
    st = cli_run_record_read(&job->record, job->folder);
    if (st != RN_OK && st != RN_ENOTFOUND) // without the record, the command line must say it all
        goto out;
    if (job->record.options != NULL)
        RN_TRY(take_recorded_options(job));
    RN_TRY(load_state(job));
    if (job->checkpoint == NULL)
        RN_TRY(cli_job_read_network(job));
    if (job->checkpoint != NULL && job->record.model == NULL)
        RN_TRY(cli_format(&job->record.model, "%s", job->checkpoint->model));
    RN_TRY(check_model(job));
    RN_TRY(cli_recipe_agree(&job->recipe, job->args));
    if (job->record.source == NULL && !cli_given(job->args, "data")) {
        st = rn_error(RN_EINVAL, "'%s' has no run.json, so '--data' must say what to train on",
                      job->folder);
        goto out;
    }
    if (cli_given(job->args, "data")) {
        free(job->record.source);
        RN_TRY(cli_source_absolute(&job->record.source, cli_text(job->args, "data")));
    }
    if (job->record.options == NULL)
        RN_TRY(record_command(job));
out:
    return st;
}

// Data and folder

static rn_status note_no_test(const cli_job *job)
{
    if (job->train->photos == NULL) // a file of two may be missing
        fprintf(stderr, "resnet: note: %s: what is held out is all that is evaluated\n",
                rn_error_message());
    return RN_OK;
}

// Pictures that are trained on say little of others: a source without splits is no test set where
// some of it are held out, and a note where not. Held-out pictures can do without a test set.
static rn_status open_test(cli_job *job)
{
    const char *source = job->record.source;
    const bool held = job->recipe.hold_out > 0;
    rn_status st = rn_data_open(&job->test, source, RN_SPLIT_TEST);

    if (st == RN_ENOTFOUND && held)
        return note_no_test(job);
    if (st == RN_ENOTFOUND)
        return rn_error(st, "%s; '--hold-out N' sets some of the training pictures aside instead",
                        rn_error_message());
    if (st != RN_OK || !rn_samples_same(job->train, job->test))
        return st;
    if (held) {
        rn_samples_free(job->test);
        job->test = NULL;
    }
    fprintf(stderr, "resnet: note: '%s' has no splits: %s\n", job->train->name,
            held ? "what is held out is all that is evaluated"
                 : "it is evaluated on the pictures that it is trained on; '--hold-out N' sets "
                   "some aside");
    return RN_OK;
}

rn_status cli_job_open_data(cli_job *job)
{
    rn_status st;
    cli_run_record *record = &job->record;

    RN_TRY(rn_data_open(&job->train, record->source, RN_SPLIT_TRAIN));
    RN_TRY(open_test(job));
    const rn_train_options options = cli_job_train_options(job);
    if (options.from != NULL)
        RN_TRY(rn_finetune_check(&options));
    if (!job->resume)
        RN_TRY(rn_progressive_check(&options));
    if (record->data_name == NULL || job->checkpoint != NULL) { // which knows the data by a sum
        free(record->data_name);
        record->data_count = job->train->count;
        RN_TRY(cli_format(&record->data_name, "%s", job->train->name));
    } else if (strcmp(record->data_name, job->train->name) != 0 ||
               record->data_count != job->train->count) {
        st = rn_error(RN_EINVAL,
                      "'%s' has %zu images of %s, but the run in '%s' trains on %llu of %s",
                      record->source, job->train->count, job->train->name, job->folder,
                      (unsigned long long)record->data_count, record->data_name);
        goto out;
    }
    RN_TRY(rn_train_check(&options, job->checkpoint));
out:
    return st;
}

// A step of a training to resume: what else the limit covers rn_train() adds up.
static rn_status check_resumed_step(const cli_job *job, rn_engine *engine)
{
    rn_status st = RN_OK;
    rn_graph *graph = NULL;
    rn_plan *plan = NULL;
    const rn_plan_options step = {.batch = job->recipe.batch,
                                  .dtype = job->recipe.dtype,
                                  .training = true,
                                  .freeze = job->recipe.freeze_until};

    RN_TRY(rn_graph_create(&graph, job->record.model, &job->checkpoint->options));
    RN_TRY(cli_step_plan(&plan, graph, engine, step, NULL, cli_size(job->args, "memory")));
out:
    rn_plan_free(plan);
    rn_graph_free(graph);
    return st;
}

// A limit that is too low, and an op that there is not of that type, are found before anything is
// deleted or written.
static rn_status check_memory(const cli_job *job, rn_engine *engine)
{
    rn_train_options options = cli_job_train_options(job);

    if (!cli_given(job->args, "memory") && job->recipe.dtype == RN_FLOAT32)
        return RN_OK;
    if (job->checkpoint != NULL)
        return check_resumed_step(job, engine);
    options.engine = cli_text(job->args, "engine");
    options.memory_limit = cli_size(job->args, "memory");
    return rn_train_check_memory(&options);
}

rn_status cli_job_open_folder(cli_job *job)
{
    rn_status st;
    rn_engine *engine = NULL;
    bool anew = !cli_given(job->args, "resume");

    RN_TRY(rn_engine_create(&engine, cli_text(job->args, "engine")));
    RN_TRY(check_memory(job, engine));
    if (job->folder == NULL)
        RN_TRY(
            cli_run_name(&job->folder, job->record.model, job->record.data_name, job->recipe.name));
    if (job->lock < 0)
        RN_TRY(cli_run_lock(&job->lock, job->folder));
    if (anew) // another training may have ended there while data were read
        RN_TRY(check_folder(job, job->folder));
    if (anew && cli_flag(job->args, "force"))
        RN_TRY(cli_run_clear(job->folder));
    RN_TRY(rn_run_folder_describe(job->folder, &job->recipe, engine));
    if (anew || cli_given(job->args, "data")) // the last that --resume needs
        RN_TRY(cli_run_record_write(&job->record, job->folder));
    RN_TRY(rn_run_log_open(&job->log, job->folder));
    if (cli_flag(job->args, "tensorboard"))
        RN_TRY(rn_tensorboard_open(&job->board, job->folder, &job->recipe));
    rn_checkpoint_free(job->checkpoint); // the training loads its own
    job->checkpoint = NULL;
out:
    rn_engine_free(engine);
    return st;
}
