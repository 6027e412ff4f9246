#include "data/photo_folder.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/photo_labels.h"
#include "data/photo_walk.h"
#include "data/photos.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Where the splits are, relative to the folder; both NULL: the folder itself is one set. */
typedef struct layout {
    int root; // descriptor
    char *train, *test;
} layout;

/** Folders where lists of classes and labels may lie, and the end of the list. */
typedef struct label_folders {
    rn_label_folder list[10];
} label_folders;

static const char *const bases[] = {"", "ILSVRC/Data/CLS-LOC/", "Data/CLS-LOC/"};
static const char *const train_names[] = {"train", "ILSVRC2012_img_train"};
static const char *const test_names[] = {"val", "validation", "valid", "test",
                                         "ILSVRC2012_img_val"};

enum {
    BASES = sizeof bases / sizeof *bases,
    TRAIN_NAMES = sizeof train_names / sizeof *train_names,
    TEST_NAMES = sizeof test_names / sizeof *test_names
};

static rn_status open_root(layout *found, const char *folder)
{
    *found = (layout){.root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (found->root >= 0)
        return RN_OK;
    return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot open folder '%s': %s", folder,
                    strerror(errno));
}

static void release(layout *found)
{
    if (found->root >= 0)
        close(found->root);
    rn_free(found->train);
    rn_free(found->test);
}

// A folder without the things asked for is no failure here.
static rn_status holds(bool *folders, bool *pictures, int root, const char *below)
{
    rn_status st;
    rn_folder_items items = {0};

    *folders = *pictures = false;
    st = rn_folder_look(&items, root, below);
    if (st == RN_OK) {
        *folders = items.folders.count > 0;
        *pictures = items.pictures > 0;
    }
    rn_class_list_release(&items.folders);
    return st == RN_ENOMEM ? st : RN_OK;
}

// The first of the names that is a folder with folders in it, or with pictures where `flat`.
static rn_status find_split(char **out, layout *found, const char *base, bool flat)
{
    rn_status st = RN_OK;
    const char *const *names = out == &found->train ? train_names : test_names;
    int count = out == &found->train ? TRAIN_NAMES : TEST_NAMES;
    char *path = NULL;
    bool folders, pictures;

    for (int i = 0; i < count && *out == NULL; i++) {
        RN_TRY(rn_format(&path, "%s%s", base, names[i]));
        RN_TRY(holds(&folders, &pictures, found->root, path));
        if (folders || (pictures && flat)) {
            *out = path;
            path = NULL;
        }
        rn_free(path);
        path = NULL;
    }
out:
    rn_free(path);
    return st;
}

// Beside a training set, or under a name that can be nothing else, test pictures need no folders.
static rn_status find_splits(layout *found)
{
    rn_status st = RN_OK;

    for (int i = 0; i < BASES && found->train == NULL && found->test == NULL; i++) {
        RN_TRY(find_split(&found->train, found, bases[i], false));
        RN_TRY(
            find_split(&found->test, found, bases[i], found->train != NULL || *bases[i] != '\0'));
    }
out:
    return st;
}

// Whether any folder in the root has a picture directly in it, or the root itself in their place.
static rn_status holds_classes(bool *found, int root)
{
    rn_status st = RN_OK;
    rn_folder_items items = {0};
    bool folders;

    *found = false;
    RN_TRY(rn_folder_look(&items, root, ""));
    for (size_t i = 0; i < items.folders.count && !*found; i++)
        RN_TRY(holds(&folders, found, root, items.folders.classes[i].key));
    *found |= items.folders.count == 0 && items.pictures > 0;
out:
    rn_class_list_release(&items.folders);
    return st;
}

rn_status rn_photo_folder_recognise(bool *found, const char *folder)
{
    rn_status st = RN_OK;
    layout places;

    *found = false;
    RN_TRY(open_root(&places, folder));
    RN_TRY(find_splits(&places));
    *found = places.train != NULL || places.test != NULL;
    if (!*found)
        RN_TRY(holds_classes(found, places.root));
out:
    release(&places);
    return st;
}

static rn_status read_classes(rn_class_list *classes, int root, const char *below)
{
    rn_status st = RN_OK;
    rn_folder_items items = {0};

    RN_TRY(rn_folder_look(&items, root, below));
    *classes = items.folders;
    items.folders = (rn_class_list){0};
out:
    rn_class_list_release(&items.folders);
    return st;
}

static rn_status unknown_class(const char *class, const char *below, const char *train)
{
    char shown[200];

    rn_text_escape(shown, sizeof shown, class);
    return rn_error(RN_EFORMAT, "'%s/%s' is a class that '%s' does not have", below, shown, train);
}

static rn_status add_class(rn_photo_list *list, const layout *places, const char *below,
                           const char *class, int32_t label)
{
    rn_status st = RN_OK;
    char *path = NULL;

    RN_TRY(rn_format(&path, "%s%s%s", below, *below == '\0' ? "" : "/", class));
    RN_TRY(rn_photo_walk(list, places->root, path, label));
out:
    rn_free(path);
    return st;
}

static rn_status add_classes(rn_photo_list *list, const layout *places, const char *below,
                             const rn_class_list *classes)
{
    rn_status st = RN_OK;
    rn_class_list folders = {0};

    RN_TRY(read_classes(&folders, places->root, below));
    for (size_t i = 0; i < folders.count; i++) {
        const char *class = folders.classes[i].key;
        int32_t label = rn_class_list_find(classes, class);
        if (label < 0) {
            st = unknown_class(class, below, places->train);
            goto out;
        }
        RN_TRY(add_class(list, places, below, class, label));
    }
    rn_photo_list_sort(list);
out:
    rn_class_list_release(&folders);
    return st;
}

static const char *split_of(const layout *places, rn_split split)
{
    if (places->train == NULL && places->test == NULL)
        return "";
    return split == RN_SPLIT_TRAIN ? places->train : places->test;
}

static rn_status missing_split(const char *folder, rn_split split)
{
    if (split == RN_SPLIT_TRAIN)
        return rn_error(RN_ENOTFOUND,
                        "'%s' has no training pictures: looked for folders of classes in train and "
                        "ILSVRC2012_img_train",
                        folder);
    return rn_error(RN_ENOTFOUND,
                    "'%s' has no test pictures: looked for folders of classes in val, validation, "
                    "valid, test and ILSVRC2012_img_val",
                    folder);
}

// "NAME train": of the folder's own name, wherever it was named from.
static rn_status name_set(char **out, const char *folder, const layout *places, rn_split split)
{
    char whole[PATH_MAX], shown[200];
    const char *path = realpath(folder, whole) != NULL ? whole : folder;
    const char *slash = strrchr(path, '/');

    rn_text_escape(shown, sizeof shown, slash != NULL && slash[1] != '\0' ? slash + 1 : path);
    if (places->train == NULL && places->test == NULL)
        return rn_strdup(out, shown);
    return rn_format(out, "%s %s", shown, split == RN_SPLIT_TRAIN ? "train" : "test");
}

static void release_folders(label_folders *places)
{
    for (int i = 0; places->list[i].path != NULL; i++)
        rn_free(places->list[i].path);
}

static rn_status list_folders(label_folders *places, const char *folder, const char *below)
{
    static const char *const devkits[] = {"", "/ILSVRC2012_devkit_t12/data", "/devkit/data"};
    rn_status st = RN_OK;
    int count = 0;

    for (int i = 0; i < 3; i++) {
        RN_TRY(rn_format(&places->list[count++].path, "%s/%s%s", folder, below, devkits[i]));
        RN_TRY(rn_format(&places->list[count++].path, "%s%s", folder, devkits[i]));
        places->list[count].above = true;
        RN_TRY(rn_format(&places->list[count++].path, "%s/..%s", folder, devkits[i]));
    }
out:
    return st;
}

static rn_status add_flat(rn_photo_list *list, const layout *places, const char *below,
                          rn_class_list *classes, const label_folders *beside)
{
    rn_status st = RN_OK;

    RN_TRY(rn_photo_walk(list, places->root, below, -1));
    rn_photo_list_sort(list);
    RN_TRY(rn_photo_labels_read(list, classes, beside->list));
out:
    return st;
}

// The pictures of the split and their classes.
static rn_status fill(rn_photo_list *list, rn_class_list *classes, const char *folder,
                      const layout *places, const char *below)
{
    rn_status st = RN_OK;
    label_folders beside = {0};
    bool folders, pictures;

    RN_TRY(list_folders(&beside, folder, below));
    RN_TRY(holds(&folders, &pictures, places->root, below));
    RN_TRY(read_classes(classes, places->root, places->train != NULL ? places->train : below));
    if (folders)
        RN_TRY(add_classes(list, places, below, classes));
    else
        RN_TRY(add_flat(list, places, below, classes, &beside));
    RN_TRY(rn_photo_labels_name(classes, beside.list));
out:
    release_folders(&beside);
    return st;
}

static rn_status open_split(rn_samples **out, const char *folder, const layout *places,
                            rn_split split)
{
    rn_status st = RN_OK;
    const char *below = split_of(places, split);
    rn_class_list classes = {0};
    rn_photo_list list = {0};
    char *name = NULL;

    if (below == NULL)
        return missing_split(folder, split);
    RN_TRY(name_set(&name, folder, places, split));
    RN_TRY(fill(&list, &classes, folder, places, below));
    if (list.count == 0) {
        st = rn_error(RN_ENOTFOUND, "'%s/%s' has %zu folders of classes, but no picture in them",
                      folder, below, classes.count);
        goto out;
    }
    RN_TRY(rn_samples_create_listed(out, folder, &list, &classes, name));
out:
    rn_photo_list_release(&list);
    rn_class_list_release(&classes);
    rn_free(name);
    return st;
}

rn_status rn_photo_folder_open(rn_samples **out, const char *folder, rn_split split)
{
    rn_status st = RN_OK;
    layout places;

    *out = NULL;
    RN_TRY(open_root(&places, folder));
    RN_TRY(find_splits(&places));
    RN_TRY(open_split(out, folder, &places, split));
out:
    release(&places);
    return st;
}
