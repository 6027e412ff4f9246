#include "data/fixtures.h"

#include <zlib.h>

enum { COUNT = 5, HEIGHT = 7, WIDTH = 3, PIXELS = HEIGHT * WIDTH };

static const char train_images[] = "train-images-idx3-ubyte";
static const char train_labels[] = "train-labels-idx1-ubyte";

/** An IDX file in the making. */
typedef struct image_file {
    uint8_t bytes[4096];
    size_t size;
} image_file;

static void put_dim(image_file *file, uint32_t dim)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        file->bytes[file->size++] = (uint8_t)(dim >> shift);
}

static image_file make_images(uint32_t count)
{
    image_file file = {.bytes = {0, 0, 8, 3}, .size = 4};

    put_dim(&file, count);
    put_dim(&file, HEIGHT);
    put_dim(&file, WIDTH);
    for (int i = 0; i < COUNT * PIXELS; i++)
        file.bytes[file.size++] = (uint8_t)(i * 5 + 1);
    return file;
}

static image_file make_labels(uint32_t count)
{
    image_file file = {.bytes = {0, 0, 8, 1}, .size = 4};

    put_dim(&file, count);
    for (uint32_t i = 0; i < COUNT; i++)
        file.bytes[file.size++] = (uint8_t)(9 - i);
    return file;
}

static void write_plain(const char *folder, const char *name, const image_file *file)
{
    fixture_write(folder, name, file->bytes, file->size);
}

static void write_gz(const char *folder, const char *name, const image_file *file)
{
    gzFile gz = gzopen(fixture_path(folder, name), "wb");

    assert_non_null(gz);
    assert_int_equal(gzwrite(gz, file->bytes, (unsigned)file->size), file->size);
    assert_int_equal(gzclose(gz), Z_OK);
}

static void write_train(const char *folder)
{
    image_file images = make_images(COUNT), labels = make_labels(COUNT);

    write_plain(folder, train_images, &images);
    write_plain(folder, train_labels, &labels);
}

static void check_gray(const char *folder, rn_split split)
{
    rn_samples *samples;

    assert_int_equal(rn_data_open(&samples, folder, split), RN_OK);
    assert_int_equal(samples->count, COUNT);
    assert_int_equal(samples->channels, 1);
    assert_int_equal(samples->height, HEIGHT);
    assert_int_equal(samples->width, WIDTH);
    assert_int_equal(samples->classes, 10);
    assert_string_equal(samples->label_names[7], "7");
    for (int i = 0; i < COUNT * PIXELS; i++)
        assert_int_equal(samples->images[i], (uint8_t)(i * 5 + 1));
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(samples->labels[i], 9 - i);
    rn_samples_free(samples);
}

static void test_plain_gz_and_both_separators(void **state)
{
    static const char *const names[4][2] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        {"t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"},
        {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"},
        {"t10k-images.idx3-ubyte.gz", "t10k-labels-idx1-ubyte"}};
    image_file images = make_images(COUNT), labels = make_labels(COUNT);

    (void)state;
    for (int i = 0; i < 4; i++) {
        char *folder = fixture_folder();
        (strstr(names[i][0], ".gz") ? write_gz : write_plain)(folder, names[i][0], &images);
        (strstr(names[i][1], ".gz") ? write_gz : write_plain)(folder, names[i][1], &labels);
        check_gray(folder, i % 2 == 0 ? RN_SPLIT_TRAIN : RN_SPLIT_TEST);
        EXPECT_OPEN(folder, i % 2 == 0 ? RN_SPLIT_TEST : RN_SPLIT_TRAIN, RN_ENOTFOUND,
                    "images-idx3-ubyte");
        fixture_remove(folder);
    }
}

// [n][3][h][w] and [n][h][w][3] must give the same images.
static void test_colour_planar_and_interleaved(void **state)
{
    enum { H = 2, W = 4, N = 3 };
    image_file labels = make_labels(N);

    (void)state;
    labels.size = 8 + N;
    for (int interleaved = 0; interleaved < 2; interleaved++) {
        char *folder = fixture_folder();
        image_file file = {.bytes = {0, 0, 8, 4}, .size = 4};
        rn_samples *samples;
        uint32_t planar_dims[] = {N, 3, H, W}, mixed_dims[] = {N, H, W, 3};
        for (int i = 0; i < 4; i++)
            put_dim(&file, interleaved ? mixed_dims[i] : planar_dims[i]);
        for (int i = 0; i < N * 3 * H * W; i++) {
            int n = i / (3 * H * W), rest = i % (3 * H * W);
            int c = interleaved ? rest % 3 : rest / (H * W);
            int p = interleaved ? rest / 3 : rest % (H * W);
            file.bytes[file.size++] = (uint8_t)(n * 100 + c * 30 + p);
        }
        write_gz(folder, "train-images-idx4-ubyte.gz", &file);
        write_plain(folder, train_labels, &labels);
        assert_int_equal(rn_data_open(&samples, folder, RN_SPLIT_TRAIN), RN_OK);
        assert_int_equal(samples->channels, 3);
        assert_int_equal(samples->height, H);
        assert_int_equal(samples->width, W);
        for (int i = 0; i < N * 3 * H * W; i++)
            assert_int_equal(samples->images[i],
                             (uint8_t)(i / (3 * H * W) * 100 + i / (H * W) % 3 * 30 + i % (H * W)));
        rn_samples_free(samples);
        fixture_remove(folder);
    }
}

static void test_colour_without_three(void **state)
{
    char *folder = fixture_folder();
    image_file file = {.bytes = {0, 0, 8, 4}, .size = 4}, labels = make_labels(1);

    (void)state;
    put_dim(&file, 1);
    for (int i = 0; i < 3; i++)
        put_dim(&file, 2);
    file.size += 8;
    labels.size = 9;
    write_plain(folder, "train-images-idx4-ubyte", &file);
    write_plain(folder, train_labels, &labels);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "no dimension of 3");
    fixture_remove(folder);
}

static void test_label_names_set_the_classes(void **state)
{
    char *folder = fixture_folder();
    char fashion[128];
    rn_samples *samples;

    (void)state;
    write_train(folder);
    fixture_write(folder, "label_names.txt", "a\nb\nc\n", 6);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, train_labels, "label 0 is 9", "0 to 2");
    fixture_write(folder, "label_names.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk", 21);
    assert_int_equal(rn_data_open(&samples, folder, RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(samples->classes, 11);
    assert_string_equal(samples->label_names[10], "k");
    rn_samples_free(samples);

    snprintf(fashion, sizeof fashion, "%s/Fashion-MNIST", folder);
    assert_int_equal(mkdir(fashion, 0777), 0);
    write_train(fashion);
    assert_int_equal(rn_data_open(&samples, fashion, RN_SPLIT_TRAIN), RN_OK);
    assert_string_equal(samples->label_names[9], "Ankle boot");
    rn_samples_free(samples);
    fixture_remove(folder);
}

static void expect_images(const char *folder, const image_file *file, const char *text)
{
    write_plain(folder, train_images, file);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, train_images, text);
}

static void test_every_truncation_is_refused(void **state)
{
    char *folder = fixture_folder();

    (void)state;
    write_train(folder);
    image_file file = make_images(COUNT);
    for (file.size--;; file.size--) {
        expect_images(folder, &file, "'");
        if (file.size == 0)
            break;
    }
    fixture_remove(folder);
}

static void test_wrong_headers(void **state)
{
    char *folder = fixture_folder();
    image_file file;

    (void)state;
    write_train(folder);
    for (int i = 0; i < 4; i++) {
        file = make_images(COUNT);
        file.bytes[i] ^= 4;
        expect_images(folder, &file, "magic number is");
    }
    file = make_images(COUNT);
    file.size++;
    expect_images(folder, &file, "claims 105 values, but its 122 bytes hold 106");
    file = make_images(0);
    expect_images(folder, &file, "no items");
    file = make_images(UINT32_MAX);
    expect_images(folder, &file, "claims 90194313195 values");
    file = make_images(COUNT);
    memset(file.bytes + 8, 0xff, 8);
    expect_images(folder, &file, "dimension 2 is 4294967295");
    file = make_images(COUNT);
    memset(file.bytes + 12, 0, 4);
    expect_images(folder, &file, "dimension 3 is 0");
    fixture_remove(folder);
}

static void test_wrong_labels(void **state)
{
    char *folder = fixture_folder();
    image_file labels = make_labels(COUNT);

    (void)state;
    write_train(folder);
    labels.bytes[8 + 3] = 10;
    write_plain(folder, train_labels, &labels);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, train_labels, "label 3 is 10", "0 to 9");
    labels = make_labels(COUNT - 1);
    labels.size--;
    write_plain(folder, train_labels, &labels);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, train_labels, "has 4 labels, expected 5");
    fixture_resize(folder, train_labels, 3);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, train_labels, "ends 1 bytes early");
    assert_int_equal(unlink(fixture_path(folder, train_labels)), 0);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_ENOTFOUND, train_labels);
    fixture_remove(folder);
}

static void test_not_a_file(void **state)
{
    char *folder = fixture_folder();

    (void)state;
    write_train(folder);
    assert_int_equal(unlink(fixture_path(folder, train_labels)), 0);
    assert_int_equal(mkfifo(fixture_path(folder, train_labels), 0666), 0);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EIO, train_labels, "a pipe or device");
    assert_int_equal(unlink(fixture_path(folder, train_images)), 0);
    assert_int_equal(mkdir(fixture_path(folder, train_images), 0777), 0);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EIO, train_images, "a folder");
    fixture_remove(folder);
}

static void expect_gz(const char *folder, const void *bytes, size_t size, const char *text)
{
    fixture_write(folder, "train-images-idx3-ubyte.gz", bytes, size);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "train-images-idx3-ubyte.gz", text);
}

static void test_damaged_gz(void **state)
{
    char *folder = fixture_folder(), *bytes;
    size_t size;
    int harmless = 0;
    image_file images = make_images(COUNT), labels = make_labels(COUNT);

    (void)state;
    write_gz(folder, "train-images-idx3-ubyte.gz", &images);
    write_plain(folder, train_labels, &labels);
    check_gray(folder, RN_SPLIT_TRAIN);
    assert_int_equal(
        rn_file_read(&bytes, &size, fixture_path(folder, "train-images-idx3-ubyte.gz"), 4096),
        RN_OK);
    for (size_t cut = 0; cut < size; cut++)
        expect_gz(folder, bytes, cut, "gzip data ends early");
    // A flipped bit is seen by deflate, by our sizes or by gzip's own sum, or it changes nothing:
    // gzip's header holds a time, and deflate's last byte may be padded.
    for (size_t at = 0; at < size; at++) {
        rn_samples *samples = NULL;
        bytes[at] ^= 0x10;
        fixture_write(folder, "train-images-idx3-ubyte.gz", bytes, size);
        rn_status st = rn_data_open(&samples, folder, RN_SPLIT_TRAIN);
        if (st == RN_OK)
            assert_memory_equal(samples->images, images.bytes + 16, COUNT * PIXELS);
        else
            assert_int_equal(st, RN_EFORMAT);
        harmless += st == RN_OK;
        rn_samples_free(samples);
        bytes[at] ^= 0x10;
    }
    assert_true(harmless < 12);
    bytes[0] = 'x';
    expect_gz(folder, bytes, size, "bad gzip data");
    expect_gz(folder, images.bytes, images.size, "bad gzip data"); // plain under a .gz name
    rn_free(bytes);
    fixture_remove(folder);
}

// 64 MB of zeroes in 64 kB, behind headers that claim little, much, and more than deflate can hold.
static void write_bomb(const char *folder, uint32_t count, uint32_t side)
{
    static uint8_t zeroes[1 << 16];
    gzFile gz = gzopen(fixture_path(folder, "train-images-idx3-ubyte.gz"), "wb9");
    image_file file = {.bytes = {0, 0, 8, 3}, .size = 4};

    assert_non_null(gz);
    put_dim(&file, count);
    put_dim(&file, side);
    put_dim(&file, side);
    assert_int_equal(gzwrite(gz, file.bytes, (unsigned)file.size), file.size);
    for (int i = 0; i < 1 << 10; i++)
        assert_int_equal(gzwrite(gz, zeroes, sizeof zeroes), sizeof zeroes);
    assert_int_equal(gzclose(gz), Z_OK);
}

static bool refuse_large(size_t bytes, void *context)
{
    size_t *largest = context;

    *largest = bytes > *largest ? bytes : *largest;
    return true;
}

static void test_bombs_take_no_memory(void **state)
{
    char *folder = fixture_folder();
    image_file labels = make_labels(COUNT);
    size_t largest = 0;

    (void)state;
    write_plain(folder, train_labels, &labels);
    rn_alloc_hook_set(refuse_large, &largest);
    write_bomb(folder, COUNT, 4);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "goes on after its 80 values");
    write_bomb(folder, UINT32_MAX, 4096);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "claims 72057594021150720 values");
    write_bomb(folder, UINT32_MAX, 65536);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "dimension 2 is 65536");
    rn_alloc_hook_set(NULL, NULL);
    assert_true(largest < 200000);
    fixture_remove(folder);
}

// A header that is possible by the file's size, behind which deflate's data are damaged.
static void write_garbage(const char *folder, uint32_t count)
{
    static const char name[] = "train-images-idx3-ubyte.gz";
    static uint8_t bytes[100000];
    gzFile gz = gzopen(fixture_path(folder, name), "wb");
    image_file file = make_images(count);
    char *begin;
    size_t size;

    assert_int_equal(gzwrite(gz, file.bytes, (unsigned)file.size), file.size);
    assert_int_equal(gzflush(gz, Z_SYNC_FLUSH), Z_OK);
    size_t good = (size_t)gzoffset(gz);
    assert_int_equal(gzclose(gz), Z_OK);
    assert_int_equal(rn_file_read(&begin, &size, fixture_path(folder, name), sizeof bytes), RN_OK);
    memset(bytes, 0xff, sizeof bytes);
    memcpy(bytes, begin, good);
    fixture_write(folder, name, bytes, sizeof bytes);
    rn_free(begin);
}

static void test_garbage_takes_no_memory(void **state)
{
    enum { CLAIMED = 4000000 };
    char *folder = fixture_folder();
    image_file labels = {.bytes = {0, 0, 8, 1}, .size = 4};
    size_t largest = 0;

    (void)state;
    put_dim(&labels, CLAIMED);
    write_garbage(folder, CLAIMED);
    write_plain(folder, train_labels, &labels);
    fixture_resize(folder, train_labels, 8 + CLAIMED);
    rn_alloc_hook_set(refuse_large, &largest);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "bad gzip data");
    fixture_expect(rn_data_verify(folder, NULL, NULL), RN_EFORMAT, NULL);
    rn_alloc_hook_set(NULL, NULL);
    assert_true(largest < 2 * CLAIMED); // of the labels, which are there
    fixture_remove(folder);
}

static void test_without_memory(void **state)
{
    char *folder = fixture_folder();
    image_file images = make_images(COUNT), labels = make_labels(COUNT);

    (void)state;
    write_gz(folder, "train-images-idx3-ubyte.gz", &images);
    write_plain(folder, train_labels, &labels);
    fixture_sweep_open(folder, RN_SPLIT_TRAIN);
    fixture_remove(folder);
}

static void test_real_mnist(void **state)
{
    const char *real = fixture_real_data();
    rn_samples *samples;
    uint64_t sum = 0;

    (void)state;
    if (real == NULL || !rn_folder_exists(fixture_path(real, "mnist"))) {
        print_message("skipped: no mnist in RESNET_DATA\n");
        return;
    }
    assert_int_equal(rn_data_open(&samples, fixture_path(real, "mnist"), RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(samples->count, 60000);
    assert_int_equal(samples->width, 28);
    assert_int_equal(samples->labels[0], 5);
    for (size_t i = 0; i < 60000 * 784; i++)
        sum += samples->images[i];
    assert_int_equal(sum * 10000 / (60000 * 784) / 255, 1306); // the well-known mean 0.1307
    rn_samples_free(samples);
    assert_int_equal(rn_data_verify(fixture_path(real, "mnist"), NULL, NULL), RN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_gz_and_both_separators),
        cmocka_unit_test(test_colour_planar_and_interleaved),
        cmocka_unit_test(test_colour_without_three),
        cmocka_unit_test(test_label_names_set_the_classes),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_wrong_headers),
        cmocka_unit_test(test_wrong_labels),
        cmocka_unit_test(test_not_a_file),
        cmocka_unit_test(test_damaged_gz),
        cmocka_unit_test(test_garbage_takes_no_memory),
        cmocka_unit_test(test_bombs_take_no_memory),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_real_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
