// What predictions see of a picture is what evaluations see of it.
#include "resnet/augment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "augment/made_picture.h"

// As rn_evaluate_views() makes it: resized as a whole, then cut.
static void centre_view(float *dst, const rn_preprocess *p, const rn_image *image)
{
    const rn_views views = rn_views_centre(p->height, p->width, p->centre_ratio);
    rn_cut cuts[RN_MAX_CUTS];
    rn_image *resized;
    int count;

    assert_int_equal(rn_views_list(cuts, &count, &views, image->height, image->width), RN_OK);
    assert_int_equal(count, 1);
    const rn_resize_options options = {
        .width = cuts[0].resized_width, .height = cuts[0].resized_height, .channels = p->channels};
    assert_int_equal(rn_image_resize(&resized, image, &options), RN_OK);
    assert_int_equal(rn_preprocess_cut(p, dst, resized, &cuts[0]), RN_OK);
    rn_image_free(resized);
}

static void compare(int height, int width, double ratio, const rn_image *image)
{
    rn_preprocess *p;

    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, 3, height, width, NULL, NULL),
                     RN_OK);
    p->centre_ratio = ratio;
    const size_t bytes = 3 * (size_t)height * (size_t)width * sizeof(float);
    float *found = malloc(bytes), *expected = malloc(bytes);
    assert_int_equal(rn_preprocess_image(p, found, image), RN_OK);
    centre_view(expected, p, image);
    if (memcmp(found, expected, bytes) != 0)
        fail_msg("%d x %d of %d x %d, ratio %g: another view", height, width, image->height,
                 image->width, ratio);
    free(found);
    free(expected);
    rn_preprocess_free(p);
}

static void image_is_the_centre_view(void **state)
{
    static const int inputs[][2] = {{24, 24}, {7, 9}, {16, 24}, {65, 65}};
    static const int sizes[][2] = {{20, 33}, {71, 52}, {24, 24}, {9, 100}, {131, 130}, {65, 67}};
    static const double ratios[] = {1, 0.875, 0.5};

    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            rn_image *image = make_picture(k % 2 ? 1 : 3, sizes[k][1], sizes[k][0]);
            for (size_t r = 0; r < sizeof ratios / sizeof *ratios; r++)
                compare(inputs[i][0], inputs[i][1], ratios[r], image);
            rn_image_free(image);
        }
}

static double usual_ratio(int height, int width)
{
    rn_preprocess *p;

    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, 3, height, width, NULL, NULL),
                     RN_OK);
    double ratio = p->centre_ratio;
    rn_preprocess_free(p);
    return ratio;
}

static void small_inputs_show_all(void **state)
{
    (void)state;
    assert_true(usual_ratio(224, 224) == RN_CENTRE_RATIO);
    assert_true(usual_ratio(64, 64) == RN_CENTRE_RATIO);
    assert_true(usual_ratio(64, 63) == 1);
    assert_true(usual_ratio(32, 32) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_is_the_centre_view),
        cmocka_unit_test(small_inputs_show_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
