/** The pictures of a report. */
#ifndef REPRODUCE_FIGURES_H
#define REPRODUCE_FIGURES_H

#include "reproduce/outcome.h"

/**
 * Error curves of the first run of each network that has a log: training thin, test bold; networks
 * of one panel together.
 *
 * @param[out] svg  The caller's (rn_free()); NULL where there is nothing to draw, and on failure.
 */
rn_status rn_figure_curves(char **svg, const rn_reproduction *reproduction,
                           const rn_outcome *outcomes);

/** Deviation of each 3x3 layer's responses, in order and sorted: figure 7 of the 2015 paper. */
rn_status rn_figure_responses(char **svg, const rn_reproduction *reproduction,
                              const rn_outcome *outcomes);

/** Time, memory and multiply-adds of a step against depth, with the lines that are claimed. */
rn_status rn_figure_costs(char **svg, const rn_reproduction *reproduction,
                          const rn_outcome *outcomes);

#endif
