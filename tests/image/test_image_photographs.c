// Photographs from ImageNet, where they are at hand, against what Pillow decodes them to.
#include "image/golden_photographs.h"
#include "resnet/image.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { PHOTOGRAPHS = sizeof golden_photographs / sizeof *golden_photographs };

// Other versions of libjpeg may round otherwise; Debian 12's gives Pillow's pixels exactly.
static const double TOLERANCE = 0.5; // of 255

static void path_of(char path[PATH_MAX], const golden_photograph *golden)
{
    const char *data = getenv("RESNET_DATA");

    snprintf(path, PATH_MAX, "%s/imagenet-sample/%s",
             data != NULL ? data : TEST_SOURCE_DIR "/../shared/data", golden->path);
}

static double mean_of(const rn_image *image, int quarter, int channel)
{
    const int x0 = quarter % 2 * (image->width / 2), y0 = quarter / 2 * (image->height / 2);
    const int x1 = quarter % 2 ? image->width : image->width / 2;
    const int y1 = quarter / 2 ? image->height : image->height / 2;
    double sum = 0;

    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            const size_t pixel = (size_t)y * (size_t)image->width + (size_t)x;
            sum += image->channels == 1 ? image->pixels[pixel]
                                        : image->pixels[3 * pixel + (size_t)channel];
        }
    }
    return sum / ((double)(x1 - x0) * (y1 - y0));
}

static void check(const golden_photograph *golden, const char *path)
{
    rn_image *image;

    if (rn_image_open(&image, path) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_int_equal(image->width, golden->width);
    assert_int_equal(image->height, golden->height);
    for (int i = 0; i < 12; i++) {
        const double found = mean_of(image, i / 3, i % 3);
        if (fabs(found - golden->means[i]) > TOLERANCE)
            fail_msg("'%s', quarter %d, channel %d: mean %.1f, Pillow's is %.1f", path, i / 3,
                     i % 3, found, golden->means[i]);
    }
    rn_image_free(image);
}

static void test_photographs(void **state)
{
    char path[PATH_MAX];

    (void)state;
    path_of(path, &golden_photographs[0]);
    if (access(path, R_OK) != 0)
        skip();
    for (int i = 0; i < PHOTOGRAPHS; i++) {
        path_of(path, &golden_photographs[i]);
        check(&golden_photographs[i], path);
    }
    print_message("%d photographs decoded\n", PHOTOGRAPHS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_photographs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
