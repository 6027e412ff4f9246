// A run's log: JSON Lines, each written whole in one call.
#include "resnet/report.h"

#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, TIME_TEXT = 32 };

struct rn_run_log {
    int descriptor;
    char *path;
};

static rn_status system_error(const char *verb, const char *path)
{
    return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot %s '%s': %s", verb, path,
                    strerror(errno));
}

// Where the last whole line ends: after the last newline of the first `size` bytes, or 0.
static rn_status end_of_lines(off_t *end, const rn_run_log *log, off_t size)
{
    char block[BLOCK];

    for (*end = 0; size > 0;) {
        size_t bytes = size < BLOCK ? (size_t)size : BLOCK;
        if (pread(log->descriptor, block, bytes, size - (off_t)bytes) != (ssize_t)bytes)
            return system_error("read", log->path);
        const char *newline = memrchr(block, '\n', bytes);
        size -= (off_t)bytes;
        if (newline != NULL) {
            *end = size + (newline - block) + 1;
            return RN_OK;
        }
    }
    return RN_OK;
}

static rn_status cut_torn_line(const rn_run_log *log)
{
    rn_status st = RN_OK;
    struct stat info;
    off_t end;

    if (fstat(log->descriptor, &info) != 0)
        return system_error("examine", log->path);
    if (!S_ISREG(info.st_mode))
        return rn_error(RN_EIO, "'%s' is a pipe or device, expected a regular file", log->path);
    RN_TRY(end_of_lines(&end, log, info.st_size));
    if (end < info.st_size && ftruncate(log->descriptor, end) != 0)
        st = system_error("write", log->path);
out:
    return st;
}

rn_status rn_run_log_open(rn_run_log **out, const char *folder)
{
    rn_status st = RN_OK;
    rn_run_log *log = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&log, 1));
    log->descriptor = -1;
    RN_TRY(rn_format(&log->path, "%s/log.jsonl", folder));
    // Not blocking, so that a pipe of this name is refused rather than waited for.
    log->descriptor = open(log->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
    if (log->descriptor < 0) {
        st = system_error("open", log->path);
        goto out;
    }
    RN_TRY(cut_torn_line(log));
    *out = log;
    log = NULL; // now the caller's
out:
    rn_run_log_close(log);
    return st;
}

void rn_run_log_close(rn_run_log *log)
{
    if (log == NULL)
        return;
    if (log->descriptor >= 0)
        close(log->descriptor);
    rn_free(log->path);
    rn_free(log);
}

static const char *const kind_names[] = {
    [RN_EVENT_START] = "start",
    [RN_EVENT_RESUME] = "resume",
    [RN_EVENT_STEP] = "step",
    [RN_EVENT_EVALUATION] = "evaluation",
    [RN_EVENT_CHECKPOINT] = "checkpoint",
    [RN_EVENT_GRADIENTS] = "gradients",
    [RN_EVENT_NOTE] = "note",
    [RN_EVENT_END] = "end",
};

enum { KINDS = sizeof kind_names / sizeof *kind_names };

#define KIND(name) (1u << RN_EVENT_##name)
#define ALL_KINDS ((1u << KINDS) - 1)

// Which number stands in the lines of which kinds, in this order.
static const struct {
    const char *key;
    size_t offset;
    unsigned kinds;
} numbers[] = {
    {"epoch", offsetof(rn_event, epoch), ALL_KINDS},
    {"seconds", offsetof(rn_event, seconds), ALL_KINDS},
    {"loss", offsetof(rn_event, loss), KIND(STEP) | KIND(EVALUATION)},
    {"error", offsetof(rn_event, error), KIND(STEP) | KIND(EVALUATION)},
    {"lr", offsetof(rn_event, lr), KIND(STEP)},
    {"images_per_second", offsetof(rn_event, images_per_second), KIND(STEP)},
    {"data_wait", offsetof(rn_event, data_wait), KIND(STEP)},
    {"eta", offsetof(rn_event, eta), KIND(STEP)},
    {"memory", offsetof(rn_event, memory), KIND(STEP)},
    {"memory_peak", offsetof(rn_event, memory_peak), KIND(STEP)},
};

static rn_status add_numbers(cJSON *json, const rn_event *event)
{
    rn_status st = RN_OK;

    RN_TRY(rn_json_add_number(json, "iteration", (double)event->iteration));
    RN_TRY(rn_json_add_number(json, "iterations", (double)event->iterations));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const void *place = (const char *)event + numbers[i].offset;
        if (numbers[i].kinds & (1u << event->kind))
            RN_TRY(rn_json_add_number(json, numbers[i].key, *(const double *)place));
    }
out:
    return st;
}

static rn_status add_evaluation(cJSON *json, const rn_event *event)
{
    rn_status st = RN_OK;

    if (event->kind != RN_EVENT_EVALUATION)
        return RN_OK;
    if (event->set != NULL)
        RN_TRY(rn_json_add_text(json, "set", event->set));
    RN_TRY(rn_json_add_number(json, "count", (double)event->count));
    RN_TRY(rn_json_add_number(json, "wrong", (double)event->wrong));
out:
    return st;
}

// One object with a number for each parameter; `offset` is that of the number in rn_param_norm.
static rn_status add_norms(cJSON *json, const char *key, const rn_event *event, size_t offset)
{
    rn_status st = RN_OK;
    cJSON *norms = NULL;

    RN_TRY(rn_json_object(&norms));
    RN_TRY(rn_json_add_item(json, key, norms)); // which releases it
    for (int i = 0; i < event->norm_count; i++) {
        const void *place = (const char *)&event->norms[i] + offset;
        RN_TRY(rn_json_add_number(norms, event->norms[i].name, *(const double *)place));
    }
out:
    return st;
}

static rn_status add_gradients(cJSON *json, const rn_event *event)
{
    rn_status st = RN_OK;

    if (event->kind != RN_EVENT_GRADIENTS)
        return RN_OK;
    RN_TRY(add_norms(json, "norms", event, offsetof(rn_param_norm, gradient)));
    RN_TRY(add_norms(json, "weights", event, offsetof(rn_param_norm, value)));
out:
    return st;
}

// The clock on the wall, at both ends of a process: the lines between have seconds.
static rn_status add_time(cJSON *json, const rn_event *event)
{
    char text[TIME_TEXT];
    time_t now = time(NULL);
    struct tm parts;

    if (((KIND(START) | KIND(RESUME) | KIND(END)) & (1u << event->kind)) != 0 &&
        gmtime_r(&now, &parts) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
        return rn_json_add_text(json, "time", text);
    return RN_OK;
}

static rn_status event_json(cJSON **out, const rn_event *event)
{
    rn_status st = RN_OK;

    RN_TRY(rn_json_object(out));
    RN_TRY(rn_json_add_text(*out, "event", kind_names[event->kind]));
    RN_TRY(add_time(*out, event));
    RN_TRY(add_numbers(*out, event));
    RN_TRY(add_evaluation(*out, event));
    RN_TRY(add_gradients(*out, event));
    if (event->kind == RN_EVENT_END)
        RN_TRY(rn_json_add_text(*out, "status", rn_status_text(event->status)));
    if (event->text != NULL)
        RN_TRY(rn_json_add_text(*out, "text", event->text));
out:
    return st;
}

// Where power fails, a run goes on from a checkpoint, which is on the disk: so are the lines
// before.
static bool is_milestone(rn_event_kind kind)
{
    return kind == RN_EVENT_EVALUATION || kind == RN_EVENT_CHECKPOINT || kind == RN_EVENT_END;
}

rn_status rn_run_log_write(rn_run_log *log, const rn_event *event)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;
    char *text = NULL, *line = NULL;

    if ((unsigned)event->kind >= KINDS)
        return rn_error(RN_EINVAL, "event kind is %d, expected 0 to %d", (int)event->kind,
                        KINDS - 1);
    RN_TRY(event_json(&json, event));
    RN_TRY(rn_json_print(&text, json, false));
    RN_TRY(rn_format(&line, "%s\n", text));
    RN_TRY(rn_file_append(log->descriptor, log->path, line, strlen(line)));
    if (is_milestone(event->kind))
        fdatasync(log->descriptor); // a disk that cannot has the line all the same
out:
    rn_free(line);
    rn_free(text);
    cJSON_Delete(json);
    return st;
}
