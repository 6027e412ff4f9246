/** Source strings ("shapes:seed=2", "DIR", "DIR:labels=coarse") and what lies behind them. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "data/shapes.h"

typedef enum rn_data_format {
    RN_FORMAT_SHAPES,
    RN_FORMAT_CIFAR10,
    RN_FORMAT_CIFAR100,
    RN_FORMAT_IDX,
    RN_FORMAT_PHOTO_FOLDER,
    RN_FORMAT_PHOTO_CSV,
    RN_FORMAT_PHOTO_PACK
} rn_data_format;

typedef struct rn_source {
    rn_data_format format;
    char *folder; // that holds the files themselves, or one file; NULL for RN_FORMAT_SHAPES
    bool coarse;  // CIFAR-100: the 20 superclasses
    rn_shapes_options shapes;
} rn_source;

/** Whether a source string is "shapes" or "shapes:...", and no folder. */
bool rn_source_is_shapes(const char *text);

/**
 * Read a source string and find out which format its folder holds.
 *
 * Zero-initialise first; rn_source_release() is legal after a failure. Errors as rn_data_open().
 */
rn_status rn_source_resolve(rn_source *source, const char *text);
void rn_source_release(rn_source *source);

#endif
