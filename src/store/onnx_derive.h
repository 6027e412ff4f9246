/**
 * Which network a net is: facts found along its ways, and the model specs that they amount to. That
 * a net really is that network is onnx_match.h's to say.
 */
#ifndef STORE_ONNX_DERIVE_H
#define STORE_ONNX_DERIVE_H

#include "store/onnx_net.h"

enum { RN_DERIVED_SPECS = 2, RN_DERIVED_SPEC = 320 };

/** Specs to try, the likeliest first. */
typedef struct rn_derived {
    char specs[RN_DERIVED_SPECS][RN_DERIVED_SPEC];
    int count;
} rn_derived;

/** RN_OK; RN_EUNSUPPORTED (names the first node that does not fit any family, and why). */
rn_status rn_net_derive(rn_derived *out, const rn_net *net);

// The parts of it.

enum { RN_NET_STAGES = 8 };

typedef enum rn_net_block {
    RN_NET_NO_BLOCK,
    RN_NET_BASIC,
    RN_NET_BOTTLENECK,
    RN_NET_SINGLE
} rn_net_block;

/** What a net with additions, or a chain, shows of itself. */
typedef struct rn_net_facts {
    bool vgg, batch_norm; // convolutions and pools in turn; whether BN follows the former
    bool residual;
    bool imagenet;                    // stem: 7x7 and max pool, else 3x3
    int width;                        // channels of the stem
    int inner;                        // of the first unit's 3x3 convolution
    int stages, units[RN_NET_STAGES]; // VGG: convolutions between pools
    rn_net_block block;
    char order;    // 'a' to 'e', as in figure 4 of the 2016 paper
    char shortcut; // 'A' to 'C', or 0: no shortcut tells
    bool stride_3x3;
    bool shortcut_gated, residual_gated;
    bool scaled;                          // by the two constants that follow, in every unit
    float shortcut_scale, residual_scale; // of the last unit
    bool residual_varies;                 // its factor differs between units
} rn_net_facts;

/** Facts of a net with additions: unit by unit. */
rn_status rn_net_find_units(rn_net_facts *facts, const rn_net *net);

#endif
