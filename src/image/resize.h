/** The resize of rn_image_resize() for callers that bring their own memory or want only a part. */
#ifndef IMAGE_RESIZE_H
#define IMAGE_RESIZE_H

#include "resnet/image.h"

/** One direction: `source` pixels become `resized`, of which [first, first + count) are wanted. */
typedef struct rn_resize_axis {
    int source;
    int64_t resized, first;
    int count;
} rn_resize_axis;

/**
 * Resize, and cut a window out of the result without computing the rest of it.
 *
 * @param dst       uint8 [axes[1].count][axes[0].count][channels].
 * @param channels  1 or 3; gray is replicated, colour becomes Pillow's L (ITU-R 601 luma).
 * @param image     1 or 3 channels, axes[0].source wide and axes[1].source high.
 * @param axes      Across, then down.
 * @return RN_OK; RN_ENOMEM.
 */
rn_status rn_resize_filtered(uint8_t *dst, int channels, const rn_image *image,
                             const rn_resize_axis axes[2], rn_resize_filter filter);

#endif
