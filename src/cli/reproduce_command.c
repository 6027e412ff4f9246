#include "cli/command.h"
#include "cli/reproduce_jobs.h"
#include "cli/reproduce_plan.h"
#include "cli/run_folder.h"
#include "cli/signals.h"
#include "cli/term.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** One call. */
typedef struct call {
    const cli_arguments *args;
    rn_target *target; // NULL where the word is a folder
    rn_reproduction *reproduction;
    char *folder, *source;
    rn_reproduce_settings asked; // by options
    double budget;               // seconds; 0: none
    int processes;
    bool quiet;
} call;

static rn_status print_list(void)
{
    rn_status st = RN_OK;

    for (int i = 0; rn_target_name(i) != NULL; i++) {
        rn_target *target = NULL;
        RN_TRY(rn_target_load(&target, rn_target_name(i)));
        printf("%s%-14s%s %s\n", cli_style(stdout, CLI_BOLD), target->name,
               cli_style(stdout, CLI_NORMAL), target->title);
        printf("%-14s ", "");
        cli_wrap(stdout, target->paper, 15, 15, cli_width(stdout));
        printf("%-14s %d network%s, %d claims%s%s\n", "", target->run_count,
               target->run_count == 1 ? "" : "s", target->claim_count,
               target->needs != NULL ? "; needs " : "", target->needs != NULL ? target->needs : "");
        rn_target_free(target);
    }
out:
    return st;
}

static bool holds_plan(const char *folder)
{
    char *path = NULL;
    bool holds = cli_format(&path, "%s/plan.json", folder) == RN_OK && cli_is_file(path);

    free(path);
    return holds;
}

// The word is a target, or the folder of a reproduction that has been begun.
static rn_status read_word(call *c)
{
    rn_status st;
    const char *word = c->args->words[0], *out = cli_text(c->args, "out");

    if (holds_plan(word)) {
        if (out != NULL && strcmp(out, word) != 0)
            return rn_error(RN_EINVAL, "'%s' and '--out %s' name two folders", word, out);
        return cli_format(&c->folder, "%s", word);
    }
    st = rn_target_load(&c->target, word);
    if (st == RN_ENOTFOUND && strchr(word, '/') == NULL && strstr(word, ".json") == NULL)
        return RN_EINVAL; // a name misspelt, no file missing
    if (st != RN_OK)
        return st;
    if (out != NULL)
        return cli_format(&c->folder, "%s", out);
    return cli_format(&c->folder, "reproduce/%s", c->target->name);
}

static rn_status read_budget(call *c)
{
    const char *text = cli_text(c->args, "budget");

    if (text == NULL)
        return RN_OK;
    if (cli_given(c->args, "scale"))
        return rn_error(RN_EINVAL, "'--budget' and '--scale' exclude each other");
    if (!rn_duration_parse(text, &c->budget))
        return rn_error(RN_EINVAL,
                        "option '--budget' is '%s', expected a time such as 30m or 1h30m", text);
    c->asked.budget = text;
    return RN_OK;
}

static rn_status read_options(call *c)
{
    rn_status st;
    const cli_arguments *args = c->args;

    c->quiet = cli_flag(args, "quiet");
    c->processes = (int)cli_integer(args, "processes");
    c->asked.seeds = (int)cli_integer(args, "runs");
    c->asked.scale = cli_real(args, "scale");
    c->asked.batch = (int)cli_integer(args, "batch");
    c->asked.memory = cli_text(args, "memory");
    RN_TRY(read_budget(c));
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    if (cli_given(args, "threads"))
        c->asked.threads = rn_threads() > c->processes ? rn_threads() / c->processes : 1;
    if (cli_given(args, "data"))
        RN_TRY(cli_source_absolute(&c->source, cli_text(args, "data")));
    c->asked.source = c->source;
out:
    return st;
}

// Data

static rn_status no_data(const rn_target *target)
{
    const char *needs = target->needs != NULL ? target->needs : "data";

    return rn_error(
        RN_EINVAL, "target '%s' needs %s: name its folder with --data%s", target->name, needs,
        strcmp(needs, "CIFAR-10") == 0 ? " ('resnet data download cifar10' fetches it)" : "");
}

static rn_status find_source(call *c)
{
    rn_status st;

    if (c->source != NULL)
        return RN_OK;
    if (c->target->source == NULL)
        return no_data(c->target);
    RN_TRY(cli_source_absolute(&c->source, c->target->source));
    if (*c->source == '/' && access(c->source, F_OK) != 0)
        st = no_data(c->target);
out:
    return st;
}

static void describe_data(rn_reproduce_settings *settings, const rn_samples *train,
                          const rn_samples *test)
{
    settings->train_count = train->count;
    settings->test_count = test->count;
    settings->network.classes = train->classes;
    if (train->photos != NULL)
        return;
    settings->network.channels = train->channels;
    settings->network.height = train->height;
    settings->network.width = train->width;
}

static rn_status open_data(call *c, rn_reproduce_settings *settings, char **name)
{
    rn_status st;
    rn_samples *train = NULL, *test = NULL;

    RN_TRY(find_source(c));
    RN_TRY(rn_data_open(&train, c->source, RN_SPLIT_TRAIN));
    RN_TRY(rn_data_open(&test, c->source, RN_SPLIT_TEST));
    describe_data(settings, train, test);
    RN_TRY(cli_format(name, "%s", train->name));
    settings->source = c->source;
    settings->data_name = *name;
out:
    rn_samples_free(test);
    rn_samples_free(train);
    return st;
}

// Beginning, and going on

static rn_status begin(call *c)
{
    rn_status st = RN_OK;
    rn_reproduce_settings settings = c->asked;
    char *name = NULL;

    if (settings.threads == 0)
        settings.threads = rn_threads() > c->processes ? rn_threads() / c->processes : 1;
    if (!c->target->cost)
        RN_TRY(open_data(c, &settings, &name));
    if (c->budget > 0) {
        const cli_budget budget = {c->args->words[0], c->budget, c->processes};
        RN_TRY(cli_budget_choose(&settings, &budget, c->folder, c->quiet));
    }
    rn_target *target = c->target;
    c->target = NULL; // the reproduction's from here on
    RN_TRY(rn_reproduction_create(&c->reproduction, target, &settings));
    if (!cli_flag(c->args, "plan"))
        RN_TRY(rn_reproduction_write(c->reproduction, c->folder));
out:
    free(name);
    return st;
}

static rn_status go_on(call *c)
{
    rn_status st;

    RN_TRY(rn_reproduction_read(&c->reproduction, c->folder));
    RN_TRY(rn_reproduction_agree(c->reproduction, c->target, &c->asked));
    if (!c->quiet)
        printf("going on with '%s'\n\n", c->folder);
out:
    return st;
}

static rn_status make_folders(const char *path)
{
    rn_status st;
    char *copy = NULL;

    RN_TRY(cli_format(&copy, "%s", path));
    for (char *slash = copy + 1;; slash++) {
        slash += strcspn(slash, "/");
        bool last = *slash == '\0';
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) {
            st = rn_error(RN_EIO, "cannot make '%s': %s", copy, strerror(errno));
            break;
        }
        if (last)
            break;
        *slash = '/';
    }
out:
    free(copy);
    return st;
}

// Two callers that begin at the same time: the second finds the first one's plan.
static rn_status prepare(call *c)
{
    rn_status st;
    char *path = NULL;
    int lock = -1;

    RN_TRY(make_folders(c->folder));
    RN_TRY(cli_format(&path, "%s/plan.lock", c->folder));
    RN_TRY(cli_lock_file(&lock, path, true));
    RN_TRY(holds_plan(c->folder) ? go_on(c) : begin(c));
out:
    if (lock >= 0)
        close(lock);
    free(path);
    return st;
}

static rn_status show_plan(const call *c)
{
    rn_status st;
    cli_calibration calibration = {.folder = c->folder, .quiet = c->quiet};

    if (c->quiet && !cli_flag(c->args, "plan"))
        return RN_OK;
    RN_TRY(cli_calibrate(&calibration, c->reproduction));
    RN_TRY(cli_reproduce_print_plan(c->reproduction, calibration.costs, c->processes, c->folder));
out:
    cli_calibration_release(&calibration);
    return st;
}

static void say_how_to_go_on(const call *c)
{
    fflush(stdout);
    fprintf(stderr, "stopped by %s; what was done is saved\nto go on: resnet reproduce ",
            cli_signal_name());
    cli_print_quoted(stderr, c->folder);
    fputc('\n', stderr);
}

// Claims that do not hold are a result; runs without one are not.
static rn_status conclude(const call *c)
{
    rn_status st;
    rn_report_counts counts;

    RN_TRY(rn_reproduction_report(&counts, c->reproduction, c->folder));
    printf("%s%d of %d done; claims: %d shown, %d contradicted, %d not decided\n",
           c->quiet ? "" : "\n", counts.done, counts.jobs, counts.shown, counts.contradicted,
           counts.claims - counts.shown - counts.contradicted);
    printf("report: %s/report.html, %s/report.md\n", c->folder, c->folder);
    if (counts.done < counts.jobs)
        st = rn_error(RN_EDIVERGED, "%d of %d have no result; '%s/report.md' says why",
                      counts.jobs - counts.done, counts.jobs, c->folder);
    else if (cli_flag(c->args, "strict") && counts.shown < counts.claims)
        st = rn_error(RN_EDIVERGED, "%d of %d claims are not shown", counts.claims - counts.shown,
                      counts.claims);
out:
    return st;
}

static size_t most_memory(const call *c)
{
    size_t given = 0;
    double physical = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    if (c->reproduction->settings.memory != NULL &&
        cli_size_parse(c->reproduction->settings.memory, &given))
        return given;
    return (size_t)(0.9 * physical);
}

static rn_status reproduce(call *c)
{
    rn_status st;

    RN_TRY(read_word(c));
    RN_TRY(read_options(c));
    cli_signals_catch();
    RN_TRY(prepare(c));
    RN_TRY(show_plan(c));
    if (cli_flag(c->args, "plan"))
        goto out;
    if (!c->quiet)
        printf("\n");
    const cli_reproduce_run run = {.reproduction = c->reproduction,
                                   .folder = c->folder,
                                   .processes = c->processes,
                                   .memory = most_memory(c),
                                   .quiet = c->quiet};
    RN_TRY(cli_reproduce_jobs(&run));
    RN_TRY(conclude(c));
out:
    if (st == RN_EINTERRUPTED)
        say_how_to_go_on(c);
    return st;
}

static rn_status run_reproduce(const cli_arguments *args)
{
    call c = {.args = args};
    rn_status st;

    if (cli_flag(args, "list"))
        return print_list();
    if (args->word_count == 0)
        return rn_error(RN_EINVAL, "'resnet reproduce' expects TARGET, for example fig6; --list "
                                   "shows them");
    st = reproduce(&c);
    rn_target_free(c.target);
    rn_reproduction_free(c.reproduction);
    free(c.folder);
    free(c.source);
    return st;
}

static const cli_option options[] = {
    {.name = "list", .kind = CLI_FLAG, .help = "show the targets that there are"},
    {.name = "plan",
     .kind = CLI_FLAG,
     .help = "print what would be run, with time and memory, and stop"},
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FOLDER,
     .argument = "FOLDER",
     .help = "where everything goes; by default reproduce/TARGET"},
    {.name = "data",
     .letter = 'd',
     .kind = CLI_SOURCE,
     .argument = "SOURCE",
     .help = "the data; CIFAR-10 is looked for in 'data'"},
    {.name = "runs",
     .letter = 'n',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "runs of each network, with seeds 1 to N; by default as many as the target says",
     .low = 1,
     .high = 1000},
    {.name = "scale",
     .kind = CLI_REAL,
     .argument = "S",
     .help = "share of the paper's cost: iterations, depth and width are shrunk as the target says",
     .low = CLI_ABOVE_ZERO,
     .high = 1},
    {.name = "budget",
     .kind = CLI_TEXT,
     .argument = "TIME",
     .help = "choose the largest scale that takes no longer on this machine, such as 30m or 1h30m"},
    {.name = "processes",
     .letter = 'p',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "runs side by side, which share the threads",
     .fallback = "1",
     .low = 1,
     .high = 256},
    CLI_MEMORY_OPTION(
        "most memory that each run may take; steps whose cost is measured are left out "
        "if they need more"),
    {.name = "batch",
     .letter = 'b',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "pictures of a step whose cost is measured (depth-cost)",
     .low = 1,
     .high = 65536},
    {.name = "strict", .kind = CLI_FLAG, .help = "exit with status 1 unless every claim is shown"},
    {.name = "quiet", .letter = 'q', .kind = CLI_FLAG, .help = "print the result only"},
    CLI_THREADS_OPTION,
    {0}};

const cli_command cli_reproduce = {
    .name = "reproduce",
    .usage = "TARGET|FILE|FOLDER",
    .summary = "run an experiment of the papers and compare",
    .description =
        "Run what a figure or table of the papers shows, and write a report: results beside the "
        "paper's, and which of its claims hold, over several seeds.\n\n"
        "TARGET is one of --list, or a JSON file like them. Each run is an ordinary run folder, "
        "made by 'resnet train' in a process of its own, and the report has the command lines. "
        "Whatever ends this program, the same command, or 'resnet reproduce FOLDER', goes on, and "
        "the report will be the same. A second call with the same folder, on this machine or "
        "another one, takes part.\n\n"
        "With --scale or --budget networks and trainings are shrunk until they fit, and the report "
        "says what was shrunk.",
    .examples = "resnet reproduce --list\n"
                "resnet reproduce fig6 --data cifar-10-batches-bin --plan\n"
                "resnet reproduce fig6 --data cifar-10-batches-bin --budget 2h --runs 1\n"
                "resnet reproduce reproduce/fig6 --processes 2\n"
                "resnet reproduce depth-cost --batch 16",
    .most = 1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_reproduce,
};
