// Lines of a log become the points of a history.
#include "report/history_reader.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

#define LARGEST_WHOLE 0x1p53

enum { MOST_SETS = 64 }; // that are kept, since an evaluation looks through those of its iteration

// What a line may hold, whatever its kind. Numbers: NaN where there is none.
typedef struct event_line {
    log_span event, set, text, status, time, norms;
    double iteration, iterations, epoch, seconds, loss, error, lr, images_per_second, data_wait,
        eta, memory, memory_peak, count, wrong;
} event_line;

#define FIELD(kind, name)                                                                          \
    {                                                                                              \
#name, kind, offsetof(event_line, name)                                                    \
    }

static const struct {
    const char *key;
    log_kind kind;
    size_t offset;
} fields[] = {
    FIELD(LOG_TEXT, event),
    FIELD(LOG_NUMBER, iteration),
    FIELD(LOG_NUMBER, iterations),
    FIELD(LOG_NUMBER, epoch),
    FIELD(LOG_NUMBER, seconds),
    FIELD(LOG_NUMBER, loss),
    FIELD(LOG_NUMBER, error),
    FIELD(LOG_NUMBER, lr),
    FIELD(LOG_NUMBER, images_per_second),
    FIELD(LOG_NUMBER, data_wait),
    FIELD(LOG_NUMBER, eta),
    FIELD(LOG_NUMBER, memory),
    FIELD(LOG_NUMBER, memory_peak),
    FIELD(LOG_TEXT, set),
    FIELD(LOG_NUMBER, count),
    FIELD(LOG_NUMBER, wrong),
    FIELD(LOG_TEXT, text),
    FIELD(LOG_TEXT, status),
    FIELD(LOG_TEXT, time),
    FIELD(LOG_OBJECT, norms),
};

enum { FIELDS = sizeof fields / sizeof *fields };

static void clear_line(event_line *line)
{
    *line = (event_line){0};
    for (int i = 0; i < FIELDS; i++)
        if (fields[i].kind == LOG_NUMBER)
            *(double *)((char *)line + fields[i].offset) = NAN;
}

static void take_member(event_line *line, const log_member *member)
{
    for (int i = 0; i < FIELDS; i++) {
        if (fields[i].kind != member->kind || !log_span_is(member->key, fields[i].key))
            continue;
        void *place = (char *)line + fields[i].offset;
        if (member->kind == LOG_NUMBER)
            *(double *)place = member->number;
        else
            *(log_span *)place = member->value;
        return;
    }
}

static bool parse_line(event_line *line, log_span text)
{
    log_scan scan = log_scan_begin(text);
    log_member member;

    clear_line(line);
    while (log_scan_next(&scan, &member))
        take_member(line, &member);
    return !scan.damaged;
}

static bool is_whole(double value)
{
    return value >= 0 && value <= LARGEST_WHOLE && value == floor(value);
}

static int64_t whole_or(double value, int64_t other)
{
    return is_whole(value) ? (int64_t)value : other;
}

static double seconds_of(const rn_history_reader *reader, const event_line *line)
{
    return reader->before + line->seconds;
}

// Forget what lies behind an iteration: a run that resumes there does it again. Notes stay: of
// those that come before a run resumes, the log does not say where it stands.
static void rewind_to(rn_history_reader *r, int64_t iteration)
{
    while (r->step_count > 0 && r->steps[r->step_count - 1].iteration > iteration)
        r->step_count--;
    while (r->evaluation_count > 0 && r->evaluations[r->evaluation_count - 1].iteration > iteration)
        r->evaluation_count--;
    while (r->gradients_count > 0 && r->gradients[r->gradients_count - 1].iteration > iteration)
        r->norm_count = r->gradients[--r->gradients_count].first;
}

// Every point's line says where the run is.
static int64_t arrive(rn_history_reader *reader, const event_line *line)
{
    int64_t iteration = (int64_t)line->iteration;

    if (iteration < reader->iteration)
        rewind_to(reader, iteration);
    reader->iteration = iteration;
    if (isfinite(line->epoch))
        reader->epoch = line->epoch;
    reader->iterations = whole_or(line->iterations, reader->iterations);
    return iteration;
}

static double last_seconds(const rn_history_reader *r)
{
    double seconds = 0;

    if (r->step_count > 0)
        seconds = fmax(seconds, r->steps[r->step_count - 1].seconds);
    if (r->evaluation_count > 0)
        seconds = fmax(seconds, r->evaluations[r->evaluation_count - 1].seconds);
    return seconds;
}

static rn_status replace_text(char **place, log_span text)
{
    char *copy;
    rn_status st = log_span_text(&copy, text);

    if (st != RN_OK)
        return st;
    rn_free(*place);
    *place = copy;
    return RN_OK;
}

// A process begins, anew or where another ended.
static rn_status begin(rn_history_reader *reader, const event_line *line)
{
    rn_status st = RN_OK;

    RN_TRY(replace_text(&reader->started, line->time));
    RN_TRY(replace_text(&reader->ended, (log_span){"", 0}));
    RN_TRY(replace_text(&reader->message, (log_span){"", 0}));
    arrive(reader, line);
    reader->before = reader->seconds = last_seconds(reader);
    reader->state = RN_HISTORY_RUNNING;
out:
    return st;
}

static rn_status take_start(rn_history_reader *reader, const event_line *line)
{
    rn_status st = RN_OK;

    if (line->text.length > 0)
        RN_TRY(replace_text(&reader->log_model, line->text));
    RN_TRY(begin(reader, line));
out:
    return st;
}

static rn_status take_resume(rn_history_reader *reader, const event_line *line)
{
    rn_status st = begin(reader, line);

    reader->resumed += st == RN_OK;
    return st;
}

static rn_status take_step(rn_history_reader *reader, const event_line *line)
{
    rn_status st;

    RN_TRY(rn_grow((void **)&reader->steps, &reader->step_room, reader->step_count + 1,
                   sizeof *reader->steps));
    int64_t iteration = arrive(reader, line);
    if (reader->step_count > 0 && reader->steps[reader->step_count - 1].iteration == iteration)
        reader->step_count--;
    reader->steps[reader->step_count++] = (rn_history_step){
        .iteration = iteration,
        .epoch = line->epoch,
        .seconds = seconds_of(reader, line),
        .loss = line->loss,
        .error = line->error,
        .lr = line->lr,
        .images_per_second = line->images_per_second,
        .data_wait = line->data_wait,
        .eta = line->eta,
        .memory = line->memory,
        .memory_peak = line->memory_peak,
    };
out:
    return st;
}

// The place of a set's evaluation: that of an earlier one at this iteration, or a new one.
static rn_history_evaluation *evaluation_place(rn_history_reader *r, int64_t iteration,
                                               const char *set)
{
    for (size_t i = r->evaluation_count; i > 0 && r->evaluations[i - 1].iteration == iteration; i--)
        if (r->evaluations[i - 1].set == set)
            return &r->evaluations[i - 1];
    return &r->evaluations[r->evaluation_count++];
}

static rn_status take_evaluation(rn_history_reader *reader, const event_line *line)
{
    rn_status st;
    char *name = NULL;
    int set;

    RN_TRY(rn_grow((void **)&reader->evaluations, &reader->evaluation_room,
                   reader->evaluation_count + 1, sizeof *reader->evaluations));
    RN_TRY(log_span_text(&name, line->set));
    RN_TRY(history_names_find(&reader->sets, (log_span){name, strlen(name)}, &set));
    if (set < 0 || set >= MOST_SETS)
        goto out;
    int64_t iteration = arrive(reader, line);
    *evaluation_place(reader, iteration, reader->sets.names[set]) = (rn_history_evaluation){
        .iteration = iteration,
        .epoch = line->epoch,
        .seconds = seconds_of(reader, line),
        .loss = line->loss,
        .error = line->error,
        .count = whole_or(line->count, -1),
        .wrong = whole_or(line->wrong, -1),
        .set = reader->sets.names[set],
    };
out:
    rn_free(name);
    return st;
}

static rn_status take_note(rn_history_reader *reader, const event_line *line)
{
    rn_status st;
    char *text = NULL;

    RN_TRY(rn_grow((void **)&reader->notes, &reader->note_room, reader->note_count + 1,
                   sizeof *reader->notes));
    RN_TRY(log_span_text(&text, line->text));
    reader->notes[reader->note_count++] = (rn_history_note){
        .iteration = (int64_t)line->iteration,
        .epoch = line->epoch,
        .seconds = seconds_of(reader, line),
        .text = text,
    };
out:
    return st;
}

static rn_status add_norm(rn_history_reader *reader, const log_member *member)
{
    rn_status st;
    char *name = NULL;
    int layer;

    RN_TRY(log_span_text(&name, member->key));
    RN_TRY(history_names_find(&reader->layers, (log_span){name, strlen(name)}, &layer));
    if (layer < 0)
        goto out;
    RN_TRY(rn_grow((void **)&reader->norms, &reader->norm_room, reader->norm_count + 1,
                   sizeof *reader->norms));
    reader->norms[reader->norm_count++] = (rn_history_norm){layer, member->number};
out:
    rn_free(name);
    return st;
}

static rn_status take_gradients(rn_history_reader *reader, const event_line *line)
{
    rn_status st;
    log_scan scan = log_scan_begin(line->norms);
    log_member member;

    if (reader->guard != NULL) {
        arrive(reader, line);
        return RN_OK;
    }
    RN_TRY(rn_grow((void **)&reader->gradients, &reader->gradients_room,
                   reader->gradients_count + 1, sizeof *reader->gradients));
    int64_t iteration = arrive(reader, line);
    if (reader->gradients_count > 0 &&
        reader->gradients[reader->gradients_count - 1].iteration == iteration)
        reader->norm_count = reader->gradients[--reader->gradients_count].first;
    const size_t first = reader->norm_count;
    while (st == RN_OK && line->norms.length > 0 && log_scan_next(&scan, &member))
        st = add_norm(reader, &member);
    if (st != RN_OK) {
        reader->norm_count = first;
        goto out;
    }
    reader->gradients[reader->gradients_count++] =
        (rn_history_gradients){.iteration = iteration,
                               .epoch = line->epoch,
                               .seconds = seconds_of(reader, line),
                               .first = first,
                               .count = reader->norm_count - first};
out:
    return st;
}

// Steps since the last line of steps are told of by what comes after them.
static rn_status take_place(rn_history_reader *reader, const event_line *line)
{
    if ((int64_t)line->iteration > reader->iteration)
        arrive(reader, line);
    return RN_OK;
}

static rn_status take_end(rn_history_reader *reader, const event_line *line)
{
    rn_status st;

    RN_TRY(take_place(reader, line));
    RN_TRY(replace_text(&reader->message, line->text));
    RN_TRY(replace_text(&reader->ended, line->time));
    reader->state = log_span_is(line->status, rn_status_text(RN_OK)) ? RN_HISTORY_DONE
                    : log_span_is(line->status, rn_status_text(RN_EINTERRUPTED))
                        ? RN_HISTORY_STOPPED
                        : RN_HISTORY_FAILED;
out:
    return st;
}

static const struct {
    const char *event;
    rn_status (*take)(rn_history_reader *reader, const event_line *line);
} kinds[] = {
    {"step", take_step},           {"evaluation", take_evaluation},
    {"gradients", take_gradients}, {"note", take_note},
    {"start", take_start},         {"resume", take_resume},
    {"checkpoint", take_place},    {"end", take_end},
};

rn_status history_take_line(rn_history_reader *reader, log_span text, bool *damaged)
{
    rn_status st = RN_OK;
    event_line line;

    *damaged = !parse_line(&line, text) || line.event.text == NULL;
    for (size_t i = 0; !*damaged && i < sizeof kinds / sizeof *kinds; i++) {
        if (!log_span_is(line.event, kinds[i].event))
            continue;
        *damaged = !is_whole(line.iteration);
        if (!*damaged)
            RN_TRY(kinds[i].take(reader, &line));
        break;
    }
    if (!*damaged) // of whatever kind: the clock goes on, but for notes of a process yet to resume
        reader->seconds = fmax(reader->seconds, seconds_of(reader, &line));
out:
    return st;
}

static void forget_texts(rn_history_reader *r)
{
    char **const texts[] = {&r->log_model, &r->message, &r->started, &r->ended};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rn_free(*texts[i]);
        *texts[i] = NULL;
    }
}

void history_forget_log(rn_history_reader *r)
{
    rewind_to(r, -1);
    while (r->note_count > 0)
        rn_free((char *)r->notes[--r->note_count].text);
    history_names_release(&r->sets);
    history_names_release(&r->layers);
    forget_texts(r);
    r->done = 0;
    r->lines = r->damaged = r->first_damaged = r->head_size = 0;
    r->state = RN_HISTORY_RUNNING;
    r->iteration = r->iterations = 0;
    r->epoch = 0;
    r->resumed = 0;
    r->before = r->seconds = 0;
}

void history_reader_release(rn_history_reader *r)
{
    history_forget_log(r);
    rn_free(r->steps);
    rn_free(r->evaluations);
    rn_free(r->notes);
    rn_free(r->gradients);
    rn_free(r->norms);
}
