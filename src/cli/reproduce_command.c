#include "cli/command.h"
#include "cli/reproduce_run.h"
#include "cli/run_folder.h"
#include "cli/term.h"

// NULL: what it takes where nothing is named is generated.
static const char *needs_of(const rn_target *target)
{
    return target->source != NULL && cli_source_is_generated(target->source) ? NULL : target->needs;
}

static rn_status print_list(void)
{
    rn_status st = RN_OK;

    for (int i = 0; rn_target_name(i) != NULL; i++) {
        rn_target *target = NULL;
        RN_TRY(rn_target_load(&target, rn_target_name(i)));
        const char *needs = needs_of(target);
        printf("%s%-14s%s %s\n", cli_style(stdout, CLI_BOLD), target->name,
               cli_style(stdout, CLI_NORMAL), target->title);
        printf("%-14s ", "");
        cli_wrap(stdout, target->paper, 15, 15, cli_width(stdout));
        printf("%-14s %d network%s, %d claims%s%s\n", "", target->run_count,
               target->run_count == 1 ? "" : "s", target->claim_count,
               needs != NULL ? "; needs " : "", needs != NULL ? needs : "");
        rn_target_free(target);
    }
out:
    return st;
}

// Claims that do not hold are a result; runs without one are not, unless the report was all that
// was asked for.
static rn_status conclude(const cli_reproduction *c, bool so_far, bool strict)
{
    rn_report_counts counts;
    rn_status st = cli_reproduction_report(&counts, c);

    if (st != RN_OK && st != RN_EDIVERGED)
        return st;
    if (so_far)
        st = RN_OK;
    printf("%s%d of %d done; claims: %d shown, %d contradicted, %d not decided\n",
           c->quiet || so_far ? "" : "\n", counts.done, counts.jobs, counts.shown,
           counts.contradicted, counts.claims - counts.shown - counts.contradicted);
    printf("report%s: %s/report.html, %s/report.md\n",
           so_far && counts.done < counts.jobs ? " so far" : "", c->folder, c->folder);
    if (st == RN_OK && strict && counts.shown < counts.claims)
        st = rn_error(RN_EDIVERGED, "%d of %d claims are not shown", counts.claims - counts.shown,
                      counts.claims);
    return st;
}

static rn_status check_pairs(const cli_arguments *args)
{
    static const char *const pairs[][2] = {
        {"budget", "scale"}, {"report", "plan"}, {"report", "processes"}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (cli_given(args, pairs[i][0]) && cli_given(args, pairs[i][1]))
            return rn_error(RN_EINVAL, "'--%s' and '--%s' exclude each other", pairs[i][0],
                            pairs[i][1]);
    return RN_OK;
}

static rn_status reproduce(cli_reproduction *c, const cli_arguments *args)
{
    rn_status st;
    const bool report = cli_flag(args, "report");

    RN_TRY(check_pairs(args));
    c->asked.scale = cli_real(args, "scale");
    c->asked.batch = (int)cli_integer(args, "batch");
    c->asked.memory = cli_text(args, "memory");
    c->plan_only = cli_flag(args, "plan");
    RN_TRY(cli_reproduction_find(c, args->words[0], cli_text(args, "out"), "reproduce"));
    RN_TRY(cli_reproduction_options(c, args));
    RN_TRY(report ? cli_reproduction_open(c) : cli_reproduction_run(c));
    if (!c->plan_only)
        RN_TRY(conclude(c, report, cli_flag(args, "strict")));
out:
    return st;
}

static rn_status run_reproduce(const cli_arguments *args)
{
    cli_reproduction c = {.again = "resnet reproduce"};
    rn_status st;

    if (cli_flag(args, "list"))
        return print_list();
    if (args->word_count == 0)
        return rn_error(RN_EINVAL, "'resnet reproduce' expects TARGET, for example fig6; --list "
                                   "shows them");
    st = reproduce(&c, args);
    cli_reproduction_release(&c);
    return st;
}

static const cli_option options[] = {
    {.name = "list", .kind = CLI_FLAG, .help = "show the targets that there are"},
    {.name = "plan",
     .kind = CLI_FLAG,
     .help = "print what would be run, with time and memory, and stop"},
    {.name = "report",
     .kind = CLI_FLAG,
     .help = "write the report of what is done so far, whoever works on the rest, and stop"},
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FOLDER,
     .argument = "FOLDER",
     .help = "where everything goes; by default reproduce/TARGET"},
    CLI_REPRODUCTION_DATA_OPTION("the data; CIFAR-10 is looked for in 'data'"),
    {.name = "scale",
     .kind = CLI_REAL,
     .argument = "S",
     .help = "share of the target's cost: iterations, data, depth and width are shrunk as the "
             "target says",
     .low = CLI_ABOVE_ZERO,
     .high = 1},
    {.name = "budget",
     .kind = CLI_TEXT,
     .argument = "TIME",
     .help = "choose the largest scale that takes no longer on this machine, such as 30m or 1h30m"},
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
    CLI_REPRODUCTION_OPTIONS,
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
                "resnet reproduce fig6 --data data --plan\n"
                "resnet reproduce fig6 --data data --budget 2h --runs 1\n"
                "resnet reproduce reproduce/fig6 --processes 2\n"
                "resnet reproduce reproduce/fig6 --report\n"
                "resnet reproduce depth-cost --batch 16",
    .most = 1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_reproduce,
};
