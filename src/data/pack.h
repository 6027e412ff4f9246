/**
 * Packs: encoded pictures with names and labels in one file. All numbers are little-endian; sums
 * are CRC-32 as in zlib.
 *
 *     header                    RN_PACK_HEADER bytes
 *     records                   one a picture: RN_PACK_RECORD bytes and the encoded picture
 *     index                     count entries of RN_PACK_ENTRY bytes
 *     names of pictures         each with its NUL
 *     names of classes          each with its NUL, up to the end of the file
 *
 * Records say what they are, so that a pack that was not finished can be taken up again. Fields are
 * listed in docs/data.md.
 */
#ifndef DATA_PACK_H
#define DATA_PACK_H

#include "data/class_list.h"
#include "resnet/data.h"

enum { RN_PACK_HEADER = 128, RN_PACK_RECORD = 16, RN_PACK_ENTRY = 32, RN_PACK_VERSION = 1 };

typedef struct rn_pack_header {
    bool complete;         // false: still being written
    uint32_t splits;       // 0: one set for both; 1: first the training set, then the test set
    uint64_t count, train; // pictures; of the training set (all where there is one set)
    uint64_t classes;
    uint64_t index;                    // where the index begins
    uint64_t names_bytes, class_bytes; // of all names
    uint32_t tables_sum;               // of index and names
    uint8_t job[32];                   // SHA-256 of what was to be packed, and how
} rn_pack_header;

typedef struct rn_pack_entry {
    uint64_t offset; // of the encoded picture in the file
    uint64_t name;   // of its name among the names
    uint32_t size;
    int32_t label;
    uint32_t sum;
} rn_pack_entry;

typedef struct rn_pack_record {
    uint32_t number; // in the source: pictures that were left out have no record
    uint32_t size;
    uint32_t sum;
} rn_pack_record;

void rn_pack_header_write(uint8_t bytes[RN_PACK_HEADER], const rn_pack_header *header);

/** False if this is no pack's header, finished or not, of this version, or its sum is wrong. */
bool rn_pack_header_read(rn_pack_header *header, const uint8_t bytes[RN_PACK_HEADER]);

void rn_pack_record_write(uint8_t bytes[RN_PACK_RECORD], const rn_pack_record *record);

/** False if this is no record's header. */
bool rn_pack_record_read(rn_pack_record *record, const uint8_t bytes[RN_PACK_RECORD]);

void rn_pack_entry_write(uint8_t bytes[RN_PACK_ENTRY], const rn_pack_entry *entry);
void rn_pack_entry_read(rn_pack_entry *entry, const uint8_t bytes[RN_PACK_ENTRY]);

/** An open pack. Immutable: any thread may read. */
typedef struct rn_pack rn_pack;

/**
 * Open a finished pack: its index and names are read into memory, and checked once.
 *
 * @param[out] out  The caller's (rn_pack_close()); NULL on failure.
 * @return RN_OK; RN_ENOTFOUND, RN_EIO; RN_EFORMAT (says what is wrong where); RN_ENOMEM.
 */
rn_status rn_pack_open(rn_pack **out, const char *path);
void rn_pack_close(rn_pack *pack);

const rn_pack_header *rn_pack_header_of(const rn_pack *pack);
void rn_pack_entry_of(rn_pack_entry *entry, const rn_pack *pack, size_t index);

/** Borrowed until the pack is closed. */
const char *rn_pack_name(const rn_pack *pack, size_t index);

/** Add the names of the classes, in the pack's order. */
rn_status rn_pack_classes(rn_class_list *classes, const rn_pack *pack);

/**
 * Read one picture.
 *
 * @return RN_OK; RN_EIO; RN_EFORMAT (the bytes' sum is wrong); RN_ENOMEM.
 */
rn_status rn_pack_read(rn_photo *out, const rn_pack *pack, size_t index);

#endif
