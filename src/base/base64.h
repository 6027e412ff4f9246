/** Bytes as text (RFC 4648, section 4). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "resnet/base.h"

/** Encode with padding; the caller's (rn_free()); NULL on failure. RN_OK; RN_ENOMEM. */
rn_status rn_base64_encode(char **out, const uint8_t *bytes, size_t size);

#endif
