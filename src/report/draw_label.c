#include "report/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Three decimals at most, none of them a trailing 0; independent of the locale.
static void spell_decimal(char *text, size_t size, double value)
{
    long thousandths = lround(value * 1000);
    long rest = labs(thousandths % 1000);

    snprintf(text, size, "%s%ld.%03ld", thousandths < 0 ? "-" : "", labs(thousandths / 1000), rest);
    size_t length = strlen(text);
    while (text[length - 1] == '0')
        text[--length] = '\0';
    if (text[length - 1] == '.')
        text[length - 1] = '\0';
}

// "21.8 M parameters": three digits, rounded.
static void spell_scaled(char *text, size_t size, int64_t value, const char *unit)
{
    static const char prefixes[] = " kMGTPE";
    int prefix = 0, decimals = 2;
    int64_t scale = 1;

    if (value < 1000) {
        snprintf(text, size, "%d %s", (int)value, unit);
        return;
    }
    for (; value / scale >= 1000; prefix++)
        scale *= 1000;
    int64_t digits = (value + scale / 200) / (scale / 100), one = 100;
    for (; digits >= 1000 && decimals > 0; decimals--) {
        one /= 10;
        digits = (value + scale / one / 2) / (scale / one);
    }
    if (decimals == 2)
        snprintf(text, size, "%d.%02d %c %s", (int)(digits / 100), (int)(digits % 100),
                 prefixes[prefix], unit);
    else if (decimals == 1)
        snprintf(text, size, "%d.%d %c %s", (int)(digits / 10), (int)(digits % 10),
                 prefixes[prefix], unit);
    else
        snprintf(text, size, "%d %c %s", (int)digits, prefixes[prefix], unit);
}

void draw_label_size(char label[DRAW_LABEL], const draw_band *band)
{
    if (band->height == band->width)
        snprintf(label, DRAW_LABEL, "output size: %d", band->height);
    else
        snprintf(label, DRAW_LABEL, "output size: %d x %d", band->height, band->width);
}

static void add_stride(char label[DRAW_LABEL], const rn_node *node)
{
    size_t used = strlen(label);

    if (node->stride > 1)
        snprintf(label + used, DRAW_LABEL - used, ", /%d", node->stride);
}

static void label_number(char label[DRAW_LABEL], const char *word, double value)
{
    char number[32];

    spell_decimal(number, sizeof number, value);
    snprintf(label, DRAW_LABEL, "%s %s", word, number);
}

void draw_label_node(char label[DRAW_LABEL], const rn_node *node, bool detail)
{
    switch (node->kind) {
    case RN_NODE_INPUT:
        snprintf(label, DRAW_LABEL, "image");
        break;
    case RN_NODE_CONV:
        snprintf(label, DRAW_LABEL, "%dx%d conv, %d", node->kernel, node->kernel, node->channels);
        add_stride(label, node);
        break;
    case RN_NODE_SHORTCUT_PAD:
        snprintf(label, DRAW_LABEL, "zero pad, %d", node->channels);
        add_stride(label, node);
        break;
    case RN_NODE_MAX_POOL:
        snprintf(label, DRAW_LABEL, "pool");
        if (detail)
            snprintf(label, DRAW_LABEL, "%dx%d max pool", node->kernel, node->kernel);
        add_stride(label, node);
        break;
    case RN_NODE_AVERAGE_POOL:
        snprintf(label, DRAW_LABEL, "avg pool");
        break;
    case RN_NODE_LINEAR:
        snprintf(label, DRAW_LABEL, "fc %d", node->channels);
        break;
    case RN_NODE_ADD:
        snprintf(label, DRAW_LABEL, "+");
        break;
    case RN_NODE_SCALE:
        label_number(label, "x", (double)node->scale);
        break;
    case RN_NODE_GATE:
        snprintf(label, DRAW_LABEL, node->complement ? "x (1 - sigmoid)" : "x sigmoid");
        break;
    case RN_NODE_DROPOUT:
    case RN_NODE_DROP_BRANCH:
        label_number(label, rn_node_kind_name(node->kind), (double)node->rate);
        break;
    default:
        snprintf(label, DRAW_LABEL, "%s", rn_node_kind_name(node->kind));
    }
}

void draw_label_shortcut(char label[DRAW_LABEL], const rn_node *node)
{
    if (node->kind == RN_NODE_GATE)
        snprintf(label, DRAW_LABEL, "gate");
    else if (node->kind == RN_NODE_CONV)
        snprintf(label, DRAW_LABEL, "%dx%d conv", node->kernel, node->kernel);
    else
        draw_label_node(label, node, false);
}

const char *draw_label_line(draw_line line)
{
    static const char *const meanings[DRAW_LINES] = {
        [DRAW_IDENTITY] = "identity shortcut",
        [DRAW_CHANGES] = "shortcut that changes dimensions",
        [DRAW_OTHER] = "shortcut that is no identity",
    };

    return meanings[line];
}

// "resnet-20", then each option on a line of its own: "shortcut=B"
static void split_model(draw_network *network, const char *model)
{
    while (*model != '\0') {
        bool last = network->titles == DRAW_TITLES - 3; // the rest, with room for two facts
        size_t length = last ? strlen(model) : strcspn(model, ":;");
        int shown = length < DRAW_LABEL ? (int)length : DRAW_LABEL - 1;
        snprintf(network->title[network->titles++], DRAW_LABEL, "%.*s", shown, model);
        model += length;
        model += *model != '\0';
    }
}

void draw_label_titles(draw_network *network)
{
    const rn_graph *graph = network->graph;
    int64_t parameters = 0, multiply_adds = 0;

    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        parameters += rn_node_parameters(graph, i);
        multiply_adds += rn_node_multiply_adds(graph, i);
    }
    split_model(network, rn_graph_model(graph));
    spell_scaled(network->title[network->titles++], DRAW_LABEL, parameters, "parameters");
    spell_scaled(network->title[network->titles++], DRAW_LABEL, multiply_adds, "multiply-adds");
    network->facts = 2;
}

int draw_text_width(const char *text, int font_size)
{
    int width = 0; // hundredths of the font size; of DejaVu Sans, the widest of the usual ones

    for (; *text != '\0'; text++) {
        if (strchr(" ,./:;|()[]'filjtr", *text) != NULL)
            width += 39;
        else if (strchr("mwMW%+=", *text) != NULL)
            width += 95;
        else
            width += 63;
    }
    return (width * font_size + 99) / 100;
}
