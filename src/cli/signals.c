#include "cli/signals.h"

#include <stddef.h>
#include <unistd.h>

// A handler can reach nothing else.
static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
    if (stop != 0)
        _exit(128 + signal_number);
    stop = signal_number;
}

const volatile sig_atomic_t *cli_signals_catch(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    return &stop;
}

int cli_signal(void)
{
    return stop;
}

const char *cli_signal_name(void)
{
    switch (stop) {
    case 0:
        return "no signal";
    case SIGINT:
        return "SIGINT";
    case SIGTERM:
        return "SIGTERM";
    default:
        return "SIGHUP";
    }
}
