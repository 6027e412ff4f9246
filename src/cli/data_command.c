#include "cli/command.h"

#include "resnet/resnet.h"

#include <string.h>

static void print_finding(const char *file, bool ok, const char *finding, void *context)
{
    static const char prefix[] = "ok: ";
    int *bad = context;

    *bad += !ok;
    if (strncmp(finding, prefix, strlen(prefix)) == 0)
        finding += strlen(prefix);
    printf("%-6s %s: %s\n", ok ? "ok" : "WRONG", file, finding);
}

static rn_status run_verify(const cli_arguments *args)
{
    int bad = 0;
    rn_status st = rn_threads_set((int)cli_integer(args, "threads"));

    if (st == RN_OK)
        st = rn_data_verify(args->words[0], print_finding, &bad);
    if (st == RN_EFORMAT && bad > 0)
        return rn_error(st, "'%s': %d file%s wrong", args->words[0], bad,
                        bad == 1 ? " is" : "s are");
    return st;
}

static const cli_option verify_options[] = {CLI_THREADS_OPTION, {0}};

const cli_command cli_data_verify = {
    .name = "data verify",
    .usage = "SOURCE",
    .summary = "check every file of a data set",
    .description = "Check every file of a data set: sizes, magic numbers, label ranges, and the "
                   "official sums of CIFAR-10. Encoded pictures are all decoded, and "
                   "those that are damaged listed.",
    .examples = "resnet data verify data\n"
                "resnet data verify imagenet.rnpack",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_SOURCE,
    .options = verify_options,
    .run = run_verify,
};

static const cli_command *const commands[] = {&cli_data_show,
                                              &cli_data_pack,
                                              &cli_data_preview,
                                              &cli_data_verify,
                                              &cli_data_download,
                                              &cli_data_bench,
                                              NULL};

const cli_command cli_data = {
    .name = "data",
    .usage = "show|pack|preview|verify|download|bench",
    .summary = "show, pack, check and fetch data sets",
    .description =
        "Show, pack, check and fetch data sets: CIFAR-10 and CIFAR-100 binary files, IDX files "
        "(MNIST, Fashion-MNIST; plain or .gz), encoded pictures in folders of classes, lists "
        "(.csv) or packs (.rnpack), and 'shapes', which is generated.",
    .examples = "resnet data show shapes\n"
                "resnet data download cifar10\n"
                "resnet data verify data",
    .commands = commands,
};
