/**
 * Sizes of a direct convolution of any window, shared by its maker and its kernels.
 *
 * Forward and backward data are the same work. The tensor that is read is copied chunk by chunk
 * into a buffer with its padding, and each result is a sum over "taps" of the buffer: forward reads
 * SRC and has one class of results; backward data reads DIFF_DST, and with stride s the results
 * fall into s x s classes by their place modulo s, each with taps of its own. A grid of
 * `rows` x `columns` points walks over both: `step_in` apart in the buffer, `step_out` in the
 * result.
 */
#ifndef ENGINE_CPU_DIRECT_H
#define ENGINE_CPU_DIRECT_H

#include "plan/op.h"

enum { RN_DIRECT_MOST_STRIDE = 2, RN_DIRECT_CLASSES = 4 };

enum { RN_DIRECT_POINTS = 6 }; // of the grid, of one product

enum { RN_POINTWISE_MOST = 384 }; // points of a chunk, whole groups

/** Results at (step_out row + y, step_out column + x), made of rows x columns taps. */
typedef struct rn_direct_class {
    int y, x;
    int first_y, first_x; // of the taps, from the buffer's first row and column of the grid point
    int taps_y, taps_x;
    int last_y, last_x; // of the window: where the first tap stands, backward data
    size_t weights;     // floats before those of this class, of one block of results
} rn_direct_class;

typedef struct rn_direct {
    int n, in, out;                     // blocks of channels read and written; plain source: 1
    int channels;                       // of a block read: the register's, or all of a plain source
    int in_h, in_w, out_h, out_w;       // of the tensors read and written
    int kernel;                         //
    int rows, columns;                  // of the grid, a picture
    int step_in, step_out;              // of the grid
    int first_y, first_x;               // of the buffer, where the grid point is 0
    int take;                           // every take-th row and column is copied
    int span;                           // rows and columns of the buffer for one grid point
    int chunk_rows, chunk_pictures;     // one of them is 1, or rows are all
    int chunks;                         // of the batch
    int parts;                          // of the blocks written, where chunks are too few
    int buffer_rows, buffer_columns;    // a picture's
    size_t line_floats, picture_floats; // of the buffer
    size_t block_floats;                // all pictures of a chunk
    bool plain;                         // NCHW is read
    bool bytes;                         // the buffer is of bytes: "floats" of it are bytes
    bool grouped;                       // 1x1: buffer and weights lie as products read them
    bool transposed;                    // backward data: weights are copied to `weight_floats`,
                                        // as they are if grouped
    size_t weight_floats, buffer_floats; // parts of scratch
    size_t out_weights;                  // floats of weights of one block of results
    size_t prepared_floats;              // scaled weights, shift, scale: of constant parameters
    size_t gradient_block_floats;        // backward weights: a block of a chunk's gradients
    size_t gradient_floats;              //
    size_t sum_floats;                   //
    bool shared;                         // backward weights: threads share each chunk, not sums
    int threads;                         // that scratch has room for
    int classes;
    rn_direct_class class[RN_DIRECT_CLASSES];
} rn_direct;

/** Whether the op, one of the three of a convolution, has such blocks, or is of a plain source. */
bool rn_direct_fits(const rn_op_desc *desc, int block);

/** Cut up an op that fits, for rn_threads(). @return Floats of scratch. */
size_t rn_direct_plan(rn_direct *d, const rn_op_desc *desc, int block);

#endif
