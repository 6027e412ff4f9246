// IDX files in gzip, as they are and compressed here: refused with one line, or all values are
// there.
#include "data/idx.h"

#include "base/memory.h"

#include "scratch_file.h"

#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the compiler must not leave out.
static volatile size_t sink;

static void expect(bool right)
{
    if (!right)
        abort();
}

static void read_file(const char *path)
{
    char folder[SCRATCH_PATH];
    rn_idx idx = {0};
    uint8_t *values = NULL;

    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    rn_status st = rn_idx_read(&idx, folder, RN_SPLIT_TRAIN, false);
    if (st == RN_OK)
        st = rn_idx_decode(&values, &idx);
    expect((st == RN_OK) == (values != NULL));
    for (uint64_t i = 0; values != NULL && i < idx.values; i++)
        sink += values[i];
    expect(st == RN_OK || (*rn_error_message() != '\0' && !strchr(rn_error_message(), '\n')));
    rn_free(values);
    rn_idx_release(&idx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char name[] = "train-images-idx3-ubyte.gz";
    const char *path = scratch_file(name, data, size);

    read_file(path);
    gzFile gz = gzopen(path, "wb1");
    expect(gz != NULL && (size == 0 || gzwrite(gz, data, (unsigned)size) == (int)size));
    expect(gzclose(gz) == Z_OK);
    read_file(path);
    return 0;
}
