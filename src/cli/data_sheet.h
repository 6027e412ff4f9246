/** The contact sheet of 'resnet data show'. */
#ifndef CLI_DATA_SHEET_H
#define CLI_DATA_SHEET_H

#include "resnet/resnet.h"

/**
 * Save a picture with a row for each class, its first images; of photographs the middle, small.
 * Those that cannot be read are told of on standard error, and the next of the class are shown.
 */
rn_status cli_sheet_save(const rn_samples *samples, const char *path);

#endif
