// From a target to its results: what 'reproduce' and 'study' have in common.
#include "cli/reproduce_run.h"

#include "cli/lock.h"
#include "cli/reproduce_jobs.h"
#include "cli/reproduce_plan.h"
#include "cli/run_folder.h"
#include "cli/signals.h"
#include "cli/term.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool holds_plan(const char *folder)
{
    char *path = NULL;
    bool holds = cli_format(&path, "%s/plan.json", folder) == RN_OK && cli_is_file(path);

    free(path);
    return holds;
}

rn_status cli_reproduction_find(cli_reproduction *c, const char *word, const char *out,
                                const char *parent)
{
    if (!holds_plan(word)) {
        const rn_status st = cli_reproduction_begin(c, word, out, parent);
        if (c->target == NULL && st != RN_ENOMEM && cli_is_folder(word))
            return rn_error(RN_ENOTFOUND,
                            "folder '%s' holds no plan.json: expected one in which 'resnet "
                            "reproduce' has begun, or a target",
                            word);
        return st;
    }
    if (out != NULL && strcmp(out, word) != 0)
        return rn_error(RN_EINVAL, "'%s' and '--out %s' name two folders", word, out);
    c->word = word;
    return cli_format(&c->folder, "%s", word);
}

rn_status cli_reproduction_begin(cli_reproduction *c, const char *word, const char *out,
                                 const char *parent)
{
    rn_status st;

    c->word = word;
    st = rn_target_load(&c->target, word);
    if (st == RN_ENOTFOUND && strchr(word, '/') == NULL && strstr(word, ".json") == NULL)
        return RN_EINVAL; // a name misspelt, no file missing
    if (st != RN_OK)
        return st;
    if (out != NULL)
        return cli_format(&c->folder, "%s", out);
    return cli_format(&c->folder, "%s/%s", parent, c->target->name);
}

static rn_status read_budget(cli_reproduction *c, const char *text)
{
    if (text != NULL && !rn_duration_parse(text, &c->budget))
        return rn_error(RN_EINVAL,
                        "option '--budget' is '%s', expected a time such as 30m or 1h30m", text);
    return RN_OK;
}

rn_status cli_reproduction_options(cli_reproduction *c, const cli_arguments *args)
{
    rn_status st;

    c->quiet = cli_flag(args, "quiet");
    c->processes = (int)cli_integer(args, "processes");
    c->asked.seeds = (int)cli_integer(args, "runs");
    c->line = args->line;
    c->asked.budget = cli_text(args, "budget");
    RN_TRY(read_budget(c, c->asked.budget));
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    if (cli_given(args, "threads"))
        c->asked.threads = rn_threads() > c->processes ? rn_threads() / c->processes : 1;
    if (cli_given(args, "data"))
        RN_TRY(cli_source_absolute(&c->source, cli_text(args, "data")));
    c->asked.source = c->source;
out:
    return st;
}

// Data

static rn_status no_data(const rn_target *target)
{
    const char *needs = target->needs != NULL ? target->needs : "data";

    return rn_error(
        RN_EINVAL, "target '%s' needs %s: name its folder with --data%s", target->name, needs,
        strcmp(needs, "CIFAR-10") == 0 ? " ('resnet data download cifar10' fetches it)" : "");
}

static rn_status find_source(cli_reproduction *c)
{
    rn_status st;

    if (c->source != NULL)
        return RN_OK;
    if (c->target->source == NULL)
        return no_data(c->target);
    RN_TRY(cli_source_absolute(&c->source, c->target->source));
    if (*c->source == '/' && access(c->source, F_OK) != 0)
        st = no_data(c->target);
out:
    return st;
}

static void describe_data(rn_reproduce_settings *settings, const rn_samples *train,
                          const rn_samples *test)
{
    settings->train_count = train->count;
    settings->test_count = test->count;
    settings->network.classes = train->classes;
    if (train->photos != NULL)
        return;
    settings->network.channels = train->channels;
    settings->network.height = train->height;
    settings->network.width = train->width;
}

static rn_status open_data(cli_reproduction *c, rn_reproduce_settings *settings, char **name)
{
    rn_status st;
    rn_samples *train = NULL, *test = NULL;

    RN_TRY(find_source(c));
    RN_TRY(rn_data_open(&train, c->source, RN_SPLIT_TRAIN));
    RN_TRY(rn_data_open(&test, c->source, RN_SPLIT_TEST));
    if (rn_samples_same(train, test)) {
        st = rn_error(RN_EINVAL,
                      "'%s' is not divided into training and test pictures, which target '%s' "
                      "compares: expected two splits, such as folders 'train' and 'val'",
                      c->source, c->target->name);
        goto out;
    }
    describe_data(settings, train, test);
    RN_TRY(rn_reproduce_data_name(name, train));
    settings->source = c->source;
    settings->data_name = *name;
out:
    rn_samples_free(test);
    rn_samples_free(train);
    return st;
}

// Beginning, and going on

static rn_status check_options(const cli_reproduction *c, const rn_target *target)
{
    if (!target->cost && c->asked.batch > 0)
        return rn_error(RN_EINVAL,
                        "'--batch' is for steps that are measured; that of the trainings of target "
                        "'%s' is in its recipes",
                        target->name);
    if (target->cost && c->source != NULL)
        return rn_error(RN_EINVAL,
                        "'--data' is for trainings; the steps of target '%s' are measured without",
                        target->name);
    if (target->cost && c->processes > 1)
        return rn_error(RN_EINVAL,
                        "'--processes' is for trainings; the steps of target '%s' are measured in "
                        "turn, as they would slow each other down",
                        target->name);
    return RN_OK;
}

// What is asked for can be had: before there is a folder.
static rn_status try_settings(const cli_reproduction *c)
{
    rn_status st;
    rn_target *target = NULL;
    rn_reproduction *trial = NULL;

    RN_TRY(rn_target_load(&target, c->word));
    RN_TRY(rn_reproduction_create(&trial, target, &c->settled)); // takes the target in any case
out:
    rn_reproduction_free(trial);
    return st;
}

static rn_status settle(cli_reproduction *c)
{
    rn_status st = RN_OK;

    c->settled = c->asked;
    if (c->settled.budget == NULL)
        c->settled.budget = c->usual_budget;
    RN_TRY(read_budget(c, c->settled.budget));
    if (c->settled.threads == 0)
        c->settled.threads = rn_threads() > c->processes ? rn_threads() / c->processes : 1;
    if (!c->target->cost)
        RN_TRY(open_data(c, &c->settled, &c->data_name));
    RN_TRY(try_settings(c));
    c->is_settled = true;
out:
    return st;
}

static rn_status begin(cli_reproduction *c)
{
    rn_status st = RN_OK;

    if (!c->is_settled) // there was a plan, which someone took away
        RN_TRY(settle(c));
    if (c->budget > 0) {
        const cli_budget budget = {c->word, c->budget, c->processes, c->asked.budget == NULL};
        RN_TRY(cli_budget_choose(&c->settled, &budget, c->folder, c->quiet));
    }
    rn_target *target = c->target;
    c->target = NULL; // the reproduction's from here on
    RN_TRY(rn_reproduction_create(&c->reproduction, target, &c->settled));
    if (!c->plan_only)
        RN_TRY(rn_reproduction_write(c->reproduction, c->folder));
out:
    return st;
}

// The plan's threads stay, however many processes work this time.
static void warn_of_threads(const cli_reproduction *c)
{
    const int threads = c->reproduction->settings.threads, processors = rn_processors();

    if (c->processes > 1 && threads * c->processes > processors)
        fprintf(stderr,
                "resnet: note: %d processes of %d thread%s each, as the reproduction was begun "
                "with, share %d processor%s\n",
                c->processes, threads, threads == 1 ? "" : "s", processors,
                processors == 1 ? "" : "s");
}

rn_status cli_reproduction_open(cli_reproduction *c)
{
    rn_status st;

    RN_TRY(rn_reproduction_read(&c->reproduction, c->folder));
    RN_TRY(check_options(c, c->reproduction->target));
    RN_TRY(rn_reproduction_agree(c->reproduction, c->target, &c->asked));
out:
    return st;
}

static rn_status go_on(cli_reproduction *c)
{
    rn_status st;

    RN_TRY(cli_reproduction_open(c));
    if (!c->quiet)
        printf("going on with '%s'\n\n", c->folder);
out:
    return st;
}

// Two callers that begin at the same time: the second finds the first one's plan.
static rn_status prepare(cli_reproduction *c)
{
    rn_status st;
    char *path = NULL;
    int lock = -1;

    if (c->target != NULL && !holds_plan(c->folder))
        RN_TRY(settle(c));
    RN_TRY(rn_run_folder_create(c->folder));
    RN_TRY(cli_format(&path, "%s/plan.lock", c->folder));
    RN_TRY(cli_lock_file_wait(&lock, path, "it measures and plans in this folder"));
    if (holds_plan(c->folder))
        st = go_on(c);
    else if (c->target != NULL)
        st = begin(c);
    else // someone took the plan away meanwhile
        st = rn_error(RN_ENOTFOUND, "'%s' holds no plan.json", c->folder);
    if (st == RN_OK)
        warn_of_threads(c);
out:
    if (lock >= 0)
        close(lock);
    free(path);
    return st;
}

static rn_status show_plan(const cli_reproduction *c)
{
    rn_status st;
    cli_calibration calibration = {.folder = c->folder, .quiet = c->quiet};

    if (c->quiet && !c->plan_only)
        return RN_OK;
    RN_TRY(cli_calibrate(&calibration, c->reproduction));
    RN_TRY(cli_reproduce_print_plan(c->reproduction, calibration.costs, c->processes, c->folder));
out:
    cli_calibration_release(&calibration);
    return st;
}

static size_t most_memory(const cli_reproduction *c)
{
    size_t given = 0;
    double physical = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    if (c->reproduction->settings.memory != NULL &&
        cli_size_parse(c->reproduction->settings.memory, &given))
        return given;
    return (size_t)(0.9 * physical);
}

static void say_how_to_go_on(const cli_reproduction *c)
{
    fflush(stdout);
    fprintf(stderr, "stopped by %s; what was done is saved\nto go on: ", cli_signal_name());
    if (holds_plan(c->folder)) {
        fprintf(stderr, "%s ", c->again);
        cli_print_quoted(stderr, c->folder);
        fputc('\n', stderr);
    } else {
        fprintf(stderr, "%s\n", c->line);
    }
}

// What is done so far, for who looks before it goes on.
static void report_so_far(const cli_reproduction *c)
{
    rn_report_counts counts;

    if (rn_reproduction_report(&counts, c->reproduction, c->folder) == RN_OK && !c->quiet)
        printf("\n%d of %d done; report so far: %s/report.html, %s/report.md\n", counts.done,
               counts.jobs, c->folder, c->folder);
}

rn_status cli_reproduction_run(cli_reproduction *c)
{
    rn_status st;

    cli_signals_catch();
    if (c->target != NULL)
        RN_TRY(check_options(c, c->target));
    RN_TRY(prepare(c));
    RN_TRY(show_plan(c));
    if (c->plan_only)
        goto out;
    if (!c->quiet)
        printf("\n");
    const cli_reproduce_run run = {.reproduction = c->reproduction,
                                   .folder = c->folder,
                                   .processes = c->processes,
                                   .memory = most_memory(c),
                                   .quiet = c->quiet};
    RN_TRY(cli_reproduce_jobs(&run));
out:
    if (st == RN_EINTERRUPTED && c->reproduction != NULL && !c->plan_only)
        report_so_far(c);
    if (st == RN_EINTERRUPTED)
        say_how_to_go_on(c);
    return st;
}

rn_status cli_reproduction_report(rn_report_counts *counts, const cli_reproduction *c)
{
    rn_status st;

    RN_TRY(rn_reproduction_report(counts, c->reproduction, c->folder));
    if (counts->done < counts->jobs)
        st = rn_error(RN_EDIVERGED, "%d of %d have no result; '%s/report.md' says why",
                      counts->jobs - counts->done, counts->jobs, c->folder);
out:
    return st;
}

void cli_reproduction_release(cli_reproduction *c)
{
    rn_target_free(c->target);
    rn_reproduction_free(c->reproduction);
    rn_text_free(c->data_name);
    free(c->folder);
    free(c->source);
}
