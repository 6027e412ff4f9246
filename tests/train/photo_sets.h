/** Sets of photographs that a network's tests make, and the same pictures in memory. */
#ifndef TESTS_TRAIN_PHOTO_SETS_H
#define TESTS_TRAIN_PHOTO_SETS_H

#include "data/photo_packs.h"
#include "data/samples.h"
#include "resnet/resnet.h"

enum { PHOTO_SIDE = 16, PHOTO_CLASSES = 3, PHOTO_VOLUME = 3 * PHOTO_SIDE * PHOTO_SIDE };

/** "BELOW/class1/07.png" of picture 7 */
static inline const char *photo_name(const char *below, int number)
{
    static char name[64];

    snprintf(name, sizeof name, "%s/class%d/%02d.png", below, number % PHOTO_CLASSES, number);
    return name;
}

/** Pictures first .. first + count - 1, of the network's size and without loss. */
static inline void photo_pictures(const char *folder, const char *below, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        rn_image *image = photo_image(3, PHOTO_SIDE, PHOTO_SIDE, 7 * i + 1);
        photo_text(folder, photo_name(below, i), "");
        assert_int_equal(rn_image_save(image, fixture_path(folder, photo_name(below, i))), RN_OK);
        rn_image_free(image);
    }
}

static inline void photo_break(const char *folder, const char *below, int number)
{
    fixture_resize(folder, photo_name(below, number), 60);
}

static inline rn_samples *photo_open(const char *folder, rn_split split)
{
    rn_samples *set;

    if (rn_data_open(&set, folder, split) != RN_OK)
        fail_msg("%s", rn_error_message());
    return set;
}

/** The pictures of a set that can be read, in its order, as images in memory. */
static inline rn_samples *photo_twin(const rn_samples *set)
{
    const rn_samples_shape shape = {set->count, 3, PHOTO_SIDE, PHOTO_SIDE, set->classes};
    rn_samples *twin;
    size_t good = 0;

    assert_int_equal(rn_samples_create(&twin, &shape, set->name), RN_OK);
    for (size_t i = 0; i < set->count; i++) {
        rn_image *image;
        if (rn_photos_decode(&image, set->photos, i, NULL) != RN_OK)
            continue;
        for (size_t k = 0; k < PHOTO_VOLUME; k++)
            twin->images[good * PHOTO_VOLUME + k % 3 * (PHOTO_VOLUME / 3) + k / 3] =
                image->pixels[k];
        twin->labels[good++] = set->labels[i];
        rn_image_free(image);
    }
    twin->count = good;
    return twin;
}

/** What was told of bad pictures. */
typedef struct photo_told {
    int count;
    char last[1024];
} photo_told;

static inline void photo_tell(const char *message, void *context)
{
    photo_told *told = context;

    told->count++;
    snprintf(told->last, sizeof told->last, "%s", message);
}

#endif
