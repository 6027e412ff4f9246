#include "data/photo_packs.h"

#include "data/pack_write.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

// What it takes is not in this process's peak. Its wait status.
static int run_in_child(void (*work)(const void *), const void *argument)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        work(argument);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
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
    assert_int_equal(rn_pack_writer_open(&writer, path, &header, ENTRIES, false), RN_OK);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        rn_pack_record record = {.number = i, .size = 4};
        assert_int_equal(rn_pack_writer_add(&writer, &record, (const uint8_t *)&i), RN_OK);
    }
    assert_int_equal(rn_pack_writer_finish(&writer, &source), RN_OK);
    rn_pack_writer_close(&writer);
    for (int i = 0; i < CLASSES; i++)
        rn_free(names[i]);
}

static void write_large_there(const void *path)
{
    write_large(*(const char *const *)path);
    _exit(0);
}

static void test_a_large_pack_opens_fast(void **state)
{
    const char *folder = fixture_folder(), *path = fixture_path(folder, "large.rnpack");
    rn_samples *set;
    rn_photo photo;

    (void)state;
    assert_int_equal(run_in_child(write_large_there, &path), 0);
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

static char files_folder[64];

static int make_files(void **state)
{
    const char *folder = fixture_folder();
    rn_image *image = photo_image(3, 32, 24, 1);
    char name[128];

    (void)state;
    snprintf(files_folder, sizeof files_folder, "%s", folder);
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
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    fixture_remove(files_folder);
    return 0;
}

static rn_status pack(rn_pack_result *result, const char *path, rn_pack_progress progress,
                      uint64_t *most)
{
    return rn_data_pack(
        result, fixture_path(files_folder, "set"), path,
        &(rn_pack_options){
            .format = RN_PACK_JPEG, .shorter = 20, .progress = progress, .context = most});
}

// As kill -9 from outside does: other threads are at work, and nothing is tidied up.
static bool die_after(uint64_t done, uint64_t total, uint64_t bytes, void *context)
{
    (void)total;
    (void)bytes;
    if (done >= *(uint64_t *)context)
        raise(SIGKILL);
    return true;
}

typedef struct doomed {
    const char *path;
    uint64_t most; // pictures that are done
} doomed;

static void pack_and_die(const void *context)
{
    const doomed *d = context;
    uint64_t most = d->most;

    (void)pack(NULL, d->path, die_after, &most);
}

static void expect_killed(const char *path, uint64_t most)
{
    int status = run_in_child(pack_and_die, &(doomed){path, most});

    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_false(rn_file_exists(path));
}

// First of all tests: a child may use OpenMP only if the parent has not yet.
static void test_killed(void **state)
{
    const char *path = fixture_path(files_folder, "killed.rnpack");

    (void)state;
    expect_killed(path, FILES / 3);
    expect_killed(path, FILES * 2 / 3);
}

static void expect_same_files(const char *a, const char *b)
{
    size_t sizes[2];
    char *bytes[] = {photo_slurp(a, &sizes[0]), photo_slurp(b, &sizes[1])};

    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    rn_free(bytes[0]);
    rn_free(bytes[1]);
}

static void test_many_files(void **state)
{
    rn_pack_result result;
    const char *path = fixture_path(files_folder, "set.rnpack");

    (void)state;
    double before = peak_megabytes(), start = rn_clock();
    assert_int_equal(pack(&result, path, NULL, NULL), RN_OK);
    print_message("%d JPEG files packed in %.1f s by %d threads, peak %.0f MiB, before %.0f\n",
                  FILES, rn_clock() - start, rn_threads(), peak_megabytes(), before);
    assert_int_equal(result.pictures, FILES);
    assert_int_equal(result.resumed, 0);
    assert_true(peak_megabytes() < before + 100);
}

static void test_taken_up_again(void **state)
{
    rn_pack_result result;
    const char *path = fixture_path(files_folder, "killed.rnpack");

    (void)state;
    double start = rn_clock();
    assert_int_equal(pack(&result, path, NULL, NULL), RN_OK);
    print_message("killed after %d and %d files, the others packed in %.1f s\n", FILES / 3,
                  FILES * 2 / 3, rn_clock() - start);
    assert_int_equal(result.pictures, FILES);
    assert_int_equal(result.resumed, FILES * 2 / 3);
    expect_same_files(path, fixture_path(files_folder, "set.rnpack"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_many_files), // early: the peak of memory never falls again
        cmocka_unit_test(test_a_large_pack_opens_fast),
        cmocka_unit_test(test_taken_up_again),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
