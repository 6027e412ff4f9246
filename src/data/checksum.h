/** Checksums of files: MD5 (what the data sets' authors publish) and SHA-256. */
#ifndef DATA_CHECKSUM_H
#define DATA_CHECKSUM_H

#include "resnet/base.h"

/**
 * Hold a file's sum against "md5:HEX" or "sha256:HEX" (lowercase).
 *
 * @return RN_OK; RN_EFORMAT (names both sums); RN_EINVAL (`expected` has another form);
 *         RN_ENOTFOUND; RN_EIO; RN_ENOMEM.
 */
rn_status rn_checksum_check(const char *path, const char *expected);

/** RN_EINVAL unless `expected` has one of the two forms. */
rn_status rn_checksum_parse(const char *expected);

#endif
