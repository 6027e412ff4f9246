/** Commands: one table, one file each. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"

#include <stdio.h>

/** What a command's words are, for completion. */
typedef enum cli_word {
    CLI_WORD_NONE,
    CLI_WORD_MODEL,
    CLI_WORD_FILE,
    CLI_WORD_SOURCE,
    CLI_WORD_DOWNLOAD,
    CLI_WORD_COMMAND,
    CLI_WORD_SHELL
} cli_word;

typedef struct cli_command {
    const char *name;                          // "train", "data show"
    const char *usage;                         // its words: "MODEL", "MODEL-FILE IMAGE..."
    const char *summary;                       // one line
    const char *description;                   // paragraphs, "\n\n" between them
    const char *examples;                      // a command line each, "\n" between them
    int least, most;                           // words; most -1: any number
    cli_word word;                             // for completion
    const cli_option *options;                 // ends with a NULL name; or NULL
    const struct cli_command *const *commands; // sub-commands, ends with NULL; or NULL
    /**
     * RN_EINVAL makes the exit status 2, RN_EINTERRUPTED 128 + the signal, any other failure 1; the
     * thread's message is shown.
     */
    rn_status (*run)(const cli_arguments *args);
} cli_command;

/** Every command; ends with NULL. */
extern const cli_command *const cli_commands[];

extern const cli_command cli_train, cli_eval, cli_predict, cli_summary, cli_plan, cli_data,
    cli_bench, cli_convert, cli_reproduce, cli_responses, cli_features, cli_diff, cli_recalibrate,
    cli_quantize, cli_plot, cli_dashboard, cli_study, cli_help, cli_completion;
extern const cli_command cli_data_show, cli_data_pack, cli_data_preview, cli_data_verify,
    cli_data_download, cli_data_bench;

/** The command of this name in a table, or NULL with a message that suggests the nearest. */
const cli_command *cli_command_find(const cli_command *const *commands, const char *name);

/** The program's own help: its commands. */
void cli_print_overview(FILE *stream);
/** One command's help. */
void cli_print_help(FILE *stream, const cli_command *command);
/** The man page, in troff. */
void cli_print_man(FILE *stream);
/** The script that completes command lines in bash. */
void cli_print_completion(FILE *stream);

#endif
