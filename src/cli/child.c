#include "cli/child.h"

#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_NO_PROGRAM = 127, MOST_OUTPUT = 64 << 20 };

static rn_status system_error(const char *what)
{
    return rn_error(RN_EIO, "%s: %s", what, strerror(errno));
}

static void redirect(int from, int to)
{
    if (from >= 0)
        dup2(from, to);
}

// Between fork() and exec(): only what is safe there.
static void become_program(const rn_words *words, const cli_child_place *place,
                           const cli_child *child, pid_t parent, const sigset_t *mask)
{
    char *arguments[RN_MAX_WORDS + 2] = {"resnet"};
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    setpgid(0, 0);
    cli_signals_restore(); // a flag of this copy's would be forgotten by exec()
    sigprocmask(SIG_SETMASK, mask, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || chdir(place->folder) != 0)
        _exit(STATUS_NO_PROGRAM);
    redirect(nowhere, STDIN_FILENO);
    redirect(child->output, STDOUT_FILENO);
    redirect(child->errors, STDERR_FILENO);
    if (place->errors != NULL)
        redirect(open(place->errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666),
                 STDERR_FILENO);
    if (place->lock >= 0)
        fcntl(place->lock, F_SETFD, 0);
    memcpy(arguments + 1, words->word, (size_t)words->count * sizeof *arguments);
    execv("/proc/self/exe", arguments);
    _exit(STATUS_NO_PROGRAM);
}

rn_status cli_child_start(cli_child *child, const rn_words *words, const cli_child_place *place)
{
    pid_t parent = getpid();
    sigset_t mask;

    signal(SIGCHLD, SIG_DFL); // if our parent ignored it, there would be nothing to wait for
    *child = (cli_child){.output = memfd_create("output", MFD_CLOEXEC),
                         .errors = memfd_create("errors", MFD_CLOEXEC)};
    if (child->output < 0 || child->errors < 0) {
        rn_status st = system_error("no memory for a process' output");
        cli_child_release(child);
        return st;
    }
    cli_signals_block(&mask);
    child->pid = fork();
    if (child->pid == 0)
        become_program(words, place, child, parent, &mask);
    const int reason = errno;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = reason;
    if (child->pid < 0) {
        rn_status st = system_error("cannot start a process");
        cli_child_release(child);
        return st;
    }
    setpgid(child->pid, child->pid); // whoever comes first
    return RN_OK;
}

bool cli_child_ended(cli_child *child, int *status)
{
    pid_t ended = waitpid(child->pid, status, WNOHANG);

    if (ended == 0 || (ended < 0 && errno == EINTR))
        return false;
    if (ended < 0) // nobody knows how
        *status = STATUS_NO_PROGRAM << 8;
    child->pid = 0;
    return true;
}

static rn_status read_all(char **out, int descriptor)
{
    struct stat info;
    rn_status st = RN_OK;

    *out = NULL;
    if (fstat(descriptor, &info) != 0 || info.st_size > MOST_OUTPUT)
        st = rn_error(RN_EIO, "a process' output cannot be read");
    size_t size = st == RN_OK ? (size_t)info.st_size : 0;
    if (st == RN_OK && (*out = calloc(size + 1, 1)) == NULL)
        st = rn_error(RN_ENOMEM, "no memory for a process' output");
    if (st == RN_OK && pread(descriptor, *out, size, 0) != (ssize_t)size) {
        free(*out);
        *out = NULL;
        st = system_error("a process' output");
    }
    return st;
}

rn_status cli_child_output(char **out, cli_child *child)
{
    rn_status st = read_all(out, child->output);

    cli_child_release(child);
    return st;
}

void cli_child_reason(char *out, size_t size, const cli_child *child)
{
    char *text = NULL;
    bool error;

    snprintf(out, size, "it says nothing");
    if (read_all(&text, child->errors) != RN_OK)
        return;
    const char *line = rn_run_last_line(&error, text);
    if (*line != '\0')
        snprintf(out, size, "%s", line);
    free(text);
}

rn_status cli_child_wait(cli_child *child, int *status)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    bool told = false;

    while (!cli_child_ended(child, status)) {
        if (cli_signal() != 0 && !told)
            kill(child->pid, SIGTERM);
        told = cli_signal() != 0;
        nanosleep(&pause, NULL);
    }
    return cli_signal() != 0 ? rn_error(RN_EINTERRUPTED, "interrupted") : RN_OK;
}

void cli_child_release(cli_child *child)
{
    if (child->output >= 0)
        close(child->output);
    if (child->errors >= 0)
        close(child->errors);
    *child = (cli_child){.output = -1, .errors = -1};
}
