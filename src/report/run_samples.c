// A run's samples.json: pictures with what the network makes of them.
#include "resnet/report.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "data/samples.h"
#include "image/jpeg_write.h"
#include "image/png_write.h"

#include <math.h>

// JPEG of a photograph of this size has some 4 kB.
enum { LARGEST_SIDE = 96, LARGEST_PNG_SIDE = 64, JPEG_QUALITY = 80 };

static int scaled(int side, double scale)
{
    int result = (int)lround(side * scale);

    return result < 1 ? 1 : result;
}

static rn_status shrink(rn_image **image)
{
    rn_status st = RN_OK;
    int width = (*image)->width, height = (*image)->height;
    int longer = width > height ? width : height;
    double scale = (double)LARGEST_SIDE / longer;
    rn_image *smaller = NULL;

    if (longer <= LARGEST_SIDE)
        return RN_OK;
    RN_TRY(rn_image_resize(
        &smaller, *image,
        &(rn_resize_options){.width = scaled(width, scale), .height = scaled(height, scale)}));
    rn_image_free(*image);
    *image = smaller;
out:
    return st;
}

static rn_status encode(uint8_t **bytes, size_t *size, const rn_image *image, const char **type)
{
    bool exact = image->width <= LARGEST_PNG_SIDE && image->height <= LARGEST_PNG_SIDE;

    *type = exact ? "png" : "jpeg";
    return exact ? rn_image_encode_png(bytes, size, image)
                 : rn_image_encode_jpeg(bytes, size, image, JPEG_QUALITY);
}

static rn_status add_picture(cJSON *json, const rn_samples *samples, size_t index)
{
    const rn_decode_options small = {.cover_width = LARGEST_SIDE, .cover_height = LARGEST_SIDE};
    rn_status st;
    rn_image *image = NULL;
    uint8_t *bytes = NULL;
    char *text = NULL;
    const char *type = NULL;
    size_t size = 0;

    RN_TRY(rn_samples_picture(&image, samples, index, &small));
    RN_TRY(shrink(&image));
    RN_TRY(encode(&bytes, &size, image, &type));
    RN_TRY(rn_base64_encode(&text, bytes, size));
    RN_TRY(rn_json_add_number(json, "width", image->width));
    RN_TRY(rn_json_add_number(json, "height", image->height));
    RN_TRY(rn_json_add_text(json, "type", type));
    RN_TRY(rn_json_add_text(json, "data", text));
out:
    rn_free(text);
    rn_free(bytes);
    rn_image_free(image);
    return st;
}

static rn_status add_guesses(cJSON *json, const rn_watched *watched)
{
    rn_status st = RN_OK;
    cJSON *guesses = cJSON_CreateArray(), *guess = NULL;

    RN_TRY(rn_json_add_item(json, "guesses", guesses));
    for (int i = 0; i < watched->guess_count; i++) {
        RN_TRY(rn_json_object(&guess));
        RN_TRY(rn_json_append(guesses, guess));
        RN_TRY(rn_json_add_text(guess, "class", watched->guesses[i].name));
        RN_TRY(rn_json_add_number(guess, "probability", watched->guesses[i].probability));
    }
out:
    return st;
}

static rn_status describe(cJSON **out, const rn_watched *watched, const rn_samples *samples)
{
    rn_status st;

    RN_TRY(rn_json_object(out));
    RN_TRY(rn_json_add_number(*out, "index", (double)watched->index));
    if (samples->photos != NULL)
        RN_TRY(rn_json_add_text(*out, "name", rn_photos_name(samples->photos, watched->index)));
    RN_TRY(rn_json_add_text(*out, "label", watched->label));
    RN_TRY(rn_json_add_bool(*out, "right", watched->right));
    RN_TRY(rn_json_add_bool(*out, "mistake", watched->mistake));
    RN_TRY(add_guesses(*out, watched));
    RN_TRY(add_picture(*out, samples, watched->index));
out:
    return st;
}

static rn_status add_samples(cJSON *array, const rn_event *event, const rn_samples *samples)
{
    rn_status st = RN_OK;
    cJSON *sample = NULL;

    for (int i = 0; i < event->watched_count; i++) {
        st = describe(&sample, &event->watched[i], samples);
        if (st == RN_OK)
            RN_TRY(rn_json_append(array, sample));
        else
            cJSON_Delete(sample);
        sample = NULL;
        if (st == RN_ENOMEM)
            goto out;
    }
    st = RN_OK;
out:
    return st;
}

rn_status rn_run_samples_write(const char *folder, const rn_event *event, const rn_samples *samples)
{
    rn_status st;
    cJSON *json = NULL, *array;
    char *text = NULL;

    RN_TRY(rn_json_object(&json));
    RN_TRY(rn_json_add_number(json, "iteration", (double)event->iteration));
    RN_TRY(rn_json_add_number(json, "epoch", event->epoch));
    RN_TRY(rn_json_add_text(json, "set", event->set));
    array = cJSON_CreateArray();
    RN_TRY(rn_json_add_item(json, "samples", array));
    RN_TRY(add_samples(array, event, samples));
    RN_TRY(rn_json_print(&text, json, false));
    RN_TRY(rn_run_folder_write(folder, "samples.json", text));
out:
    rn_free(text);
    cJSON_Delete(json);
    return st;
}
