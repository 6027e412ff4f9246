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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_seen), NETWORK_TEST("cpu", "resnet-20"),
        NETWORK_TEST("cpu", "plain-20"),  NETWORK_TEST("cpu", "option-b"),
        NETWORK_TEST("cpu", "option-c"),  NETWORK_TEST("cpu", "nesterov"),
        NETWORK_TEST("cpu", "smoothing"), NETWORK_TEST("cpu", "odd"),
        NETWORK_TEST("cpu", "gray"),      NETWORK_TEST("ref", "option-c"),
        NETWORK_TEST("ref", "nesterov"),  NETWORK_TEST("ref", "smoothing"),
        NETWORK_TEST("ref", "odd"),       NETWORK_TEST("ref", "gray"),
    };

    return cmocka_run_group_tests_name("golden networks", tests, NULL, NULL);
}
