// What is drawn of a network, checked as data.
#include "report/drawn.h"

static int count_lines(const draw_picture *picture, int network, draw_line line)
{
    int count = 0;

    for (int i = 0; i < picture->networks[network].edges; i++)
        count += picture->edges[picture->networks[network].first_edge + i].line == line;
    return count;
}

static const draw_box *box_labelled(const draw_picture *picture, int network, const char *label)
{
    for (int i = 0; i < picture->box_count; i++)
        if (picture->boxes[i].network == network && strcmp(picture->boxes[i].label, label) == 0)
            return &picture->boxes[i];
    fail_msg("no box '%s'", label);
    return NULL;
}

static int box_of_node(const draw_picture *picture, const char *name)
{
    for (int i = 0; i < picture->box_count; i++) {
        const rn_graph *graph = picture->networks[picture->boxes[i].network].graph;
        if (strcmp(rn_graph_node(graph, picture->boxes[i].node)->name, name) == 0)
            return i;
    }
    fail_msg("no box of node '%s'", name);
    return -1;
}

static const draw_edge *edge_between(const draw_picture *picture, const char *from, const char *to)
{
    int ends[2] = {box_of_node(picture, from), box_of_node(picture, to)};

    for (int i = 0; i < picture->edge_count; i++)
        if (picture->edges[i].from == ends[0] && picture->edges[i].to == ends[1])
            return &picture->edges[i];
    fail_msg("no edge from '%s' to '%s'", from, to);
    return NULL;
}

// Figure 3

static void figure_3_is_drawn_as_in_the_paper(void **state)
{
    drawn d = {.graphs = {vgg_network("vgg-19", VGG_19),
                          imagenet_network("plain-34", THIRTY_FOUR, PLAIN),
                          imagenet_network("resnet-34", THIRTY_FOUR, BASIC)}};
    const draw_picture *p = &d.picture;
    static const int sizes[] = {224, 112, 56, 28, 14, 7, 1};

    (void)state;
    draw(&d, false, false);
    assert_int_equal(p->band_count, 7);
    for (int i = 0; i < 7; i++)
        assert_int_equal(p->bands[i].height, sizes[i]);
    assert_int_equal(p->networks[0].boxes, 1 + 16 + 5 + 3);
    assert_int_equal(p->networks[1].boxes, 1 + 33 + 2 + 1);
    assert_int_equal(p->networks[2].boxes, 1 + 33 + 2 + 1); // projections are arrows
    assert_int_equal(count_lines(p, 0, DRAW_FLOW), p->networks[0].boxes - 1);
    assert_int_equal(count_lines(p, 1, DRAW_IDENTITY) + count_lines(p, 1, DRAW_CHANGES), 0);
    assert_int_equal(count_lines(p, 2, DRAW_IDENTITY), 13);
    assert_int_equal(count_lines(p, 2, DRAW_CHANGES), 3);
    assert_int_equal(p->repeat_count, 0);
    static const char *const labels[] = {
        "image",        "7x7 conv, 64, /2", "pool, /2",     "3x3 conv, 64", "3x3 conv, 64",
        "3x3 conv, 64", "3x3 conv, 64",     "3x3 conv, 64", "3x3 conv, 64", "3x3 conv, 128, /2"};
    for (int i = 0; i < 10; i++)
        assert_string_equal(p->boxes[p->networks[2].first_box + i].label, labels[i]);
    box_labelled(p, 0, "fc 4096");
    box_labelled(p, 2, "avg pool");
    release(&d);
}

static void equal_sizes_are_in_line_and_in_one_colour(void **state)
{
    drawn d = {.graphs = {vgg_network("vgg-19", VGG_19),
                          imagenet_network("plain-34", THIRTY_FOUR, PLAIN),
                          imagenet_network("resnet-34", THIRTY_FOUR, BASIC)}};
    const draw_picture *p = &d.picture;

    (void)state;
    draw(&d, false, false);
    int top = box_labelled(p, 0, "pool, /2")->centre.y; // the first: 112
    assert_int_equal(top, box_labelled(p, 1, "7x7 conv, 64, /2")->centre.y);
    assert_int_equal(top, box_labelled(p, 2, "7x7 conv, 64, /2")->centre.y);
    assert_int_equal(box_labelled(p, 1, "3x3 conv, 512, /2")->centre.y,
                     box_labelled(p, 2, "3x3 conv, 512, /2")->centre.y);
    assert_int_equal(box_labelled(p, 0, "fc 4096")->centre.y,
                     box_labelled(p, 2, "avg pool")->centre.y);
    const int hue = box_labelled(p, 2, "3x3 conv, 64")->hue; // stage 1, at 56
    assert_int_equal(hue, 1);
    assert_int_equal(box_labelled(p, 0, "3x3 conv, 256")->hue, hue);
    assert_int_equal(box_labelled(p, 0, "3x3 conv, 128")->hue,
                     box_labelled(p, 1, "7x7 conv, 64, /2")->hue);
    assert_int_equal(box_labelled(p, 2, "3x3 conv, 512")->hue, 4);
    for (int i = 0; i < 7; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(p->bands[i].hue, p->bands[k].hue);
    release(&d);
}

static void titles_give_the_size(void **state)
{
    drawn d = {.graphs = {vgg_network("vgg-19", VGG_19), named("resnet-20:shortcut=B")}};
    const draw_network *n = NULL;

    (void)state;
    draw(&d, false, false);
    n = d.picture.networks;
    assert_string_equal(n[0].title[0], "vgg-19");
    assert_string_equal(n[0].title[1], "144 M parameters"); // 143,667,240
    assert_string_equal(n[0].title[2], "19.6 G multiply-adds");
    assert_int_equal(n[1].titles, 4);
    assert_string_equal(n[1].title[1], "shortcut=B");
    assert_string_equal(n[1].title[2], "272 k parameters"); // 272,474
    release(&d);
    rn_builder b;
    begin_network(&b, "rounds up", 1);
    rn_build_linear(&b, rn_build_input(&b, 1000, 1, 1), 999, "fc");
    drawn rounds = {.graphs = {end_network(&b)}};
    draw(&rounds, false, false);
    assert_string_equal(rounds.picture.networks[0].title[1], "1000 k parameters"); // 999,999
    assert_string_equal(rounds.picture.networks[0].title[2], "999 k multiply-adds");
    release(&rounds);
}

// Deep networks

static void like_units_of_deep_networks_are_drawn_once(void **state)
{
    drawn d = {.graphs = {named("resnet-110"), named("plain-110"), named("resnet-56")}};
    const draw_picture *p = &d.picture;
    static const int times[] = {18, 17, 17, 18, 17, 17};

    (void)state;
    draw(&d, false, false);
    assert_int_equal(p->repeat_count, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(p->repeats[i].times, times[i]);
        assert_int_equal(p->repeats[i].last - p->repeats[i].first, 1);
        assert_int_equal(p->repeats[i].top, p->boxes[p->repeats[i].first].centre.y - DRAW_ROW / 2);
    }
    assert_int_equal(p->networks[0].boxes, 1 + 1 + 2 * 5 + 2);
    assert_int_equal(count_lines(p, 0, DRAW_IDENTITY), 3);
    assert_int_equal(count_lines(p, 0, DRAW_CHANGES), 2);
    assert_int_equal(p->networks[2].boxes, 1 + 55 + 2);
    assert_true(p->legend[DRAW_IDENTITY] > 0 && p->legend[DRAW_CHANGES] > p->legend[DRAW_IDENTITY]);
    assert_int_equal(p->legend[DRAW_OTHER], 0);
    draw_picture_release(&d.picture);
    draw(&d, false, true);
    assert_int_equal(p->repeat_count, 0);
    assert_int_equal(p->networks[0].boxes, 1 + 109 + 2);
    assert_int_equal(count_lines(p, 0, DRAW_IDENTITY), 52);
    release(&d);
}

static void runs_of_like_units_are_found(void **state)
{
    rn_graph *cifar = named("resnet-110"), *preact = preact_network("preact-20", 3);
    rn_unit_run run;

    (void)state;
    assert_false(rn_graph_unit_run(&run, cifar, 0)); // the input
    assert_int_equal(run.nodes * run.times, 1);
    assert_true(rn_graph_unit_run(&run, cifar, 4)); // conv1, bn1, relu
    assert_int_equal(run.nodes, 7);
    assert_int_equal(run.times, 18);
    assert_int_equal(run.stage, 1);
    assert_int_equal(run.unit, 0);
    assert_true(rn_graph_unit_run(&run, cifar, 4 + 18 * 7));
    assert_int_equal(run.times, 1); // its shape changes
    assert_int_equal(run.stage, 2);
    assert_false(rn_graph_unit_run(&run, cifar, 5)); // within a unit
    assert_true(rn_graph_unit_run(&run, preact, 2));
    assert_int_equal(run.times, 3); // although their rates differ
    assert_int_equal(run.nodes, 9);
    rn_graph_free(cifar);
    rn_graph_free(preact);
}

static void projections_in_the_first_stage_are_seen(void **state)
{
    drawn d = {.graphs = {imagenet_network("resnet-152", DEEP, BOTTLENECK)}};
    static const int times[] = {2, 7, 35, 2};

    (void)state;
    draw(&d, false, false);
    assert_int_equal(d.picture.repeat_count, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(d.picture.repeats[i].times, times[i]);
    assert_int_equal(count_lines(&d.picture, 0, DRAW_CHANGES), 4); // 64 -> 256 channels too
    assert_string_equal(d.picture.boxes[3].label, "1x1 conv, 64");
    assert_string_equal(d.picture.boxes[4].label, "3x3 conv, 64");
    assert_string_equal(d.picture.boxes[5].label, "1x1 conv, 256");
    release(&d);
}

// Every node

static void detail_shows_every_node_and_connection(void **state)
{
    drawn d = {.graphs = {preact_network("preact-20", 3)}};
    const draw_picture *p = &d.picture;
    int inputs = 0;

    (void)state;
    draw(&d, true, true);
    assert_int_equal(p->box_count, rn_graph_nodes(d.graphs[0]) - 1); // not the loss
    for (int i = 0; i < rn_graph_nodes(d.graphs[0]) - 1; i++)
        for (int k = 0; k < 2; k++)
            inputs += rn_graph_node(d.graphs[0], i)->inputs[k] >= 0;
    assert_int_equal(p->edge_count, inputs);
    const char *order[] = {"add",   "bn1",     "relu1", "conv1", "bn2",
                           "relu2", "dropout", "conv2", "drop",  "add"};
    for (int i = 1; i < 10; i++) {
        char from[32], to[32];
        snprintf(from, sizeof from, "layer1.%d.%s", i == 1 ? 0 : 1, order[i - 1]);
        snprintf(to, sizeof to, "layer1.1.%s", order[i]);
        assert_int_equal(edge_between(p, from, to)->line, DRAW_FLOW);
    }
    assert_int_equal(edge_between(p, "layer1.0.add", "layer1.1.add")->line, DRAW_IDENTITY);
    assert_int_equal(edge_between(p, "layer2.0.relu1", "layer2.0.downsample.0")->line,
                     DRAW_CHANGES);
    box_labelled(p, 0, "drop branch 0.2");
    box_labelled(p, 0, "dropout 0.3");
    assert_int_equal(p->boxes[box_of_node(p, "layer2.0.downsample.0")].lane, 1);
    release(&d);
}

static void gates_take_their_place_beside_the_unit(void **state)
{
    drawn d = {.graphs = {studied_network("exclusive", EXCLUSIVE_GATE)}};
    const draw_picture *p = &d.picture;

    (void)state;
    draw(&d, true, false);
    const draw_box *gate = &p->boxes[box_of_node(p, "layer1.0.gate")];
    const draw_box *inner = &p->boxes[box_of_node(p, "layer1.0.gated")];
    const draw_box *outer = &p->boxes[box_of_node(p, "layer1.0.gated_path")];
    assert_int_equal(inner->lane, 0);
    assert_int_equal(gate->lane, 1);
    assert_int_equal(outer->lane, 2);
    assert_int_equal(inner->row, outer->row);
    assert_int_equal(gate->row, inner->row - 1);
    assert_true(edge_between(p, "layer1.0.gate", "layer1.0.gated")->second);
    assert_true(edge_between(p, "layer1.0.gate", "layer1.0.gated_path")->second);
    assert_false(edge_between(p, "conv1", "layer1.0.gated_path")->second);
    assert_string_equal(inner->label, "x sigmoid");
    assert_string_equal(outer->label, "x (1 - sigmoid)");
    release(&d);
}

static void shortcuts_without_identity_say_what_they_do(void **state)
{
    static const char *const labels[SHORTCUT_KINDS] = {
        [CONSTANT_SCALING] = "x 0.5", [EXCLUSIVE_GATE] = "gate",          [SHORTCUT_GATE] = "gate",
        [CONV_SHORTCUT] = "1x1 conv", [DROPOUT_SHORTCUT] = "dropout 0.5",
    };

    (void)state;
    for (int kind = 0; kind < SHORTCUT_KINDS; kind++) {
        drawn d = {.graphs = {studied_network("studied", (shortcut_kind)kind)}};
        draw(&d, false, false);
        assert_int_equal(d.picture.box_count, 1 + 5 + 1); // image, layers, output
        assert_string_equal(d.picture.boxes[6].label, "output");
        assert_int_equal(count_lines(&d.picture, 0, DRAW_OTHER), 2);
        for (int i = 0; i < d.picture.edge_count; i++)
            if (d.picture.edges[i].line == DRAW_OTHER)
                assert_string_equal(d.picture.edges[i].label, labels[kind]);
        release(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figure_3_is_drawn_as_in_the_paper),
        cmocka_unit_test(equal_sizes_are_in_line_and_in_one_colour),
        cmocka_unit_test(titles_give_the_size),
        cmocka_unit_test(like_units_of_deep_networks_are_drawn_once),
        cmocka_unit_test(runs_of_like_units_are_found),
        cmocka_unit_test(projections_in_the_first_stage_are_seen),
        cmocka_unit_test(detail_shows_every_node_and_connection),
        cmocka_unit_test(gates_take_their_place_beside_the_unit),
        cmocka_unit_test(shortcuts_without_identity_say_what_they_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
