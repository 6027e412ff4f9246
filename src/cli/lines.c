#include "cli/lines.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

rn_status cli_line_read(char **line, FILE *file, int separator)
{
    char text[PATH_MAX];
    size_t length = 0;
    int byte;

    *line = NULL;
    while ((byte = getc(file)) != EOF && byte != separator) {
        if (byte == '\0')
            return rn_error(RN_EFORMAT, "NUL in a line, expected text");
        if (length == sizeof text - 1)
            return rn_error(RN_EFORMAT, "line of more than %d bytes", PATH_MAX - 1);
        text[length++] = (char)byte;
    }
    if (ferror(file))
        return rn_error(RN_EIO, "cannot read: %s", strerror(errno));
    if (byte == EOF && length == 0)
        return RN_OK;
    text[length] = '\0';
    *line = strdup(text);
    return *line != NULL ? RN_OK : rn_error(RN_ENOMEM, "no memory for a line");
}
