/** A folder for one test program, removed with its files. Include after cmocka's headers. */
#ifndef STORE_TEMPORARY_FOLDER_H
#define STORE_TEMPORARY_FOLDER_H

#include "base/file_size_limit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/store-XXXXXX";

static inline const char *in_folder(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline int folder_files(void)
{
    DIR *dir = opendir(folder);
    int count = 0;

    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static inline void empty_folder(void)
{
    DIR *dir = opendir(folder);

    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.')
            remove(in_folder(entry->d_name));
    }
    closedir(dir);
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state)
{
    (void)state;
    empty_folder();
    return rmdir(folder);
}

#endif
