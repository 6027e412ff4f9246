#include "data/photo_packs.h"

#include "data/pack_write.h"

#include <sys/resource.h>

// As many entries and classes as ImageNet's training set has, and as many JPEG files as a test can
// make. Times and memory are printed; what is asserted leaves room for a busy machine.
enum { ENTRIES = 1281167, CLASSES = 1000, FILES = 100000 };

static double processor_seconds(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static double peak_megabytes(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_maxrss / 1024;
}

static const char *name_of(uint64_t number, const void *context)
{
    static char name[64];

    (void)context;
    snprintf(name, sizeof name, "train/n%08d/n%08d_%06d.JPEG", (int)(number % CLASSES),
             (int)(number % CLASSES), (int)(number / CLASSES));
    return name;
}

static int32_t label_of(uint64_t number, const void *context)
{
    (void)context;
    return (int32_t)(number % CLASSES);
}

static void write_large(const char *path)
{
    char *names[CLASSES];
    rn_pack_writer writer = {0};
    const rn_pack_header header = {.classes = CLASSES};
    const rn_pack_source source = {name_of, label_of, NULL, names, ENTRIES};

    for (int i = 0; i < CLASSES; i++)
        assert_int_equal(rn_format(&names[i], "class %d", i), RN_OK);
    assert_int_equal(rn_pack_writer_open(&writer, path, &header), RN_OK);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        rn_pack_record record = {.number = i, .size = 4};
        assert_int_equal(rn_pack_writer_add(&writer, &record, (const uint8_t *)&i), RN_OK);
    }
    assert_int_equal(rn_pack_writer_finish(&writer, &source), RN_OK);
    rn_pack_writer_close(&writer);
    for (int i = 0; i < CLASSES; i++)
        rn_free(names[i]);
}

static void test_a_large_pack_opens_fast(void **state)
{
    const char *folder = fixture_folder(), *path = fixture_path(folder, "large.rnpack");
    rn_samples *set;
    rn_photo photo;

    (void)state;
    write_large(path);
    double before = peak_megabytes(), processor = processor_seconds(), start = rn_clock();
    assert_int_equal(rn_data_open(&set, path, RN_SPLIT_TRAIN), RN_OK);
    double seconds = rn_clock() - start;
    processor = processor_seconds() - processor;
    print_message("%d entries opened in %.2f s (%.2f s of processor), peak %.0f MiB, before %.0f\n",
                  ENTRIES, seconds, processor, peak_megabytes(), before);
    assert_true(processor < 2);
    assert_int_equal(set->count, ENTRIES);
    assert_int_equal(rn_photos_read(&photo, set->photos, 1234567), RN_OK);
    assert_memory_equal(photo.bytes, &(uint32_t){1234567}, 4);
    assert_string_equal(rn_photos_name(set->photos, 1234567), name_of(1234567, NULL));
    assert_int_equal(set->labels[1234567], 567);
    rn_photo_release(&photo);
    rn_samples_free(set);
    fixture_remove(folder);
}

static void make_files(const char *folder)
{
    rn_image *image = photo_image(3, 32, 24, 1);
    char name[128];

    for (int c = 0; c < 100; c++) {
        snprintf(name, sizeof name, "%s/set/%02d", folder, c);
        assert_int_equal(rn_folder_create(name), RN_OK);
    }
    for (int i = 0; i < FILES; i++) {
        uint8_t *bytes;
        size_t size;
        image->pixels[i % (32 * 24 * 3)] ^= (uint8_t)i;
        assert_int_equal(rn_image_encode_jpeg(&bytes, &size, image, 75), RN_OK);
        snprintf(name, sizeof name, "set/%02d/%06d.jpg", i % 100, i);
        fixture_write(folder, name, bytes, size);
        rn_free(bytes);
    }
    rn_image_free(image);
}

static void test_many_files(void **state)
{
    const char *folder = fixture_folder();
    rn_pack_result result;
    char set[128], path[128];

    (void)state;
    make_files(folder);
    snprintf(set, sizeof set, "%s/set", folder);
    snprintf(path, sizeof path, "%s/set.rnpack", folder);
    double before = peak_megabytes(), start = rn_clock();
    assert_int_equal(
        rn_data_pack(&result, set, path, &(rn_pack_options){.format = RN_PACK_JPEG, .shorter = 20}),
        RN_OK);
    print_message("%d JPEG files packed in %.1f s by %d threads, peak %.0f MiB, before %.0f\n",
                  FILES, rn_clock() - start, rn_threads(), peak_megabytes(), before);
    assert_int_equal(result.pictures, FILES);
    assert_true(peak_megabytes() < before + 100);
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_files), // first: the peak of memory never falls again
        cmocka_unit_test(test_a_large_pack_opens_fast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
