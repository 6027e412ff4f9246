/** The pictures of a report. */
#ifndef REPRODUCE_FIGURES_H
#define REPRODUCE_FIGURES_H

#include "reproduce/outcome.h"
#include "resnet/image.h"

/** The same twice. NULL where there is nothing to draw, and on failure. */
typedef struct rn_figure {
    char *svg;
    rn_image *image;
} rn_figure;

void rn_figure_release(rn_figure *figure);

/**
 * Error curves of each network that has a log: training thin, test bold; networks of one panel
 * together. Of several seeds they are means, test errors with bands of their deviation.
 *
 * @param[out] figure  The caller's (rn_figure_release()).
 */
rn_status rn_figure_curves(rn_figure *figure, const rn_reproduction *reproduction,
                           const rn_outcome *outcomes);

/** Deviation of each 3x3 layer's responses, in order and sorted: figure 7 of the 2015 paper. */
rn_status rn_figure_responses(rn_figure *figure, const rn_reproduction *reproduction,
                              const rn_outcome *outcomes);

/** Time, memory and multiply-adds of a step against depth, with the lines that are claimed. */
rn_status rn_figure_costs(rn_figure *figure, const rn_reproduction *reproduction,
                          const rn_outcome *outcomes);

#endif
