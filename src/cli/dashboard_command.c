#include "cli/command.h"
#include "cli/dashboard_options.h"
#include "cli/signals.h"

#include <stdlib.h>
#include <time.h>

static const char *token_of(const cli_arguments *args)
{
    const char *token = cli_text(args, "dashboard-token");

    return token != NULL ? token : getenv("RESNET_DASHBOARD_TOKEN");
}

rn_status cli_dashboard_open(rn_dashboard **out, const cli_arguments *args, const char *bind,
                             int port)
{
    return rn_dashboard_create(
        out, &(rn_dashboard_options){.bind = bind, .port = port, .token = token_of(args)});
}

void cli_dashboard_print(FILE *stream, const cli_arguments *args, const rn_dashboard *dashboard)
{
    fprintf(stream, "%s%s%s\n", rn_dashboard_url(dashboard),
            token_of(args) != NULL ? "?token=..." : "",
            rn_dashboard_moved(dashboard) ? "  (the usual port is in use)" : "");
}

static void wait_for_signal(void)
{
    const volatile sig_atomic_t *stop = cli_signals_catch();
    const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};

    while (*stop == 0) // a signal may go to another thread, and would not wake this one
        nanosleep(&pause, NULL);
}

static rn_status run_dashboard(const cli_arguments *args)
{
    rn_status st;
    rn_dashboard *dashboard = NULL;
    const char *folder = args->word_count > 0 ? args->words[0] : "runs";

    RN_TRY(cli_dashboard_open(&dashboard, args, cli_text(args, "bind"),
                              (int)cli_integer(args, "port")));
    RN_TRY(rn_dashboard_start(dashboard, folder, true));
    printf("dashboard of '%s': ", folder);
    cli_dashboard_print(stdout, args, dashboard);
    fflush(stdout);
    wait_for_signal();
out:
    rn_dashboard_free(dashboard);
    return st;
}

static const cli_option options[] = {
    {.name = "port",
     .letter = 'p',
     .kind = CLI_INTEGER,
     .argument = "PORT",
     .help = "port to serve at; by default 8015, or the next that is free",
     .low = 1,
     .high = 65535},
    {.name = "bind",
     .kind = CLI_TEXT,
     .argument = "ADDRESS",
     .help =
         "numeric address to serve at, such as 0.0.0.0, or localhost: one that other machines can "
         "reach needs --dashboard-token",
     .fallback = "127.0.0.1"},
    CLI_DASHBOARD_TOKEN_OPTION,
    {0}};

const cli_command cli_dashboard = {
    .name = "dashboard",
    .usage = "[RUNS]",
    .summary = "watch and compare trainings in a browser",
    .description =
        "Serve a page that shows the runs in a folder, or one run, while they are trained and "
        "after: curves, speed, memory, and what the network says of some test pictures.\n\n"
        "RUNS is a folder of run folders (also that of a reproduction) or a run folder; 'runs' if "
        "it "
        "is left out. It is only read. ^C ends the page. 'resnet train --dashboard' serves the "
        "same page while it trains.",
    .examples = "resnet dashboard\n"
                "resnet dashboard experiments --port 9000\n"
                "resnet dashboard runs --bind 0.0.0.0 --dashboard-token some-long-secret",
    .most = 1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_dashboard,
};
