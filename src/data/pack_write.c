#include "data/pack_write.h"

#include "base/memory.h"
#include "data/part_file.h"
#include "data/photos.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 1 << 20 };

static rn_status write_error(const rn_pack_writer *writer)
{
    return rn_error(RN_EIO, "cannot write '%s': %s", writer->part, strerror(errno));
}

static rn_status write_at(const rn_pack_writer *writer, const void *data, size_t bytes,
                          uint64_t offset)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t put = pwrite(writer->descriptor, (const char *)data + done, bytes - done,
                             (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return write_error(writer);
        done += (size_t)put;
    }
    return RN_OK;
}

// False at the end of the file as well as on an error: both end what can be taken up.
static bool read_at(const rn_pack_writer *writer, void *data, size_t bytes, uint64_t offset)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got =
            pread(writer->descriptor, (char *)data + done, bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static rn_status write_header(const rn_pack_writer *writer)
{
    uint8_t bytes[RN_PACK_HEADER];

    rn_pack_header_write(bytes, &writer->header);
    return write_at(writer, bytes, sizeof bytes, 0);
}

// Taking up

static bool is_same_job(const rn_pack_writer *writer)
{
    uint8_t bytes[RN_PACK_HEADER];
    rn_pack_header found;

    return read_at(writer, bytes, sizeof bytes, 0) && rn_pack_header_read(&found, bytes) &&
           memcmp(found.job, writer->header.job, sizeof found.job) == 0;
}

static bool is_intact(const rn_pack_writer *writer, const rn_pack_record *record, uint64_t offset,
                      uint8_t *chunk)
{
    uLong sum = 0;

    for (uint32_t done = 0; done < record->size;) {
        uint32_t bytes = record->size - done < CHUNK ? record->size - done : CHUNK;
        if (!read_at(writer, chunk, bytes, offset + done))
            return false;
        sum = crc32(sum, chunk, bytes);
        done += bytes;
    }
    return (uint32_t)sum == record->sum;
}

static rn_status keep_record(rn_pack_writer *writer, const rn_pack_record *record)
{
    rn_status st = RN_OK;

    RN_TRY(rn_grow((void **)&writer->records, &writer->room, writer->count + 1,
                   sizeof *writer->records));
    writer->records[writer->count++] = *record;
    writer->end += RN_PACK_RECORD + record->size;
    writer->next = (uint64_t)record->number + 1;
out:
    return st;
}

static rn_status take_up(rn_pack_writer *writer, uint64_t total)
{
    rn_status st = RN_OK;
    uint8_t *chunk = NULL, bytes[RN_PACK_RECORD];
    rn_pack_record record;

    RN_TRY(RN_NEW(&chunk, CHUNK));
    while (read_at(writer, bytes, sizeof bytes, writer->end) &&
           rn_pack_record_read(&record, bytes) && record.number >= writer->next &&
           record.number < total && record.size <= RN_PHOTO_BYTES &&
           is_intact(writer, &record, writer->end + RN_PACK_RECORD, chunk))
        RN_TRY(keep_record(writer, &record));
out:
    rn_free(chunk);
    return st;
}

// What another job or program has left there is not for us to discard.
static rn_status begin(rn_pack_writer *writer, uint64_t total, bool restart)
{
    struct stat info;

    if (fstat(writer->descriptor, &info) != 0)
        return write_error(writer);
    if (restart || info.st_size == 0)
        return RN_OK;
    if (!is_same_job(writer))
        return rn_error(RN_EIO,
                        "'%s' is of another job (source or options), or no pack: remove it, or "
                        "discard it with '--restart'",
                        writer->part);
    return take_up(writer, total);
}

rn_status rn_pack_writer_open(rn_pack_writer *writer, const char *path,
                              const rn_pack_header *header, uint64_t total, bool restart)
{
    rn_status st = RN_OK;
    struct stat info;

    *writer = (rn_pack_writer){.descriptor = -1, .header = *header, .end = RN_PACK_HEADER};
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return rn_error(RN_EIO, "'%s' is there and not a regular file", path);
    RN_TRY(rn_strdup(&writer->path, path));
    RN_TRY(rn_format(&writer->part, "%s.part", path));
    RN_TRY(rn_part_open(&writer->descriptor, writer->part));
    RN_TRY(begin(writer, total, restart));
    if (ftruncate(writer->descriptor, (off_t)writer->end) != 0) {
        st = write_error(writer);
        goto out;
    }
    writer->header.complete = false;
    RN_TRY(write_header(writer));
out:
    return st;
}

rn_status rn_pack_writer_add(rn_pack_writer *writer, rn_pack_record *record, const uint8_t *bytes)
{
    rn_status st = RN_OK;
    uint8_t head[RN_PACK_RECORD];

    record->sum = (uint32_t)crc32_z(0, bytes, record->size);
    rn_pack_record_write(head, record);
    RN_TRY(write_at(writer, head, sizeof head, writer->end));
    RN_TRY(write_at(writer, bytes, record->size, writer->end + RN_PACK_RECORD));
    RN_TRY(keep_record(writer, record));
out:
    return st;
}

// The tables, gathered in a buffer on their way to the file

typedef struct tables {
    rn_pack_writer *writer;
    uint8_t *chunk;
    size_t used;
    uint64_t at;
    uLong sum;
} tables;

static rn_status flush(tables *t)
{
    rn_status st = RN_OK;

    t->sum = crc32_z(t->sum, t->chunk, t->used);
    RN_TRY(write_at(t->writer, t->chunk, t->used, t->at));
    t->at += t->used;
    t->used = 0;
out:
    return st;
}

static rn_status append(tables *t, const void *data, size_t bytes)
{
    rn_status st = RN_OK;

    for (size_t done = 0; done < bytes;) {
        size_t room = CHUNK - t->used, part = bytes - done < room ? bytes - done : room;
        memcpy(t->chunk + t->used, (const char *)data + done, part);
        t->used += part;
        done += part;
        if (t->used == CHUNK)
            RN_TRY(flush(t));
    }
out:
    return st;
}

static rn_status append_index(tables *t, const rn_pack_source *source)
{
    rn_status st = RN_OK;
    rn_pack_header *header = &t->writer->header;
    uint64_t offset = RN_PACK_HEADER, name = 0;

    header->train = 0;
    for (size_t i = 0; i < t->writer->count; i++) {
        const rn_pack_record *record = &t->writer->records[i];
        uint8_t bytes[RN_PACK_ENTRY];
        rn_pack_entry_write(
            bytes, &(rn_pack_entry){.offset = offset + RN_PACK_RECORD,
                                    .name = name,
                                    .size = record->size,
                                    .label = source->label(record->number, source->context),
                                    .sum = record->sum});
        RN_TRY(append(t, bytes, sizeof bytes));
        offset += RN_PACK_RECORD + record->size;
        name += strlen(source->name(record->number, source->context)) + 1;
        header->train += record->number < source->train;
    }
    header->names_bytes = name;
out:
    return st;
}

static rn_status append_names(tables *t, const rn_pack_source *source)
{
    rn_status st = RN_OK;
    rn_pack_header *header = &t->writer->header;

    for (size_t i = 0; i < t->writer->count; i++) {
        const char *name = source->name(t->writer->records[i].number, source->context);
        RN_TRY(append(t, name, strlen(name) + 1));
    }
    header->class_bytes = 0;
    for (uint64_t i = 0; i < header->classes; i++) {
        size_t bytes = strlen(source->class_names[i]) + 1;
        RN_TRY(append(t, source->class_names[i], bytes));
        header->class_bytes += bytes;
    }
out:
    return st;
}

static rn_status write_tables(rn_pack_writer *writer, const rn_pack_source *source)
{
    rn_status st = RN_OK;
    tables t = {.writer = writer, .at = writer->end};

    RN_TRY(RN_NEW(&t.chunk, CHUNK));
    writer->header.count = writer->count;
    writer->header.index = writer->end;
    RN_TRY(append_index(&t, source));
    RN_TRY(append_names(&t, source));
    RN_TRY(flush(&t));
    writer->header.tables_sum = (uint32_t)t.sum;
out:
    rn_free(t.chunk);
    return st;
}

rn_status rn_pack_writer_finish(rn_pack_writer *writer, const rn_pack_source *source)
{
    rn_status st = RN_OK;

    RN_TRY(write_tables(writer, source));
    writer->header.complete = true;
    RN_TRY(write_header(writer));
    RN_TRY(rn_part_finish(writer->descriptor, writer->part, writer->path));
out:
    return st;
}

void rn_pack_writer_close(rn_pack_writer *writer)
{
    if (writer->part != NULL && writer->descriptor >= 0)
        close(writer->descriptor);
    rn_free(writer->path);
    rn_free(writer->part);
    rn_free(writer->records);
    *writer = (rn_pack_writer){.descriptor = -1};
}
