// TensorProto: where the values lie, and their conversion.
#include "store/onnx.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

// Field numbers of the format.
enum {
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_SEGMENT = 3,
    TENSOR_FLOATS = 4,
    TENSOR_INT32S = 5,
    TENSOR_INT64S = 7,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
    TENSOR_DOUBLES = 10,
    TENSOR_EXTERNAL = 13,
    TENSOR_LOCATION = 14
};

enum { MOST_OTHER_FIELDS = 64 }; // of a tensor, than those of its values

typedef struct element_type {
    int type;
    const char *name;
    size_t bytes;      // of a value in raw_data
    uint32_t field;    // where values stand otherwise
    rn_wire wire;      // there
    const char *where; // that field's name
} element_type;

static const element_type types[] = {
    {RN_ONNX_FLOAT, "float32", 4, TENSOR_FLOATS, RN_WIRE_FIXED32, "float_data"},
    {RN_ONNX_INT32, "int32", 4, TENSOR_INT32S, RN_WIRE_VARINT, "int32_data"},
    {RN_ONNX_INT64, "int64", 8, TENSOR_INT64S, RN_WIRE_VARINT, "int64_data"},
    {RN_ONNX_BOOL, "bool", 1, TENSOR_INT32S, RN_WIRE_VARINT, "int32_data"},
    {RN_ONNX_FLOAT16, "float16", 2, TENSOR_INT32S, RN_WIRE_VARINT, "int32_data"},
    {RN_ONNX_DOUBLE, "float64", 8, TENSOR_DOUBLES, RN_WIRE_FIXED64, "double_data"},
    {RN_ONNX_BFLOAT16, "bfloat16", 2, TENSOR_INT32S, RN_WIRE_VARINT, "int32_data"},
};

static const element_type *find_type(int type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].type == type)
            return &types[i];
    }
    return NULL;
}

const char *rn_onnx_type_name(int type)
{
    const element_type *found = find_type(type);

    return found == NULL ? "another type" : found->name;
}

bool rn_onnx_is_float(int type)
{
    return type == RN_ONNX_FLOAT || type == RN_ONNX_FLOAT16 || type == RN_ONNX_DOUBLE ||
           type == RN_ONNX_BFLOAT16;
}

static rn_status add_dims(rn_onnx_tensor *tensor, const rn_proto_field *field)
{
    rn_status st = RN_OK;
    rn_proto_list list;
    uint64_t value;
    bool more;

    RN_TRY(rn_proto_list_of(&list, field, RN_WIRE_VARINT, "dims"));
    for (;;) {
        RN_TRY(rn_proto_list_next(&list, &value, &more));
        if (!more)
            break;
        if (tensor->dims == RN_TENSOR_DIMS)
            return rn_error(RN_EFORMAT, "more than %d dimensions", RN_TENSOR_DIMS);
        if (value > INT64_MAX)
            return rn_error(RN_EFORMAT, "dimension %d is %lld", tensor->dims, (long long)value);
        tensor->shape[tensor->dims++] = (int64_t)value;
    }
out:
    return st;
}

static rn_status read_bytes_told(uint64_t *value, rn_onnx_text text, const char *what)
{
    char digits[24];
    int64_t number = 0;

    if (text.size < sizeof digits) {
        snprintf(digits, sizeof digits, "%.*s", RN_ONNX_TEXT(text));
        if (rn_text_int64(digits, 0, INT64_MAX, &number)) {
            *value = (uint64_t)number;
            return RN_OK;
        }
    }
    return rn_error(RN_EFORMAT, "external_data: %s is '%.*s', expected a number of bytes", what,
                    RN_ONNX_TEXT(text));
}

// One of the entries that say where external values lie: {"location": "model.onnx.data"}.
static rn_status add_place(rn_onnx_place *place, const rn_proto_field *field)
{
    rn_status st = RN_OK;
    rn_onnx_text key, value;

    RN_TRY(rn_onnx_read_entry(&key, &value, field, "external_data"));
    if (rn_onnx_is(key, "location"))
        place->file = value;
    else if (rn_onnx_is(key, "offset"))
        st = read_bytes_told(&place->offset, value, "offset");
    else if (rn_onnx_is(key, "length"))
        st = read_bytes_told(&place->length, value, "length");
out:
    return st;
}

static rn_status read_tensor_field(rn_onnx_tensor *tensor, const rn_proto_field *field)
{
    rn_status st = RN_OK;

    switch (field->number) {
    case TENSOR_DIMS:
        return add_dims(tensor, field);
    case TENSOR_TYPE:
        RN_TRY(rn_proto_expect(field, RN_WIRE_VARINT, "data_type"));
        tensor->type = field->value > INT32_MAX ? -1 : (int)field->value;
        break;
    case TENSOR_NAME:
        return rn_onnx_read_text(&tensor->name, field, "name");
    case TENSOR_RAW:
        RN_TRY(rn_proto_expect(field, RN_WIRE_BYTES, "raw_data"));
        tensor->raw = field->bytes;
        tensor->has_raw = true;
        break;
    case TENSOR_SEGMENT:
        return rn_error(RN_EUNSUPPORTED, "values in segments are not read");
    case TENSOR_EXTERNAL:
        return add_place(&tensor->place, field);
    case TENSOR_LOCATION:
        RN_TRY(rn_proto_expect(field, RN_WIRE_VARINT, "data_location"));
        tensor->external = field->value != 0;
        break;
    default:
        break;
    }
out:
    return st;
}

static rn_status multiply_shape(rn_onnx_tensor *tensor)
{
    int64_t count = 1;

    for (int d = 0; d < tensor->dims; d++) {
        if (__builtin_mul_overflow(count, tensor->shape[d], &count) ||
            count > (int64_t)(SIZE_MAX / 16))
            return rn_error(RN_EFORMAT, "dimension %d is %lld: too large a tensor", d,
                            (long long)tensor->shape[d]);
    }
    tensor->count = (size_t)count;
    return RN_OK;
}

// What reading one value after another gives, from wherever they are; *more is false at the end.
typedef struct value_reader {
    const element_type *type;
    rn_proto body;
    rn_proto_list list;
    bool in_list;
} value_reader;

static rn_status next_value(value_reader *reader, uint64_t *value, bool *more)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    for (;;) {
        if (reader->in_list) {
            RN_TRY(rn_proto_list_next(&reader->list, value, more));
            if (*more)
                return RN_OK;
            reader->in_list = false;
        }
        RN_TRY(rn_proto_next(&reader->body, &field));
        *more = field.number != 0;
        if (!*more)
            return RN_OK;
        if (field.number == reader->type->field) {
            RN_TRY(
                rn_proto_list_of(&reader->list, &field, reader->type->wire, reader->type->where));
            reader->in_list = true;
        }
    }
out:
    return st;
}

static rn_status count_values(size_t *count, const rn_onnx_tensor *tensor, const element_type *type)
{
    rn_status st = RN_OK;
    value_reader reader = {.type = type, .body = tensor->body};
    uint64_t value;
    bool more;

    for (*count = 0;; ++*count) {
        RN_TRY(next_value(&reader, &value, &more));
        if (!more)
            break;
    }
out:
    return st;
}

static rn_status check_external(const rn_onnx_tensor *tensor, bool allowed)
{
    if (!allowed)
        return rn_error(RN_EUNSUPPORTED, "values lie in another file, '%.*s'",
                        RN_ONNX_TEXT(tensor->place.file));
    if (tensor->has_raw)
        return rn_error(RN_EFORMAT, "values both in raw_data and in another file");
    if (tensor->place.file.size == 0)
        return rn_error(RN_EFORMAT, "values lie in another file, which is not told");
    return RN_OK;
}

// A type that is not known may stand there; using it is an error.
static rn_status check_raw(const rn_onnx_tensor *tensor)
{
    const element_type *type = find_type(tensor->type);
    size_t bytes = rn_proto_size(&tensor->raw);

    if (type != NULL && (bytes / type->bytes != tensor->count || bytes % type->bytes != 0))
        return rn_error(RN_EFORMAT, "%zu bytes of %s, expected %zu values", bytes, type->name,
                        tensor->count);
    return RN_OK;
}

rn_status rn_onnx_set_raw(rn_onnx_tensor *tensor, rn_proto raw)
{
    tensor->raw = raw;
    tensor->has_raw = true;
    return check_raw(tensor);
}

static rn_status check_values(const rn_onnx_tensor *tensor)
{
    const element_type *type = find_type(tensor->type);
    size_t count = 0;

    if (tensor->has_raw)
        return check_raw(tensor);
    if (type == NULL)
        return RN_OK; // as there
    rn_status st = count_values(&count, tensor, type);
    if (st == RN_OK && count != tensor->count)
        st = rn_error(RN_EFORMAT, "%zu values of %s, expected %zu", count, type->name,
                      tensor->count);
    return st;
}

// Values in typed fields are read anew by each node that uses them: what else stands among them
// must not make a small tensor a long one.
static rn_status check_fields(const rn_onnx_tensor *tensor, size_t fields)
{
    if (tensor->has_raw || fields <= tensor->count + MOST_OTHER_FIELDS)
        return RN_OK;
    return rn_error(RN_EFORMAT, "%zu fields for %zu values, expected at most %zu", fields,
                    tensor->count, tensor->count + MOST_OTHER_FIELDS);
}

rn_status rn_onnx_read_tensor(rn_onnx_tensor *tensor, rn_proto body, bool external)
{
    rn_status st = RN_OK;
    rn_proto_field field;
    size_t fields = 0;

    *tensor = (rn_onnx_tensor){.body = body, .place.length = UINT64_MAX};
    do {
        RN_TRY(rn_proto_next(&body, &field));
        RN_TRY(read_tensor_field(tensor, &field));
        fields++;
    } while (field.number != 0);
    RN_TRY(multiply_shape(tensor));
    RN_TRY(tensor->external ? check_external(tensor, external) : check_values(tensor));
    RN_TRY(check_fields(tensor, fields));
out:
    if (st != RN_OK && tensor->name.size > 0)
        rn_error_prefix(st, "tensor '%.*s'", RN_ONNX_TEXT(tensor->name));
    return st;
}

static uint64_t raw_value(const rn_onnx_tensor *tensor, size_t index, size_t bytes)
{
    const unsigned char *at = tensor->raw.next + index * bytes;
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static float to_float(int type, uint64_t bits)
{
    double wide;

    switch (type) {
    case RN_ONNX_FLOAT16:
        return rn_float_of_half((uint16_t)bits);
    case RN_ONNX_BFLOAT16:
        return rn_float_of_bfloat((uint16_t)bits);
    case RN_ONNX_DOUBLE:
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    default:
        return rn_float_of_bits((uint32_t)bits);
    }
}

static int64_t to_int(int type, uint64_t bits)
{
    if (type == RN_ONNX_INT32)
        return (int32_t)(uint32_t)bits;
    return (int64_t)bits;
}

// Every value's bits in turn, either of raw_data or of the typed fields.
static rn_status visit_values(const rn_onnx_tensor *tensor, float *floats, int64_t *ints)
{
    rn_status st = RN_OK;
    const element_type *type = find_type(tensor->type);
    value_reader reader = {.type = type, .body = tensor->body};
    uint64_t bits = 0;
    bool more = true;

    for (size_t i = 0; i < tensor->count && more; i++) {
        if (tensor->has_raw)
            bits = raw_value(tensor, i, type->bytes);
        else
            RN_TRY(next_value(&reader, &bits, &more));
        if (floats != NULL)
            floats[i] = to_float(tensor->type, bits);
        else
            ints[i] = to_int(tensor->type, bits);
    }
out:
    return st;
}

const void *rn_onnx_floats_in_place(const rn_onnx_tensor *tensor)
{
    if (tensor->type != RN_ONNX_FLOAT || !tensor->has_raw)
        return NULL;
    return tensor->raw.next;
}

rn_status rn_onnx_copy_floats(float *out, const rn_onnx_tensor *tensor)
{
    return visit_values(tensor, out, NULL);
}

rn_status rn_onnx_copy_ints(int64_t *out, const rn_onnx_tensor *tensor)
{
    return visit_values(tensor, NULL, out);
}
