// Numbers of bytes as people write them.
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *unit;
    double bytes;
} units[] = {
    {"", 1},       {"B", 1},        {"K", 0x1p10},   {"KiB", 0x1p10}, {"KB", 1e3},
    {"M", 0x1p20}, {"MiB", 0x1p20}, {"MB", 1e6},     {"G", 0x1p30},   {"GiB", 0x1p30},
    {"GB", 1e9},   {"T", 0x1p40},   {"TiB", 0x1p40}, {"TB", 1e12},
};

// The factor of a unit; 0 if there is no such unit.
static double factor_of(const char *unit)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(unit, units[i].unit) == 0)
            return units[i].bytes;
    return 0;
}

bool cli_size_parse(const char *text, size_t *bytes)
{
    size_t digits = strspn(text, "0123456789."); // strtod() would take signs, "inf" and "0x" too
    char *end = NULL;
    double number = digits > 0 ? strtod(text, &end) : 0;

    if (end != text + digits) // "1e5", "1.2.3"
        return false;
    double value = number * factor_of(end + (*end == ' '));
    if (!(value >= 1 && value <= 0x1p50))
        return false;
    *bytes = (size_t)value;
    return true;
}
