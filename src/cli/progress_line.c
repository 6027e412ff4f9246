#include "cli/progress_line.h"

#include "cli/term.h"

#include <math.h>
#include <string.h>

enum { UNBOUNDED = 1000, LEAST_BAR = 10, MOST_BAR = 30 };

void cli_progress_init(cli_progress *progress, FILE *stream, bool quiet)
{
    *progress = (cli_progress){.stream = stream, .quiet = quiet, .live = cli_is_live(stream)};
}

// Columns, not bytes: continuation bytes of UTF-8 take none.
static int columns(const char *text)
{
    int count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static int joined_width(const cli_field *fields, int count, int rank, int gap)
{
    int width = 0;

    for (int i = 0; i < count; i++)
        if (fields[i].rank <= rank && fields[i].text[0] != '\0')
            width += columns(fields[i].text) + (width > 0 ? gap : 0);
    return width;
}

void cli_join_fields(char *line, size_t size, const cli_field *fields, int count, int room)
{
    int rank = 0, gap = 2;
    size_t used = 0;

    for (int i = 0; i < count; i++)
        if (fields[i].rank > rank)
            rank = fields[i].rank;
    while (joined_width(fields, count, rank, gap) > room && (rank > 0 || gap > 1)) {
        rank -= gap == 1; // closer together before anything is left out
        gap = gap == 1 ? 2 : 1;
    }
    line[0] = '\0';
    for (int i = 0; i < count && used < size; i++)
        if (fields[i].rank <= rank && fields[i].text[0] != '\0')
            used += (size_t)snprintf(line + used, size - used, "%*s%s", used > 0 ? gap : 0, "",
                                     fields[i].text);
}

void cli_draw_bar(char *bar, size_t size, double share, int width)
{
    bool utf8 = cli_is_utf8();
    const char *done = utf8 ? "\u2501" : "#", *rest = utf8 ? "\u2500" : "-";
    int filled = (int)(share * width + 0.5);
    size_t used = 0;

    bar[0] = '\0';
    for (int i = 0; i < width && used + 4 < size; i++)
        used += (size_t)snprintf(bar + used, size - used, "%s", i < filled ? done : rest);
}

static double share_done(const rn_event *event)
{
    return event->iterations > 0 ? (double)event->iteration / (double)event->iterations : 0;
}

// The whole training in epochs.
static double epochs_in_all(const rn_event *event)
{
    return event->iteration > 0 ? event->epoch / share_done(event) : 0;
}

// A measured value, which the first steps of a run do not have yet.
static void put(cli_field *field, int rank, const char *fmt, double value)
{
    field->rank = rank;
    snprintf(field->text, sizeof field->text, fmt, value);
}

// Everything in full, for a line that may be as long as it likes.
static int plain_fields(cli_field *fields, const rn_event *event)
{
    int n = 0;
    int digits = snprintf(NULL, 0, "%llu", (unsigned long long)event->iterations);

    snprintf(fields[n++].text, sizeof fields->text, "step %*llu/%llu", digits,
             (unsigned long long)event->iteration, (unsigned long long)event->iterations);
    snprintf(fields[n++].text, sizeof fields->text, "epoch %6.2f/%.4g", event->epoch,
             epochs_in_all(event));
    put(&fields[n++], 0, "loss %.4f", event->loss);
    put(&fields[n++], 0, "error %5.2f%%", event->error);
    put(&fields[n++], 0, "lr %-8.4g", event->lr);
    put(&fields[n++], 0, "%.0f images/s", event->images_per_second);
    put(&fields[n++], 0, "data wait %.1f%%", 100 * event->data_wait);
    snprintf(fields[n++].text, sizeof fields->text, "ETA %s", cli_duration(event->eta).text);
    return n;
}

// All of it fits into 80 columns, except in the longest trainings.
static int live_fields(cli_field *fields, const rn_event *event)
{
    double epochs = epochs_in_all(event);
    int n = 0;

    put(&fields[n++], 6, "%.0f%%", floor(100 * share_done(event)));
    fields[n].rank = 1;
    snprintf(fields[n++].text, sizeof fields->text,
             epochs < 100 ? "epoch %.1f/%.3g" : "epoch %.0f/%.0f", event->epoch, epochs);
    put(&fields[n++], 0, "loss %.4f", event->loss);
    put(&fields[n++], 2, "err %.1f%%", event->error);
    put(&fields[n++], 5, "lr %.3g", event->lr);
    put(&fields[n++], 3, "%.0f img/s", event->images_per_second);
    put(&fields[n++], 4, "wait %.1f%%", 100 * event->data_wait);
    snprintf(fields[n++].text, sizeof fields->text, "ETA %s", cli_duration(event->eta).text);
    return n;
}

static void draw(cli_progress *progress)
{
    cli_field fields[9] = {0};
    char line[512], bar[4 * MOST_BAR + 8];
    int room = cli_width(progress->stream) - 1; // a full line would wrap on some terminals
    int count = live_fields(fields, &progress->step);

    cli_join_fields(line, sizeof line, fields, count, room);
    int space = room - columns(line) - 2;
    fputs("\r\033[K", progress->stream);
    if (space >= LEAST_BAR) {
        cli_draw_bar(bar, sizeof bar, share_done(&progress->step),
                     space < MOST_BAR ? space : MOST_BAR);
        fprintf(progress->stream, "%s%s%s  ", cli_style(progress->stream, CLI_GREEN), bar,
                cli_style(progress->stream, CLI_NORMAL));
    }
    fputs(line, progress->stream);
    fflush(progress->stream);
    progress->drawn = true;
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", progress->stream);
    progress->drawn = false;
}

static void show_step(cli_progress *progress, const rn_event *event)
{
    cli_field fields[9] = {0};
    char line[512];

    progress->step = *event;
    progress->stepped = true;
    if (progress->live) {
        draw(progress);
        return;
    }
    cli_join_fields(line, sizeof line, fields, plain_fields(fields, event), UNBOUNDED);
    fprintf(progress->stream, "%s\n", line);
}

static void show_evaluation(cli_progress *progress, const rn_event *event)
{
    static const char mark[] = "  best";
    cli_field fields[6] = {0};
    char line[512];
    int room = progress->live ? cli_width(progress->stream) - (int)sizeof mark : UNBOUNDED, n = 0;

    put(&fields[n++], 0, "epoch %6.2f", event->epoch);
    if (progress->stepped) {
        put(&fields[n++], 2, "train error %5.2f%%", progress->step.error);
        put(&fields[n++], 2, "loss %.4f", progress->step.loss);
    }
    snprintf(fields[n++].text, sizeof fields->text, "%s error %5.2f%%", event->set, event->error);
    put(&fields[n++], 1, "loss %.4f", event->loss);
    snprintf(fields[n].text, sizeof fields->text, "%s", cli_duration(event->seconds).text);
    fields[n++].rank = 3;
    cli_join_fields(line, sizeof line, fields, n, room);
    fprintf(progress->stream, "%s%s%s%s\n", line, cli_style(progress->stream, CLI_GREEN),
            event->best ? mark : "", cli_style(progress->stream, CLI_NORMAL));
}

// Something to look at until the first measured point.
static void show_start(cli_progress *progress)
{
    fprintf(progress->stream, "\r\033[Ktraining starts ...");
    progress->drawn = true;
}

static void show_text(cli_progress *progress, const char *label, const rn_event *event)
{
    if (event->text != NULL)
        fprintf(progress->stream, "%s%s\n", label, event->text);
}

void cli_progress_event(cli_progress *progress, const rn_event *event)
{
    if (progress->quiet || event->kind == RN_EVENT_CHECKPOINT || event->kind == RN_EVENT_GRADIENTS)
        return;
    if (event->kind == RN_EVENT_STEP) {
        show_step(progress, event);
        fflush(progress->stream);
        return;
    }
    bool redraw = progress->drawn && progress->stepped && event->kind != RN_EVENT_END;
    cli_progress_clear(progress);
    if (event->kind == RN_EVENT_EVALUATION)
        show_evaluation(progress, event);
    else if (event->kind == RN_EVENT_RESUME)
        show_text(progress, "continuing from ", event);
    else if (event->kind == RN_EVENT_NOTE)
        show_text(progress, "note: ", event);
    else if (progress->live && event->kind == RN_EVENT_START)
        show_start(progress);
    if (redraw)
        draw(progress);
    fflush(progress->stream);
}

void cli_redraw(FILE *stream, double share, const cli_field *fields, int count)
{
    char line[512], bar[4 * MOST_BAR + 8] = "";
    int room = cli_width(stream) - 1;

    if (share >= 0)
        cli_draw_bar(bar, sizeof bar, share, MOST_BAR);
    cli_join_fields(line, sizeof line, fields, count, room);
    bool wide = (int)strlen(line) + MOST_BAR + 2 <= room;
    fprintf(stream, "\r\033[K%s%s%s", wide ? bar : "", wide ? "  " : "", line);
    fflush(stream);
}
