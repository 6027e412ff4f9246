/** Unpacking a data set's archive: only what is expected, nowhere else, nothing by halves. */
#ifndef DATA_UNPACK_H
#define DATA_UNPACK_H

#include "resnet/base.h"

/**
 * Unpack a .tar.gz of CIFAR or IDX files into `folder`.
 *
 * The whole archive is checked before the first file is written. Files of other names are skipped.
 *
 * @return RN_OK; RN_EFORMAT (damaged, an unsafe path, a link or device, a file larger than any of
 *         its name, or none of the expected files); RN_EIO; RN_ENOMEM.
 */
rn_status rn_unpack(const char *archive, const char *folder);

#endif
