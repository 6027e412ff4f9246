#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "image/fail_allocation.h"
#include "resnet/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/samples-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/samples.json", mkdtemp(folder));
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static const rn_watched watched[] = {
    {.index = 1,
     .label = "cat",
     .right = true,
     .guesses = {{"cat", 0.75}, {"dog", 0.25}},
     .guess_count = 2},
    {.index = 0,
     .label = "<dog>",
     .mistake = true,
     .guesses = {{"cat", 1}, {"<dog>", 0}},
     .guess_count = 2},
};
static const rn_event event = {.kind = RN_EVENT_EVALUATION,
                               .iteration = 7,
                               .epoch = 0.5,
                               .set = "test",
                               .watched = watched,
                               .watched_count = 2};

// Two pictures of which each value says where it is.
static rn_samples make_samples(int channels, int side)
{
    size_t bytes = (size_t)channels * (size_t)side * (size_t)side;
    rn_samples samples = {.count = 2,
                          .channels = channels,
                          .height = side,
                          .width = side,
                          .images = malloc(2 * bytes)};

    for (size_t i = 0; i < 2 * bytes; i++)
        samples.images[i] = (uint8_t)(i * 7 % 251);
    return samples;
}

static cJSON *write_and_read(const rn_samples *samples)
{
    char *text = NULL;
    size_t size;
    cJSON *json = NULL;

    ok(rn_run_samples_write(folder, &event, samples));
    ok(rn_file_read(&text, &size, path, 200000));
    ok(rn_json_parse(&json, text, size, "samples.json"));
    rn_free(text);
    return json;
}

static const char *text_of(const cJSON *json, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(json, key));
}

// The inverse of what is under test, by its definition.
static size_t decode(uint8_t *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t count = 0;
    uint32_t bits = 0;

    for (int i = 0; text[i] != '\0' && text[i] != '='; i++) {
        bits = bits << 6 | (uint32_t)(strchr(digits, text[i]) - digits);
        if (i % 4 != 0)
            out[count++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return count;
}

static rn_image *picture_of(const cJSON *sample)
{
    uint8_t bytes[60000];
    rn_image *image = NULL;
    size_t size = decode(bytes, text_of(sample, "data"));

    ok(rn_image_decode(&image, bytes, size, NULL));
    return image;
}

static void small_pictures_are_exact(void **state)
{
    (void)state;
    static const int channels[] = {1, 3};

    for (int c = 0; c < 2; c++) {
        rn_samples samples = make_samples(channels[c], 5);
        cJSON *json = write_and_read(&samples);
        const cJSON *list = cJSON_GetObjectItem(json, "samples");
        const cJSON *first = cJSON_GetArrayItem(list, 0), *second = cJSON_GetArrayItem(list, 1);

        assert_int_equal(cJSON_GetObjectItem(json, "iteration")->valueint, 7);
        assert_string_equal(text_of(json, "set"), "test");
        assert_string_equal(text_of(first, "label"), "cat");
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(first, "right")));
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(second, "mistake")));
        assert_string_equal(text_of(second, "label"), "<dog>");
        const cJSON *guess = cJSON_GetArrayItem(cJSON_GetObjectItem(first, "guesses"), 1);
        assert_string_equal(text_of(guess, "class"), "dog");
        assert_true(cJSON_GetObjectItem(guess, "probability")->valuedouble == 0.25);
        assert_string_equal(text_of(first, "type"), "png");
        rn_image *image = picture_of(first);
        assert_int_equal(image->channels, channels[c]);
        for (int i = 0; i < 25 * channels[c]; i++) // second picture, planes to pixels
            assert_int_equal(
                image->pixels[i],
                samples.images[25 * channels[c] + i % channels[c] * 25 + i / channels[c]]);
        rn_image_free(image);
        cJSON_Delete(json);
        free(samples.images);
    }
}

static void large_pictures_are_shrunk(void **state)
{
    (void)state;
    rn_samples samples = make_samples(3, 150);
    cJSON *json = write_and_read(&samples);
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "samples"), 0);
    rn_image *image = picture_of(first);

    assert_string_equal(text_of(first, "type"), "jpeg");
    assert_true(image->width == 96 && image->height == 96);
    assert_int_equal(cJSON_GetObjectItem(first, "width")->valueint, 96);
    rn_image_free(image);
    cJSON_Delete(json);
    free(samples.images);
}

static void allocation_failures_keep_the_old_file(void **state)
{
    (void)state;
    rn_samples samples = make_samples(3, 100);
    fail_allocation plan = {.hit = true};
    char *text = NULL;
    size_t size;

    for (int k = 0; plan.hit; k++) {
        ok(rn_file_write_atomic(path, "old", 3));
        fail_allocation_start(&plan, k);
        rn_status st = rn_run_samples_write(folder, &event, &samples);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        ok(rn_file_read(&text, &size, path, 200000));
        assert_int_equal(strcmp(text, "old") == 0, plan.hit);
        rn_free(text);
        assert_true(k < 1000);
    }
    free(samples.images);
}

static void unusable_places_are_named(void **state)
{
    (void)state;
    rn_samples samples = make_samples(1, 4);

    assert_int_equal(rn_run_samples_write("/dev/null/x", &event, &samples), RN_EIO);
    assert_non_null(strstr(rn_error_message(), "/dev/null"));
    free(samples.images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_pictures_are_exact),
        cmocka_unit_test(large_pictures_are_shrunk),
        cmocka_unit_test(allocation_failures_keep_the_old_file),
        cmocka_unit_test(unusable_places_are_named),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
