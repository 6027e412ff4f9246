// Files of label names: refused with one line, or names of 1 to 100 printable bytes.
#include "data/samples.h"

#include "scratch_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rn_label_names names = {0};
    rn_status st = rn_label_names_read(&names, scratch_file("label_names.txt", data, size), 0);

    if ((st == RN_OK) != (names.count > 0))
        abort();
    for (int i = 0; i < names.count; i++) {
        size_t length = strlen(names.names[i]);
        if (length < 1 || length > 100 || strpbrk(names.names[i], "\r\n\t") != NULL)
            abort();
    }
    if (st != RN_OK && (*rn_error_message() == '\0' || strchr(rn_error_message(), '\n') != NULL))
        abort();
    rn_label_names_release(&names);
    return 0;
}
