// Statistics of pictures of any size, over as many as a set in memory of modest size holds.
#include "augment/reader.h"
#include "base/memory.h"

#include <math.h>
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

static rn_status gather_all(gathering *g)
{
    int next = 0, failed = 0;
    size_t count = 0;

#pragma omp parallel
    if (gather_share(g, &next) != RN_OK)
        __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
    if (failed)
        return rn_error(RN_ENOMEM, "no memory to measure pictures of %s", g->photos->name);
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
    return RN_OK;
}

rn_status rn_preprocess_measure_photos(rn_preprocess **out, const rn_samples *photos,
                                       rn_normalize normalize, int height, int width)
{
    rn_status st = RN_OK;
    rn_preprocess *shares = NULL;
    gathering g = {.photos = photos,
                   .volume = (size_t)photos->channels * (size_t)height * (size_t)width};

    *out = NULL;
    if (photos->photos == NULL)
        return rn_error(RN_EINVAL, "'%s' holds no photographs to measure", photos->name);
    RN_TRY(rn_preprocess_create(&shares, RN_NORMALIZE_NONE, photos->channels, height, width, NULL,
                                NULL));
    g.shares = shares;
    g.chosen = (rn_samples){.channels = photos->channels,
                            .height = height,
                            .width = width,
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
