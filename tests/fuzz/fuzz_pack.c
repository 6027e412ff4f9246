// Packs, finished and not: as they are, and with right sums, so that what these protect is seen
// too.
#include "data/pack_write.h"
#include "data/photo_pack.h"
#include "data/photos.h"

#include "scratch_file.h"

#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the compiler must not leave out.
static volatile size_t sink;

static void expect(bool right)
{
    if (!right)
        abort();
}

static void expect_message(void)
{
    expect(*rn_error_message() != '\0' && strchr(rn_error_message(), '\n') == NULL);
}

static void touch(const rn_samples *set)
{
    const rn_decode_options options = {.max_pixels = 1 << 12};
    rn_image *image;

    for (size_t i = 0; i < set->count; i++) {
        expect(strlen(rn_photos_name(set->photos, i)) <= 4096);
        expect(set->labels[i] >= -1 && set->labels[i] < set->classes);
        rn_status st = rn_photos_decode(&image, set->photos, i, &options);
        expect((st == RN_OK) == (image != NULL));
        if (st != RN_OK)
            expect_message();
        rn_image_free(image);
    }
    for (int i = 0; i < set->classes; i++)
        sink += strlen(set->label_names[i]);
}

static void open_pack(const char *path)
{
    for (int split = 0; split < 2; split++) {
        rn_samples *set = NULL;
        rn_status st = rn_photo_pack_open(&set, path, (rn_split)split);
        expect((st == RN_OK) == (set != NULL));
        if (st == RN_OK)
            touch(set);
        else
            expect_message();
        rn_samples_free(set);
    }
}

static uint32_t sum_of(const uint8_t *bytes, uint64_t from, uint64_t count)
{
    return (uint32_t)crc32_z(0, bytes + from, (size_t)count);
}

// What lies where the index says, as long as it lies in the file.
static void repair_index(uint8_t *bytes, size_t size)
{
    rn_pack_header header;
    rn_pack_entry entry;

    (void)rn_pack_header_read(&header, bytes);
    header.complete = true;
    for (uint64_t i = 0, at = header.index; at <= size && size - at >= RN_PACK_ENTRY &&
                                            i < header.count && header.index >= RN_PACK_HEADER;
         i++, at += RN_PACK_ENTRY) {
        rn_pack_entry_read(&entry, bytes + at);
        if (entry.offset <= size && entry.size <= size - entry.offset)
            entry.sum = sum_of(bytes, entry.offset, entry.size);
        rn_pack_entry_write(bytes + at, &entry);
    }
    if (header.index <= size)
        header.tables_sum = sum_of(bytes, header.index, size - header.index);
    rn_pack_header_write(bytes, &header);
}

// A pack in the making, of the job zero.
static void repair_records(uint8_t *bytes, size_t size)
{
    const rn_pack_header header = {0};
    rn_pack_record record;

    rn_pack_header_write(bytes, &header);
    for (uint64_t at = RN_PACK_HEADER; size - at >= RN_PACK_RECORD;) {
        (void)rn_pack_record_read(&record, bytes + at);
        uint64_t from = at + RN_PACK_RECORD;
        if (record.size <= size - from)
            record.sum = sum_of(bytes, from, record.size);
        rn_pack_record_write(bytes + at, &record);
        if (record.size > size - from)
            break;
        at = from + record.size;
    }
}

enum { TOTAL = 1000 };

// Taken up, the records are whole, in order, of the source and within the file; then it goes on.
// What is of another job is refused and can be discarded.
static void take_up(const char *part, size_t size)
{
    const rn_pack_header header = {.classes = 1};
    rn_pack_writer writer = {0};
    char path[SCRATCH_PATH] = "";

    memcpy(path, part, strlen(part) - strlen(".part"));
    rn_status st = rn_pack_writer_open(&writer, path, &header, TOTAL, false);
    if (st != RN_OK) {
        expect(st == RN_EIO);
        expect_message();
        rn_pack_writer_close(&writer);
        expect(rn_pack_writer_open(&writer, path, &header, TOTAL, true) == RN_OK);
        expect(writer.count == 0);
    }
    expect(writer.end <= (size < RN_PACK_HEADER ? RN_PACK_HEADER : size));
    expect(writer.next <= TOTAL);
    for (size_t i = 0; i < writer.count; i++)
        expect(i == 0 || writer.records[i].number > writer.records[i - 1].number);
    expect(writer.count == 0 || writer.next == writer.records[writer.count - 1].number + 1ULL);
    rn_pack_record record = {.number = (uint32_t)writer.next, .size = 3};
    if (writer.next < TOTAL)
        expect(rn_pack_writer_add(&writer, &record, (const uint8_t *)"abc") == RN_OK);
    rn_pack_writer_close(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char name[] = "x.rnpack.part";
    uint8_t *bytes = malloc(size + 1);

    expect(bytes != NULL);
    memcpy(bytes, data, size);
    open_pack(scratch_file(name, bytes, size));
    take_up(scratch_file(name, bytes, size), size);
    if (size >= RN_PACK_HEADER) {
        repair_index(bytes, size);
        open_pack(scratch_file(name, bytes, size));
        memcpy(bytes, data, size);
        repair_records(bytes, size);
        take_up(scratch_file(name, bytes, size), size);
    }
    free(bytes);
    return 0;
}
