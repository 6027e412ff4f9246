#include "cli/command.h"
#include "cli/confusion_files.h"
#include "cli/plot_chart.h"
#include "cli/run_folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    rn_status (*draw)(cli_chart *chart, const cli_plot_runs *runs, const cli_arguments *args);
    bool reads_log, has_panels;
    bool is_curve;     // over the training's course
    bool is_evaluated; // of evaluations, too
} kinds[] = {
    {"error", cli_plot_curves, true, true, true, true},
    {"loss", cli_plot_curves, true, true, true, true},
    {"lr", cli_plot_curves, true, true, true, false},
    {"rate", cli_plot_curves, true, true, true, false},
    {"gradients", cli_plot_gradients, true, true, false, false},
    {"responses", cli_plot_responses, false, false, false, false},
};

static int find_kind(const char *what)
{
    int kind = 0;

    while (strcmp(kinds[kind].name, what) != 0)
        kind++;
    return kind;
}

static bool is_confusion(const cli_arguments *args)
{
    return strcmp(cli_text(args, "what"), "confusion") == 0;
}

// "error.svg", unless it is said.
static rn_status choose_file(char **out, const cli_arguments *args)
{
    const char *file = cli_text(args, "out");

    *out = NULL;
    if (file == NULL)
        return cli_format(out, "%s.svg", cli_text(args, "what"));
    if (!cli_ends_in(file, ".png") && !cli_ends_in(file, ".svg") && strcmp(file, "-") != 0)
        return rn_error(
            RN_EINVAL, "option '--out' expects a name that ends in .svg or .png, found '%s'", file);
    return cli_format(out, "%s", file);
}

// "A,B" as two numbers.
static rn_status read_limits(rn_plot_range *range, const cli_arguments *args, const char *option)
{
    const char *text = cli_text(args, option);
    char *end;

    if (text == NULL)
        return RN_OK;
    range->low = strtod(text, &end);
    if (end != text && *end == ',') {
        const char *second = end + 1;
        range->high = strtod(second, &end);
        if (end != second && *end == '\0' && isfinite(range->low) && isfinite(range->high) &&
            range->low < range->high)
            return RN_OK;
    }
    return rn_error(RN_EINVAL, "option '--%s' expects two numbers LOW,HIGH, found '%s'", option,
                    text);
}

static rn_status set_limits(cli_chart *chart, const cli_arguments *args)
{
    rn_status st;
    rn_plot_range x = RN_PLOT_AUTOMATIC, y = RN_PLOT_AUTOMATIC;

    RN_TRY(read_limits(&x, args, "xlim"));
    RN_TRY(read_limits(&y, args, "ylim"));
    if (cli_flag(args, "log") && y.low <= 0) {
        st = rn_error(RN_EINVAL, "'--log' expects '--ylim' above 0, found %g", y.low);
        goto out;
    }
    for (int i = 0; i < RN_PLOT_MOST_PANELS; i++) {
        chart->panels[i].x_range = x;
        chart->panels[i].y_range = y;
    }
out:
    return st;
}

static rn_status write_chart(const cli_chart *chart, const char *path, int scale)
{
    rn_status st;
    char *text = NULL;
    rn_image *image = NULL;

    if (cli_ends_in(path, ".png"))
        RN_TRY(rn_plot_image(&image, &chart->plot, scale));
    else
        RN_TRY(rn_plot_svg(&text, &chart->plot));
    RN_TRY(cli_picture_write(path, text, image));
out:
    rn_image_free(image);
    rn_text_free(text);
    return st;
}

static void tell(const cli_arguments *args, const char *path, int count)
{
    if (strcmp(path, "-") != 0)
        printf("%s of %d run%s: %s\n", cli_text(args, "what"), count, count == 1 ? "" : "s", path);
}

static const char *title_of(const cli_arguments *args, const cli_plot_runs *runs)
{
    if (cli_given(args, "title"))
        return cli_text(args, "title");
    return runs->names == 1 ? runs->runs[0].label : NULL;
}

static rn_status refuse(const cli_arguments *args, const char *option, int kind)
{
    return cli_given(args, option)
               ? rn_error(RN_EINVAL, "'--%s' is not for '--what %s'", option, kinds[kind].name)
               : RN_OK;
}

// An option that would do nothing is a mistake.
static rn_status check_kind(const cli_arguments *args, int kind)
{
    static const char *const of_curves[] = {"x", "smooth", "mean"};
    rn_status st = RN_OK;

    for (size_t i = 0; i < sizeof of_curves / sizeof *of_curves && !kinds[kind].is_curve; i++)
        RN_TRY(refuse(args, of_curves[i], kind));
    if (!kinds[kind].is_evaluated)
        RN_TRY(refuse(args, "set", kind));
    if (!kinds[kind].has_panels)
        RN_TRY(refuse(args, "panels", kind));
    if (cli_flag(args, "mean") && strcmp(cli_text(args, "x"), "time") == 0)
        st = rn_error(RN_EINVAL, "'--mean' is not for '--x time': runs have no times in common");
out:
    return st;
}

static rn_status draw_chart(const cli_arguments *args, const char *path)
{
    rn_status st;
    const int kind = find_kind(cli_text(args, "what"));
    cli_plot_runs runs = {0};
    cli_chart chart = {0};

    RN_TRY(check_kind(args, kind));
    RN_TRY(set_limits(&chart, args));
    RN_TRY(cli_plot_runs_open(&runs, args, kinds[kind].reads_log));
    RN_TRY(kinds[kind].draw(&chart, &runs, args));
    if (cli_flag(args, "mean"))
        RN_TRY(cli_chart_average(&chart));
    chart.plot.panels = chart.panels;
    chart.plot.panel_count = kinds[kind].has_panels ? runs.panels : 2;
    chart.plot.title = title_of(args, &runs);
    RN_TRY(write_chart(&chart, path, (int)cli_integer(args, "scale")));
    tell(args, path, runs.count);
out:
    cli_chart_release(&chart);
    cli_plot_runs_release(&runs);
    return st;
}

// A matrix has no axes or curves.
static rn_status check_confusion(const cli_arguments *args)
{
    static const char *const others[] = {"x",    "log", "xlim",  "ylim",  "smooth",
                                         "mean", "set", "label", "panels"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cli_given(args, others[i]))
            return rn_error(RN_EINVAL, "'--%s' is not for '--what confusion'", others[i]);
    return RN_OK;
}

static rn_status draw_confusion(const cli_arguments *args, const char *path)
{
    rn_status st;
    rn_confusion *confusion = NULL;

    RN_TRY(check_confusion(args));
    if (args->word_count != 1)
        return rn_error(RN_EINVAL,
                        "'--what confusion' expects one file that 'resnet eval --confusion "
                        "FILE.csv' wrote, found %d words",
                        args->word_count);
    RN_TRY(rn_confusion_read(&confusion, args->words[0]));
    RN_TRY(cli_confusion_draw(path, confusion, cli_text(args, "title"),
                              (int)cli_integer(args, "scale")));
    if (strcmp(path, "-") != 0)
        printf("confusion of %d classes: %s\n", confusion->classes, path);
out:
    rn_confusion_free(confusion);
    return st;
}

static rn_status run_plot(const cli_arguments *args)
{
    rn_status st;
    char *path = NULL;

    RN_TRY(choose_file(&path, args));
    if (cli_given(args, "scale") && !cli_ends_in(path, ".png")) {
        st = rn_error(RN_EINVAL, "'--scale' is for PNG, '%s' is SVG", path);
        goto out;
    }
    st = is_confusion(args) ? draw_confusion(args, path) : draw_chart(args, path);
out:
    free(path);
    return st;
}

static const cli_option options[] = {
    {.name = "what",
     .letter = 'w',
     .kind = CLI_CHOICE,
     .argument = "WHAT",
     .help = "what to draw: error or loss of training (thin) and evaluation (bold), the learning "
             "rate, images per second, norms of gradients, standard deviations of layers' "
             "responses, or a confusion matrix",
     .fallback = "error",
     .choices = "error|loss|lr|rate|gradients|responses|confusion"},
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FILE,
     .argument = "FILE",
     .help = "ends in .svg or .png, or is '-': SVG on standard output (default: WHAT.svg)"},
    {.name = "x",
     .letter = 'x',
     .kind = CLI_CHOICE,
     .argument = "AXIS",
     .help = "what the curves are drawn over",
     .fallback = "iteration",
     .choices = "iteration|epoch|time"},
    {.name = "log", .kind = CLI_FLAG, .help = "logarithmic y axis"},
    {.name = "xlim", .kind = CLI_TEXT, .argument = "A,B", .help = "ends of the x axis"},
    {.name = "ylim",
     .kind = CLI_TEXT,
     .argument = "A,B",
     .help = "ends of the y axis (the papers' figures: 0,20)"},
    {.name = "smooth",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "draw means over N points of the training curves; the picture says so",
     .fallback = "1",
     .low = 1,
     .high = 10000},
    {.name = "mean",
     .kind = CLI_FLAG,
     .help =
         "draw the mean of runs with one label (by itself: one model), such as those of several "
         "seeds, and shade a standard deviation around the bold curve"},
    {.name = "set",
     .kind = CLI_TEXT,
     .argument = "NAME",
     .help = "whose evaluations to draw: test, validation, or of averaged weights 'test (ema)', "
             "'validation (ema)', which stand in for those (default: of each run those that there "
             "are most of)"},
    {.name = "label",
     .kind = CLI_TEXT,
     .argument = "L,...",
     .help = "the runs' names in the picture (default: their models where all differ, else their "
             "folders)"},
    {.name = "title", .kind = CLI_TEXT, .argument = "TEXT", .help = "title of the picture"},
    {.name = "panels",
     .kind = CLI_TEXT,
     .argument = "RUNS:RUNS",
     .help =
         "panels side by side with the same axes; RUNS: names or patterns of runs, separated by "
         "commas, perhaps behind TITLE="},
    {.name = "scale",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "of PNG: pixels for one of the SVG",
     .fallback = "2",
     .low = 1,
     .high = RN_PLOT_MOST_SCALE},
    {0}};

const cli_command cli_plot = {
    .name = "plot",
    .usage = "RUN...",
    .summary = "draw the curves of runs: error, loss, learning rate, speed",
    .description =
        "Draw what runs wrote into their logs, as the papers' figures do: training error thin, "
        "test error bold, a colour for each run. RUN is a run folder, of a training that is over "
        "or still goes on, or a folder with runs in it, also that of a reproduction.\n\n"
        "With --what responses, RUN may also be a file that 'resnet responses' wrote, of one model "
        "or of several; with --what "
        "confusion it is a file that 'resnet eval --confusion FILE.csv' wrote.",
    .examples = "resnet plot runs/resnet-20-cifar-10-quick\n"
                "resnet plot runs --ylim 0,20 --out figure6.png\n"
                "resnet plot runs --panels 'plain=plain-*:residual=resnet-*' --ylim 0,20\n"
                "resnet plot runs/a runs/b --what loss --log --x epoch --label 'lr 0.1,lr 0.2'\n"
                "resnet plot runs/seed-* --mean --x epoch\n"
                "resnet plot confusion.csv --what confusion",
    .least = 1,
    .most = -1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_plot,
};
