#include "resnet/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_kib(size_t *bytes, const char *line, const char *key)
{
    if (strncmp(line, key, strlen(key)) != 0)
        return false;
    *bytes = (size_t)strtoull(line + strlen(key), NULL, 10) * 1024;
    return true;
}

rn_memory_use rn_process_memory(void)
{
    rn_memory_use use = {0};
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];

    if (file == NULL)
        return use;
    while (fgets(line, sizeof line, file) != NULL && (use.resident == 0 || use.peak == 0))
        if (!read_kib(&use.resident, line, "VmRSS:"))
            read_kib(&use.peak, line, "VmHWM:");
    fclose(file);
    return use;
}
