#include "engine/cpu/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CACHES = 8 }; // of one processor

// The first line of a file that describes a cache of the first processor; "" if there is none.
static void read_line(char *line, int size, int cache, const char *name)
{
    char path[96];
    FILE *file;

    line[0] = '\0';
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", cache, name);
    file = fopen(path, "r");
    if (file == NULL)
        return;
    if (fgets(line, size, file) == NULL)
        line[0] = '\0';
    fclose(file);
}

// How many processors a list such as "0-7,64-71" names; at least 1.
static int count_processors(const char *list)
{
    long count = 0;

    while (*list != '\0') {
        char *end;
        long first = strtol(list, &end, 10), last = first;
        if (end == list)
            break;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        count += last - first + 1;
        list = *end == ',' ? end + 1 : end;
    }
    return count > 0 && count < 1 << 20 ? (int)count : 1;
}

size_t rn_cache_bytes(int level, int threads)
{
    char line[256];

    for (int cache = 0; cache < MOST_CACHES; cache++) {
        read_line(line, sizeof line, cache, "level");
        if (atoi(line) != level)
            continue;
        read_line(line, sizeof line, cache, "type");
        if (strncmp(line, "Instruction", 11) == 0)
            continue;
        read_line(line, sizeof line, cache, "size"); // "32768K"
        size_t bytes = (size_t)strtoul(line, NULL, 10) * 1024;
        read_line(line, sizeof line, cache, "shared_cpu_list");
        int sharers = count_processors(line);
        return bytes * (size_t)((threads + sharers - 1) / sharers);
    }
    return 0;
}
