/**
 * Dropout. Element i of nChw16c order has word i % 4 of Philox block i / 4 (rn_dropout_keeps()), so
 * a block serves four neighbouring channels, whatever the layout in use.
 *
 * A register of 64-bit lanes computes VEC / 2 blocks at a time: the multiplication that Philox is
 * made of takes the lower halves of such lanes, so that what lies in the upper ones may be
 * anything. Those blocks are the words of two registers of floats, `step` blocks apart: lanes 2 m
 * and 2 m + 1 hold block m of the first and of the second register.
 */
#ifndef ENGINE_CPU_BODY_DROPOUT_H
#define ENGINE_CPU_BODY_DROPOUT_H

#include "base/random.h"
#include "engine/cpu/body_elementwise.h"

enum { PHILOX_ROUNDS = 10 };

typedef struct dropout {
    const act *src;
    act *dst;
    vec scale;
    vec_bits least;                       // words from here on keep their element
    vec_bits stream, step, purpose;       // counter[1 .. 3]
    vec_bits key[PHILOX_ROUNDS][2], m[2]; // of each round; Philox's multipliers
} dropout;

static dropout dropout_of(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const rn_random *random = args[RN_ARG_RANDOM];
    uint32_t k0 = (uint32_t)random->seed, k1 = (uint32_t)(random->seed >> 32);
    // rate < 1, as a float at most 1 - 2^-24: the least word to keep has 32 bits
    uint32_t least = (uint32_t)ceil((double)desc->rate * 4294967296.0);
    dropout d = {.src = args[RN_ARG_SRC],
                 .dst = args[RN_ARG_DST],
                 .scale = vec_all(desc->scale),
                 .least = VEC_OP(set1_epi32)((int)least),
                 .stream = VEC_OP(set1_epi32)((int)desc->stream),
                 .step = VEC_OP(set1_epi32)((int)(uint32_t)random->step),
                 .purpose = VEC_OP(set1_epi32)(RN_PURPOSE_DROPOUT),
                 .m = {VEC_OP(set1_epi32)((int)0xD2511F53u), VEC_OP(set1_epi32)((int)0xCD9E8D57u)}};

    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        d.key[round][0] = VEC_OP(set1_epi32)((int)k0);
        d.key[round][1] = VEC_OP(set1_epi32)((int)k1);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return d;
}

// Words of the blocks whose numbers are in the lower halves of `block`, there too.
INLINE void philox(const dropout *d, vec_bits block, vec_bits words[4])
{
    vec_bits c0 = block, c1 = d->stream, c2 = d->step, c3 = d->purpose;

    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        vec_bits p0 = VEC_OP(mul_epu32)(c0, d->m[0]), p1 = VEC_OP(mul_epu32)(c2, d->m[1]);
        c0 = vec_xor3(VEC_OP(srli_epi64)(p1, 32), c1, d->key[round][0]);
        c1 = p1;
        c2 = vec_xor3(VEC_OP(srli_epi64)(p0, 32), c3, d->key[round][1]);
        c3 = p0;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

// Numbers of the blocks for two registers of which the first begins with block `first`.
INLINE vec_bits dropout_blocks(uint64_t first, uint64_t step)
{
    long long block[VEC / 2];

    for (size_t i = 0; i < VEC / 2; i++)
        block[i] = (long long)(first + i / 2 + i % 2 * step);
    return vec_longs(block);
}

// The words of each register, in the order of its floats.
INLINE void dropout_words(const dropout *d, vec_bits block, vec words[2])
{
    vec_bits w[4];

    philox(d, block, w);
    vec low = VEC_OP(shuffle_ps)(vec_of_bits(w[0]), vec_of_bits(w[1]), _MM_SHUFFLE(2, 0, 2, 0));
    vec high = VEC_OP(shuffle_ps)(vec_of_bits(w[2]), vec_of_bits(w[3]), _MM_SHUFFLE(2, 0, 2, 0));
    words[0] = VEC_OP(shuffle_ps)(low, high, _MM_SHUFFLE(2, 0, 2, 0));
    words[1] = VEC_OP(shuffle_ps)(low, high, _MM_SHUFFLE(3, 1, 3, 1));
}

INLINE void dropout_register(const dropout *d, size_t i, size_t n, vec words)
{
    vec scaled = vec_mul(d->scale, act_load_n(d->src + i, n));

    act_store_n(d->dst + i, n, vec_keep_words(scaled, words, d->least));
}

/**
 * A tensor as runs of floats in whose registers block numbers grow evenly: the pixels of one
 * (n, block of channels), or a row of NC.
 */
typedef struct dropout_runs {
    size_t count, floats;     // runs, and floats of each
    size_t pairs;             // of registers in a run
    uint64_t step;            // blocks from one register to the next
    size_t blocks;            // runs of one image
    uint64_t image, quarters; // blocks of an image, and of what lies between two 16 channels
} dropout_runs;

static dropout_runs runs_of(const rn_tensor_desc *t)
{
    size_t block = (size_t)rn_layout_block(t->layout), area = (size_t)t->h * (size_t)t->w;
    bool rows = t->layout == RN_LAYOUT_NC;
    dropout_runs runs = {.floats = rows ? (size_t)t->c : area * block,
                         .step = block == 8 ? 4 : VEC / 4,
                         .blocks = rows ? 1 : (size_t)rn_padded_channels(t) / block,
                         .quarters = 4 * area};

    runs.count = (size_t)t->n * runs.blocks;
    runs.pairs = (runs.floats + 2 * VEC - 1) / (2 * VEC);
    runs.image = ((uint64_t)t->c + 15) / 16 * runs.quarters;
    return runs;
}

// The first block of a run. Blocks of 8 channels share the places of 16 by halves.
static uint64_t run_first(const dropout_runs *runs, const rn_tensor_desc *t, size_t run)
{
    size_t channel = run % runs->blocks * (size_t)rn_layout_block(t->layout);

    return run / runs->blocks * runs->image + channel / 16 * runs->quarters + channel % 16 / 4;
}

// Pairs of registers begin .. end of one run.
static void dropout_run(const dropout *d, const dropout_runs *runs, range pairs, size_t offset,
                        uint64_t first)
{
    vec_bits block = dropout_blocks(first + pairs.begin * 2 * runs->step, runs->step);
    const vec_bits next = VEC_OP(set1_epi32)((int)(2 * runs->step));
    vec words[2];
    size_t i = pairs.begin * 2 * VEC, end = pairs.end * 2 * VEC;

    if (end > runs->floats)
        end = runs->floats;
    for (; i + 2 * VEC <= end; i += 2 * VEC) {
        dropout_words(d, block, words);
        dropout_register(d, offset + i, VEC, words[0]);
        dropout_register(d, offset + i + VEC, VEC, words[1]);
        block = VEC_OP(add_epi32)(block, next);
    }
    if (i == end)
        return;
    dropout_words(d, block, words);
    dropout_register(d, offset + i, end - i < VEC ? end - i : VEC, words[0]);
    if (end - i > VEC)
        dropout_register(d, offset + i + VEC, end - i - VEC, words[1]);
}

static void dropout_by_runs(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const dropout_runs runs = runs_of(&desc->src);

#pragma omp parallel if (runs.count * runs.floats > PARALLEL_FLOATS)
    {
        const dropout d = dropout_of(desc, args);
        range part = thread_range(runs.count * runs.pairs);
        while (part.begin < part.end) {
            size_t run = part.begin / runs.pairs, first = part.begin - run * runs.pairs;
            size_t left = part.end - part.begin, most = runs.pairs - first;
            size_t pairs = left < most ? left : most;
            dropout_run(&d, &runs, (range){first, first + pairs}, run * runs.floats,
                        run_first(&runs, &desc->src, run));
            part.begin += pairs;
        }
    }
}

// Plain NCHW, which inside a network only its input has: neighbours in memory share no block.
static void dropout_by_planes(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t channels = (size_t)desc->src.c, area = (size_t)desc->src.h * (size_t)desc->src.w;
    size_t planes = (size_t)desc->src.n * channels, blocks = (channels + 15) / 16;
    const float *src = args[RN_ARG_SRC];
    float *dst = args[RN_ARG_DST];

#pragma omp parallel for schedule(static) if (planes * area > PARALLEL_FLOATS)
    for (size_t plane = 0; plane < planes; plane++) {
        size_t n = plane / channels, c = plane % channels;
        uint64_t index = (n * blocks + c / 16) * area * 16 + c % 16;
        for (size_t i = plane * area; i < (plane + 1) * area; i++, index += 16) {
            bool keep = rn_dropout_keeps(args[RN_ARG_RANDOM], desc->stream, desc->rate, index);
            dst[i] = keep ? desc->scale * src[i] : 0;
        }
    }
}

INLINE void zero_step(act *dst, size_t i, size_t n)
{
    act_store_n(dst + i, n, vec_zero());
}

static rn_status dropout_whole(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&desc->src);
    act *dst = args[RN_ARG_DST];

    if (rn_dropout_keeps(args[RN_ARG_RANDOM], desc->stream, desc->rate, 0))
        return scale(desc, args);
#pragma omp parallel if (count > PARALLEL_FLOATS)
    EACH_REGISTER(count, zero_step, dst);
    return RN_OK;
}

static rn_status drop_elements(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    if (desc->whole)
        return dropout_whole(desc, args);
    if (desc->src.layout == RN_LAYOUT_NCHW)
        dropout_by_planes(desc, args);
    else
        dropout_by_runs(desc, args);
    return RN_OK;
}

#endif
