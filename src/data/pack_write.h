/** Writing of packs: records in order, taken up again where an earlier writer stopped. */
#ifndef DATA_PACK_WRITE_H
#define DATA_PACK_WRITE_H

#include "data/pack.h"

/** A pack in the making. */
typedef struct rn_pack_writer {
    char *path, *part; // what it will be, and is so far
    int descriptor;    // of part
    rn_pack_header header;
    uint64_t end;            // of the records
    uint64_t next;           // first number that was not done before
    rn_pack_record *records; // [count] written
    size_t count, room;
} rn_pack_writer;

/**
 * Begin "path.part", or take it up if it was begun for the same job: whole records whose numbers
 * rise and are in range stay, anything behind them is cut off.
 *
 * Zero-initialise first; rn_pack_writer_close() is legal after a failure.
 *
 * @param header  Its job, splits and classes are used.
 * @param total    Pictures of the source: numbers of records are below it.
 * @param restart  Discard what is in the part.
 * @return RN_OK; RN_EIO (also where another process is writing it, or it is neither empty nor of
 * the same job), RN_ENOTFOUND; RN_ENOMEM.
 */
rn_status rn_pack_writer_open(rn_pack_writer *writer, const char *path,
                              const rn_pack_header *header, uint64_t total, bool restart);

/** Append a picture; record->number must increase. record->sum is set here. */
rn_status rn_pack_writer_add(rn_pack_writer *writer, rn_pack_record *record, const uint8_t *bytes);

/** What the tables need of the source: a name and label for each number, and the classes. */
typedef struct rn_pack_source {
    const char *(*name)(uint64_t number, const void *context);
    int32_t (*label)(uint64_t number, const void *context);
    const void *context;
    char *const *class_names; // [header.classes]
    uint64_t train;           // numbers below it are the training set's
} rn_pack_source;

/** Write index and names, then the header, sync, and give the file its name. */
rn_status rn_pack_writer_finish(rn_pack_writer *writer, const rn_pack_source *source);

/** Close; an unfinished part stays. */
void rn_pack_writer_close(rn_pack_writer *writer);

#endif
