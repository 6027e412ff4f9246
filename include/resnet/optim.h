/** Optimisation: learning-rate schedules and SGD over (parameter, gradient) pairs. */
#ifndef RESNET_OPTIM_H
#define RESNET_OPTIM_H

#include "resnet/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rn_schedule_kind {
    RN_SCHEDULE_CONSTANT,
    RN_SCHEDULE_STEP,      // lr * factor^(milestones passed)
    RN_SCHEDULE_PLATEAU,   // lr * factor each time the watched error has not fallen for `patience`
    RN_SCHEDULE_COSINE,    // from lr to lr * final_factor by half a cosine after the warm-up
    RN_SCHEDULE_ONE_CYCLE, // linear from lr / 25 to lr over warm-up, then cosine to lr *
                           // final_factor
    RN_SCHEDULE_LINEAR     // from lr to lr * final_factor in a straight line after the warm-up
} rn_schedule_kind;

enum { RN_MAX_MILESTONES = 16 };

typedef struct rn_schedule {
    rn_schedule_kind kind;
    double lr;                             // the base (peak) rate, > 0
    double factor;                         // step and plateau: 0 < factor < 1
    double final_factor;                   // cosine, one-cycle, linear: 0 .. 1
    int milestones;                        // step: how many
    uint64_t milestone[RN_MAX_MILESTONES]; // iterations, rising
    int patience;                          // plateau: evaluations without improvement
    double threshold;     // plateau: least fall of the error that counts, in percent points
    double warmup;        // linear warm-up from lr * warmup_factor: iterations if 1 or more, below
                          // 1 a share of all iterations
    double warmup_factor; // 0 .. 1
    bool warmup_flat;     // no line: lr * warmup_factor until the warm-up ends (2016 paper: 0.01
                          // for 400 iterations); not of one-cycle
    double until_error;   // > 0: stay at until_lr until the running training error, in percent, is
    double until_lr;      //      below until_error (2015 paper, section 4.2: 80 %, 0.01), which
                          //      is not asked before step 50; then go on as if it had not been:
                          //      milestones stay where they are
} rn_schedule;

/** What a schedule must remember; goes into the checkpoint. Zeroes to start with. */
typedef struct rn_schedule_state {
    bool released;        // the until_error rule has fired
    uint64_t released_at; // iteration
    int reductions;       // plateau
    int waited;           // plateau: evaluations since the best
    double best;          // plateau: last error that counted as a fall; valid if evaluations > 0
    int evaluations;
} rn_schedule_state;

/** The rate of one iteration (from 0) out of `iterations` (which cosine, one-cycle and linear
 * need). */
RN_API double rn_schedule_rate(const rn_schedule *schedule, const rn_schedule_state *state,
                               uint64_t iteration, uint64_t iterations);
/** Tell the running training error in percent (0 .. 100) after each iteration: for until_error. */
RN_API void rn_schedule_observe_training(const rn_schedule *schedule, rn_schedule_state *state,
                                         uint64_t iteration, double error);
/** Tell the watched error in percent after each evaluation, mostly one an epoch: for plateau. */
RN_API void rn_schedule_observe_epoch(const rn_schedule *schedule, rn_schedule_state *state,
                                      double error);
/** Names "constant", "step", "plateau", "cosine", "one-cycle", "linear". NULL if out of range. */
RN_API const char *rn_schedule_name(rn_schedule_kind kind);
/** RN_EINVAL: unknown; the message has the names and the nearest. */
RN_API rn_status rn_schedule_parse(rn_schedule_kind *out, const char *name);

/** Which parameters weight decay applies to: all (the papers), or convolution and linear weights.
 */
typedef enum rn_decay { RN_DECAY_ALL, RN_DECAY_WEIGHTS } rn_decay;

/**
 * Groups of parameters, each with a factor f on the learning rate. Decay keeps its pace whatever
 * the factor: u = g + (weight_decay / f) w, then w moves by lr f times the momentum of u, so that
 * decay alone shrinks w by lr weight_decay a step in every group.
 */
typedef enum rn_group {
    RN_GROUP_WEIGHT, // all others
    RN_GROUP_BIAS,   // biases of batch norms and of layers, but not the head's
    RN_GROUP_GAIN,   // gains of batch norms
    RN_GROUP_STEM,   // the first convolution's weights
    RN_GROUP_HEAD,   // the last linear layer's weights and bias
    RN_GROUPS
} rn_group;

typedef struct rn_sgd_options {
    double momentum;     // 0 .. < 1
    double weight_decay; // 0 .. 1
    rn_decay decay;
    bool nesterov;
    double ema;                  // decay of the weights' moving average, 0: none, < 1
    int lookahead;               // steps between two returns to the average; 0: none
    double lr_factor[RN_GROUPS]; // 0 .. 1e6; 0 is no rate of zero, but stands for 1
    bool frozen[RN_GROUPS];      // keep what they start with
} rn_sgd_options;

/** SGD with momentum over the parameters of a run, and the moving average of its weights. */
typedef struct rn_sgd rn_sgd;

/**
 * Borrows run and engine, which must outlive it. EMA starts from the run's current values. What the
 * plan freezes has neither momentum nor an average of its own.
 *
 * @param[out] out  The caller's (rn_sgd_free()); NULL on failure.
 * @return RN_OK; RN_EINVAL (an option out of range, or a run of a plan without training: says
 *         which); RN_ENOMEM.
 */
RN_API rn_status rn_sgd_create(rn_sgd **out, rn_run *run, rn_engine *engine,
                               const rn_sgd_options *options);
RN_API void rn_sgd_free(rn_sgd *sgd);

/**
 * One update of all trained parameters; then EMA (running statistics too), unless lookahead is in
 * use. After t steps its decay is min(ema, (1 + t) / (10 + t)), so that a short training's average
 * is not one of fresh weights. Allocates nothing.
 */
RN_API void rn_sgd_step(rn_sgd *sgd, double lr);
/**
 * After each step: lookahead (Zhang et al. 2019, arXiv:1907.08610) where it is due, or nothing.
 * With options.lookahead = k, every k-th step moves the slow weights, which take the place of the
 * moving average, part of the way to the weights, and the weights go back there:
 *
 *     a = ema^k (t / T)^3,   slow = a slow + (1 - a) weights,   weights = slow
 *
 * with t = iteration of T = iterations done; running statistics likewise. At first slow weights are
 * the weights; as the rate falls they become a long average. ema must be above 0.
 */
RN_API void rn_sgd_lookahead(rn_sgd *sgd, uint64_t iteration, uint64_t iterations);

/**
 * Momentum and EMA in canonical layout, for checkpoints, to and from weights of the run's graph.
 *
 * @return RN_OK; RN_EINVAL (EMA: not in use); RN_ENOMEM.
 */
RN_API rn_status rn_sgd_store_momentum(const rn_sgd *sgd, rn_weights *momentum);
RN_API rn_status rn_sgd_load_momentum(rn_sgd *sgd, const rn_weights *momentum);
RN_API rn_status rn_sgd_store_ema(const rn_sgd *sgd, rn_weights *ema);
/** `steps`: how many the average has seen. */
RN_API rn_status rn_sgd_load_ema(rn_sgd *sgd, const rn_weights *ema, uint64_t steps);

#ifdef __cplusplus
}
#endif
#endif
