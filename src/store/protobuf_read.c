#include "store/protobuf.h"

enum { VARINT_BYTES = 10, WIRE_BITS = 3 };

rn_proto rn_proto_start(const void *bytes, size_t size)
{
    const unsigned char *first = bytes;

    return (rn_proto){.next = first, .end = first + size, .file = first};
}

static rn_status cut_short(const rn_proto *proto)
{
    return rn_error(RN_EFORMAT, "a field is cut short at byte %td", proto->next - proto->file);
}

static rn_status read_varint(rn_proto *proto, uint64_t *value)
{
    const unsigned char *at = proto->next;

    *value = 0;
    for (int i = 0; i < VARINT_BYTES; i++, at++) {
        if (at == proto->end)
            return cut_short(proto);
        if (i == VARINT_BYTES - 1 && *at > 1)
            break; // beyond 64 bits
        *value |= (uint64_t)(*at & 0x7f) << (7 * i);
        if (*at < 0x80) {
            proto->next = at + 1;
            return RN_OK;
        }
    }
    return rn_error(RN_EFORMAT, "a number of more than 64 bits at byte %td",
                    proto->next - proto->file);
}

static rn_status read_fixed(rn_proto *proto, size_t size, uint64_t *value)
{
    if (rn_proto_size(proto) < size)
        return cut_short(proto);
    *value = 0;
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)proto->next[i] << (8 * i);
    proto->next += size;
    return RN_OK;
}

static rn_status read_bytes(rn_proto *proto, rn_proto *bytes)
{
    uint64_t size;
    const unsigned char *start = proto->next;
    rn_status st = read_varint(proto, &size);

    if (st != RN_OK)
        return st;
    if (size > rn_proto_size(proto))
        return rn_error(RN_EFORMAT, "a field of %llu bytes at byte %td, where %zu are left",
                        (unsigned long long)size, start - proto->file, rn_proto_size(proto));
    *bytes =
        (rn_proto){.next = proto->next, .end = proto->next + (size_t)size, .file = proto->file};
    proto->next += size;
    return RN_OK;
}

static rn_status read_value(rn_proto *proto, rn_proto_field *field, const unsigned char *start)
{
    switch (field->wire) {
    case RN_WIRE_VARINT:
        return read_varint(proto, &field->value);
    case RN_WIRE_FIXED64:
        return read_fixed(proto, 8, &field->value);
    case RN_WIRE_FIXED32:
        return read_fixed(proto, 4, &field->value);
    case RN_WIRE_BYTES:
        return read_bytes(proto, &field->bytes);
    }
    return rn_error(RN_EFORMAT, "a field of wire type %d at byte %td", (int)field->wire,
                    start - proto->file);
}

rn_status rn_proto_next(rn_proto *proto, rn_proto_field *field)
{
    const unsigned char *start = proto->next;
    uint64_t key;

    *field = (rn_proto_field){0};
    if (proto->next == proto->end)
        return RN_OK;
    rn_status st = read_varint(proto, &key);
    if (st != RN_OK)
        return st;
    if (key >> WIRE_BITS == 0 || key > UINT32_MAX)
        return rn_error(RN_EFORMAT, "field number %llu at byte %td is out of range",
                        (unsigned long long)(key >> WIRE_BITS), start - proto->file);
    field->number = (uint32_t)(key >> WIRE_BITS);
    field->wire = (rn_wire)(key & 7);
    return read_value(proto, field, start);
}

rn_status rn_proto_expect(const rn_proto_field *field, rn_wire wire, const char *what)
{
    if (field->wire != wire)
        return rn_error(RN_EFORMAT, "field '%s' has wire type %d, expected %d", what,
                        (int)field->wire, (int)wire);
    return RN_OK;
}

rn_status rn_proto_list_of(rn_proto_list *list, const rn_proto_field *field, rn_wire wire,
                           const char *what)
{
    *list = (rn_proto_list){.wire = wire, .bytes = field->bytes};
    if (field->wire == RN_WIRE_BYTES)
        return RN_OK;
    list->alone = true;
    list->value = field->value;
    return rn_proto_expect(field, wire, what);
}

rn_status rn_proto_list_next(rn_proto_list *list, uint64_t *value, bool *more)
{
    if (list->alone) {
        *more = true;
        *value = list->value;
        list->alone = false;
        return RN_OK;
    }
    *more = list->bytes.next != list->bytes.end;
    if (!*more)
        return RN_OK;
    if (list->wire == RN_WIRE_VARINT)
        return read_varint(&list->bytes, value);
    return read_fixed(&list->bytes, list->wire == RN_WIRE_FIXED32 ? 4 : 8, value);
}
