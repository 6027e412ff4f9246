/** State dicts as other programs name them, for tests. Include after cmocka's headers. */
#ifndef STORE_STATE_DICT_H
#define STORE_STATE_DICT_H

#include "store/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TENSORS = 1200 };

/** A list of named shapes; all data lies in `values`, which is long enough for none of them. */
typedef struct state_dict {
    rn_foreign foreign;
    rn_foreign_tensor tensors[MOST_TENSORS];
    char names[MOST_TENSORS][RN_TENSOR_NAME];
} state_dict;

static const float state_values[1];

static void put(state_dict *dict, const int *shape, int dims, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void put(state_dict *dict, const int *shape, int dims, const char *fmt, ...)
{
    size_t i = dict->foreign.count++;
    rn_tensor *tensor = &dict->tensors[i].tensor;
    va_list values;

    assert_true(i < MOST_TENSORS);
    va_start(values, fmt);
    vsnprintf(dict->names[i], sizeof dict->names[i], fmt, values);
    va_end(values);
    *tensor = (rn_tensor){.name = dict->names[i], .dims = dims, .count = 1, .data = state_values};
    for (int d = 0; d < dims; d++) {
        tensor->shape[d] = (uint64_t)shape[d];
        tensor->count *= (size_t)shape[d];
    }
    dict->tensors[i].type = "float32";
    dict->foreign.tensors = dict->tensors;
}

static void put_conv(state_dict *dict, const char *name, int out, int in, int kernel)
{
    put(dict, (int[]){out, in, kernel, kernel}, 4, "%s.weight", name);
}

static void put_norm(state_dict *dict, const char *name, int channels)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};

    for (int i = 0; i < 4; i++)
        put(dict, &channels, 1, "%s.%s", name, parts[i]);
}

static void put_linear(state_dict *dict, const char *name, int out, int in)
{
    put(dict, (int[]){out, in}, 2, "%s.weight", name);
    put(dict, &out, 1, "%s.bias", name);
}

/** How a residual network is built and named. */
typedef struct residual_dict {
    int units[5];  // of the stages; ends with 0
    int convs;     // a unit: 1, 2, or 3 of a bottleneck
    int stem;      // kernel
    int width;     // of the stem
    int widen;     // of the first stage
    char shortcut; // 'A', 'B', 'C'
    bool preact;
    const char *wrapper, *projection, *classifier; // "module.", "shortcut", "linear"
} residual_dict;

static void put_unit(state_dict *dict, const residual_dict *r, int in, int out, const char *unit)
{
    char name[RN_TENSOR_NAME + 16];
    int inner = r->convs == 3 ? out / 4 : out;

    for (int c = 1; c <= r->convs; c++) {
        int from = c == 1 ? in : inner, to = c == r->convs ? out : inner;
        snprintf(name, sizeof name, "%s.conv%d", unit, c);
        put_conv(dict, name, to, from, r->convs == 3 && c != 2 ? 1 : 3);
        snprintf(name, sizeof name, "%s.bn%d", unit, c);
        put_norm(dict, name, r->preact ? from : to);
    }
    if (r->shortcut == 'C' || (r->shortcut == 'B' && in != out)) {
        snprintf(name, sizeof name, "%s.%s.0", unit, r->projection);
        put_conv(dict, name, out, in, 1);
        snprintf(name, sizeof name, "%s.%s.1", unit, r->projection);
        if (!r->preact)
            put_norm(dict, name, out);
    }
}

static void put_residual(state_dict *dict, const residual_dict *r, int classes)
{
    char name[RN_TENSOR_NAME];
    int in = r->width, out = r->width * r->widen * (r->convs == 3 ? 4 : 1);

    snprintf(name, sizeof name, "%sconv1", r->wrapper);
    put_conv(dict, name, r->width, 3, r->stem);
    snprintf(name, sizeof name, "%sbn1", r->wrapper);
    put_norm(dict, name, r->width);
    for (int s = 0; r->units[s] > 0; s++, out *= 2) {
        for (int u = 0; u < r->units[s]; u++, in = out) {
            snprintf(name, sizeof name, "%slayer%d.%d", r->wrapper, s + 1, u);
            put_unit(dict, r, in, out, name);
        }
    }
    snprintf(name, sizeof name, "%s%s", r->wrapper, r->classifier);
    put_linear(dict, name, classes, in);
}

/** torchvision's VGG: `plan` lists the convolutions' channels, 0 a pooling, -1 the end. */
static void put_vgg(state_dict *dict, const int *plan, bool norm, int size)
{
    char name[RN_TENSOR_NAME];
    int in = 3, index = 0;

    for (; *plan >= 0; plan++) {
        if (*plan == 0) {
            index++;
            continue;
        }
        snprintf(name, sizeof name, "features.%d", index);
        put_conv(dict, name, *plan, in, 3);
        put(dict, plan, 1, "%s.bias", name);
        snprintf(name, sizeof name, "features.%d", index + 1);
        if (norm)
            put_norm(dict, name, *plan);
        index += norm ? 3 : 2;
        in = *plan;
    }
    put_linear(dict, "classifier.0", 4096, in * size / 32 * size / 32);
    put_linear(dict, "classifier.3", 4096, 4096);
    put_linear(dict, "classifier.6", 1000, 4096);
}

#endif
