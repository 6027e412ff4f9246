#include "data/photo_walk.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** A folder that was entered, whatever it was called. */
typedef struct identity {
    dev_t device;
    ino_t inode;
} identity;

typedef struct walker {
    rn_photo_list *list;
    int root;
    int32_t label;
    void *seen; // tree of identities
} walker;

static rn_status folder_error(const char *below)
{
    int error = errno;
    char shown[512];

    rn_text_escape(shown, sizeof shown, *below == '\0' ? "." : below);
    return rn_error(error == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot read folder '%s': %s", shown,
                    strerror(error));
}

// NULL and errno on failure.
static DIR *open_below(int root, const char *below)
{
    int descriptor = rn_open_at(root, *below == '\0' ? "." : below, O_RDONLY | O_DIRECTORY);
    DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);

    if (directory == NULL && descriptor >= 0)
        close(descriptor);
    return directory;
}

// The file system mostly says what an entry is; only links and some file systems need a question.
static bool is_folder(DIR *directory, const struct dirent *entry)
{
    struct stat info;

    if (entry->d_type == DT_DIR)
        return true;
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
        return false;
    return fstatat(dirfd(directory), entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

// The next entry that is not hidden; NULL at the end, with errno 0, or after an error.
static const struct dirent *next_entry(DIR *directory)
{
    const struct dirent *entry;

    do {
        errno = 0;
        entry = readdir(directory);
    } while (entry != NULL && entry->d_name[0] == '.');
    return entry;
}

rn_status rn_folder_look(rn_folder_items *items, int root, const char *below)
{
    rn_status st = RN_OK;
    DIR *directory = open_below(root, below);
    const struct dirent *entry;

    if (directory == NULL)
        return folder_error(below);
    while ((entry = next_entry(directory)) != NULL) {
        if (is_folder(directory, entry))
            RN_TRY(rn_class_list_add(&items->folders, entry->d_name, strlen(entry->d_name), NULL));
        else
            items->pictures += rn_is_photo_name(entry->d_name);
    }
    st = errno != 0 ? folder_error(below) : rn_class_list_sort(&items->folders);
out:
    closedir(directory);
    return st;
}

static int compare(const void *a, const void *b)
{
    const identity *x = a, *y = b;

    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->inode == y->inode ? 0 : x->inode < y->inode ? -1 : 1;
}

static rn_status enter(bool *fresh, walker *w, const struct stat *info)
{
    rn_status st = RN_OK;
    identity *id = NULL;

    *fresh = false;
    RN_TRY(RN_NEW(&id, 1));
    *id = (identity){info->st_dev, info->st_ino};
    identity *const *found = tsearch(id, &w->seen, compare);
    if (found == NULL)
        st = rn_error(RN_ENOMEM, "out of memory for folders");
    else if (*found == id) {
        *fresh = true;
        id = NULL; // now the tree's
    }
out:
    rn_free(id);
    return st;
}

// Folders that hold the root are taken as entered, so that a link upwards leads nowhere.
static rn_status enter_parents(walker *w, const char *nearest)
{
    rn_status st = RN_OK;
    char *up = NULL;
    struct stat info;
    bool fresh = true;

    RN_TRY(rn_strdup(&up, nearest));
    while (fresh && strlen(up) < RN_PHOTO_NAME_BYTES && fstatat(w->root, up, &info, 0) == 0) {
        char *next = NULL;
        RN_TRY(enter(&fresh, w, &info)); // the topmost is its own parent
        RN_TRY(rn_format(&next, "%s/..", up));
        rn_free(up);
        up = next;
    }
out:
    rn_free(up);
    return st;
}

// So are those between the root and `below`: the folder of the classes holds other classes, too.
static rn_status enter_prefixes(walker *w, const char *below)
{
    rn_status st = RN_OK;
    char *prefix = NULL;
    struct stat info;
    bool fresh;

    RN_TRY(rn_strdup(&prefix, below));
    for (char *end = strrchr(prefix, '/'); end != NULL; end = strrchr(prefix, '/')) {
        *end = '\0';
        if (fstatat(w->root, prefix, &info, 0) == 0)
            RN_TRY(enter(&fresh, w, &info));
    }
out:
    rn_free(prefix);
    return st;
}

static rn_status add_pictures(walker *w, rn_class_list *folders, DIR *directory, const char *below)
{
    rn_status st = RN_OK;
    const struct dirent *entry;

    while ((entry = next_entry(directory)) != NULL) {
        if (is_folder(directory, entry))
            RN_TRY(rn_class_list_add(folders, entry->d_name, strlen(entry->d_name), NULL));
        else if (rn_is_photo_name(entry->d_name))
            RN_TRY(rn_photo_list_add(w->list, below, entry->d_name, w->label));
    }
    if (errno != 0)
        st = folder_error(below);
out:
    return st;
}

// Adds a folder's pictures, and what folders are in it, unless it was entered before. Closes it: a
// deep tree must not hold a descriptor for each level.
static rn_status read_folder(walker *w, rn_class_list *folders, const char *below)
{
    rn_status st = RN_OK;
    DIR *directory = open_below(w->root, below);
    struct stat info;
    bool fresh;

    if (directory == NULL)
        return folder_error(below);
    if (fstat(dirfd(directory), &info) != 0) {
        st = folder_error(below);
        goto out;
    }
    RN_TRY(enter(&fresh, w, &info));
    if (fresh)
        RN_TRY(add_pictures(w, folders, directory, below));
out:
    closedir(directory);
    return st;
}

// Sub-folders are entered in order, so that which of two names of one folder counts is certain.
static rn_status walk(walker *w, const char *below)
{
    rn_status st = RN_OK;
    rn_class_list folders = {0};
    char *path = NULL;

    RN_TRY(read_folder(w, &folders, below));
    RN_TRY(rn_class_list_sort(&folders));
    for (size_t i = 0; i < folders.count; i++) {
        RN_TRY(rn_photo_name_check(below, folders.classes[i].key));
        RN_TRY(
            rn_format(&path, "%s%s%s", below, *below == '\0' ? "" : "/", folders.classes[i].key));
        RN_TRY(walk(w, path));
        rn_free(path);
        path = NULL;
    }
out:
    rn_free(path);
    rn_class_list_release(&folders);
    return st;
}

rn_status rn_photo_walk(rn_photo_list *list, int root, const char *below, int32_t label)
{
    rn_status st = RN_OK;
    walker w = {.list = list, .root = root, .label = label};

    RN_TRY(enter_parents(&w, *below == '\0' ? ".." : "."));
    RN_TRY(enter_prefixes(&w, below));
    RN_TRY(walk(&w, below));
out:
    tdestroy(w.seen, rn_free);
    return st;
}
