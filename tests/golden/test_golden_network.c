// Whole networks against PyTorch in float64: same weights, same batches; see make_golden.py.
#include "golden/network.h"

// One unsampled element of a large tensor is off, or one is NaN: both must be seen.
static void damage_is_seen(void **state)
{
    (void)state;
    cJSON *json = golden_open("network-odd");
    const cJSON *rows = golden_member(golden_member(json, "groups"), "logits");
    const cJSON *row = golden_member(rows, "logits");
    float values[35];

    for (int i = 0; i < 35; i++)
        values[i] = (float)cJSON_GetArrayItem(row, GOLDEN_SUMS + i)->valuedouble;
    golden_report good = golden_report_of(json, "logits", 4);
    golden_compare(&good, row, "logits", values, 35);
    assert_true(golden_within(&good));
    assert_true(good.relative < 1e-7);

    values[17] += 1e-4f;
    golden_report off = golden_report_of(json, "logits", 4);
    golden_compare(&off, row, "logits", values, 35);
    assert_false(golden_within(&off));

    values[17] = NAN;
    golden_report nan = golden_report_of(json, "logits", 4);
    golden_compare(&nan, row, "logits", values, 35);
    assert_false(golden_within(&nan));
    cJSON_Delete(json);
}

int main(void)
{
    static network_case cases[] = {
        {"cpu", "resnet-20"}, {"cpu", "plain-20"},  {"cpu", "option-b"}, {"cpu", "option-c"},
        {"cpu", "nesterov"},  {"cpu", "smoothing"}, {"cpu", "odd"},      {"cpu", "gray"},
        {"ref", "option-c"}, // the others: slow_golden_ref.c
        {"ref", "odd"},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[CASES + 1] = {cmocka_unit_test(damage_is_seen)};

    for (int i = 0; i < CASES; i++)
        tests[1 + i] = network_unit_test(&cases[i]);
    return cmocka_run_group_tests_name("golden networks", tests, NULL, NULL);
}
