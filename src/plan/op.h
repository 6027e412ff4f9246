/**
 * The contract between plan/ (which decides what runs, where and in which layout) and engine/
 * (which knows how): op descriptors, kernels and the engine's table of functions.
 *
 * plan/ never names an engine's header; an engine includes this one and fills the tables.
 */
#ifndef PLAN_OP_H
#define PLAN_OP_H

#include "resnet/plan.h"

#include <string.h>

/** Shape, type and order in memory of one tensor. Logical order is always n, c, h, w. */
typedef struct rn_tensor_desc {
    rn_dtype dtype;
    rn_layout layout;
    int n, c, h, w; // h = w = 1 for RN_LAYOUT_NC
} rn_tensor_desc;

/** Channels per block of a layout: 1 for the plain ones, 8 or 16 for the blocked ones. */
int rn_layout_block(rn_layout layout);

/** c rounded up to the layout's block. The padding channels of a blocked tensor always hold 0. */
int rn_padded_channels(const rn_tensor_desc *desc);

/** Elements in memory, padding included. */
size_t rn_tensor_elements(const rn_tensor_desc *desc);
size_t rn_tensor_bytes(const rn_tensor_desc *desc);

/** Copy between float32 NCHW (no padding) and a tensor of any type (rounded) and layout. */
void rn_tensor_pack(const rn_tensor_desc *desc, const float *nchw, void *dst);
void rn_tensor_unpack(const rn_tensor_desc *desc, const void *src, float *nchw);

/** The nearest bfloat16, of two the even one; a NaN stays one. And back. */
uint16_t rn_bf16_of(float value);

static inline float rn_bf16_value(uint16_t bf16)
{
    uint32_t bits = (uint32_t)bf16 << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/**
 * All ops. `src` and `dst` of a descriptor are always the forward op's, also for a backward op.
 * Arguments of each, besides WORKSPACE and SCRATCH (asked for through rn_kernel):
 *
 *   CONV                     SRC WEIGHTS [BIAS] [GAIN SHIFT RUNNING_MEAN RUNNING_VARIANCE] [SRC2]
 *                            -> DST [STATISTICS]                         (cross-correlation)
 *                            y = [relu](fold(src * weights [+ bias]) [+ src2]), where with `fold` a
 *                            batch norm from running statistics follows, with GAIN and SHIFT.
 *                            STATISTICS: what BATCH_NORM_TRAIN of DST needs of it, in a form of
 *                            the engine's own; where it is NULL, none is written.
 *                            With `norm`, here and in CONV_BACKWARD_WEIGHTS, SRC is not read but
 *                            made from RAW and NORM, as BATCH_NORM_TRAIN with `deferred` has it. An
 *                            engine may refuse `norm`.
 *   CONV_BACKWARD_DATA       DIFF_DST WEIGHTS -> DIFF_SRC
 *   CONV_BACKWARD_WEIGHTS    SRC DIFF_DST -> DIFF_WEIGHTS [DIFF_BIAS]    (summed over the batch)
 *   LINEAR                   SRC WEIGHTS BIAS -> DST                     (NC; weights [out][in])
 *   LINEAR_BACKWARD_DATA     DIFF_DST WEIGHTS -> DIFF_SRC
 *   LINEAR_BACKWARD_WEIGHTS  SRC DIFF_DST -> DIFF_WEIGHTS DIFF_BIAS
 *   BATCH_NORM_TRAIN         SRC [SRC2] [STATISTICS] WEIGHTS BIAS RUNNING_MEAN RUNNING_VARIANCE
 *                            -> DST SAVED
 *                            y = [relu](gain * (x - mean) * invstd + bias [+ src2]); batch mean and
 *                            biased variance over n, h, w; SAVED = mean[padded c], invstd[padded
 *                            c], and what the mean loses in float, rest[padded c]: y is made from
 *                            these (mean + rest is the mean). running = (1 - momentum) * running +
 *                            momentum * batch, the variance unbiased (n h w / (n h w - 1)) as
 *                            PyTorch does. With `deferred` -> SAVED NORM: no DST, but
 *                            RN_NORM_VECTORS padded vectors in a form of the engine's own
 *   BATCH_NORM_INFER         the same from the running statistics, which stay; no SAVED
 *   BATCH_NORM_AGAIN         SRC [SRC2] WEIGHTS BIAS SAVED -> DST: what BATCH_NORM_TRAIN wrote, bit
 *                            for bit, from its SAVED; the running statistics stay. A forward op of
 *                            the backward list, with `forward` set.
 *   BATCH_NORM_BACKWARD      SRC DIFF_DST [DIFF_DST2] WEIGHTS SAVED [DST if relu and add, BIAS if
 *                            relu alone] -> [DIFF_SRC] [DIFF_SRC2 if add] DIFF_WEIGHTS DIFF_BIAS
 *                            g = (diff_dst [+ diff_dst2]), with relu masked by dst > 0, which
 *                            without `add` is found again from SRC; diff_src2 = g; diff_src by
 *                            Ioffe & Szegedy 2015, section 3; not where DIFF_SRC is NULL
 *   RELU                     SRC -> DST
 *   RELU_BACKWARD            DST DIFF_DST [DIFF_DST2] -> DIFF_SRC        (derivative 0 at 0)
 *   ADD                      SRC SRC2 -> DST, then ReLU if relu          (also sums gradients)
 *   SCALE                    SRC -> DST = scale * src (also its own backward op)
 *   DROPOUT                  SRC RANDOM -> DST: scale * src, or 0 with probability `rate`. With
 *                            `whole` one draw (index 0) decides for all elements. Also its own
 *                            backward op, because the draw depends only on RANDOM, `stream` and the
 *                            element's index: rn_dropout_keeps(). Padding channels stay 0.
 *   GATE                     SRC SRC2 -> DST = src * s, s = sigmoid(src2), or 1 - it if complement
 *   GATE_BACKWARD            SRC SRC2 DIFF_DST -> DIFF_SRC = diff_dst * s,
 *                            DIFF_SRC2 = diff_dst * src * ds/dsrc2
 *   FLATTEN                  SRC -> DST: dst (NC) [n][(c H + y) W + x] = src[n][c][y][x]
 *   FLATTEN_BACKWARD         DIFF_DST -> DIFF_SRC
 *   SHORTCUT_PAD             SRC -> DST: dst[n][offset + c][y][x] = src[n][c][y stride][x stride],
 *                            other channels 0 (option A of the 2015 paper)
 *   SHORTCUT_PAD_BACKWARD    DIFF_DST -> DIFF_SRC (positions not read by the forward op get 0)
 *   MAX_POOL                 SRC -> DST WORKSPACE (the argmax, or as the engine likes; training
 *                            plans only); padding counts as minus infinity
 *   MAX_POOL_BACKWARD        DIFF_DST WORKSPACE -> DIFF_SRC
 *   AVERAGE_POOL             SRC -> DST: global, dst is NC
 *   AVERAGE_POOL_BACKWARD    DIFF_DST -> DIFF_SRC
 *   CROSS_ENTROPY            SRC (logits, NC) LABELS [LABELS_B SHARES] -> DIFF_SRC LOSS: softmax,
 *                            mean over the batch; target (1 - s) onehot + s / classes;
 *                            diff_src = (softmax - target) / n. With `mixed` onehot is
 *                            share onehot(label) + (1 - share) onehot(label_b), and LOSS counts
 *                            answers as wrong that are not the label of the larger share (LABELS'
 *                            of equal ones). RN_EINVAL where a label or share is out of range.
 *
 * In-place calls that every engine must allow: DST = SRC for RELU, SCALE and DROPOUT; DST = SRC or
 * SRC2 for ADD and GATE; DIFF_SRC = DIFF_DST for GATE_BACKWARD; DST = SRC2 for BATCH_NORM_*, and
 * for CONV unless SRC (with `norm`: RAW) is the same tensor; DIFF_SRC = DIFF_DST or DIFF_DST2 for
 * RELU_BACKWARD; for BATCH_NORM_BACKWARD DIFF_SRC = SRC, and DIFF_SRC2 = DIFF_DST or DIFF_DST2.
 */
typedef enum rn_op_kind {
    RN_OP_CONV,
    RN_OP_CONV_BACKWARD_DATA,
    RN_OP_CONV_BACKWARD_WEIGHTS,
    RN_OP_LINEAR,
    RN_OP_LINEAR_BACKWARD_DATA,
    RN_OP_LINEAR_BACKWARD_WEIGHTS,
    RN_OP_BATCH_NORM_TRAIN,
    RN_OP_BATCH_NORM_INFER,
    RN_OP_BATCH_NORM_AGAIN,
    RN_OP_BATCH_NORM_BACKWARD,
    RN_OP_RELU,
    RN_OP_RELU_BACKWARD,
    RN_OP_ADD,
    RN_OP_SCALE,
    RN_OP_DROPOUT,
    RN_OP_GATE,
    RN_OP_GATE_BACKWARD,
    RN_OP_FLATTEN,
    RN_OP_FLATTEN_BACKWARD,
    RN_OP_SHORTCUT_PAD,
    RN_OP_SHORTCUT_PAD_BACKWARD,
    RN_OP_MAX_POOL,
    RN_OP_MAX_POOL_BACKWARD,
    RN_OP_AVERAGE_POOL,
    RN_OP_AVERAGE_POOL_BACKWARD,
    RN_OP_CROSS_ENTROPY,
    RN_OP_KINDS
} rn_op_kind;

/** Vectors of padded c floats in SAVED. */
enum { RN_SAVED_VECTORS = 3, RN_NORM_VECTORS = 4 };

const char *rn_op_kind_name(rn_op_kind kind); // "conv", "conv backward data", ...

/** What `forward` of an op's descriptor must be: the forward op of a backward op, BATCH_NORM_TRAIN
 *  for BATCH_NORM_AGAIN; the kind itself for all ops that need no `forward`. */
rn_op_kind rn_op_forward_kind(rn_op_kind kind);

typedef enum rn_arg {
    RN_ARG_SRC,
    RN_ARG_SRC2,
    RN_ARG_RAW, // what a deferred batch norm normalises, in place of SRC
    RN_ARG_DST,
    RN_ARG_DIFF_DST,
    RN_ARG_DIFF_DST2,
    RN_ARG_DIFF_SRC,
    RN_ARG_DIFF_SRC2,
    RN_ARG_WEIGHTS, // BN: gain
    RN_ARG_BIAS,
    RN_ARG_DIFF_WEIGHTS,
    RN_ARG_DIFF_BIAS,
    RN_ARG_RUNNING_MEAN,
    RN_ARG_RUNNING_VARIANCE,
    RN_ARG_SAVED,
    RN_ARG_NORM, // how a deferred batch norm normalises
    RN_ARG_GAIN, // of the batch norm that a CONV has folded into it
    RN_ARG_SHIFT,
    RN_ARG_PREPARED,   // what prepare() makes of a CONV's parameters
    RN_ARG_STATISTICS, // of a CONV's DST, for the BATCH_NORM_TRAIN that reads it
    RN_ARG_WORKSPACE,  // written forward, read backward
    RN_ARG_SCRATCH,    // contents lost between ops
    RN_ARG_RANDOM,     // const rn_random *: what DROPOUT draws from
    RN_ARG_LABELS,     // int32_t[n], each 0 .. classes - 1
    RN_ARG_LABELS_B,   // likewise
    RN_ARG_SHARES,     // float[n], each 0 .. 1
    RN_ARG_LOSS,       // rn_loss
    RN_ARGS
} rn_arg;

/** Names the draws of one training step: the same in its forward and backward list. */
typedef struct rn_random {
    uint64_t seed, step;
} rn_random;

/**
 * Whether DROPOUT keeps an element: word `index % 4` of Philox block `index / 4` of the stream
 * (seed, RN_PURPOSE_DROPOUT, step, stream) is >= rate * 2^32. The index of element (n, c, y, x) is
 * its place in nChw16c, whatever the layout in use, so that all engines draw alike:
 * ((n ceil(C / 16) + c / 16) H W + y W + x) 16 + c % 16.
 */
bool rn_dropout_keeps(const rn_random *random, uint32_t stream, float rate, uint64_t index);

typedef struct rn_kernel rn_kernel;

typedef struct rn_op_desc {
    rn_op_kind kind;
    rn_tensor_desc src, dst;
    int kernel, stride, pad;  // CONV*, MAX_POOL*: square, symmetric; SHORTCUT_PAD*: stride
    int channel_offset;       // SHORTCUT_PAD*: first dst channel that holds a src channel
    bool bias;                // CONV*: has a bias
    bool relu;                // BATCH_NORM_*, ADD, CONV: ReLU at the end
    bool add;                 // BATCH_NORM_*, CONV: SRC2 is added before the ReLU
    bool deferred;            // BATCH_NORM_TRAIN: DST is not made, readers use NORM
    bool norm, norm_relu;     // CONV, CONV_BACKWARD_WEIGHTS: SRC is a deferred batch norm's DST
    bool fold;                // CONV: a batch norm from running statistics is folded into it
    bool constant;            // CONV: parameters change rarely, and never within a list
    bool int8;                // CONV, constant: may be computed in bytes; SRC lies, or is to be cut
    float range[2];           // to lie, in this range
    bool diff_dst2;           // BATCH_NORM_BACKWARD, RELU_BACKWARD: a second gradient is added
    bool training;            // MAX_POOL: the backward op will follow
    bool statistics;          // CONV: STATISTICS is welcome; BATCH_NORM_TRAIN: it is read
    int parts;                // BATCH_NORM_TRAIN with statistics: the conv kernel's
    float epsilon, momentum;  // BATCH_NORM_*; epsilon: also CONV with `fold`
    float scale;              // SCALE, DROPOUT
    float rate;               // DROPOUT: 0 .. below 1
    bool whole;               // DROPOUT: one draw for the whole batch
    uint32_t stream;          // DROPOUT: number of the graph's node
    bool complement;          // GATE*
    float label_smoothing;    // CROSS_ENTROPY, 0 .. 1
    bool mixed;               // CROSS_ENTROPY: two labels a sample, with shares
    const rn_kernel *forward; // backward ops: the forward op's kernel, whose native layout of
                              // weights (and workspace) they must use; NULL for forward ops
} rn_op_desc;

/** Whether the shapes of a SHORTCUT_PAD* are what its stride and offset say. */
bool rn_shortcut_fits(const rn_op_desc *desc);

/**
 * One op made ready for fixed shapes. Weights, biases, gains and running statistics live in the
 * kernel's native layout (for example OIhw16i16o; vectors padded with zeroes to whole blocks);
 * gradients of a parameter have the layout of the parameter, padding 0.
 */
struct rn_kernel {
    /** args[a] is NULL for every argument that the op does not have. Allocates nothing. */
    rn_status (*run)(rn_kernel *kernel, void *const args[RN_ARGS]);
    void (*free)(rn_kernel *kernel); // frees the struct itself too
    const char *implementation;      // "cpu avx512", "onednn jit:avx512_core"; the kernel's own
    size_t workspace_bytes;          // of RN_ARG_WORKSPACE; 0 if none
    size_t scratch_bytes;            // of RN_ARG_SCRATCH, 64-byte aligned; 0 if none
    size_t statistics_bytes;         // of RN_ARG_STATISTICS; 0 where the kernel takes none
    int statistics_parts;            // of which it consists
    size_t prepared_bytes;           // of RN_ARG_PREPARED, which lasts; 0: run reads parameters

    /** Make PREPARED of the parameters, after each change of these; run reads it instead. */
    rn_status (*prepare)(rn_kernel *kernel, void *const args[RN_ARGS]);

    /** Forward ops with parameters: floats that parameter `arg` takes in native layout. */
    size_t (*native_count)(const rn_kernel *kernel, rn_arg arg);
    /** Canonical (OIHW, [out][in], [c]) to native, padding zeroed; and back. */
    rn_status (*pack)(const rn_kernel *kernel, rn_arg arg, const float *canonical, float *native);
    rn_status (*unpack)(const rn_kernel *kernel, rn_arg arg, const float *native, float *canonical);
};

void rn_kernel_free(rn_kernel *kernel); // NULL is legal

/** One SGD update of `count` elements: u = g + decay w; v = momentum v + u; w -= lr (v, or with
 *  Nesterov u + momentum v). Sutskever et al. 2013; PyTorch's form, dampening 0. */
typedef struct rn_sgd_update {
    float *value, *velocity;
    const float *gradient;
    size_t count;
    float lr, momentum, decay;
    bool nesterov;
} rn_sgd_update;

struct rn_engine {
    const char *name;        // "ref", "cpu"
    const char *description; // "cpu avx512, oneDNN 2.6.3 avx512_core_bf16"; the engine's own
    rn_layout layout;        // of activations with h x w; input images are always NCHW

    /** Make a kernel; RN_EUNSUPPORTED if the engine has none (the message names op and shape). */
    rn_status (*create)(rn_engine *engine, rn_kernel **out, const rn_op_desc *desc);
    void (*sgd)(const rn_sgd_update *update);
    /** average = decay * average + (1 - decay) * value. */
    void (*ema)(float *average, const float *value, size_t count, float decay);
    void (*free)(rn_engine *engine);
};

#endif
