#include "store/onnx_ints.h"

#include <string.h>

void rn_onnx_ints_set(rn_onnx_ints *ints, const int64_t *values, int count)
{
    *ints = (rn_onnx_ints){.dims = count >= 0, .shape = {count}, .count = count < 0 ? 1 : count};
    for (int i = 0; i < ints->count; i++)
        ints->values[i] = values[i];
}

bool rn_onnx_ints_of(rn_onnx_ints *out, const rn_onnx_tensor *tensor)
{
    bool whole = tensor->type == RN_ONNX_INT64 || tensor->type == RN_ONNX_INT32 ||
                 tensor->type == RN_ONNX_BOOL;

    if (!whole || tensor->count > RN_ONNX_INTS || tensor->dims > RN_ONNX_INT_DIMS)
        return false;
    *out = (rn_onnx_ints){.dims = tensor->dims, .count = (int)tensor->count};
    for (int d = 0; d < tensor->dims; d++) {
        if (tensor->shape[d] > RN_ONNX_INTS)
            return false; // an empty one, then
        out->shape[d] = (int)tensor->shape[d];
    }
    return rn_onnx_copy_ints(out->values, tensor) == RN_OK;
}

static bool is_known(int64_t value)
{
    return value != RN_ONNX_BATCH && value != RN_ONNX_UNTOLD;
}

static rn_status no_such(const rn_onnx_node *node)
{
    return rn_onnx_node_error(RN_EUNSUPPORTED, node, "sizes of this form are not computed");
}

static rn_status same(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in, int n)
{
    if (n < 1)
        return no_such(node);
    *out = in[0];
    return RN_OK;
}

static rn_status unsqueeze(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in,
                           int n)
{
    if (n < 1 || in[0].dims != 0)
        return no_such(node);
    rn_onnx_ints_set(out, in[0].values, 1);
    return RN_OK;
}

static rn_status squeeze(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in, int n)
{
    if (n < 1 || in[0].count != 1)
        return no_such(node);
    rn_onnx_ints_set(out, in[0].values, -1);
    return RN_OK;
}

static rn_status gather(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in, int n)
{
    int64_t taken[RN_ONNX_INTS] = {0};

    if (n != 2 || in[0].dims != 1 || in[1].dims > 1)
        return no_such(node);
    for (int i = 0; i < in[1].count; i++) {
        int64_t index = in[1].values[i];
        if (index < -in[0].count || index >= in[0].count)
            return rn_onnx_node_error(RN_EFORMAT, node, "index %lld of %d values", (long long)index,
                                      in[0].count);
        taken[i] = in[0].values[index < 0 ? index + in[0].count : index];
    }
    rn_onnx_ints_set(out, taken, in[1].dims == 0 ? -1 : in[1].count);
    return RN_OK;
}

static rn_status concat(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in, int n)
{
    int64_t joined[RN_ONNX_INTS] = {0};
    int count = 0;

    for (int i = 0; i < n; i++) {
        if (in[i].dims != 1 || count + in[i].count > RN_ONNX_INTS)
            return no_such(node);
        memcpy(joined + count, in[i].values, (size_t)in[i].count * sizeof *joined);
        count += in[i].count;
    }
    rn_onnx_ints_set(out, joined, count);
    return RN_OK;
}

static rn_status reshape(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in, int n)
{
    int rest = -1, product = 1;

    if (n != 2 || in[1].count > RN_ONNX_INT_DIMS)
        return no_such(node);
    *out = in[0];
    out->dims = in[1].count;
    for (int d = 0; d < out->dims; d++) {
        int64_t size = in[1].values[d];
        if (size < -1 || size > RN_ONNX_INTS || size == 0 || (size == -1 && rest >= 0))
            return no_such(node);
        if (size == -1)
            rest = d;
        else
            product *= (int)size;
        out->shape[d] = (int)size;
    }
    if (rest >= 0)
        out->shape[rest] = out->count / product;
    if ((rest >= 0 ? out->shape[rest] : 1) * product != out->count)
        return rn_onnx_node_error(RN_EFORMAT, node, "%d values do not have this shape", out->count);
    return RN_OK;
}

static rn_status transpose(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in,
                           int n)
{
    if (n != 1 || in[0].dims != 2)
        return no_such(node);
    *out = in[0];
    out->shape[0] = in[0].shape[1];
    out->shape[1] = in[0].shape[0];
    for (int i = 0; i < out->shape[0]; i++)
        for (int j = 0; j < out->shape[1]; j++)
            out->values[i * out->shape[1] + j] = in[0].values[j * out->shape[0] + i];
    return RN_OK;
}

static rn_status shape_of(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in,
                          int n)
{
    int64_t sizes[RN_ONNX_INT_DIMS] = {0};

    if (n != 1)
        return no_such(node);
    for (int d = 0; d < in[0].dims; d++)
        sizes[d] = in[0].shape[d];
    rn_onnx_ints_set(out, sizes, in[0].dims);
    return rn_onnx_known_attributes(node, ""); // neither start nor end
}

static int clamp(int64_t value, int extent, int low, int high)
{
    if (value < 0)
        value = value < -extent ? low : value + extent;
    return value < low ? low : value > high ? high : (int)value;
}

// Along the first dimension, as a flip of rows is: values[start:end:step].
static rn_status slice(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in, int n)
{
    int64_t step = n > 4 ? in[4].values[0] : 1;
    int taken = 0;

    if (n < 3 || in[0].dims < 1 || in[1].count != 1 || in[2].count != 1 ||
        (n > 3 && (in[3].count != 1 || in[3].values[0] != 0)) || (n > 4 && in[4].count != 1) ||
        step == 0)
        return no_such(node);
    int rows = in[0].shape[0], row = rows == 0 ? 0 : in[0].count / rows;
    int low = step < 0 ? -1 : 0, high = step < 0 ? rows - 1 : rows;
    int start = clamp(in[1].values[0], rows, step < 0 ? -1 : 0, high);
    int end = clamp(in[2].values[0], rows, low, high);
    *out = in[0];
    step = step > rows ? rows + 1 : step < -rows ? -rows - 1 : step;
    for (int r = start; step > 0 ? r < end : r > end; r += (int)step, taken++)
        memcpy(out->values + taken * row, in[0].values + r * row,
               (size_t)row * sizeof *out->values);
    out->shape[0] = taken;
    out->count = taken * row;
    return RN_OK;
}

static rn_status constant_of_shape(rn_onnx_ints *out, const rn_onnx_node *node,
                                   const rn_onnx_ints *in, int n)
{
    rn_status st = RN_OK;
    rn_onnx_attribute value;
    rn_onnx_tensor tensor;
    rn_onnx_ints fill = {.count = 1};
    int64_t values[RN_ONNX_INTS] = {0};

    if (n != 1 || in[0].count != 1 || in[0].values[0] < 0 || in[0].values[0] > RN_ONNX_INTS)
        return no_such(node);
    RN_TRY(rn_onnx_find_attribute(&value, node, "value", RN_ONNX_ATTRIBUTE_TENSOR));
    if (value.present) {
        RN_TRY(rn_onnx_read_tensor(&tensor, value.tensor, false));
        if (!rn_onnx_ints_of(&fill, &tensor) || fill.count != 1)
            return no_such(node);
    }
    for (int i = 0; i < RN_ONNX_INTS; i++)
        values[i] = fill.values[0];
    rn_onnx_ints_set(out, values, (int)in[0].values[0]);
out:
    return st;
}

static int64_t operate(char operator, int64_t a, int64_t b)
{
    int64_t result = 0;
    bool overflow = false;

    if (!is_known(a) || !is_known(b))
        return RN_ONNX_UNTOLD;
    if (operator== '+')
        overflow = __builtin_add_overflow(a, b, &result);
    else if (operator== '-')
        overflow = __builtin_sub_overflow(a, b, &result);
    else if (operator== '*')
        overflow = __builtin_mul_overflow(a, b, &result);
    else if (b == 0 || (b == -1 && a == INT64_MIN))
        overflow = true;
    else
        result = a / b;
    return overflow ? RN_ONNX_UNTOLD : result;
}

static rn_status arithmetic(rn_onnx_ints *out, const rn_onnx_node *node, const rn_onnx_ints *in,
                            int n)
{
    char operator= rn_onnx_is(node->op, "Add") ? '+'
    : rn_onnx_is(node->op, "Sub")              ? '-'
    : rn_onnx_is(node->op, "Mul")              ? '*'
                                               : '/';

    if (n != 2 || (in[0].count != in[1].count && in[0].count != 1 && in[1].count != 1))
        return no_such(node);
    *out = in[0].count >= in[1].count && in[0].dims >= in[1].dims ? in[0] : in[1];
    for (int i = 0; i < out->count; i++)
        out->values[i] = operate(operator, in[0].values[in[0].count == 1 ? 0 : i],
                                 in[1].values[in[1].count == 1 ? 0 : i]);
    return RN_OK;
}

static const struct {
    const char *op;
    rn_status (*compute)(rn_onnx_ints *, const rn_onnx_node *, const rn_onnx_ints *, int);
} operators[] = {
    {"Add", arithmetic},      {"Cast", same},
    {"Concat", concat},       {"ConstantOfShape", constant_of_shape},
    {"Div", arithmetic},      {"Gather", gather},
    {"Identity", same},       {"Mul", arithmetic},
    {"Reshape", reshape},     {"Shape", shape_of},
    {"Slice", slice},         {"Squeeze", squeeze},
    {"Sub", arithmetic},      {"Transpose", transpose},
    {"Unsqueeze", unsqueeze},
};

rn_status rn_onnx_ints_compute(rn_onnx_ints *out, const rn_onnx_node *node,
                               const rn_onnx_ints *inputs, int count)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (rn_onnx_is(node->op, operators[i].op))
            return operators[i].compute(out, node, inputs, count);
    }
    return rn_onnx_node_error(RN_EUNSUPPORTED, node, "the operator is not known");
}
