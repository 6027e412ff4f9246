#include "store/zip_read.h"

#include "base/memory.h"
#include "store/safetensors.h"

#include <stdlib.h>
#include <string.h>

// Sizes and places of APPNOTE.TXT, 4.3.7 to 4.3.16.
enum {
    LOCAL_HEADER = 30,
    CENTRAL_HEADER = 46,
    END = 22,
    END_COMMENT = 65535, // at most
    ZIP64_END = 56,
    ZIP64_LOCATOR = 20,
    ZIP64_EXTRA = 1, // the extra field with 64-bit sizes
    ENCRYPTED = 1,   // flag
    SHOWN = 100      // most bytes of a name in a message
};

/** The directory as its end record tells it. */
typedef struct directory {
    uint64_t begin, size, entries;
    uint64_t end; // of the place where it may lie: the first end record
} directory;

static uint64_t number(const char *bytes, int width)
{
    uint64_t value = 0;

    for (int i = width; i-- > 0;)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static bool is_signature(const char *bytes, const char *signature)
{
    return memcmp(bytes, signature, 4) == 0;
}

static int shown(const rn_zip_entry *entry)
{
    return entry->name_length > SHOWN ? SHOWN : (int)entry->name_length;
}

// The end record comes last, but for a comment whose length it tells.
static rn_status find_end(size_t *place, const char *bytes, size_t size)
{
    size_t comment_limit = size - END < END_COMMENT ? size - END : END_COMMENT;

    for (size_t comment = 0; comment <= comment_limit; comment++) {
        const char *end = bytes + size - END - comment;
        if (is_signature(end, "PK\5\6") && number(end + 20, 2) == comment) {
            *place = size - END - comment;
            return RN_OK;
        }
    }
    return rn_error(RN_EFORMAT, "zip archive without its central directory: it is cut short");
}

// A field of the old record that holds its greatest value says that ZIP64's has the number.
static bool contradicts(const char *field, int width, uint64_t zip64)
{
    uint64_t value = number(field, width);

    return value != zip64 && value != (width == 2 ? UINT16_MAX : UINT32_MAX);
}

static rn_status read_zip64_end(directory *found, const char *bytes, size_t end)
{
    const char *locator = bytes + end - ZIP64_LOCATOR;
    uint64_t place = number(locator + 8, 8);

    if (place > end - ZIP64_LOCATOR || end - ZIP64_LOCATOR - place < ZIP64_END ||
        !is_signature(bytes + place, "PK\6\6"))
        return rn_error(RN_EFORMAT, "zip archive: no ZIP64 end record at byte %llu",
                        (unsigned long long)place);
    const char *record = bytes + place;
    *found = (directory){.entries = number(record + 32, 8),
                         .size = number(record + 40, 8),
                         .begin = number(record + 48, 8),
                         .end = place};
    if (contradicts(bytes + end + 10, 2, found->entries) ||
        contradicts(bytes + end + 12, 4, found->size) ||
        contradicts(bytes + end + 16, 4, found->begin))
        return rn_error(RN_EFORMAT, "zip archive: its two end records differ");
    return RN_OK;
}

static rn_status read_end(directory *found, const char *bytes, size_t size)
{
    rn_status st = RN_OK;
    size_t end = 0;

    if (size < END)
        return rn_error(RN_EFORMAT, "zip archive of %zu bytes, expected at least %d", size, END);
    RN_TRY(find_end(&end, bytes, size));
    if (end >= ZIP64_LOCATOR && is_signature(bytes + end - ZIP64_LOCATOR, "PK\6\7"))
        RN_TRY(read_zip64_end(found, bytes, end));
    else
        *found = (directory){.entries = number(bytes + end + 10, 2),
                             .size = number(bytes + end + 12, 4),
                             .begin = number(bytes + end + 16, 4),
                             .end = end};
    if (found->begin > found->end || found->size > found->end - found->begin ||
        found->entries > found->size / CENTRAL_HEADER)
        st = rn_error(RN_EFORMAT,
                      "zip archive: a directory of %llu entries in %llu bytes at byte %llu does "
                      "not fit into it",
                      (unsigned long long)found->entries, (unsigned long long)found->size,
                      (unsigned long long)found->begin);
out:
    return st;
}

// ZIP64's field holds, in this order, those of the numbers that do not fit into 32 bits.
static rn_status read_zip64_extra(rn_zip_entry *entry, uint64_t *stored, const char *extra,
                                  size_t length)
{
    uint64_t *const numbers[] = {&entry->size, stored, &entry->header};

    while (length >= 4 && number(extra, 2) != ZIP64_EXTRA) {
        size_t field = 4 + (size_t)number(extra + 2, 2);
        if (field > length)
            break;
        extra += field;
        length -= field;
    }
    size_t left = length < 4 || number(extra, 2) != ZIP64_EXTRA ? 0 : (size_t)number(extra + 2, 2);
    if (left > 0 && left > length - 4)
        left = 0;
    extra += 4;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (*numbers[i] != UINT32_MAX)
            continue;
        if (left < 8)
            return rn_error(RN_EFORMAT, "zip entry '%.*s' lacks its 64-bit sizes", shown(entry),
                            entry->name);
        *numbers[i] = number(extra, 8);
        extra += 8;
        left -= 8;
    }
    return RN_OK;
}

// Names are only compared here; but who unpacks the archive should not be led astray either.
static rn_status check_name(const rn_zip_entry *entry)
{
    const char *name = entry->name, *end = entry->name + entry->name_length;
    bool safe =
        entry->name_length > 0 && *name != '/' && memchr(name, '\0', entry->name_length) == NULL;

    while (safe && name < end) {
        const char *slash = memchr(name, '/', (size_t)(end - name));
        const char *stop = slash == NULL ? end : slash;
        safe = !(stop - name == 2 && name[0] == '.' && name[1] == '.');
        name = stop + 1;
    }
    if (!safe)
        return rn_error(RN_EFORMAT, "zip entry '%.*s' has a name that is not allowed", shown(entry),
                        entry->name);
    return RN_OK;
}

// The local header repeats the name, and has an extra field of its own.
static rn_status locate_data(const rn_zip *zip, rn_zip_entry *entry, uint64_t stored)
{
    uint64_t limit = zip->directory;

    if (entry->header > limit || limit - entry->header < LOCAL_HEADER ||
        !is_signature(zip->bytes + entry->header, "PK\3\4"))
        return rn_error(RN_EFORMAT, "zip entry '%.*s': no local header at byte %llu", shown(entry),
                        entry->name, (unsigned long long)entry->header);
    const char *local = zip->bytes + entry->header;
    uint64_t name_length = number(local + 26, 2);
    uint64_t data = entry->header + LOCAL_HEADER + name_length + number(local + 28, 2);
    if (data > limit || stored > limit - data)
        return rn_error(RN_EFORMAT, "zip entry '%.*s': %llu bytes at byte %llu reach beyond %llu",
                        shown(entry), entry->name, (unsigned long long)stored,
                        (unsigned long long)data, (unsigned long long)limit);
    if (name_length != entry->name_length ||
        memcmp(local + LOCAL_HEADER, entry->name, entry->name_length) != 0)
        return rn_error(RN_EFORMAT, "zip entry '%.*s' has another name in its local header",
                        shown(entry), entry->name);
    if (entry->method == 0 && entry->size != stored)
        return rn_error(RN_EFORMAT, "zip entry '%.*s' has %llu bytes stored as %llu", shown(entry),
                        entry->name, (unsigned long long)entry->size, (unsigned long long)stored);
    entry->data = zip->bytes + data;
    entry->size = stored;
    return RN_OK;
}

// One header of the central directory, of `left` bytes; `*length` is what it takes of them.
static rn_status read_entry(const rn_zip *zip, rn_zip_entry *entry, const char *header,
                            uint64_t left, uint64_t *length)
{
    rn_status st = RN_OK;

    if (left < CENTRAL_HEADER || !is_signature(header, "PK\1\2"))
        return rn_error(RN_EFORMAT, "zip archive: no entry at byte %td of its directory",
                        header - zip->bytes - (ptrdiff_t)zip->directory);
    uint64_t name = number(header + 28, 2), extra = number(header + 30, 2);
    *length = CENTRAL_HEADER + name + extra + number(header + 32, 2);
    if (*length > left)
        return rn_error(RN_EFORMAT, "zip archive: its directory is cut short");
    *entry = (rn_zip_entry){.name = header + CENTRAL_HEADER,
                            .name_length = (size_t)name,
                            .size = number(header + 24, 4),
                            .header = number(header + 42, 4),
                            .crc32 = (uint32_t)number(header + 16, 4),
                            .method = (uint16_t)number(header + 10, 2),
                            .encrypted = (number(header + 8, 2) & ENCRYPTED) != 0};
    uint64_t stored = number(header + 20, 4);
    RN_TRY(read_zip64_extra(entry, &stored, header + CENTRAL_HEADER + name, (size_t)extra));
    RN_TRY(check_name(entry));
    RN_TRY(locate_data(zip, entry, stored));
out:
    return st;
}

static rn_status read_entries(rn_zip *zip, const directory *found)
{
    rn_status st = RN_OK;
    const char *header = zip->bytes + found->begin;
    uint64_t left = found->size, length = 0;

    RN_TRY(RN_NEW(&zip->entries, (size_t)found->entries));
    for (; zip->count < found->entries; zip->count++, header += length, left -= length)
        RN_TRY(read_entry(zip, &zip->entries[zip->count], header, left, &length));
    if (zip->count > 0) {
        zip->first_name = zip->entries[0].name;
        zip->first_name_length = zip->entries[0].name_length;
    }
out:
    return st;
}

static int compare_places(const void *a, const void *b)
{
    const rn_zip_entry *x = a, *y = b;

    return x->header == y->header ? 0 : x->header < y->header ? -1 : 1;
}

static int compare_names(const void *a, const void *b)
{
    const rn_zip_entry *x = a, *y = b;

    if (x->name_length != y->name_length)
        return x->name_length < y->name_length ? -1 : 1;
    return memcmp(x->name, y->name, x->name_length);
}

// Entries that share bytes are how a small archive claims to hold a large one.
static rn_status check_overlaps(rn_zip *zip)
{
    qsort(zip->entries, zip->count, sizeof *zip->entries, compare_places);
    for (size_t i = 1; i < zip->count; i++) {
        const rn_zip_entry *entry = &zip->entries[i], *before = entry - 1;
        if (before->data + before->size > zip->bytes + entry->header)
            return rn_error(RN_EFORMAT, "zip entries '%.*s' and '%.*s' overlap", shown(before),
                            before->name, shown(entry), entry->name);
    }
    return RN_OK;
}

static rn_status check_unique(rn_zip *zip)
{
    qsort(zip->entries, zip->count, sizeof *zip->entries, compare_names);
    for (size_t i = 1; i < zip->count; i++) {
        const rn_zip_entry *entry = &zip->entries[i];
        if (compare_names(entry - 1, entry) == 0)
            return rn_error(RN_EFORMAT, "zip entry '%.*s' appears twice", shown(entry),
                            entry->name);
    }
    return RN_OK;
}

rn_status rn_zip_open(rn_zip **out, const char *bytes, size_t size)
{
    rn_status st = RN_OK;
    rn_zip *zip = NULL;
    directory found = {0};

    *out = NULL;
    RN_TRY(read_end(&found, bytes, size));
    RN_TRY(RN_NEW(&zip, 1));
    zip->bytes = bytes;
    zip->directory = found.begin;
    RN_TRY(read_entries(zip, &found));
    RN_TRY(check_overlaps(zip));
    RN_TRY(check_unique(zip));
    *out = zip;
    zip = NULL; // now the caller's
out:
    rn_zip_free(zip);
    return st;
}

void rn_zip_free(rn_zip *zip)
{
    if (zip == NULL)
        return;
    rn_free(zip->entries);
    rn_free(zip);
}

const rn_zip_entry *rn_zip_find(const rn_zip *zip, const char *name, size_t length)
{
    const rn_zip_entry wanted = {.name = name, .name_length = length};

    return bsearch(&wanted, zip->entries, zip->count, sizeof *zip->entries, compare_names);
}

rn_status rn_zip_check(const rn_zip_entry *entry)
{
    if (entry->encrypted)
        return rn_error(RN_EFORMAT, "zip entry '%.*s' is encrypted", shown(entry), entry->name);
    if (entry->method != 0)
        return rn_error(RN_EFORMAT,
                        "zip entry '%.*s' is compressed (method %u), expected it stored as PyTorch "
                        "does",
                        shown(entry), entry->name, entry->method);
    // PyTorch writes 0 where it was told not to compute checksums.
    uint32_t found = rn_crc32(0, entry->data, (size_t)entry->size);
    if (entry->crc32 != 0 && found != entry->crc32)
        return rn_error(RN_EFORMAT,
                        "zip entry '%.*s' has checksum %08x, expected %08x: it is damaged",
                        shown(entry), entry->name, found, entry->crc32);
    return RN_OK;
}
