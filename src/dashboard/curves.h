/** A run's numbers over its steps, thinned so that any run takes a page the same. */
#ifndef DASHBOARD_CURVES_H
#define DASHBOARD_CURVES_H

#include "dashboard/request.h"
#include "report/draw_text.h"
#include "resnet/history.h"

enum { CURVE_POINTS = 1000 };

/**
 * Write "series" as JSON members: for the steps ("train") and each set that was evaluated, arrays
 * of equal length. Of more than CURVE_POINTS points, 2, 4, 8, ... that follow each other become
 * one: its mean, lowest and highest value where its last point is, so that the last of all is the
 * newest. What is not finite is left out; of no value at all: null.
 */
void rn_curves_write(draw_text *out, const rn_history *history, rn_quantity quantity);

#endif
