/** A file for parsers that take a path: in a folder of the process's own, gone when it ends. */
#ifndef TESTS_FUZZ_SCRATCH_FILE_H
#define TESTS_FUZZ_SCRATCH_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SCRATCH_PATH = 64 };

static char scratch_folder[SCRATCH_PATH / 2], scratch_path[SCRATCH_PATH];

static inline void scratch_remove(void)
{
    unlink(scratch_path);
    rmdir(scratch_folder);
}

/** Write the file, always of one name; its path, static. */
static inline const char *scratch_file(const char *name, const void *data, size_t size)
{
    if (scratch_folder[0] == '\0') {
        snprintf(scratch_folder, sizeof scratch_folder, "/tmp/resnet-fuzz-XXXXXX");
        if (mkdtemp(scratch_folder) == NULL || atexit(scratch_remove) != 0)
            abort();
        snprintf(scratch_path, sizeof scratch_path, "%s/%s", scratch_folder, name);
    }
    FILE *file = fopen(scratch_path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
    return scratch_path;
}

#endif
