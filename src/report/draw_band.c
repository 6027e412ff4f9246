// Bands: rows of equal output size, in line across networks, each as high as the tallest network
// makes it.
#include "report/draw.h"

#include "base/memory.h"

#include <stdlib.h>

static int compare_bands(const void *left, const void *right)
{
    const draw_band *a = left, *b = right;
    int64_t area[2] = {(int64_t)a->height * a->width, (int64_t)b->height * b->width};

    if (area[0] != area[1])
        return area[0] > area[1] ? -1 : 1;
    return b->height - a->height;
}

static const rn_node *node_of(const draw_picture *picture, const draw_box *box)
{
    return rn_graph_node(picture->networks[box->network].graph, box->node);
}

static int find_band(const draw_picture *picture, const rn_node *node)
{
    int i = 0;

    while (i < picture->band_count &&
           (picture->bands[i].height != node->height || picture->bands[i].width != node->width))
        i++;
    return i;
}

// The image stands above all bands; an end mark in that of the box above.
static bool has_band(const draw_box *box)
{
    return box->lane == 0 && box->shape != DRAW_WORD;
}

static rn_status collect_bands(draw_picture *picture)
{
    for (int i = 0; i < picture->box_count; i++) {
        if (!has_band(&picture->boxes[i]))
            continue;
        const rn_node *node = node_of(picture, &picture->boxes[i]);
        if (find_band(picture, node) < picture->band_count)
            continue;
        rn_status st = rn_grow((void **)&picture->bands, &picture->band_capacity,
                               (size_t)picture->band_count + 1, sizeof *picture->bands);
        if (st != RN_OK)
            return st;
        picture->bands[picture->band_count++] =
            (draw_band){.height = node->height, .width = node->width, .bottom = DRAW_ROW};
    }
    if (picture->band_count > 1)
        qsort(picture->bands, (size_t)picture->band_count, sizeof *picture->bands, compare_bands);
    return RN_OK;
}

// Downwards only: should a network enlarge its maps again, its rows still follow each other.
static void assign_bands(draw_picture *picture)
{
    for (int n = 0; n < picture->network_count; n++) {
        draw_box *boxes = picture->boxes + picture->networks[n].first_box;
        for (int i = 0, band = 0; i < picture->networks[n].boxes; i++) {
            int own = has_band(&boxes[i]) ? find_band(picture, node_of(picture, &boxes[i])) : band;
            if (own > band)
                band = own;
            boxes[i].band = band;
        }
    }
}

// A band has the hue of its first stage; bands without stages share out the hues that are left.
static void colour_bands(draw_picture *picture)
{
    bool used[DRAW_HUES + 1] = {false};

    for (int i = 0; i < picture->box_count; i++) {
        const draw_box *box = &picture->boxes[i];
        draw_band *band = &picture->bands[box->band];
        if (!has_band(box) || box->hue == 0)
            continue;
        used[box->hue] = true;
        if (band->hue == 0 || box->hue < band->hue)
            band->hue = box->hue;
    }
    for (int i = 0, hue = 1; i < picture->band_count; i++) {
        if (picture->bands[i].hue != 0)
            continue;
        while (hue < DRAW_HUES && used[hue])
            hue++;
        picture->bands[i].hue = hue;
        hue += hue < DRAW_HUES;
    }
}

static void colour_boxes(draw_picture *picture)
{
    for (int i = 0; i < picture->box_count; i++) {
        draw_box *box = &picture->boxes[i];
        if (has_band(box) && box->hue == 0 && node_of(picture, box)->kind == RN_NODE_CONV)
            box->hue = picture->bands[box->band].hue;
    }
}

// The band of each row; rows without a box in the main line belong to the box below.
static void find_row_bands(const draw_picture *picture, const draw_network *network, int *row_band)
{
    for (int r = 0; r < network->rows; r++)
        row_band[r] = -1;
    for (int i = 0; i < network->boxes; i++) {
        const draw_box *box = &picture->boxes[network->first_box + i];
        if (box->lane == 0)
            row_band[box->row] = box->band;
    }
    for (int r = network->rows - 2; r > 0; r--)
        if (row_band[r] < 0)
            row_band[r] = row_band[r + 1];
}

// The row's number within its band. Row 0, the image, is in none.
static int row_in_band(const int *row_band, int row, int before)
{
    return row > 1 && row_band[row] == row_band[row - 1] ? before + 1 : 0;
}

enum { PITCH = DRAW_ROW + DRAW_GAP };

// Rows that a network has in each band: the bottom of a band that begins at 0.
static void measure_bands(draw_picture *picture, const draw_network *network, const int *row_band)
{
    for (int r = 1, k = 0; r < network->rows; r++) {
        draw_band *band = &picture->bands[row_band[r]];
        k = row_in_band(row_band, r, k);
        if (k * PITCH + DRAW_ROW > band->bottom)
            band->bottom = k * PITCH + DRAW_ROW;
    }
}

static void stack_bands(draw_picture *picture, int top)
{
    for (int i = 0; i < picture->band_count; i++) {
        picture->bands[i].top = top;
        picture->bands[i].bottom += top;
        top = picture->bands[i].bottom + DRAW_GAP + DRAW_BAND_GAP;
    }
}

static void place_rows(draw_picture *picture, const draw_network *network, int *row_band, int top)
{
    // From band to place, from above: what is needed of the row before is kept.
    for (int r = 1, k = 0, band = -1; r < network->rows; r++) {
        k = row_band[r] == band ? k + 1 : 0;
        band = row_band[r];
        row_band[r] = picture->bands[band].top + k * PITCH + DRAW_ROW / 2;
    }
    row_band[0] = top + DRAW_ROW / 2;
    for (int i = 0; i < network->boxes; i++) {
        draw_box *box = &picture->boxes[network->first_box + i];
        box->centre.y = row_band[box->row];
    }
}

rn_status draw_bands_init(draw_picture *picture, int top)
{
    rn_status st;
    int rows = 0, used = 0;
    int *row_bands = NULL; // of all networks

    RN_TRY(collect_bands(picture));
    assign_bands(picture);
    if (picture->band_count > 0) {
        colour_bands(picture);
        colour_boxes(picture);
    }
    for (int n = 0; n < picture->network_count; n++)
        rows += picture->networks[n].rows;
    RN_TRY(RN_NEW(&row_bands, (size_t)rows));
    for (int n = 0; n < picture->network_count; used += picture->networks[n++].rows) {
        find_row_bands(picture, &picture->networks[n], row_bands + used);
        measure_bands(picture, &picture->networks[n], row_bands + used);
    }
    stack_bands(picture, top + DRAW_ROW + DRAW_GAP);
    used = 0;
    for (int n = 0; n < picture->network_count; used += picture->networks[n++].rows)
        place_rows(picture, &picture->networks[n], row_bands + used, top);
out:
    rn_free(row_bands);
    return st;
}
