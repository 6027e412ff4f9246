/**
 * Protocol buffers' wire format: reading a message that lies in memory, and building one that
 * refers to its large parts instead of copying them. What the fields mean is the caller's.
 */
#ifndef STORE_PROTOBUF_H
#define STORE_PROTOBUF_H

#include "resnet/base.h"

#include "base/file.h"

typedef enum rn_wire {
    RN_WIRE_VARINT = 0,
    RN_WIRE_FIXED64 = 1,
    RN_WIRE_BYTES = 2, // texts, messages, packed lists
    RN_WIRE_FIXED32 = 5
} rn_wire;

/** Protocol buffers' own limit of a message: 2 GiB - 1. */
#define RN_PROTO_LARGEST ((uint64_t)INT32_MAX)

/** What is still to be read of one message. A copy reads the same again. */
typedef struct rn_proto {
    const unsigned char *next, *end;
    const unsigned char *file; // where offsets in messages count from
} rn_proto;

typedef struct rn_proto_field {
    uint32_t number; // 0: the message has ended
    rn_wire wire;
    uint64_t value; // VARINT, FIXED64, FIXED32
    rn_proto bytes; // BYTES
} rn_proto_field;

rn_proto rn_proto_start(const void *bytes, size_t size);

static inline size_t rn_proto_size(const rn_proto *proto)
{
    return (size_t)(proto->end - proto->next);
}

/**
 * Read the next field. Groups, which no current writer uses, are refused, so a message nests as
 * deep as its reader follows it and no deeper.
 *
 * @return RN_OK; RN_EFORMAT (what is wrong, and the byte of the file).
 */
rn_status rn_proto_next(rn_proto *proto, rn_proto_field *field);

/** RN_EFORMAT unless the field has this wire type; `what` is its name in the format. */
rn_status rn_proto_expect(const rn_proto_field *field, rn_wire wire, const char *what);

/** The values of one field of a repeated number: packed, or one alone. */
typedef struct rn_proto_list {
    rn_proto bytes;
    rn_wire wire;
    bool alone;
    uint64_t value;
} rn_proto_list;

/** RN_EFORMAT unless the field is a list of numbers of this wire type. */
rn_status rn_proto_list_of(rn_proto_list *list, const rn_proto_field *field, rn_wire wire,
                           const char *what);
/** Take the next value; *more is false where there is none. */
rn_status rn_proto_list_next(rn_proto_list *list, uint64_t *value, bool *more);

/** A large part that a message refers to: it stands before byte `place` of the message's own. */
typedef struct rn_message_part {
    size_t place;
    const void *data;
    size_t size;
} rn_message_part;

/**
 * A message in the making; start with zeroes. The first failure sticks in `status` and turns what
 * follows into nothing.
 */
typedef struct rn_message {
    unsigned char *bytes;
    size_t size, capacity;
    rn_message_part *parts;
    size_t part_count, part_capacity;
    uint64_t part_bytes;
    rn_status status;
} rn_message;

void rn_message_int(rn_message *message, uint32_t number, int64_t value);
void rn_message_float(rn_message *message, uint32_t number, float value);
void rn_message_double(rn_message *message, uint32_t number, double value);
void rn_message_text(rn_message *message, uint32_t number, const char *text);
/** Refer to data, which must stay until the message is written. */
void rn_message_refer(rn_message *message, uint32_t number, const void *data, size_t size);
/** Append `child` as a field, and release it. */
void rn_message_append(rn_message *message, uint32_t number, rn_message *child);
/** Append the fields of `other` to those of `message`, and release it. */
void rn_message_join(rn_message *message, rn_message *other);
/** Bytes that rn_message_write() writes. */
uint64_t rn_message_length(const rn_message *message);
/** Write it, or return the failure that stuck. */
rn_status rn_message_write(const rn_message *message, rn_atomic_file *file);
void rn_message_release(rn_message *message);

#endif
