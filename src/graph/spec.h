/**
 * Model specs: "resnet-50:stride=3x3" and the settings that it stands for.
 *
 *     NAME[:key=value[;key=value...]]
 *
 * spec_keys.c knows each key: how it is spelled, read, written and bounded. model_names.c knows the
 * names: a table of networks, each in terms of a general family ("resnet", "vgg"), and the families
 * by depth. spec.c puts the two together, refuses contradictions and writes the canonical spec.
 */
#ifndef GRAPH_SPEC_H
#define GRAPH_SPEC_H

#include "resnet/graph.h"

enum {
    RN_MAX_SPEC = 512,    // characters
    RN_MAX_LAYERS = 2500, // weighted layers on the longest way
    RN_MAX_WIDTH = 65536  // channels
};

typedef enum rn_family { RN_FAMILY_RESNET, RN_FAMILY_VGG } rn_family;

/** The convolutions of a unit. */
typedef enum rn_block {
    RN_BLOCK_BASIC,      // 3x3, 3x3 (2015, fig. 5 left)
    RN_BLOCK_BOTTLENECK, // 1x1, 3x3, 1x1 with four times the channels (2015, fig. 5 right)
    RN_BLOCK_SINGLE,     // 3x3: the one-layer units of the 2016 paper, table 3
    RN_BLOCKS
} rn_block;

/** The order of convolution, BN, ReLU and addition: 2016 paper, fig. 4 (a) to (e). */
typedef enum rn_order {
    RN_ORDER_ORIGINAL,
    RN_ORDER_BN_AFTER_ADD,
    RN_ORDER_RELU_BEFORE_ADD,
    RN_ORDER_RELU_ONLY,
    RN_ORDER_PREACT,
    RN_ORDERS
} rn_order;

typedef enum rn_stem {
    RN_STEM_CIFAR,   // 3x3 convolution
    RN_STEM_IMAGENET // 7x7 convolution and 3x3 max pool, stride 2 each
} rn_stem;

/** How the picture gets smaller from stage to stage. */
typedef enum rn_down {
    RN_DOWN_STRIDE, // the first unit of every stage but the first has stride 2
    RN_DOWN_POOL    // every stage begins with 3x3 convolution, 2x2 max pool, BN, ReLU
} rn_down;

/** What the convolutions at the stages' entries (down=pool) start with. */
typedef enum rn_down_init {
    RN_DOWN_INIT_RANDOM,
    RN_DOWN_INIT_IDENTITY // filter i gives channel i, as far as there are channels
} rn_down_init;

/** What makes one value of each channel for the linear layer. */
typedef enum rn_head { RN_HEAD_AVERAGE, RN_HEAD_MAX } rn_head;

/** Shortcuts across sizes: A zero-padded identity, B projection there, C projection everywhere. */
typedef enum rn_shortcut { RN_SHORTCUT_A, RN_SHORTCUT_B, RN_SHORTCUT_C } rn_shortcut;

/** What lies on every unit's shortcut: 2016 paper, fig. 2. */
typedef enum rn_path {
    RN_PATH_IDENTITY,
    RN_PATH_SCALE,
    RN_PATH_EXCLUSIVE_GATE,
    RN_PATH_SHORTCUT_GATE,
    RN_PATH_CONV, // in a spec only: it is shortcut=C by its other name
    RN_PATH_DROPOUT
} rn_path;

/** Which convolution of a bottleneck has the stride: the first 1x1 (2015) or the 3x3 ("v1.5"). */
typedef enum rn_stride { RN_STRIDE_FIRST, RN_STRIDE_3X3 } rn_stride;

typedef struct rn_counts {
    int count;
    int values[RN_MAX_STAGES];
} rn_counts;

typedef struct rn_spec {
    char name[RN_MAX_NAME]; // "resnet-50"
    unsigned given;         // keys in the text: bits RN_KEY_BIT()
    rn_family family;
    rn_counts units; // a stage
    rn_block block;
    int width, widen; // channels of the stem; of the stages: width x widen, doubled at each stage
    rn_counts widths; // of the stages, where they are given
    rn_order unit;
    rn_stem stem;
    rn_down down;
    rn_down_init down_init;
    rn_head head;
    float head_init; // factor on the deviation with which the linear layer starts
    bool residual;   // no: a plain network
    rn_shortcut shortcut;
    rn_path path;
    float shortcut_scale, residual_scale; // path=scale
    float gate_bias;                      // path=exclusive-gate, shortcut-gate
    float shortcut_dropout;               // path=dropout
    rn_stride stride;
    bool zero_gain;  // the last BN of each branch starts with a gain of 0
    float survival;  // stochastic depth: of the last unit's branch; 1: none
    float dropout;   // before a unit's last convolution; VGG: in the classifier
    rn_counts convs; // VGG: convolutions between two pools
    bool bn;         // VGG: BN after each convolution
} rn_spec;

/** RN_OK; RN_EINVAL, with a message that names the model and what is wrong with it. */
rn_status rn_spec_parse(rn_spec *spec, const char *model);

/** The shortest text with the same name that rn_spec_parse() reads as the same settings. */
rn_status rn_spec_format(char **out, const rn_spec *spec);

/** Channels that a unit of a stage, from 1, works with; bottlenecks put out four times as many. */
int rn_stage_width(const rn_spec *spec, int stage);

/** Weighted layers of one unit. */
int rn_block_layers(rn_block block);

// Keys, in the order in which they are written.
typedef enum rn_key {
    RN_KEY_UNITS,
    RN_KEY_CONVS,
    RN_KEY_BN,
    RN_KEY_BLOCK,
    RN_KEY_WIDTH,
    RN_KEY_WIDEN,
    RN_KEY_WIDTHS,
    RN_KEY_UNIT,
    RN_KEY_STEM,
    RN_KEY_DOWN,
    RN_KEY_DOWN_INIT,
    RN_KEY_HEAD,
    RN_KEY_HEAD_INIT,
    RN_KEY_RESIDUAL,
    RN_KEY_SHORTCUT,
    RN_KEY_PATH,
    RN_KEY_SHORTCUT_SCALE,
    RN_KEY_RESIDUAL_SCALE,
    RN_KEY_GATE_BIAS,
    RN_KEY_SHORTCUT_DROPOUT,
    RN_KEY_STRIDE,
    RN_KEY_ZERO_GAIN,
    RN_KEY_SURVIVAL,
    RN_KEY_DROPOUT,
    RN_KEYS
} rn_key;

#define RN_KEY_BIT(key) (1u << (key))

const char *rn_key_name(rn_key key);
/** Whether networks of the family have it. */
bool rn_key_belongs(rn_key key, rn_family family);
/** Parse "key=value" (which is cut up) into the spec. */
rn_status rn_key_read(rn_spec *spec, char *pair);
/** The value as text; numbers have six decimals at most. */
void rn_key_write(char *text, size_t size, const rn_spec *spec, rn_key key);
bool rn_key_equal(const rn_spec *a, const rn_spec *b, rn_key key);
void rn_key_copy(rn_spec *to, const rn_spec *from, rn_key key);
/** Parse "key=value;key=value" (which is cut up). */
rn_status rn_keys_read(rn_spec *spec, char *text);

/** A name taken apart: the settings that it starts from, and which of them it fixes. */
typedef struct rn_base {
    rn_spec spec;
    unsigned fixed; // RN_KEY_BIT()
    int depth;      // the units of three equal stages follow from it; 0: they are in the spec
    int outside;    // layers that a name's depth counts beside those of the units
} rn_base;

/** RN_OK; RN_EINVAL: there is no such network. */
rn_status rn_base_find(rn_base *base, const char *name);
/** Set the units that give the base's depth; false if none do. */
bool rn_base_settle(const rn_base *base, rn_spec *spec);
/** The message for that. */
rn_status rn_base_depth_error(const rn_base *base, const rn_spec *spec);
/** A general family's name, such as "resnet". */
bool rn_base_is_general(const char *name);
/**
 * Names under which a spec may be known; index from 0, false past the last. A name may be "" or not
 * fit.
 */
bool rn_base_candidate(char name[RN_MAX_NAME], const rn_spec *spec, int index);
/** What a named model stands for: "resnet:units=3,3,3"; NULL past the last. */
const char *rn_model_meaning(int index);

#endif
