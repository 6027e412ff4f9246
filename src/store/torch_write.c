#include "store/foreign.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

// Records as torch.save() lays them out: stored, in one folder, their data on multiples of 64 bytes
// so that they can be mapped. Sizes and places have 32 bits: larger files are refused.
enum {
    ALIGNMENT = 64,
    LOCAL_HEADER = 30,
    CENTRAL_HEADER = 46,
    PADDING_HEADER = 4, // of the extra field that aligns
    RECORD_NAME = 40,   // "archive/data/65535" and more
    ENTRIES = 65534,    // 65,535 is how an archive says that it has more
    OTHER_RECORDS = 3,  // data.pkl, byteorder, version
    VERSION_NEEDED = 20,
    UTF8_FLAG = 0x0800,
    FIRST_DATE = 0x21 // 1 January 1980: equal weights give equal bytes
};

/** Bytes in the making. */
typedef struct buffer {
    char *bytes;
    size_t capacity;
    size_t size;
} buffer;

typedef struct writer {
    rn_atomic_file file;
    uint64_t at;      // bytes written
    buffer header;    // of the record at hand
    buffer directory; // central headers of the records so far
    size_t records;
} writer;

/** A record's bytes and where they go. */
typedef struct record {
    const char *name;
    const void *data;
    size_t size;
    uint32_t crc32;
    uint64_t header; // place
} record;

static rn_status put(buffer *to, const void *bytes, size_t size)
{
    rn_status st = RN_OK;

    RN_TRY(rn_grow((void **)&to->bytes, &to->capacity, to->size + size, 1));
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
out:
    return st;
}

static rn_status put_text(buffer *to, const char *text)
{
    return put(to, text, strlen(text));
}

static rn_status put_number(buffer *to, uint64_t number, size_t width)
{
    unsigned char bytes[sizeof number];

    for (size_t i = 0; i < width; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    return put(to, bytes, width);
}

// 'J': BININT. 0x8a: LONG1, here of eight bytes; check_tensor() keeps them positive.
static rn_status put_integer(buffer *to, uint64_t number)
{
    rn_status st = RN_OK;

    if (number <= INT32_MAX) {
        RN_TRY(put(to, "J", 1));
        RN_TRY(put_number(to, number, 4));
        goto out;
    }
    RN_TRY(put(to, "\x8a\x08", 2));
    RN_TRY(put_number(to, number, 8));
out:
    return st;
}

// 'X': BINUNICODE.
static rn_status put_unicode(buffer *to, const char *text)
{
    rn_status st = RN_OK;

    RN_TRY(put(to, "X", 1));
    RN_TRY(put_number(to, strlen(text), 4));
    st = put_text(to, text);
out:
    return st;
}

static rn_status put_shape(buffer *to, const rn_tensor *tensor)
{
    rn_status st = RN_OK;

    RN_TRY(put(to, "(", 1)); // MARK
    for (int d = 0; d < tensor->dims; d++)
        RN_TRY(put_integer(to, tensor->shape[d]));
    st = put(to, "t", 1); // TUPLE
out:
    return st;
}

// In C order; PyTorch counts an empty dimension as one.
static rn_status put_strides(buffer *to, const rn_tensor *tensor)
{
    rn_status st = RN_OK;

    RN_TRY(put(to, "(", 1));
    for (int d = 0; d < tensor->dims; d++) {
        uint64_t stride = 1;
        for (int inner = d + 1; inner < tensor->dims; inner++)
            stride *= tensor->shape[inner] > 0 ? tensor->shape[inner] : 1;
        RN_TRY(put_integer(to, stride));
    }
    st = put(to, "t", 1);
out:
    return st;
}

// ("storage", torch.FloatStorage, "0", "cpu", 432) as a persistent id, 'Q'.
static rn_status put_storage(buffer *to, size_t index, size_t count)
{
    rn_status st = RN_OK;
    char key[RECORD_NAME];

    snprintf(key, sizeof key, "%zu", index);
    RN_TRY(put(to, "(", 1));
    RN_TRY(put_unicode(to, "storage"));
    // what all tensors share is remembered ('q') by the first and looked up ('h') by the others
    RN_TRY(index == 0 ? put_text(to, "ctorch\nFloatStorage\nq\3") : put_text(to, "h\3"));
    RN_TRY(put_unicode(to, key));
    RN_TRY(put_unicode(to, "cpu"));
    RN_TRY(put_integer(to, count));
    st = put_text(to, "tQ");
out:
    return st;
}

// name: _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())
static rn_status put_tensor(buffer *to, const rn_tensor *tensor, size_t index)
{
    rn_status st = RN_OK;

    RN_TRY(put_unicode(to, tensor->name));
    RN_TRY(index == 0 ? put_text(to, "ctorch._utils\n_rebuild_tensor_v2\nq\2")
                      : put_text(to, "h\2"));
    RN_TRY(put(to, "(", 1));
    RN_TRY(put_storage(to, index, tensor->count));
    RN_TRY(put_integer(to, 0));
    RN_TRY(put_shape(to, tensor));
    RN_TRY(put_strides(to, tensor));
    st = put_text(to, "\x89h\1)RtR"); // False, the OrderedDict of hooks
out:
    return st;
}

static rn_status put_state_dict(buffer *to, const rn_tensor *tensors, size_t count)
{
    rn_status st = RN_OK;

    RN_TRY(put_text(to, "\x80\2ccollections\nOrderedDict\nq\1)R("));
    for (size_t i = 0; i < count; i++)
        RN_TRY(put_tensor(to, &tensors[i], i));
    st = put_text(to, "u."); // SETITEMS, STOP
out:
    return st;
}

// The fields that a record's two headers share, from the version needed to the extra field's size.
static rn_status put_fields(buffer *to, const record *what, size_t extra)
{
    rn_status st = RN_OK;

    RN_TRY(put_number(to, VERSION_NEEDED, 2));
    RN_TRY(put_number(to, UTF8_FLAG, 2));
    RN_TRY(put_number(to, 0, 2)); // stored
    RN_TRY(put_number(to, 0, 2)); // midnight
    RN_TRY(put_number(to, FIRST_DATE, 2));
    RN_TRY(put_number(to, what->crc32, 4));
    RN_TRY(put_number(to, what->size, 4));
    RN_TRY(put_number(to, what->size, 4));
    RN_TRY(put_number(to, strlen(what->name), 2));
    st = put_number(to, extra, 2);
out:
    return st;
}

static rn_status put_local_header(buffer *to, const record *what)
{
    rn_status st = RN_OK;
    uint64_t data = what->header + LOCAL_HEADER + strlen(what->name) + PADDING_HEADER;
    size_t padding = (size_t)((ALIGNMENT - data % ALIGNMENT) % ALIGNMENT);

    RN_TRY(put_text(to, "PK\3\4"));
    RN_TRY(put_fields(to, what, PADDING_HEADER + padding));
    RN_TRY(put_text(to, what->name));
    RN_TRY(put_text(to, "FB")); // PyTorch's padding
    RN_TRY(put_number(to, padding, 2));
    for (size_t i = 0; i < padding; i++)
        RN_TRY(put(to, "Z", 1));
out:
    return st;
}

static rn_status put_central_header(buffer *to, const record *what)
{
    rn_status st = RN_OK;

    RN_TRY(put_text(to, "PK\1\2"));
    RN_TRY(put_number(to, VERSION_NEEDED, 2)); // made by
    RN_TRY(put_fields(to, what, 0));
    RN_TRY(put_number(to, 0, 2)); // comment
    RN_TRY(put_number(to, 0, 2)); // disk
    RN_TRY(put_number(to, 0, 2)); // attributes, two sorts
    RN_TRY(put_number(to, 0, 4));
    RN_TRY(put_number(to, what->header, 4));
    st = put_text(to, what->name);
out:
    return st;
}

static rn_status write_bytes(writer *w, const void *bytes, size_t size)
{
    w->at += size;
    return rn_atomic_file_write(&w->file, bytes, size);
}

static rn_status write_record(writer *w, const char *name, const void *data, size_t size)
{
    rn_status st = RN_OK;
    const record what = {.name = name,
                         .data = data,
                         .size = size,
                         .crc32 = rn_crc32(0, data, size),
                         .header = w->at};

    w->header.size = 0;
    RN_TRY(put_local_header(&w->header, &what));
    RN_TRY(put_central_header(&w->directory, &what));
    RN_TRY(write_bytes(w, w->header.bytes, w->header.size));
    RN_TRY(write_bytes(w, data, size));
    w->records++;
out:
    return st;
}

static rn_status write_directory(writer *w)
{
    rn_status st = RN_OK;
    uint64_t begin = w->at;
    buffer *end = &w->header;

    RN_TRY(write_bytes(w, w->directory.bytes, w->directory.size));
    end->size = 0;
    RN_TRY(put_text(end, "PK\5\6"));
    RN_TRY(put_number(end, 0, 4)); // disks
    RN_TRY(put_number(end, w->records, 2));
    RN_TRY(put_number(end, w->records, 2));
    RN_TRY(put_number(end, w->directory.size, 4));
    RN_TRY(put_number(end, begin, 4));
    RN_TRY(put_number(end, 0, 2)); // comment
    RN_TRY(write_bytes(w, end->bytes, end->size));
out:
    return st;
}

static rn_status check_tensor(const rn_tensor *tensor)
{
    uint64_t count = 1, first_stride = 1;
    bool overflow = tensor->dims < 0 || tensor->dims > RN_TENSOR_DIMS;

    for (int d = 0; d < tensor->dims && !overflow; d++) {
        uint64_t size = tensor->shape[d];
        overflow = __builtin_mul_overflow(count, size, &count) ||
                   __builtin_mul_overflow(first_stride, size > 0 ? size : 1, &first_stride);
    }
    if (overflow || count != tensor->count || first_stride > INT64_MAX)
        return rn_error(RN_EINVAL, "tensor '%s': %zu elements are not what its shape has",
                        tensor->name, tensor->count);
    return RN_OK;
}

// All in the file: the data, and for each record headers, padding and its part of the pickle.
static rn_status check_size(const char *path, const rn_tensor *tensors, size_t count)
{
    const uint64_t around = LOCAL_HEADER + CENTRAL_HEADER + PADDING_HEADER + ALIGNMENT +
                            (uint64_t)2 * RECORD_NAME + 128 + (uint64_t)2 * RN_TENSOR_DIMS * 11;
    uint64_t left = UINT32_MAX - 4096;
    rn_status st = RN_OK;

    if (count > ENTRIES - OTHER_RECORDS)
        return rn_error(RN_EUNSUPPORTED,
                        "'%s' would have %zu tensors, a file of PyTorch holds at most %d here",
                        path, count, ENTRIES - OTHER_RECORDS);
    for (size_t i = 0; i < count; i++) {
        RN_TRY(check_tensor(&tensors[i]));
        uint64_t other = around + strlen(tensors[i].name);
        if (other > left || tensors[i].count > (left - other) / sizeof(float))
            return rn_error(RN_EUNSUPPORTED,
                            "'%s': tensor '%s' and those before it need more than the 4 GiB that "
                            "a file of PyTorch holds here",
                            path, tensors[i].name);
        left -= other + tensors[i].count * sizeof(float);
    }
out:
    return st;
}

static rn_status write_records(writer *w, const buffer *pickle, const rn_tensor *tensors,
                               size_t count)
{
    rn_status st = RN_OK;
    char name[RECORD_NAME];

    RN_TRY(write_record(w, "archive/data.pkl", pickle->bytes, pickle->size));
    RN_TRY(write_record(w, "archive/byteorder", "little", 6));
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "archive/data/%zu", i);
        RN_TRY(write_record(w, name, tensors[i].data, tensors[i].count * sizeof(float)));
    }
    RN_TRY(write_record(w, "archive/version", "3\n", 2));
    st = write_directory(w);
out:
    return st;
}

rn_status rn_torch_write(const char *path, const rn_tensor *tensors, size_t count)
{
    rn_status st = RN_OK;
    writer w = {.file.descriptor = -1};
    buffer pickle = {0};

    RN_TRY(check_size(path, tensors, count));
    RN_TRY(put_state_dict(&pickle, tensors, count));
    RN_TRY(rn_atomic_file_open(&w.file, path));
    RN_TRY(write_records(&w, &pickle, tensors, count));
    RN_TRY(rn_atomic_file_commit(&w.file));
out:
    rn_atomic_file_abandon(&w.file);
    rn_free(pickle.bytes);
    rn_free(w.header.bytes);
    rn_free(w.directory.bytes);
    return st;
}
