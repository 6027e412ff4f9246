/**
 * Golden files and comparing with them: largest differences of each group of tensors, printed as a
 * table beside PyTorch's own float32 and bounded by it. Header only, for cmocka programs.
 */
#ifndef TESTS_GOLDEN_GOLDEN_H
#define TESTS_GOLDEN_GOLDEN_H

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "golden/derived.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { GOLDEN_EPOCH_POSITIONS = 1000, GOLDEN_SUMS = 4 }; // a row: count, sum, sum |x|, max |x|, ...

/** Ours may be this many times as far from float64 as PyTorch's float32 is at most ... */
#define GOLDEN_MARGIN 2.0
/** ... or this far, relative to the largest |x| (8 units in the last place of float32). */
#define GOLDEN_LEAST 1e-6

/** Largest differences of one group of tensors so far. */
typedef struct golden_report {
    const char *group;
    uint64_t seed;
    int tensors;
    double absolute; // of a stored element
    double relative; // of a stored element, of max |x| or of a sum, over max |x| or sum |x|
    char worst[128];
    const char *worst_part; // static
    double float32[2];      // PyTorch's own absolute and relative difference
} golden_report;

static inline cJSON *golden_open(const char *name)
{
    char path[1024], *text = NULL;
    cJSON *json = NULL;
    size_t size = 0;

    snprintf(path, sizeof path, "%s/tests/golden/%s.json", TEST_SOURCE_DIR, name);
    if (rn_file_read(&text, &size, path, 1 << 20) != RN_OK ||
        rn_json_parse(&json, text, size, path) != RN_OK)
        fail_msg("%s", rn_error_message());
    rn_free(text);
    return json;
}

static inline const cJSON *golden_member(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (item == NULL)
        fail_msg("golden file has no '%s'", key);
    return item;
}

static inline double golden_number(const cJSON *object, const char *key)
{
    const cJSON *item = golden_member(object, key);

    assert_true(cJSON_IsNumber(item) || cJSON_IsBool(item));
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : item->valuedouble;
}

static inline golden_report golden_report_of(const cJSON *json, const char *group, uint64_t seed)
{
    const cJSON *own = golden_member(golden_member(json, "float32"), group);

    return (golden_report){.group = group,
                           .worst_part = "",
                           .seed = seed,
                           .float32 = {cJSON_GetArrayItem(own, 0)->valuedouble,
                                       cJSON_GetArrayItem(own, 1)->valuedouble}};
}

// A NaN counts as the largest difference.
static inline void golden_note(golden_report *report, double absolute, double scale,
                               const char *name, const char *part)
{
    double relative = absolute == 0 ? 0 : absolute / scale;

    if (!(relative <= report->relative)) {
        report->relative = isnan(relative) ? INFINITY : relative;
        snprintf(report->worst, sizeof report->worst, "%s", name);
        report->worst_part = part;
    }
}

static inline void golden_compare_sums(golden_report *report, const double expected[GOLDEN_SUMS],
                                       const char *name, const float *values)
{
    double sum = 0, sum_abs = 0, max_abs = 0;

    for (size_t i = 0; i < (size_t)expected[0]; i++) {
        double x = (double)values[i];
        sum += x;
        sum_abs += fabs(x);
        max_abs = fabs(x) <= max_abs ? max_abs : fabs(x);
    }
    golden_note(report, fabs(sum - expected[1]), expected[2], name, ", sum");
    golden_note(report, fabs(sum_abs - expected[2]), expected[2], name, ", sum of |x|");
    golden_note(report, fabs(max_abs - expected[3]), expected[3], name, ", max |x|");
}

/** Compare one tensor with its row: its sums, and the stored elements. */
static inline void golden_compare(golden_report *report, const cJSON *row, const char *name,
                                  const float *values, size_t count)
{
    rn_stream positions = derived_stream(report->seed, name, GOLDEN_EPOCH_POSITIONS);
    size_t stored = (size_t)cJSON_GetArraySize(row) - GOLDEN_SUMS, i = 0;
    double sums[GOLDEN_SUMS];
    const cJSON *item = row->child;

    for (int k = 0; k < GOLDEN_SUMS; k++, item = item->next)
        sums[k] = item->valuedouble;
    if (sums[0] != (double)count)
        fail_msg("%s has %zu elements, expected %.0f", name, count, sums[0]);
    golden_compare_sums(report, sums, name, values);
    for (; item != NULL; item = item->next, i++) {
        size_t at = stored == count ? i : rn_stream_below(&positions, (uint32_t)count);
        double absolute = fabs((double)values[at] - item->valuedouble);
        report->absolute = absolute <= report->absolute ? report->absolute : absolute;
        golden_note(report, absolute, sums[3], name, "");
    }
    report->tensors++;
}

static inline bool golden_within(const golden_report *report)
{
    double bound = GOLDEN_MARGIN * report->float32[1];

    return report->relative <= (bound > GOLDEN_LEAST ? bound : GOLDEN_LEAST);
}

static inline void golden_print_head(const char *title)
{
    printf("%s\n  %-24s %7s  %8s %8s  %8s %8s  %s\n", title, "", "tensors", "absolute", "relative",
           "PyTorch", "float32", "largest relative");
}

static inline void golden_print(const golden_report *r)
{
    printf("  %-24s %7d  %8.1e %8.1e  %8.1e %8.1e  %s%s%s\n", r->group, r->tensors, r->absolute,
           r->relative, r->float32[0], r->float32[1], r->worst, r->worst_part,
           golden_within(r) ? "" : "  TOO LARGE");
}

#endif
