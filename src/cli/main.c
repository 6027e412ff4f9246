#include "cli/command.h"
#include "cli/signals.h"
#include "cli/term.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_FAILURE = 1, STATUS_USAGE = 2 };

static int exit_status(rn_status st)
{
    if (st == RN_OK)
        return 0;
    if (st == RN_EINTERRUPTED && cli_signal() != 0)
        return 128 + cli_signal();
    return st == RN_EINVAL ? STATUS_USAGE : STATUS_FAILURE;
}

static void print_error(rn_status st, const cli_command *command)
{
    const char *message = rn_error_message();

    fflush(stdout); // in order, where both go to one place
    fprintf(stderr, "%sresnet: error:%s %s\n", cli_style(stderr, CLI_RED),
            cli_style(stderr, CLI_NORMAL), *message != '\0' ? message : rn_status_text(st));
    if (st == RN_EINVAL && command != NULL)
        fprintf(stderr, "try 'resnet %s --help'\n", command->name);
    else if (st == RN_EINVAL)
        fprintf(stderr, "try 'resnet --help'\n");
}

// Why standard output takes no more; 0: it does. What a failure before has left in errno may be of
// anything that was done since: one more try tells, behind what is incomplete already.
static int output_error(void)
{
    if (ferror(stdout) && putchar('\n') == EOF)
        return errno;
    return fflush(stdout) != 0 ? errno : 0;
}

// A result that did not reach its reader is a failure, even if all else went well.
static int check_output(int status)
{
    bool failed = ferror(stdout) != 0;
    int reason = output_error();

    if (reason == 0 && !failed)
        return status;
    if (reason != EPIPE) // whoever closes a pipe has seen enough
        fprintf(stderr, "resnet: error: cannot write to standard output%s%s\n",
                reason != 0 ? ": " : "", reason != 0 ? strerror(reason) : "");
    return status != 0 ? status : STATUS_FAILURE;
}

// line: the whole command line
static rn_status run_command(const cli_command *command, int argc, char **argv, const char *line)
{
    cli_arguments args;
    rn_status st;

    if (command->commands != NULL && argc > 0 && argv[0][0] != '-') {
        const cli_command *sub = cli_command_find(command->commands, argv[0]);
        if (sub == NULL) {
            print_error(RN_EINVAL, command);
            return RN_EINVAL;
        }
        return run_command(sub, argc - 1, argv + 1, line);
    }
    st = cli_parse(&args, command, argc, argv);
    args.line = line;
    if (st == RN_OK && args.help)
        cli_print_help(stdout, command);
    else if (st == RN_OK && command->run == NULL)
        st = rn_error(RN_EINVAL, "'resnet %s' expects %s, found nothing", command->name,
                      command->usage);
    else if (st == RN_OK)
        st = command->run(&args);
    if (st != RN_OK && st != RN_EINTERRUPTED) // the command has said how to go on
        print_error(st, command);
    return st;
}

// The options that stand before any command; false if `word` is none of them.
static bool run_option(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        cli_print_overview(stdout);
    else if (strcmp(word, "--version") == 0)
        printf("resnet %s\n", RN_VERSION);
    else if (strcmp(word, "--man") == 0)
        cli_print_man(stdout);
    else
        return false;
    return true;
}

static const char secret_option[] = "--dashboard-token";

// A secret is for who may see the command line now, not for whoever is given the run folder.
static void print_word(FILE *stream, char **argv, int index)
{
    size_t length = sizeof secret_option - 1;

    if (strcmp(argv[index - 1], secret_option) == 0)
        fputs("TOKEN", stream);
    else if (strncmp(argv[index], secret_option, length) == 0 && argv[index][length] == '=')
        fprintf(stream, "%s=TOKEN", secret_option);
    else
        cli_print_quoted(stream, argv[index]);
}

// "resnet train 'a b'"; the caller's; NULL if there is no memory
static char *command_line(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size);

    if (stream == NULL)
        return NULL;
    fputs("resnet", stream);
    for (int i = 1; i < argc; i++) {
        fputc(' ', stream);
        print_word(stream, argv, i);
    }
    fclose(stream);
    return line;
}

static rn_status run(int argc, char **argv)
{
    const cli_command *command;
    char *line;
    rn_status st;

    if (argc < 2) {
        cli_print_overview(stderr);
        return RN_EINVAL;
    }
    if (argv[1][0] == '-') {
        if (run_option(argv[1]))
            return RN_OK;
        rn_error(RN_EINVAL, "unknown option '%s'", argv[1]);
        print_error(RN_EINVAL, NULL);
        return RN_EINVAL;
    }
    command = cli_command_find(cli_commands, argv[1]);
    if (command == NULL) {
        print_error(RN_EINVAL, NULL);
        return RN_EINVAL;
    }
    line = command_line(argc, argv);
    st = run_command(command, argc - 2, argv + 2, line != NULL ? line : "");
    free(line);
    return st;
}

/**
 * Threads that wait for each other spin for a while before they sleep. GNU's OpenMP spins so long
 * that another job on the same cores slows a step down tenfold; with this count a step takes 1 %
 * longer on an idle machine, and less than half as long on a busy one. It reads its environment
 * before main() begins, so the program starts itself again.
 */
static void shorten_spinning(char **argv)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);

    if (length < 0 || getenv("GOMP_SPINCOUNT") != NULL || getenv("OMP_WAIT_POLICY") != NULL)
        return;
    program[length] = '\0';
    if (setenv("GOMP_SPINCOUNT", "10000", 1) == 0)
        execv(program, argv); // where that fails, all works, if more slowly
}

int main(int argc, char **argv)
{
    shorten_spinning(argv);
    setlocale(LC_CTYPE, ""); // character set only: numbers keep their point
    signal(SIGPIPE, SIG_IGN);
    return check_output(exit_status(run(argc, argv)));
}
