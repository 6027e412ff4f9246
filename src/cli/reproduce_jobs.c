#include "cli/reproduce_crew.h"

#include "cli/json_output.h"
#include "cli/lock.h"
#include "cli/reproduce_plan.h"
#include "cli/run_folder.h"
#include "cli/signals.h"
#include "cli/term.h"

#include "resnet/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void release_slot(cli_slot *s)
{
    if (s->lock >= 0)
        close(s->lock);
    rn_history_free(s->history);
    cli_child_release(&s->child);
    *s = (cli_slot){.job = -1, .lock = -1, .child = {.output = -1, .errors = -1}};
}

static void finish_job(cli_crew *c, cli_slot *s, const char *what)
{
    int job = s->job;

    release_slot(s);
    c->jobs[job] = CLI_JOB_FINISHED;
    c->finished++;
    if (what != NULL)
        cli_crew_say(c, job, what);
}

// Into the file that says why a job failed.
static void note_failure(const cli_crew *c, int job, const char *why)
{
    char *path = NULL;
    FILE *file = NULL;

    if (cli_format(&path, "%s/%s/%s.err", c->run->folder, cli_crew_subfolder(c),
                   cli_crew_job_name(c, job)) == RN_OK)
        file = fopen(path, "ae");
    if (file != NULL) {
        fprintf(file, "resnet: error: %s\n", why);
        fclose(file);
    }
    free(path);
}

// What a start that was killed at once has left is in the way of a new one.
static rn_status clear_leftovers(const cli_crew *c, int job)
{
    rn_status st;
    char *folder = NULL;

    RN_TRY(cli_format(&folder, "%s/runs/%s", c->run->folder, cli_crew_job_name(c, job)));
    st = cli_run_clear(folder);
out:
    free(folder);
    return st;
}

static rn_status start_child(cli_crew *c, cli_slot *s, rn_job_state state)
{
    rn_status st;
    rn_words words = {0};
    char *errors = NULL;

    if (state == RN_JOB_NEW && !c->run->reproduction->target->cost)
        RN_TRY(clear_leftovers(c, s->job));
    RN_TRY(rn_job_command(&words, c->run->reproduction, s->job, state));
    RN_TRY(cli_format(&errors, "%s/%s.err", cli_crew_subfolder(c), cli_crew_job_name(c, s->job)));
    const cli_child_place place = {.folder = c->run->folder, .errors = errors, .lock = s->lock};
    RN_TRY(cli_child_start(&s->child, &words, &place));
    s->state = state;
    cli_crew_say(c, s->job,
                 state == RN_JOB_PARTIAL     ? "goes on"
                 : state == RN_JOB_RESPONSES ? "layer responses"
                 : state == RN_JOB_TEN_CROPS ? "ten crops"
                                             : "begins");
out:
    free(errors);
    rn_words_release(&words);
    return st;
}

static rn_status write_point(const cli_crew *c, int job, const char *text)
{
    rn_status st;
    char *folder = NULL, *file = NULL;

    RN_TRY(cli_format(&folder, "%s/points", c->run->folder));
    RN_TRY(cli_format(&file, "%s.json", cli_crew_job_name(c, job)));
    RN_TRY(rn_run_folder_write(folder, file, text));
out:
    free(file);
    free(folder);
    return st;
}

// A point that does not fit is noted as such, so that the report can say so.
static rn_status leave_out(bool *left, const cli_crew *c, int job)
{
    rn_status st = RN_OK;
    size_t bytes = 0;
    char *reason = NULL, *text = NULL;
    cJSON *json = NULL;

    *left = false;
    if (!c->run->reproduction->target->cost)
        return RN_OK;
    RN_TRY(cli_step_bytes(&bytes, c->run->reproduction, c->run->reproduction->jobs[job].run));
    if (bytes <= c->run->memory)
        goto out;
    RN_TRY(cli_format(&reason, "needs %s, more than %s", cli_bytes((double)bytes).text,
                      cli_bytes((double)c->run->memory).text));
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "left_out", reason);
    RN_TRY(cli_json_text(&text, json));
    RN_TRY(write_point(c, job, text));
    *left = true;
out:
    free(text);
    free(reason);
    return st;
}

// The lock is held: nobody else works on it, but somebody may have finished it meanwhile.
static rn_status begin_job(cli_crew *c, cli_slot *s)
{
    rn_status st;
    rn_job_state state;
    bool left = false;

    RN_TRY(rn_job_find(&state, c->run->reproduction, s->job, c->run->folder));
    if (state == RN_JOB_DONE || state == RN_JOB_DIVERGED) {
        finish_job(c, s, NULL);
        goto out;
    }
    RN_TRY(leave_out(&left, c, s->job));
    if (left) {
        finish_job(c, s, "left out: too large");
        goto out;
    }
    c->jobs[s->job] = CLI_JOB_RUNNING;
    s->started = rn_clock();
    RN_TRY(start_child(c, s, state));
out:
    return st;
}

static rn_status claim(cli_crew *c, cli_slot *s, int job)
{
    rn_status st;
    char *path = NULL;

    RN_TRY(cli_format(&path, "%s/%s/%s.lock", c->run->folder, cli_crew_subfolder(c),
                      cli_crew_job_name(c, job)));
    RN_TRY(cli_lock_file(&s->lock, path, true));
    c->jobs[job] = s->lock < 0 ? CLI_JOB_ELSEWHERE : CLI_JOB_WAITING;
    if (s->lock < 0)
        goto out;
    s->job = job;
    st = begin_job(c, s);
    if (st != RN_OK && st != RN_ENOMEM) { // that of this job alone
        note_failure(c, job, rn_error_message());
        finish_job(c, s, "failed");
        st = RN_OK;
    }
out:
    free(path);
    return st;
}

// Children that have ended

static void note_signal(const cli_crew *c, int job, int status)
{
    char text[96];

    if (!WIFSIGNALED(status) || cli_signal() != 0)
        return;
    snprintf(text, sizeof text, "killed by signal %d (%s)", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
    note_failure(c, job, text);
}

static rn_status keep_point(cli_crew *c, cli_slot *s, int status)
{
    rn_status st;
    char *text = NULL;
    rn_step_cost cost;

    RN_TRY(cli_child_output(&text, &s->child));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && rn_step_cost_parse(&cost, text) == RN_OK) {
        RN_TRY(write_point(c, s->job, text));
        finish_job(c, s, "measured");
    } else {
        finish_job(c, s, "failed");
    }
out:
    free(text);
    return st;
}

// What `resnet eval` printed is kept in the run's folder.
static rn_status keep_ten_crops(const cli_crew *c, cli_slot *s, int status)
{
    rn_status st;
    char *text = NULL, *folder = NULL;

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return RN_OK;
    RN_TRY(cli_format(&folder, "%s/runs/%s", c->run->folder, cli_crew_job_name(c, s->job)));
    RN_TRY(cli_child_output(&text, &s->child));
    RN_TRY(rn_run_folder_write(folder, RN_TEN_CROPS_FILE, text));
out:
    free(folder);
    free(text);
    return st;
}

static bool comes_after(rn_job_state state)
{
    return state == RN_JOB_RESPONSES || state == RN_JOB_TEN_CROPS;
}

static rn_status after_training(cli_crew *c, cli_slot *s, int status)
{
    rn_status st = RN_OK;
    rn_job_state state;
    char text[96];

    if (s->state == RN_JOB_TEN_CROPS)
        RN_TRY(keep_ten_crops(c, s, status));
    RN_TRY(rn_job_find(&state, c->run->reproduction, s->job, c->run->folder));
    if (comes_after(state) && state != s->state) {
        cli_child_release(&s->child);
        RN_TRY(start_child(c, s, state));
        goto out;
    }
    snprintf(text, sizeof text, state == RN_JOB_DIVERGED ? "diverged" : "failed");
    if (state == RN_JOB_DONE)
        cli_crew_describe(text, sizeof text, c, s->job);
    finish_job(c, s, text);
out:
    return st;
}

static rn_status tend(cli_crew *c, cli_slot *s)
{
    int status;

    if (s->job < 0 || !cli_child_ended(&s->child, &status))
        return RN_OK;
    if (cli_signal() != 0) { // it has saved
        release_slot(s);
        return RN_OK;
    }
    note_signal(c, s->job, status);
    return c->run->reproduction->target->cost ? keep_point(c, s, status)
                                              : after_training(c, s, status);
}

static rn_status fill(cli_crew *c, cli_slot *s)
{
    rn_status st = RN_OK;

    for (int job = 0; s->job < 0 && job < c->run->reproduction->job_count; job++)
        if (c->jobs[job] == CLI_JOB_WAITING)
            RN_TRY(claim(c, s, job));
out:
    return st;
}

static int busy(const cli_crew *c)
{
    int count = 0;

    for (int i = 0; i < c->run->processes; i++)
        count += c->slots[i].job >= 0;
    return count;
}

static void stop_all(cli_crew *c)
{
    for (int i = 0; i < c->run->processes; i++) {
        cli_slot *s = &c->slots[i];
        if (s->job >= 0 && s->child.pid > 0 && !s->told)
            kill(s->child.pid, SIGTERM);
        s->told = true;
    }
}

// Once a second: jobs that others have may be done, or theirs again.
static void look_elsewhere(cli_crew *c)
{
    bool any = false;

    if (rn_clock() - c->looked < 1)
        return;
    c->looked = rn_clock();
    for (int i = 0; i < c->run->reproduction->job_count; i++)
        if (c->jobs[i] == CLI_JOB_ELSEWHERE) {
            c->jobs[i] = CLI_JOB_WAITING;
            any = true;
        }
    if (any && busy(c) == 0 && !c->waited && !c->run->quiet) {
        cli_crew_clear_line(c);
        printf("waiting for what another process computes in this folder\n");
        fflush(stdout);
        c->waited = true;
    }
}

static rn_status round_of(cli_crew *c)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    rn_status st = RN_OK;

    for (int i = 0; i < c->run->processes; i++) {
        if (cli_signal() == 0)
            RN_TRY(fill(c, &c->slots[i]));
        RN_TRY(tend(c, &c->slots[i]));
    }
    if (cli_signal() != 0)
        stop_all(c);
    look_elsewhere(c);
    cli_crew_show(c);
    nanosleep(&pause, NULL);
out:
    return st;
}

static bool is_over(const cli_crew *c)
{
    if (cli_signal() != 0)
        return busy(c) == 0;
    return c->finished == c->run->reproduction->job_count;
}

// After a failure of our own: nobody is left behind.
static void end_children(cli_crew *c)
{
    int status;

    stop_all(c);
    for (int i = 0; i < c->run->processes; i++)
        if (c->slots[i].child.pid > 0)
            waitpid(c->slots[i].child.pid, &status, 0);
}

static rn_status make_folder(const cli_crew *c)
{
    rn_status st;
    char *folder = NULL;

    RN_TRY(cli_format(&folder, "%s/%s", c->run->folder, cli_crew_subfolder(c)));
    st = rn_run_folder_create(folder);
out:
    free(folder);
    return st;
}

rn_status cli_reproduce_jobs(const cli_reproduce_run *run)
{
    rn_status st;
    cli_crew c = {.run = run,
                  .slots = calloc((size_t)run->processes, sizeof *c.slots),
                  .jobs = calloc((size_t)run->reproduction->job_count, sizeof *c.jobs)};

    for (int i = 0; c.slots != NULL && i < run->processes; i++)
        c.slots[i] = (cli_slot){.job = -1, .lock = -1, .child = {.output = -1, .errors = -1}};
    if (c.slots == NULL || c.jobs == NULL) {
        st = rn_error(RN_ENOMEM, "no memory for %d processes", run->processes);
        goto out;
    }
    RN_TRY(make_folder(&c));
    while (!is_over(&c))
        RN_TRY(round_of(&c));
    if (cli_signal() != 0)
        st = rn_error(RN_EINTERRUPTED, "interrupted");
out:
    cli_crew_clear_line(&c);
    if (c.slots != NULL) {
        end_children(&c);
        for (int i = 0; i < run->processes; i++)
            release_slot(&c.slots[i]);
    }
    free(c.slots);
    free(c.jobs);
    return st;
}
