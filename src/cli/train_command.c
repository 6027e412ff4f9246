#include "cli/train_job.h"

#include "cli/bad_images.h"
#include "cli/command.h"
#include "cli/dashboard_options.h"
#include "cli/model_file.h"
#include "cli/signals.h"
#include "cli/term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Of files beside the models that cannot be written: the training is worth more. It is said once,
// and tried again each time, as a full disk may have room again.
static void warn(cli_job *job, rn_status *first, rn_status st)
{
    if (st == RN_OK || *first != RN_OK)
        return;
    *first = st;
    cli_progress_clear(&job->progress);
    fflush(stdout);
    fprintf(stderr, "resnet: warning: %s\n", rn_error_message());
}

// Evaluations may come often: no more than one percent of the time goes into pictures of them.
static bool samples_due(const cli_job *job, const rn_event *event)
{
    enum { SHARE = 100 };

    return event->kind == RN_EVENT_EVALUATION && event->watched_count > 0 &&
           (event->iteration == event->iterations ||
            rn_clock() - job->samples.written >= SHARE * job->samples.cost);
}

static void write_samples(cli_job *job, const rn_event *event)
{
    double start = rn_clock();

    warn(job, &job->samples.status, rn_run_samples_write(job->folder, event, job->test));
    job->samples.written = rn_clock();
    job->samples.cost = job->samples.written - start;
}

// A log that can be written again says what it lacks.
static void note_lost_lines(cli_job *job, const rn_event *event)
{
    rn_event note = *event;
    char text[80];

    snprintf(text, sizeof text, "%llu line%s before this one could not be written to log.jsonl",
             (unsigned long long)job->log_lost, job->log_lost == 1 ? "" : "s");
    note.kind = RN_EVENT_NOTE;
    note.text = text;
    if (rn_run_log_write(job->log, &note) != RN_OK)
        return;
    job->log_lost = 0;
    cli_progress_event(&job->progress, &note);
}

static void write_log(cli_job *job, const rn_event *event)
{
    if (job->log_lost > 0)
        note_lost_lines(job, event);
    rn_status st = rn_run_log_write(job->log, event);
    job->log_lost += st != RN_OK;
    warn(job, &job->log_status, st);
}

// The weights that it starts from: a copy is trained.
static void drop_source(cli_job *job)
{
    cli_model_release(&job->from);
    job->from = (cli_model){0};
}

static void on_event(const rn_event *event, void *context)
{
    cli_job *job = context;

    if (event->kind == RN_EVENT_START)
        drop_source(job);
    if (samples_due(job, event)) // before the line: who reads that finds them
        write_samples(job, event);
    write_log(job, event);
    if (job->board != NULL)
        warn(job, &job->board_status, rn_tensorboard_write(job->board, event));
    cli_progress_event(&job->progress, event);
}

static void print_header(const cli_job *job)
{
    FILE *stream = job->progress.stream;
    const rn_recipe *recipe = &job->recipe;
    const rn_samples *train = job->train;

    if (job->progress.quiet && job->dashboard != NULL) {
        fprintf(stderr, "resnet: note: dashboard at ");
        cli_dashboard_print(stderr, job->args, job->dashboard);
    }
    if (job->progress.quiet)
        return;
    fprintf(stream, "%smodel%s   %s\n", cli_style(stream, CLI_BOLD), cli_style(stream, CLI_NORMAL),
            job->record.model);
    fprintf(stream, "%sdata%s    %s: %s ", cli_style(stream, CLI_BOLD),
            cli_style(stream, CLI_NORMAL), train->name, cli_count((int64_t)train->count).text);
    if (train->photos != NULL)
        fprintf(stream, "pictures, %d classes", train->classes);
    else
        fprintf(stream, "images, %dx%dx%d, %d classes", train->channels, train->height,
                train->width, train->classes);
    if (recipe->train_images > 0)
        fprintf(stream, "; trained on: %s", cli_count((int64_t)recipe->train_images).text);
    if (job->test != NULL)
        fprintf(stream, "; test: %s\n", cli_count((int64_t)job->test->count).text);
    else
        fprintf(stream, "; held out: %s\n", cli_count((int64_t)recipe->hold_out).text);
    fprintf(stream, "%srecipe%s  %s: ", cli_style(stream, CLI_BOLD), cli_style(stream, CLI_NORMAL),
            recipe->name);
    if (recipe->iterations > 0)
        fprintf(stream, "%s step%s", cli_count((int64_t)recipe->iterations).text,
                recipe->iterations == 1 ? "" : "s");
    else
        fprintf(stream, "%.6g epoch%s", recipe->epochs, recipe->epochs == 1 ? "" : "s");
    fprintf(stream, " of batch %d, lr %.4g (%s), seed %llu\n", recipe->batch, recipe->schedule.lr,
            rn_schedule_name(recipe->schedule.kind), (unsigned long long)recipe->seed);
    fprintf(stream, "%srun%s     %s  (%d thread%s)\n", cli_style(stream, CLI_BOLD),
            cli_style(stream, CLI_NORMAL), job->folder, rn_threads(), rn_threads() == 1 ? "" : "s");
    if (job->dashboard != NULL) {
        fprintf(stream, "%swatch%s   ", cli_style(stream, CLI_BOLD), cli_style(stream, CLI_NORMAL));
        cli_dashboard_print(stream, job->args, job->dashboard);
    }
    fputc('\n', stream);
    fflush(stream);
}

static rn_status print_json_result(const cli_job *job, const rn_train_result *result,
                                   const char *model)
{
    cJSON *json = cJSON_CreateObject();
    bool known = result->test_count > 0;

    cJSON_AddStringToObject(json, "folder", job->folder);
    cJSON_AddStringToObject(json, "model", model);
    cli_json_add(json, "iterations", (double)result->iterations);
    cli_json_add(json, "seconds", result->seconds);
    cli_json_add(json, "images_per_second", result->steps > 0 ? result->images_per_second : NAN);
    cli_json_add(json, "data_wait", result->steps > 0 ? result->data_wait : NAN);
    cli_json_add(json, "test_count", (double)result->test_count);
    cli_json_add(json, "test_wrong", (double)result->test_wrong);
    cli_json_add(json, "test_error",
                 known ? cli_percent(result->test_wrong, result->test_count) : NAN);
    cli_json_add(json, "test_loss", known ? result->test_loss : NAN);
    cli_json_add(json, "best_error", result->best_error);
    return cli_print_json(json);
}

static void print_next_steps(const char *model)
{
    printf("\nuse it:\n  resnet eval ");
    cli_print_quoted(stdout, model);
    printf("\n  resnet predict ");
    cli_print_quoted(stdout, model);
    printf(" IMAGE...\n");
}

static void print_accuracy(const cli_job *job, const rn_train_result *result)
{
    const char *set = job->test != NULL ? "test" : "validation";
    int64_t right = result->test_count - result->test_wrong;

    printf(
        "%s%s accuracy %.2f%%%s (%s of %s right), loss %.4f\nlowest %s error on the way %.2f%%\n",
        cli_style(stdout, CLI_BOLD), set, cli_percent(right, result->test_count),
        cli_style(stdout, CLI_NORMAL), cli_count(right).text, cli_count(result->test_count).text,
        result->test_loss, job->recipe.hold_out > 0 ? "validation" : "test", result->best_error);
}

static void print_speed(const cli_job *job, const rn_train_result *result)
{
    const char *gap = job->progress.quiet ? "" : "\n";
    const char *plural = result->iterations == 1 ? "" : "s";
    cli_number steps = cli_count((int64_t)result->iterations);

    if (result->steps == 0)
        printf("%salready complete: %s step%s\n", gap, steps.text, plural);
    else
        printf("%s%s step%s in %s, %.0f images/s, %.1f%% of the time waiting for data\n", gap,
               steps.text, plural, cli_duration(result->seconds).text, result->images_per_second,
               100 * result->data_wait);
}

static rn_status print_result(const cli_job *job, const rn_train_result *result)
{
    rn_status st;
    char *model = NULL;

    RN_TRY(cli_format(&model, "%s/model.safetensors", job->folder));
    if (cli_flag(job->args, "json")) {
        st = print_json_result(job, result, model);
        goto out;
    }
    print_speed(job, result);
    if (result->test_count > 0)
        print_accuracy(job, result);
    printf("model: %s\n", model);
    if (!job->progress.quiet)
        print_next_steps(model);
out:
    free(model);
    return st;
}

// On standard error: it may be all that is left if ^C has ended the reader of a pipe.
static void say_how_to_resume(const cli_job *job, const rn_train_result *result)
{
    fflush(stdout);
    fprintf(stderr,
            "stopped by %s after step %s; the state is saved\nto go on: resnet train --resume ",
            cli_signal_name(), cli_count((int64_t)result->iterations).text);
    cli_print_quoted(stderr, job->folder);
    fputc('\n', stderr);
}

// Where nobody says how often, slow steps are told of once a minute.
static double log_seconds(const cli_arguments *args)
{
    return cli_given(args, "log-every") ? 0 : 60;
}

static uint64_t gradients_every(const cli_arguments *args)
{
    enum { USUAL = 50 };

    if (!cli_given(args, "log-gradients"))
        return 0;
    if (*cli_text(args, "log-gradients") != '\0')
        return (uint64_t)cli_integer(args, "log-gradients");
    return cli_given(args, "log-every") ? (uint64_t)cli_integer(args, "log-every") : USUAL;
}

static rn_status train(cli_job *job)
{
    rn_status st;
    const cli_arguments *args = job->args;
    rn_train_result result = {0};
    rn_train_options options = cli_job_train_options(job);

    options.engine = cli_text(args, "engine");
    options.memory_limit = cli_size(args, "memory");
    options.workers = (int)cli_integer(args, "workers");
    options.bad_images = cli_bad_images(args);
    options.checkpoint_every = (uint64_t)cli_integer(args, "checkpoint-every");
    options.keep = (int)cli_integer(args, "keep");
    options.log_every = (uint64_t)cli_integer(args, "log-every");
    options.log_seconds = log_seconds(args);
    options.log_gradients = gradients_every(args);
    options.stop = cli_signals_catch();
    options.on_event = on_event;
    options.context = job;
    print_header(job);
    st = rn_train(&options, &result);
    cli_progress_clear(&job->progress);
    if (st == RN_EINTERRUPTED)
        say_how_to_resume(job, &result);
    if (st == RN_OK)
        st = print_result(job, &result);
    if (st == RN_OK && job->log_status != RN_OK)
        st = rn_error(job->log_status, "the training is complete, but '%s/log.jsonl' is not",
                      job->folder);
    if (st == RN_OK && job->board_status != RN_OK)
        st = rn_error(job->board_status,
                      "the training is complete, but its events for TensorBoard in '%s' are not",
                      job->folder);
    return st;
}

// The port is taken before anything is written: it may be in use.
static rn_status open_dashboard(cli_job *job)
{
    const cli_arguments *args = job->args;

    if (cli_given(args, "dashboard"))
        return cli_dashboard_open(&job->dashboard, args, cli_text(args, "dashboard-bind"),
                                  (int)cli_integer(args, "dashboard"));
    if (cli_given(args, "dashboard-bind") || cli_given(args, "dashboard-token"))
        return rn_error(RN_EINVAL, "'--dashboard-bind' and '--dashboard-token' need '--dashboard'");
    return RN_OK;
}

static rn_status run_train(const cli_arguments *given)
{
    rn_status st;
    cli_arguments args = *given;
    cli_job job = {.args = &args, .lock = -1};

    cli_progress_init(&job.progress, stdout, cli_flag(&args, "quiet") || cli_flag(&args, "json"));
    if (cli_given(&args, "resume"))
        RN_TRY(cli_job_resume(&job));
    else
        RN_TRY(cli_job_plan(&job));
    RN_TRY(rn_threads_set((int)cli_integer(&args, "threads")));
    RN_TRY(open_dashboard(&job));
    RN_TRY(cli_job_open_data(&job));
    RN_TRY(cli_job_open_folder(&job));
    if (job.dashboard != NULL)
        RN_TRY(rn_dashboard_start(job.dashboard, job.folder, false));
    st = train(&job);
    if (job.dashboard != NULL) {
        fflush(stdout);
        rn_dashboard_finish(job.dashboard, cli_signals_catch());
    }
out:
    cli_job_release(&job);
    return st;
}

const cli_command cli_train = {
    .name = "train",
    .usage = "MODEL",
    .summary = "train a network",
    .description =
        "Train a network and leave it, with checkpoints, log and recipe, in a run folder.\n\n"
        "MODEL is a name such as resnet-20, plain-56, preact-110, resnet-50, wrn-28-10 or vgg-16 "
        "('resnet summary' lists them), with what is to be different behind a colon: "
        "'resnet-110:path=exclusive-gate;gate-bias=-7'. What is computed is "
        "decided by the recipe: a built-in one or a file, with options laid over it. With --from "
        "the weights of a trained network are where it starts, and MODEL may be left out.\n\n"
        "^C (or SIGTERM) ends the step, saves and says how to go on; a run that was stopped, or "
        "killed, and resumed ends with the same weights, bit for bit, as one that never stopped.",
    .examples = "resnet train resnet-20\n"
                "resnet train resnet-20 --data data --recipe quick\n"
                "resnet train resnet-56 --data data --recipe paper-cifar -o r56\n"
                "resnet train --resume r56\n"
                "resnet train --from resnet18-f37072fd.pth --data photos --hold-out 100 \\\n"
                "    --epochs 10 --batch 32 --lr 0.01 --lr-head 10 --mixup 0 --out photos-18",
    .most = 1,
    .word = CLI_WORD_MODEL,
    .options = cli_train_options,
    .run = run_train,
};
