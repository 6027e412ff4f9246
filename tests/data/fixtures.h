/** Files and folders that the data tests make, and helpers to look at what they give. */
#ifndef TESTS_DATA_FIXTURES_H
#define TESTS_DATA_FIXTURES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "resnet/data.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** A folder of the test's own; fixture_remove() takes it away with all that is in it. */
static inline char *fixture_folder(void)
{
    static char path[64];

    snprintf(path, sizeof path, "/tmp/resnet-data-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline int fixture_remove_one(const char *path, const struct stat *info, int kind,
                                     struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void fixture_remove(const char *folder)
{
    assert_int_equal(nftw(folder, fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/** "folder/name"; static until the fourth call after. */
static inline const char *fixture_path(const char *folder, const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void fixture_write(const char *folder, const char *name, const void *data,
                                 size_t bytes)
{
    FILE *file = fopen(fixture_path(folder, name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

/** The first `bytes` bytes of a file that exists, or zeroes after its end. */
static inline void fixture_resize(const char *folder, const char *name, off_t bytes)
{
    assert_int_equal(truncate(fixture_path(folder, name), bytes), 0);
}

/** A status and, in the message, each of the texts given (up to a NULL). */
static inline void fixture_expect(rn_status got, rn_status wanted, ...)
{
    va_list texts;
    const char *message = rn_error_message();

    if (got != wanted)
        fail_msg("status %s, expected %s (message '%s')", rn_status_text(got),
                 rn_status_text(wanted), message);
    va_start(texts, wanted);
    for (const char *text; (text = va_arg(texts, const char *)) != NULL;) {
        if (strstr(message, text) == NULL)
            fail_msg("'%s' is not in '%s'", text, message);
    }
    va_end(texts);
    assert_null(strchr(message, '\n'));
}

/** rn_data_open() must fail so, and give nothing. */
#define EXPECT_OPEN(source, split, status, ...)                                                    \
    do {                                                                                           \
        rn_samples *none = (rn_samples *)&none;                                                    \
        fixture_expect(rn_data_open(&none, source, split), status, __VA_ARGS__, NULL);             \
        assert_null(none);                                                                         \
    } while (0)

/** For rn_alloc_hook_set(): refuses only the allocation after the first *context ones. */
static inline bool fixture_allow(size_t bytes, void *context)
{
    (void)bytes;
    return (*(long *)context)-- != 0;
}

/** Fail the k-th allocation of rn_data_open() for k = 0, 1, ... until it succeeds. */
static inline void fixture_sweep_open(const char *source, rn_split split)
{
    rn_status st = RN_ENOMEM;

    for (long k = 0; st != RN_OK; k++) {
        long left = k;
        rn_samples *samples = (rn_samples *)&left;
        assert_true(k < 1000);
        rn_alloc_hook_set(fixture_allow, &left);
        st = rn_data_open(&samples, source, split);
        rn_alloc_hook_set(NULL, NULL);
        if (st != RN_OK) {
            assert_int_equal(st, RN_ENOMEM);
            assert_null(samples);
        }
        rn_samples_free(samples);
    }
}

/** The folder with real data sets, or NULL where there is none. */
static inline const char *fixture_real_data(void)
{
    const char *folder = getenv("RESNET_DATA");

    if (folder == NULL)
        folder = TEST_SOURCE_DIR "/../shared/data";
    return rn_folder_exists(folder) ? folder : NULL;
}

#endif
