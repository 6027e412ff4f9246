// A picture of networks for Graphviz, which places everything anew: only what is drawn counts.
#include "report/draw.h"

#include "base/memory.h"

static const char *const hues[DRAW_HUES + 1] = {"#f4f5f7", "#e6dff8", "#d8f0dc",
                                                "#fbdcda", "#d6e8fb", "#fdecc8",
                                                "#d0f0ee", "#fadaed", "#ece0d4"};

static const char *const shapes[] = {
    [DRAW_WORD] = "shape=plaintext",
    [DRAW_LAYER] = "shape=box",
    [DRAW_STEP] = "shape=box, style=rounded",
    [DRAW_SUM] = "shape=circle, margin=0, width=0.25",
};

static const char *const lines[DRAW_LINES] = {
    [DRAW_FLOW] = "weight=10",     [DRAW_IDENTITY] = "style=solid", [DRAW_CHANGES] = "style=dotted",
    [DRAW_OTHER] = "style=dashed", [DRAW_SIDE] = "style=solid",
};

static void write_head(draw_text *out, const draw_picture *picture)
{
    draw_text_print(out, "digraph \"");
    for (int n = 0; n < picture->network_count; n++) {
        draw_text_print(out, "%s", n > 0 ? ", " : "");
        draw_text_dot(out, rn_graph_model(picture->networks[n].graph));
    }
    draw_text_print(
        out, "\" {\n  newrank=true; nodesep=0.3; ranksep=0.25; bgcolor=white;\n"
             "  fontname=\"Helvetica\";\n"
             "  node [fontname=\"Helvetica\", fontsize=11, height=0.25, margin=\"0.12,0.03\", "
             "color=\"#656d76\"];\n"
             "  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.6];\n");
}

static void write_box(draw_text *out, const draw_picture *picture, int index)
{
    const draw_box *box = &picture->boxes[index];

    draw_text_print(out, "      b%d [label=\"", index);
    draw_text_dot(out, box->label);
    draw_text_print(out, "\", %s", shapes[box->shape]);
    if (box->shape == DRAW_LAYER)
        draw_text_print(out, ", style=filled, fillcolor=\"%s\"", hues[box->hue]);
    if (box->lane == 0)
        draw_text_print(out, ", group=n%d", box->network);
    if (box->node >= 0) {
        draw_text_print(out, ", tooltip=\"");
        draw_text_dot(out, rn_graph_node(picture->networks[box->network].graph, box->node)->name);
        draw_text_print(out, "\"");
    }
    draw_text_print(out, "];\n");
}

// The repeat that begins at this box, or NULL.
static const draw_repeat *repeat_at(const draw_picture *picture, int box)
{
    for (int i = 0; i < picture->repeat_count; i++)
        if (picture->repeats[i].first == box)
            return &picture->repeats[i];
    return NULL;
}

static void write_boxes(draw_text *out, const draw_picture *picture, const draw_network *network)
{
    const draw_repeat *repeat = NULL;

    for (int i = network->first_box; i < network->first_box + network->boxes; i++) {
        const draw_repeat *begins = repeat_at(picture, i);
        if (begins != NULL) {
            repeat = begins;
            draw_text_print(out,
                            "    subgraph cluster_repeat_%d {\n      label=\"x %d\"; labeljust=r; "
                            "style=dashed; color=\"#656d76\";\n",
                            i, repeat->times);
        }
        write_box(out, picture, i);
        if (repeat != NULL && repeat->last == i) {
            draw_text_print(out, "    }\n");
            repeat = NULL;
        }
    }
}

// Slack is for where a band begins; shortcuts past boxes stay on their right.
static void write_edge(draw_text *out, const draw_picture *picture, const draw_edge *edge)
{
    bool enters_band = picture->boxes[edge->to].band != picture->boxes[edge->from].band ||
                       picture->boxes[edge->from].shape == DRAW_WORD;
    bool past_boxes = edge->joins >= 0 || edge->line == DRAW_IDENTITY;

    draw_text_print(out, "    b%d -> b%d [%s", edge->from, edge->to,
                    edge->line == DRAW_FLOW && enters_band ? "weight=10" : lines[edge->line]);
    if (past_boxes)
        draw_text_print(out, ", tailport=e, headport=e, constraint=false");
    if (edge->label[0] != '\0') {
        draw_text_print(out, ", label=\"");
        draw_text_dot(out, edge->label);
        draw_text_print(out, "\"");
    }
    draw_text_print(out, "];\n");
}

static void write_network(draw_text *out, const draw_picture *picture, int index)
{
    const draw_network *network = &picture->networks[index];

    draw_text_print(out, "  subgraph cluster_%d {\n    label=\"", index);
    for (int i = 0; i < network->titles; i++) {
        draw_text_dot(out, network->title[i]);
        draw_text_print(out, "\\n");
    }
    draw_text_print(out, "\"; style=rounded; color=\"#d8dce1\";\n");
    write_boxes(out, picture, network);
    for (int i = 0; i < network->edges; i++)
        write_edge(out, picture, &picture->edges[network->first_edge + i]);
    draw_text_print(out, "  }\n");
}

// The first box that a network has in a band, or -1.
static int first_in_band(const draw_picture *picture, const draw_network *network, int band)
{
    for (int i = network->first_box; i < network->first_box + network->boxes; i++) {
        const draw_box *box = &picture->boxes[i];
        if (box->lane == 0 && box->shape != DRAW_WORD && box->band == band)
            return i;
    }
    return -1;
}

// A column of output sizes, at the left because it comes first.
static void write_sizes(draw_text *out, const draw_picture *picture)
{
    char label[DRAW_LABEL];

    for (int band = 0; band < picture->band_count; band++) {
        draw_label_size(label, &picture->bands[band]);
        draw_text_print(out, "  size%d [label=\"%s\", shape=plaintext];\n", band, label);
        if (band > 0)
            draw_text_print(out, "  size%d -> size%d [style=invis];\n", band - 1, band);
    }
}

// Boxes where a size begins are in line with it and with each other.
static void write_ranks(draw_text *out, const draw_picture *picture)
{
    for (int band = 0; band < picture->band_count; band++) {
        draw_text_print(out, "  { rank=same; size%d;", band);
        for (int n = 0; n < picture->network_count; n++) {
            int box = first_in_band(picture, &picture->networks[n], band);
            if (box >= 0)
                draw_text_print(out, " b%d;", box);
        }
        draw_text_print(out, " }\n");
    }
}

rn_status rn_graph_draw_dot(char **out, const rn_graph *const *graphs, int count,
                            const rn_draw_options *options)
{
    rn_status st;
    draw_picture picture = {0};
    draw_text text = {0};

    *out = NULL;
    RN_TRY(draw_picture_init(&picture, graphs, count, options));
    write_head(&text, &picture);
    write_sizes(&text, &picture);
    for (int n = 0; n < picture.network_count; n++)
        write_network(&text, &picture, n);
    write_ranks(&text, &picture);
    draw_text_print(&text, "}\n");
    RN_TRY(text.status);
    *out = text.text;
    text.text = NULL; // now the caller's
out:
    rn_free(text.text);
    draw_picture_release(&picture);
    return st;
}
