#include "data/photos.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/** What several indices may share: a pack, or a folder and the names in it. */
typedef struct photo_store {
    atomic_int users;
    rn_pack *pack;
    int folder; // descriptor
    rn_photo_list list;
} photo_store;

struct rn_photos {
    photo_store *store;
    uint32_t *which; // [count] entries of the store
    size_t count;
};

static void release_store(photo_store *store)
{
    if (store == NULL || atomic_fetch_sub(&store->users, 1) > 1)
        return;
    rn_pack_close(store->pack);
    if (store->folder >= 0)
        close(store->folder);
    rn_photo_list_release(&store->list);
    rn_free(store);
}

static rn_status open_store(photo_store **out, const char *folder, rn_photo_list *list)
{
    rn_status st = RN_OK;

    RN_TRY(RN_NEW(out, 1));
    atomic_init(&(*out)->users, 1);
    (*out)->list = *list;
    *list = (rn_photo_list){0};
    (*out)->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if ((*out)->folder < 0)
        st = rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot open folder '%s': %s",
                      folder, strerror(errno));
out:
    return st;
}

// `which` is the caller's to fill.
static rn_status make(rn_photos **out, photo_store *store, size_t count)
{
    rn_status st = RN_OK;
    rn_photos *photos = NULL;

    RN_TRY(RN_NEW(&photos, 1));
    RN_TRY(RN_NEW(&photos->which, count));
    photos->count = count;
    photos->store = store;
    atomic_fetch_add(&store->users, 1);
    *out = photos;
    photos = NULL;
out:
    rn_photos_free(photos);
    return st;
}

static rn_status make_run(rn_photos **out, photo_store *store, size_t first, size_t count)
{
    rn_status st = RN_OK;

    RN_TRY(make(out, store, count));
    for (size_t i = 0; i < count; i++)
        (*out)->which[i] = (uint32_t)(first + i);
out:
    return st;
}

rn_status rn_photos_create(rn_photos **out, const char *folder, rn_photo_list *list)
{
    rn_status st = RN_OK;
    photo_store *store = NULL;

    *out = NULL;
    RN_TRY(open_store(&store, folder, list));
    RN_TRY(make_run(out, store, 0, store->list.count));
out:
    release_store(store);
    rn_photo_list_release(list);
    return st;
}

rn_status rn_photos_create_packed(rn_photos **out, rn_pack **pack, size_t first, size_t count)
{
    rn_status st = RN_OK;
    photo_store *store = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&store, 1));
    atomic_init(&store->users, 1);
    store->folder = -1;
    store->pack = *pack;
    *pack = NULL;
    RN_TRY(make_run(out, store, first, count));
out:
    release_store(store);
    rn_pack_close(*pack);
    *pack = NULL;
    return st;
}

rn_status rn_photos_select(rn_photos **out, const rn_photos *photos, const uint32_t *indices,
                           size_t count)
{
    rn_status st = RN_OK;

    *out = NULL;
    RN_TRY(make(out, photos->store, count));
    for (size_t i = 0; i < count; i++)
        (*out)->which[i] = photos->which[indices[i]];
out:
    return st;
}

void rn_photos_free(rn_photos *photos)
{
    if (photos == NULL)
        return;
    release_store(photos->store);
    rn_free(photos->which);
    rn_free(photos);
}

size_t rn_photos_count(const rn_photos *photos)
{
    return photos->count;
}

const char *rn_photos_name(const rn_photos *photos, size_t index)
{
    const photo_store *store = photos->store;
    size_t entry = photos->which[index];

    return store->pack != NULL ? rn_pack_name(store->pack, entry)
                               : rn_photo_list_name(&store->list, entry);
}

rn_status rn_photos_read(rn_photo *out, const rn_photos *photos, size_t index)
{
    rn_status st = RN_OK;
    char *bytes = NULL;

    *out = (rn_photo){0};
    if (index >= photos->count)
        return rn_error(RN_EINVAL, "picture %zu is wanted of %zu", index, photos->count);
    if (photos->store->pack != NULL)
        return rn_pack_read(out, photos->store->pack, photos->which[index]);
    RN_TRY(rn_file_read_at(&bytes, &out->size, photos->store->folder, rn_photos_name(photos, index),
                           RN_PHOTO_BYTES));
    out->bytes = (const uint8_t *)bytes;
    out->owned = bytes;
out:
    return st;
}

rn_status rn_photos_blame(rn_status status, const rn_photos *photos, size_t index)
{
    char shown[512];

    rn_text_escape(shown, sizeof shown, rn_photos_name(photos, index));
    return rn_error_prefix(status, "'%s'", shown);
}

rn_status rn_photos_decode(rn_image **out, const rn_photos *photos, size_t index,
                           const rn_decode_options *options)
{
    rn_status st = RN_OK;
    rn_photo photo = {0};

    *out = NULL;
    RN_TRY(rn_photos_read(&photo, photos, index)); // names the picture itself
    st = rn_image_decode(out, photo.bytes, photo.size, options);
    if (st != RN_OK)
        rn_photos_blame(st, photos, index);
out:
    rn_photo_release(&photo);
    return st;
}

void rn_photo_release(rn_photo *photo)
{
    rn_free(photo->owned);
    *photo = (rn_photo){0};
}

static rn_status name_labels(rn_samples *samples, const rn_class_list *classes)
{
    rn_status st = RN_OK;
    const char **names = NULL;

    RN_TRY(RN_NEW(&names, classes->count));
    for (size_t i = 0; i < classes->count; i++) {
        const rn_class *class = &classes->classes[i];
        names[i] = class->name != NULL ? class->name : class->key;
    }
    RN_TRY(rn_samples_set_label_names(samples, names));
out:
    rn_free(names);
    return st;
}

rn_status rn_samples_create_photos(rn_samples **out, rn_photos **photos,
                                   const rn_class_list *classes, const char *name)
{
    rn_status st = RN_OK;
    rn_samples *samples = NULL;
    rn_samples_shape shape = {(*photos)->count, 3, 0, 0, (int)classes->count};

    *out = NULL;
    RN_TRY(rn_samples_create(&samples, &shape, name));
    RN_TRY(name_labels(samples, classes));
    for (size_t i = 0; i < samples->count; i++)
        samples->labels[i] = -1;
    samples->photos = *photos;
    *photos = NULL;
    *out = samples;
    samples = NULL;
out:
    rn_samples_free(samples);
    rn_photos_free(*photos);
    *photos = NULL;
    return st;
}

rn_status rn_samples_create_listed(rn_samples **out, const char *folder, rn_photo_list *list,
                                   const rn_class_list *classes, const char *name)
{
    rn_status st = RN_OK;
    rn_photos *photos = NULL;

    *out = NULL;
    RN_TRY(rn_photos_create(&photos, folder, list));
    const photo_store *store = photos->store;
    RN_TRY(rn_samples_create_photos(out, &photos, classes, name));
    for (size_t i = 0; i < store->list.count; i++)
        (*out)->labels[i] = store->list.entries[i].label;
out:
    rn_photo_list_release(list);
    return st;
}
