// A run folder read back: files, and what was appended to the log since.
#include "report/history_reader.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "resnet/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 18, LONGEST_LINE = 16 << 20, LARGEST_COMPANION = 1 << 20 };

static rn_status system_error(const char *verb, const rn_history_reader *reader)
{
    return rn_error(RN_EIO, "cannot %s '%s/log.jsonl': %s", verb, reader->folder, strerror(errno));
}

static rn_status read_companion(char **out, const rn_history_reader *r, const char *name)
{
    rn_status st;
    size_t size;

    if (r->guard == NULL)
        return rn_run_folder_read(out, r->folder, name);
    int descriptor = rn_open_plain(r->guard->root, r->folder, name);
    if (descriptor < 0)
        return rn_error(RN_ENOTFOUND, "cannot open '%s/%s': %s", r->folder, name, strerror(errno));
    st = rn_file_read_open(out, &size, descriptor, name, LARGEST_COMPANION);
    close(descriptor);
    return st;
}

// The text of FOLDER/NAME as JSON, and the text member `key` of it. Both NULL where there is none,
// or nothing that can be read.
static rn_status read_json(char **text, char **member, const rn_history_reader *r, const char *name,
                           const char *key)
{
    rn_status st;
    cJSON *json = NULL;
    const char *value = NULL;
    char *found = NULL;

    RN_TRY(read_companion(&found, r, name));
    RN_TRY(rn_json_parse(&json, found, strlen(found), name));
    if (key != NULL)
        RN_TRY(rn_json_text(json, key, &value, name));
    if (value != NULL)
        RN_TRY(rn_strdup(member, value));
    if (text != NULL) {
        *text = found;
        found = NULL; // now the caller's
    }
out:
    cJSON_Delete(json);
    rn_free(found);
    return st == RN_ENOMEM ? st : RN_OK;
}

// What the files beside the log say, where it is not known yet.
static rn_status read_companions(rn_history_reader *r)
{
    rn_status st = RN_OK;

    if (r->recipe_json == NULL)
        RN_TRY(read_json(&r->recipe_json, &r->recipe, r, "recipe.json", "name"));
    if (r->environment_json == NULL)
        RN_TRY(read_json(&r->environment_json, NULL, r, "environment.json", NULL));
    if (r->run_model == NULL && r->log_model == NULL)
        RN_TRY(read_json(NULL, &r->run_model, r, "run.json", "model"));
out:
    return st;
}

static void forget_companions(rn_history_reader *r)
{
    char **const texts[] = {&r->recipe, &r->recipe_json, &r->environment_json, &r->run_model};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rn_free(*texts[i]);
        *texts[i] = NULL;
    }
}

static rn_status open_log(int *descriptor, struct stat *info, const rn_history_reader *reader)
{
    rn_status st;
    char *path = NULL;

    *descriptor = -1;
    RN_TRY(rn_format(&path, "%s/log.jsonl", reader->folder));
    *descriptor = reader->guard != NULL
                      ? rn_open_plain(reader->guard->root, reader->folder, "log.jsonl")
                      : rn_open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
    if (*descriptor < 0 && errno == ENOENT)
        st = rn_error(RN_ENOTFOUND,
                      rn_folder_exists(reader->folder) ? "no run in '%s': it holds no log.jsonl"
                                                       : "no folder '%s'",
                      reader->folder);
    else if (*descriptor < 0 || fstat(*descriptor, info) != 0)
        st = system_error("open", reader);
    else if (!S_ISREG(info->st_mode))
        st = rn_error(RN_EIO, "'%s' is a folder, pipe or device, expected a regular file", path);
out:
    rn_free(path);
    return st;
}

static bool is_same_log(const rn_history_reader *r, int descriptor, const struct stat *info)
{
    char head[HISTORY_HEAD];

    return info->st_dev == r->device && info->st_ino == r->inode && info->st_size >= r->done &&
           pread(descriptor, head, r->head_size, 0) == (ssize_t)r->head_size &&
           memcmp(head, r->head, r->head_size) == 0;
}

// A part of the log in memory.
typedef struct log_window {
    char *bytes;
    size_t size, room;
    off_t offset;  // in the file
    bool skipping; // within a line that is too long to be kept
} log_window;

static rn_status take_line(rn_history_reader *r, log_span line, bool whole)
{
    bool damaged = !whole;
    rn_status st = whole ? history_take_line(r, line, &damaged) : RN_OK;

    if (st != RN_OK)
        return st;
    r->lines++;
    r->damaged += damaged;
    if (damaged && r->first_damaged == 0)
        r->first_damaged = r->lines;
    return RN_OK;
}

static void keep_head(rn_history_reader *r, const log_window *window)
{
    if (window->offset != 0)
        return;
    r->head_size = window->size < HISTORY_HEAD ? window->size : (size_t)HISTORY_HEAD;
    memcpy(r->head, window->bytes, r->head_size);
}

// Leave only what lies behind the first `bytes`.
static void move_window(log_window *window, size_t bytes)
{
    window->size -= bytes;
    window->offset += (off_t)bytes;
    memmove(window->bytes, window->bytes + bytes, window->size);
}

// Take in the window's whole lines; what is left begins a line.
static rn_status take_lines(rn_history_reader *r, log_window *window)
{
    rn_status st = RN_OK;
    const char *at = window->bytes, *end = at + window->size, *newline;

    keep_head(r, window);
    while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        RN_TRY(take_line(r, (log_span){at, (size_t)(newline - at)}, !window->skipping));
        window->skipping = false;
        at = newline + 1;
        r->done = window->offset + (at - window->bytes);
    }
    move_window(window, (size_t)(at - window->bytes));
    if (window->size >= LONGEST_LINE) {
        move_window(window, window->size);
        window->skipping = true;
    }
out:
    return st;
}

static rn_status check_guard(const rn_history_reader *r, off_t size)
{
    const history_guard *guard = r->guard;

    if (guard == NULL)
        return RN_OK;
    if (atomic_load(guard->stop))
        return rn_error(RN_EINTERRUPTED, "reading '%s/log.jsonl' was given up", r->folder);
    if (size > guard->bytes)
        return rn_error(RN_EFORMAT, "log of '%s' too large: %lld bytes, expected at most %lld",
                        r->folder, (long long)size, (long long)guard->bytes);
    if (r->step_count + r->evaluation_count + r->note_count > guard->points)
        return rn_error(RN_EFORMAT, "log of '%s' too large: expected at most %zu points", r->folder,
                        guard->points);
    return RN_OK;
}

static rn_status read_lines(rn_history_reader *r, int descriptor)
{
    rn_status st;
    log_window window = {.offset = r->done};
    ssize_t got;

    do {
        RN_TRY(check_guard(r, window.offset + (off_t)window.size));
        RN_TRY(rn_grow((void **)&window.bytes, &window.room, window.size + BLOCK, 1));
        got = pread(descriptor, window.bytes + window.size, BLOCK,
                    window.offset + (off_t)window.size);
        if (got < 0 && errno != EINTR) {
            st = system_error("read", r);
            goto out;
        }
        window.size += got > 0 ? (size_t)got : 0;
        if (got > 0)
            RN_TRY(take_lines(r, &window));
    } while (got != 0);
out:
    rn_free(window.bytes);
    return st;
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

// Show what has been read.
static void publish(rn_history *h)
{
    const rn_history_reader *r = h->reader;

    *h = (rn_history){
        .folder = r->folder,
        .name = r->name,
        .model = text_or_empty(r->log_model != NULL ? r->log_model : r->run_model),
        .recipe = text_or_empty(r->recipe),
        .recipe_json = r->recipe_json,
        .environment_json = r->environment_json,
        .state = r->state,
        .message = text_or_empty(r->message),
        .started = text_or_empty(r->started),
        .ended = text_or_empty(r->ended),
        .modified = r->modified,
        .iteration = r->iteration,
        .iterations = r->iterations,
        .resumed = r->resumed,
        .seconds = r->seconds,
        .steps = r->steps,
        .step_count = r->step_count,
        .evaluations = r->evaluations,
        .evaluation_count = r->evaluation_count,
        .notes = r->notes,
        .note_count = r->note_count,
        .gradients = r->gradients,
        .gradients_count = r->gradients_count,
        .norms = r->norms,
        .norm_count = r->norm_count,
        .layers = (const char *const *)r->layers.names,
        .layer_count = r->layers.count,
        .damaged = r->damaged,
        .first_damaged = r->first_damaged,
        .reader = h->reader,
    };
}

rn_status rn_history_refresh(rn_history *history, bool *changed)
{
    rn_status st;
    rn_history_reader *r = history->reader;
    int descriptor;
    struct stat info;
    off_t before = r->done;

    RN_TRY(open_log(&descriptor, &info, r));
    RN_TRY(check_guard(r, info.st_size));
    if (!is_same_log(r, descriptor, &info)) {
        before = -1;
        history_forget_log(r);
        forget_companions(r);
    }
    r->device = info.st_dev;
    r->inode = info.st_ino;
    r->modified = info.st_mtime;
    RN_TRY(read_lines(r, descriptor));
    if (r->done != before)
        RN_TRY(read_companions(r));
out:
    if (descriptor >= 0)
        close(descriptor);
    if (changed != NULL)
        *changed = r->done != before;
    publish(history);
    return st;
}

// "runs/a/" is "a"; "/" is "/".
static rn_status name_of(char **out, const char *folder)
{
    size_t end = strlen(folder);

    while (end > 1 && folder[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && end > 1 && folder[start - 1] != '/')
        start--;
    return rn_format(out, "%.*s", (int)(end - start), folder + start);
}

static rn_status read_history(rn_history **out, const char *folder, const history_guard *guard)
{
    rn_status st;
    rn_history *history = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&history, 1));
    RN_TRY(RN_NEW(&history->reader, 1));
    history->reader->guard = guard;
    RN_TRY(rn_strdup(&history->reader->folder, folder));
    RN_TRY(name_of(&history->reader->name, folder));
    RN_TRY(rn_history_refresh(history, NULL));
    if (history->damaged > 0 && history->damaged == history->reader->lines) {
        st = rn_error(RN_EFORMAT, "'%s/log.jsonl' is no log: none of its %zu lines can be read",
                      folder, history->damaged);
        goto out;
    }
    *out = history;
    history = NULL; // now the caller's
out:
    rn_history_free(history);
    return st;
}

rn_status rn_history_read(rn_history **out, const char *folder)
{
    return read_history(out, folder, NULL);
}

rn_status history_read_guarded(rn_history **out, const char *name, const history_guard *guard)
{
    return read_history(out, name, guard);
}

void rn_history_free(rn_history *history)
{
    rn_history_reader *r = history != NULL ? history->reader : NULL;

    if (r != NULL) {
        history_reader_release(r);
        forget_companions(r);
        rn_free(r->name);
        rn_free(r->folder);
    }
    rn_free(r);
    rn_free(history);
}

const char *rn_history_state_name(rn_history_state state)
{
    static const char *const names[] = {"running", "stopped", "failed", "done"};

    return (unsigned)state < sizeof names / sizeof *names ? names[state] : NULL;
}
