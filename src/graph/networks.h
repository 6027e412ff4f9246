/**
 * Builders of networks, from a spec's settings.
 *
 * residual_network.c: stem, stages, head. units.c: the units of one shape and order. shortcuts.c:
 * what runs beside a unit's branch and joins it. vgg_network.c: VGG.
 */
#ifndef GRAPH_NETWORKS_H
#define GRAPH_NETWORKS_H

#include "graph/build.h"
#include "graph/spec.h"

/** Layers that lie between weights: none, one or both, BN first. */
enum { RN_NORM = 1, RN_RELU = 2 };

/** Where a unit has BN and ReLU; both always lie between two of its convolutions. */
typedef struct rn_unit_layers {
    int before;  // its first convolution
    int end;     // after its last one
    int joined;  // after the addition
    int closing; // after the network's last addition
} rn_unit_layers;

const rn_unit_layers *rn_unit_order(rn_order order);

/** One unit: "layer<stage>.<index>". */
typedef struct rn_unit {
    const rn_spec *spec;
    int stage, index;     // from 1 and 0
    int channels, stride; // of the output
    bool first;           // of the network
    float drop;           // stochastic depth: how often the branch is left out; 0: never
} rn_unit;

/** Append the unit; its input is the output of the unit before. */
int rn_build_residual_unit(rn_builder *builder, const rn_unit *unit, int input);

/**
 * Join a branch with its shortcut.
 *
 * @param input      What the unit reads: identity and option A shortcuts take it, and gates.
 * @param activated  What its first convolution reads: projections take it.
 * @param branch     F(x).
 */
int rn_build_addition(rn_builder *builder, const rn_unit *unit, int input, int activated,
                      int branch);

void rn_build_resnet(rn_builder *builder, const rn_spec *spec);
void rn_build_vgg(rn_builder *builder, const rn_spec *spec);

#endif
