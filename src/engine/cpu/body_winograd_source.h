/** From a convolution's source to the points of its tiles, for body_winograd.h. */
#ifndef ENGINE_CPU_BODY_WINOGRAD_SOURCE_H
#define ENGINE_CPU_BODY_WINOGRAD_SOURCE_H

#include "engine/cpu/body_conv_source.h"
#include "engine/cpu/body_range.h"
#include "engine/cpu/body_winograd_points.h"
#include "engine/cpu/winograd.h"

#include <string.h>

enum {
    WG_POINTS = RN_WINOGRAD_POINTS,
    WG_GROUP = VEC == 16 ? RN_WINOGRAD_GROUP_16 : RN_WINOGRAD_GROUP_8,
    WG_BLOCK = VEC * VEC
};

/** A thread's working memory. */
typedef struct wg_memory {
    float *source;   // points of the chunk
    float *products; // of the chunk with one pair of blocks
    float *strip;    // one row of tiles, transformed along columns
} wg_memory;

static wg_memory wg_memory_of(const rn_winograd *g, float *scratch, int thread)
{
    size_t each = g->source_floats + g->product_floats + g->strip_floats;
    wg_memory memory = {.source = scratch + each * (size_t)thread};

    memory.products = memory.source + g->source_floats;
    memory.strip = memory.products + g->product_floats;
    return memory;
}

static int wg_rows_until(const rn_winograd *g, int first)
{
    int end = first + g->chunk_rows;

    return end < g->n * g->rows ? end : g->n * g->rows;
}

// Where block `block` of picture `n` begins.
static size_t wg_plane(const rn_winograd *g, int blocks, int n, int block)
{
    return ((size_t)n * (size_t)blocks + (size_t)block) * (size_t)g->h * (size_t)g->w * VEC;
}

// Six rows of a block, those beyond the picture's edge NULL.
typedef struct wg_rows {
    const act *line[6];
    bool all; // none is NULL
} wg_rows;

static wg_rows wg_rows_of(const rn_winograd *g, const act *plane, int row)
{
    wg_rows rows = {.all = true};

    for (int i = 0; i < 6; i++) {
        int y = 4 * row - 1 + i;
        bool inside = y >= 0 && y < g->h;
        rows.line[i] = inside ? plane + (size_t)y * (size_t)g->w * VEC : NULL;
        rows.all = rows.all && inside;
    }
    return rows;
}

// strip: the points along each column of six rows, [column][6][VEC].
INLINE void wg_strip(const rn_winograd *g, const wg_rows *rows, const block_norm *norm, bool all,
                     float *strip)
{
    for (size_t x = 0; x < (size_t)g->w; x++, strip += 6 * VEC) {
        vec d[6], points[6];
        for (int i = 0; i < 6; i++) {
            if (!all && rows->line[i] == NULL) {
                d[i] = vec_zero();
                continue;
            }
            d[i] = act_load(rows->line[i] + x * VEC);
            if (norm != NULL)
                d[i] = conv_normalise(norm, d[i]);
        }
        source_points(d, points);
        for (int i = 0; i < 6; i++)
            vec_store(strip + i * VEC, points[i]);
    }
}

// The whole strip, columns -1 .. 4 columns.
static void wg_columns(const rn_winograd *g, const act *plane, int row, const block_norm *norm,
                       float *strip)
{
    wg_rows rows = wg_rows_of(g, plane, row);
    float *inside = strip + 6 * VEC, *behind = inside + (size_t)g->w * 6 * VEC;

    memset(strip, 0, 6 * VEC * sizeof(float));
    if (norm != NULL && rows.all && norm->relu)
        wg_strip(g, &rows, &(block_norm){norm->mean, norm->scale, norm->bias, true}, true, inside);
    else if (norm != NULL)
        wg_strip(g, &rows, norm, false, inside);
    else if (rows.all)
        wg_strip(g, &rows, NULL, true, inside);
    else
        wg_strip(g, &rows, NULL, false, inside);
    memset(behind, 0, (size_t)(4 * g->columns + 1 - g->w) * 6 * VEC * sizeof(float));
}

// Six columns of the strip to the 36 points of one tile, `step` floats from point to point.
INLINE void wg_tile(const float *strip, float *source, size_t step)
{
    for (int i = 0; i < 6; i++) {
        vec d[6], points[6];
        for (int j = 0; j < 6; j++)
            d[j] = vec_load(strip + (j * 6 + i) * VEC);
        source_points(d, points);
        for (int j = 0; j < 6; j++)
            vec_store(source + (size_t)(i * 6 + j) * step, points[j]);
    }
}

// Where the slot of a block lies, at each point.
static size_t wg_slot(const rn_winograd *g, int blocks, int block, size_t slot)
{
    size_t side = (size_t)g->side;

    return ((slot / side * (size_t)blocks + (size_t)block) * side + slot % side) * VEC;
}

static size_t wg_groups(size_t tiles)
{
    return (tiles + WG_GROUP - 1) / WG_GROUP;
}

// Slots behind the last of `tiles` hold zeroes, until its group ends.
static void wg_clear_slots(const rn_winograd *g, float *points, int blocks, size_t tiles)
{
    size_t side = (size_t)g->side, end = (tiles + side - 1) / side * side;
    size_t step = rn_winograd_step(g, blocks, VEC);

    for (size_t p = 0; tiles < end && p < WG_POINTS; p++)
        for (int b = 0; b < blocks; b++)
            memset(points + p * step + wg_slot(g, blocks, b, tiles), 0,
                   (end - tiles) * VEC * sizeof(float));
}

// Rows first .. end of tiles, of a chunk that begins with row `begin`.
static void wg_load_rows(const rn_winograd *g, const conv_source *from, float *source, int begin,
                         range rows, const wg_memory *memory)
{
    size_t step = rn_winograd_step(g, g->in, VEC);

    for (size_t r = rows.begin; r < rows.end; r++) {
        size_t slot = (r - (size_t)begin) * (size_t)g->columns;
        int n = (int)r / g->rows, row = (int)r % g->rows;
        for (int b = 0; b < g->in; b++) {
            const act *plane = from->data + wg_plane(g, g->in, n, b);
            block_norm norm;
            if (from->norm != NULL)
                norm = block_norm_of(from, (size_t)b);
            wg_columns(g, plane, row, from->norm != NULL ? &norm : NULL, memory->strip);
            for (size_t x = 0; x < (size_t)g->columns; x++)
                wg_tile(memory->strip + x * 4 * 6 * VEC, source + wg_slot(g, g->in, b, slot + x),
                        step);
        }
    }
}

// Tiles of the chunk that begins with row `begin`.
static size_t wg_chunk_tiles(const rn_winograd *g, int begin)
{
    return (size_t)(wg_rows_until(g, begin) - begin) * (size_t)g->columns;
}

static void wg_load_chunk(const rn_winograd *g, const conv_source *from, float *source, int begin,
                          const wg_memory *memory)
{
    range rows = {(size_t)begin, (size_t)wg_rows_until(g, begin)};

    wg_load_rows(g, from, source, begin, rows, memory);
    wg_clear_slots(g, source, g->in, wg_chunk_tiles(g, begin));
}

#endif
