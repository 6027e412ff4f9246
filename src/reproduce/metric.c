// What is compared, and what a scale shrinks.
#include "reproduce/outcome.h"

static const struct {
    const char *name, *title, *unit;
} metrics[RN_METRICS] = {
    [RN_METRIC_TEST_ERROR] = {"test_error", "test error, %", "%"},
    [RN_METRIC_TRAIN_ERROR] = {"train_error", "training error, %", "%"},
    [RN_METRIC_TEST_LOSS] = {"test_loss", "test loss", ""},
    [RN_METRIC_TRAIN_LOSS] = {"train_loss", "training loss", ""},
    [RN_METRIC_BEST_TEST_ERROR] = {"best_test_error", "lowest test error on the way, %", "%"},
    [RN_METRIC_RESPONSE] = {"response_std", "deviation of layer responses", ""},
    [RN_METRIC_TEN_CROP_ERROR] = {"ten_crop_error", "test error of ten crops, %", "%"},
    [RN_METRIC_STEP_SECONDS] = {"step_seconds", "time of a step, s", "s"},
    [RN_METRIC_STEP_BYTES] = {"step_bytes", "memory of a step, MiB", "bytes"},
    [RN_METRIC_MULTIPLY_ADDS] = {"multiply_adds", "multiply-adds of a step, 10^9", ""},
};

const char *rn_metric_name(rn_metric metric)
{
    return (unsigned)metric < RN_METRICS ? metrics[metric].name : NULL;
}

const char *rn_metric_title(rn_metric metric)
{
    return (unsigned)metric < RN_METRICS ? metrics[metric].title : NULL;
}

const char *rn_metric_unit(rn_metric metric)
{
    return metrics[metric].unit;
}

double rn_metric_shown(rn_metric metric, double value)
{
    if (metric == RN_METRIC_STEP_BYTES)
        return value / (1 << 20);
    return metric == RN_METRIC_MULTIPLY_ADDS ? value / 1e9 : value;
}

const char *rn_scale_name(rn_scale_kind kind)
{
    static const char *const names[RN_SCALES] = {"iterations", "data", "depth", "width"};

    return (unsigned)kind < RN_SCALES ? names[kind] : NULL;
}
