// Statistics of pictures of any size, over as many as a set in memory of modest size holds.
#include "augment/reader.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const size_t MOST_BYTES = (size_t)256 << 20; // 1,783 pictures of 224 x 224

enum { MOST_PICTURES = 2048 };

typedef struct gathering {
    const rn_samples *photos;
    const rn_preprocess *shares; // gives value / 255
    rn_samples chosen;           // evenly over the set
    bool *good;                  // [chosen.count]
    size_t volume;
} gathering;

static size_t how_many(const gathering *g)
{
    size_t most = MOST_BYTES / g->volume;

    most = most > MOST_PICTURES ? MOST_PICTURES : most < 1 ? 1 : most;
    return most < g->photos->count ? most : g->photos->count;
}

// One picture into the set; one that is bad stays out.
static rn_status gather(const gathering *g, const rn_reader *reader, float *values, size_t i)
{
    rn_status st;
    uint8_t *image = g->chosen.images + i * g->volume;
    uint64_t sample = (uint64_t)i * g->photos->count / g->chosen.count;

    st = rn_reader_input(reader, values, NULL, &(rn_augment_where){.sample = (uint32_t)sample});
    for (size_t k = 0; st == RN_OK && k < g->volume; k++)
        image[k] = (uint8_t)lrintf(255 * values[k]);
    g->good[i] = st == RN_OK;
    return rn_is_bad_picture(st) ? RN_OK : st;
}

static rn_status gather_share(const gathering *g, int *next)
{
    rn_status st = RN_OK;
    rn_reader reader = {0};
    float *values = NULL;
    int i;

    RN_TRY(rn_reader_init(&reader, g->photos, g->shares));
    RN_TRY(RN_NEW(&values, g->volume));
    while ((size_t)(i = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < g->chosen.count)
        RN_TRY(gather(g, &reader, values, (size_t)i));
out:
    rn_free(values);
    rn_reader_release(&reader);
    return st;
}

// The first failure is that of all; each thread has a message of its own.
static rn_status gather_in_threads(const gathering *g)
{
    int next = 0;
    rn_status failed = RN_OK;
    char message[RN_MESSAGE_BYTES];

#pragma omp parallel
    {
        rn_status st = gather_share(g, &next);
#pragma omp critical
        if (st != RN_OK && failed == RN_OK) {
            failed = st;
            snprintf(message, sizeof message, "%s", rn_error_message());
        }
    }
    return failed == RN_OK ? RN_OK : rn_error(failed, "%s", message);
}

static rn_status gather_all(gathering *g)
{
    rn_status st = RN_OK;
    size_t count = 0;

    RN_TRY(gather_in_threads(g));
    for (size_t i = 0; i < g->chosen.count; i++) {
        if (!g->good[i])
            continue;
        if (count < i)
            memcpy(g->chosen.images + count * g->volume, g->chosen.images + i * g->volume,
                   g->volume);
        count++;
    }
    if (count == 0)
        return rn_error(RN_EFORMAT, "none of %zu pictures of %s can be read", g->chosen.count,
                        g->photos->name);
    g->chosen.count = count;
out:
    return st;
}

rn_status rn_preprocess_measure_photos(rn_preprocess **out, const rn_samples *photos,
                                       rn_normalize normalize, rn_input_shape shape)
{
    rn_status st = RN_OK;
    rn_preprocess *shares = NULL;
    gathering g = {.photos = photos};

    *out = NULL;
    if (photos->photos == NULL)
        return rn_error(RN_EINVAL, "'%s' holds no photographs to measure", photos->name);
    RN_TRY(rn_preprocess_create(&shares, RN_NORMALIZE_NONE, shape.channels, shape.height,
                                shape.width, NULL, NULL));
    shares->centre_ratio = 1; // all that trainings may see
    g.volume = (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
    g.shares = shares;
    g.chosen = (rn_samples){.channels = shape.channels,
                            .height = shape.height,
                            .width = shape.width,
                            .name = photos->name,
                            .count = how_many(&g)};
    if (normalize != RN_NORMALIZE_NONE && normalize != RN_NORMALIZE_IMAGENET) {
        RN_TRY(RN_NEW(&g.chosen.images, g.chosen.count * g.volume));
        RN_TRY(RN_NEW(&g.good, g.chosen.count));
        RN_TRY(gather_all(&g));
    }
    RN_TRY(rn_preprocess_measure(out, &g.chosen, normalize));
out:
    rn_free(g.good);
    rn_free(g.chosen.images);
    rn_preprocess_free(shares);
    return st;
}
