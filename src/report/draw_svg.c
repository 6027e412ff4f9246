// A picture of networks as SVG: presentation attributes only, which every viewer knows.
#include "report/draw.h"

#include "base/memory.h"

static const struct {
    const char *fill, *stroke;
} hues[DRAW_HUES + 1] = {
    {"#f4f5f7", "#8c95a1"}, // no stage: pools, linear layers
    {"#e6dff8", "#7b5fc7"}, // violet
    {"#d8f0dc", "#3d9956"}, // green
    {"#fbdcda", "#cb5450"}, // red
    {"#d6e8fb", "#3a7ac6"}, // blue
    {"#fdecc8", "#c48a1c"}, // amber
    {"#d0f0ee", "#25928b"}, // teal
    {"#fadaed", "#c05296"}, // pink
    {"#ece0d4", "#95693f"}, // brown
};

static const char INK[] = "#1f2328", GREY[] = "#656d76";

static const char *const dashes[DRAW_LINES] = {
    [DRAW_FLOW] = "",
    [DRAW_IDENTITY] = "",
    [DRAW_CHANGES] = " stroke-dasharray=\"1.5 3\"",
    [DRAW_OTHER] = " stroke-dasharray=\"6 3\"",
    [DRAW_SIDE] = "",
};

// y is the middle of the letters.
static void write_text(draw_text *out, int x, int y, const char *attributes, const char *content)
{
    draw_text_print(out, "<text x=\"%d\" y=\"%d\"%s>", x, y + 4, attributes);
    draw_text_xml(out, content);
    draw_text_print(out, "</text>\n");
}

static void write_head(draw_text *out, const draw_picture *picture)
{
    draw_text_print(out,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" "
                    "height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"system-ui, 'Segoe UI', "
                    "'Helvetica Neue', Helvetica, Arial, sans-serif\" font-size=\"%d\">\n<title>",
                    picture->width, picture->height, picture->width, picture->height, DRAW_FONT);
    for (int n = 0; n < picture->network_count; n++) {
        draw_text_print(out, "%s", n > 0 ? ", " : "");
        draw_text_xml(out, rn_graph_model(picture->networks[n].graph));
    }
    draw_text_print(out,
                    "</title>\n<defs><marker id=\"head\" markerUnits=\"userSpaceOnUse\" "
                    "markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" orient=\"auto\">"
                    "<path d=\"M0,1 L7,4 L0,7 z\" fill=\"%s\"/></marker></defs>\n"
                    "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
                    INK, picture->width, picture->height);
}

static void write_bands(draw_text *out, const draw_picture *picture)
{
    char label[DRAW_LABEL];

    draw_text_print(out, "<g fill=\"%s\" stroke=\"none\">\n", GREY);
    for (int i = 0; i < picture->band_count; i++) {
        const draw_band *band = &picture->bands[i];
        int y = band->top - (DRAW_GAP + DRAW_BAND_GAP) / 2;
        if (i > 0)
            draw_text_print(
                out, "<path d=\"M%d,%d H%d\" stroke=\"#d8dce1\" stroke-dasharray=\"2 4\"/>\n",
                DRAW_MARGIN, y, picture->width - DRAW_MARGIN);
        draw_label_size(label, band);
        write_text(out, DRAW_MARGIN, band->top + DRAW_ROW / 2, "", label);
    }
    draw_text_print(out, "</g>\n");
}

static int towards(int from, int to, int distance)
{
    if (to > from)
        return to - from < 2 * distance ? (from + to) / 2 : from + distance;
    return from - to < 2 * distance ? (from + to) / 2 : from - distance;
}

enum { CORNER = 8 };

// Lines with rounded corners.
static void write_ways(draw_text *out, const draw_edge *edge)
{
    const draw_point *p = edge->point;

    draw_text_print(out, "M%d,%d", p[0].x, p[0].y);
    for (int i = 1; i + 1 < edge->points; i++)
        draw_text_print(out, " L%d,%d Q%d,%d %d,%d", towards(p[i].x, p[i - 1].x, CORNER),
                        towards(p[i].y, p[i - 1].y, CORNER), p[i].x, p[i].y,
                        towards(p[i].x, p[i + 1].x, CORNER), towards(p[i].y, p[i + 1].y, CORNER));
    draw_text_print(out, " L%d,%d", p[edge->points - 1].x, p[edge->points - 1].y);
}

static void write_bulge(draw_text *out, const draw_edge *edge)
{
    const draw_point *p = edge->point;
    int x = p[1].x + edge->bulge;

    draw_text_print(out, "M%d,%d L%d,%d C%d,%d %d,%d %d,%d L%d,%d", p[0].x, p[0].y, p[1].x, p[1].y,
                    x, p[1].y, x, p[2].y, p[2].x, p[2].y, p[3].x, p[3].y);
}

static void write_edge(draw_text *out, const draw_edge *edge)
{
    draw_text_print(out, "<path d=\"");
    if (edge->bulge != 0)
        write_bulge(out, edge);
    else
        write_ways(out, edge);
    draw_text_print(out, "\"%s/>\n", dashes[edge->line]);
}

static void write_edges(draw_text *out, const draw_picture *picture)
{
    draw_text_print(out,
                    "<g fill=\"none\" stroke=\"%s\" stroke-width=\"1.2\" "
                    "marker-end=\"url(#head)\">\n",
                    INK);
    for (int i = 0; i < picture->edge_count; i++)
        write_edge(out, &picture->edges[i]);
    draw_text_print(out, "</g>\n<g fill=\"%s\">\n", GREY);
    for (int i = 0; i < picture->edge_count; i++) {
        const draw_edge *edge = &picture->edges[i];
        if (edge->label[0] != '\0')
            write_text(out, edge->point[1].x + edge->bulge * 3 / 4 + 6,
                       (edge->point[1].y + edge->point[2].y) / 2, "", edge->label);
    }
    draw_text_print(out, "</g>\n");
}

// What a viewer shows where the pointer rests: "layer1.0.conv1: 64 x 56 x 56"
static void write_hint(draw_text *out, const rn_graph *graph, int index)
{
    const rn_node *node = rn_graph_node(graph, index);

    draw_text_print(out, "<title>");
    draw_text_xml(out, node->name);
    draw_text_print(out, ": %d x %d x %d</title>", node->channels, node->height, node->width);
}

static void write_box(draw_text *out, const draw_picture *picture, const draw_box *box)
{
    int left = box->centre.x - box->width / 2, top = box->centre.y - box->height / 2;

    draw_text_print(out, "<g>");
    if (box->node >= 0)
        write_hint(out, picture->networks[box->network].graph, box->node);
    if (box->shape == DRAW_SUM)
        draw_text_print(out,
                        "<circle cx=\"%d\" cy=\"%d\" r=\"%d\" fill=\"#ffffff\" stroke=\"%s\"/>",
                        box->centre.x, box->centre.y, box->width / 2, INK);
    else if (box->shape != DRAW_WORD)
        draw_text_print(out,
                        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" "
                        "fill=\"%s\" stroke=\"%s\"/>",
                        left, top, box->width, box->height, box->shape == DRAW_LAYER ? 3 : 10,
                        box->shape == DRAW_LAYER ? hues[box->hue].fill : "#ffffff",
                        hues[box->hue].stroke);
    write_text(out, box->centre.x, box->centre.y, "", box->label);
    draw_text_print(out, "</g>\n");
}

static void write_boxes(draw_text *out, const draw_picture *picture)
{
    draw_text_print(out, "<g text-anchor=\"middle\" fill=\"%s\">\n", INK);
    for (int i = 0; i < picture->box_count; i++)
        write_box(out, picture, &picture->boxes[i]);
    draw_text_print(out, "</g>\n");
}

static void write_titles(draw_text *out, const draw_picture *picture)
{
    draw_text_print(out, "<g text-anchor=\"middle\" fill=\"%s\">\n", GREY);
    for (int n = 0; n < picture->network_count; n++) {
        const draw_network *network = &picture->networks[n];
        for (int i = 0; i < network->titles; i++) {
            int y = DRAW_MARGIN + i * DRAW_LINE + DRAW_LINE / 2;
            write_text(out, network->centre, y,
                       i > 0 ? "" : " font-size=\"16\" font-weight=\"600\" fill=\"#1f2328\"",
                       network->title[i]);
        }
    }
    draw_text_print(out, "</g>\n");
}

static void write_repeats(draw_text *out, const draw_picture *picture)
{
    draw_text_print(out, "<g fill=\"none\" stroke=\"%s\">\n", GREY);
    for (int i = 0; i < picture->repeat_count; i++) {
        const draw_repeat *repeat = &picture->repeats[i];
        draw_text_print(out,
                        "<path d=\"M%d,%d h5 V%d h-5\"/>\n"
                        "<text x=\"%d\" y=\"%d\" fill=\"%s\" stroke=\"none\" "
                        "font-weight=\"600\">&#215; %d</text>\n",
                        repeat->x, repeat->top, repeat->bottom, repeat->x + 11,
                        (repeat->top + repeat->bottom) / 2 + 4, INK, repeat->times);
    }
    draw_text_print(out, "</g>\n");
}

static void write_legend(draw_text *out, const draw_picture *picture)
{
    draw_text_print(out, "<g fill=\"%s\">\n", GREY);
    for (int line = 0; line < DRAW_LINES; line++) {
        int y = picture->legend[line];
        if (y == 0)
            continue;
        draw_text_print(out,
                        "<path d=\"M%d,%d h28\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.2\" "
                        "marker-end=\"url(#head)\"%s/>\n",
                        DRAW_MARGIN, y, INK, dashes[line]);
        write_text(out, DRAW_MARGIN + DRAW_SAMPLE, y, "", draw_label_line((draw_line)line));
    }
    draw_text_print(out, "</g>\n");
}

rn_status rn_graph_draw_svg(char **out, const rn_graph *const *graphs, int count,
                            const rn_draw_options *options)
{
    rn_status st;
    draw_picture picture = {0};
    draw_text text = {0};

    *out = NULL;
    RN_TRY(draw_picture_init(&picture, graphs, count, options));
    write_head(&text, &picture);
    write_bands(&text, &picture);
    write_edges(&text, &picture);
    write_boxes(&text, &picture);
    write_titles(&text, &picture);
    write_repeats(&text, &picture);
    write_legend(&text, &picture);
    draw_text_print(&text, "</svg>\n");
    RN_TRY(text.status);
    *out = text.text;
    text.text = NULL; // now the caller's
out:
    rn_free(text.text);
    draw_picture_release(&picture);
    return st;
}
