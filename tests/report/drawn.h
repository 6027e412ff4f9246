// A picture's data together with the networks that it shows, for tests.
#ifndef REPORT_DRAWN_H
#define REPORT_DRAWN_H

#include "report/draw.h"
#include "report/draw_networks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

UNUSED static const unit_kind PLAIN = {false, false}, BASIC = {true, false},
                              BOTTLENECK = {true, true};
UNUSED static const int THIRTY_FOUR[4] = {3, 4, 6, 3}, DEEP[4] = {3, 8, 36, 3},
                        VGG_19[5] = {2, 2, 4, 4, 4};

static rn_graph *named(const char *model)
{
    rn_graph *graph;

    assert_int_equal(rn_graph_create(&graph, model, NULL), RN_OK);
    return graph;
}

// Frees the graphs with the picture.
typedef struct drawn {
    draw_picture picture;
    rn_graph *graphs[8];
    int count;
} drawn;

static void draw(drawn *d, bool detail, bool expand)
{
    const rn_graph *graphs[8];
    const rn_draw_options options = {detail, expand};

    for (d->count = 0; d->count < 8 && d->graphs[d->count] != NULL; d->count++)
        graphs[d->count] = d->graphs[d->count];
    d->picture = (draw_picture){0};
    assert_int_equal(draw_picture_init(&d->picture, graphs, d->count, &options), RN_OK);
}

static void release(drawn *d)
{
    draw_picture_release(&d->picture);
    for (int i = 0; i < d->count; i++)
        rn_graph_free(d->graphs[i]);
}

#endif
