#include "dashboard/run_table.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Seconds between looks at the folder: at least, and for each second of processor time of one.
static const double LONG_ENOUGH = 0.5, SHARE = 50;

static rn_status open_root(int *descriptor, const char *root)
{
    *descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *descriptor >= 0 ? RN_OK
                            : rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO,
                                       "cannot open folder '%s': %s", root, strerror(errno));
}

rn_status rn_run_table_open(rn_run_table *table, const char *root, const char *only)
{
    rn_status st = RN_OK;

    RN_TRY(rn_strdup(&table->root, root));
    if (only != NULL)
        RN_TRY(rn_strdup(&table->only, only));
    RN_TRY(open_root(&table->descriptor, root));
out:
    return st;
}

static void drop(rn_listed_run *run)
{
    rn_free(run->name);
    *run = (rn_listed_run){0};
}

static void drop_runs(rn_run_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        drop(&table->runs[i]);
    table->count = 0;
}

void rn_run_table_release(rn_run_table *table)
{
    drop_runs(table);
    rn_free(table->runs);
    rn_free(table->root);
    rn_free(table->only);
    if (table->descriptor >= 0)
        close(table->descriptor);
    *table = (rn_run_table){.descriptor = -1};
}

int rn_run_table_open_file(const rn_run_table *table, const char *name, const char *file)
{
    return rn_open_plain(table->descriptor, name, file);
}

static int compare_names(const char *a, const char *b)
{
    int order = strverscmp(a, b);

    return order != 0 ? order : strcmp(a, b);
}

static int compare_runs(const void *a, const void *b)
{
    return compare_names(((const rn_listed_run *)a)->name, ((const rn_listed_run *)b)->name);
}

static rn_listed_run *find(const rn_run_table *table, size_t count, const char *name)
{
    const rn_listed_run key = {.name = (char *)name};

    return count == 0 ? NULL : bsearch(&key, table->runs, count, sizeof *table->runs, compare_runs);
}

const rn_listed_run *rn_run_table_find(const rn_run_table *table, const char *name)
{
    return find(table, table->count, name);
}

static rn_status add(rn_run_table *table, rn_listed_run **run, const char *name)
{
    rn_status st;

    RN_TRY(rn_grow((void **)&table->runs, &table->room, table->count + 1, sizeof *table->runs));
    *run = &table->runs[table->count];
    **run = (rn_listed_run){0};
    RN_TRY(rn_strdup(&(*run)->name, name));
    table->count++;
out:
    return st;
}

static rn_status look_at_log(rn_listed_run *run, int log)
{
    rn_status st = RN_OK;
    char version[RUN_VERSION];
    struct stat info;

    run->seen = true;
    if (fstat(log, &info) != 0)
        return RN_OK;
    snprintf(version, sizeof version, "%llx-%llx-%llx.%lx", (unsigned long long)info.st_ino,
             (unsigned long long)info.st_size, (unsigned long long)info.st_mtim.tv_sec,
             (unsigned long)info.st_mtim.tv_nsec);
    if (strcmp(version, run->version) == 0)
        return RN_OK;
    bool appended = run->inode == info.st_ino && run->size <= info.st_size;
    st = rn_glance_read(&run->glance, log, info.st_size, appended ? run->size : 0);
    if (st == RN_ENOMEM)
        return st;
    memcpy(run->version, version, sizeof version); // one that cannot be read is not tried again
    run->inode = info.st_ino;
    run->size = st == RN_OK ? info.st_size : 0;
    run->modified = (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
    return RN_OK;
}

// sorted: how many runs at the table's beginning are in order
static rn_status look_at(rn_run_table *table, const char *name, size_t sorted)
{
    rn_status st = RN_OK;
    int log = rn_run_table_open_file(table, name, "log.jsonl");
    rn_listed_run *run;

    if (log < 0)
        return RN_OK;
    run = find(table, sorted, name);
    if (run == NULL && table->count >= MOST_RUNS) {
        table->truncated = true;
        goto out;
    }
    if (run == NULL)
        RN_TRY(add(table, &run, name));
    RN_TRY(look_at_log(run, log));
out:
    close(log);
    return st;
}

static rn_status scan(rn_run_table *table)
{
    rn_status st = RN_OK;
    size_t sorted = table->count;
    int descriptor = openat(table->descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = descriptor >= 0 ? fdopendir(descriptor) : NULL;

    if (folder == NULL) {
        st = rn_error(RN_EIO, "cannot read folder '%s': %s", table->root, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return st;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
            RN_TRY(look_at(table, entry->d_name, sorted));
out:
    closedir(folder);
    return st;
}

static void drop_unseen(rn_run_table *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->count; i++)
        if (table->runs[i].seen)
            table->runs[kept++] = table->runs[i];
        else
            drop(&table->runs[i]);
    table->count = kept;
}

// FNV-1a (Fowler, Noll, Vo) over names and versions.
static void renew_version(rn_run_table *table)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < table->count; i++) {
        const char *const texts[] = {table->runs[i].name, table->runs[i].version};
        for (int k = 0; k < 2; k++)
            for (const char *c = texts[k];; c++) { // the NUL too
                hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
                if (*c == '\0')
                    break;
            }
    }
    snprintf(table->version, sizeof table->version, "%016llx", (unsigned long long)hash);
}

// Runs may be deleted and made again with the folder that holds them.
static rn_status reopen_root(rn_run_table *table)
{
    rn_status st = RN_OK;
    struct stat named, opened;
    int descriptor;

    if (stat(table->root, &named) != 0)
        return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "folder '%s': %s", table->root,
                        strerror(errno));
    if (fstat(table->descriptor, &opened) == 0 && named.st_dev == opened.st_dev &&
        named.st_ino == opened.st_ino)
        return RN_OK;
    RN_TRY(open_root(&descriptor, table->root));
    close(table->descriptor);
    table->descriptor = descriptor;
    drop_runs(table);
    table->updated = 0;
out:
    return st;
}

static double processor_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

rn_status rn_run_table_update(rn_run_table *table)
{
    rn_status st;
    const double start = processor_time();

    RN_TRY(reopen_root(table));
    if (table->updated > 0 && rn_clock() - table->updated < table->pause)
        return RN_OK;
    for (size_t i = 0; i < table->count; i++)
        table->runs[i].seen = false;
    table->truncated = false;
    st = table->only != NULL ? look_at(table, table->only, table->count) : scan(table);
    if (st == RN_OK)
        drop_unseen(table); // after a failure rather too many than too few
    if (table->count > 0)
        qsort(table->runs, table->count, sizeof *table->runs, compare_runs);
    renew_version(table);
    table->updated = rn_clock();
    table->pause = fmax(LONG_ENOUGH, SHARE * (processor_time() - start));
out:
    return st;
}
