// Pictures that are written are read back as they were.
#include "base/memory.h"
#include "resnet/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static int enter(void **state)
{
    int descriptor;

    (void)state;
    strcpy(path, "/tmp/resnet-image-XXXXXX");
    descriptor = mkstemp(path);
    return descriptor < 0 || close(descriptor) != 0;
}

static int leave(void **state)
{
    (void)state;
    return unlink(path);
}

static void check_round_trip(int channels, int height, int width)
{
    uint8_t pixels[3 * 17 * 5];
    rn_image image = {channels, height, width, pixels}, *read;
    size_t bytes = (size_t)channels * (size_t)height * (size_t)width;

    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)(i * 37);
    assert_int_equal(rn_image_save(&image, path), RN_OK);
    assert_int_equal(rn_image_open(&read, path), RN_OK);
    assert_int_equal(read->channels, channels);
    assert_int_equal(read->height, height);
    assert_int_equal(read->width, width);
    assert_memory_equal(read->pixels, pixels, bytes);
    rn_image_free(read);
}

static void pictures_come_back(void **state)
{
    (void)state;
    check_round_trip(3, 17, 5);
    check_round_trip(1, 5, 17);
    check_round_trip(3, 1, 1);
}

static void an_unwritable_place_is_named(void **state)
{
    uint8_t pixel[3] = {1, 2, 3};
    rn_image image = {3, 1, 1, pixel};

    (void)state;
    assert_int_equal(rn_image_save(&image, "/no-such-folder/a.png"), RN_ENOTFOUND);
    assert_non_null(strstr(rn_error_message(), "/no-such-folder/"));
}

static bool fail_at(size_t bytes, void *context)
{
    int *left = context;

    (void)bytes;
    return (*left)-- != 0;
}

static void failed_allocations_are_reported(void **state)
{
    uint8_t pixels[3 * 4] = {0};
    rn_image image = {3, 2, 2, pixels};

    (void)state;
    for (int k = 0; k < 100; k++) {
        int left = k;
        rn_alloc_hook_set(fail_at, &left);
        rn_status st = rn_image_save(&image, path);
        rn_alloc_hook_set(NULL, NULL);
        if (st == RN_OK)
            return;
        assert_int_equal(st, RN_ENOMEM);
    }
    fail_msg("saving never succeeded");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pictures_come_back),
        TEST(an_unwritable_place_is_named),
        TEST(failed_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
