// Names of models: the table of those that the papers name, and the families by depth.
#include "base/memory.h"
#include "graph/spec.h"

#include <stdio.h>
#include <string.h>

// What stands here wins over the families below: resnet-50 is the ImageNet network, although 50 is
// also 6n + 2. Classes and size of the input follow from the stem.
static const struct named_model {
    const char *name, *meaning, *summary;
} named_models[] = {
    // 2015 paper, section 4.2 and table 6
    {"resnet-20", "resnet:units=3,3,3", "CIFAR, 20 layers, 0.27M parameters"},
    {"resnet-32", "resnet:units=5,5,5", "CIFAR, 32 layers, 0.46M parameters"},
    {"resnet-44", "resnet:units=7,7,7", "CIFAR, 44 layers, 0.66M parameters"},
    {"resnet-56", "resnet:units=9,9,9", "CIFAR, 56 layers, 0.85M parameters"},
    {"resnet-110", "resnet:units=18,18,18", "CIFAR, 110 layers, 1.7M parameters"},
    {"resnet-1202", "resnet:units=200,200,200", "CIFAR, 1202 layers, 19.4M parameters"},
    // 2016 paper, tables 2 and 4; projections as in the authors' code
    {"resnet-164", "resnet:units=18,18,18;block=bottleneck;unit=preact;shortcut=B",
     "CIFAR, pre-activation bottlenecks, 164 layers, 1.7M parameters"},
    {"resnet-1001", "resnet:units=111,111,111;block=bottleneck;unit=preact;shortcut=B",
     "CIFAR, pre-activation bottlenecks, 1001 layers, 10.3M parameters"},
    // 2015 paper, table 1
    {"resnet-18", "resnet:units=2,2,2,2;width=64;stem=imagenet;shortcut=B",
     "ImageNet, 18 layers, 11.7M parameters"},
    {"resnet-34", "resnet:units=3,4,6,3;width=64;stem=imagenet;shortcut=B",
     "ImageNet, 34 layers, 21.8M parameters"},
    {"resnet-50", "resnet:units=3,4,6,3;block=bottleneck;width=64;stem=imagenet;shortcut=B",
     "ImageNet, bottlenecks, 50 layers, 25.6M parameters; v1.5: stride=3x3"},
    {"resnet-101", "resnet:units=3,4,23,3;block=bottleneck;width=64;stem=imagenet;shortcut=B",
     "ImageNet, bottlenecks, 101 layers, 44.5M parameters"},
    {"resnet-152", "resnet:units=3,8,36,3;block=bottleneck;width=64;stem=imagenet;shortcut=B",
     "ImageNet, bottlenecks, 152 layers, 60.2M parameters"},
    // 2016 paper, table 5
    {"resnet-200",
     "resnet:units=3,24,36,3;block=bottleneck;width=64;unit=preact;stem=imagenet;shortcut=B",
     "ImageNet, pre-activation bottlenecks, 200 layers, 64.7M parameters"},
    // 2015 paper, sections 4.1 and 4.2
    {"plain-20", "resnet:units=3,3,3;residual=no", "resnet-20 without its shortcuts"},
    {"plain-32", "resnet:units=5,5,5;residual=no", "resnet-32 without its shortcuts"},
    {"plain-44", "resnet:units=7,7,7;residual=no", "resnet-44 without its shortcuts"},
    {"plain-56", "resnet:units=9,9,9;residual=no", "resnet-56 without its shortcuts"},
    {"plain-110", "resnet:units=18,18,18;residual=no", "resnet-110 without its shortcuts"},
    {"plain-18", "resnet:units=2,2,2,2;width=64;stem=imagenet;residual=no",
     "resnet-18 without its shortcuts"},
    {"plain-34", "resnet:units=3,4,6,3;width=64;stem=imagenet;residual=no",
     "resnet-34 without its shortcuts"},
    // 2016 paper, table 2 (e), and the networks above with its unit
    {"preact-110", "resnet:units=18,18,18;unit=preact", "resnet-110 of pre-activation units"},
    {"preact-164", "resnet:units=18,18,18;block=bottleneck;unit=preact;shortcut=B",
     "the same as resnet-164"},
    {"preact-1001", "resnet:units=111,111,111;block=bottleneck;unit=preact;shortcut=B",
     "the same as resnet-1001"},
    {"preact-18", "resnet:units=2,2,2,2;width=64;unit=preact;stem=imagenet;shortcut=B",
     "resnet-18 of pre-activation units"},
    {"preact-34", "resnet:units=3,4,6,3;width=64;unit=preact;stem=imagenet;shortcut=B",
     "resnet-34 of pre-activation units"},
    {"preact-50",
     "resnet:units=3,4,6,3;block=bottleneck;width=64;unit=preact;stem=imagenet;shortcut=B",
     "resnet-50 of pre-activation units"},
    {"preact-101",
     "resnet:units=3,4,23,3;block=bottleneck;width=64;unit=preact;stem=imagenet;shortcut=B",
     "resnet-101 of pre-activation units"},
    {"preact-152",
     "resnet:units=3,8,36,3;block=bottleneck;width=64;unit=preact;stem=imagenet;shortcut=B",
     "resnet-152 of pre-activation units"},
    {"preact-200",
     "resnet:units=3,24,36,3;block=bottleneck;width=64;unit=preact;stem=imagenet;shortcut=B",
     "the same as resnet-200"},
    // Zagoruyko & Komodakis 2016, table 4
    {"wrn-16-4", "resnet:units=2,2,2;widen=4;unit=preact;shortcut=B",
     "CIFAR, wide pre-activation network, 2.7M parameters"},
    {"wrn-28-10", "resnet:units=4,4,4;widen=10;unit=preact;shortcut=B",
     "CIFAR, wide pre-activation network, 36.5M parameters"},
    {"wrn-40-4", "resnet:units=6,6,6;widen=4;unit=preact;shortcut=B",
     "CIFAR, wide pre-activation network, 8.9M parameters"},
    // in the spirit of Page 2018 (ResNet-9) and Jordan 2024, with one-layer units
    {"fast-resnet-8",
     "resnet:units=1,1,1;block=single;width=32;widths=64,256,256;down=pool;down-init=identity;"
     "head=max;head-init=0.1",
     "CIFAR, 8 layers, made for short trainings, 2.0M parameters"},
    // Simonyan & Zisserman 2014, table 1, columns A, B, D, E
    {"vgg-11", "vgg:convs=1,1,2,2,2", "ImageNet, VGG of 11 layers, 132.9M parameters"},
    {"vgg-13", "vgg:convs=2,2,2,2,2", "ImageNet, VGG of 13 layers, 133.0M parameters"},
    {"vgg-16", "vgg:convs=2,2,3,3,3", "ImageNet, VGG of 16 layers, 138.4M parameters"},
    {"vgg-19", "vgg:convs=2,2,4,4,4", "ImageNet, VGG of 19 layers, 143.7M parameters"},
    {"vgg-11-bn", "vgg:convs=1,1,2,2,2;bn=yes", "vgg-11 with batch normalisation"},
    {"vgg-13-bn", "vgg:convs=2,2,2,2,2;bn=yes", "vgg-13 with batch normalisation"},
    {"vgg-16-bn", "vgg:convs=2,2,3,3,3;bn=yes", "vgg-16 with batch normalisation"},
    {"vgg-19-bn", "vgg:convs=2,2,4,4,4;bn=yes", "vgg-19 with batch normalisation"},
};

enum {
    NAMED_MODELS = sizeof named_models / sizeof *named_models,
    MAX_DEPTH = 1202,
    FIX_NAMED = RN_KEY_BIT(RN_KEY_UNITS) | RN_KEY_BIT(RN_KEY_CONVS) | RN_KEY_BIT(RN_KEY_BN) |
                RN_KEY_BIT(RN_KEY_RESIDUAL),
    FIX_BLOCK = RN_KEY_BIT(RN_KEY_BLOCK),
    FIX_UNIT = RN_KEY_BIT(RN_KEY_UNIT),
    FIX_WIDEN = RN_KEY_BIT(RN_KEY_WIDEN) | RN_KEY_BIT(RN_KEY_WIDTHS)
};

// PREFIX-DEPTH: three stages of n units; for wrn-DEPTH-WIDEN the three projections count too.
static const struct by_depth {
    const char *prefix, *meaning;
    unsigned fixed;
    int outside;
    bool widened;
} by_depth[] = {
    {"resnet-", "resnet", FIX_NAMED, 2, false},
    {"plain-", "resnet:residual=no", FIX_NAMED, 2, false},
    {"preact-", "resnet:unit=preact", FIX_NAMED | FIX_UNIT, 2, false},
    {"wrn-", "resnet:unit=preact;shortcut=B", FIX_NAMED | FIX_UNIT | FIX_BLOCK | FIX_WIDEN, 4,
     true},
};

enum { FAMILIES = sizeof by_depth / sizeof *by_depth };

static const rn_spec general[] = {
    {.name = "resnet",
     .family = RN_FAMILY_RESNET,
     .units = {3, {3, 3, 3}},
     .width = 16,
     .widen = 1,
     .residual = true,
     .shortcut_scale = 0.5f,
     .residual_scale = 0.5f,
     .gate_bias = -6,
     .shortcut_dropout = 0.5f,
     .head_init = 1,
     .survival = 1},
    {.name = "vgg", .family = RN_FAMILY_VGG, .convs = {5, {1, 1, 2, 2, 2}}, .dropout = 0.5f},
};

enum { GENERAL = sizeof general / sizeof *general };

const char *rn_model_name(int index)
{
    return index >= 0 && index < NAMED_MODELS ? named_models[index].name : NULL;
}

const char *rn_model_summary(int index)
{
    return index >= 0 && index < NAMED_MODELS ? named_models[index].summary : NULL;
}

const char *rn_model_meaning(int index)
{
    return index >= 0 && index < NAMED_MODELS ? named_models[index].meaning : NULL;
}

static rn_status unknown_model(const char *name)
{
    const char *names[NAMED_MODELS + GENERAL];

    for (int i = 0; i < NAMED_MODELS; i++)
        names[i] = named_models[i].name;
    for (int i = 0; i < GENERAL; i++)
        names[NAMED_MODELS + i] = general[i].name;
    const char *nearest = rn_nearest(name, names, NAMED_MODELS + GENERAL);
    if (nearest == NULL)
        return rn_error(RN_EINVAL,
                        "unknown model '%.60s', expected resnet-N, plain-N or preact-N with N = "
                        "6n + 2, wrn-D-K, vgg-N, or resnet:key=value;..., such as resnet-20",
                        name);
    return rn_error(RN_EINVAL, "unknown model '%.60s'; did you mean '%s'?", name, nearest);
}

static bool find_general(rn_spec *spec, const char *name)
{
    for (int i = 0; i < GENERAL; i++)
        if (strcmp(general[i].name, name) == 0) {
            *spec = general[i];
            return true;
        }
    return false;
}

bool rn_base_is_general(const char *name)
{
    rn_spec spec;

    return find_general(&spec, name);
}

// "resnet:units=3,3,3" as settings; the texts of this file, so that it cannot fail.
static void read_meaning(rn_spec *spec, const char *meaning, const char *name)
{
    char text[RN_MAX_SPEC + 1];

    snprintf(text, sizeof text, "%s", meaning);
    char *keys = strchr(text, ':');
    if (keys != NULL)
        *keys++ = '\0';
    find_general(spec, text);
    (void)rn_keys_read(spec, keys);
    spec->given = 0;
    snprintf(spec->name, sizeof spec->name, "%s", name);
}

static const struct named_model *find_row(const char *name)
{
    for (int i = 0; i < NAMED_MODELS; i++)
        if (strcmp(named_models[i].name, name) == 0)
            return &named_models[i];
    return NULL;
}

// The digits at *text, which must have no more than six; moves past them.
static bool take_number(int *number, const char **text)
{
    size_t digits = strspn(*text, "0123456789");

    if (digits == 0 || digits > 6)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++)
        *number = *number * 10 + ((*text)[i] - '0');
    *text += digits;
    return true;
}

// "wrn-28-10" -> its family, 28, 10, and the same spelled without leading zeroes.
static const struct by_depth *take_apart(char spelled[RN_MAX_NAME], rn_base *base, int *widen,
                                         const char *name)
{
    for (int i = 0; i < FAMILIES; i++) {
        size_t length = strlen(by_depth[i].prefix);
        const char *rest = name + length;
        if (strncmp(name, by_depth[i].prefix, length) != 0 || !take_number(&base->depth, &rest))
            continue;
        int end = snprintf(spelled, RN_MAX_NAME, "%s%d", by_depth[i].prefix, base->depth);
        if (by_depth[i].widened) {
            if (*rest++ != '-' || !take_number(widen, &rest))
                return NULL;
            snprintf(spelled + end, RN_MAX_NAME - (size_t)end, "-%d", *widen);
        }
        return *rest == '\0' ? &by_depth[i] : NULL;
    }
    return NULL;
}

// A number that is 9n + 2 but not 6n + 2 can only be of bottlenecks: those of the 2016 paper.
static void choose_preact_block(rn_base *base)
{
    int layers = base->depth - base->outside;

    if (layers % 6 != 0 && layers % 9 == 0) {
        base->spec.block = RN_BLOCK_BOTTLENECK;
        base->spec.shortcut = RN_SHORTCUT_B;
    }
}

static rn_status set_widen(rn_base *base, int widen)
{
    char pair[32];

    snprintf(pair, sizeof pair, "widen=%d", widen);
    rn_status st = rn_key_read(&base->spec, pair);
    base->spec.given = 0;
    return st == RN_OK ? RN_OK : rn_error_prefix(st, "model '%s'", base->spec.name);
}

static rn_status find_by_depth(rn_base *base, const char *name)
{
    char spelled[RN_MAX_NAME] = "";
    int widen = 1;
    const struct by_depth *family = take_apart(spelled, base, &widen, name);

    if (family == NULL || base->depth == 0) // 0 says that the units are told otherwise
        return unknown_model(name);
    const struct named_model *row = find_row(spelled);
    base->fixed = family->fixed;
    base->outside = family->outside;
    read_meaning(&base->spec, row != NULL ? row->meaning : family->meaning, spelled);
    if (base->spec.stem == RN_STEM_IMAGENET) {
        base->depth = 0;
        base->fixed |= FIX_BLOCK;
    } else if (row == NULL && base->spec.unit == RN_ORDER_PREACT && !family->widened) {
        choose_preact_block(base);
    }
    return family->widened ? set_widen(base, widen) : RN_OK;
}

static bool belongs_to_family(const char *name)
{
    for (int i = 0; i < FAMILIES; i++)
        if (strncmp(name, by_depth[i].prefix, strlen(by_depth[i].prefix)) == 0)
            return true;
    return false;
}

rn_status rn_base_find(rn_base *base, const char *name)
{
    *base = (rn_base){0};
    if (find_general(&base->spec, name))
        return RN_OK;
    const struct named_model *row = find_row(name);
    if (row == NULL || belongs_to_family(name))
        return find_by_depth(base, name);
    read_meaning(&base->spec, row->meaning, name);
    base->fixed = FIX_NAMED;
    return RN_OK;
}

// Three equal stages

bool rn_base_settle(const rn_base *base, rn_spec *spec)
{
    int stage = 3 * rn_block_layers(spec->block), layers = base->depth - base->outside;

    if (base->depth == 0)
        return true;
    if (layers < stage || layers % stage != 0 || base->depth > MAX_DEPTH - 2 + base->outside)
        return false;
    int n = layers / stage;
    spec->units = (rn_counts){3, {n, n, n}};
    return true;
}

rn_status rn_base_depth_error(const rn_base *base, const rn_spec *spec)
{
    int step = 3 * rn_block_layers(spec->block), outside = base->outside;
    int least = step + outside, most = (MAX_DEPTH - 2) / step * step + outside;
    int near = base->depth < least ? least : base->depth > most ? most : base->depth;

    return rn_error(RN_EINVAL,
                    "depth %d is not of %s units, expected %dn + %d from %d to %d, such as %d",
                    base->depth,
                    spec->block == RN_BLOCK_BASIC        ? "basic"
                    : spec->block == RN_BLOCK_BOTTLENECK ? "bottleneck"
                                                         : "single",
                    step, outside, least, most, near - (near - outside) % step);
}

bool rn_base_candidate(char name[RN_MAX_NAME], const rn_spec *spec, int index)
{
    const int *units = spec->units.values;
    int family = index - NAMED_MODELS;

    if (index < NAMED_MODELS) {
        snprintf(name, RN_MAX_NAME, "%s", named_models[index].name);
        return true;
    }
    if (family >= FAMILIES)
        return false;
    name[0] = '\0';
    if (spec->units.count != 3 || units[1] != units[0] || units[2] != units[0])
        return true;
    int depth = 3 * units[0] * rn_block_layers(spec->block) + by_depth[family].outside;
    if (by_depth[family].widened)
        snprintf(name, RN_MAX_NAME, "%s%d-%d", by_depth[family].prefix, depth, spec->widen);
    else
        snprintf(name, RN_MAX_NAME, "%s%d", by_depth[family].prefix, depth);
    return true;
}
