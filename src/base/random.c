#include "base/random.h"

#include <math.h>
#include <string.h>

static uint32_t multiply_high(uint32_t a, uint32_t b, uint32_t *low)
{
    uint64_t product = (uint64_t)a * b;

    *low = (uint32_t)product;
    return (uint32_t)(product >> 32);
}

void rn_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; round++) {
        uint32_t low0, low1;
        uint32_t high0 = multiply_high(0xD2511F53u, c0, &low0);
        uint32_t high1 = multiply_high(0xCD9E8D57u, c2, &low1);
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u; // Weyl sequence: golden ratio and sqrt(3) - 1
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void rn_stream_init(rn_stream *stream, uint64_t seed, rn_purpose purpose, uint32_t epoch,
                    uint32_t sample)
{
    *stream = (rn_stream){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, sample, epoch, (uint32_t)purpose},
        .used = 4,
    };
}

uint32_t rn_stream_bits(rn_stream *stream)
{
    if (stream->used == 4) {
        rn_philox(stream->block, stream->counter, stream->key);
        stream->counter[0]++;
        stream->used = 0;
    }
    return stream->block[stream->used++];
}

uint32_t rn_stream_below(rn_stream *stream, uint32_t bound)
{
    // Lemire 2019: the high word of bits * bound, rejecting the low words that would bias it.
    uint32_t threshold = (0u - bound) % bound;

    for (;;) {
        uint32_t low;
        uint32_t high = multiply_high(rn_stream_bits(stream), bound, &low);
        if (low >= threshold)
            return high;
    }
}

float rn_stream_uniform(rn_stream *stream)
{
    return (float)(rn_stream_bits(stream) >> 8) * 0x1p-24f;
}

float rn_stream_normal(rn_stream *stream)
{
    const double two_pi = 6.283185307179586;
    double u = 1.0 - (double)rn_stream_bits(stream) * 0x1p-32; // (0, 1]: log stays finite
    double angle = two_pi * (double)rn_stream_bits(stream) * 0x1p-32;

    return (float)(sqrt(-2.0 * log(u)) * cos(angle));
}

// In (0, 1): the logarithm is finite.
static double open_uniform(rn_stream *stream)
{
    return ((double)rn_stream_bits(stream) + 0.5) * 0x1p-32;
}

// Logarithm of a draw of Gamma(alpha, 1): of Gamma(alpha + 1, 1) times u^(1 / alpha), section 6.
static double log_gamma_draw(rn_stream *stream, double alpha)
{
    double d = alpha + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
    double log_power = log(open_uniform(stream)) / alpha;

    for (;;) {
        double x = (double)rn_stream_normal(stream), v = pow(1 + c * x, 3);
        double u = open_uniform(stream);
        if (v > 0 && log(u) < x * x / 2 + d * (1 - v + log(v)))
            return log(d * v) + log_power;
    }
}

double rn_stream_beta(rn_stream *stream, double alpha)
{
    double x = log_gamma_draw(stream, alpha), y = log_gamma_draw(stream, alpha);

    if (isinf(x) && isinf(y)) // the smallest of alphas: all is at the two ends
        return (double)(rn_stream_bits(stream) & 1);
    return 1 / (1 + exp(y - x));
}

void rn_stream_shuffle(rn_stream *stream, uint32_t *items, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = rn_stream_below(stream, i);
        uint32_t item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}
