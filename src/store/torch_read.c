#include "store/foreign.h"
#include "store/torch.h"

#include "base/memory.h"

#include <string.h>

enum { TAR_MAGIC = 257 };

static const size_t COPIES = 8;              // bytes of floats, a byte of the file
static const size_t FREE_COPIES = 64 * 1024; // and whatever its size

/** What the tensors' names and data point into. */
typedef struct owner {
    char *bytes;
    char *names;
    float *converted;
} owner;

static void release_owner(void *memory)
{
    owner *own = memory;

    if (own == NULL)
        return;
    rn_free(own->bytes);
    rn_free(own->names);
    rn_free(own->converted);
    rn_free(own);
}

static bool is_zip(const char *bytes, size_t size)
{
    return size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

static bool is_tar(const char *bytes, size_t size)
{
    return size >= TAR_MAGIC + 5 && memcmp(bytes + TAR_MAGIC, "ustar", 5) == 0;
}

// A safetensors file, too, may begin with 0x80 0x02: its header's length, whose upper bytes are 0.
static bool is_pickle(const char *bytes, size_t size)
{
    static const char decimal[] = "L119547037146038801333356L\n";

    if (size >= sizeof decimal - 1 && memcmp(bytes, decimal, sizeof decimal - 1) == 0)
        return true;
    return size >= 9 && (unsigned char)bytes[0] == 0x80 && bytes[1] >= 1 && bytes[1] <= 5 &&
           memcmp(bytes + 3, "\0\0\0\0\0{", 6) != 0;
}

bool rn_torch_recognise(const char *bytes, size_t size)
{
    return is_zip(bytes, size) || is_pickle(bytes, size) || is_tar(bytes, size);
}

static rn_status open_file(rn_torch_file *file)
{
    if (is_zip(file->bytes, file->size))
        return rn_torch_open_zip(file);
    if (is_tar(file->bytes, file->size))
        return rn_error(
            RN_EUNSUPPORTED,
            "a tar archive, PyTorch's format before version 0.1.10: load it with PyTorch "
            "(weights_only=False) and save it anew");
    if (!is_pickle(file->bytes, file->size))
        return rn_error(RN_EFORMAT, "neither a zip archive nor a pickle, no file of PyTorch");
    return rn_torch_open_legacy(file);
}

static bool needs_copy(const rn_torch_layout *layout)
{
    return layout->type->form != RN_TORCH_NO_FLOAT && !layout->in_place;
}

// How many floats must be converted or gathered. A stride of 0 makes any number of one element, and
// any number of tensors may share a storage, each of which becomes a parameter of its own: so their
// floats, unlike the rest, are not bounded by the file's size.
static rn_status count_copies(size_t *floats, const rn_torch_file *file,
                              const rn_torch_entry *entries, size_t count)
{
    const size_t limit = (file->size * COPIES + FREE_COPIES) / sizeof(float);
    rn_torch_layout layout;
    size_t all = 0;

    *floats = 0;
    for (size_t i = 0; i < count; i++) {
        int shown = (int)(entries[i].length > 100 ? 100 : entries[i].length);
        rn_status st = rn_torch_layout_of(&layout, file, entries[i].tensor);
        if (st != RN_OK)
            return rn_error_prefix(st, "tensor '%.*s'", shown, entries[i].name);
        if (layout.type->form == RN_TORCH_NO_FLOAT)
            continue;
        if (layout.count > limit - all)
            return rn_error(RN_EFORMAT,
                            "tensor '%.*s' and those before it have %zu elements, more than a "
                            "file of %zu bytes may be expanded to",
                            shown, entries[i].name, all + layout.count, file->size);
        all += layout.count;
        if (needs_copy(&layout))
            *floats += layout.count;
    }
    return RN_OK;
}

static void fill_tensor(rn_foreign_tensor *out, const rn_torch_layout *layout, float **converted)
{
    out->type = layout->type->name;
    out->tensor.dims = layout->dims;
    memcpy(out->tensor.shape, layout->shape, sizeof layout->shape);
    out->tensor.count = layout->count;
    if (!needs_copy(layout)) {
        out->tensor.data = layout->type->form == RN_TORCH_NO_FLOAT ? NULL : layout->data;
        return;
    }
    rn_torch_convert(*converted, layout);
    out->tensor.data = *converted;
    *converted += layout->count;
}

static rn_status copy_names(owner *own, rn_foreign *foreign, const rn_torch_entry *entries)
{
    rn_status st = RN_OK;
    size_t bytes = 0;

    for (size_t i = 0; i < foreign->count; i++)
        bytes += entries[i].length + 1;
    RN_TRY(rn_alloc((void **)&own->names, bytes, 1));
    char *name = own->names;
    for (size_t i = 0; i < foreign->count; i++) {
        memcpy(name, entries[i].name, entries[i].length);
        foreign->tensors[i].tensor.name = name;
        name += entries[i].length + 1;
    }
out:
    return st;
}

static rn_status read_tensors(rn_foreign *foreign, const rn_torch_file *file,
                              const rn_torch_entry *entries)
{
    rn_status st = RN_OK;
    owner *own = foreign->owner;
    size_t floats = 0;
    rn_torch_layout layout;

    RN_TRY(count_copies(&floats, file, entries, foreign->count));
    RN_TRY(RN_NEW(&own->converted, floats));
    RN_TRY(RN_NEW(&foreign->tensors, foreign->count));
    RN_TRY(copy_names(own, foreign, entries));
    float *converted = own->converted;
    for (size_t i = 0; i < foreign->count; i++) {
        RN_TRY(rn_torch_layout_of(&layout, file, entries[i].tensor));
        fill_tensor(&foreign->tensors[i], &layout, &converted);
    }
out:
    return st;
}

static rn_status create(rn_foreign **out, char *bytes)
{
    rn_status st = RN_OK;
    rn_foreign *foreign = NULL;
    owner *own = NULL;

    RN_TRY(RN_NEW(&foreign, 1));
    RN_TRY(RN_NEW(&own, 1));
    own->bytes = bytes;
    bytes = NULL; // now the owner's
    foreign->owner = own;
    foreign->release = release_owner;
    *out = foreign;
    foreign = NULL; // now the caller's
out:
    rn_foreign_free(foreign);
    rn_free(bytes);
    return st;
}

rn_status rn_torch_parse(rn_foreign **out, char *bytes, size_t size)
{
    rn_status st = RN_OK;
    rn_foreign *foreign = NULL;
    rn_torch_file file = {.bytes = bytes, .size = size};
    rn_torch_entry *entries = NULL;

    *out = NULL;
    RN_TRY(create(&foreign, bytes));
    RN_TRY(open_file(&file));
    RN_TRY(rn_torch_list_entries(&entries, &foreign->count, file.pickle));
    RN_TRY(read_tensors(foreign, &file, entries));
    *out = foreign;
    foreign = NULL; // now the caller's
out:
    rn_free(entries);
    rn_torch_file_release(&file);
    rn_foreign_free(foreign);
    return st;
}
