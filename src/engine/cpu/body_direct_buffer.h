/**
 * Chunks of a direct convolution, and the copy of what they read, [block][picture][row][column]
 * [channel] with zeroes around the picture: in one place, whatever the size of the tensor, and
 * without a test for edges where it is used.
 */
#ifndef ENGINE_CPU_BODY_DIRECT_BUFFER_H
#define ENGINE_CPU_BODY_DIRECT_BUFFER_H

#include "engine/cpu/body_conv_source.h"
#include "engine/cpu/body_range.h"
#include "engine/cpu/direct.h"
#include "engine/cpu/vec.h"

#include <string.h>

// Rows of the grid, of one picture or all of several pictures.
typedef struct direct_chunk {
    int picture, pictures, row, rows;
} direct_chunk;

static int direct_least(int a, int b)
{
    return a < b ? a : b;
}

static direct_chunk direct_chunk_at(const rn_direct *d, int chunk)
{
    int each = (d->rows + d->chunk_rows - 1) / d->chunk_rows; // of a picture, or of several
    direct_chunk c = {.picture = chunk / each * d->chunk_pictures,
                      .row = chunk % each * d->chunk_rows};

    c.pictures = direct_least(d->chunk_pictures, d->n - c.picture);
    c.rows = direct_least(d->chunk_rows, d->rows - c.row);
    return c;
}

// Columns of the buffer that lie left of the picture, and those that end with it.
static range direct_columns(const rn_direct *d)
{
    int begin = d->first_x < 0 ? (d->take - 1 - d->first_x) / d->take : 0;
    int end = (d->in_w - d->first_x + d->take - 1) / d->take;

    end = direct_least(end, d->buffer_columns);
    begin = direct_least(begin, end);
    return (range){(size_t)begin, (size_t)end};
}

// One row of one block; y may lie beyond the picture.
INLINE void direct_copy_line(const rn_direct *d, const act *plane, int y, const block_norm *norm,
                             float *line)
{
    range inside = direct_columns(d);
    size_t all = (size_t)d->buffer_columns, take = (size_t)d->take;

    if (y < 0 || y >= d->in_h)
        inside.begin = inside.end = 0;
    memset(line, 0, inside.begin * VEC * sizeof *line);
    if (inside.begin < inside.end) {
        ptrdiff_t x = (ptrdiff_t)(inside.begin * take) + d->first_x;
        const act *from = plane + ((ptrdiff_t)y * d->in_w + x) * VEC;
        for (size_t c = inside.begin; c < inside.end; c++, from += take * VEC) {
            vec value = act_load(from);
            vec_store(line + c * VEC, norm != NULL ? conv_normalise(norm, value) : value);
        }
    }
    memset(line + inside.end * VEC, 0, (all - inside.end) * VEC * sizeof *line);
}

// A row of a plain source: its channels, planes of the picture, come to stand side by side.
static void direct_copy_plain_line(const rn_direct *d, const float *picture, int y, float *line)
{
    range inside = direct_columns(d);
    size_t channels = (size_t)d->channels, plane = (size_t)d->in_h * (size_t)d->in_w;

    memset(line, 0, d->line_floats * sizeof *line);
    if (y < 0 || y >= d->in_h)
        return;
    for (size_t k = 0; k < channels; k++) {
        const float *from = picture + k * plane + (size_t)y * (size_t)d->in_w;
        for (size_t c = inside.begin; c < inside.end; c++)
            line[c * channels + k] = from[(ptrdiff_t)(c * (size_t)d->take) + d->first_x];
    }
}

// Rows `rows` of all pictures and blocks of the chunk, numbered through.
static void direct_copy_rows(const rn_direct *d, const conv_source *src, direct_chunk chunk,
                             range rows, float *buffer)
{
    size_t lines = (size_t)d->buffer_rows, in = (size_t)d->in;
    size_t plane = (size_t)d->in_h * (size_t)d->in_w * (size_t)d->channels;

    for (size_t i = rows.begin; i < rows.end; i++) {
        size_t line = i % lines, block = i / lines % in, picture = i / lines / in;
        size_t n = (size_t)chunk.picture + picture;
        int y = chunk.row * d->step_in + d->first_y + (int)line * d->take;
        float *to =
            buffer + block * d->block_floats + picture * d->picture_floats + line * d->line_floats;
        if (d->plain) {
            direct_copy_plain_line(d, src->picture + n * plane, y, to);
        } else if (src->norm == NULL) {
            direct_copy_line(d, src->data + (n * in + block) * plane, y, NULL, to);
        } else {
            block_norm norm = block_norm_of(src, block);
            direct_copy_line(d, src->data + (n * in + block) * plane, y, &norm, to);
        }
    }
}

static size_t direct_copied_rows(const rn_direct *d, direct_chunk chunk)
{
    return (size_t)chunk.pictures * (size_t)d->in * (size_t)d->buffer_rows;
}

#endif
