#include "store/torch.h"

#include <string.h>

enum { DTYPE_ITEM = 6 }; // of _rebuild_tensor_v3's arguments

/** A call of one of the functions that rebuild tensors. */
typedef struct rebuild {
    rn_torch_tag tag;
    const rn_pickle_value *args;
} rebuild;

static rn_torch_tag tag_of(const rn_pickle_value *global)
{
    return global != NULL && global->kind == RN_PICKLE_GLOBAL ? (rn_torch_tag)global->global->tag
                                                              : RN_TORCH_OPAQUE;
}

static rebuild as_call(const rn_pickle *pickle, const rn_pickle_value *value)
{
    if (value == NULL || value->kind != RN_PICKLE_CALL)
        return (rebuild){0};
    return (rebuild){.tag = tag_of(rn_pickle_value_at(pickle, value->call.callee)),
                     .args = rn_pickle_value_at(pickle, value->call.args)};
}

// A tensor with attributes: (function, type, arguments, attributes). The function may be that of a
// parameter, whose first argument is the tensor.
static rebuild unwrap(const rn_pickle *pickle, const rebuild *outer)
{
    const rn_pickle_value *function = rn_pickle_item(pickle, outer->args, 0);
    const rn_pickle_value *args = rn_pickle_item(pickle, outer->args, 2);

    if (function == NULL || function->kind != RN_PICKLE_GLOBAL || args == NULL ||
        args->kind != RN_PICKLE_TUPLE)
        return (rebuild){0};
    if (function->global->role == RN_PICKLE_TO_FIRST)
        return as_call(pickle, rn_pickle_item(pickle, args, 0));
    return (rebuild){.tag = tag_of(function), .args = args};
}

// The call that rebuilds a tensor; args is NULL where the value is none.
static rebuild find_rebuild(const rn_pickle *pickle, const rn_pickle_value *value)
{
    rebuild found = as_call(pickle, value);

    if (found.tag == RN_TORCH_PARAMETER) // its attributes begin with the tensor
        found = as_call(pickle, rn_pickle_item(pickle, found.args, 0));
    else if (found.tag == RN_TORCH_FROM_TYPE)
        found = unwrap(pickle, &found);
    if (found.tag != RN_TORCH_TENSOR && found.tag != RN_TORCH_TENSOR_V3)
        found = (rebuild){0};
    return found;
}

bool rn_torch_is_tensor(const rn_pickle *pickle, const rn_pickle_value *value)
{
    return find_rebuild(pickle, value).args != NULL;
}

// A tuple of whole numbers, of sizes or of strides.
static rn_status read_numbers(uint64_t numbers[RN_TENSOR_DIMS], int *count, const char *what,
                              const rn_pickle *pickle, const rn_pickle_value *value)
{
    if (value == NULL || (value->kind != RN_PICKLE_TUPLE && value->kind != RN_PICKLE_LIST))
        return rn_error(RN_EFORMAT, "its %s is no tuple", what);
    if (value->length > RN_TENSOR_DIMS)
        return rn_error(RN_EFORMAT, "its %s has %u numbers, expected at most %d", what,
                        value->length, RN_TENSOR_DIMS);
    *count = (int)value->length;
    uint32_t cell = value->items.first;
    for (int d = 0; d < *count; d++) {
        const rn_pickle_value *item = rn_pickle_next(pickle, &cell);
        if (item->kind != RN_PICKLE_INTEGER || item->integer < 0)
            return rn_error(RN_EFORMAT, "number %d of its %s is not a whole number of 0 or more", d,
                            what);
        numbers[d] = (uint64_t)item->integer;
    }
    return RN_OK;
}

static rn_status count_elements(rn_torch_layout *layout)
{
    uint64_t count = 1;
    bool overflow = false, empty = false;

    for (int d = 0; d < layout->dims; d++) {
        empty = empty || layout->shape[d] == 0;
        overflow = __builtin_mul_overflow(count, layout->shape[d], &count) || overflow;
    }
    if (empty)
        count = 0;
    else if (overflow || count > SIZE_MAX / sizeof(double) / 2)
        return rn_error(RN_EFORMAT, "its shape has too many elements");
    layout->count = (size_t)count;
    return RN_OK;
}

// The last element lies furthest: at offset + sum of (size - 1) * stride, as no stride is negative.
static rn_status check_extent(const rn_torch_layout *layout, uint64_t offset, uint64_t available)
{
    uint64_t last = offset, distance;
    bool overflow = false;

    for (int d = 0; d < layout->dims && layout->count > 0; d++) {
        overflow = overflow ||
                   __builtin_mul_overflow(layout->shape[d] - 1, layout->stride[d], &distance) ||
                   __builtin_add_overflow(last, distance, &last);
    }
    if (overflow || (layout->count > 0 ? last >= available : offset > available))
        return rn_error(RN_EFORMAT,
                        "its offset, shape and strides reach beyond the %llu elements of its "
                        "storage",
                        (unsigned long long)available);
    return RN_OK;
}

static bool is_c_order(const rn_torch_layout *layout)
{
    uint64_t stride = 1;

    for (int d = layout->dims; d-- > 0;) {
        if (layout->shape[d] != 1 && layout->stride[d] != stride)
            return layout->count == 0;
        stride *= layout->shape[d];
    }
    return true;
}

// The metadata of a complex tensor's views: their values are not those of the storage.
static rn_status check_metadata(const rn_pickle *pickle, const rebuild *call)
{
    uint32_t item = call->tag == RN_TORCH_TENSOR_V3 ? DTYPE_ITEM + 1 : DTYPE_ITEM;
    const rn_pickle_value *metadata = rn_pickle_item(pickle, call->args, item);

    if (metadata != NULL && metadata->kind == RN_PICKLE_DICT && metadata->length > 0)
        return rn_error(RN_EFORMAT, "it is a conjugate or negative view");
    return RN_OK;
}

static rn_status find_dtype(const rn_torch_dtype **out, const rn_pickle *pickle,
                            const rebuild *call, const rn_torch_storage *storage)
{
    const rn_pickle_value *dtype = rn_pickle_item(pickle, call->args, DTYPE_ITEM);

    *out = storage->type;
    if (call->tag != RN_TORCH_TENSOR_V3)
        return RN_OK;
    if (tag_of(dtype) != RN_TORCH_DTYPE)
        return rn_error(RN_EFORMAT, "its type is none that is known");
    *out = dtype->global->data;
    return RN_OK;
}

rn_status rn_torch_layout_of(rn_torch_layout *out, const rn_torch_file *file,
                             const rn_pickle_value *tensor)
{
    rn_status st = RN_OK;
    const rn_pickle *pickle = file->pickle;
    const rebuild call = find_rebuild(pickle, tensor);
    const rn_pickle_value *id = rn_pickle_item(pickle, call.args, 0);
    const rn_pickle_value *offset = rn_pickle_item(pickle, call.args, 1);
    rn_torch_storage storage;
    int strides;

    *out = (rn_torch_layout){0};
    if (id == NULL || id->kind != RN_PICKLE_PERSISTENT)
        return rn_error(RN_EFORMAT, "its storage is none");
    if (offset == NULL || offset->kind != RN_PICKLE_INTEGER || offset->integer < 0)
        return rn_error(RN_EFORMAT, "its offset is not a whole number of 0 or more");
    RN_TRY(rn_torch_storage_of(&storage, file, id));
    RN_TRY(check_metadata(pickle, &call));
    RN_TRY(find_dtype(&out->type, pickle, &call, &storage));
    RN_TRY(read_numbers(out->shape, &out->dims, "shape", pickle,
                        rn_pickle_item(pickle, call.args, 2)));
    RN_TRY(read_numbers(out->stride, &strides, "strides", pickle,
                        rn_pickle_item(pickle, call.args, 3)));
    if (strides != out->dims) {
        st = rn_error(RN_EFORMAT, "it has %d dimensions and %d strides", out->dims, strides);
        goto out;
    }
    RN_TRY(count_elements(out));
    RN_TRY(check_extent(out, (uint64_t)offset->integer,
                        rn_torch_storage_bytes(&storage) / out->type->size));
    out->data = storage.data + (uint64_t)offset->integer * out->type->size;
    out->in_place = out->type->form == RN_TORCH_FLOAT32 && is_c_order(out);
out:
    return st;
}

static float load(const char *data, rn_torch_form form)
{
    uint16_t half;
    float value = 0;
    double wide;

    switch (form) {
    case RN_TORCH_FLOAT32:
        memcpy(&value, data, sizeof value);
        break;
    case RN_TORCH_FLOAT64:
        memcpy(&wide, data, sizeof wide);
        value = (float)wide;
        break;
    case RN_TORCH_FLOAT16:
        memcpy(&half, data, sizeof half);
        value = rn_float_of_half(half);
        break;
    case RN_TORCH_BFLOAT16:
        memcpy(&half, data, sizeof half);
        value = rn_float_of_bfloat(half);
        break;
    case RN_TORCH_NO_FLOAT:
        break;
    }
    return value;
}

void rn_torch_convert(float *out, const rn_torch_layout *layout)
{
    uint64_t index[RN_TENSOR_DIMS] = {0}, at = 0;

    for (size_t i = 0; i < layout->count; i++) {
        out[i] = load(layout->data + at * layout->type->size, layout->type->form);
        // the next element in C order
        for (int d = layout->dims; d-- > 0;) {
            at += layout->stride[d];
            if (++index[d] < layout->shape[d])
                break;
            at -= layout->stride[d] * layout->shape[d];
            index[d] = 0;
        }
    }
}
