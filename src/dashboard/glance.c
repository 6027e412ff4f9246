#include "dashboard/glance.h"

#include "base/memory.h"
#include "report/history_reader.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST_TAIL = 32 << 10,
    FURTHER = 8,             // times as far back
    MOST_TAKEN = 2 << 20,    // bytes of lines that are taken in
    LARGEST_TAIL = 16 << 20, // with those that are passed over
    HEAD = 4096,
    LAST_STEPS = 8
};

static rn_status read_part(char *bytes, size_t size, int log, off_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(log, bytes + done, size - done, offset + (off_t)done);
        if (got == 0 || (got < 0 && errno != EINTR))
            return rn_error(RN_EIO, "cannot read a log: %s",
                            got == 0 ? "it became shorter" : strerror(errno));
        done += got > 0 ? (size_t)got : 0;
    }
    return RN_OK;
}

static bool is_gradients(log_span line)
{
    static const char begin[] = "{\"event\":\"gradients\"";

    return line.length >= sizeof begin - 1 && memcmp(line.text, begin, sizeof begin - 1) == 0;
}

// Whole lines only. Gradients have many numbers and say little here: the last line alone says where
// the run is. Adds up the bytes of the others.
static rn_status take_lines(rn_history_reader *reader, const char *text, size_t size, size_t *taken)
{
    rn_status st = RN_OK;
    const char *end = text + size, *newline;
    bool damaged;

    for (; (newline = memchr(text, '\n', (size_t)(end - text))) != NULL; text = newline + 1) {
        const log_span line = {text, (size_t)(newline - text)};
        if (is_gradients(line) && newline + 1 < end)
            continue;
        RN_TRY(history_take_line(reader, line, &damaged));
        *taken += line.length;
    }
out:
    return st;
}

// The lines of the last `size` bytes, of which the first is most likely a part of one.
static rn_status take_tail(rn_history_reader *reader, size_t *taken, int log, off_t end,
                           size_t size)
{
    rn_status st;
    char *bytes = NULL;
    const char *first;

    RN_TRY(RN_NEW(&bytes, size));
    RN_TRY(read_part(bytes, size, log, end - (off_t)size));
    first = (off_t)size == end ? bytes : memchr(bytes, '\n', size);
    if (first != NULL)
        RN_TRY(take_lines(reader, first, size - (size_t)(first - bytes), taken));
out:
    rn_free(bytes);
    return st;
}

// Its first line names the model.
static rn_status take_head(rn_history_reader *reader, int log, off_t end)
{
    rn_status st;
    char bytes[HEAD];
    size_t size = end < HEAD ? (size_t)end : HEAD;
    const char *newline;
    bool damaged;

    RN_TRY(read_part(bytes, size, log, 0));
    newline = memchr(bytes, '\n', size);
    if (newline != NULL)
        RN_TRY(history_take_line(reader, (log_span){bytes, (size_t)(newline - bytes)}, &damaged));
out:
    return st;
}

static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text != NULL ? text : "");
}

// What the step's line says, less what has passed since: evaluations and checkpoints have lines
// too.
static double eta_of(const rn_history_step *step, double seconds)
{
    const double since = seconds - step->seconds;

    return since > 0 ? step->eta - since : step->eta;
}

static void summarise(rn_glance *out, const rn_history_reader *reader)
{
    out->state = reader->state;
    out->iteration = reader->iteration;
    out->iterations = reader->iterations;
    out->epoch = reader->epoch;
    out->seconds = reader->seconds;
    copy_text(out->model, sizeof out->model, reader->log_model);
    copy_text(out->message, sizeof out->message, reader->message);
    out->stepped = reader->step_count > 0;
    if (out->stepped) {
        out->step = reader->steps[reader->step_count - 1];
        out->eta = eta_of(&out->step, out->seconds);
    }
    out->evaluated = reader->evaluation_count > 0;
    if (!out->evaluated)
        return;
    out->evaluation = reader->evaluations[reader->evaluation_count - 1];
    copy_text(out->set, sizeof out->set, out->evaluation.set);
    out->evaluation.set = NULL; // the reader's
}

// What lies between two steps is evaluated within that time.
static double interval_of(const rn_history_reader *reader, bool whole)
{
    const size_t count = reader->step_count;
    double longest = 0;

    if (count == 1 && whole)
        return fmax(0, reader->steps[0].seconds - reader->before);
    for (size_t i = 1; i < count && i <= LAST_STEPS; i++)
        longest =
            fmax(longest, reader->steps[count - i].seconds - reader->steps[count - i - 1].seconds);
    return longest;
}

static rn_status look(rn_glance *out, size_t *taken, int log, off_t end, size_t size)
{
    rn_status st = RN_OK;
    rn_history_reader reader = {0};

    *out = (rn_glance){0};
    *taken = 0;
    if (end == 0)
        return RN_OK;
    RN_TRY(take_head(&reader, log, end));
    RN_TRY(take_tail(&reader, taken, log, end, size));
    summarise(out, &reader);
    out->interval = interval_of(&reader, (off_t)size == end);
out:
    history_reader_release(&reader);
    return st;
}

static void keep_older(rn_glance *out, const rn_glance *before)
{
    if (!out->stepped && before->stepped && before->step.iteration <= out->iteration) {
        out->stepped = true;
        out->step = before->step;
        out->eta = fmin(before->eta, eta_of(&out->step, out->seconds));
    }
    if (out->interval == 0)
        out->interval = before->interval;
    if (!out->evaluated && before->evaluated && before->evaluation.iteration <= out->iteration) {
        out->evaluated = true;
        out->evaluation = before->evaluation;
        memcpy(out->set, before->set, sizeof out->set);
    }
}

// Whether something that was known is so no longer, as where a run has resumed at an earlier point.
static bool has_lost(const rn_glance *now, const rn_glance *before)
{
    return (before->stepped && !now->stepped) || (before->evaluated && !now->evaluated);
}

rn_status rn_glance_read(rn_glance *out, int log, off_t size, off_t known)
{
    rn_status st = RN_OK;
    const rn_glance before = *out;
    const bool recent = known > 0 && size - known <= MOST_TAKEN;
    off_t tail = FIRST_TAIL + (recent ? size - known : 0); // all that is new
    size_t taken;

    for (;; tail *= FURTHER) { // further back until there is a point of each kind
        tail = tail < size ? tail : size;
        RN_TRY(look(out, &taken, log, size, (size_t)tail));
        if (known > 0)
            keep_older(out, &before);
        if ((out->stepped && out->evaluated) || tail == size)
            break;
        if (recent && !has_lost(out, &before))
            break;
        if (taken * FURTHER > MOST_TAKEN || tail * FURTHER > LARGEST_TAIL)
            break;
    }
out:
    return st;
}
