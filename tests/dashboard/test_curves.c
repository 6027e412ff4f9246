#include "dashboard/curves.h"

#include "base/json.h"
#include "dashboard/run_folders.h"

// Steps whose error is their number, the values of every tenth missing; two sets of evaluations.
static rn_history make_history(size_t steps, size_t evaluations)
{
    rn_history_step *s = calloc(steps + 1, sizeof *s);
    rn_history_evaluation *e = calloc(2 * evaluations + 1, sizeof *e);

    for (size_t i = 0; i < steps; i++)
        s[i] = (rn_history_step){.iteration = (int64_t)i + 1,
                                 .epoch = (double)(i + 1) / 10,
                                 .seconds = (double)(i + 1) * 2,
                                 .error = i % 10 == 9 ? NAN : (double)i,
                                 .loss = NAN,
                                 .memory = 7e9};
    for (size_t i = 0; i < 2 * evaluations; i++)
        e[i] = (rn_history_evaluation){.iteration = (int64_t)i / 2 + 1,
                                       .error = (double)i / 2,
                                       .loss = 0.5,
                                       .set = i % 2 == 0 ? "test" : "validation"};
    // One pointer for each name, as a history has it.
    for (size_t i = 2; i < 2 * evaluations; i++)
        e[i].set = e[i % 2].set;
    return (rn_history){
        .steps = s, .step_count = steps, .evaluations = e, .evaluation_count = 2 * evaluations};
}

static void free_history(rn_history *history)
{
    free((void *)history->steps);
    free((void *)history->evaluations);
}

static cJSON *curves(const rn_history *history, rn_quantity quantity)
{
    draw_text text = {0};
    cJSON *json = NULL;

    draw_text_print(&text, "{");
    rn_curves_write(&text, history, quantity);
    draw_text_print(&text, "}");
    ok(rn_json_parse(&json, text.text, text.length, "curves"));
    rn_free(text.text);
    return json;
}

static const cJSON *series(const cJSON *json, int index)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(json, "series"), index);
}

static const cJSON *item(const cJSON *s, const char *key, int index)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(s, key), index);
}

static void short_curves_are_as_they_are(void **state)
{
    (void)state;
    rn_history history = make_history(1000, 3);
    cJSON *json = curves(&history, RN_QUANTITY_ERROR);
    const cJSON *train = series(json, 0), *validation = series(json, 2);

    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "series")), 3);
    assert_string_equal(cJSON_GetObjectItem(train, "set")->valuestring, "train");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(train, "mean")), 1000);
    assert_null(cJSON_GetObjectItem(train, "low"));
    assert_true(item(train, "mean", 8)->valuedouble == 8);
    assert_true(cJSON_IsNull(item(train, "mean", 9)));
    assert_true(item(train, "seconds", 999)->valuedouble == 2000);
    assert_string_equal(cJSON_GetObjectItem(validation, "set")->valuestring, "validation");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(validation, "mean")), 3);
    assert_true(item(validation, "mean", 2)->valuedouble == 2.5);
    cJSON_Delete(json);
    json = curves(&history, RN_QUANTITY_MEMORY);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "series")), 1);
    assert_true(item(series(json, 0), "mean", 0)->valuedouble == 7e9);
    cJSON_Delete(json);
    free_history(&history);
}

static void long_curves_are_thinned_to_their_newest_point(void **state)
{
    (void)state;
    rn_history history = make_history(80001, 1500);
    cJSON *json = curves(&history, RN_QUANTITY_ERROR);
    const cJSON *train = series(json, 0), *test = series(json, 1);
    int last = cJSON_GetArraySize(cJSON_GetObjectItem(train, "mean")) - 1;

    assert_int_equal(cJSON_GetObjectItem(train, "bucket")->valueint, 128);
    assert_int_equal(last + 1, 626); // 80001 / 128, rounded up
    assert_int_equal(item(train, "iteration", last)->valueint, 80001);
    assert_int_equal(item(train, "iteration", 0)->valueint, 128);
    assert_true(item(train, "low", 1)->valuedouble == 128);
    assert_true(item(train, "high", 1)->valuedouble == 255);
    double sum = 0;
    int count = 0;
    for (int i = 128; i < 256; i++)
        if (i % 10 != 9) {
            sum += i;
            count++;
        }
    assert_true(fabs(item(train, "mean", 1)->valuedouble - sum / count) < 1e-3);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(test, "mean")), 750);
    cJSON_Delete(json);
    json = curves(&history, RN_QUANTITY_LOSS);
    assert_true(cJSON_IsNull(item(series(json, 0), "low", 5))); // no value at all
    cJSON_Delete(json);
    free_history(&history);
}

static void nothing_is_a_curve_too(void **state)
{
    (void)state;
    rn_history history = make_history(0, 0);
    cJSON *json = curves(&history, RN_QUANTITY_ERROR);

    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(series(json, 0), "mean")), 0);
    cJSON_Delete(json);
    free_history(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_curves_are_as_they_are),
        cmocka_unit_test(long_curves_are_thinned_to_their_newest_point),
        cmocka_unit_test(nothing_is_a_curve_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
