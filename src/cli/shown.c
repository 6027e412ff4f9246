#include "cli/shown.h"

#include "resnet/base.h"

#include <limits.h>
#include <string.h>

cli_shown_text cli_shown(const char *name)
{
    cli_shown_text shown;

    rn_text_escape(shown.text, sizeof shown.text, name);
    return shown;
}

int cli_shown_width(char *const *names, int count, int least)
{
    size_t width = (size_t)least;

    for (int i = 0; i < count; i++) {
        size_t length = strlen(cli_shown(names[i]).text);
        width = length > width ? length : width;
    }
    return (int)width;
}

void cli_put_csv(FILE *stream, const char *name)
{
    char shown[4 * PATH_MAX];

    rn_text_escape(shown, sizeof shown, name);
    putc('"', stream);
    for (const char *at = shown; *at != '\0'; at++) {
        if (*at == '"')
            putc('"', stream);
        putc(*at, stream);
    }
    putc('"', stream);
}
