/**
 * The image sizes that a training goes through (progressive resizing), usually one. Each has a plan
 * of its own, made before the first step, so that what cannot be is said then. There is one run at
 * a time: memory is that of the largest.
 */
#ifndef TRAIN_PHASES_H
#define TRAIN_PHASES_H

#include "train/trainer.h"

/** Plan the present phase and those to come; inference and checkpoint must be there. */
rn_status rn_phases_create(rn_trainer *trainer);
void rn_phases_release(rn_trainer *trainer);

/** Say which sizes there will be, if several, and what a memory limit costs. */
void rn_phases_tell(const rn_trainer *trainer);

/** Go on with the phase that the iteration belongs to; where it is the present one, nothing. */
rn_status rn_phases_continue(rn_trainer *trainer);

/** Whether the step just done was a phase's last, but not the training's. */
bool rn_phases_end_here(const rn_trainer *trainer);

/** What the loader has to change; as many as the result says. */
int rn_phases_changes(const rn_trainer *trainer, rn_input_change changes[RN_MAX_SIZES + 1]);

/** Floating-point operations of the steps from `from` up to `to`. */
double rn_phases_work(const rn_trainer *trainer, uint64_t from, uint64_t to);

#endif
