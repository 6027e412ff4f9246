// The keys of a model spec: how each is spelled, read, written and bounded.
#include "base/number.h"
#include "base/text.h"
#include "graph/spec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RESNET = 1 << RN_FAMILY_RESNET, VGG = 1 << RN_FAMILY_VGG, MAX_CHOICES = 8 };

typedef enum key_kind {
    COUNTS, // rn_counts: "3,4,6,3"
    INTEGER,
    REAL, // float
    FLAG, // bool: yes or no
    CHOICE
} key_kind;

typedef struct key_info {
    const char *name;
    key_kind kind;
    int families;
    size_t offset;    // in rn_spec
    double low, high; // of numbers, both included
    const char *choices[MAX_CHOICES];
    bool lettered; // the choices are also called a, b, c ...
} key_info;

#define AT(field) .offset = offsetof(rn_spec, field)

static const key_info keys[RN_KEYS] = {
    [RN_KEY_UNITS] = {"units", COUNTS, RESNET, AT(units), 1, RN_MAX_LAYERS},
    [RN_KEY_CONVS] = {"convs", COUNTS, VGG, AT(convs), 1, RN_MAX_LAYERS},
    [RN_KEY_BN] = {"bn", FLAG, VGG, AT(bn)},
    [RN_KEY_BLOCK] = {"block", CHOICE, RESNET, AT(block),
                      .choices = {"basic", "bottleneck", "single"}},
    [RN_KEY_WIDTH] = {"width", INTEGER, RESNET, AT(width), 1, 4096},
    [RN_KEY_WIDEN] = {"widen", INTEGER, RESNET, AT(widen), 1, 100},
    [RN_KEY_WIDTHS] = {"widths", COUNTS, RESNET, AT(widths), 1, RN_MAX_WIDTH},
    [RN_KEY_UNIT] = {"unit", CHOICE, RESNET, AT(unit),
                     .choices = {"original", "bn-after-add", "relu-before-add", "relu-only",
                                 "preact"},
                     .lettered = true},
    [RN_KEY_STEM] = {"stem", CHOICE, RESNET, AT(stem), .choices = {"cifar", "imagenet"}},
    [RN_KEY_RESIDUAL] = {"residual", FLAG, RESNET, AT(residual)},
    [RN_KEY_DOWN] = {"down", CHOICE, RESNET, AT(down), .choices = {"stride", "pool"}},
    [RN_KEY_DOWN_INIT] = {"down-init", CHOICE, RESNET, AT(down_init),
                          .choices = {"random", "identity"}},
    [RN_KEY_HEAD] = {"head", CHOICE, RESNET, AT(head), .choices = {"average", "max"}},
    [RN_KEY_HEAD_INIT] = {"head-init", REAL, RESNET, AT(head_init), 0.001, 10},
    [RN_KEY_SHORTCUT] = {"shortcut", CHOICE, RESNET, AT(shortcut), .choices = {"A", "B", "C"}},
    [RN_KEY_PATH] = {"path", CHOICE, RESNET, AT(path),
                     .choices = {"identity", "scale", "exclusive-gate", "shortcut-gate", "conv",
                                 "dropout"}},
    [RN_KEY_SHORTCUT_SCALE] = {"shortcut-scale", REAL, RESNET, AT(shortcut_scale), 0, 10},
    [RN_KEY_RESIDUAL_SCALE] = {"residual-scale", REAL, RESNET, AT(residual_scale), 0.001, 10},
    [RN_KEY_GATE_BIAS] = {"gate-bias", REAL, RESNET, AT(gate_bias), -50, 50},
    [RN_KEY_SHORTCUT_DROPOUT] = {"shortcut-dropout", REAL, RESNET, AT(shortcut_dropout), 0.001,
                                 0.99},
    [RN_KEY_STRIDE] = {"stride", CHOICE, RESNET, AT(stride), .choices = {"first", "3x3"}},
    [RN_KEY_ZERO_GAIN] = {"zero-gain", FLAG, RESNET, AT(zero_gain)},
    [RN_KEY_SURVIVAL] = {"survival", REAL, RESNET, AT(survival), 0.01, 1},
    [RN_KEY_DROPOUT] = {"dropout", REAL, RESNET | VGG, AT(dropout), 0, 0.99},
};

_Static_assert(sizeof(rn_block) == sizeof(int) && sizeof(rn_path) == sizeof(int),
               "choices are stored as int");

const char *rn_key_name(rn_key key)
{
    return keys[key].name;
}

bool rn_key_belongs(rn_key key, rn_family family)
{
    return (keys[key].families >> family & 1) != 0;
}

static size_t value_size(rn_key key)
{
    static const size_t sizes[] = {
        [COUNTS] = sizeof(rn_counts), [INTEGER] = sizeof(int), [REAL] = sizeof(float),
        [FLAG] = sizeof(bool),        [CHOICE] = sizeof(int),
    };

    return sizes[keys[key].kind];
}

static const void *value_at(const rn_spec *spec, rn_key key)
{
    return (const char *)spec + keys[key].offset;
}

bool rn_key_equal(const rn_spec *a, const rn_spec *b, rn_key key)
{
    if (keys[key].kind == REAL)
        return *(const float *)value_at(a, key) == *(const float *)value_at(b, key);
    return memcmp(value_at(a, key), value_at(b, key), value_size(key)) == 0;
}

void rn_key_copy(rn_spec *to, const rn_spec *from, rn_key key)
{
    memcpy((char *)to + keys[key].offset, value_at(from, key), value_size(key));
}

// Reading

// "basic, bottleneck or single"
static rn_status choice_error(const char *name, const char *value, const char *const *choices)
{
    char expected[160] = "";
    size_t length = 0;
    int count = 0;

    while (count < MAX_CHOICES && choices[count] != NULL)
        count++;
    for (int i = 0; i < count; i++)
        length += (size_t)snprintf(expected + length, sizeof expected - length, "%s%s", choices[i],
                                   i < count - 2    ? ", "
                                   : i == count - 2 ? " or "
                                                    : "");
    const char *nearest = rn_nearest(value, choices, (size_t)count);
    if (nearest == NULL)
        return rn_error(RN_EINVAL, "'%s' is '%.60s', expected %s", name, value, expected);
    return rn_error(RN_EINVAL, "'%s' is '%.60s', expected %s; did you mean '%s'?", name, value,
                    expected, nearest);
}

static rn_status read_choice(int *choice, const key_info *key, const char *value)
{
    for (int i = 0; i < MAX_CHOICES && key->choices[i] != NULL; i++)
        if (strcmp(value, key->choices[i]) == 0 ||
            (key->lettered && value[0] == 'a' + i && value[1] == '\0')) {
            *choice = i;
            return RN_OK;
        }
    return choice_error(key->name, value, key->choices);
}

static rn_status read_flag(bool *flag, const key_info *key, const char *value)
{
    static const char *const choices[MAX_CHOICES] = {"yes", "no"};

    *flag = strcmp(value, "yes") == 0;
    return *flag || strcmp(value, "no") == 0 ? RN_OK : choice_error(key->name, value, choices);
}

static rn_status read_integer(int *number, const key_info *key, const char *value)
{
    int64_t wide;

    if (!rn_text_int64(value, (int64_t)key->low, (int64_t)key->high, &wide))
        return rn_error(RN_EINVAL, "'%s' is '%.60s', expected a whole number from %g to %g",
                        key->name, value, key->low, key->high);
    *number = (int)wide;
    return RN_OK;
}

// Kept to six decimals, so that the canonical text gives the same float again.
static rn_status read_real(float *number, const key_info *key, const char *value)
{
    double wide;

    if (!rn_text_double(value, key->low, key->high, &wide))
        return rn_error(RN_EINVAL, "'%s' is '%.60s', expected a number from %g to %g", key->name,
                        value, key->low, key->high);
    *number = (float)(nearbyint(wide * 1e6) / 1e6 + 0.0); // + 0: no negative zero
    return RN_OK;
}

static rn_status read_counts(rn_counts *counts, const key_info *key, char *value)
{
    *counts = (rn_counts){0};
    for (char *next = value; value != NULL; value = next) {
        next = strchr(value, ',');
        if (next != NULL)
            *next++ = '\0';
        if (counts->count == RN_MAX_STAGES)
            return rn_error(RN_EINVAL, "'%s' has more than %d numbers", key->name, RN_MAX_STAGES);
        rn_status st = read_integer(&counts->values[counts->count++], key, value);
        if (st != RN_OK)
            return st;
    }
    return RN_OK;
}

static rn_status read_value(rn_spec *spec, rn_key key, char *value)
{
    void *at = (char *)spec + keys[key].offset;

    switch (keys[key].kind) {
    case COUNTS:
        return read_counts(at, &keys[key], value);
    case INTEGER:
        return read_integer(at, &keys[key], value);
    case REAL:
        return read_real(at, &keys[key], value);
    case FLAG:
        return read_flag(at, &keys[key], value);
    case CHOICE:
        return read_choice(at, &keys[key], value);
    }
    return RN_OK;
}

static rn_status unknown_key(const char *name, rn_family family)
{
    const char *names[RN_KEYS];
    char list[320] = "";
    size_t count = 0, length = 0;

    for (int key = 0; key < RN_KEYS; key++)
        if (rn_key_belongs((rn_key)key, family)) {
            names[count++] = keys[key].name;
            length += (size_t)snprintf(list + length, sizeof list - length, "%s%s",
                                       count > 1 ? ", " : "", keys[key].name);
        }
    const char *nearest = rn_nearest(name, names, count);
    if (nearest != NULL)
        return rn_error(RN_EINVAL, "unknown key '%.60s'; did you mean '%s'?", name, nearest);
    return rn_error(RN_EINVAL, "unknown key '%.60s', expected one of %s", name, list);
}

rn_status rn_key_read(rn_spec *spec, char *pair)
{
    char *value = strchr(pair, '=');
    rn_spec changed = *spec;

    if (value == NULL)
        return rn_error(RN_EINVAL, "'%.60s' found where key=value is expected", pair);
    *value++ = '\0';
    for (int key = 0; key < RN_KEYS; key++) {
        if (strcmp(pair, keys[key].name) != 0 || !rn_key_belongs((rn_key)key, spec->family))
            continue;
        rn_status st = read_value(&changed, (rn_key)key, value);
        if (st != RN_OK)
            return st;
        if ((spec->given & RN_KEY_BIT(key)) != 0 && !rn_key_equal(spec, &changed, (rn_key)key))
            return rn_error(RN_EINVAL, "'%s' is given twice, with two values", pair);
        changed.given |= RN_KEY_BIT(key);
        *spec = changed;
        return RN_OK;
    }
    return unknown_key(pair, spec->family);
}

rn_status rn_keys_read(rn_spec *spec, char *text)
{
    for (char *next = text; text != NULL; text = next) {
        next = strchr(text, ';');
        if (next != NULL)
            *next++ = '\0';
        rn_status st = rn_key_read(spec, text);
        if (st != RN_OK)
            return st;
    }
    return RN_OK;
}

// Writing

static void write_counts(char *text, size_t size, const rn_counts *counts)
{
    size_t length = 0;

    for (int i = 0; i < counts->count; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%d", i > 0 ? "," : "",
                                   counts->values[i]);
}

static void write_real(char *text, size_t size, float number)
{
    int length = rn_print(text, size, "%.6f", (double)number);

    while (text[length - 1] == '0')
        text[--length] = '\0';
    if (text[length - 1] == '.')
        text[--length] = '\0';
}

void rn_key_write(char *text, size_t size, const rn_spec *spec, rn_key key)
{
    const void *value = value_at(spec, key);

    switch (keys[key].kind) {
    case COUNTS:
        write_counts(text, size, value);
        break;
    case INTEGER:
        snprintf(text, size, "%d", *(const int *)value);
        break;
    case REAL:
        write_real(text, size, *(const float *)value);
        break;
    case FLAG:
        snprintf(text, size, "%s", *(const bool *)value ? "yes" : "no");
        break;
    case CHOICE:
        snprintf(text, size, "%s", keys[key].choices[*(const int *)value]);
        break;
    }
}
