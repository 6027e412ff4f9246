/** `resnet train`: its options, and what a run is made of. */
#ifndef CLI_TRAIN_JOB_H
#define CLI_TRAIN_JOB_H

#include "cli/json_output.h"
#include "cli/model_file.h"
#include "cli/progress_line.h"
#include "cli/run_folder.h"

extern const cli_option cli_train_options[];

/** Everything that one training needs. */
typedef struct cli_job {
    cli_arguments *args; // with the resumed run's options filled in
    char *folder;
    int lock;                  // of the folder, held to the end; -1: not yet
    bool resume;               // from the checkpoint below
    rn_checkpoint *checkpoint; // until the folder is open; NULL: from the start
    rn_recipe recipe;
    cli_model from;           // whose weights to start from, until the training has them; its
                              // checkpoint NULL: none
    char *from_path;          // absolute, for the record
    char *from_name;          // "NAME sha256:SUM" of the file
    rn_model_options network; // of --classes and --input
    cli_run_record record;
    cJSON *recorded_options; // owner of texts in args
    rn_samples *train, *test;
    cli_progress progress;
    rn_run_log *log;
    rn_status log_status;    // of the first line that could not be written
    uint64_t log_lost;       // lines that could not, since the last that could
    rn_tensorboard *board;   // NULL: not wanted
    rn_status board_status;  // of the first event that could not be written
    rn_dashboard *dashboard; // NULL: none
    struct {
        double written, cost; // rn_clock() after the last time, and the seconds that it took
        rn_status status;     // of the first time that it could not be written
    } samples;                // of samples.json
} cli_job;

/** Decide model, recipe and folder of a new run; nothing is written. */
rn_status cli_job_plan(cli_job *job);
/** Take them from the run that --resume names. */
rn_status cli_job_resume(cli_job *job);
/** Open the data; of a resumed run it must be what it was. */
rn_status cli_job_open_data(cli_job *job);
/** Create or clear the folder and describe the run in it. */
rn_status cli_job_open_folder(cli_job *job);
/** The library's view of the job, without what only a running training needs. */
rn_train_options cli_job_train_options(const cli_job *job);
void cli_job_release(cli_job *job);

/** Read --from, --classes and --input into the job. */
rn_status cli_job_read_network(cli_job *job);
/** What the weights to start from, if any, make of the recipe; options that contradict are errors.
 */
rn_status cli_job_fit_recipe(cli_job *job);

#endif
