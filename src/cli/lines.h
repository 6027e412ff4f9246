/** Lists in files. */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "resnet/base.h"

#include <stdio.h>

/**
 * Read the next line, of less than PATH_MAX bytes, without its separator.
 *
 * @param[out] line  The caller's (free()); NULL at the end of the file, and on failure.
 * @param separator  '\n' or '\0'.
 * @return RN_OK; RN_EFORMAT (longer, or a NUL in it); RN_EIO; RN_ENOMEM.
 */
rn_status cli_line_read(char **line, FILE *file, int separator);

#endif
