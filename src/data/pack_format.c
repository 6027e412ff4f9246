#include "data/pack.h"

#include <endian.h>
#include <string.h>
#include <zlib.h>

static const uint8_t finished[8] = {0x89, 'R', 'N', 'P', 'A', 'C', 'K', '\n'};
static const uint8_t unfinished[8] = {0x89, 'R', 'N', 'P', 'A', 'R', 'T', '\n'};

enum { HEADER_SUM = 124, RECORD_SUM = 12 };

static void put32(uint8_t *bytes, uint32_t value)
{
    value = htole32(value);
    memcpy(bytes, &value, sizeof value);
}

static void put64(uint8_t *bytes, uint64_t value)
{
    value = htole64(value);
    memcpy(bytes, &value, sizeof value);
}

static uint32_t get32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

static uint64_t get64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

static uint32_t sum(const uint8_t *bytes, uint32_t count)
{
    return (uint32_t)crc32(0, bytes, count);
}

void rn_pack_header_write(uint8_t bytes[RN_PACK_HEADER], const rn_pack_header *header)
{
    memset(bytes, 0, RN_PACK_HEADER);
    memcpy(bytes, header->complete ? finished : unfinished, sizeof finished);
    put32(bytes + 8, RN_PACK_VERSION);
    put32(bytes + 12, header->splits);
    put64(bytes + 16, header->count);
    put64(bytes + 24, header->train);
    put64(bytes + 32, header->classes);
    put64(bytes + 40, header->index);
    put64(bytes + 48, header->names_bytes);
    put64(bytes + 56, header->class_bytes);
    put32(bytes + 64, header->tables_sum);
    memcpy(bytes + 72, header->job, sizeof header->job);
    put32(bytes + HEADER_SUM, sum(bytes, HEADER_SUM));
}

bool rn_pack_header_read(rn_pack_header *header, const uint8_t bytes[RN_PACK_HEADER])
{
    *header = (rn_pack_header){.complete = memcmp(bytes, finished, sizeof finished) == 0,
                               .splits = get32(bytes + 12),
                               .count = get64(bytes + 16),
                               .train = get64(bytes + 24),
                               .classes = get64(bytes + 32),
                               .index = get64(bytes + 40),
                               .names_bytes = get64(bytes + 48),
                               .class_bytes = get64(bytes + 56),
                               .tables_sum = get32(bytes + 64)};
    memcpy(header->job, bytes + 72, sizeof header->job);
    return (header->complete || memcmp(bytes, unfinished, sizeof unfinished) == 0) &&
           get32(bytes + 8) == RN_PACK_VERSION &&
           get32(bytes + HEADER_SUM) == sum(bytes, HEADER_SUM);
}

void rn_pack_record_write(uint8_t bytes[RN_PACK_RECORD], const rn_pack_record *record)
{
    put32(bytes, record->number);
    put32(bytes + 4, record->size);
    put32(bytes + 8, record->sum);
    put32(bytes + RECORD_SUM, sum(bytes, RECORD_SUM));
}

bool rn_pack_record_read(rn_pack_record *record, const uint8_t bytes[RN_PACK_RECORD])
{
    *record = (rn_pack_record){get32(bytes), get32(bytes + 4), get32(bytes + 8)};
    return get32(bytes + RECORD_SUM) == sum(bytes, RECORD_SUM);
}

void rn_pack_entry_write(uint8_t bytes[RN_PACK_ENTRY], const rn_pack_entry *entry)
{
    put64(bytes, entry->offset);
    put64(bytes + 8, entry->name);
    put32(bytes + 16, entry->size);
    put32(bytes + 20, (uint32_t)entry->label);
    put32(bytes + 24, entry->sum);
    put32(bytes + 28, 0);
}

void rn_pack_entry_read(rn_pack_entry *entry, const uint8_t bytes[RN_PACK_ENTRY])
{
    *entry = (rn_pack_entry){.offset = get64(bytes),
                             .name = get64(bytes + 8),
                             .size = get32(bytes + 16),
                             .label = (int32_t)get32(bytes + 20),
                             .sum = get32(bytes + 24)};
}
