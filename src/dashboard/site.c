#include "dashboard/site.h"

#include "dashboard/curves.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/run_list.h"

#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST_SAMPLES = 1 << 20, NOTES = 20 };

// Opening

// The folder above, and the run in it.
static rn_status open_run(rn_site *site, char *path, bool alone)
{
    rn_status st = RN_OK;
    char *slash = strrchr(path, '/'); // there is one: the path is absolute

    if (slash[1] == '\0')
        return rn_run_table_open(&site->runs, path, NULL);
    RN_TRY(rn_strdup(&site->focus, slash + 1));
    *(slash == path ? slash + 1 : slash) = '\0';
    RN_TRY(rn_run_table_open(&site->runs, path, alone ? site->focus : NULL));
out:
    return st;
}

static rn_status open_runs(rn_site *site, const char *folder)
{
    rn_status st;
    char *place;

    RN_TRY(rn_run_list_place(&place, folder));
    st = rn_run_table_open(&site->runs, place, NULL);
out:
    rn_free(place);
    return st;
}

rn_status rn_site_open(rn_site *site, const char *folder, bool alone)
{
    rn_status st = RN_OK;
    char *path = realpath(folder, NULL);
    bool run;

    *site = (rn_site){.runs.descriptor = -1, .audience.lock = PTHREAD_MUTEX_INITIALIZER};
    if (path == NULL)
        return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot open folder '%s': %s",
                        folder, strerror(errno));
    if (!rn_folder_exists(path)) {
        st = rn_error(RN_EIO, "'%s' is a file, expected a folder of runs", folder);
        goto out;
    }
    site->guard = (history_guard){
        .root = -1, .bytes = LARGEST_LOG, .points = MOST_POINTS, .stop = &site->stop};
    RN_TRY(rn_run_list_is_run(&run, path));
    RN_TRY(run || !alone ? open_run(site, path, alone) : open_runs(site, path));
out:
    free(path);
    if (st != RN_OK)
        rn_site_release(site);
    return st;
}

void rn_site_release(rn_site *site)
{
    rn_history_cache_release(&site->cache);
    rn_run_table_release(&site->runs);
    rn_free(site->focus);
    site->focus = NULL;
}

// Answers

void rn_site_error(draw_text *out, const char *message)
{
    draw_text_print(out, "{\"error\":");
    draw_text_json(out, message);
    draw_text_print(out, "}");
}

static int failed(rn_status st)
{
    return st == RN_ENOTFOUND ? HTTP_NOT_FOUND : HTTP_FAILURE;
}

static double wall_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool has_version(const rn_query *query, const char *version)
{
    return query->since != NULL && strcmp(query->since, version) == 0;
}

static bool is_unchanged(draw_text *out, const rn_query *query, const char *version)
{
    bool same = has_version(query, version);

    draw_text_print(out, "\"version\":");
    draw_text_json(out, version);
    draw_text_print(out, ",\"now\":");
    draw_text_number(out, wall_clock(), 13);
    if (same)
        draw_text_print(out, ",\"unchanged\":true}");
    return same;
}

static void write_member(draw_text *out, const char *key, double value, int digits)
{
    if (isfinite(value))
        draw_text_print(out, ",\"%s\":%.*g", key, digits, value);
}

static void write_text_member(draw_text *out, const char *key, const char *text)
{
    draw_text_print(out, ",\"%s\":", key);
    draw_text_json(out, text);
}

// What a run is asked for by: a name need not be text.
static void write_id(draw_text *out, const char *key, const char *name)
{
    draw_text_print(out, ",\"%s\":\"", key);
    for (const char *c = name; *c != '\0'; c++)
        draw_text_print(out, rn_is_unreserved(*c) ? "%c" : "%%%02X", (unsigned char)*c);
    draw_text_print(out, "\"");
}

static void write_step(draw_text *out, const rn_history_step *step)
{
    write_member(out, "loss", step->loss, 6);
    write_member(out, "error", step->error, 6);
    write_member(out, "lr", step->lr, 6);
    write_member(out, "images_per_second", step->images_per_second, 6);
    write_member(out, "data_wait", step->data_wait, 4);
    write_member(out, "memory", step->memory, 12);
    write_member(out, "memory_peak", step->memory_peak, 12);
}

static void write_run(draw_text *out, const rn_listed_run *run)
{
    const rn_glance *glance = &run->glance;

    draw_text_print(out, "{\"name\":");
    draw_text_json(out, run->name);
    write_id(out, "id", run->name);
    write_text_member(out, "version", run->version);
    write_text_member(out, "state", rn_history_state_name(glance->state));
    write_text_member(out, "model", glance->model);
    write_member(out, "modified", run->modified, 13);
    write_member(out, "iteration", (double)glance->iteration, 15);
    write_member(out, "iterations", (double)glance->iterations, 15);
    write_member(out, "epoch", glance->epoch, 7);
    write_member(out, "interval", glance->interval, 6);
    if (glance->message[0] != '\0')
        write_text_member(out, "message", glance->message);
    if (glance->stepped) {
        write_step(out, &glance->step);
        write_member(out, "eta", glance->eta < 0 ? 0 : glance->eta, 6);
    }
    if (glance->evaluated) {
        write_text_member(out, "set", glance->set);
        write_member(out, "test_iteration", (double)glance->evaluation.iteration, 15);
        write_member(out, "test_loss", glance->evaluation.loss, 6);
        write_member(out, "test_error", glance->evaluation.error, 6);
    }
    draw_text_print(out, "}");
}

// A page asks with the list's version once it has loaded what belongs to the list.
static int answer_runs(draw_text *out, rn_site *site, const rn_query *query)
{
    const rn_run_table *runs = &site->runs;
    const bool ending = rn_audience_ending(&site->audience);
    size_t first = (size_t)query->first;
    rn_status st;

    if (ending)
        site->runs.updated = 0; // the last lines are there
    st = rn_run_table_update(&site->runs);
    if (st != RN_OK)
        return failed(st);
    if (query->page != NULL)
        rn_audience_note(&site->audience, query->page, ending && has_version(query, runs->version));
    draw_text_print(out, "{\"ending\":%s,", ending ? "true" : "false");
    if (is_unchanged(out, query, runs->version))
        return HTTP_OK;
    write_text_member(out, "folder", runs->root);
    if (site->focus != NULL)
        write_id(out, "focus", site->focus);
    draw_text_print(out, ",\"total\":%zu,\"truncated\":%s,\"first\":%zu,\"runs\":[", runs->count,
                    runs->truncated ? "true" : "false", first);
    for (size_t i = first; i < runs->count && i - first < (size_t)query->count; i++) {
        draw_text_print(out, i > first ? "," : "");
        write_run(out, &runs->runs[i]);
    }
    draw_text_print(out, "]}");
    return HTTP_OK;
}

static int find_run(const rn_listed_run **run, rn_site *site, const rn_query *query)
{
    rn_status st = rn_run_table_update(&site->runs);

    *run = NULL;
    if (st != RN_OK)
        return failed(st);
    *run = rn_run_table_find(&site->runs, query->name);
    if (*run != NULL)
        return HTTP_OK;
    rn_error(RN_ENOTFOUND, "no run '%s'", query->name);
    return HTTP_NOT_FOUND;
}

// The last ones.
static void write_notes(draw_text *out, const rn_history *history)
{
    size_t first = history->note_count > NOTES ? history->note_count - NOTES : 0;

    draw_text_print(out, ",\"notes\":[");
    for (size_t i = first; i < history->note_count; i++) {
        draw_text_print(out, "%s{\"iteration\":%lld", i > first ? "," : "",
                        (long long)history->notes[i].iteration);
        write_text_member(out, "text", history->notes[i].text);
        draw_text_print(out, "}");
    }
    draw_text_print(out, "]");
}

// Of the set that was evaluated last; NaN: none was.
static double lowest_error(const rn_history *history)
{
    const size_t count = history->evaluation_count;
    double lowest = NAN;

    for (size_t i = 0; i < count; i++)
        if (history->evaluations[i].set == history->evaluations[count - 1].set) // one for each name
            lowest = fmin(lowest, history->evaluations[i].error);
    return lowest;
}

static rn_status get_history(const rn_history **out, rn_site *site, const char *name)
{
    if (site->guard.root != site->runs.descriptor) { // another folder
        rn_history_cache_release(&site->cache);
        site->guard.root = site->runs.descriptor;
    }
    return rn_history_cache_get(&site->cache, out, &site->guard, name);
}

static int answer_run(draw_text *out, rn_site *site, const rn_query *query)
{
    const rn_listed_run *run;
    const rn_history *history;
    int status = find_run(&run, site, query);
    rn_status st;

    if (status != HTTP_OK)
        return status;
    draw_text_print(out, "{");
    if (is_unchanged(out, query, run->version))
        return HTTP_OK;
    st = get_history(&history, site, run->name);
    if (st != RN_OK)
        return failed(st);
    write_text_member(out, "name", run->name);
    write_text_member(out, "quantity", rn_quantity_name((int)query->quantity));
    write_text_member(out, "recipe", history->recipe);
    write_text_member(out, "started", history->started);
    draw_text_print(out, ",\"resumed\":%d", history->resumed);
    write_member(out, "seconds", history->seconds, 8);
    write_member(out, "modified", run->modified, 13);
    write_member(out, "best", lowest_error(history), 6);
    write_notes(out, history);
    draw_text_print(out, ",");
    rn_curves_write(out, history, query->quantity);
    draw_text_print(out, "}");
    return HTTP_OK;
}

// The file as it is, once it is known to be JSON. A run that has not been evaluated has none yet.
static int answer_samples(draw_text *out, rn_site *site, const rn_query *query)
{
    const rn_listed_run *run;
    int status = find_run(&run, site, query), descriptor;
    rn_status st;
    char *text = NULL;
    size_t size = 0;
    cJSON *json = NULL;

    if (status != HTTP_OK)
        return status;
    descriptor = rn_run_table_open_file(&site->runs, run->name, "samples.json");
    if (descriptor < 0) {
        draw_text_print(out, "{\"samples\":[]}");
        return HTTP_OK;
    }
    RN_TRY(rn_file_read_open(&text, &size, descriptor, "samples.json", LARGEST_SAMPLES));
    RN_TRY(rn_json_parse(&json, text, size, "samples.json"));
    draw_text_print(out, "%s", text);
out:
    close(descriptor);
    cJSON_Delete(json);
    rn_free(text);
    return st == RN_OK ? HTTP_OK : failed(st);
}

int rn_site_answer(draw_text *out, rn_site *site, const rn_query *query)
{
    int status = query->route == RN_ROUTE_RUNS      ? answer_runs(out, site, query)
                 : query->route == RN_ROUTE_SAMPLES ? answer_samples(out, site, query)
                                                    : answer_run(out, site, query);

    if (status != HTTP_OK || out->status == RN_OK)
        return status;
    rn_error(out->status, "no memory for an answer");
    return HTTP_FAILURE;
}
