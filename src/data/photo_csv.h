/** Pictures listed in a CSV file: columns path and label, and perhaps split. */
#ifndef DATA_PHOTO_CSV_H
#define DATA_PHOTO_CSV_H

#include "data/samples.h"

/**
 * Open one split of a list; where it has no column "split", both are all of it. Pictures keep the
 * list's order.
 *
 * If all labels are numbers, they are the classes; else the labels, sorted, name the classes. An
 * empty label, or -1 among numbers, is none. Classes are those of both splits.
 *
 * @return RN_OK; RN_ENOTFOUND (the file, or no picture of the split); RN_EFORMAT (names the line);
 *         RN_EIO; RN_ENOMEM.
 */
rn_status rn_photo_csv_open(rn_samples **out, const char *path, rn_split split);

#endif
