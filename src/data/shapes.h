/** The generated data set "shapes": 32 x 32 colour images of ten plane figures, from a seed. */
#ifndef DATA_SHAPES_H
#define DATA_SHAPES_H

#include "data/samples.h"

enum { RN_SHAPES_SIDE = 32, RN_SHAPES_CLASSES = 10, RN_SHAPES_MAX_COUNT = 1000000 };

typedef struct rn_shapes_options {
    size_t train, test; // images in each split, 1 .. RN_SHAPES_MAX_COUNT
    uint64_t seed;
} rn_shapes_options;

#define RN_SHAPES_DEFAULTS ((rn_shapes_options){.train = 10000, .test = 2000, .seed = 1})

/**
 * Read "key=value,key=value" (keys train, test, seed) over the values in *options.
 *
 * @return RN_OK; RN_EINVAL (names the key and its range, or the nearest key); RN_ENOMEM.
 */
rn_status rn_shapes_parse(rn_shapes_options *options, const char *text);

/**
 * Draw one split. Image i shows class i % 10 and depends on (seed, split, i) alone: not on the
 * threads that draw it, nor on how many images there are.
 *
 * @param[out] out  The caller's (rn_samples_free()); NULL on failure.
 * @return RN_OK; RN_EINVAL (a count out of range); RN_ENOMEM.
 */
rn_status rn_shapes_create(rn_samples **out, const rn_shapes_options *options, rn_split split);

/** Draw one image, planar R, G, B, into 3 * 32 * 32 bytes. */
void rn_shapes_draw(uint8_t *image, uint64_t seed, rn_split split, uint32_t index);

#endif
