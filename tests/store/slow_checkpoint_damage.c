// Every byte of a small checkpoint flipped, and the file cut at every length: each one is refused
// with RN_EFORMAT and leaves nothing behind.
#include "base/file.h"
#include "base/memory.h"
#include "resnet/resnet.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/resnet-damage-XXXXXX", path[64];
static char *bytes;
static size_t size;

// resnet-8, the smallest network, as `train` saves it.
static int make_checkpoint(void **state)
{
    rn_train_result result;
    rn_recipe recipe;
    rn_train_options options = {.model = "resnet-8", .recipe = &recipe, .folder = folder};

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(rn_recipe_load(&recipe, "smoke"), RN_OK);
    recipe.iterations = 1;
    assert_int_equal(rn_data_open(&options.train, "shapes:train=20,test=10", RN_SPLIT_TRAIN),
                     RN_OK);
    assert_int_equal(rn_train(&options, &result), RN_OK);
    rn_samples_free(options.train);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_int_equal(rn_file_read(&bytes, &size, path, 1 << 26), RN_OK);
    printf("%zu bytes\n", size);
    return 0;
}

static int remove_one(const char *name, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(name);
}

static int remove_checkpoint(void **state)
{
    (void)state;
    rn_free(bytes);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void refused(const char *what, size_t at)
{
    rn_checkpoint *checkpoint = NULL;
    rn_status st = rn_checkpoint_load(&checkpoint, path);

    if (st != RN_EFORMAT || checkpoint != NULL)
        fail_msg("%s %zu: status %d (%s)", what, at, (int)st, rn_error_message());
}

static void every_flipped_byte_is_found(void **state)
{
    int file = open(path, O_WRONLY);

    (void)state;
    for (size_t i = 0; i < size; i++) {
        char flipped = (char)~bytes[i];
        assert_int_equal(pwrite(file, &flipped, 1, (off_t)i), 1);
        refused("byte", i);
        assert_int_equal(pwrite(file, &bytes[i], 1, (off_t)i), 1);
    }
    close(file);
}

static void every_truncation_is_found(void **state)
{
    (void)state;
    for (size_t length = size; length-- > 0;) {
        assert_int_equal(truncate(path, (off_t)length), 0);
        refused("length", length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_byte_is_found),
        cmocka_unit_test(every_truncation_is_found),
    };

    return cmocka_run_group_tests_name("checkpoint_damage", tests, make_checkpoint,
                                       remove_checkpoint);
}
