#include "resnet/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t rn_memory_used(bool most)
{
    const char *key = most ? "VmHWM:" : "VmRSS:";
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    unsigned long long kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0) {
            kib = strtoull(line + strlen(key), NULL, 10);
            break;
        }
    if (file != NULL)
        fclose(file);
    return (size_t)kib * 1024;
}
