#include "data/idx.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

enum { USUAL_CLASSES = 10, COLOURS = 3 };

static const char *const fashion_names[USUAL_CLASSES] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

// names->count is 0 where the folder has no file of names.
static rn_status read_names(rn_label_names *names, const char *folder)
{
    rn_status st = RN_OK;
    char *path = NULL;

    *names = (rn_label_names){0};
    RN_TRY(rn_format(&path, "%s/label_names.txt", folder));
    st = rn_label_names_read(names, path, 0);
    if (st == RN_OK && names->count > 256)
        st = rn_error(RN_EFORMAT, "'%s' has %d label names, expected at most 256", path,
                      names->count);
    if (st == RN_ENOTFOUND)
        st = RN_OK;
out:
    rn_free(path);
    return st;
}

rn_status rn_idx_classes(int *classes, const char *folder)
{
    rn_status st = RN_OK;
    rn_label_names names = {0};

    *classes = 0;
    RN_TRY(read_names(&names, folder));
    *classes = names.count == 0 ? USUAL_CLASSES : names.count;
out:
    rn_label_names_release(&names);
    return st;
}

rn_status rn_idx_check_labels(const rn_idx *idx, const uint8_t *labels, int classes)
{
    for (uint32_t i = 0; i < idx->dim[0]; i++) {
        if (labels[i] >= classes)
            return rn_error(RN_EFORMAT, "'%s': label %u is %d, expected 0 to %d", idx->path, i,
                            labels[i], classes - 1);
    }
    return RN_OK;
}

// [n][h][w], [n][3][h][w] or [n][h][w][3].
static rn_status image_shape(rn_samples_shape *shape, bool *interleaved, const rn_idx *images,
                             int classes)
{
    const uint32_t *dim = images->dim;

    *interleaved = images->dims == 4 && dim[1] != COLOURS;
    if (*interleaved && dim[3] != COLOURS)
        return rn_error(RN_EFORMAT, "'%s': images of %u x %u x %u values have no dimension of %d",
                        images->path, dim[1], dim[2], dim[3], COLOURS);
    int first = images->dims == 4 && !*interleaved ? 2 : 1;
    *shape = (rn_samples_shape){.count = dim[0],
                                .channels = images->dims == 4 ? COLOURS : 1,
                                .height = (int)dim[first],
                                .width = (int)dim[first + 1],
                                .classes = classes};
    return RN_OK;
}

// [h][w][3] to [3][h][w], image after image, through a copy of one image.
static rn_status make_planar(rn_samples *samples)
{
    rn_status st = RN_OK;
    uint8_t *copy = NULL;
    size_t bytes = rn_samples_image_bytes(samples), pixels = bytes / COLOURS;

    RN_TRY(RN_NEW(&copy, bytes));
    for (size_t i = 0; i < samples->count; i++) {
        uint8_t *image = samples->images + i * bytes;
        memcpy(copy, image, bytes);
        for (size_t p = 0; p < bytes; p++)
            image[p] = copy[p % pixels * COLOURS + p / pixels];
    }
out:
    rn_free(copy);
    return st;
}

static rn_status decode_labels(rn_samples *samples, const rn_idx *labels)
{
    rn_status st = RN_OK;
    uint8_t *bytes = NULL;

    RN_TRY(rn_idx_decode(&bytes, labels));
    RN_TRY(rn_idx_check_labels(labels, bytes, samples->classes));
    for (size_t i = 0; i < samples->count; i++)
        samples->labels[i] = bytes[i];
out:
    rn_free(bytes);
    return st;
}

static bool says_fashion(const char *folder)
{
    return strcasestr(folder, "fashion") != NULL;
}

static rn_status name_labels(rn_samples *samples, const rn_label_names *names, const char *folder)
{
    if (names->count > 0)
        return rn_samples_set_label_names(samples, names->names);
    return says_fashion(folder) ? rn_samples_set_label_names(samples, fashion_names) : RN_OK;
}

static rn_status decode(rn_samples **out, const rn_idx *images, const rn_idx *labels,
                        const char *name, int classes)
{
    rn_status st = RN_OK;
    rn_samples_shape shape;
    uint8_t *values = NULL;
    bool interleaved;

    RN_TRY(image_shape(&shape, &interleaved, images, classes));
    if (labels->dim[0] != images->dim[0]) {
        st = rn_error(RN_EFORMAT, "'%s' has %u labels, expected %u, as many as '%s' has images",
                      labels->path, labels->dim[0], images->dim[0], images->path);
        goto out;
    }
    RN_TRY(rn_idx_decode(&values, images));
    RN_TRY(rn_samples_create_filled(out, &shape, &values, name));
    RN_TRY(decode_labels(*out, labels));
    if (interleaved)
        RN_TRY(make_planar(*out));
out:
    rn_free(values);
    return st;
}

rn_status rn_idx_open(rn_samples **out, const char *folder, rn_split split)
{
    rn_status st = RN_OK;
    rn_samples *samples = NULL;
    rn_idx images = {0}, labels = {0};
    rn_label_names names = {0};
    char *name = NULL;

    *out = NULL;
    RN_TRY(read_names(&names, folder));
    RN_TRY(rn_idx_read(&images, folder, split, false));
    RN_TRY(rn_idx_read(&labels, folder, split, true));
    RN_TRY(rn_format(&name, "%s %s", says_fashion(folder) ? "Fashion-MNIST" : "IDX",
                     split == RN_SPLIT_TRAIN ? "train" : "test"));
    RN_TRY(
        decode(&samples, &images, &labels, name, names.count == 0 ? USUAL_CLASSES : names.count));
    RN_TRY(name_labels(samples, &names, folder));
    *out = samples;
    samples = NULL;
out:
    rn_samples_free(samples);
    rn_idx_release(&images);
    rn_idx_release(&labels);
    rn_label_names_release(&names);
    rn_free(name);
    return st;
}
