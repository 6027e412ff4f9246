// The ways of edges around boxes. All x are relative to the network's main line.
#include "report/draw.h"

enum {
    LEAVES_ABOVE = 9, // a shortcut leaves the arrow so far above the next box
    JOINS_BELOW = 5,  // and joins it so far below the last one
    SIDE = 18         // of a way past the boxes of a lane
};

static int top(const draw_box *box)
{
    return box->centre.y - box->height / 2;
}

static int bottom(const draw_box *box)
{
    return box->centre.y + box->height / 2;
}

static int right(const draw_box *box)
{
    return box->centre.x + box->width / 2;
}

static void add_point(draw_edge *edge, int x, int y)
{
    edge->point[edge->points++] = (draw_point){x, y};
}

// Beside the boxes from the arrow above the first to that below the last.
static void route_past_layers(const draw_picture *picture, draw_edge *edge, int side)
{
    const draw_box *first = &picture->boxes[edge->from + 1], *last = &picture->boxes[edge->joins];
    int from = top(first) - LEAVES_ABOVE, to = bottom(last) + JOINS_BELOW;
    int bulge = 26 + (to - from) / 8;

    edge->bulge = bulge < 64 ? bulge : 64;
    add_point(edge, 0, from);
    add_point(edge, side, from);
    add_point(edge, side, to);
    add_point(edge, 1, to);
}

// Into the side of a sum or gate, at its height: from its left if the other end is there.
static void route_into_side(const draw_picture *picture, draw_edge *edge, int leaves, int side)
{
    const draw_box *from = &picture->boxes[edge->from], *to = &picture->boxes[edge->to];
    int x = from->lane < to->lane ? to->centre.x - to->width / 2 : right(to);

    if (from->lane == to->lane) {
        add_point(edge, from->centre.x, leaves);
        add_point(edge, side, leaves);
        add_point(edge, side, to->centre.y);
    } else {
        add_point(edge, from->centre.x, bottom(from));
        add_point(edge, from->centre.x, to->centre.y);
    }
    add_point(edge, x, to->centre.y);
}

static void route_down(const draw_picture *picture, draw_edge *edge, int leaves)
{
    const draw_box *from = &picture->boxes[edge->from], *to = &picture->boxes[edge->to];

    if (from->lane == to->lane) {
        add_point(edge, from->centre.x, bottom(from));
    } else {
        add_point(edge, from->centre.x, leaves);
        add_point(edge, to->centre.x, leaves);
    }
    add_point(edge, to->centre.x, top(to));
}

// The right edge of a lane's boxes, anywhere in the network.
static int lane_right(const draw_picture *picture, const draw_network *network, int lane)
{
    int most = 0;

    for (int i = 0; i < network->boxes; i++) {
        const draw_box *box = &picture->boxes[network->first_box + i];
        if (box->lane == lane && right(box) > most)
            most = right(box);
    }
    return most;
}

// Where a branch leaves the line below a box: above whatever comes next.
static int fork_of(const draw_picture *picture, const draw_network *network, int from)
{
    const draw_box *box = &picture->boxes[from], *next = box;
    const draw_box *end = picture->boxes + network->first_box + network->boxes;
    int middle = bottom(box) + DRAW_GAP + DRAW_ROW / 2;

    if (box->lane > 0 || box + 1 == end)
        return middle - DRAW_ROW / 2 - LEAVES_ABOVE;
    do
        next++;
    while (next + 1 < end && next->lane > 0);
    middle = next->centre.y;
    for (; next > box; next--)
        if (next->centre.y > box->centre.y && next->centre.y < middle)
            middle = next->centre.y;
    return middle - DRAW_ROW / 2 - LEAVES_ABOVE;
}

static void route_edges(draw_picture *picture, const draw_network *network)
{
    int side[3];

    for (int lane = 0; lane < 3; lane++)
        side[lane] = lane_right(picture, network, lane);
    for (int i = 0; i < network->edges; i++) {
        draw_edge *edge = &picture->edges[network->first_edge + i];
        int lane = picture->boxes[edge->from].lane;
        int fork = fork_of(picture, network, edge->from);
        if (edge->joins >= 0)
            route_past_layers(picture, edge, side[0]);
        else if (edge->second)
            route_into_side(picture, edge, fork, side[lane] + SIDE);
        else
            route_down(picture, edge, fork);
    }
}

int draw_edge_right(const draw_edge *edge)
{
    int most = edge->point[0].x;

    for (int i = 1; i < edge->points; i++)
        if (edge->point[i].x > most)
            most = edge->point[i].x;
    most += edge->bulge * 3 / 4; // of a cubic whose inner points are both so far out
    if (edge->label[0] != '\0')
        most += 6 + draw_text_width(edge->label, DRAW_FONT);
    return most;
}

static void place_repeats(draw_picture *picture, const draw_network *network)
{
    int most = 0;

    for (int i = 0; i < network->edges; i++) {
        int reach = draw_edge_right(&picture->edges[network->first_edge + i]);
        most = reach > most ? reach : most;
    }
    for (int lane = 0; lane < 3; lane++) {
        int reach = lane_right(picture, network, lane);
        most = reach > most ? reach : most;
    }
    for (int i = 0; i < picture->repeat_count; i++) {
        draw_repeat *repeat = &picture->repeats[i];
        if (repeat->first < network->first_box ||
            repeat->first >= network->first_box + network->boxes)
            continue;
        repeat->x = most + 8;
        repeat->top = top(&picture->boxes[repeat->first]);
        repeat->bottom = bottom(&picture->boxes[repeat->last]);
    }
}

void draw_route(draw_picture *picture, const draw_network *network)
{
    route_edges(picture, network);
    place_repeats(picture, network);
}
