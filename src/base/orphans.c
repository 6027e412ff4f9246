// What is left of files that were being written when their process was killed.
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// "recipe.json.tmp123" of a process that is no more.
static bool is_orphan(const char *name)
{
    static const char *const marks[] = {".safetensors.tmp", ".json.tmp", ".md.tmp",
                                        ".html.tmp",        ".svg.tmp",  ".png.tmp"};

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *mark = strstr(name, marks[i]);
        int64_t process = 0;
        if (mark == NULL)
            continue;
        const char *digits = mark + strlen(marks[i]);
        return isdigit((unsigned char)*digits) && rn_text_int64(digits, 1, INT32_MAX, &process) &&
               kill((pid_t)process, 0) != 0 && errno == ESRCH;
    }
    return false;
}

void rn_folder_remove_orphans(const char *folder)
{
    DIR *dir = opendir(folder);

    if (dir == NULL)
        return;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char *path = NULL;
        if (is_orphan(entry->d_name) && rn_format(&path, "%s/%s", folder, entry->d_name) == RN_OK)
            unlink(path);
        rn_free(path);
    }
    closedir(dir);
}
