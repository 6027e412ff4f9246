#include "cli/signals.h"

#include <stddef.h>
#include <unistd.h>

// A handler can reach nothing else.
static volatile sig_atomic_t stop;

// A hangup comes twice: from the shell, and from the kernel when the shell has gone.
static void on_signal(int signal_number)
{
    if (stop == 0)
        stop = signal_number;
    else if (signal_number != SIGHUP)
        _exit(128 + signal_number);
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

void cli_signals_block(sigset_t *before)
{
    sigset_t caught;

    sigemptyset(&caught);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(&caught, signals[i]);
    sigprocmask(SIG_BLOCK, &caught, before);
}

void cli_signals_restore(void)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction now;

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == on_signal)
            sigaction(signals[i], &usual, NULL);
}

const volatile sig_atomic_t *cli_signals_catch(void)
{
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
