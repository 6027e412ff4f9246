#include "data/photo_packs.h"

#include "data/pack.h"

#include <zlib.h>

typedef struct fixture {
    char folder[64];
    char *bytes; // of a whole pack
    size_t size;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    snprintf(f->folder, sizeof f->folder, "%s", fixture_folder());
    photo_jpeg(f->folder, "set/a/1.jpg", 20, 20, 1);
    photo_jpeg(f->folder, "set/b/1.jpg", 9, 9, 2);
    assert_int_equal(rn_data_pack(NULL, fixture_path(f->folder, "set"),
                                  fixture_path(f->folder, "whole.rnpack"), NULL),
                     RN_OK);
    f->bytes = photo_slurp(fixture_path(f->folder, "whole.rnpack"), &f->size);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;

    fixture_remove(f->folder);
    rn_free(f->bytes);
    free(f);
    return 0;
}

// Whether the pack opens, and then every picture is what was packed or refused. Counts the refused.
static bool opens(const fixture *f, const char *bytes, size_t size, int *refused)
{
    rn_samples *set, *whole;

    *refused = 0;
    fixture_write(f->folder, "x.rnpack", bytes, size);
    rn_status st = rn_data_open(&set, fixture_path(f->folder, "x.rnpack"), RN_SPLIT_TRAIN);
    if (st != RN_OK) {
        assert_int_equal(st, RN_EFORMAT);
        assert_non_null(strstr(rn_error_message(), "x.rnpack"));
        return false;
    }
    assert_int_equal(rn_data_open(&whole, fixture_path(f->folder, "whole.rnpack"), RN_SPLIT_TRAIN),
                     RN_OK);
    assert_int_equal(set->count, 2);
    for (size_t i = 0; i < 2; i++) {
        rn_photo p, q;
        assert_int_equal(rn_photos_read(&q, whole->photos, i), RN_OK);
        st = rn_photos_read(&p, set->photos, i);
        *refused += st != RN_OK;
        if (st == RN_OK)
            assert_true(p.size == q.size && memcmp(p.bytes, q.bytes, p.size) == 0);
        else
            fixture_expect(st, RN_EFORMAT, rn_photos_name(set->photos, i), "damaged", NULL);
        rn_photo_release(&p);
        rn_photo_release(&q);
    }
    rn_samples_free(whole);
    rn_samples_free(set);
    return true;
}

static void test_cut_off(void **state)
{
    const fixture *f = *state;
    int refused;

    for (size_t size = 0; size < f->size; size += 100)
        assert_false(opens(f, f->bytes, size, &refused));
    assert_false(opens(f, f->bytes, f->size - 1, &refused));
    assert_true(opens(f, f->bytes, f->size, &refused));
    assert_int_equal(refused, 0);
}

// What was checked once stays as it was; of pictures the sums are checked each time.
static void test_damaged_while_in_use(void **state)
{
    const fixture *f = *state;
    char *junk = malloc(f->size);
    rn_samples *set;
    rn_photo photo;

    memset(junk, 'x', f->size);
    for (int cut = 0; cut < 2; cut++) {
        fixture_write(f->folder, "x.rnpack", f->bytes, f->size);
        assert_int_equal(rn_data_open(&set, fixture_path(f->folder, "x.rnpack"), RN_SPLIT_TRAIN),
                         RN_OK);
        if (cut)
            fixture_resize(f->folder, "x.rnpack", 0);
        else
            fixture_write(f->folder, "x.rnpack", junk, f->size);
        assert_string_equal(rn_photos_name(set->photos, 1), "b/1.jpg");
        fixture_expect(rn_photos_read(&photo, set->photos, 1), cut ? RN_EIO : RN_EFORMAT,
                       "x.rnpack", cut ? "the file ends there" : "damaged", NULL);
        rn_samples_free(set);
    }
    free(junk);
}

// Every byte but those of records' headers matters, and is found out.
static void test_flipped_bytes(void **state)
{
    const fixture *f = *state;
    char *bytes = malloc(f->size);
    int refused;
    rn_pack_header header;
    size_t harmless = 0;

    assert_true(rn_pack_header_read(&header, (const uint8_t *)f->bytes));
    for (size_t i = 0; i < f->size; i += i < 160 || i >= header.index ? 1 : 7) {
        memcpy(bytes, f->bytes, f->size);
        bytes[i] ^= 0x10;
        if (!opens(f, bytes, f->size, &refused))
            assert_true(i < RN_PACK_HEADER || i >= header.index);
        else
            harmless += refused == 0;
    }
    assert_true(harmless <= 2 * RN_PACK_RECORD);
    free(bytes);
}

// Sums are made right again: what is said must be refused for itself.
static void expect_hostile(const fixture *f, rn_pack_header header, const char *said)
{
    char *bytes = malloc(f->size);
    int refused;

    memcpy(bytes, f->bytes, f->size);
    rn_pack_header_write((uint8_t *)bytes, &header);
    assert_false(opens(f, bytes, f->size, &refused));
    if (strstr(rn_error_message(), said) == NULL)
        fail_msg("'%s' is not in '%s'", said, rn_error_message());
    free(bytes);
}

static void test_hostile_headers(void **state)
{
    const fixture *f = *state;
    rn_pack_header good, bad;

    assert_true(rn_pack_header_read(&good, (const uint8_t *)f->bytes));
    for (int shift = 1; shift < 64; shift++) {
        bad = good;
        bad.count = (uint64_t)1 << shift | 1;
        expect_hostile(f, bad, "cut off");
        bad = good;
        bad.index = good.index + ((uint64_t)1 << shift);
        expect_hostile(f, bad, "cut off");
        bad = good;
        bad.names_bytes += (uint64_t)1 << shift;
        expect_hostile(f, bad, "cut off");
        bad = good;
        bad.classes = good.classes + ((uint64_t)1 << shift);
        expect_hostile(f, bad, bad.classes > 1000000 ? "range" : "classes");
    }
    bad = good; // two wrongs that make the size right: 2^59 entries of 32 bytes are 2^64
    bad.count += (uint64_t)1 << 59;
    expect_hostile(f, bad, "cut off");
    bad = good;
    bad.count = 0;
    bad.names_bytes += 2 * RN_PACK_ENTRY;
    expect_hostile(f, bad, "range");
    bad = good;
    bad.train = 1; // of one set, all are for training
    expect_hostile(f, bad, "range");
    bad = good;
    bad.splits = 2;
    expect_hostile(f, bad, "range");
    bad = good;
    bad.index = 0;
    bad.names_bytes += good.index;
    expect_hostile(f, bad, "cut off");
    bad = good;
    bad.names_bytes--;
    bad.class_bytes++;
    expect_hostile(f, bad, "names");
    bad = good;
    bad.complete = false;
    expect_hostile(f, bad, "not finished");
}

static void expect_hostile_entry(const fixture *f, const rn_pack_entry *entry)
{
    char *bytes = malloc(f->size);
    rn_pack_header header;
    int refused;

    memcpy(bytes, f->bytes, f->size);
    assert_true(rn_pack_header_read(&header, (const uint8_t *)bytes));
    rn_pack_entry_write((uint8_t *)bytes + header.index, entry);
    header.tables_sum =
        (uint32_t)crc32_z(0, (uint8_t *)bytes + header.index, f->size - header.index);
    rn_pack_header_write((uint8_t *)bytes, &header);
    assert_false(opens(f, bytes, f->size, &refused));
    assert_non_null(strstr(rn_error_message(), "entry 0"));
    free(bytes);
}

static void test_hostile_entries(void **state)
{
    const fixture *f = *state;
    rn_pack_header header;
    rn_pack_entry good, bad;

    assert_true(rn_pack_header_read(&header, (const uint8_t *)f->bytes));
    rn_pack_entry_read(&good, (const uint8_t *)f->bytes + header.index);
    for (int field = 0; field < 7; field++) {
        bad = good;
        if (field == 0)
            bad.offset = UINT64_MAX - 10;
        else if (field == 1)
            bad.offset = header.index - good.size + 1;
        else if (field == 2)
            bad.offset = 0;
        else if (field == 3)
            bad.size = UINT32_MAX;
        else if (field == 4)
            bad.name = header.names_bytes;
        else if (field == 5)
            bad.label = 2;
        else
            bad.label = -2;
        expect_hostile_entry(f, &bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off),         cmocka_unit_test(test_damaged_while_in_use),
        cmocka_unit_test(test_flipped_bytes),   cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_hostile_entries),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
