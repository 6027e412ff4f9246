#include "data/pack.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/photos.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

struct rn_pack {
    char *path;
    int descriptor;
    uint64_t file_bytes;
    rn_pack_header header;
    uint8_t *index; // and behind it all names, as in the file
    const char *names, *class_names;
};

static rn_status read_at(const rn_pack *pack, void *data, size_t bytes, uint64_t offset)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got =
            pread(pack->descriptor, (char *)data + done, bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return rn_error(RN_EIO, "cannot read '%s' at byte %llu: %s", pack->path,
                            (unsigned long long)(offset + done),
                            got < 0 ? strerror(errno) : "the file ends there");
        done += (size_t)got;
    }
    return RN_OK;
}

static rn_status read_header(rn_pack *pack)
{
    rn_status st = RN_OK;
    uint8_t bytes[RN_PACK_HEADER];

    if (pack->file_bytes < RN_PACK_HEADER)
        return rn_error(RN_EFORMAT, "'%s' has %llu bytes, a pack has at least %d", pack->path,
                        (unsigned long long)pack->file_bytes, RN_PACK_HEADER);
    RN_TRY(read_at(pack, bytes, sizeof bytes, 0));
    if (!rn_pack_header_read(&pack->header, bytes))
        st = rn_error(RN_EFORMAT, "'%s' is not a pack of version %d, or its header is damaged",
                      pack->path, RN_PACK_VERSION);
    else if (!pack->header.complete)
        st = rn_error(RN_EFORMAT, "'%s' is a pack that was not finished", pack->path);
out:
    return st;
}

// The tables fill the file from where they begin to its end, exactly.
static rn_status check_sizes(const rn_pack *pack)
{
    const rn_pack_header *h = &pack->header;
    uint64_t end;

    if (__builtin_mul_overflow(h->count, (uint64_t)RN_PACK_ENTRY, &end) ||
        __builtin_add_overflow(end, h->index, &end) ||
        __builtin_add_overflow(end, h->names_bytes, &end) ||
        __builtin_add_overflow(end, h->class_bytes, &end) || end != pack->file_bytes ||
        h->index < RN_PACK_HEADER)
        return rn_error(RN_EFORMAT,
                        "'%s' has %llu bytes, which is not what its header says: it is cut off or "
                        "damaged",
                        pack->path, (unsigned long long)pack->file_bytes);
    if (h->count < 1 || h->count > UINT32_MAX || h->classes < 1 || h->classes > RN_MOST_CLASSES ||
        h->splits > 1 || h->train > h->count || (h->splits == 0 && h->train != h->count))
        return rn_error(RN_EFORMAT,
                        "'%s': %llu pictures, %llu to train, %llu classes: out of range",
                        pack->path, (unsigned long long)h->count, (unsigned long long)h->train,
                        (unsigned long long)h->classes);
    return RN_OK;
}

// Not a mapping: the file may be cut off or overwritten while it is in use.
static rn_status read_tables(rn_pack *pack)
{
    rn_status st = RN_OK;
    const rn_pack_header *h = &pack->header;
    size_t bytes = (size_t)(pack->file_bytes - h->index);

    RN_TRY(RN_NEW(&pack->index, bytes));
    RN_TRY(read_at(pack, pack->index, bytes, h->index));
    pack->names = (const char *)pack->index + h->count * RN_PACK_ENTRY;
    pack->class_names = pack->names + h->names_bytes;
out:
    return st;
}

static bool is_sum_right(const rn_pack *pack)
{
    const rn_pack_header *h = &pack->header;
    size_t bytes = (size_t)(pack->file_bytes - h->index);

    return (uint32_t)crc32_z(0, pack->index, bytes) == h->tables_sum;
}

// Sums are no defence against malice: every entry must lie where it may.
static rn_status check_entries(const rn_pack *pack)
{
    const rn_pack_header *h = &pack->header;

    if (h->names_bytes < 1 || pack->names[h->names_bytes - 1] != '\0')
        return rn_error(RN_EFORMAT, "'%s': names of pictures have no end", pack->path);
    for (size_t i = 0; i < h->count; i++) {
        rn_pack_entry e;
        rn_pack_entry_of(&e, pack, i);
        if (e.offset < RN_PACK_HEADER + RN_PACK_RECORD || e.offset > h->index ||
            e.size > h->index - e.offset || e.size > RN_PHOTO_BYTES || e.name >= h->names_bytes ||
            e.label < -1 || e.label >= (int64_t)h->classes ||
            strnlen(pack->names + e.name, RN_PHOTO_NAME_BYTES + 1) > RN_PHOTO_NAME_BYTES)
            return rn_error(RN_EFORMAT,
                            "'%s', entry %zu: offset %llu, size %u, label %d, name %llu: out of "
                            "range",
                            pack->path, i, (unsigned long long)e.offset, e.size, e.label,
                            (unsigned long long)e.name);
    }
    return RN_OK;
}

static rn_status check_class_names(const rn_pack *pack)
{
    const char *at = pack->class_names, *end = at + pack->header.class_bytes;
    uint64_t found = 0;

    for (; at < end; found++) {
        const char *nul = memchr(at, '\0', (size_t)(end - at));
        if (nul == NULL)
            return rn_error(RN_EFORMAT, "'%s': names of classes have no end", pack->path);
        at = nul + 1;
    }
    if (found != pack->header.classes)
        return rn_error(RN_EFORMAT, "'%s' names %llu classes, expected %llu", pack->path,
                        (unsigned long long)found, (unsigned long long)pack->header.classes);
    return RN_OK;
}

rn_status rn_pack_open(rn_pack **out, const char *path)
{
    rn_status st = RN_OK;
    rn_pack *pack = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&pack, 1));
    pack->descriptor = -1;
    RN_TRY(rn_strdup(&pack->path, path));
    RN_TRY(rn_file_open(&pack->descriptor, &pack->file_bytes, path));
    RN_TRY(read_header(pack));
    RN_TRY(check_sizes(pack));
    RN_TRY(read_tables(pack));
    if (!is_sum_right(pack)) {
        st = rn_error(RN_EFORMAT, "'%s': the index is damaged: its sum is wrong", path);
        goto out;
    }
    RN_TRY(check_entries(pack));
    RN_TRY(check_class_names(pack));
    *out = pack;
    pack = NULL;
out:
    rn_pack_close(pack);
    return st;
}

void rn_pack_close(rn_pack *pack)
{
    if (pack == NULL)
        return;
    if (pack->descriptor >= 0)
        close(pack->descriptor);
    rn_free(pack->index);
    rn_free(pack->path);
    rn_free(pack);
}

const rn_pack_header *rn_pack_header_of(const rn_pack *pack)
{
    return &pack->header;
}

void rn_pack_entry_of(rn_pack_entry *entry, const rn_pack *pack, size_t index)
{
    rn_pack_entry_read(entry, pack->index + index * RN_PACK_ENTRY);
}

const char *rn_pack_name(const rn_pack *pack, size_t index)
{
    rn_pack_entry entry;

    rn_pack_entry_of(&entry, pack, index);
    return pack->names + entry.name;
}

rn_status rn_pack_classes(rn_class_list *classes, const rn_pack *pack)
{
    rn_status st = RN_OK;
    const char *at = pack->class_names;

    for (uint64_t i = 0; i < pack->header.classes; i++, at += strlen(at) + 1)
        RN_TRY(rn_class_list_add(classes, at, strlen(at), NULL));
out:
    return st;
}

rn_status rn_pack_read(rn_photo *out, const rn_pack *pack, size_t index)
{
    rn_status st = RN_OK;
    rn_pack_entry entry;
    uint8_t *bytes = NULL;
    char shown[512];

    *out = (rn_photo){0};
    rn_pack_entry_of(&entry, pack, index);
    RN_TRY(RN_NEW(&bytes, entry.size));
    RN_TRY(read_at(pack, bytes, entry.size, entry.offset));
    if ((uint32_t)crc32_z(0, bytes, entry.size) != entry.sum) {
        rn_text_escape(shown, sizeof shown, rn_pack_name(pack, index));
        st = rn_error(RN_EFORMAT, "'%s' in '%s' is damaged: the sum of its bytes is wrong", shown,
                      pack->path);
        goto out;
    }
    *out = (rn_photo){bytes, entry.size, bytes};
    bytes = NULL;
out:
    rn_free(bytes);
    return st;
}
