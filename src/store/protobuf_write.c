#include "store/protobuf.h"

#include "base/memory.h"

#include <string.h>

enum { VARINT_BYTES = 10 };

static void put_bytes(rn_message *message, const void *data, size_t size)
{
    if (message->status == RN_OK)
        message->status =
            rn_grow((void **)&message->bytes, &message->capacity, message->size + size, 1);
    if (message->status != RN_OK || size == 0)
        return;
    memcpy(message->bytes + message->size, data, size);
    message->size += size;
}

static void put_varint(rn_message *message, uint64_t value)
{
    unsigned char bytes[VARINT_BYTES];
    size_t size = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (unsigned char)(value | 0x80);
    bytes[size++] = (unsigned char)value;
    put_bytes(message, bytes, size);
}

static void put_key(rn_message *message, uint32_t number, rn_wire wire)
{
    put_varint(message, (uint64_t)number << 3 | (uint64_t)wire);
}

static void put_part(rn_message *message, rn_message_part part)
{
    if (message->status == RN_OK)
        message->status = rn_grow((void **)&message->parts, &message->part_capacity,
                                  message->part_count + 1, sizeof *message->parts);
    if (message->status != RN_OK)
        return;
    message->parts[message->part_count++] = part;
    message->part_bytes += part.size;
}

void rn_message_int(rn_message *message, uint32_t number, int64_t value)
{
    put_key(message, number, RN_WIRE_VARINT);
    put_varint(message, (uint64_t)value);
}

static void put_fixed(rn_message *message, uint64_t bits, size_t size)
{
    unsigned char bytes[sizeof bits];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> (8 * i));
    put_bytes(message, bytes, size);
}

void rn_message_float(rn_message *message, uint32_t number, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(message, number, RN_WIRE_FIXED32);
    put_fixed(message, bits, sizeof bits);
}

void rn_message_double(rn_message *message, uint32_t number, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(message, number, RN_WIRE_FIXED64);
    put_fixed(message, bits, sizeof bits);
}

void rn_message_text(rn_message *message, uint32_t number, const char *text)
{
    size_t size = strlen(text);

    put_key(message, number, RN_WIRE_BYTES);
    put_varint(message, size);
    put_bytes(message, text, size);
}

void rn_message_refer(rn_message *message, uint32_t number, const void *data, size_t size)
{
    put_key(message, number, RN_WIRE_BYTES);
    put_varint(message, size);
    put_part(message, (rn_message_part){.place = message->size, .data = data, .size = size});
}

void rn_message_join(rn_message *message, rn_message *other)
{
    if (message->status == RN_OK)
        message->status = other->status;
    for (size_t i = 0; i < other->part_count; i++) {
        rn_message_part part = other->parts[i];
        part.place += message->size;
        put_part(message, part);
    }
    put_bytes(message, other->bytes, other->size);
    rn_message_release(other);
}

void rn_message_append(rn_message *message, uint32_t number, rn_message *child)
{
    put_key(message, number, RN_WIRE_BYTES);
    put_varint(message, rn_message_length(child));
    rn_message_join(message, child);
}

uint64_t rn_message_length(const rn_message *message)
{
    return message->size + message->part_bytes;
}

rn_status rn_message_write(const rn_message *message, rn_atomic_file *file)
{
    rn_status st = RN_OK;
    size_t done = 0;

    RN_TRY(message->status);
    for (size_t i = 0; i < message->part_count; i++) {
        const rn_message_part *part = &message->parts[i];
        RN_TRY(rn_atomic_file_write(file, message->bytes + done, part->place - done));
        RN_TRY(rn_atomic_file_write(file, part->data, part->size));
        done = part->place;
    }
    RN_TRY(rn_atomic_file_write(file, message->bytes + done, message->size - done));
out:
    return st;
}

void rn_message_release(rn_message *message)
{
    rn_free(message->bytes);
    rn_free(message->parts);
    *message = (rn_message){0};
}
