/** Run folders for tests of the dashboard, under one of their own in /tmp. */
#ifndef TESTS_RUN_FOLDERS_H
#define TESTS_RUN_FOLDERS_H

#include "base/file.h"
#include "base/memory.h"
#include "image/fail_allocation.h"
#include "resnet/dashboard.h"

#include <ftw.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char runs_folder[64];

static inline void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static inline int runs_make(void **state)
{
    (void)state;
    strcpy(runs_folder, "/tmp/resnet-runs-XXXXXX");
    return mkdtemp(runs_folder) == NULL;
}

static int runs_remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline int runs_remove(void **state)
{
    (void)state;
    return nftw(runs_folder, runs_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/** Write RUNS/NAME/FILE, making the folder. */
static inline void runs_write(const char *name, const char *file, const char *text)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", runs_folder, name);
    ok(rn_folder_create(path));
    snprintf(path, sizeof path, "%s/%s/%s", runs_folder, name, file);
    ok(rn_file_write_atomic(path, text, strlen(text)));
}

#define RUNS_START                                                                                 \
    "{\"event\":\"start\",\"time\":\"2026-11-20T08:00:00Z\",\"iteration\":0,\"iterations\":100,"   \
    "\"epoch\":0,\"seconds\":0,\"text\":\"resnet-20\"}\n"
#define RUNS_STEP                                                                                  \
    "{\"event\":\"step\",\"iteration\":50,\"iterations\":100,\"epoch\":0.5,\"seconds\":2,"         \
    "\"loss\":1.5,\"error\":60,\"lr\":0.1,\"images_per_second\":1000,\"data_wait\":0.25,"          \
    "\"eta\":2,\"memory\":1000,\"memory_peak\":2000}\n"
#define RUNS_EVALUATION                                                                            \
    "{\"event\":\"evaluation\",\"iteration\":50,\"iterations\":100,\"epoch\":0.5,\"seconds\":3,"   \
    "\"loss\":1.25,\"error\":50,\"set\":\"test\",\"count\":100,\"wrong\":50}\n"
#define RUNS_END                                                                                   \
    "{\"event\":\"end\",\"time\":\"2026-11-20T08:01:00Z\",\"iteration\":100,\"iterations\":100,"   \
    "\"epoch\":1,\"seconds\":6,\"status\":\"success\",\"text\":\"\"}\n"

#endif
