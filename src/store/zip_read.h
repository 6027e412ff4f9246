/**
 * A zip archive in memory, its entries stored as they are.
 *
 * Own code and not libarchive: weights are used where they lie in the file's bytes, the way PyTorch
 * maps them, and libarchive would hand out copies; PyTorch stores and never compresses, so there is
 * nothing to inflate, and thus no archive that grows on reading. Only the central directory, the
 * local headers' lengths and ZIP64's fields have to be understood.
 */
#ifndef STORE_ZIP_READ_H
#define STORE_ZIP_READ_H

#include "resnet/base.h"

typedef struct rn_zip_entry {
    const char *name; // in the archive's bytes, without a NUL
    size_t name_length;
    const char *data;
    uint64_t size;   // bytes
    uint64_t header; // place of the local header
    uint32_t crc32;
    uint16_t method; // 0: stored
    bool encrypted;
} rn_zip_entry;

typedef struct rn_zip {
    const char *bytes;  // borrowed
    uint64_t directory; // where the central directory begins, and the entries' data must have ended
    rn_zip_entry *entries; // by name
    size_t count;
    const char *first_name; // of the directory's first entry
    size_t first_name_length;
} rn_zip;

/**
 * Read the directory. Every entry is checked to lie in the archive, to overlap no other, to have a
 * name of its own and one that leads nowhere else ("..", "/...").
 *
 * @return RN_OK; RN_EFORMAT; RN_ENOMEM. Needs memory of the order of the directory's size.
 */
rn_status rn_zip_open(rn_zip **out, const char *bytes, size_t size);
void rn_zip_free(rn_zip *zip);

/** The entry with this name, or NULL. */
const rn_zip_entry *rn_zip_find(const rn_zip *zip, const char *name, size_t length);

/** Check that an entry can be used as it lies: stored, in clear, and of its checksum. */
rn_status rn_zip_check(const rn_zip_entry *entry);

#endif
