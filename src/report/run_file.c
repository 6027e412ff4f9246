#include "resnet/report.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

enum { LARGEST_TEXT = 16 << 20 };

rn_status rn_run_folder_create(const char *folder)
{
    return rn_folder_create(folder);
}

rn_status rn_run_folder_write(const char *folder, const char *name, const char *text)
{
    rn_status st;
    char *path = NULL;

    RN_TRY(rn_run_folder_create(folder));
    RN_TRY(rn_format(&path, "%s/%s", folder, name));
    RN_TRY(rn_file_write_atomic(path, text, strlen(text)));
out:
    rn_free(path);
    return st;
}

rn_status rn_run_folder_read(char **out, const char *folder, const char *name)
{
    rn_status st;
    char *path = NULL;
    size_t size;

    *out = NULL;
    RN_TRY(rn_format(&path, "%s/%s", folder, name));
    RN_TRY(rn_file_read(out, &size, path, LARGEST_TEXT));
out:
    rn_free(path);
    return st;
}

rn_status rn_text_write(const char *path, const char *text)
{
    return rn_file_write_atomic(path, text, strlen(text));
}
