#include "data/photo_packs.h"

#include "data/pack.h"

static void make_source(const char *folder)
{
    photo_jpeg(folder, "set/train/cat/1.jpg", 40, 30, 1);
    photo_jpeg(folder, "set/train/cat/2.jpg", 17, 33, 2);
    photo_jpeg(folder, "set/train/dog/a\nb.jpg", 8, 8, 3);
    photo_jpeg(folder, "set/val/dog/1.jpg", 64, 48, 4);
}

static rn_status pack(const char *folder, const rn_pack_options *options, rn_pack_result *result)
{
    return rn_data_pack(result, fixture_path(folder, "set"), fixture_path(folder, "set.rnpack"),
                        options);
}

static void must_pack(const char *folder, const rn_pack_options *options, rn_pack_result *result)
{
    if (pack(folder, options, result) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_false(rn_file_exists(fixture_path(folder, "set.rnpack.part")));
}

static void expect_same(const char *a, const char *b, rn_split split)
{
    rn_samples *x, *y;

    assert_int_equal(rn_data_open(&x, a, split), RN_OK);
    assert_int_equal(rn_data_open(&y, b, split), RN_OK);
    assert_int_equal(x->count, y->count);
    assert_int_equal(x->classes, y->classes);
    for (int c = 0; c < x->classes; c++)
        assert_string_equal(x->label_names[c], y->label_names[c]);
    for (size_t i = 0; i < x->count; i++) {
        rn_photo p, q;
        assert_string_equal(rn_photos_name(x->photos, i), rn_photos_name(y->photos, i));
        assert_int_equal(x->labels[i], y->labels[i]);
        assert_int_equal(rn_photos_read(&p, x->photos, i), RN_OK);
        assert_int_equal(rn_photos_read(&q, y->photos, i), RN_OK);
        assert_int_equal(p.size, q.size);
        assert_memory_equal(p.bytes, q.bytes, p.size);
        rn_photo_release(&p);
        rn_photo_release(&q);
    }
    rn_samples_free(x);
    rn_samples_free(y);
}

static void test_round_trip(void **state)
{
    const char *folder = fixture_folder();
    rn_pack_result result;
    rn_samples *set;

    (void)state;
    make_source(folder);
    must_pack(folder, NULL, &result);
    assert_int_equal(result.pictures, 4);
    assert_int_equal(result.skipped, 0);
    assert_int_equal(result.resumed, 0);
    uint64_t bytes;
    assert_int_equal(rn_file_size(&bytes, fixture_path(folder, "set.rnpack")), RN_OK);
    assert_int_equal(result.bytes, bytes);
    expect_same(fixture_path(folder, "set"), fixture_path(folder, "set.rnpack"), RN_SPLIT_TRAIN);
    expect_same(fixture_path(folder, "set"), fixture_path(folder, "set.rnpack"), RN_SPLIT_TEST);
    assert_int_equal(rn_data_open(&set, fixture_path(folder, "set.rnpack"), RN_SPLIT_TEST), RN_OK);
    assert_string_equal(set->name, "set.rnpack test");
    rn_samples_free(set);
    fixture_sweep_open(fixture_path(folder, "set.rnpack"), RN_SPLIT_TEST);

    // a pack is a source too; of one split alone it is both splits
    assert_int_equal(rn_data_pack(NULL, fixture_path(folder, "set.rnpack"),
                                  fixture_path(folder, "train.rnpack"),
                                  &(rn_pack_options){.splits = RN_PACK_TRAIN}),
                     RN_OK);
    assert_int_equal(rn_data_open(&set, fixture_path(folder, "train.rnpack"), RN_SPLIT_TEST),
                     RN_OK);
    assert_int_equal(set->count, 3);
    assert_string_equal(set->name, "train.rnpack");
    rn_samples_free(set);
    fixture_remove(folder);
}

static void test_threads_give_the_same_file(void **state)
{
    const char *folder = fixture_folder();
    char *files[2], name[32];
    size_t sizes[2];

    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "set/c%d/%02d.jpg", i % 3, i);
        photo_jpeg(folder, name, 20 + i * 7 % 50, 20 + i * 5 % 40, i);
    }
    for (int k = 0; k < 2; k++) {
        assert_int_equal(rn_threads_set(k == 0 ? 1 : 4), RN_OK);
        must_pack(folder, &(rn_pack_options){.format = RN_PACK_JPEG, .shorter = 24}, NULL);
        files[k] = photo_slurp(fixture_path(folder, "set.rnpack"), &sizes[k]);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(files[0], files[1], sizes[0]);
    rn_free(files[0]);
    rn_free(files[1]);
    fixture_remove(folder);
}

static rn_image *first_image(const char *folder, size_t index, bool *jpeg)
{
    rn_samples *set;
    rn_photo photo;
    rn_image *image;

    assert_int_equal(rn_data_open(&set, fixture_path(folder, "set.rnpack"), RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(rn_photos_read(&photo, set->photos, index), RN_OK);
    *jpeg = photo.bytes[0] == 0xff;
    assert_int_equal(rn_image_decode(&image, photo.bytes, photo.size, NULL), RN_OK);
    rn_photo_release(&photo);
    rn_samples_free(set);
    return image;
}

static void expect_packed(const char *folder, size_t index, bool jpeg, int width, int height)
{
    bool is_jpeg;
    rn_image *image = first_image(folder, index, &is_jpeg);

    assert_int_equal(is_jpeg, jpeg);
    assert_int_equal(image->width, width);
    assert_int_equal(image->height, height);
    rn_image_free(image);
}

static void test_formats_and_sizes(void **state)
{
    const char *folder = fixture_folder();
    rn_image *gray = photo_image(1, 31, 19, 5);
    bool jpeg;

    (void)state;
    photo_jpeg(folder, "set/a/1.jpg", 75, 50, 1);
    photo_jpeg(folder, "set/a/2.jpg", 20, 300, 1);
    photo_jpeg(folder, "set/a/3.jpg", 25, 20, 1);
    assert_int_equal(rn_image_save(gray, fixture_path(folder, "set/a/4.png")), RN_OK);
    must_pack(folder, &(rn_pack_options){.format = RN_PACK_JPEG, .shorter = 20}, NULL);
    expect_packed(folder, 0, true, 30, 20);
    expect_packed(folder, 1, true, 20, 300); // not larger
    expect_packed(folder, 3, true, 31, 19);
    must_pack(folder, &(rn_pack_options){.format = RN_PACK_RAW, .shorter = 21}, NULL);
    expect_packed(folder, 0, false, 31, 21); // 31.5 rounded down
    expect_packed(folder, 2, false, 25, 20);
    rn_image *packed = first_image(folder, 3, &jpeg);
    assert_int_equal(packed->channels, 1);
    assert_memory_equal(packed->pixels, gray->pixels, 31 * 19);
    rn_image_free(packed);
    must_pack(folder, NULL, NULL);
    expect_same(fixture_path(folder, "set"), fixture_path(folder, "set.rnpack"), RN_SPLIT_TRAIN);
    rn_image_free(gray);
    fixture_remove(folder);
}

static void test_options_out_of_range(void **state)
{
    const char *folder = fixture_folder();

    (void)state;
    make_source(folder);
    fixture_expect(pack(folder, &(rn_pack_options){.quality = 101}, NULL), RN_EINVAL, "101", NULL);
    fixture_expect(pack(folder, &(rn_pack_options){.shorter = -1}, NULL), RN_EINVAL, "-1", NULL);
    fixture_expect(pack(folder, &(rn_pack_options){.shorter = 9}, NULL), RN_EINVAL, "shrunk", NULL);
    fixture_expect(rn_data_pack(NULL, "shapes", fixture_path(folder, "x.rnpack"), NULL), RN_EINVAL,
                   "encoded", NULL);
    fixture_expect(
        rn_data_pack(NULL, fixture_path(folder, "set"), fixture_path(folder, "x.rnpack.old"), NULL),
        RN_EINVAL, "x.rnpack.old' does not end in .rnpack", NULL);
    assert_int_equal(mkdir(fixture_path(folder, "folder.rnpack"), 0777), 0);
    fixture_expect(rn_data_pack(NULL, fixture_path(folder, "set"),
                                fixture_path(folder, "folder.rnpack"), NULL),
                   RN_EIO, "not a regular file", NULL);
    fixture_expect(rn_data_pack(NULL, fixture_path(folder, "set"),
                                fixture_path(folder, "none/x.rnpack"), NULL),
                   RN_ENOTFOUND, "none/x.rnpack", NULL);
    fixture_remove(folder);
}

static void count_bad(const char *file, bool ok, const char *finding, void *context)
{
    int *count = context;

    assert_false(ok);
    assert_string_equal(file, "b/b\\nad.jpg");
    assert_non_null(strstr(finding, "not a picture"));
    (*count)++;
}

static void test_bad_pictures(void **state)
{
    const char *folder = fixture_folder();
    rn_pack_result result;
    rn_samples *set;
    int bad = 0;

    (void)state;
    photo_jpeg(folder, "set/a/1.jpg", 20, 20, 1);
    photo_text(folder, "set/b/b\nad.jpg", "no picture");
    photo_jpeg(folder, "set/c/1.jpg", 20, 20, 2);
    fixture_expect(pack(folder, NULL, NULL), RN_EFORMAT, "b/b\\nad.jpg", "not a picture", NULL);
    assert_false(rn_file_exists(fixture_path(folder, "set.rnpack")));
    must_pack(
        folder,
        &(rn_pack_options){.restart = true, .skip_bad = true, .bad = count_bad, .context = &bad},
        &result);
    assert_int_equal(bad, 1);
    assert_int_equal(result.pictures, 2);
    assert_int_equal(result.skipped, 1);
    assert_int_equal(rn_data_open(&set, fixture_path(folder, "set.rnpack"), RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(set->count, 2);
    assert_int_equal(set->classes, 3);
    assert_int_equal(set->labels[1], 2);
    rn_samples_free(set);
    assert_int_equal(unlink(fixture_path(folder, "set/a/1.jpg")), 0);
    assert_int_equal(unlink(fixture_path(folder, "set/c/1.jpg")), 0);
    fixture_expect(pack(folder, &(rn_pack_options){.skip_bad = true}, NULL), RN_EFORMAT, "none of",
                   NULL);
    fixture_remove(folder);
}

static bool stop_after(uint64_t done, uint64_t total, uint64_t bytes, void *context)
{
    (void)total;
    (void)bytes;
    return done < *(uint64_t *)context;
}

// Stopped after each picture in turn, cut off or dirtied at the end, and taken up again.
static void test_taken_up_again(void **state)
{
    const char *folder = fixture_folder();
    size_t size, again;
    rn_pack_result result;

    (void)state;
    make_source(folder);
    must_pack(folder, NULL, NULL);
    char *whole = photo_slurp(fixture_path(folder, "set.rnpack"), &size);
    for (uint64_t stop = 1; stop <= 4; stop++) {
        const char *part = fixture_path(folder, "set.rnpack.part");
        rn_pack_options options = {.progress = stop_after, .context = &stop};
        fixture_expect(pack(folder, &options, NULL), RN_EINTERRUPTED, "stopped", NULL);
        uint64_t bytes;
        assert_int_equal(rn_file_size(&bytes, part), RN_OK);
        assert_int_equal(truncate(part, (off_t)bytes - (stop % 2 == 0 ? 1 : -100)), 0);
        must_pack(folder, NULL, &result);
        assert_int_equal(result.resumed, stop - (stop % 2 == 0));
        char *file = photo_slurp(fixture_path(folder, "set.rnpack"), &again);
        assert_int_equal(again, size);
        assert_memory_equal(file, whole, size);
        rn_free(file);
    }
    // killed between the header and the new name
    assert_int_equal(
        rename(fixture_path(folder, "set.rnpack"), fixture_path(folder, "set.rnpack.part")), 0);
    must_pack(folder, NULL, &result);
    assert_int_equal(result.resumed, 4);
    rn_free(whole);
    fixture_remove(folder);
}

// What is not of this job is left alone until that is asked for.
static void test_parts_of_others(void **state)
{
    const char *folder = fixture_folder();
    const char *part = "set.rnpack.part";
    rn_pack_result result;
    size_t size;

    (void)state;
    make_source(folder);
    must_pack(folder, NULL, NULL);
    for (int text = 0; text < 2; text++) {
        assert_int_equal(rename(fixture_path(folder, "set.rnpack"), fixture_path(folder, part)), 0);
        if (text)
            photo_text(folder, part, "a diary");
        char *before = photo_slurp(fixture_path(folder, part), &size);
        fixture_expect(pack(folder, &(rn_pack_options){.quality = 90}, NULL), RN_EIO, part,
                       "another job", "--restart", NULL);
        char *after = photo_slurp(fixture_path(folder, part), &size);
        assert_memory_equal(after, before, size);
        rn_free(before);
        rn_free(after);
        must_pack(folder, &(rn_pack_options){.quality = 90, .restart = true}, &result);
        assert_int_equal(result.resumed, 0);
    }
    fixture_remove(folder);
}

// Of this job, but with a number that the source does not have.
static void test_part_with_a_wrong_number(void **state)
{
    const char *folder = fixture_folder();
    rn_pack_result result;
    rn_pack_record record;
    size_t size;

    (void)state;
    make_source(folder);
    must_pack(folder, NULL, NULL);
    char *bytes = photo_slurp(fixture_path(folder, "set.rnpack"), &size);
    assert_true(rn_pack_record_read(&record, (uint8_t *)bytes + RN_PACK_HEADER));
    record.number = 4;
    rn_pack_record_write((uint8_t *)bytes + RN_PACK_HEADER, &record);
    fixture_write(folder, "set.rnpack.part", bytes, size);
    must_pack(folder, NULL, &result);
    assert_int_equal(result.resumed, 0);
    assert_int_equal(result.pictures, 4);
    rn_free(bytes);
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_threads_give_the_same_file),
        cmocka_unit_test(test_formats_and_sizes), cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_bad_pictures),      cmocka_unit_test(test_taken_up_again),
        cmocka_unit_test(test_parts_of_others),   cmocka_unit_test(test_part_with_a_wrong_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
