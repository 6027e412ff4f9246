// Model specs: a name's settings, changed by keys, checked, and written again.
#include "graph/spec.h"

#include "base/memory.h"
#include "graph/networks.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN = 200 }; // characters of a spec in a message

// Contradictions: a key that says something about what the network does not have.

static bool is_plain(const rn_spec *spec)
{
    return !spec->residual;
}

static bool has_no_scale(const rn_spec *spec)
{
    return spec->path != RN_PATH_SCALE;
}

static bool has_no_gate(const rn_spec *spec)
{
    return spec->path != RN_PATH_EXCLUSIVE_GATE && spec->path != RN_PATH_SHORTCUT_GATE;
}

static bool has_no_shortcut_dropout(const rn_spec *spec)
{
    return spec->path != RN_PATH_DROPOUT;
}

static bool is_no_bottleneck(const rn_spec *spec)
{
    return spec->block != RN_BLOCK_BOTTLENECK;
}

static bool has_no_last_gain(const rn_spec *spec)
{
    return spec->zero_gain && rn_unit_order(spec->unit)->end != RN_NORM;
}

static bool has_no_middle(const rn_spec *spec)
{
    return spec->family == RN_FAMILY_RESNET && spec->block == RN_BLOCK_SINGLE;
}

static bool has_widths(const rn_spec *spec)
{
    return spec->widths.count > 0;
}

static bool has_other_stages(const rn_spec *spec)
{
    return spec->widths.count > 0 && spec->widths.count != spec->units.count;
}

static bool pools_before_other_orders(const rn_spec *spec)
{
    return spec->down == RN_DOWN_POOL && spec->unit != RN_ORDER_ORIGINAL;
}

static bool crosses_no_sizes(const rn_spec *spec)
{
    return spec->down == RN_DOWN_POOL && spec->shortcut == RN_SHORTCUT_B;
}

static bool has_no_pools(const rn_spec *spec)
{
    return spec->down != RN_DOWN_POOL;
}

static const struct rule {
    unsigned keys;
    bool (*broken)(const rn_spec *spec);
    const char *why;
} rules[] = {
    {RN_KEY_BIT(RN_KEY_SHORTCUT) | RN_KEY_BIT(RN_KEY_PATH) | RN_KEY_BIT(RN_KEY_SHORTCUT_SCALE) |
         RN_KEY_BIT(RN_KEY_RESIDUAL_SCALE) | RN_KEY_BIT(RN_KEY_GATE_BIAS) |
         RN_KEY_BIT(RN_KEY_SHORTCUT_DROPOUT) | RN_KEY_BIT(RN_KEY_ZERO_GAIN) |
         RN_KEY_BIT(RN_KEY_SURVIVAL),
     is_plain, "a plain network has no shortcuts"},
    {RN_KEY_BIT(RN_KEY_UNIT), is_plain,
     "the orders are about an addition, and a plain network has "
     "none"},
    {RN_KEY_BIT(RN_KEY_SHORTCUT_SCALE) | RN_KEY_BIT(RN_KEY_RESIDUAL_SCALE), has_no_scale,
     "it goes with path=scale"},
    {RN_KEY_BIT(RN_KEY_WIDEN), has_widths, "'widths' says how wide each stage is"},
    {RN_KEY_BIT(RN_KEY_WIDTHS) | RN_KEY_BIT(RN_KEY_UNITS), has_other_stages,
     "'widths' has one number a stage, as 'units'"},
    {RN_KEY_BIT(RN_KEY_DOWN) | RN_KEY_BIT(RN_KEY_UNIT), pools_before_other_orders,
     "down=pool goes with unit=original"},
    {RN_KEY_BIT(RN_KEY_SHORTCUT), crosses_no_sizes,
     "with down=pool no shortcut crosses sizes, and B is A"},
    {RN_KEY_BIT(RN_KEY_DOWN_INIT), has_no_pools, "it goes with down=pool"},
    {RN_KEY_BIT(RN_KEY_GATE_BIAS), has_no_gate,
     "it goes with path=exclusive-gate or path=shortcut-gate"},
    {RN_KEY_BIT(RN_KEY_SHORTCUT_DROPOUT), has_no_shortcut_dropout, "it goes with path=dropout"},
    {RN_KEY_BIT(RN_KEY_STRIDE), is_no_bottleneck, "it goes with block=bottleneck"},
    {RN_KEY_BIT(RN_KEY_ZERO_GAIN), has_no_last_gain,
     "the branch must end in batch normalisation, as with unit=original and unit=relu-only"},
    {RN_KEY_BIT(RN_KEY_DROPOUT), has_no_middle,
     "it lies between two convolutions of a unit, and block=single has one"},
};

static rn_status check_rules(const rn_spec *spec)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        for (int key = 0; key < RN_KEYS; key++)
            if ((spec->given & rules[i].keys & RN_KEY_BIT(key)) != 0 && rules[i].broken(spec))
                return rn_error(RN_EINVAL, "'%s' has no meaning here: %s", rn_key_name((rn_key)key),
                                rules[i].why);
    return RN_OK;
}

static rn_status check_fixed(const rn_spec *spec, unsigned fixed)
{
    for (int key = 0; key < RN_KEYS; key++)
        if ((spec->given & fixed & RN_KEY_BIT(key)) != 0)
            return rn_error(RN_EINVAL, "'%s' is settled by the name '%s'; see '%s:%s=...'",
                            rn_key_name((rn_key)key), spec->name,
                            spec->family == RN_FAMILY_VGG ? "vgg" : "resnet",
                            rn_key_name((rn_key)key));
    return RN_OK;
}

int rn_stage_width(const rn_spec *spec, int stage)
{
    if (spec->widths.count > 0)
        return spec->widths.values[stage - 1];
    return (spec->width * spec->widen) << (stage - 1);
}

static rn_status check_size(const rn_spec *spec)
{
    const rn_counts *counts = spec->family == RN_FAMILY_VGG ? &spec->convs : &spec->units;
    int64_t layers = 0, channels = 0;

    for (int i = 0; i < counts->count; i++) {
        int64_t doubled = (int64_t)spec->width * spec->widen << i;
        int64_t wide = spec->widths.count > 0 ? spec->widths.values[i] : doubled;
        channels = wide > channels ? wide : channels;
        layers += counts->values[i];
    }
    if (spec->family == RN_FAMILY_RESNET)
        layers = layers * rn_block_layers(spec->block) + 2 +
                 (spec->down == RN_DOWN_POOL ? counts->count : 0);
    else
        layers += 3;
    if (layers > RN_MAX_LAYERS)
        return rn_error(RN_EINVAL, "%lld layers, at most %d", (long long)layers, RN_MAX_LAYERS);
    if (spec->block == RN_BLOCK_BOTTLENECK)
        channels *= 4;
    if (channels > RN_MAX_WIDTH)
        return rn_error(RN_EINVAL, "%lld channels in a stage, at most %d", (long long)channels,
                        RN_MAX_WIDTH);
    return RN_OK;
}

// "The 1x1 convolutional shortcut" of the 2016 paper is option C of the 2015 one, as it says.
static rn_status settle_conv_path(rn_spec *spec)
{
    if (spec->path != RN_PATH_CONV)
        return RN_OK;
    if ((spec->given & RN_KEY_BIT(RN_KEY_SHORTCUT)) != 0 && spec->shortcut != RN_SHORTCUT_C)
        return rn_error(RN_EINVAL, "path=conv is shortcut=C and contradicts shortcut=%c",
                        'A' + (int)spec->shortcut);
    spec->shortcut = RN_SHORTCUT_C;
    spec->path = RN_PATH_IDENTITY;
    return RN_OK;
}

// A name's own B is A then, too.
static void settle_pools(rn_spec *spec)
{
    if (crosses_no_sizes(spec))
        spec->shortcut = RN_SHORTCUT_A;
}

static rn_status read_keys(rn_spec *spec, const rn_base *base, char *keys)
{
    rn_status st;

    RN_TRY(rn_keys_read(spec, keys));
    RN_TRY(check_fixed(spec, base->fixed));
    if (!rn_base_settle(base, spec)) {
        st = rn_base_depth_error(base, spec);
        goto out;
    }
    RN_TRY(check_rules(spec));
    RN_TRY(settle_conv_path(spec));
    settle_pools(spec);
    RN_TRY(check_size(spec));
out:
    return st;
}

rn_status rn_spec_parse(rn_spec *spec, const char *model)
{
    char text[RN_MAX_SPEC + 1];
    size_t length = strlen(model);
    rn_base base;

    *spec = (rn_spec){0};
    if (length > RN_MAX_SPEC)
        return rn_error(RN_EINVAL, "model '%.32s...' is %zu characters long, at most %d", model,
                        length, RN_MAX_SPEC);
    memcpy(text, model, length + 1);
    char *keys = strchr(text, ':');
    if (keys != NULL)
        *keys++ = '\0';
    rn_status st = rn_base_find(&base, text);
    if (st != RN_OK)
        return st;
    *spec = base.spec;
    st = read_keys(spec, &base, keys);
    return st == RN_OK
               ? RN_OK
               : rn_error_prefix(st, "model '%.*s%s'", SHOWN, model, length > SHOWN ? "..." : "");
}

// Writing

// The settings under another name, if that name can have them.
static bool write_as(char text[RN_MAX_SPEC + 1], const rn_spec *spec, const char *name)
{
    rn_base base;
    char value[64];
    size_t length = (size_t)snprintf(text, RN_MAX_SPEC + 1, "%s", name);
    char mark = ':';

    if (*name == '\0' || rn_base_find(&base, name) != RN_OK || base.spec.family != spec->family)
        return false;
    rn_spec trial = base.spec;
    for (int key = 0; key < RN_KEYS; key++)
        if ((base.fixed & RN_KEY_BIT(key)) == 0)
            rn_key_copy(&trial, spec, (rn_key)key);
    if (!rn_base_settle(&base, &trial))
        return false;
    for (int key = 0; key < RN_KEYS; key++) {
        if (!rn_key_equal(&trial, spec, (rn_key)key))
            return false;
        if ((base.fixed & RN_KEY_BIT(key)) != 0 || rn_key_equal(&base.spec, spec, (rn_key)key))
            continue;
        if (key == RN_KEY_WIDTHS && spec->widths.count == 0) // which no text says
            return false;
        rn_key_write(value, sizeof value, spec, (rn_key)key);
        length += (size_t)snprintf(text + length, RN_MAX_SPEC + 1 - length, "%c%s=%s", mark,
                                   rn_key_name((rn_key)key), value);
        mark = ';';
    }
    return true;
}

// A spec in general terms is written by the shortest of the names that fit it, if any does.
rn_status rn_spec_format(char **out, const rn_spec *spec)
{
    char best[RN_MAX_SPEC + 1] = "", text[RN_MAX_SPEC + 1], name[RN_MAX_NAME];

    if (rn_base_is_general(spec->name))
        for (int i = 0; rn_base_candidate(name, spec, i); i++)
            if (write_as(text, spec, name) && (*best == '\0' || strlen(text) < strlen(best)))
                memcpy(best, text, strlen(text) + 1);
    if (*best == '\0')
        (void)write_as(best, spec, spec->name);
    return rn_strdup(out, best);
}
