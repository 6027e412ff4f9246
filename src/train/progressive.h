/** Progressive resizing: the recipe's text of it, and a network at its smaller sizes. */
#ifndef TRAIN_PROGRESSIVE_H
#define TRAIN_PROGRESSIVE_H

#include "resnet/train.h"

enum { RN_PROGRESSIVE_TEXT = RN_MAX_SIZES * 40 };

/** "none", or "128:0.4,160:0.75". False where it is neither, or out of range or order. */
bool rn_progressive_parse(rn_progressive *out, const char *text);

/** The same text back; one that cannot be parsed if *progressive is not what was. */
void rn_progressive_print(char text[RN_PROGRESSIVE_TEXT], const rn_progressive *progressive);

/**
 * A network for smaller images, with the same parameters.
 *
 * @param size  Of the shorter side; the longer one is in proportion, rounded.
 * @return RN_OK; RN_EINVAL (size not below the network's, or too small for it; its parameters
 *         depend on the size); RN_ENOMEM.
 */
rn_status rn_progressive_graph(rn_graph **out, const rn_graph *graph, int size);

/** A preprocess for its images. RN_EINVAL if it has a mean of each pixel. */
rn_status rn_progressive_preprocess(rn_preprocess **out, const rn_preprocess *preprocess,
                                    const rn_graph *graph);

/** Random changes of its images: what is in pixels becomes `ratio` times as much. */
rn_augment rn_progressive_augment(const rn_augment *augment, double ratio);

#endif
