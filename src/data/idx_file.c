#include "data/idx.h"

#include "base/file.h"
#include "base/memory.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
    MAX_SIDE = 4096,
    MAX_HEADER = 4 + 4 * 4,
    FIRST_ROOM = 1 << 20,  // bytes
    GZIP_WINDOW = 15 + 16, // zlib: a gzip header is required
    DEFLATE_RATIO = 1032   // the most that deflate can expand one byte to
};

static const uint64_t max_file_bytes = UINT64_C(4) << 30;

// Stem, then the number of dimensions, with both separators that are in use.
static rn_status build_path(char **out, const char *folder, int name, rn_split split, bool labels)
{
    const char *stem = split == RN_SPLIT_TRAIN ? "train" : "t10k";
    int dims = labels ? 1 : name / 4 == 0 ? 3 : 4;

    return rn_format(out, "%s/%s-%s%cidx%d-ubyte%s", folder, stem, labels ? "labels" : "images",
                     name / 2 % 2 == 0 ? '-' : '.', dims, name % 2 == 0 ? "" : ".gz");
}

// *path is NULL where there is none.
static rn_status find_file(char **path, const char *folder, rn_split split, bool labels)
{
    rn_status st = RN_OK;

    *path = NULL;
    for (int name = 0; name < (labels ? 4 : 8); name++) {
        RN_TRY(build_path(path, folder, name, split, labels));
        // A folder or a pipe of that name is found too, and then refused by name.
        if (access(*path, F_OK) == 0)
            return RN_OK;
        rn_free(*path);
        *path = NULL;
    }
out:
    return st;
}

static rn_status find_or_explain(char **path, const char *folder, rn_split split, bool labels)
{
    rn_status st = RN_OK;
    char *usual = NULL;

    RN_TRY(find_file(path, folder, split, labels));
    if (*path == NULL) {
        RN_TRY(build_path(&usual, folder, 0, split, labels));
        st = rn_error(RN_ENOTFOUND, "no '%s', nor with '.idx' or '.gz'", usual);
    }
out:
    rn_free(usual);
    return st;
}

rn_status rn_idx_recognise(bool *found, const char *folder)
{
    rn_status st = RN_OK;

    *found = false;
    for (int i = 0; i < 4 && !*found; i++) {
        char *path;
        RN_TRY(find_file(&path, folder, i % 2 == 0 ? RN_SPLIT_TRAIN : RN_SPLIT_TEST, i / 2 == 0));
        *found = path != NULL;
        rn_free(path);
    }
out:
    return st;
}

/** The values of a file, one stretch after another. */
typedef struct reader {
    const rn_idx *idx;
    size_t taken; // bytes of idx->bytes, when plain or given to zlib
    z_stream zlib;
} reader;

static rn_status reader_init(reader *r, const rn_idx *idx)
{
    *r = (reader){.idx = idx};
    if (idx->compressed && inflateInit2(&r->zlib, GZIP_WINDOW) != Z_OK)
        return rn_error(RN_ENOMEM, "out of memory: cannot decompress '%s'", idx->path);
    return RN_OK;
}

static void reader_release(reader *r)
{
    if (r->idx != NULL && r->idx->compressed)
        inflateEnd(&r->zlib);
}

// zlib counts in 32 bits: hand the file over in pieces.
static void refill(reader *r)
{
    size_t left = r->idx->size - r->taken;
    uInt piece = left > INT_MAX ? INT_MAX : (uInt)left;

    if (r->zlib.avail_in > 0 || piece == 0)
        return;
    r->zlib.next_in = (Bytef *)r->idx->bytes + r->taken;
    r->zlib.avail_in = piece;
    r->taken += piece;
}

static rn_status gzip_error(const reader *r, int code)
{
    const rn_idx *idx = r->idx;
    size_t at = r->taken - r->zlib.avail_in;

    if (code == Z_MEM_ERROR)
        return rn_error(RN_ENOMEM, "out of memory: cannot decompress '%s'", idx->path);
    return rn_error(RN_EFORMAT, "'%s': bad gzip data at byte %zu: %s", idx->path, at,
                    r->zlib.msg != NULL ? r->zlib.msg : "not gzip");
}

// Inflates at most `bytes`; *got is less only where the stream ends.
static rn_status inflate_some(reader *r, uint8_t *dst, size_t bytes, size_t *got, bool *ended)
{
    *got = 0;
    *ended = false;
    while (*got < bytes && !*ended) {
        size_t left = bytes - *got;
        uInt room = left > INT_MAX ? INT_MAX : (uInt)left;
        refill(r);
        r->zlib.next_out = dst + *got;
        r->zlib.avail_out = room;
        int code = inflate(&r->zlib, Z_NO_FLUSH);
        if (code == Z_BUF_ERROR)
            return rn_error(RN_EFORMAT, "'%s': gzip data ends early, at byte %zu", r->idx->path,
                            r->idx->size);
        if (code != Z_OK && code != Z_STREAM_END)
            return gzip_error(r, code);
        *got += room - r->zlib.avail_out;
        *ended = code == Z_STREAM_END;
    }
    return RN_OK;
}

static rn_status reader_take(reader *r, uint8_t *dst, size_t bytes)
{
    rn_status st = RN_OK;
    const rn_idx *idx = r->idx;
    size_t got;
    bool ended;

    if (idx->compressed) {
        RN_TRY(inflate_some(r, dst, bytes, &got, &ended));
    } else {
        got = idx->size - r->taken < bytes ? idx->size - r->taken : bytes;
        memcpy(dst, idx->bytes + r->taken, got);
        r->taken += got;
    }
    if (got < bytes)
        st = rn_error(RN_EFORMAT, "'%s' ends %zu bytes early", idx->path, bytes - got);
out:
    return st;
}

// After the last value there must be nothing but, when compressed, gzip's own checked end.
static rn_status reader_finish(reader *r)
{
    rn_status st = RN_OK;
    uint8_t extra;
    size_t got = 0;
    bool ended = true;

    if (r->idx->compressed)
        RN_TRY(inflate_some(r, &extra, 1, &got, &ended));
    if (got != 0 || !ended || r->taken - r->zlib.avail_in != r->idx->size)
        st = rn_error(RN_EFORMAT, "'%s' goes on after its %llu values", r->idx->path,
                      (unsigned long long)r->idx->values);
out:
    return st;
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static rn_status check_magic(const rn_idx *idx, const uint8_t *magic, bool labels)
{
    int dims = magic[3];
    bool fits = labels ? dims == 1 : dims == 3 || dims == 4;

    if (magic[0] == 0 && magic[1] == 0 && magic[2] == 8 && fits)
        return RN_OK;
    return rn_error(RN_EFORMAT, "'%s': magic number is %02x%02x%02x%02x, expected %s", idx->path,
                    magic[0], magic[1], magic[2], magic[3],
                    labels ? "00000801" : "00000803 or 00000804");
}

static rn_status check_dims(rn_idx *idx)
{
    idx->values = idx->dim[0];
    if (idx->dim[0] == 0)
        return rn_error(RN_EFORMAT, "'%s' has no items", idx->path);
    for (int i = 1; i < idx->dims; i++) {
        if (idx->dim[i] < 1 || idx->dim[i] > MAX_SIDE)
            return rn_error(RN_EFORMAT, "'%s': dimension %d is %u, expected 1 to %d", idx->path,
                            i + 1, idx->dim[i], MAX_SIDE);
        // 2^32 items of (2^12)^3 values would not fit in 64 bits.
        if (__builtin_mul_overflow(idx->values, (uint64_t)idx->dim[i], &idx->values))
            return rn_error(RN_EFORMAT, "'%s': its header claims more than 2^64 values", idx->path);
    }
    return RN_OK;
}

// A header may claim anything: hold it against the file before memory is given to it.
static rn_status check_size(const rn_idx *idx, size_t header)
{
    uint64_t most = idx->compressed ? (uint64_t)idx->size * DEFLATE_RATIO : idx->size - header;

    if (idx->compressed ? idx->values <= most : idx->values == most)
        return RN_OK;
    return rn_error(RN_EFORMAT,
                    "'%s': its header claims %llu values, but its %zu bytes hold %s%llu", idx->path,
                    (unsigned long long)idx->values, idx->size, idx->compressed ? "at most " : "",
                    (unsigned long long)most);
}

static rn_status read_header(rn_idx *idx, bool labels)
{
    rn_status st = RN_OK;
    uint8_t head[MAX_HEADER];
    reader r = {0};

    RN_TRY(reader_init(&r, idx));
    RN_TRY(reader_take(&r, head, 4));
    RN_TRY(check_magic(idx, head, labels));
    idx->dims = head[3];
    RN_TRY(reader_take(&r, head + 4, 4 * (size_t)idx->dims));
    for (int i = 0; i < idx->dims; i++)
        idx->dim[i] = big_endian(head + 4 + 4 * i);
    RN_TRY(check_dims(idx));
    RN_TRY(check_size(idx, 4 + 4 * (size_t)idx->dims));
out:
    reader_release(&r);
    return st;
}

rn_status rn_idx_read(rn_idx *idx, const char *folder, rn_split split, bool labels)
{
    rn_status st = RN_OK;

    *idx = (rn_idx){0};
    RN_TRY(find_or_explain(&idx->path, folder, split, labels));
    idx->compressed = strcmp(idx->path + strlen(idx->path) - 3, ".gz") == 0;
    RN_TRY(rn_file_read(&idx->bytes, &idx->size, idx->path, max_file_bytes));
    RN_TRY(read_header(idx, labels));
out:
    if (st != RN_OK)
        rn_idx_release(idx);
    return st;
}

void rn_idx_release(rn_idx *idx)
{
    rn_free(idx->bytes);
    rn_free(idx->path);
    *idx = (rn_idx){0};
}

// What a compressed file's header claims may be a thousand times what is in it: memory is given to
// values as they come.
static rn_status take_values(uint8_t **values, reader *r)
{
    rn_status st = RN_OK;
    size_t total = r->idx->values, done = 0;

    while (done < total) {
        size_t room =
            r->idx->compressed && total > 2 * done + FIRST_ROOM ? 2 * done + FIRST_ROOM : total;
        uint8_t *larger;
        RN_TRY(RN_NEW(&larger, room));
        if (done > 0)
            memcpy(larger, *values, done);
        rn_free(*values);
        *values = larger;
        RN_TRY(reader_take(r, larger + done, room - done));
        done = room;
    }
out:
    return st;
}

rn_status rn_idx_decode(uint8_t **out, const rn_idx *idx)
{
    rn_status st = RN_OK;
    uint8_t head[MAX_HEADER], *values = NULL;
    reader r = {0};

    *out = NULL;
    RN_TRY(reader_init(&r, idx));
    RN_TRY(reader_take(&r, head, 4 + 4 * (size_t)idx->dims));
    RN_TRY(take_values(&values, &r));
    RN_TRY(reader_finish(&r));
    *out = values;
    values = NULL;
out:
    rn_free(values);
    reader_release(&r);
    return st;
}
