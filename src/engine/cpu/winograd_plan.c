// Chooses how a Winograd convolution is cut up.
#include "engine/cpu/winograd.h"

enum {
    LEAST_TILES = 24,    // of a chunk: the products' weights are read once for so many
    MOST_TILES = 48,     // a chunk and its products stay in the second-level cache
    OUTPUT_TILES = 96,   // where threads split outputs: the products alone stay there
    SHARED_TILES = 1024, // of a chunk that all threads work on
    SUM_BYTES = 2 << 20, // of a thread's sums, where they are of some input blocks only
    PAIR = 2,            // output blocks of one product
    STRIP_EDGE = 2       // columns of a strip beside the tiles
};

static int whole_groups(int tiles, int block)
{
    int group = block == 16 ? RN_WINOGRAD_GROUP_16 : RN_WINOGRAD_GROUP_8;

    return (tiles + group - 1) / group * group;
}

// Rows of tiles of a chunk: few tiles, but not so few that slots without a tile cost much.
static int choose_rows(const rn_winograd *g, int block)
{
    int best = 1, all = g->n * g->rows;
    double least = 1e9;

    for (int rows = 1; rows <= all; rows++) {
        int tiles = rows * g->columns;
        if (rows > 1 && tiles > MOST_TILES)
            break;
        double slots = (double)(all / rows) * whole_groups(tiles, block) +
                       whole_groups(all % rows * g->columns, block);
        double cost =
            slots / ((double)all * g->columns) + (tiles < LEAST_TILES ? 0.25 : 0.0) + 0.001 * tiles;
        if (cost < least) {
            least = cost;
            best = rows;
        }
    }
    return best;
}

// As few chunks as may be, of like size.
static int output_rows(const rn_winograd *g)
{
    int all = g->n * g->rows, most = g->columns < OUTPUT_TILES ? OUTPUT_TILES / g->columns : 1;
    int chunks = (all + most - 1) / most;

    return (all + chunks - 1) / chunks;
}

static void cut(rn_winograd *g, int chunk_rows, int block)
{
    int all = g->n * g->rows;

    g->chunk_rows = chunk_rows < all ? chunk_rows : all;
    g->chunk_tiles = whole_groups(g->chunk_rows * g->columns, block);
    g->chunks = (all + g->chunk_rows - 1) / g->chunk_rows;
}

// Transformed weights that do not stay in a second-level cache are read again for each chunk: with
// few tiles it is better that each thread has its own outputs.
static bool share_forward(const rn_winograd *g, int block)
{
    double weights = 36.0 * 4 * g->in * g->out * block * block;
    double tiles = (double)g->n * g->rows * g->columns;

    return weights > (4 << 20) && tiles < 2048;
}

static void plan_forward(rn_winograd *g, int block, bool prepared)
{
    size_t pairs = (size_t)(g->out + 1) / PAIR;
    size_t pair_floats = (size_t)(RN_WINOGRAD_POINTS * g->in * PAIR) * (size_t)(block * block);

    cut(g, choose_rows(g, block), block);
    g->shared = share_forward(g, block);
    // Nothing to transform: all that matters is that every thread has work.
    if (prepared && g->chunks < 2 * g->threads && (int)pairs >= g->threads)
        g->shared = true;
    if (g->shared)
        cut(g, output_rows(g), block);
    g->side = block == 16 ? RN_WINOGRAD_GROUP_16 : RN_WINOGRAD_GROUP_8;
    if (prepared)
        g->prepared_floats = pair_floats * pairs + 2 * (size_t)(g->out * block);
    else
        g->weight_floats = g->shared ? pair_floats : pair_floats * pairs;
    g->source_floats = g->shared ? 0 : rn_winograd_chunk_floats(g, g->in, block);
    g->product_floats = rn_winograd_chunk_floats(g, PAIR, block);
}

static int shared_rows(const rn_winograd *g)
{
    return g->columns < SHARED_TILES ? SHARED_TILES / g->columns : 1;
}

static void plan_weights(rn_winograd *g, int block)
{
    size_t each = RN_WINOGRAD_POINTS * rn_winograd_sum_step(g, 1, block);
    size_t sum = RN_WINOGRAD_POINTS * rn_winograd_sum_step(g, g->in, block);
    int most = (g->in + g->threads - 1) / g->threads, wanted = (int)(SUM_BYTES / 4 / each);

    g->shared = sum * sizeof(float) > (640 << 10);
    cut(g, g->shared ? shared_rows(g) : choose_rows(g, block), block);
    if (g->shared && g->chunks == 1) {
        g->inputs = wanted < 1 ? 1 : wanted > most ? most : wanted;
        sum = RN_WINOGRAD_POINTS * rn_winograd_sum_step(g, g->inputs, block);
    }
    g->weight_floats = sum;
    g->side = g->chunk_tiles;
    g->source_floats = g->shared ? 0 : rn_winograd_chunk_floats(g, g->in, block);
    g->product_floats = g->shared ? 0 : rn_winograd_chunk_floats(g, g->out, block);
}

static void plan_sizes(rn_winograd *g, const rn_op_desc *d, int block)
{
    *g = (rn_winograd){.n = d->src.n,
                       .h = d->src.h,
                       .w = d->src.w,
                       .in = rn_padded_channels(&d->src) / block,
                       .out = rn_padded_channels(&d->dst) / block,
                       .transposed = d->kind == RN_OP_CONV_BACKWARD_DATA,
                       .rows = (d->src.h + RN_WINOGRAD_RESULT - 1) / RN_WINOGRAD_RESULT,
                       .columns = (d->src.w + RN_WINOGRAD_RESULT - 1) / RN_WINOGRAD_RESULT,
                       .threads = rn_threads()};
    if (g->transposed) {
        int in = g->in;
        g->in = g->out;
        g->out = in;
    }
    if (d->kind == RN_OP_CONV_BACKWARD_WEIGHTS)
        plan_weights(g, block);
    else
        plan_forward(g, block, d->kind == RN_OP_CONV && d->constant);
    size_t columns = (size_t)(RN_WINOGRAD_RESULT * g->columns + STRIP_EDGE);
    g->strip_floats = columns * RN_WINOGRAD_SOURCE * (size_t)block;
    g->strip_floats = (g->strip_floats + 15) / 16 * 16;
}

static size_t scratch_floats(const rn_winograd *g, const rn_op_desc *d, int block)
{
    size_t threads = (size_t)g->threads;
    size_t each = g->source_floats + g->product_floats + g->strip_floats;
    size_t source = rn_winograd_chunk_floats(g, g->in, block);

    if (d->kind == RN_OP_CONV_BACKWARD_WEIGHTS)
        return (g->shared && g->inputs == 0 ? 1 : threads) * g->weight_floats + threads * each +
               (g->shared ? source + rn_winograd_chunk_floats(g, g->out, block) : 0);
    return g->shared ? threads * (g->weight_floats + each) + (size_t)g->chunks * source
                     : g->weight_floats + threads * each;
}

bool rn_winograd_fits(const rn_op_desc *d, int block)
{
    bool same = d->src.n == d->dst.n && d->src.h == d->dst.h && d->src.w == d->dst.w;

    return d->kernel == 3 && d->stride == 1 && d->pad == 1 && same &&
           rn_layout_block(d->src.layout) == block && rn_layout_block(d->dst.layout) == block;
}

size_t rn_winograd_plan(rn_winograd *g, const rn_op_desc *d, int block)
{
    plan_sizes(g, d, block);
    return scratch_floats(g, d, block);
}
