// Archives, in gzip or not: refused with one line. What is good ends where nothing can be written.
#include "data/unpack.h"

#include "scratch_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rn_status st = rn_unpack(scratch_file("a.tar.gz", data, size), "/dev/null");

    if ((st != RN_EFORMAT && st != RN_EIO) || *rn_error_message() == '\0' ||
        strchr(rn_error_message(), '\n') != NULL)
        abort();
    return 0;
}
