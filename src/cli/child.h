/** The program as its own child: a command in a process that ends with this one. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include "resnet/reproduce.h"

#include <sys/types.h>

/** Where a child works, and what becomes of what it writes. */
typedef struct cli_child_place {
    const char *folder; // its working folder
    const char *errors; // file for its standard error, written anew; NULL: memory
    int lock;           // descriptor that it holds as long as it lives; -1: none
} cli_child_place;

typedef struct cli_child {
    pid_t pid;  // 0: none
    int output; // what it wrote on standard output, in memory
    int errors; // and on standard error, unless that goes to a file
} cli_child;

/**
 * Start `resnet WORDS...` in a process group of its own, so that a ^C on the terminal reaches it
 * only through its parent. It is told to stop (SIGTERM) when the parent is no more.
 */
rn_status cli_child_start(cli_child *child, const rn_words *words, const cli_child_place *place);

/** Whether it has ended; `status` is then as waitpid() gives it: 127 where that fails. */
bool cli_child_ended(cli_child *child, int *status);

/** All of its standard output, which is released; the caller's (free()). */
rn_status cli_child_output(char **out, cli_child *child);

/** The last line of its standard error, which is in memory, without "resnet: error: ". */
void cli_child_reason(char *out, size_t size, const cli_child *child);

/** Wait for a child that has been started; a signal to this process is passed on once. */
rn_status cli_child_wait(cli_child *child, int *status);

void cli_child_release(cli_child *child);

#endif
