#include "data/source.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/cifar.h"
#include "data/idx.h"
#include "data/photo_csv.h"
#include "data/photo_folder.h"
#include "data/photo_pack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** A place where a data set may lie, below the folder that was named. */
typedef struct place {
    rn_data_format format;
    const char *below; // "" is the folder itself
} place;

// The folder itself is asked first; only if it holds nothing, the usual sub-folders.
static const place places[] = {{RN_FORMAT_CIFAR10, ""},
                               {RN_FORMAT_CIFAR100, ""},
                               {RN_FORMAT_IDX, ""},
                               {RN_FORMAT_CIFAR10, "/cifar-10-batches-bin"},
                               {RN_FORMAT_CIFAR100, "/cifar-100-binary"},
                               {RN_FORMAT_IDX, "/MNIST/raw"},
                               {RN_FORMAT_IDX, "/FashionMNIST/raw"}};

enum { PLACES = sizeof places / sizeof *places, ITSELF = 3 };

static rn_status holds_cifar(bool *found, const rn_cifar_kind *kind, const char *folder)
{
    rn_status st = RN_OK;
    char *path = NULL;

    *found = false;
    for (const rn_cifar_file *file = kind->files; file->name != NULL && !*found; file++) {
        RN_TRY(rn_format(&path, "%s/%s", folder, file->name));
        *found = access(path, F_OK) == 0;
        rn_free(path);
    }
out:
    return st;
}

static rn_status holds(bool *found, rn_data_format format, const char *folder)
{
    switch (format) {
    case RN_FORMAT_CIFAR10:
        return holds_cifar(found, &rn_cifar10, folder);
    case RN_FORMAT_CIFAR100:
        return holds_cifar(found, &rn_cifar100, folder);
    case RN_FORMAT_IDX:
        return rn_idx_recognise(found, folder);
    case RN_FORMAT_SHAPES:
    case RN_FORMAT_PHOTO_FOLDER:
    case RN_FORMAT_PHOTO_CSV:
    case RN_FORMAT_PHOTO_PACK:
        break;
    }
    *found = false;
    return RN_OK;
}

// Sets *source from the one place among places[first .. end) that holds a data set, if any.
static rn_status look_in(rn_source *source, const char *folder, int first, int end)
{
    rn_status st = RN_OK;
    char *path = NULL;
    bool found;

    for (int i = first; i < end; i++) {
        RN_TRY(rn_format(&path, "%s%s", folder, places[i].below));
        RN_TRY(holds(&found, places[i].format, path));
        if (found) {
            if (source->folder != NULL) {
                st = rn_error(RN_EINVAL, "'%s' and '%s' both hold a data set: name one folder%s",
                              source->folder, path, first == 0 ? " with one data set" : "");
                goto out;
            }
            source->format = places[i].format;
            source->folder = path;
            path = NULL;
        }
        rn_free(path);
        path = NULL;
    }
out:
    rn_free(path);
    return st;
}

static rn_status explain_unknown(const char *folder)
{
    rn_status st = RN_OK;
    char *python = NULL;

    RN_TRY(rn_format(&python, "%s/cifar-10-batches-py", folder));
    if (rn_folder_exists(python) || strstr(folder, "batches-py") != NULL)
        st = rn_error(RN_ENOTFOUND,
                      "'%s' holds CIFAR-10's Python version: fetch the binary version "
                      "(cifar-10-binary.tar.gz)",
                      folder);
    else
        st =
            rn_error(RN_ENOTFOUND,
                     "no known data set in '%s': looked for data_batch_1.bin (CIFAR-10), train.bin "
                     "(CIFAR-100), train-images-idx3-ubyte[.gz] (IDX: MNIST), there and in "
                     "cifar-10-batches-bin, cifar-100-binary, MNIST/raw, FashionMNIST/raw, and for "
                     "pictures (.jpg, .jpeg, .png, .ppm, .pgm, .webp) in folders of classes, there "
                     "and in train, val, validation, valid, test, ILSVRC2012_img_train and "
                     "ILSVRC2012_img_val",
                     folder);
out:
    rn_free(python);
    return st;
}

static rn_status explain_missing(const char *folder)
{
    static const char *const generated[] = {"shapes"};
    int code = errno;
    size_t length = strcspn(folder, ":");
    char word[32] = "";

    if (code != ENOENT)
        return rn_error(code == ENOTDIR ? RN_ENOTFOUND : RN_EIO, "cannot open folder '%s': %s",
                        folder, strerror(code));
    if (length < sizeof word && strchr(folder, '/') == NULL)
        memcpy(word, folder, length);
    if (rn_nearest(word, generated, 1) != NULL)
        return rn_error(RN_ENOTFOUND, "no folder '%s'; did you mean 'shapes'?", folder);
    return rn_error(
        RN_ENOTFOUND,
        "no folder '%s', expected one with CIFAR-10, CIFAR-100 or IDX files or pictures "
        "in folders of classes, or 'shapes' (generated images)",
        folder);
}

static rn_status look_for_photos(rn_source *source, const char *folder)
{
    rn_status st = RN_OK;
    bool found;

    RN_TRY(rn_photo_folder_recognise(&found, folder));
    if (!found)
        return explain_unknown(folder);
    source->format = RN_FORMAT_PHOTO_FOLDER;
    RN_TRY(rn_strdup(&source->folder, folder));
out:
    return st;
}

static rn_status recognise_file(rn_source *source, const char *path)
{
    const char *dot = strrchr(path, '.');

    if (dot != NULL && strcasecmp(dot, ".csv") == 0)
        source->format = RN_FORMAT_PHOTO_CSV;
    else if (dot != NULL && strcasecmp(dot, ".rnpack") == 0)
        source->format = RN_FORMAT_PHOTO_PACK;
    else
        return rn_error(RN_ENOTFOUND,
                        "'%s' is not a folder; name the folder that holds the data, or a list of "
                        "pictures (.csv) or a pack (.rnpack)",
                        path);
    return rn_strdup(&source->folder, path);
}

static rn_status recognise(rn_source *source, const char *folder)
{
    rn_status st = RN_OK;
    struct stat info;

    if (stat(folder, &info) != 0)
        return explain_missing(folder);
    if (!S_ISDIR(info.st_mode))
        return recognise_file(source, folder);
    if (access(folder, R_OK | X_OK) != 0)
        return rn_error(RN_EIO, "cannot read folder '%s': %s", folder, strerror(errno));
    RN_TRY(look_in(source, folder, 0, ITSELF));
    if (source->folder == NULL)
        RN_TRY(look_in(source, folder, ITSELF, PLACES));
    if (source->folder == NULL)
        RN_TRY(look_for_photos(source, folder));
out:
    return st;
}

// Cuts ":labels=..." off a folder's name. A folder that is really called so is left alone.
static rn_status take_labels(rn_source *source, char *folder, bool *given)
{
    char *colon = strrchr(folder, ':');

    *given = colon != NULL && strncmp(colon, ":labels=", 8) == 0 && !rn_folder_exists(folder);
    if (!*given)
        return RN_OK;
    const char *value = colon + 8;
    source->coarse = strcmp(value, "coarse") == 0;
    if (!source->coarse && strcmp(value, "fine") != 0)
        return rn_error(RN_EINVAL, "labels are '%s', expected coarse or fine", value);
    *colon = '\0';
    return RN_OK;
}

bool rn_source_is_shapes(const char *text)
{
    return strncmp(text, "shapes", 6) == 0 && (text[6] == '\0' || text[6] == ':');
}

rn_status rn_source_resolve(rn_source *source, const char *text)
{
    rn_status st = RN_OK;
    char *folder = NULL;
    bool labels_given;

    *source = (rn_source){.format = RN_FORMAT_SHAPES, .shapes = RN_SHAPES_DEFAULTS};
    if (rn_source_is_shapes(text)) {
        if (text[6] == ':')
            RN_TRY(rn_shapes_parse(&source->shapes, text + 7));
        goto out;
    }
    RN_TRY(rn_strdup(&folder, text));
    RN_TRY(take_labels(source, folder, &labels_given));
    RN_TRY(recognise(source, folder));
    if (labels_given && source->format != RN_FORMAT_CIFAR100)
        st = rn_error(RN_EINVAL, "'%s' is not CIFAR-100, so it has no coarse and fine labels",
                      source->folder);
out:
    rn_free(folder);
    if (st != RN_OK)
        rn_source_release(source);
    return st;
}

void rn_source_release(rn_source *source)
{
    rn_free(source->folder);
    *source = (rn_source){.format = RN_FORMAT_SHAPES};
}

rn_status rn_data_open(rn_samples **out, const char *source, rn_split split)
{
    rn_status st = RN_OK;
    rn_source found = {.format = RN_FORMAT_SHAPES};

    *out = NULL;
    RN_TRY(rn_source_resolve(&found, source));
    switch (found.format) {
    case RN_FORMAT_SHAPES:
        RN_TRY(rn_shapes_create(out, &found.shapes, split));
        break;
    case RN_FORMAT_CIFAR10:
        RN_TRY(rn_cifar_open(out, &rn_cifar10, found.folder, split, 0));
        break;
    case RN_FORMAT_CIFAR100:
        RN_TRY(rn_cifar_open(out, &rn_cifar100, found.folder, split, found.coarse ? 0 : 1));
        break;
    case RN_FORMAT_IDX:
        RN_TRY(rn_idx_open(out, found.folder, split));
        break;
    case RN_FORMAT_PHOTO_FOLDER:
        RN_TRY(rn_photo_folder_open(out, found.folder, split));
        break;
    case RN_FORMAT_PHOTO_CSV:
        RN_TRY(rn_photo_csv_open(out, found.folder, split));
        break;
    case RN_FORMAT_PHOTO_PACK:
        RN_TRY(rn_photo_pack_open(out, found.folder, split));
        break;
    }
out:
    rn_source_release(&found);
    return st;
}
