#include "cli/command.h"
#include "cli/progress_line.h"
#include "cli/signals.h"
#include "cli/term.h"

#include <string.h>

typedef struct watch {
    bool live;
    bool drawn;
    double start, last; // seconds
    uint64_t first;     // bytes that were there already
    bool started;
} watch;

static void draw(watch *w, uint64_t done, uint64_t total, double now)
{
    double elapsed = now - w->start;
    double rate = elapsed > 0 ? (double)(done - w->first) / elapsed : 0;
    cli_field fields[4] = {0};

    if (total > 0) {
        snprintf(fields[0].text, sizeof fields->text, "%3.0f%%",
                 100 * (double)done / (double)total);
        snprintf(fields[1].text, sizeof fields->text, "%s of %s", cli_bytes((double)done).text,
                 cli_bytes((double)total).text);
        snprintf(fields[3].text, sizeof fields->text, "ETA %s",
                 rate > 0 ? cli_duration((double)(total - done) / rate).text : "?");
    } else {
        snprintf(fields[1].text, sizeof fields->text, "%s", cli_bytes((double)done).text);
    }
    snprintf(fields[2].text, sizeof fields->text, "%s/s", cli_bytes(rate).text);
    fields[2].rank = 1;
    cli_redraw(stderr, total > 0 ? (double)done / (double)total : -1, fields, 4);
    w->drawn = true;
}

static bool on_progress(uint64_t done, uint64_t total, void *context)
{
    watch *w = context;
    double now = rn_clock();

    if (!w->started) {
        w->started = true;
        w->start = now;
        w->first = done;
    }
    if (w->live && (now - w->last > 0.1 || done == total)) {
        draw(w, done, total, now);
        w->last = now;
    }
    return cli_signal() == 0;
}

static rn_status find_download(rn_download *out, const char *name)
{
    const char *names[16];
    size_t count = 0;
    const rn_download *download;

    for (; count < 16 && (download = rn_download_at((int)count)) != NULL; count++) {
        names[count] = download->name;
        if (strcmp(download->name, name) == 0) {
            *out = *download;
            return RN_OK;
        }
    }
    const char *nearest = rn_nearest(name, names, count);
    if (nearest != NULL)
        return rn_error(RN_EINVAL, "no known download '%s'; did you mean '%s'?", name, nearest);
    return rn_error(RN_EINVAL, "no known download '%s', expected cifar10 or cifar100", name);
}

static rn_status run_download(const cli_arguments *args)
{
    rn_status st;
    rn_download download;
    watch w = {.live = cli_is_live(stderr)};
    const char *folder = cli_text(args, "to");

    RN_TRY(find_download(&download, args->words[0]));
    if (cli_given(args, "url"))
        download.url = cli_text(args, "url");
    fprintf(stderr, "%s from %s\n", download.name, download.url);
    cli_signals_catch();
    st = rn_download_fetch(&download, folder, on_progress, &w);
    if (w.drawn)
        fputc('\n', stderr);
    if (st == RN_EINTERRUPTED)
        fprintf(stderr, "stopped; the same command goes on where this one stopped\n");
    RN_TRY(st);
    printf("%s is in %s; train on it: resnet train resnet-20 --data ", download.name, folder);
    cli_print_quoted(stdout, folder);
    printf("\n");
out:
    return st;
}

static const cli_option options[] = {{.name = "to",
                                      .letter = 'o',
                                      .kind = CLI_FOLDER,
                                      .argument = "FOLDER",
                                      .help = "where to put it",
                                      .fallback = "data"},
                                     {.name = "url",
                                      .kind = CLI_TEXT,
                                      .argument = "URL",
                                      .help = "another place to fetch the same archive from"},
                                     {0}};

const cli_command cli_data_download = {
    .name = "data download",
    .usage = "cifar10|cifar100",
    .summary = "fetch a data set",
    .description = "Fetch a data set's archive, check its sum and unpack it. A download that was "
                   "interrupted goes on where it stopped.",
    .examples = "resnet data download cifar10 --to data",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_DOWNLOAD,
    .options = options,
    .run = run_download,
};
