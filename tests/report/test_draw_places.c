// Where things are drawn: nothing lies upon anything else, in any picture.
#include "report/drawn.h"

static int left(const draw_box *box)
{
    return box->centre.x - box->width / 2;
}

static int top(const draw_box *box)
{
    return box->centre.y - box->height / 2;
}

static void boxes_are_apart(const draw_picture *p)
{
    for (int i = 0; i < p->box_count; i++) {
        const draw_box *a = &p->boxes[i];
        assert_true(left(a) >= 0 && left(a) + a->width <= p->width);
        assert_true(top(a) >= 0 && top(a) + a->height <= p->height);
        assert_true(draw_text_width(a->label, DRAW_FONT) <= a->width);
        for (int k = 0; k < i; k++) {
            const draw_box *b = &p->boxes[k];
            bool apart = left(a) >= left(b) + b->width + 8 || left(b) >= left(a) + a->width + 8 ||
                         top(a) >= top(b) + b->height + 8 || top(b) >= top(a) + a->height + 8;
            if (!apart)
                fail_msg("'%s' and '%s' are not apart", a->label, b->label);
        }
    }
}

static void outside_of_boxes(const draw_picture *p, double x, double y)
{
    assert_true(x >= 0 && x <= p->width && y >= 0 && y <= p->height);
    for (int i = 0; i < p->box_count; i++) {
        const draw_box *box = &p->boxes[i];
        if (x > left(box) && x < left(box) + box->width && y > top(box) &&
            y < top(box) + box->height)
            fail_msg("a line crosses '%s' at %g, %g", box->label, x, y);
    }
}

// The middle part of a shortcut beside the boxes is a cubic.
static double cubic(const draw_edge *edge, int point, bool is_x, double t)
{
    double a = is_x ? edge->point[point].x : edge->point[point].y;
    double b = is_x ? edge->point[point + 1].x : edge->point[point + 1].y;
    double bulge = is_x ? edge->bulge : 0, s = 1 - t;

    return s * s * s * a + 3 * s * s * t * (a + bulge) + 3 * s * t * t * (b + bulge) +
           t * t * t * b;
}

static void edges_keep_off_boxes(const draw_picture *p)
{
    for (int i = 0; i < p->edge_count; i++) {
        const draw_edge *edge = &p->edges[i];
        assert_true(edge->points >= 2);
        assert_true(draw_edge_right(edge) <= p->networks[p->boxes[edge->from].network].right);
        for (int k = 0; k + 1 < edge->points; k++)
            for (int step = 0; step <= 64; step++) {
                draw_point a = edge->point[k], b = edge->point[k + 1];
                double t = step / 64.0;
                bool curved = edge->bulge != 0 && k == 1;
                outside_of_boxes(p, curved ? cubic(edge, k, true, t) : a.x + t * (b.x - a.x),
                                 curved ? cubic(edge, k, false, t) : a.y + t * (b.y - a.y));
            }
    }
}

static void arrows_end_at_their_boxes(const draw_picture *p)
{
    for (int i = 0; i < p->edge_count; i++) {
        const draw_edge *edge = &p->edges[i];
        const draw_box *to = &p->boxes[edge->to];
        draw_point end = edge->point[edge->points - 1];
        if (edge->joins >= 0)
            assert_true(end.y > p->boxes[edge->joins].centre.y && end.y < top(to));
        else if (edge->second)
            assert_true(end.y == to->centre.y &&
                        (end.x == left(to) || end.x == left(to) + to->width));
        else
            assert_true(end.y == top(to) && end.x == to->centre.x);
    }
}

static void networks_are_side_by_side(const draw_picture *p)
{
    for (int n = 0; n < p->network_count; n++) {
        const draw_network *network = &p->networks[n];
        assert_true(network->left >= (n == 0 ? 0 : p->networks[n - 1].right + 8));
        assert_true(network->right <= p->width);
        for (int i = 0; i < network->titles; i++) {
            int half = draw_text_width(network->title[i], i == 0 ? DRAW_TITLE_FONT : DRAW_FONT) / 2;
            assert_true(network->centre - half >= network->left);
            assert_true(network->centre + half <= network->right);
        }
    }
    for (int line = 0; line < DRAW_LINES; line++) {
        if (p->legend[line] == 0)
            continue;
        int width = DRAW_SAMPLE + draw_text_width(draw_label_line((draw_line)line), DRAW_FONT);
        assert_true(p->width >= 2 * DRAW_MARGIN + width);
        assert_true(p->legend[line] > p->bands[p->band_count - 1].bottom);
        assert_true(p->legend[line] + DRAW_LINE / 2 <= p->height);
    }
    for (int i = 1; i < p->band_count; i++)
        assert_true(p->bands[i].top > p->bands[i - 1].bottom);
}

static void check_places(drawn d, bool detail)
{
    draw(&d, detail, false);
    boxes_are_apart(&d.picture);
    edges_keep_off_boxes(&d.picture);
    arrows_end_at_their_boxes(&d.picture);
    networks_are_side_by_side(&d.picture);
    release(&d);
}

static void nothing_lies_upon_anything_else(void **state)
{
    (void)state;
    for (int detail = 0; detail < 2; detail++) {
        check_places((drawn){.graphs = {vgg_network("vgg-19", VGG_19),
                                        imagenet_network("resnet-34", THIRTY_FOUR, BASIC)}},
                     detail);
        check_places((drawn){.graphs = {imagenet_network("resnet-152", DEEP, BOTTLENECK),
                                        named("resnet-110"), named("resnet-8:shortcut=C")}},
                     detail);
        check_places((drawn){.graphs = {preact_network("preact-20", 3), named("plain-20")}},
                     detail);
        drawn study = {0};
        for (int kind = 0; kind < SHORTCUT_KINDS; kind++)
            study.graphs[kind] =
                studied_network("resnet-20:path=any;a-rather-long-option=0.123456789;another=-6",
                                (shortcut_kind)kind);
        check_places(study, detail);
    }
}

// Graphs that no network is

// Both branches without layers; a side branch longer than the main one; a sum of a node with
// itself.
static rn_graph *odd_network(void)
{
    rn_builder b;

    begin_network(&b, "", 6);
    int x = rn_build_input(&b, 4, 6, 9);
    int y = rn_build_relu(&b, x, "a");
    y = rn_build_scale(&b, y, -0.125f, "b");
    for (int i = 0; i < 4; i++)
        y = rn_build_dropout(&b, y, 0.25f, "c%d", i);
    x = rn_build_add(&b, x, y, "d");
    x = rn_build_add(&b, x, x, "e");
    x = rn_build_conv(&b, x, (rn_conv_shape){4, 1, 1, 1, false}, "enlarges");
    y = rn_build_conv(&b, x, (rn_conv_shape){4, 3, 1, 0, false}, "back");
    rn_build_conv(&b, y, (rn_conv_shape){4, 3, 1, 0, false}, "nowhere");
    rn_build_average_pool(&b, y, "end");
    return end_network(&b);
}

static void odd_graphs_are_drawn_too(void **state)
{
    rn_builder b;

    (void)state;
    for (int detail = 0; detail < 2; detail++) {
        check_places((drawn){.graphs = {odd_network()}}, detail);
        begin_network(&b, "input-only", 5);
        rn_build_input(&b, 1, 5, 5);
        check_places((drawn){.graphs = {end_network(&b)}}, detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lies_upon_anything_else),
        cmocka_unit_test(odd_graphs_are_drawn_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
