// PyTorch itself reads what is written here, and what it saves then reads back.
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store/temporary_folder.h"
#include "store/torch_files.h"

enum { TENSORS = 5 };

static const rn_tensor shapes[TENSORS] = {
    {.name = "conv1.weight", .dims = 4, .shape = {16, 3, 3, 3}, .count = 432},
    {.name = "bn1.weight", .dims = 1, .shape = {16}, .count = 16},
    {.name = "scalar", .dims = 0, .count = 1},
    {.name = "empty", .dims = 2, .shape = {0, 4}, .count = 0},
    {.name = "layer1.0.na\xc3\xafve", .dims = 3, .shape = {2, 1, 5}, .count = 10},
};

static float element(size_t tensor, size_t i)
{
    return (float)tensor + (float)i / 8;
}

static void write_ours(void)
{
    static float values[TENSORS][432];
    rn_tensor tensors[TENSORS];

    for (size_t t = 0; t < TENSORS; t++) {
        for (size_t i = 0; i < shapes[t].count; i++)
            values[t][i] = element(t, i);
        tensors[t] = shapes[t];
        tensors[t].data = values[t];
    }
    assert_int_equal(rn_torch_write(in_folder("ours.pth"), tensors, TENSORS), RN_OK);
}

static void check_theirs(const char *path)
{
    rn_foreign *foreign = load_torch(path);

    assert_int_equal(foreign->count, TENSORS);
    for (size_t t = 0; t < TENSORS; t++) {
        const rn_tensor *tensor = &foreign->tensors[t].tensor;
        assert_string_equal(tensor->name, shapes[t].name);
        assert_int_equal(tensor->dims, shapes[t].dims);
        assert_memory_equal(tensor->shape, shapes[t].shape, sizeof tensor->shape);
        for (size_t i = 0; i < tensor->count; i++)
            assert_true(torch_element(tensor, i) == element(t, i));
    }
    rn_foreign_free(foreign);
}

static void pytorch_reads_and_writes(void **state)
{
    static const char *const theirs[] = {"theirs.pth", "legacy.pth", "strided.pth"};
    const char *python = getenv("RESNET_PYTHON");
    char command[2048];

    (void)state;
    if (python == NULL)
        python = "python3";
    snprintf(command, sizeof command, "'%s' -c 'import torch' 2>/dev/null", python);
    if (system(command) != 0) {
        print_message("skipped: '%s' has no torch; RESNET_PYTHON may name one that has\n", python);
        skip();
    }
    write_ours();
    snprintf(command, sizeof command,
             "OMP_NUM_THREADS=1 '%s' '" TEST_SOURCE_DIR "/tests/store/torch_exchange.py' '%s'",
             python, folder);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        check_theirs(in_folder(theirs[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pytorch_reads_and_writes)};

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
