// AttributeProto: read from its node when it is asked for.
#include "store/onnx.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Field numbers of the format.
enum {
    NODE_ATTRIBUTE = 5,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_INT = 3,
    ATTRIBUTE_TEXT = 4,
    ATTRIBUTE_TENSOR = 5,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20
};

enum { MOST_INTS = sizeof((rn_onnx_attribute *)0)->ints / sizeof(int64_t) };

rn_status rn_onnx_node_error(rn_status code, const rn_onnx_node *node, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    rn_vprint(text, sizeof text, fmt, args);
    va_end(args);
    return rn_error(code, "node '%.*s' (%.*s): %s", RN_ONNX_TEXT(node->name),
                    RN_ONNX_TEXT(node->op), text);
}

static rn_status add_ints(rn_onnx_attribute *out, const rn_proto_field *field)
{
    rn_status st = RN_OK;
    rn_proto_list list;
    uint64_t value;
    bool more;

    RN_TRY(rn_proto_list_of(&list, field, RN_WIRE_VARINT, "ints"));
    for (;;) {
        RN_TRY(rn_proto_list_next(&list, &value, &more));
        if (!more)
            break;
        if (out->count == MOST_INTS)
            return rn_error(RN_EUNSUPPORTED, "more than %d numbers", MOST_INTS);
        out->ints[out->count++] = (int64_t)value;
    }
out:
    return st;
}

static rn_status read_field(rn_onnx_attribute *out, const rn_proto_field *field)
{
    rn_status st = RN_OK;
    uint32_t bits;

    switch (field->number) {
    case ATTRIBUTE_FLOAT:
        RN_TRY(rn_proto_expect(field, RN_WIRE_FIXED32, "f"));
        bits = (uint32_t)field->value;
        memcpy(&out->real, &bits, sizeof bits);
        break;
    case ATTRIBUTE_INT:
        RN_TRY(rn_proto_expect(field, RN_WIRE_VARINT, "i"));
        out->integer = (int64_t)field->value;
        break;
    case ATTRIBUTE_TEXT:
        return rn_onnx_read_text(&out->text, field, "s");
    case ATTRIBUTE_TENSOR:
        RN_TRY(rn_proto_expect(field, RN_WIRE_BYTES, "t"));
        out->tensor = field->bytes;
        break;
    case ATTRIBUTE_INTS:
        return add_ints(out, field);
    case ATTRIBUTE_TYPE:
        RN_TRY(rn_proto_expect(field, RN_WIRE_VARINT, "type"));
        out->type = field->value > INT32_MAX ? -1 : (int)field->value;
        break;
    default:
        break;
    }
out:
    return st;
}

static rn_status read_name(rn_onnx_text *name, rn_proto body)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    *name = (rn_onnx_text){"", 0};
    do {
        RN_TRY(rn_proto_next(&body, &field));
        if (field.number == ATTRIBUTE_NAME)
            RN_TRY(rn_onnx_read_text(name, &field, "name"));
    } while (field.number != 0);
out:
    return st;
}

// The next attribute of a node; *more is false where there is none.
static rn_status next_attribute(rn_proto *node, rn_proto *body, rn_onnx_text *name, bool *more)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    do {
        RN_TRY(rn_proto_next(node, &field));
    } while (field.number != 0 && field.number != NODE_ATTRIBUTE);
    *more = field.number != 0;
    *body = field.bytes;
    if (*more)
        RN_TRY(read_name(name, *body));
out:
    return st;
}

static rn_status read_attribute(rn_onnx_attribute *out, rn_proto body, int type)
{
    rn_status st = RN_OK;
    rn_proto_field field;

    if (out->present)
        return rn_error(RN_EFORMAT, "it stands twice");
    *out = (rn_onnx_attribute){.present = true};
    do {
        RN_TRY(rn_proto_next(&body, &field));
        RN_TRY(read_field(out, &field));
    } while (field.number != 0);
    if (out->type != type)
        st = rn_error(RN_EFORMAT, "its type is %d, expected %d", out->type, type);
out:
    return st;
}

rn_status rn_onnx_find_attribute(rn_onnx_attribute *out, const rn_onnx_node *node, const char *name,
                                 int type)
{
    rn_status st = RN_OK;
    rn_proto reader = node->body, body;
    rn_onnx_text found;
    bool more;

    *out = (rn_onnx_attribute){0};
    for (;;) {
        RN_TRY(next_attribute(&reader, &body, &found, &more));
        if (!more)
            break;
        if (rn_onnx_is(found, name))
            RN_TRY(read_attribute(out, body, type));
    }
out:
    if (st != RN_OK)
        rn_error_prefix(st, "node '%.*s' (%.*s): attribute '%s'", RN_ONNX_TEXT(node->name),
                        RN_ONNX_TEXT(node->op), name);
    return st;
}

// True if `word` is one of the words of `list`.
static bool is_among(rn_onnx_text word, const char *list)
{
    while (*list != '\0') {
        size_t size = strcspn(list, " ");
        if (word.size == size && memcmp(word.data, list, size) == 0)
            return true;
        list += size;
        list += *list == ' ';
    }
    return false;
}

rn_status rn_onnx_known_attributes(const rn_onnx_node *node, const char *known)
{
    rn_status st = RN_OK;
    rn_proto reader = node->body, body;
    rn_onnx_text name;
    bool more;

    for (;;) {
        RN_TRY(next_attribute(&reader, &body, &name, &more));
        if (!more)
            break;
        if (!is_among(name, known))
            return rn_onnx_node_error(RN_EUNSUPPORTED, node, "attribute '%.*s' is not known",
                                      RN_ONNX_TEXT(name));
    }
out:
    return st;
}
