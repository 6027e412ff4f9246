#include "cli/bad_images.h"
#include "cli/command.h"
#include "cli/progress_line.h"
#include "cli/signals.h"
#include "cli/term.h"

#include <string.h>

typedef struct watch {
    bool live, drawn;
    double start, last; // seconds
    uint64_t first;     // pictures that were there already
} watch;

static void clear(watch *w)
{
    if (w->drawn)
        fputs("\r\033[K", stderr);
    w->drawn = false;
}

static void draw(watch *w, uint64_t done, uint64_t total, uint64_t bytes)
{
    double elapsed = rn_clock() - w->start;
    double rate = elapsed > 0 ? (double)(done - w->first) / elapsed : 0;
    cli_field fields[4] = {0};

    snprintf(fields[0].text, sizeof fields->text, "%s of %s pictures",
             cli_count((int64_t)done).text, cli_count((int64_t)total).text);
    snprintf(fields[1].text, sizeof fields->text, "%s", cli_bytes((double)bytes).text);
    snprintf(fields[2].text, sizeof fields->text, "%.0f/s", rate);
    snprintf(fields[3].text, sizeof fields->text, "ETA %s",
             rate > 0 ? cli_duration((double)(total - done) / rate).text : "?");
    fields[1].rank = 2;
    fields[2].rank = 1;
    cli_redraw(stderr, (double)done / (double)total, fields, 4);
    w->drawn = true;
}

static bool on_progress(uint64_t done, uint64_t total, uint64_t bytes, void *context)
{
    watch *w = context;
    double now = rn_clock();

    if (w->start == 0) {
        w->start = now;
        w->first = done - 1;
    }
    if (w->live && (now - w->last > 0.1 || done == total)) {
        draw(w, done, total, bytes);
        w->last = now;
    }
    return cli_signal() == 0;
}

static void on_bad(const char *file, bool ok, const char *finding, void *context)
{
    (void)ok;
    clear(context);
    fprintf(stderr, "left out %s: %s\n", file, finding);
}

static bool is_choice(const cli_arguments *args, const char *name, const char *value)
{
    const char *given = cli_text(args, name);

    return given != NULL && strcmp(given, value) == 0;
}

// Shrunk pictures are new files, so that JPEG is what is meant.
static rn_pack_format format_of(const cli_arguments *args)
{
    if (is_choice(args, "format", "raw"))
        return RN_PACK_RAW;
    if (is_choice(args, "format", "jpeg") ||
        (!cli_given(args, "format") && cli_given(args, "shorter")))
        return RN_PACK_JPEG;
    return RN_PACK_KEEP;
}

static void print_result(const rn_pack_result *result, const char *path)
{
    printf("%s: %s pictures, %s", path, cli_count((int64_t)result->pictures).text,
           cli_bytes((double)result->bytes).text);
    if (result->sets == 1)
        printf(", one set for training and test");
    if (result->skipped > 0)
        printf(", %s left out", cli_count((int64_t)result->skipped).text);
    if (result->resumed > 0)
        printf(", %s of an earlier call", cli_count((int64_t)result->resumed).text);
    printf("\n");
}

static rn_status run_pack(const cli_arguments *args)
{
    rn_status st;
    rn_pack_result result;
    watch w = {.live = cli_is_live(stderr)};
    rn_pack_options options = {
        .splits = is_choice(args, "split", "train")  ? RN_PACK_TRAIN
                  : is_choice(args, "split", "test") ? RN_PACK_TEST
                                                     : RN_PACK_BOTH,
        .format = format_of(args),
        .shorter = (int)cli_integer(args, "shorter"),
        .quality = (int)cli_integer(args, "quality"),
        .restart = cli_given(args, "restart"),
        .skip_bad = cli_bad_images(args) == RN_BAD_IMAGES_SKIP,
        .bad = on_bad,
        .progress = on_progress,
        .context = &w,
    };

    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    cli_signals_catch();
    st = rn_data_pack(&result, args->words[0], args->words[1], &options);
    clear(&w);
    if (st == RN_EINTERRUPTED)
        fprintf(stderr, "stopped; the same command goes on where this one stopped\n");
    RN_TRY(st);
    print_result(&result, args->words[1]);
out:
    return st;
}

static const cli_option options[] = {
    {.name = "split",
     .kind = CLI_CHOICE,
     .argument = "SPLIT",
     .help = "pack this split alone (default: both)",
     .choices = "train|test"},
    {.name = "shorter",
     .kind = CLI_INTEGER,
     .argument = "SIDE",
     .help = "shrink larger pictures to this shorter side",
     .low = 1,
     .high = 65500},
    {.name = "format",
     .kind = CLI_CHOICE,
     .argument = "FORMAT",
     .help = "what pictures become: keep leaves files as they are, raw is PPM (default: keep, with "
             "--shorter jpeg)",
     .choices = "keep|jpeg|raw"},
    {.name = "quality",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "of JPEG",
     .fallback = "95",
     .low = 1,
     .high = 100},
    {.name = "restart",
     .kind = CLI_FLAG,
     .help = "discard FILE.part, also of another job, and begin again"},
    CLI_BAD_IMAGES_OPTION("where a picture cannot be decoded, leave it out and say so, or stop",
                          "stop"),
    CLI_THREADS_OPTION,
    {0}};

const cli_command cli_data_pack = {
    .name = "data pack",
    .usage = "SOURCE FILE.rnpack",
    .summary = "put the pictures of a data set into one file",
    .description =
        "Put the encoded pictures of a data set, with names, labels and checksums, into one file, "
        "which takes the place of SOURCE everywhere. Each picture is decoded to see that it can "
        "be.\n\n"
        "The file is FILE.part until it is complete; the same command goes on where an earlier one "
        "was stopped or killed. A FILE.part of another source or of other options is left alone "
        "unless --restart is given. The result does not depend on that, nor on the number of "
        "threads.",
    .examples = "resnet data pack imagenet imagenet.rnpack --shorter 256 --bad-images skip\n"
                "resnet train resnet-50 --data imagenet.rnpack",
    .least = 2,
    .most = 2,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_pack,
};
