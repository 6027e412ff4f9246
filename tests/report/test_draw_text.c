// The pictures as text: SVG and DOT.
#include "report/draw.h"
#include "report/draw_networks.h"
#include "report/draw_text.h"
#include "resnet/store.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef rn_status (*draw_function)(char **, const rn_graph *const *, int, const rn_draw_options *);

static int count(const char *text, const char *part)
{
    int found = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        found++;
    return found;
}

static char *draw_one(draw_function draw, rn_graph *graph, bool detail)
{
    const rn_graph *graphs[1] = {graph};
    rn_draw_options options = {.detail = detail};
    char *text = NULL;

    assert_int_equal(draw(&text, graphs, 1, &options), RN_OK);
    return text;
}

static rn_graph *named(const char *model)
{
    rn_graph *graph;

    assert_int_equal(rn_graph_create(&graph, model, NULL), RN_OK);
    return graph;
}

static void svg_holds_every_box_and_arrow(void **state)
{
    rn_graph *graph = named("resnet-20");
    char *svg = draw_one(rn_graph_draw_svg, graph, false);

    (void)state;
    assert_int_equal(strncmp(svg, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg ", 44), 0);
    assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
    assert_int_equal(count(svg, "rx=\"3\""), 19 + 2); // convolutions, pool, linear
    assert_int_equal(count(svg, ">3x3 conv, 16</text>"), 7);
    assert_int_equal(count(svg, ">3x3 conv, 32, /2</text>"), 1);
    assert_int_equal(count(svg, " C"), 9);                                  // curves: shortcuts
    assert_int_equal(count(svg, "stroke-dasharray=\"1.5 3\"/>\n<"), 2 + 1); // and the legend
    assert_int_equal(count(svg, ">output size: "), 4);
    assert_int_equal(count(svg, "viewBox=\"0 0 "), 1);
    assert_non_null(strstr(svg, "fill=\"#ffffff\"/>\n")); // the background
    assert_int_equal(count(svg, "<script") + count(svg, "href"), 0);
    assert_int_equal(count(svg, "<circle"), 0);
    rn_text_free(svg);
    svg = draw_one(rn_graph_draw_svg, graph, true);
    assert_int_equal(count(svg, "<circle"), 9);
    assert_int_equal(count(svg, ">batch norm</text>"), 19);
    assert_int_equal(count(svg, ">relu</text>"), 19);
    assert_int_equal(count(svg, "<title>layer2.0.conv1: 32 x 16 x 16</title>"), 1);
    rn_text_free(svg);
    rn_graph_free(graph);
}

static void the_same_graph_gives_the_same_bytes(void **state)
{
    static const draw_function draws[] = {rn_graph_draw_svg, rn_graph_draw_dot};

    (void)state;
    for (int i = 0; i < 4; i++) {
        rn_graph *graphs[2] = {preact_network("preact-20", 3), preact_network("preact-20", 3)};
        char *first = draw_one(draws[i / 2], graphs[0], i % 2);
        char *second = draw_one(draws[i / 2], graphs[1], i % 2);
        assert_string_equal(first, second);
        rn_text_free(first);
        rn_text_free(second);
        rn_graph_free(graphs[0]);
        rn_graph_free(graphs[1]);
    }
}

static void names_are_text_and_not_markup(void **state)
{
    rn_graph *graph = studied_network("<b>&\"'\\\n\xff</b>", CONV_SHORTCUT);
    (void)state;
    strcpy(graph->nodes[1].name, "a\"b<c>\\");
    char *svg = draw_one(rn_graph_draw_svg, graph, false);
    char *dot = draw_one(rn_graph_draw_dot, graph, false);

    assert_non_null(strstr(svg, ">&lt;b&gt;&amp;&quot;&#39;\\?"
                                "?&lt;/b&gt;</text>"));
    assert_non_null(strstr(svg, "<title>a&quot;b&lt;c&gt;\\: 16 x 16 x 16</title>"));
    assert_null(strstr(svg, "<b>"));
    assert_non_null(strstr(dot, "digraph \"<b>&\\\"'\\\\?"
                                "?</b>\" {\n"));
    assert_non_null(strstr(dot, "tooltip=\"a\\\"b<c>\\\\\""));
    rn_text_free(svg);
    rn_text_free(dot);
    rn_graph_free(graph);
}

static void dot_has_clusters_and_ranks(void **state)
{
    rn_graph *graph = named("resnet-110");
    char *dot = draw_one(rn_graph_draw_dot, graph, false);

    (void)state;
    assert_int_equal(count(dot, "subgraph cluster_0 {"), 1);
    assert_int_equal(count(dot, "subgraph cluster_repeat_"), 3);
    assert_int_equal(count(dot, "label=\"x 17\""), 2);
    assert_int_equal(count(dot, "{ rank=same; size"), 4);
    assert_int_equal(count(dot, "style=dotted"), 2);
    assert_int_equal(count(dot, "style=solid"), 3);
    assert_int_equal(count(dot, "{"), count(dot, "}"));
    assert_int_equal(count(dot, "label=\"3x3 conv, 64\""), 3);
    rn_text_free(dot);
    rn_graph_free(graph);
}

static void a_picture_has_1_to_32_networks(void **state)
{
    rn_graph *graph = named("resnet-8");
    const rn_graph *graphs[RN_DRAW_MOST + 1];
    char *text = (char *)"unset";

    (void)state;
    for (int i = 0; i <= RN_DRAW_MOST; i++)
        graphs[i] = graph;
    assert_int_equal(rn_graph_draw_svg(&text, graphs, 0, NULL), RN_EINVAL);
    assert_null(text);
    assert_int_equal(rn_graph_draw_dot(&text, graphs, RN_DRAW_MOST + 1, NULL), RN_EINVAL);
    assert_null(text);
    assert_non_null(strstr(rn_error_message(), "33 networks"));
    assert_int_equal(rn_graph_draw_svg(&text, graphs, RN_DRAW_MOST, NULL), RN_OK);
    assert_int_equal(count(text, ">resnet-8</text>"), RN_DRAW_MOST);
    rn_text_free(text);
    rn_graph_free(graph);
}

static void a_text_is_written_whole(void **state)
{
    char path[] = "/tmp/resnet-draw-XXXXXX", read[16] = {0};
    int descriptor = mkstemp(path);

    (void)state;
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(rn_text_write(path, "<svg/>\n"), RN_OK);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(read, sizeof read, file));
    fclose(file);
    assert_string_equal(read, "<svg/>\n");
    unlink(path);
    assert_int_equal(rn_text_write("/nowhere/a.svg", "x"), RN_ENOTFOUND);
    assert_non_null(strstr(rn_error_message(), "/nowhere/a.svg"));
}

static bool fail_at(size_t bytes, void *context)
{
    int *left = context;

    (void)bytes;
    return (*left)-- != 0;
}

static void failed_allocations_leave_nothing(void **state)
{
    static const draw_function draws[] = {rn_graph_draw_svg, rn_graph_draw_dot};
    rn_graph *graph = named("resnet-110"); // has repeats
    const rn_graph *graphs[1] = {graph};

    (void)state;
    for (int i = 0; i < 2; i++) {
        rn_status st = RN_ENOMEM;
        for (int k = 0; st != RN_OK && k < 200; k++) {
            int left = k;
            char *text = NULL;
            rn_alloc_hook_set(fail_at, &left);
            st = draws[i](&text, graphs, 1, NULL);
            rn_alloc_hook_set(NULL, NULL);
            assert_true(st == RN_OK || (st == RN_ENOMEM && text == NULL));
            rn_text_free(text);
        }
        assert_int_equal(st, RN_OK);
    }
    rn_graph_free(graph);
}

static void json_is_escaped(void **state)
{
    (void)state;
    draw_text text = {0};

    draw_text_json(&text, "a\"b\\c\n<script>\x7f\xc3\xa9\xff");
    draw_text_print(&text, " ");
    draw_text_number(&text, 1.0 / 3, 6);
    draw_text_print(&text, " ");
    draw_text_number(&text, -INFINITY, 6);
    assert_int_equal(text.status, RN_OK);
    assert_string_equal(text.text,
                        "\"a\\\"b\\\\c\\u000a\\u003cscript>\\u007f\xc3\xa9\\ufffd\" 0.333333 null");
    rn_free(text.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_escaped),
        cmocka_unit_test(svg_holds_every_box_and_arrow),
        cmocka_unit_test(the_same_graph_gives_the_same_bytes),
        cmocka_unit_test(names_are_text_and_not_markup),
        cmocka_unit_test(dot_has_clusters_and_ranks),
        cmocka_unit_test(a_picture_has_1_to_32_networks),
        cmocka_unit_test(a_text_is_written_whole),
        cmocka_unit_test(failed_allocations_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
