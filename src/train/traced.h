/** Pictures of a set, evenly over it, through a network in inference, its outputs shown one by one.
 */
#ifndef TRAIN_TRACED_H
#define TRAIN_TRACED_H

#include "resnet/engine.h"
#include "resnet/store.h"

#include <signal.h>

typedef struct rn_traced {
    const rn_checkpoint *model;
    const rn_weights *weights;
    const rn_samples *samples;
    const volatile sig_atomic_t *stop;
    uint64_t images;
    rn_engine *engine;
    rn_plan *plan;
    rn_run *run;
    int batch, filled; // places of a batch; how many of them hold images that count
} rn_traced;

typedef struct rn_traced_options {
    const char *engine; // NULL: "cpu"
    int batch;          // 1 .. 65536; 0: 128
    uint64_t images;    // how many; 0: all
    bool ema;           // of the averaged weights
    bool separate;      // rn_plan_options.separate
    const volatile sig_atomic_t *stop;
} rn_traced_options;

/**
 * Make everything ready; all is borrowed until rn_traced_close(), which may follow a failure, too.
 *
 * @return RN_OK; RN_EINVAL (no EMA, set does not fit, option out of range); RN_ENOMEM; as
 *         rn_plan_create().
 */
rn_status rn_traced_open(rn_traced *traced, const rn_checkpoint *model, const rn_samples *samples,
                         const rn_traced_options *options);
void rn_traced_close(rn_traced *traced);

/**
 * Run all images, batch by batch, and show each op's output of each batch, of which the first
 * traced->filled images count.
 *
 * @return RN_OK; RN_EINTERRUPTED; as rn_photos_decode(); what `visit` returned.
 */
rn_status rn_traced_run(rn_traced *traced, rn_trace_visit visit, void *context);

#endif
