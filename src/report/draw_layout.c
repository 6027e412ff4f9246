// Where everything is: columns for networks, bands of rows for output sizes.
#include "report/draw.h"

#include "base/memory.h"

#include <stdio.h>

enum {
    COLUMN_GAP = 44,
    LABEL_GAP = 20, // between the output sizes and the first network
    LANE_GAP = 36,  // room for shortcuts without boxes
    PADDING = 18,   // of a text in its box, both sides together
    NARROWEST = 96, // layer
    SUM_SIZE = 18,
    BRACKET_ROOM = 12, // for a repeat's bracket, before its number
    LEGEND_GAP = 20
};

static int larger(int a, int b)
{
    return a > b ? a : b;
}

// Layers of a lane are equally wide, so are its other steps.
static int shape_width(const draw_picture *picture, const draw_network *network, int lane,
                       draw_shape shape)
{
    int width = shape == DRAW_LAYER && lane == 0 ? NARROWEST : 0;

    for (int i = 0; i < network->boxes; i++) {
        const draw_box *box = &picture->boxes[network->first_box + i];
        if (box->lane == lane && box->shape == shape)
            width = larger(width, draw_text_width(box->label, DRAW_FONT) + PADDING);
    }
    return width + width % 2;
}

static void size_boxes(draw_picture *picture, const draw_network *network)
{
    int width[3][DRAW_SUM + 1];
    int lane_width[3], x[3] = {0, 0, 0};

    for (int lane = 0; lane < 3; lane++) {
        for (int shape = 0; shape < DRAW_SUM; shape++)
            width[lane][shape] = shape_width(picture, network, lane, (draw_shape)shape);
        width[lane][DRAW_SUM] = SUM_SIZE;
        lane_width[lane] = larger(width[lane][DRAW_LAYER], width[lane][DRAW_STEP]);
        if (lane > 0)
            x[lane] = x[lane - 1] + (lane_width[lane - 1] + lane_width[lane]) / 2 + LANE_GAP;
    }
    for (int i = 0; i < network->boxes; i++) {
        draw_box *box = &picture->boxes[network->first_box + i];
        box->width = width[box->lane][box->shape];
        box->height = box->shape == DRAW_SUM ? SUM_SIZE : DRAW_ROW;
        box->centre.x = x[box->lane];
    }
}

static int repeat_right(const draw_repeat *repeat)
{
    char number[32];

    snprintf(number, sizeof number, "x %d", repeat->times);
    return repeat->x + BRACKET_ROOM + draw_text_width(number, DRAW_FONT);
}

// How far a network reaches from its main line.
static void measure_network(const draw_picture *picture, draw_network *network)
{
    int half = 0;

    for (int i = 0; i < network->titles; i++)
        half = larger(half,
                      draw_text_width(network->title[i], i == 0 ? DRAW_TITLE_FONT : DRAW_FONT) / 2);
    for (int i = 0; i < network->boxes; i++) {
        const draw_box *box = &picture->boxes[network->first_box + i];
        network->right = larger(network->right, box->centre.x + box->width / 2);
        if (box->lane == 0)
            half = larger(half, box->width / 2);
    }
    network->left = -half;
    network->right = larger(network->right, half);
    for (int i = 0; i < network->edges; i++)
        network->right =
            larger(network->right, draw_edge_right(&picture->edges[network->first_edge + i]));
    for (int i = 0; i < picture->repeat_count; i++)
        if (picture->boxes[picture->repeats[i].first].network ==
            picture->boxes[network->first_box].network)
            network->right = larger(network->right, repeat_right(&picture->repeats[i]));
}

static void move_network(draw_picture *picture, draw_network *network, int x)
{
    network->centre += x;
    network->left += x;
    network->right += x;
    for (int i = 0; i < network->boxes; i++)
        picture->boxes[network->first_box + i].centre.x += x;
    for (int i = 0; i < network->edges; i++) {
        draw_edge *edge = &picture->edges[network->first_edge + i];
        for (int k = 0; k < edge->points; k++)
            edge->point[k].x += x;
    }
    for (int i = 0; i < picture->repeat_count; i++)
        if (picture->boxes[picture->repeats[i].first].network ==
            picture->boxes[network->first_box].network)
            picture->repeats[i].x += x;
}

static void place_columns(draw_picture *picture)
{
    int x = DRAW_MARGIN;
    char label[DRAW_LABEL];

    for (int i = 0; i < picture->band_count; i++) {
        draw_label_size(label, &picture->bands[i]);
        x = larger(x, DRAW_MARGIN + draw_text_width(label, DRAW_FONT) + LABEL_GAP);
    }
    for (int n = 0; n < picture->network_count; n++) {
        draw_network *network = &picture->networks[n];
        draw_route(picture, network);
        measure_network(picture, network);
        move_network(picture, network, x - network->left);
        x = network->right + COLUMN_GAP;
    }
    picture->width = x - COLUMN_GAP + DRAW_MARGIN;
}

static int header_lines(const draw_picture *picture)
{
    int lines = 0;

    for (int n = 0; n < picture->network_count; n++)
        lines = larger(lines, picture->networks[n].titles);
    return lines;
}

// An end mark may stand below the last band.
static int lowest(const draw_picture *picture)
{
    int bottom = 0;

    for (int i = 0; i < picture->box_count; i++)
        bottom = larger(bottom, picture->boxes[i].centre.y + DRAW_ROW / 2);
    return bottom;
}

// One line for each kind of shortcut, if there are others than identities.
static void place_legend(draw_picture *picture)
{
    bool used[DRAW_LINES] = {false};
    int bottom = lowest(picture);

    for (int i = 0; i < picture->edge_count; i++)
        used[picture->edges[i].line] = true;
    for (int line = 0; line < DRAW_LINES && (used[DRAW_CHANGES] || used[DRAW_OTHER]); line++) {
        const char *meaning = draw_label_line((draw_line)line);
        if (!used[line] || meaning == NULL)
            continue;
        bottom += bottom == lowest(picture) ? LEGEND_GAP + DRAW_LINE : DRAW_LINE;
        picture->legend[line] = bottom - DRAW_LINE / 2;
        picture->width = larger(picture->width, 2 * DRAW_MARGIN + DRAW_SAMPLE +
                                                    draw_text_width(meaning, DRAW_FONT));
    }
    picture->height = bottom + DRAW_MARGIN;
}

rn_status draw_picture_init(draw_picture *picture, const rn_graph *const *graphs, int count,
                            const rn_draw_options *options)
{
    rn_status st;

    if (count < 1 || count > RN_DRAW_MOST)
        return rn_error(RN_EINVAL, "a picture of %d networks, expected 1 to %d", count,
                        RN_DRAW_MOST);
    if (options != NULL)
        picture->options = *options;
    RN_TRY(RN_NEW(&picture->networks, (size_t)count));
    for (picture->network_count = 0; picture->network_count < count; picture->network_count++) {
        draw_network *network = &picture->networks[picture->network_count];
        network->graph = graphs[picture->network_count];
        draw_label_titles(network);
        RN_TRY(draw_items_add(picture, picture->network_count));
        size_boxes(picture, network);
    }
    RN_TRY(
        draw_bands_init(picture, DRAW_MARGIN + header_lines(picture) * DRAW_LINE + DRAW_LINE / 2));
    place_columns(picture);
    place_legend(picture);
out:
    return st;
}

void draw_picture_release(draw_picture *picture)
{
    rn_free(picture->networks);
    rn_free(picture->boxes);
    rn_free(picture->edges);
    rn_free(picture->repeats);
    rn_free(picture->bands);
}
