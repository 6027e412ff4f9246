/** Stopping in good order. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>

/**
 * From now on SIGINT, SIGTERM and SIGHUP (unless ignored, as under nohup) set a flag that holds the
 * signal's number; a second one but SIGHUP, which may come twice by itself, ends the process at
 * once with status 128 + number.
 */
const volatile sig_atomic_t *cli_signals_catch(void);

/** Hold these signals back until sigprocmask(SIG_SETMASK, before, NULL). */
void cli_signals_block(sigset_t *before);
/** What cli_signals_catch() caught ends the process again: of a child that is about to exec(). */
void cli_signals_restore(void);

/** The signal that came, or 0. */
int cli_signal(void);
/** "SIGINT"; "no signal". */
const char *cli_signal_name(void);

#endif
