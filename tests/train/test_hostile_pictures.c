// A set in which most pictures are cut off, claim sizes that they do not have, or are called what
// breaks lines: whoever reads it names each of them once, reads the others, and takes little
// memory.
#include "data/photo_files.h"
#include "image/make_webp.h"
#include "image/picture_claims.h"
#include "resnet/evaluate.h"

#include <stdatomic.h>
#include <sys/resource.h>

enum { MOST_BAD = 400, GOOD = 3, STEP = 100, SIDE = 16, CLASSES = 2 };
enum {
    LARGEST = 32 << 20,
    RESIDENT = 256 << 10
}; // bytes at once; KiB, of which a bomb has millions

static char *folder;
static char bad[MOST_BAD][64]; // names, as messages show them
static int bad_count, told[MOST_BAD];

// ---- the set
// -------------------------------------------------------------------------------------

static void put(const char *name, const char *shown, const void *bytes, size_t size)
{
    fixture_write(folder, name, bytes, size);
    assert_true(bad_count < MOST_BAD);
    snprintf(bad[bad_count++], sizeof bad[0], "%s", shown);
}

static void put_cut_off(const char *kind, picture_file file)
{
    char name[64];

    assert_true(file.size > 10 * STEP);
    for (size_t size = 0; size < file.size; size += STEP) {
        snprintf(name, sizeof name, "b/%s-%05zu.jpg", kind,
                 size); // the content decides, not the name
        put(name, name, file.bytes, size);
    }
    free(file.bytes);
}

static void put_all_cut_off(void)
{
    const jpeg_plan baseline = {300, 220, 3, JCS_RGB, JCS_YCbCr, 90, 0, 0, NULL, 0};
    const jpeg_plan progressive = {300, 220, 3, JCS_RGB, JCS_YCbCr, 90, 1, 0, NULL, 0};

    put_cut_off("baseline", make_jpeg(&baseline));
    put_cut_off("progressive", make_jpeg(&progressive));
    put_cut_off("png", make_png(&(png_plan){40, 30, 8, PNG_COLOR_TYPE_RGB, 3, 0, -1, NULL, 0}));
    put_cut_off("adam7", make_png(&(png_plan){40, 30, 8, PNG_COLOR_TYPE_RGB, 3, 1, -1, NULL, 0}));
    put_cut_off("lossless", make_webp(&(webp_plan){40, 30, true, true, NULL, 0}));
    put_cut_off("lossy", make_webp(&(webp_plan){500, 400, false, true, NULL, 0}));
}

static void put_bomb(const char *name, picture_file file)
{
    put(name, name, file.bytes, file.size);
    free(file.bytes);
}

static void put_bombs(void)
{
    static const char raw[] = "P6 65500 65500 255\n123", plain[] = "P2 65500 65500 255\n1 2 3";
    picture_file png = make_png(&(png_plan){8, 8, 8, PNG_COLOR_TYPE_RGB, 3, 0, -1, NULL, 0});

    claim_png_size(png, 65500, 65500);
    put_bomb("b/bomb.png", png);
    for (int progressive = 0; progressive < 2; progressive++) {
        picture_file jpeg =
            make_jpeg(&(jpeg_plan){8, 8, 3, JCS_RGB, JCS_YCbCr, 75, progressive, 0, NULL, 0});
        claim_jpeg_size(jpeg, progressive ? 0xc2 : 0xc0, 65500, 65500);
        put_bomb(progressive ? "b/bomb-progressive.jpg" : "b/bomb.jpg", jpeg);
    }
    put_bomb("b/bomb.webp", webp_container(65500, 65500, 0));
    put("b/bomb.ppm", "b/bomb.ppm", raw, sizeof raw - 1);
    put("b/bomb.pgm", "b/bomb.pgm", plain, sizeof plain - 1);
}

static int make_set(void **state)
{
    char name[64];

    (void)state;
    folder = fixture_folder();
    for (int i = 0; i < GOOD; i++) {
        picture_file file =
            make_jpeg(&(jpeg_plan){40 + i, 30, 3, JCS_RGB, JCS_YCbCr, 75, 0, 0, NULL, 0});
        snprintf(name, sizeof name, "a/%d.jpg", i);
        photo_text(folder, name, "");
        fixture_write(folder, name, file.bytes, file.size);
        free(file.bytes);
    }
    photo_text(folder, "b/README", "");
    put_all_cut_off();
    put_bombs();
    put("b/new\nline.jpg", "b/new\\nline.jpg", "x", 1);
    put("b/\x1b[31m%s\\.jpg", "b/\\x1b[31m%s\\\\.jpg", "x", 1);
    print_message("%d bad pictures\n", bad_count);
    return 0;
}

static int remove_set(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

// ---- who is told of, and the memory that is asked for
// --------------------------------------------

static void note(const char *shown, size_t length)
{
    for (int i = 0; i < bad_count; i++) {
        if (strlen(bad[i]) == length && memcmp(bad[i], shown, length) == 0) {
            told[i]++;
            return;
        }
    }
    fail_msg("'%.*s' is told of, which is not bad", (int)length, shown);
}

// A message that begins with the quoted name.
static void note_message(const char *message)
{
    const char *end = strstr(message, "': ");

    assert_non_null(end);
    assert_int_equal(message[0], '\'');
    assert_null(strchr(message, '\n'));
    note(message + 1, (size_t)(end - message - 1));
}

static void report(const char *file, bool ok, const char *finding, void *context)
{
    (void)context;
    assert_false(ok);
    assert_null(strchr(finding, '\n'));
    note(file, strlen(file));
}

static bool watch(size_t bytes, void *context)
{
    atomic_size_t *largest = context;

    for (size_t seen = atomic_load(largest); seen < bytes;)
        if (atomic_compare_exchange_weak(largest, &seen, bytes))
            break;
    return true;
}

static atomic_size_t largest;

static void begin(void)
{
    memset(told, 0, sizeof told);
    atomic_store(&largest, 0);
    rn_alloc_hook_set(watch, &largest);
}

// Sanitizers keep what was freed, so the peak that the system saw is not asserted there.
static void finish(void)
{
    struct rusage used;

    rn_alloc_hook_set(NULL, NULL);
    for (int i = 0; i < bad_count; i++)
        if (told[i] != 1)
            fail_msg("'%s' is told of %d times", bad[i], told[i]);
    getrusage(RUSAGE_SELF, &used);
    print_message("largest allocation %zu bytes, peak %ld KiB\n", atomic_load(&largest),
                  used.ru_maxrss);
    assert_true(atomic_load(&largest) < LARGEST);
#ifndef __SANITIZE_ADDRESS__
    assert_true(used.ru_maxrss < RESIDENT);
#endif
}

static rn_samples *open_set(void)
{
    rn_samples *set;

    assert_int_equal(rn_data_open(&set, folder, RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(set->count, GOOD + bad_count);
    assert_int_equal(set->classes, CLASSES);
    return set;
}

// ---- who reads
// -----------------------------------------------------------------------------------

static void test_verify(void **state)
{
    char counted[64];

    (void)state;
    begin();
    snprintf(counted, sizeof counted, "%d of %d files are wrong", bad_count, GOOD + bad_count);
    fixture_expect(rn_data_verify(folder, report, NULL), RN_EFORMAT, counted, NULL);
    finish();
}

static void test_pack(void **state)
{
    const rn_pack_options options = {.format = RN_PACK_JPEG, .skip_bad = true, .bad = report};
    rn_pack_result result;

    (void)state;
    begin();
    assert_int_equal(rn_data_pack(&result, folder, fixture_path(folder, "x.rnpack"), &options),
                     RN_OK);
    finish();
    assert_int_equal(result.pictures, GOOD);
    assert_int_equal(result.skipped, bad_count);
}

static void test_loader(void **state)
{
    enum { BATCH = 32, EPOCHS = 3 };
    rn_samples *set = open_set();
    rn_preprocess *preprocess;
    rn_loader *loader;
    rn_batch batch;
    char *text;

    (void)state;
    begin();
    assert_int_equal(
        rn_preprocess_create(&preprocess, RN_NORMALIZE_NONE, 3, SIDE, SIDE, NULL, NULL), RN_OK);
    assert_int_equal(rn_loader_create(&loader, set, preprocess,
                                      &(rn_loader_options){.batch = BATCH, .workers = 3}),
                     RN_OK);
    for (size_t i = 0; i <= EPOCHS * set->count / BATCH; i++) {
        assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
        for (int k = 0; k < BATCH; k++) // only good ones are there, and they are of the first class
            assert_int_equal(batch.labels[k], 0);
        while ((text = rn_loader_bad_picture(loader)) != NULL) {
            note_message(text);
            rn_text_free(text);
        }
    }
    rn_loader_free(loader);
    finish();
    rn_preprocess_free(preprocess);
    rn_samples_free(set);
}

static rn_status note_score(const rn_picture_scores *scores, void *context)
{
    (void)context;
    if (scores->error != NULL)
        note_message(scores->error);
    return RN_OK;
}

static void test_evaluation(void **state)
{
    const rn_model_options options = {CLASSES, 3, SIDE, SIDE};
    const rn_evaluate_views_options evaluate = {.views = {.protocol = RN_PROTOCOL_TEN,
                                                          .resize = SIDE + 2,
                                                          .crop_height = SIDE,
                                                          .crop_width = SIDE},
                                                .workers = 3,
                                                .skip_bad = true,
                                                .on_picture = note_score};
    rn_samples *set = open_set();
    rn_checkpoint *model;
    rn_evaluation result;

    (void)state;
    assert_int_equal(rn_model_create(&model, "resnet-8", &options, 1), RN_OK);
    begin();
    assert_int_equal(rn_evaluate_views(&result, &(rn_member){model, false}, 1, set, &evaluate),
                     RN_OK);
    finish();
    assert_int_equal(result.count, GOOD);
    assert_int_equal(result.skipped, bad_count);
    rn_evaluation_release(&result);
    rn_checkpoint_free(model);
    rn_samples_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_loader),
        cmocka_unit_test(test_evaluation),
    };

    return cmocka_run_group_tests(tests, make_set, remove_set);
}
