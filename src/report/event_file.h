/**
 * Files of TensorFlow's records (TFRecord), as TensorBoard looks for them in a folder: each record
 * with its length and masked CRC-32C sums of both.
 */
#ifndef REPORT_EVENT_FILE_H
#define REPORT_EVENT_FILE_H

#include "resnet/base.h"

typedef struct rn_event_file rn_event_file;

/**
 * A new file FOLDER/events.out.tfevents.SECONDS.HOST.PROCESS with its first record. TensorBoard
 * reads such files in the order of their names: this one's comes after those that are there,
 * whatever the clock says.
 *
 * @return RN_OK; RN_ENOTFOUND (no such folder); RN_EIO (path and reason); RN_ENOMEM. No file is
 * left.
 */
rn_status rn_event_file_create(rn_event_file **out, const char *folder, const void *first,
                               size_t size);
void rn_event_file_close(rn_event_file *file);

/** Append one record at once, so that a reader sees it, or nothing of it. RN_EIO; RN_ENOMEM. */
rn_status rn_event_file_append(rn_event_file *file, const void *data, size_t size);

/** CRC-32C (Castagnoli: reflected polynomial 0x82f63b78). */
uint32_t rn_crc32c(const void *data, size_t size);

#endif
