/** The crop and mirroring of an image of the input's size. */
#ifndef AUGMENT_VIEW_H
#define AUGMENT_VIEW_H

#include "resnet/augment.h"

#include "base/random.h"

/** Draw a view from the stream that `where` names. */
rn_view rn_view_draw(rn_stream *stream, const rn_augment *augment, const rn_augment_where *where);

#endif
