#include "cli/data_sheet.h"

#include "cli/bad_images.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 12, GAP = 2, SMALL = 64, PHOTO_SIDE = 64, PHOTO = 3 * PHOTO_SIDE * PHOTO_SIDE };

typedef struct sheet {
    const rn_samples *samples;
    rn_image image;
    int height, width, zoom; // of a tile, and how often its pixels are repeated
    int *used;               // [classes] tiles of a row

    // Of photographs:
    rn_preprocess *preprocess; // to a tile's size; else NULL
    float input[PHOTO];
    uint8_t planes[PHOTO]; // of one tile, as images in memory are
} sheet;

static rn_status start(sheet *s)
{
    rn_status st = RN_OK;
    const rn_samples *samples = s->samples;
    const bool photos = samples->photos != NULL;

    s->height = photos ? PHOTO_SIDE : samples->height;
    s->width = photos ? PHOTO_SIDE : samples->width;
    s->zoom = !photos && s->width <= SMALL ? 2 : 1;
    s->image.channels = samples->channels;
    s->image.height = GAP + samples->classes * (s->height * s->zoom + GAP);
    s->image.width = GAP + COLUMNS * (s->width * s->zoom + GAP);
    const size_t bytes =
        (size_t)s->image.height * (size_t)s->image.width * (size_t)s->image.channels;
    s->image.pixels = malloc(bytes);
    s->used = calloc((size_t)samples->classes, sizeof *s->used);
    if (s->image.pixels == NULL || s->used == NULL)
        return rn_error(RN_ENOMEM, "no memory for a sheet of %zu bytes", bytes);
    memset(s->image.pixels, 255, bytes);
    if (!photos)
        return RN_OK;
    RN_TRY(rn_preprocess_create(&s->preprocess, RN_NORMALIZE_NONE, 3, PHOTO_SIDE, PHOTO_SIDE, NULL,
                                NULL));
    s->preprocess->centre_ratio = 1;
out:
    return st;
}

static void release(sheet *s)
{
    free(s->image.pixels);
    free(s->used);
    rn_preprocess_free(s->preprocess);
}

// The middle of a photograph into s->planes.
static rn_status make_small(sheet *s, size_t index)
{
    rn_status st;
    rn_image *photo = NULL;
    const rn_decode_options options = {.cover_width = PHOTO_SIDE, .cover_height = PHOTO_SIDE};

    RN_TRY(rn_photos_decode(&photo, s->samples->photos, index, &options));
    RN_TRY(rn_preprocess_image(s->preprocess, s->input, photo));
    for (int i = 0; i < PHOTO; i++)
        s->planes[i] = (uint8_t)lrintf(255 * s->input[i]);
out:
    rn_image_free(photo);
    return st;
}

static void draw(sheet *s, const uint8_t *planes, int row, int column)
{
    const int channels = s->image.channels, zoom = s->zoom;
    const size_t plane = (size_t)s->height * (size_t)s->width;
    const int top = GAP + row * (s->height * zoom + GAP);
    const int left = GAP + column * (s->width * zoom + GAP);

    for (int y = 0; y < s->height * zoom; y++) {
        const uint8_t *src = planes + (size_t)(y / zoom) * (size_t)s->width;
        uint8_t *dst =
            s->image.pixels +
            ((size_t)(top + y) * (size_t)s->image.width + (size_t)left) * (size_t)channels;
        for (int i = 0; i < s->width * zoom * channels; i++)
            dst[i] = src[(size_t)(i % channels) * plane + (size_t)(i / channels / zoom)];
    }
}

static rn_status add(sheet *s, size_t index)
{
    rn_status st = RN_OK;
    const rn_samples *samples = s->samples;
    const int row = samples->labels[index];
    const size_t bytes = (size_t)samples->channels * (size_t)s->height * (size_t)s->width;

    if (row < 0 || s->used[row] == COLUMNS)
        return RN_OK;
    if (samples->photos != NULL)
        st = make_small(s, index);
    if (st == RN_OK)
        draw(s, samples->photos != NULL ? s->planes : samples->images + index * bytes, row,
             s->used[row]++);
    else if (st != RN_ENOMEM)
        cli_note_bad(rn_error_message(), NULL);
    return st == RN_ENOMEM ? st : RN_OK;
}

rn_status cli_sheet_save(const rn_samples *samples, const char *path)
{
    rn_status st;
    sheet s = {.samples = samples};

    RN_TRY(start(&s));
    for (size_t i = 0; i < samples->count; i++)
        RN_TRY(add(&s, i));
    RN_TRY(rn_image_save(&s.image, path));
out:
    release(&s);
    return st;
}
