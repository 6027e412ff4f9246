/** Small models and foreign files for tests. Include after cmocka's headers. */
#ifndef STORE_MODEL_SAMPLE_H
#define STORE_MODEL_SAMPLE_H

#include "base/json_write.h"
#include "base/memory.h"
#include "store/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static inline rn_weights *sample_weights(const rn_graph *graph, uint64_t seed)
{
    rn_weights *weights = NULL;

    ok(rn_weights_create(&weights, graph));
    rn_weights_initialise(weights, seed);
    for (int i = 0; i < rn_weights_count(weights); i++) // no two values of a statistic alike
        if (rn_weights_param(weights, i)->dims == 1)
            for (size_t j = 0; j < rn_weights_param(weights, i)->count; j++)
                rn_weights_data(weights, i)[j] += 0x1p-20f * (float)(j + (size_t)i);
    return weights;
}

/** resnet-8 for 2 x 9 x 7 pictures of 3 classes. */
static inline rn_checkpoint *sample_model(rn_normalize normalize, bool ema)
{
    enum { MOST = 2 * 9 * 7 };
    static const rn_model_options options = {.classes = 3, .channels = 2, .height = 9, .width = 7};
    static const char *const labels[] = {"cat \"tom\"", "h\xc3\xa9ron", "a\\b\n"};
    float mean[MOST], deviation[MOST];
    rn_checkpoint *c = NULL;

    ok(rn_model_create(&c, "resnet-8:shortcut=B", &options, 1));
    rn_weights_free(c->weights);
    rn_preprocess_free(c->preprocess);
    c->weights = sample_weights(c->graph, 1);
    c->ema = ema ? sample_weights(c->graph, 2) : NULL;
    for (int i = 0; i < MOST; i++) {
        mean[i] = 0.1f + 0.7f / (float)(i + 3);
        bool mean_only =
            normalize == RN_NORMALIZE_PIXEL_MEAN || normalize == RN_NORMALIZE_CHANNEL_MEAN;
        deviation[i] = mean_only ? 1 : 1 / (float)(3 + i);
    }
    ok(rn_preprocess_create(&c->preprocess, normalize, 2, 9, 7, mean, deviation));
    for (int i = 0; i < 3; i++) {
        rn_free(c->label_names[i]);
        ok(rn_strdup(&c->label_names[i], labels[i]));
    }
    return c;
}

static inline void assert_same_weights(const rn_weights *a, const rn_weights *b)
{
    assert_int_equal(rn_weights_count(a), rn_weights_count(b));
    for (int i = 0; i < rn_weights_count(a); i++)
        assert_memory_equal(rn_weights_read(a, i), rn_weights_read(b, i),
                            rn_weights_param(a, i)->count * sizeof(float));
}

static inline void assert_same_preprocess(const rn_preprocess *a, const rn_preprocess *b)
{
    assert_int_equal(a->normalize, b->normalize);
    assert_int_equal(a->entries, b->entries);
    assert_true(a->channels == b->channels && a->height == b->height && a->width == b->width);
    assert_memory_equal(a->mean, b->mean, a->entries * sizeof(float));
    assert_memory_equal(a->deviation, b->deviation, a->entries * sizeof(float));
}

/** A safetensors file in the making, without checksums, as another program writes it. */
typedef struct foreign_file {
    char header[1 << 16];
    size_t length, entries;
    char *data;
    size_t bytes, room;
} foreign_file;

static inline void foreign_put(foreign_file *f, const char *name, const char *type,
                               const char *shape, const void *data, size_t bytes)
{
    int printed =
        snprintf(f->header + f->length, sizeof f->header - f->length,
                 "%c\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                 f->entries++ == 0 ? '{' : ',', name, type, shape, f->bytes, f->bytes + bytes);

    f->length += (size_t)printed;
    assert_true(f->length + 2 < sizeof f->header);
    if (bytes == 0)
        return;
    ok(rn_grow((void **)&f->data, &f->room, f->bytes + bytes, 1));
    memcpy(f->data + f->bytes, data, bytes);
    f->bytes += bytes;
}

/** Members such as "\"format\":\"pt\"" as the file's metadata. */
static inline void foreign_metadata(foreign_file *f, const char *members)
{
    f->length +=
        (size_t)snprintf(f->header + f->length, sizeof f->header - f->length,
                         "%c\"__metadata__\":{%s}", f->entries++ == 0 ? '{' : ',', members);
}

/** All but the one named so (NULL: all). */
static inline void foreign_put_weights(foreign_file *f, const rn_weights *weights, const char *but)
{
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        char shape[64] = "";
        for (int d = 0; d < param->dims; d++)
            snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%d", d > 0 ? "," : "",
                     param->shape[d]);
        if (but == NULL || strcmp(param->name, but) != 0)
            foreign_put(f, param->name, "F32", shape, rn_weights_read(weights, i),
                        param->count * sizeof(float));
    }
}

/** Bytes from rn_alloc() for what takes them over; the file in the making is released. */
static inline char *foreign_finish(foreign_file *f, size_t *size)
{
    char *bytes = NULL;

    if (f->entries == 0)
        f->header[f->length++] = '{';
    f->header[f->length++] = '}';
    *size = 8 + f->length + f->bytes;
    ok(rn_alloc((void **)&bytes, *size, 1));
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)f->length >> (8 * i));
    memcpy(bytes + 8, f->header, f->length);
    if (f->bytes > 0)
        memcpy(bytes + 8 + f->length, f->data, f->bytes);
    rn_free(f->data);
    free(f);
    return bytes;
}

#endif
