/**
 * Reproducing the papers: targets say what to train, what was published and what must hold; a
 * reproduction is a target at a scale; its report compares. No training happens here: a job is a
 * command line for the program, and what it leaves is read back (docs/reproduce.md).
 */
#ifndef RESNET_REPRODUCE_H
#define RESNET_REPRODUCE_H

#include "resnet/data.h"
#include "resnet/recipe.h"
#include "resnet/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is compared. Errors are in percent. */
typedef enum rn_metric {
    RN_METRIC_TEST_ERROR,      // of the evaluation after the last iteration
    RN_METRIC_TRAIN_ERROR,     // mean over the last epoch's steps
    RN_METRIC_TEST_LOSS,       // of the evaluation after the last iteration
    RN_METRIC_TRAIN_LOSS,      // mean over the last epoch's steps
    RN_METRIC_BEST_TEST_ERROR, // the lowest of all evaluations, which flatters
    RN_METRIC_RESPONSE,        // mean over 3x3 layers of the deviation of their responses
    RN_METRIC_TEN_CROP_ERROR,  // after the last iteration, scores averaged over ten crops
    RN_METRIC_STEP_SECONDS,    // fastest time of a training step
    RN_METRIC_STEP_BYTES,      // memory planned for it
    RN_METRIC_MULTIPLY_ADDS,   // of it: three times those of the forward pass
    RN_METRICS
} rn_metric;

/** Its name in a target, "test_error". Static; NULL if out of range. */
RN_API const char *rn_metric_name(rn_metric metric);
/** For people: "test error, %". Static. */
RN_API const char *rn_metric_title(rn_metric metric);

/** One network of a target. */
typedef struct rn_target_run {
    const char *name, *model;
    const char *recipe;           // what its recipe starts from
    const struct cJSON *settings; // laid over the recipe after the target's; NULL: none
    double published[RN_METRICS]; // NaN: the paper has no such number
    rn_metric published_first;    // of these, in the order of the file; RN_METRICS: none
    double published_deviation;   // of that; NaN
    const char *panel;            // curves of the same panel are drawn together; NULL
    const char *note;             // what else the paper says of it; NULL
} rn_target_run;

typedef enum rn_claim_kind {
    RN_CLAIM_BELOW, // `of` is below `than`
    RN_CLAIM_ABOVE,
    RN_CLAIM_NEAR,  // they differ by at most the margin
    RN_CLAIM_LINEAR // in depth over `runs`: no residual beyond `margin` percent
} rn_claim_kind;

/** What must hold. */
typedef struct rn_claim {
    const char *text;
    rn_metric metric;
    rn_claim_kind kind;
    int of;   // index of a run
    int than; // index of a run, or -1: `value`
    double value;
    double margin; // in units of the metric; of LINEAR in percent
    int *runs;     // of LINEAR
    int run_count;
} rn_claim;

/** What a scale below 1 shrinks. */
typedef enum rn_scale_kind {
    RN_SCALE_ITERATIONS,
    RN_SCALE_DATA,  // training pictures, and with them iterations: the epochs stay
    RN_SCALE_DEPTH, // units of each stage; networks of different depth stay different
    RN_SCALE_WIDTH, // channels
    RN_SCALES
} rn_scale_kind;

/** "iterations", "data", "depth", "width". Static; NULL if out of range. */
RN_API const char *rn_scale_name(rn_scale_kind kind);

typedef struct rn_scale_step {
    rn_scale_kind kind;
    double least; // factor down to which this is shrunk before the next step is
} rn_scale_step;

enum { RN_REPRODUCE_MOST_SEEDS = 1000 };

/** A reproduction as it is written down. Texts are borrowed from the target. */
typedef struct rn_target {
    const char *name, *title, *paper; // paper: which, and where in it
    bool cost;                        // what a step costs is measured; nothing is trained
    const char *needs;                // the data set's name, such as "CIFAR-10"; NULL: any
    const char *source;               // where it is by default; NULL: it must be said
    int seeds;                        // runs of each network, with seeds 1, 2, ...
    bool medians;                     // its numbers are medians over runs: ours beside them, too
    int evaluations;                  // of a run
    int batch;                        // of a step whose cost is measured
    bool responses;                   // measure layer responses after training
    bool ten_crops;                   // evaluate by ten crops after training
    const struct cJSON *settings;     // of all recipes; NULL: none
    rn_target_run *runs;
    int run_count;
    rn_claim *claims;
    int claim_count;
    rn_scale_step scale[RN_SCALES];
    int scale_count;
    const char **deviations; // from the paper, beside those that scaling makes
    int deviation_count;
    struct cJSON *json; // private: owner of the texts
} rn_target;

/** Built-in targets, index from 0; NULL past the last. Static. */
RN_API const char *rn_target_name(int index);

/**
 * Get a target.
 *
 * @param[out] out  The caller's (rn_target_free()); NULL on failure.
 * @param name      A built-in name, or the path of a JSON file (with '/' or ending in ".json").
 * @return RN_OK; RN_ENOTFOUND (with the nearest name); RN_EFORMAT (names target, place, key,
 *         expected and found); RN_EIO; RN_ENOMEM.
 */
RN_API rn_status rn_target_load(rn_target **out, const char *name);
/** From JSON text; `what` names it in messages. */
RN_API rn_status rn_target_parse(rn_target **out, const char *json, const char *what);
RN_API void rn_target_free(rn_target *target);

/** What a target is made with. Plain data; texts are borrowed, NULL where not said. */
typedef struct rn_reproduce_settings {
    int seeds;                        // 0: the target's
    double scale;                     // above 0, up to 1; 0: 1
    const char *budget;               // the time that chose the scale, as it was asked for
    const char *source;               // of data
    const char *data_name;            // what it holds: "CIFAR-10 train"
    uint64_t train_count, test_count; // pictures
    rn_model_options network;         // classes and input that the data ask for
    int threads;                      // of each run, from 1
    const char *memory;               // limit of each run, as it was asked for
    int batch;                        // of steps whose cost is measured; 0: the target's
} rn_reproduce_settings;

/**
 * What a data set is called where a target's `needs` is compared with it: its name, or
 * "ImageNet (NAME)" where its classes are 1,000 WordNet ids ("n01440764"), whatever its folder is
 * called. The caller's (rn_text_free()).
 */
RN_API rn_status rn_reproduce_data_name(char **out, const rn_samples *samples);

/** One network at a scale. */
typedef struct rn_scaled_run {
    char *model;      // canonical spec
    rn_recipe recipe; // in force; of cost targets only its batch counts
    uint64_t iterations;
    uint64_t images;       // that are trained on
    double evaluate_every; // epochs
    uint64_t evaluations;  // how many that makes
    uint64_t log_every, checkpoint_every;
    double multiply_adds; // of one forward pass of one picture
    int depth, units;     // layers; residual units and their like, 0: not made of them
    int channels;         // of the first stage
    struct {
        uint64_t iterations, images, evaluations;
        double multiply_adds;
        int depth, units, channels;
    } whole; // the same at scale 1
} rn_scaled_run;

/** One process' work. */
typedef struct rn_job {
    int run; // index of the network
    uint64_t seed;
    char *name; // "resnet-20-s1"
} rn_job;

/** A target at a scale. */
typedef struct rn_reproduction {
    rn_target *target;
    rn_reproduce_settings settings; // its texts are the reproduction's, defaults filled in
    double factor[RN_SCALES];
    rn_scaled_run *runs; // as many as the target's
    rn_job *jobs;        // seed by seed, so that each network has a result early
    int job_count;
} rn_reproduction;

/**
 * Shrink a target and list its jobs.
 *
 * The scale S is the share of the target's cost. The target's steps are shrunk in their order, each
 * down to its least factor, until their product (of width the square) is S.
 *
 * @param[out] out  The caller's (rn_reproduction_free()); NULL on failure.
 * @param target    Taken over, also on failure.
 * @param settings  Copied.
 * @return RN_OK; RN_EINVAL (S below what the target allows: says the least; a model or recipe that
 *         does not fit); RN_EFORMAT (settings of a recipe); RN_ENOMEM.
 */
RN_API rn_status rn_reproduction_create(rn_reproduction **out, rn_target *target,
                                        const rn_reproduce_settings *settings);
RN_API void rn_reproduction_free(rn_reproduction *reproduction);

/** The least scale of a target: the product of its steps' least factors, of width the square. */
RN_API double rn_target_least_scale(const rn_target *target);

/**
 * What is left of the target's cost: of all networks, iterations times multiply-adds of a picture.
 * Units and channels are whole numbers, so this is seldom just the scale.
 */
RN_API double rn_reproduction_cost(const rn_reproduction *reproduction);

/** Write FOLDER/plan.json and FOLDER/recipes/NAME.json, atomically, making the folders. */
RN_API rn_status rn_reproduction_write(const rn_reproduction *reproduction, const char *folder);

/**
 * Read FOLDER/plan.json.
 *
 * @return RN_OK; RN_ENOTFOUND (there is none); RN_EFORMAT (damaged, or of another version of the
 *         program); RN_EIO; RN_ENOMEM; as rn_reproduction_create().
 */
RN_API rn_status rn_reproduction_read(rn_reproduction **out, const char *folder);

/**
 * Whether what is asked for now is what the reproduction is.
 *
 * @param target  NULL: not named.
 * @param asked   Only what is set counts: numbers above 0, texts not NULL.
 * @return RN_OK; RN_EINVAL (names the first difference).
 */
RN_API rn_status rn_reproduction_agree(const rn_reproduction *reproduction, const rn_target *target,
                                       const rn_reproduce_settings *asked);

enum { RN_MAX_WORDS = 32 };

/** A command line without the program's name. */
typedef struct rn_words {
    char *word[RN_MAX_WORDS + 1]; // NULL behind the last
    int count;
} rn_words;

/**
 * The command that measures a step of a network, for estimates: a training step at the recipe's
 * batch, or a forward pass at that of evaluations.
 */
RN_API rn_status rn_run_bench_command(rn_words *words, const rn_reproduction *reproduction, int run,
                                      bool training);
RN_API void rn_words_release(rn_words *words);
/** "resnet train ..." as a shell takes it; the caller's (rn_text_free()). */
RN_API rn_status rn_words_text(char **out, const rn_words *words);
/**
 * The last line of what such a command wrote on standard error, without "resnet: error: "; behind a
 * usage error stands where help is, which is passed over.
 *
 * @param[out] error    Whether it is an error's, not a note or a warning.
 * @param[in,out] text  All that it wrote; cut behind the line.
 * @return Part of `text`; "" if there is none.
 */
RN_API const char *rn_run_last_line(bool *error, char *text);

/** What `resnet eval --protocol ten --json` prints of a run, in the run's folder. */
#define RN_TEN_CROPS_FILE "ten-crops.json"

typedef enum rn_job_state {
    RN_JOB_NEW,       // nothing is there, or nothing to go on with: no model, no checkpoint
    RN_JOB_PARTIAL,   // a training to be resumed, or whose log cannot be read or lacks its end
    RN_JOB_RESPONSES, // trained; layer responses are missing
    RN_JOB_TEN_CROPS, // trained; the evaluation by ten crops is missing
    RN_JOB_DONE,
    RN_JOB_DIVERGED, // it would diverge again
    RN_JOB_LEFT_OUT  // a step that did not fit into memory, and may where there is more
} rn_job_state;

/** What FOLDER has of a job; files that cannot be read are as good as none. RN_OK; RN_ENOMEM. */
RN_API rn_status rn_job_find(rn_job_state *state, const rn_reproduction *reproduction, int job,
                             const char *folder);

/**
 * The share of a job's time that has been spent, from 0 to 1, by the iterations in its log; 1 where
 * nothing is left to do, or only what comes after the training. RN_OK; RN_ENOMEM.
 */
RN_API rn_status rn_job_share(double *share, const rn_reproduction *reproduction, int job,
                              const char *folder);

/**
 * The command that comes next for a job in this state, to be run in the reproduction's folder: a
 * training into runs/NAME, its resumption, layer responses, an evaluation by ten crops whose result
 * on standard output belongs into runs/NAME/RN_TEN_CROPS_FILE, or a measurement whose result on
 * standard output belongs into points/NAME.json.
 *
 * @param[out] words  Release with rn_words_release().
 */
RN_API rn_status rn_job_command(rn_words *words, const rn_reproduction *reproduction, int job,
                                rn_job_state state);

/** What one step takes, from `resnet bench --json`. */
typedef struct rn_step_cost {
    double seconds; // median
    double bytes;   // planned
} rn_step_cost;

/** Read what `resnet bench --json` printed. RN_EFORMAT. */
RN_API rn_status rn_step_cost_parse(rn_step_cost *out, const char *json);

/** What a network's training and evaluation take. */
typedef struct rn_run_cost {
    rn_step_cost training, inference;
} rn_run_cost;

typedef struct rn_estimate {
    double seconds; // of all jobs, one after the other on each of the processes abreast
    double bytes;   // of the jobs that run at the same time, at most
} rn_estimate;

/** Seconds of one run of a network. */
RN_API double rn_run_seconds(const rn_reproduction *reproduction, int run, const rn_run_cost *cost);

/**
 * Add up what is left to do.
 *
 * @param costs      One a network.
 * @param processes  That work side by side, from 1; each takes the next job when it is free.
 * @param abreast    Of these, as many as have processors of their own, from 1: more only take
 * turns.
 * @param done       One a job: the share of it (rn_job_share()) that is not counted; NULL: nothing
 *                   is done.
 */
RN_API rn_status rn_reproduction_estimate(rn_estimate *out, const rn_reproduction *reproduction,
                                          const rn_run_cost *costs, int processes, int abreast,
                                          const double *done);

/**
 * The cost of a network from that of another one: time and memory in the ratio of multiply-adds.
 */
RN_API rn_run_cost rn_run_cost_scaled(const rn_run_cost *cost, double multiply_adds, double wanted);

/** A time: "90s", "30m", "2h", "1d", "1h30m"; a number alone is minutes. False if it is none. */
RN_API bool rn_duration_parse(const char *text, double *seconds);

/** What became of the jobs. */
typedef struct rn_report_counts {
    int jobs, done, failed;
    int claims, shown, contradicted; // the rest is not decided
} rn_report_counts;

/**
 * Read what the jobs left in FOLDER and write report.md, report.html, report.json, timing.md and
 * the figures (curves.svg, curves.png, ...) there, each atomically. None but timing.md has times of
 * training in it: the same runs give the same bytes.
 *
 * Why a job failed is what its log says, or else the last line of runs/NAME.err.
 */
RN_API rn_status rn_reproduction_report(rn_report_counts *counts,
                                        const rn_reproduction *reproduction, const char *folder);

/**
 * Say what a target's claims come to, a sentence each, with the numbers: "Plain: with 56 layers the
 * training error ends at 31 %, with 20 at 12 %: ...". Made for claims that compare a deeper network
 * with a shallower one, as those of target "degradation" do.
 *
 * @param[out] out  Lines; the caller's (rn_text_free()); NULL on failure.
 * @return RN_OK; RN_EINVAL (a claim of another kind); RN_EIO or RN_EFORMAT (results that cannot be
 *         read); RN_ENOMEM.
 */
RN_API rn_status rn_reproduction_explain(char **out, const rn_reproduction *reproduction,
                                         const char *folder);

#ifdef __cplusplus
}
#endif
#endif
