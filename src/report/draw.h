/**
 * Pictures of networks: what is drawn and where, as data. draw_chain.c finds main line and
 * shortcuts, draw_items.c the boxes and edges, draw_layout.c, draw_band.c and draw_route.c their
 * places; draw_svg.c and draw_dot.c only write.
 */
#ifndef REPORT_DRAW_H
#define REPORT_DRAW_H

#include "report/draw_text.h"
#include "resnet/report.h"

typedef enum draw_shape {
    DRAW_WORD,  // text without a frame: the input
    DRAW_LAYER, // has weights, or pools
    DRAW_STEP,  // BN, ReLU, ... (detail)
    DRAW_SUM    // circle (detail)
} draw_shape;

typedef enum draw_line {
    DRAW_FLOW,     // from one layer to the next
    DRAW_IDENTITY, // shortcut
    DRAW_CHANGES,  // shortcut to other dimensions: padded (option A) or projected (B, C)
    DRAW_OTHER,    // shortcut that is no identity although dimensions are equal
    DRAW_SIDE,     // a branch of which every node is drawn (detail)
    DRAW_LINES
} draw_line;

enum { DRAW_HUES = 8, DRAW_LABEL = 64, DRAW_TITLES = 10, DRAW_POINTS = 4 };

typedef struct draw_point {
    int x, y;
} draw_point;

typedef struct draw_box {
    int network;
    int node; // of the graph; -1: the end of a network that ends in no layer
    int row;  // from 0 at the input
    int lane; // 0: main line; 1, 2: beside it
    int band; // of equal output size; meaningful in lane 0
    draw_shape shape;
    int hue; // 0: none; else the stage's, 1 .. DRAW_HUES
    draw_point centre;
    int width, height;
    char label[DRAW_LABEL];
} draw_box;

/** From box to box. A shortcut without a sum drawn joins the arrow that leaves box `joins`. */
typedef struct draw_edge {
    int from, to;
    int joins; // -1: none
    draw_line line;
    bool second; // enters from the side: sum, or a gate's second input
    int bulge;   // not 0: four points, between the middle ones a curve to the right
    int points;
    draw_point point[DRAW_POINTS];
    char label[DRAW_LABEL]; // what a DRAW_OTHER does
} draw_edge;

/** Boxes first .. last, side by side with a bracket and "x times". */
typedef struct draw_repeat {
    int first, last;
    int times;
    int x, top, bottom; // of the bracket
} draw_repeat;

typedef struct draw_network {
    const rn_graph *graph;
    int first_box, boxes;
    int first_edge, edges;
    int rows;
    int centre, left, right; // x of the main line and of what is drawn
    int titles;
    char title[DRAW_TITLES][DRAW_LABEL]; // name, options, then `facts` lines on size
    int facts;
} draw_network;

/** Rows of equal output size. */
typedef struct draw_band {
    int height, width; // of the maps
    int hue;
    int top, bottom; // of its boxes
} draw_band;

typedef struct draw_picture {
    rn_draw_options options;
    draw_network *networks;
    int network_count;
    draw_box *boxes;
    int box_count;
    size_t box_capacity;
    draw_edge *edges;
    int edge_count;
    size_t edge_capacity;
    draw_repeat *repeats;
    int repeat_count;
    size_t repeat_capacity;
    draw_band *bands;
    int band_count;
    size_t band_capacity;
    int width, height;
    int legend[DRAW_LINES]; // y of what explains a kind of line; 0: not explained
} draw_picture;

/** Everything that a picture shows, in place. Start from zeroes; release also after a failure. */
rn_status draw_picture_init(draw_picture *picture, const rn_graph *const *graphs, int count,
                            const rn_draw_options *options);
void draw_picture_release(draw_picture *picture);

// draw_unit.c

/** Stage and unit of a node: its fields, else from its name; false: in no unit. */
bool draw_unit_of(const rn_node *node, int *stage, int *unit);

// draw_chain.c

/** A graph's main line and what branches off it. */
typedef struct draw_chain {
    int nodes;       // of the graph that are looked at: the loss is not
    int *lane;       // 0: main line; 1, 2: beside it; -1: leads nowhere
    int *like;       // the node that is drawn instead: itself, or its like in an earlier unit
    draw_line *line; // of the edges to a node beside the main line, or of the sum's shortcut
    int *source;     // of a sum in the main line: where its shortcut leaves that, else -1
} draw_chain;

/** collapse: like units are drawn once. Release also after a failure. */
rn_status draw_chain_init(draw_chain *chain, const rn_graph *graph, bool collapse);
void draw_chain_release(draw_chain *chain);

/** The operand of a sum that carries on the main line: the branch with more layers. */
int draw_main_operand(const rn_graph *graph, const rn_node *sum);

// draw_items.c

/** Append a network's boxes (rows and lanes set), edges and repeats. */
rn_status draw_items_add(draw_picture *picture, int network);

// draw_band.c

/** The bands of all networks, and each box's band, hue and centre.y; the last one's bottom. */
rn_status draw_bands_init(draw_picture *picture, int top);

// draw_route.c

/** Points of a network's edges and its repeats, its boxes being in place around x = 0. */
void draw_route(draw_picture *picture, const draw_network *network);
/** The furthest that an edge with its label reaches to the right. */
int draw_edge_right(const draw_edge *edge);

enum {
    DRAW_MARGIN = 24,
    DRAW_ROW = 20,      // height of a box
    DRAW_GAP = 20,      // between rows: the arrow
    DRAW_BAND_GAP = 16, // more between bands
    DRAW_FONT = 12,
    DRAW_TITLE_FONT = 16,
    DRAW_LINE = 16,  // from one line of text to the next
    DRAW_SAMPLE = 36 // of a line in the legend, before its text
};

// draw_label.c

/** "3x3 conv, 64, /2" */
void draw_label_node(char label[DRAW_LABEL], const rn_node *node, bool detail);
/** What a shortcut without identity does: "1x1 conv", "gate", "x 0.5". */
void draw_label_shortcut(char label[DRAW_LABEL], const rn_node *node);
/** What a shortcut's line says; NULL of other lines. */
const char *draw_label_line(draw_line line);
void draw_label_titles(draw_network *network);
/** "output size: 56", "output size: 56 x 40" */
void draw_label_size(char label[DRAW_LABEL], const draw_band *band);
/** Pixels that a text takes, at most, in a common sans-serif. */
int draw_text_width(const char *text, int font_size);

#endif
