#include "data/archives.h"
#include "data/loopback.h"

enum { RECORDS = 100, BATCH = RECORDS * 3073, CUT = 100000 };

static made_archive made;
static char batch[BATCH];

/** A server with a good archive, an empty folder, and what is to be fetched. */
typedef struct fixture {
    loopback server;
    char folder[128];
    rn_download download;
} fixture;

// Bytes that do not compress, so that the archive is long enough to be cut.
static void begin(fixture *f)
{
    const member members[] = {
        {.path = "cifar-10-batches-bin/test_batch.bin", .data = batch, .size = BATCH}};
    uint32_t word = 1;

    for (int i = 0; i < BATCH; i++) {
        word = word * 1664525u + 1013904223u;
        batch[i] = (char)(i % 3073 == 0 ? 7 : word >> 24);
    }
    archive_make(&made, members, 1);
    assert_true(made.size > 3 * CUT);
    snprintf(f->folder, sizeof f->folder, "%s", fixture_folder());
    loopback_start_serving(&f->server, made.bytes, made.size);
    f->download = (rn_download){
        .name = "test", .url = f->server.url, .checksum = made.checksum, .bytes = made.size};
}

static void end(fixture *f)
{
    loopback_stop(&f->server);
    fixture_remove(f->folder);
}

static rn_status fetch_watched(fixture *f, rn_download_progress progress, void *context)
{
    loopback_sync(&f->server);
    rn_status st = rn_download_fetch(&f->download, f->folder, progress, context);
    loopback_sync(&f->server);
    return st;
}

static rn_status fetch(fixture *f)
{
    return fetch_watched(f, NULL, NULL);
}

static bool has(const fixture *f, const char *name)
{
    return access(fixture_path(f->folder, name), F_OK) == 0;
}

static void check_fetched(const fixture *f)
{
    rn_samples *samples;

    assert_true(has(f, "a.tar.gz"));
    assert_false(has(f, "a.tar.gz.part"));
    assert_false(has(f, "a.tar.gz.part.tag"));
    assert_int_equal(rn_data_open(&samples, f->folder, RN_SPLIT_TEST), RN_OK);
    assert_int_equal(samples->count, RECORDS);
    assert_int_equal(samples->labels[RECORDS - 1], 7);
    assert_memory_equal(samples->images + 5 * 3072, batch + 5 * 3073 + 1, 3072);
    rn_samples_free(samples);
}

static void cut_once(fixture *f, loopback_mode how)
{
    uint64_t size;

    f->server.mode = how;
    f->server.cut = CUT;
    fixture_expect(fetch(f), RN_ENETWORK, "stopped at byte 100000", f->server.url, NULL);
    assert_int_equal(rn_file_size(&size, fixture_path(f->folder, "a.tar.gz.part")), RN_OK);
    assert_int_equal(size, CUT);
    assert_false(has(f, "a.tar.gz"));
    assert_false(has(f, "cifar-10-batches-bin"));
}

static void test_whole(void **state)
{
    fixture f;
    uint64_t size;

    (void)state;
    begin(&f);
    assert_int_equal(fetch(&f), RN_OK);
    check_fetched(&f);
    assert_int_equal(f.server.requests, 1);
    assert_non_null(strstr(f.server.request, "User-Agent: resnet/"));
    assert_null(strstr(f.server.request, "Range"));
    assert_int_equal(fetch(&f), RN_OK); // it is there: nothing is asked for
    assert_int_equal(f.server.requests, 1);
    fixture_resize(f.folder, "a.tar.gz", 1234); // another file: fetched, and only then replaced
    f.server.mode = LOOPBACK_MISSING;
    fixture_expect(fetch(&f), RN_ENETWORK, "404", NULL);
    assert_int_equal(rn_file_size(&size, fixture_path(f.folder, "a.tar.gz")), RN_OK);
    assert_int_equal(size, 1234);
    f.server.mode = LOOPBACK_GOOD;
    assert_int_equal(fetch(&f), RN_OK);
    assert_int_equal(f.server.requests, 3);
    check_fetched(&f);
    end(&f);
}

static void test_cut_and_resumed(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    cut_once(&f, LOOPBACK_CUT);
    f.server.cut = 50000; // and once more, on the way on
    fixture_expect(fetch(&f), RN_ENETWORK, "stopped at byte 150000", NULL);
    f.server.mode = LOOPBACK_GOOD;
    assert_int_equal(fetch(&f), RN_OK);
    assert_non_null(strstr(f.server.request, "Range: bytes=150000-\r\n"));
    assert_non_null(strstr(f.server.request, "If-Range: \"v1\"\r\n"));
    check_fetched(&f);
    end(&f);
}

static void test_server_that_ignores_ranges(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    cut_once(&f, LOOPBACK_CUT);
    f.server.mode = LOOPBACK_NO_RANGE;
    assert_int_equal(fetch(&f), RN_OK);
    check_fetched(&f);
    end(&f);
}

static void test_server_with_another_version(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    cut_once(&f, LOOPBACK_CUT);
    f.server.tag = "\"v2\"";
    f.server.mode = LOOPBACK_GOOD;
    assert_int_equal(fetch(&f), RN_OK);
    assert_non_null(strstr(f.server.request, "If-Range: \"v1\"\r\n"));
    check_fetched(&f);
    end(&f);
}

static void test_unknown_version_is_begun_again(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    cut_once(&f, LOOPBACK_NO_TAG);
    f.server.mode = LOOPBACK_GOOD;
    assert_int_equal(fetch(&f), RN_OK);
    assert_null(strstr(f.server.request, "Range:"));
    check_fetched(&f);
    end(&f);
}

static void test_wrong_part(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    cut_once(&f, LOOPBACK_CUT);
    f.server.mode = LOOPBACK_WRONG_RANGE;
    fixture_expect(fetch(&f), RN_ENETWORK, "from byte 100001, expected byte 100000", NULL);
    f.server.mode = LOOPBACK_GOOD;
    assert_int_equal(fetch(&f), RN_OK);
    check_fetched(&f);
    end(&f);
}

// A part that is whole already: of a known size it is taken as it is, of an unknown one the server
// has nothing to add (416), and it is fetched again.
static void test_part_that_is_whole(void **state)
{
    fixture f;

    (void)state;
    for (int known = 0; known < 2; known++) {
        begin(&f);
        fixture_write(f.folder, "a.tar.gz.part", made.bytes, made.size);
        fixture_write(f.folder, "a.tar.gz.part.tag", "\"v1\"", 4);
        f.download.bytes = known ? made.size : 0;
        assert_int_equal(fetch(&f), RN_OK);
        assert_int_equal(f.server.requests, known ? 0 : 2);
        check_fetched(&f);
        end(&f);
    }
}

static void test_missing(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    f.server.mode = LOOPBACK_MISSING;
    fixture_expect(fetch(&f), RN_ENETWORK, "server answered 404", f.server.url, NULL);
    assert_false(has(&f, "a.tar.gz"));
    assert_false(has(&f, "a.tar.gz.part"));
    end(&f);
}

static void test_wrong_sum_and_sizes(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    f.download.checksum = "md5:00000000000000000000000000000000";
    fixture_expect(fetch(&f), RN_EFORMAT, "MD5 sum is", made.checksum + 4, NULL);
    assert_false(has(&f, "a.tar.gz") || has(&f, "a.tar.gz.part") || has(&f, "a.tar.gz.part.tag"));
    f.download.checksum = made.checksum;
    f.download.bytes = made.size - 1;
    fixture_expect(fetch(&f), RN_EFORMAT, "sends more than the expected", NULL);
    assert_false(has(&f, "a.tar.gz") || has(&f, "a.tar.gz.part"));
    f.download.bytes = made.size + 1;
    fixture_expect(fetch(&f), RN_EFORMAT, "bytes, expected", NULL);
    assert_false(has(&f, "a.tar.gz") || has(&f, "a.tar.gz.part"));
    assert_false(has(&f, "cifar-10-batches-bin"));
    end(&f);
}

static void test_bad_archive_stays(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    made.bytes[2] ^= 1; // gzip's method
    archive_sum(&made);
    fixture_expect(fetch(&f), RN_EFORMAT, "bad archive", NULL);
    assert_true(has(&f, "a.tar.gz")); // it is what was asked for
    fixture_expect(fetch(&f), RN_EFORMAT, "bad archive", NULL);
    assert_int_equal(f.server.requests, 1);
    end(&f);
}

typedef struct second {
    fixture *f;
    int calls;
} second;

// Another fetches the same meanwhile, up to the last moment.
static bool fetch_again(uint64_t done, uint64_t total, void *context)
{
    second *s = context;

    (void)done;
    (void)total;
    s->calls++;
    fixture_expect(rn_download_fetch(&s->f->download, s->f->folder, NULL, NULL), RN_EIO,
                   "a.tar.gz.part", "another process", NULL);
    return true;
}

static void test_two_at_once(void **state)
{
    fixture f;
    second s = {.f = &f};

    (void)state;
    begin(&f);
    assert_int_equal(fetch_watched(&f, fetch_again, &s), RN_OK);
    assert_true(s.calls > 0);
    assert_int_equal(f.server.requests, 1);
    check_fetched(&f);
    end(&f);
}

/** Cancels when some bytes have come. */
typedef struct watcher {
    uint64_t done, total;
    uint64_t stop_at; // 0: never
    bool fell;        // did the count go backwards?
} watcher;

static bool watch(uint64_t done, uint64_t total, void *context)
{
    watcher *w = context;

    w->fell |= done < w->done;
    w->done = done;
    w->total = total > w->total ? total : w->total;
    return w->stop_at == 0 || done < w->stop_at;
}

static void test_cancelled_then_resumed(void **state)
{
    fixture f;
    watcher w = {.stop_at = 1};

    (void)state;
    begin(&f);
    f.server.mode = LOOPBACK_CUT; // so that some bytes are there before it is cancelled
    f.server.cut = CUT;
    fixture_expect(fetch(&f), RN_ENETWORK, NULL);
    f.server.mode = LOOPBACK_GOOD;
    fixture_expect(fetch_watched(&f, watch, &w), RN_EINTERRUPTED, "cancelled", NULL);
    assert_true(has(&f, "a.tar.gz.part"));
    w = (watcher){.stop_at = 0};
    assert_int_equal(fetch_watched(&f, watch, &w), RN_OK);
    assert_non_null(strstr(f.server.request, "Range: bytes="));
    assert_false(w.fell);
    assert_int_equal(w.done, made.size);
    assert_int_equal(w.total, made.size);
    check_fetched(&f);
    end(&f);
}

static void test_redirects(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    f.server.mode = LOOPBACK_REDIRECT;
    f.server.target = "file:///etc/passwd";
    fixture_expect(fetch(&f), RN_ENETWORK, "stopped at byte 0", NULL);
    f.server.mode = LOOPBACK_LOOP;
    fixture_expect(fetch(&f), RN_ENETWORK, "stopped at byte 0", NULL);
    assert_int_equal(f.server.requests, 1 + 6);
    assert_false(has(&f, "a.tar.gz.part"));
    f.server.mode = LOOPBACK_REDIRECT;
    f.server.target = "/moved/elsewhere";
    assert_int_equal(fetch(&f), RN_OK);
    check_fetched(&f);
    end(&f);
}

static void test_nobody_there(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    loopback_stop(&f.server);
    fixture_expect(rn_download_fetch(&f.download, f.folder, NULL, NULL), RN_ENETWORK, f.server.url,
                   NULL);
    fixture_remove(f.folder);
}

static void test_unwritable_folder(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    fixture_write(f.folder, "file", "x", 1);
    fixture_expect(rn_download_fetch(&f.download, fixture_path(f.folder, "file"), NULL, NULL),
                   RN_EIO, "file", NULL);
    assert_int_equal(mkfifo(fixture_path(f.folder, "a.tar.gz.part"), 0666), 0);
    fixture_expect(fetch(&f), RN_EIO, "a.tar.gz.part", "not a regular file", NULL);
    end(&f);
}

static void test_addresses_and_sums_of_another_form(void **state)
{
    static const char *const bad[] = {
        "file:///etc/x.tar.gz", "ftp://h/x.tar.gz", "http://h", "http://h/", "http://h/..",
        "http://h/a?b=c",       "http://h/.x",      "a.tar.gz", NULL};
    rn_download download = {.checksum = "md5:00000000000000000000000000000000"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        download.url = bad[i];
        fixture_expect(rn_download_fetch(&download, "/nowhere/at/all", NULL, NULL), RN_EINVAL,
                       NULL);
    }
    download.url = "http://h/x.tar.gz";
    download.checksum = "crc:00";
    fixture_expect(rn_download_fetch(&download, "/nowhere/at/all", NULL, NULL), RN_EINVAL,
                   "'crc:00'", NULL);
}

static void test_without_memory(void **state)
{
    fixture f;
    rn_status st = RN_ENOMEM;

    (void)state;
    begin(&f);
    for (long k = 0; st != RN_OK; k++) {
        long left = k;
        rn_alloc_hook_set(fixture_allow, &left);
        st = fetch(&f);
        rn_alloc_hook_set(NULL, NULL);
        assert_true(st == RN_OK || st == RN_ENOMEM);
        assert_true(k < 200);
    }
    check_fetched(&f);
    end(&f);
}

static void test_known_downloads(void **state)
{
    (void)state;
    assert_string_equal(rn_download_at(0)->name, "cifar10");
    assert_int_equal(rn_download_at(0)->bytes, 170052171);
    assert_string_equal(rn_download_at(1)->name, "cifar100");
    assert_null(rn_download_at(2));
    assert_null(rn_download_at(-1));
    for (int i = 0; rn_download_at(i) != NULL; i++) {
        assert_memory_equal(rn_download_at(i)->url, "https://", 8);
        assert_int_equal(strlen(rn_download_at(i)->checksum), 4 + 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut_and_resumed),
        cmocka_unit_test(test_server_that_ignores_ranges),
        cmocka_unit_test(test_server_with_another_version),
        cmocka_unit_test(test_unknown_version_is_begun_again),
        cmocka_unit_test(test_wrong_part),
        cmocka_unit_test(test_part_that_is_whole),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_wrong_sum_and_sizes),
        cmocka_unit_test(test_bad_archive_stays),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_cancelled_then_resumed),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_unwritable_folder),
        cmocka_unit_test(test_addresses_and_sums_of_another_form),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_known_downloads),
    };
    setenv("no_proxy", "*", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
