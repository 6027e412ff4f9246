/** One HTTP download into a partial file, resumed where the server still has the same version. */
#ifndef DATA_TRANSFER_H
#define DATA_TRANSFER_H

#include "resnet/data.h"

/** What to fetch and where to. All borrowed. */
typedef struct rn_transfer {
    const char *url;
    const char *part; // the partial file
    int descriptor;   // of it, as rn_part_open() gives it
    const char *tag;  // beside it: the ETag or date of the version that it is a part of
    uint64_t limit;   // most bytes that are accepted
    rn_download_progress progress;
    void *context;
} rn_transfer;

/**
 * Fetch all of the URL into the partial file.
 *
 * A partial file is resumed only if its version is known and the server says that it still has it
 * (If-Range); otherwise it is begun again. At most 5 redirects, http and https only, and never from
 * https to http. Gives up when no connection is made in 30 s, or less than 100 bytes a second come
 * for 60 s.
 *
 * @return RN_OK; RN_ENETWORK; RN_EFORMAT (more than limit); RN_EIO; RN_ENOMEM; RN_EINTERRUPTED.
 */
rn_status rn_transfer_run(const rn_transfer *transfer);

#endif
