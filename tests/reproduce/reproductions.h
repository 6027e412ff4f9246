/** A small target, reproductions of it, and run folders as trainings leave them. */
#ifndef TESTS_REPRODUCE_REPRODUCTIONS_H
#define TESTS_REPRODUCE_REPRODUCTIONS_H

#include "base/file.h"
#include "base/memory.h"
#include "image/fail_allocation.h"
#include "resnet/report.h"
#include "resnet/reproduce.h"

#include <ftw.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static const char small_target[] =
    "{\"name\": \"small\", \"title\": \"Two networks | one & <two>\", \"paper\": \"nobody's, table "
    "1\","
    "\"needs\": \"shapes\", \"recipe\": \"paper-cifar\", \"settings\": {\"batch\": 50},"
    "\"seeds\": 2, \"evaluations\": 20,"
    "\"runs\": [{\"model\": \"plain-20\", \"panel\": \"plain\","
    "            \"paper\": {\"note\": \"curve only\"}},"
    "           {\"model\": \"resnet-20\", \"name\": \"res\", \"panel\": \"residual\","
    "            \"settings\": {\"lr\": 0.05},"
    "            \"paper\": {\"test_error\": 8.75, \"deviation\": 0.25}}],"
    "\"claims\": [{\"text\": \"better\", \"metric\": \"test_error\", \"of\": \"res\","
    "              \"below\": \"plain-20\", \"margin\": 0.5},"
    "             {\"text\": \"it learns\", \"metric\": \"train_error\", \"of\": \"plain-20\","
    "              \"below\": 50}],"
    "\"scale\": [{\"of\": \"iterations\", \"least\": 0.1}, {\"of\": \"depth\", \"least\": 0.4},"
    "            {\"of\": \"width\", \"least\": 0.5}],"
    "\"deviations\": [\"It is small.\"]}";

static const rn_reproduce_settings small_settings = {
    .source = "shapes:train=1000,test=500",
    .data_name = "shapes train (seed 1)",
    .train_count = 1000,
    .test_count = 500,
    .network = {10, 3, 32, 32},
    .threads = 2,
};

static inline void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("status %d: %s", (int)st, rn_error_message());
}

static inline void assert_message(const char *part)
{
    if (strstr(rn_error_message(), part) == NULL)
        fail_msg("'%s' is not in '%s'", part, rn_error_message());
}

static inline rn_target *parse_target(const char *json)
{
    rn_target *target;

    ok(rn_target_parse(&target, json, "target 'test'"));
    return target;
}

/** Of the small target; scale 0: 1, seeds 0: the target's. */
static inline rn_reproduction *seeded_reproduction(double scale, int seeds)
{
    rn_reproduction *r;
    rn_reproduce_settings settings = small_settings;

    settings.scale = scale;
    settings.seeds = seeds;
    ok(rn_reproduction_create(&r, parse_target(small_target), &settings));
    return r;
}

static inline rn_reproduction *small_reproduction(double scale)
{
    return seeded_reproduction(scale, 0);
}

static char test_folder[64];

static inline int make_test_folder(void **state)
{
    (void)state;
    strcpy(test_folder, "/tmp/reproduce-XXXXXX");
    return mkdtemp(test_folder) == NULL;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline int remove_test_folder(void **state)
{
    (void)state;
    return nftw(test_folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/** Write test_folder/NAME, making its folders. */
static inline void write_file(const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", test_folder, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    ok(rn_run_folder_write(path, slash + 1, text));
}

/** The text of test_folder/NAME; the caller's (rn_free()). */
static inline char *read_file(const char *name)
{
    char path[256], *text;
    size_t size;

    snprintf(path, sizeof path, "%s/%s", test_folder, name);
    ok(rn_file_read(&text, &size, path, 1 << 24));
    return text;
}

static const char start_line[] =
    "{\"event\":\"start\",\"time\":\"2026-01-02T03:04:05Z\",\"iteration\":0,\"iterations\":100,"
    "\"epoch\":0,\"seconds\":0,\"text\":\"resnet-20\"}\n";

/**
 * A finished run of 100 iterations, an epoch 20 of them, whose training error falls to
 * `train_error` within the last epoch, and whose test error is `wrong` of 500. Its log lacks the
 * line of the event `missing` at the last iteration; NULL: none.
 */
static inline void write_run_without(const char *name, double train_error, int wrong,
                                     const char *missing)
{
    const int last_step = missing != NULL && strcmp(missing, "step") == 0 ? 90 : 100;
    const int last_evaluation = missing != NULL && strcmp(missing, "evaluation") == 0 ? 90 : 100;
    char text[4096], file[96];
    int used = snprintf(text, sizeof text, "%s", start_line);

    for (int i = 10; i <= 100; i += 10) {
        if (i <= last_step)
            used += snprintf(text + used, sizeof text - (size_t)used,
                             "{\"event\":\"step\",\"iteration\":%d,\"iterations\":100,\"epoch\":%g,"
                             "\"seconds\":%d,\"loss\":1.5,\"error\":%g,\"lr\":0.1}\n",
                             i, i / 20.0, i, i > 80 ? train_error : 80.0);
        if (i % 50 == 0 && i <= last_evaluation)
            used +=
                snprintf(text + used, sizeof text - (size_t)used,
                         "{\"event\":\"evaluation\",\"iteration\":%d,\"iterations\":100,"
                         "\"epoch\":%g,\"seconds\":%d,\"loss\":1.25,\"error\":%g,\"set\":\"test\","
                         "\"count\":500,\"wrong\":%d}\n",
                         i, i / 20.0, i, (i < 100 ? wrong - 5 : wrong) / 5.0, wrong);
    }
    snprintf(
        text + used, sizeof text - (size_t)used,
        "{\"event\":\"end\",\"time\":\"2026-01-02T04:04:05Z\",\"iteration\":100,"
        "\"iterations\":100,\"epoch\":5,\"seconds\":100,\"status\":\"success\",\"text\":\"\"}\n");
    snprintf(file, sizeof file, "runs/%s/log.jsonl", name);
    write_file(file, text);
    snprintf(file, sizeof file, "runs/%s/environment.json", name);
    write_file(file,
               "{\"resnet\":\"0.1.0\",\"commit\":\"abc\",\"compiler\":\"gcc\",\"cpu\":\"a_b\","
               "\"threads\":2,\"kernel\":\"Linux\"}\n");
}

static inline void write_run(const char *name, double train_error, int wrong)
{
    write_run_without(name, train_error, wrong, NULL);
}

/** The last line of a log. */
#define END(status, text)                                                                          \
    "{\"event\":\"end\",\"iteration\":5,\"iterations\":100,\"epoch\":1,\"seconds\":1,\"status\":"  \
    "\"" status "\",\"text\":\"" text "\"}\n"

/** Two seeds of each network of the small target, all done. */
static inline void write_all_runs(void)
{
    write_run("plain-20-s1", 60, 200); // 40 %
    write_run("plain-20-s2", 50, 210); // 42 %
    write_run("res-s1", 30, 100);
    write_run("res-s2", 20, 110);
}

#endif
