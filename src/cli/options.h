/**
 * Options: one table a command, which drives parsing, --help, the man page and the completion.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "resnet/base.h"

struct cli_command;

typedef enum cli_kind {
    CLI_FLAG,    // takes no value
    CLI_SWITCH,  // takes no value; --no-NAME is its opposite
    CLI_INTEGER, // low .. high
    CLI_REAL,    // low .. high
    CLI_SIZE,    // bytes, with a unit: cli_size_parse()
    CLI_CHOICE,  // one of `choices`
    CLI_TEXT,
    CLI_LIST, // text; may be given more than once
    CLI_FILE,
    CLI_FOLDER,
    CLI_OPTIONAL_FILE,    // value may be left out
    CLI_OPTIONAL_FOLDER,  // the same
    CLI_OPTIONAL_INTEGER, // the same; what follows is its value only if it is a number
    CLI_SOURCE,           // of data
    CLI_RECIPE
} cli_kind;

typedef struct cli_option {
    const char *name;     // "weight-decay"
    const char *alias;    // another name, which is not shown; NULL: none
    char letter;          // short form; 0: none
    cli_kind kind;        // decides what values are accepted
    const char *argument; // "RATE"; NULL where no value is taken
    const char *help;
    const char *fallback; // value if not given; NULL: none, or said in `help`
    double low, high;     // INTEGER and REAL; CLI_ABOVE_ZERO, CLI_BELOW_ONE; INFINITY: no bound
    const char *choices;  // "test|train"
    const char *group;    // heading in --help; NULL: as the option before
    const char *key;      // the recipe's key that it sets
} cli_option;

#define CLI_ABOVE_ZERO 1e-300              // as `low`: any positive number
#define CLI_BELOW_ONE 0x1.fffffffffffffp-1 // as `high`: any number less than 1

enum { CLI_MAX_OPTIONS = 128, CLI_MAX_LIST = 32 };

/** A parsed command line. Texts are borrowed from argv, or from who puts others there. */
typedef struct cli_arguments {
    const struct cli_command *command;
    const char *values[CLI_MAX_OPTIONS]; // in the table's order; NULL: not given
    const char *list[CLI_MAX_LIST];      // of the command's CLI_LIST option
    int list_count;
    char **words; // what is not an option
    int word_count;
    bool help;        // --help came; parsing stopped there
    const char *line; // the whole command line as a shell takes it, for records
} cli_arguments;

/** The option every command has: --help. */
extern const cli_option cli_help_option;

/** Options that several commands share. */
#define CLI_THREADS_OPTION                                                                         \
    {                                                                                              \
        .name = "threads", .letter = 't', .kind = CLI_INTEGER, .argument = "N",                    \
        .help = "compute threads; 0: RESNET_THREADS, else OMP_NUM_THREADS, else as many as there " \
                "are processors",                                                                  \
        .fallback = "0", .low = 0, .high = 1024                                                    \
    }
#define CLI_ENGINE_OPTION                                                                          \
    {                                                                                              \
        .name = "engine", .kind = CLI_CHOICE, .argument = "NAME", .help = "who computes",          \
        .fallback = "cpu", .choices = "cpu|ref"                                                    \
    }
#define CLI_BATCH_OPTION                                                                           \
    {                                                                                              \
        .name = "batch", .letter = 'b', .kind = CLI_INTEGER, .argument = "N",                      \
        .help = "pictures at a time", .fallback = "128", .low = 1, .high = 65536                   \
    }
#define CLI_DTYPE_OPTION                                                                           \
    {                                                                                              \
        .name = "dtype", .kind = CLI_CHOICE, .argument = "TYPE",                                   \
        .help =                                                                                    \
            "of activations in memory; bfloat16 takes half of it, and rounds to 8 bits; int8, "    \
            "inference only: of what convolutions multiply",                                       \
        .fallback = "float32", .choices = "float32|bfloat16|int8"                                  \
    }
#define CLI_PRODUCTS_OPTION                                                                        \
    {                                                                                              \
        .name = "dtype", .kind = CLI_CHOICE, .argument = "TYPE",                                   \
        .help =                                                                                    \
            "of what convolutions multiply; by default int8 where the file comes from 'resnet "    \
            "quantize'",                                                                           \
        .choices = "float32|int8"                                                                  \
    }
#define CLI_SPLIT_OPTION                                                                           \
    {                                                                                              \
        .name = "split", .kind = CLI_CHOICE, .argument = "NAME",                                   \
        .help = "which part of the data set", .fallback = "test", .choices = "test|train"          \
    }
#define CLI_WEIGHTS_OPTION                                                                         \
    {                                                                                              \
        .name = "weights", .kind = CLI_CHOICE, .argument = "WHICH",                                \
        .help = "of a checkpoint: the moving average, which is the default where there is one, "   \
                "or the last weights",                                                             \
        .choices = "ema|last"                                                                      \
    }
#define CLI_INPUT_OPTION                                                                           \
    {                                                                                              \
        .name = "input", .kind = CLI_TEXT, .argument = "CxHxW",                                    \
        .help = "size of the pictures (default: the network's, 3x32x32 or 3x224x224)"              \
    }
#define CLI_CLASSES_OPTION                                                                         \
    {                                                                                              \
        .name = "classes", .kind = CLI_INTEGER, .argument = "N",                                   \
        .help = "number of classes (default: the network's, 10 or 1,000)", .low = 1,               \
        .high = 1000000                                                                            \
    }
#define CLI_MEMORY_OPTION(what)                                                                    \
    {                                                                                              \
        .name = "memory", .kind = CLI_SIZE, .argument = "SIZE", .help = what                       \
    }
#define CLI_JSON_OPTION                                                                            \
    {                                                                                              \
        .name = "json", .kind = CLI_FLAG, .help = "print JSON"                                     \
    }

/**
 * Parse what follows the command's name. Words are moved to the front of argv.
 *
 * @return RN_OK; RN_EINVAL (unknown option, with the nearest; value missing, malformed or out of
 *         range; option given twice with two values; too few or too many words).
 */
rn_status cli_parse(cli_arguments *args, const struct cli_command *command, int argc, char **argv);

/** True for the kinds whose value may be left out; it is "" then. */
bool cli_option_is_optional(const cli_option *option);

/** Check one value as cli_parse() does. */
rn_status cli_option_check(const cli_option *option, const char *value);

/** "1 to 64", "0 or more", "above 0, below 1" for numbers; "A|B|C" for choices; else "". */
void cli_option_range(char *text, size_t size, const cli_option *option);

/** Index of the option named so, or -1. */
int cli_option_find(const cli_option *options, const char *name);

/** Value given, else the table's fallback, else NULL. The name must be in the table. */
const char *cli_text(const cli_arguments *args, const char *name);
bool cli_given(const cli_arguments *args, const char *name);
/** Of a CLI_FLAG or CLI_SWITCH. */
bool cli_flag(const cli_arguments *args, const char *name);
/** 0 where there is neither value nor fallback. */
int64_t cli_integer(const cli_arguments *args, const char *name);
double cli_real(const cli_arguments *args, const char *name);
/** Bytes of a CLI_SIZE; 0 where there is neither value nor fallback. */
size_t cli_size(const cli_arguments *args, const char *name);

/**
 * A number of bytes: digits, perhaps with a fraction, and a unit. K, M, G, T and KiB, MiB, GiB, TiB
 * are powers of 1024; KB, MB, GB, TB powers of 1000; B or nothing: bytes. Upper and lower case are
 * alike. "16G", "1.5GiB", "500MB".
 *
 * @return False if the text is anything else, or not from 1 byte to 2^50.
 */
bool cli_size_parse(const char *text, size_t *bytes);

#endif
