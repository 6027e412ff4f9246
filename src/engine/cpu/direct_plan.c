// Chooses how a direct convolution is cut up.
#include "engine/cpu/direct.h"

#include <string.h>

enum {
    LINE = 64 / sizeof(float),
    LEAST_POINTS = 24,             // of a chunk: weights are read once for so many
    MOST_POINTS = 192,             //
    POINTS_BYTES = 256 << 10,      // of a chunk's buffer, if it has more than the least points
    WEIGHTS_POINTS = 512,          // backward weights: sums are read and written once for so many
    PRIVATE_SUM_BYTES = 640 << 10, // above, threads share sums
    ITEMS = 4                      // of each thread, at least, where there are blocks enough
};

static int rounded_up(int count, int unit)
{
    return (count + unit - 1) / unit * unit;
}

// An odd number of cache lines: blocks of a chunk then fall into different sets of a cache.
static size_t odd_lines(size_t floats)
{
    return ((floats + LINE - 1) / LINE | 1) * LINE;
}

static int blocks_of(const rn_tensor_desc *t)
{
    int block = rn_layout_block(t->layout);

    return block == 1 ? 1 : rn_padded_channels(t) / block;
}

static void plan_forward(rn_direct *d, const rn_op_desc *op)
{
    d->step_in = op->stride;
    d->step_out = 1;
    d->rows = op->dst.h;
    d->columns = op->dst.w;
    d->first_y = d->first_x = -op->pad;
    d->span = op->kernel;
    d->take = op->kernel == 1 ? op->stride : 1;
    d->classes = 1;
    d->class[0] = (rn_direct_class){.taps_y = op->kernel, .taps_x = op->kernel};
}

// One axis of a class of SRC's pixels, those at `offset` modulo the stride: of the window's taps,
// from the last one down in steps of the stride, the first reads the gradient `first` behind the
// grid's point.
typedef struct class_axis {
    int last, taps, first;
} class_axis;

static class_axis class_axis_of(const rn_op_desc *op, int offset)
{
    int s = op->stride, rest = (offset + op->pad) % s;
    int last = rest < op->kernel ? (op->kernel - 1 - rest) / s * s + rest : -1;

    return last < 0 ? (class_axis){0}
                    : (class_axis){.last = last,
                                   .taps = last / s + 1,
                                   .first = (offset + op->pad - last) / s};
}

static void plan_data(rn_direct *d, const rn_op_desc *op, int block)
{
    int s = op->stride, least = 0, most = 1;

    d->step_in = d->take = 1;
    d->step_out = s;
    d->rows = (op->src.h + s - 1) / s;
    d->columns = (op->src.w + s - 1) / s;
    for (int i = 0; i < s; i++) {
        class_axis axis = class_axis_of(op, i);
        least = axis.first < least ? axis.first : least;
        most = axis.first + axis.taps > most ? axis.first + axis.taps : most;
    }
    d->first_y = d->first_x = least;
    d->span = most - least;
    for (int i = 0; i < s * s; i++) {
        class_axis y = class_axis_of(op, i / s), x = class_axis_of(op, i % s);
        d->class[d->classes++] = (rn_direct_class){.y = i / s,
                                                   .x = i % s,
                                                   .first_y = y.first - least,
                                                   .first_x = x.first - least,
                                                   .taps_y = y.taps,
                                                   .taps_x = x.taps,
                                                   .last_y = y.last,
                                                   .last_x = x.last,
                                                   .weights = d->out_weights};
        d->out_weights += (size_t)d->in * (size_t)(y.taps * x.taps) * (size_t)(block * block);
    }
    d->weight_floats = (size_t)d->out * d->out_weights;
}

static void set_tensors(rn_direct *d, const rn_tensor_desc *from, const rn_tensor_desc *to)
{
    d->n = from->n;
    d->in = blocks_of(from);
    d->out = blocks_of(to);
    d->plain = rn_layout_block(from->layout) == 1;
    d->channels = d->plain ? from->c : rn_layout_block(from->layout);
    d->in_h = from->h;
    d->in_w = from->w;
    d->out_h = to->h;
    d->out_w = to->w;
}

static void size_buffer(rn_direct *d)
{
    int walk = d->step_in / d->take;

    d->buffer_rows = (d->chunk_rows - 1) * walk + d->span;
    d->buffer_columns = (d->columns - 1) * walk + d->span;
    d->line_floats = (size_t)d->buffer_columns * (size_t)d->channels;
    d->picture_floats = d->line_floats * (size_t)d->buffer_rows;
    d->block_floats = odd_lines(d->picture_floats * (size_t)d->chunk_pictures);
    d->buffer_floats = d->block_floats * (size_t)d->in;
}

// A chunk of so many rows or pictures costs, for a point: slots of groups without a point, and
// weights read again.
static double chunk_cost(rn_direct *d, int rows, int pictures)
{
    int each = (d->rows + rows - 1) / rows, rest = d->rows - (each - 1) * rows;
    double points = (double)d->rows * d->columns * pictures;
    double slots = (double)(each - 1) * rounded_up(rows * d->columns, RN_DIRECT_POINTS) +
                   rounded_up(rest * d->columns * pictures, RN_DIRECT_POINTS);

    d->chunk_rows = rows;
    d->chunk_pictures = pictures;
    size_buffer(d);
    double bytes = (double)d->buffer_floats * sizeof(float);
    double chunk = (double)rows * d->columns * pictures;
    return slots / points + 4.0 / chunk + (chunk > MOST_POINTS ? 1 : 0) +
           (bytes > POINTS_BYTES && chunk > LEAST_POINTS ? bytes / POINTS_BYTES - 1 : 0);
}

static void choose_chunk(rn_direct *d)
{
    int best_rows = 1, best_pictures = 1;
    double least = chunk_cost(d, 1, 1);

    for (int i = 2; i < d->rows + d->n; i++) {
        int rows = i < d->rows ? i : d->rows, pictures = i <= d->rows ? 1 : i - d->rows + 1;
        double cost = chunk_cost(d, rows, pictures);
        if (cost < least) {
            least = cost;
            best_rows = rows;
            best_pictures = pictures;
        }
        if (rows * pictures * d->columns > MOST_POINTS)
            break;
    }
    d->chunk_rows = best_rows;
    d->chunk_pictures = best_pictures;
}

static void count_chunks(rn_direct *d)
{
    d->chunks = (d->rows + d->chunk_rows - 1) / d->chunk_rows *
                ((d->n + d->chunk_pictures - 1) / d->chunk_pictures);
}

// 1x1 windows: not where constant parameters are prepared otherwise.
static void group_points(rn_direct *d, int block)
{
    int points = rounded_up(d->chunk_pictures * d->chunk_rows * d->columns, RN_DIRECT_POINTS);

    d->grouped =
        d->kernel == 1 && !d->plain && d->prepared_floats == 0 && points <= RN_POINTWISE_MOST;
    if (!d->grouped)
        return;
    d->buffer_floats = (size_t)(points * d->in * block);
    d->weight_floats = (size_t)d->out * d->out_weights;
}

static size_t plan_results(rn_direct *d, int block)
{
    int groups = (d->out * block + 4 * 16 - 1) / (4 * 16);

    choose_chunk(d);
    size_buffer(d);
    group_points(d, block);
    count_chunks(d);
    if (d->bytes)
        d->buffer_floats = (d->buffer_floats / sizeof(float) + LINE - 1) / LINE * LINE;
    d->parts = (ITEMS * d->threads + d->chunks - 1) / d->chunks;
    d->parts = d->parts < groups ? d->parts : groups;
    return d->weight_floats + (size_t)d->threads * d->buffer_floats;
}

static size_t plan_weights(rn_direct *d, int block)
{
    size_t sum = odd_lines((size_t)d->out * d->out_weights);
    int points = d->rows * d->columns, least = d->in < d->out ? d->in : d->out;

    d->shared = d->threads > 1 && sum * sizeof(float) > PRIVATE_SUM_BYTES;
    int wanted = (128 << 10) / (least * block * (int)sizeof(float));
    wanted = wanted < WEIGHTS_POINTS ? wanted : WEIGHTS_POINTS;
    wanted = wanted > LEAST_POINTS ? wanted : LEAST_POINTS;
    d->chunk_pictures = points < wanted ? wanted / points : 1;
    d->chunk_pictures = d->chunk_pictures < d->n ? d->chunk_pictures : d->n;
    d->chunk_rows = points < wanted ? d->rows : wanted / d->columns;
    d->chunk_rows = d->chunk_rows > 1 ? d->chunk_rows : 1;
    size_buffer(d);
    count_chunks(d);
    d->gradient_block_floats = odd_lines((size_t)d->chunk_pictures * (size_t)d->chunk_rows *
                                         (size_t)d->columns * (size_t)block);
    d->gradient_floats = d->gradient_block_floats * (size_t)d->out;
    d->sum_floats = d->shared ? 0 : sum;
    return (d->shared ? 1 : (size_t)d->threads) *
           (d->sum_floats + d->buffer_floats + d->gradient_floats);
}

bool rn_direct_fits(const rn_op_desc *d, int block)
{
    int from = rn_layout_block(d->src.layout);
    bool few = d->src.c <= block / 2 || d->dst.dtype != RN_FLOAT32; // who else would
    bool plain = d->src.layout == RN_LAYOUT_NCHW && few && d->kind != RN_OP_CONV_BACKWARD_DATA;

    return (from == block || plain) && rn_layout_block(d->dst.layout) == block && d->stride >= 1 &&
           d->stride <= RN_DIRECT_MOST_STRIDE && d->kernel >= 1 && d->pad >= 0 &&
           d->pad < d->kernel && d->dst.h > 0 && d->dst.w > 0;
}

size_t rn_direct_plan(rn_direct *d, const rn_op_desc *op, int block)
{
    *d = (rn_direct){.kernel = op->kernel, .threads = rn_threads()};
    d->transposed = op->kind == RN_OP_CONV_BACKWARD_DATA;
    if (d->transposed) {
        set_tensors(d, &op->dst, &op->src);
        plan_data(d, op, block);
        return plan_results(d, block);
    }
    set_tensors(d, &op->src, &op->dst);
    plan_forward(d, op);
    d->out_weights =
        (size_t)d->in * (size_t)(op->kernel * op->kernel) * (size_t)d->channels * (size_t)block;
    d->bytes = op->kind == RN_OP_CONV && op->int8;
    if (d->bytes)
        d->prepared_floats = (size_t)d->out * (d->out_weights / sizeof(float) + 2 * (size_t)block);
    else if (op->kind == RN_OP_CONV && op->fold)
        d->prepared_floats = (size_t)d->out * (d->out_weights + 2 * (size_t)block);
    return op->kind == RN_OP_CONV ? plan_results(d, block) : plan_weights(d, block);
}
