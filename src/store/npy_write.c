// NumPy's array files, format 1.0 (NEP 1): a magic, a header that is a Python literal, the values.
#include "resnet/store.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Room for the largest header; a multiple of 64, so that the values begin at such a one.
enum { HEADER = 192, PREFIX = 10 };

struct rn_npy {
    rn_atomic_file file;
    rn_npy_type type;
    int dims;
    int shape[RN_NPY_DIMS];
    uint64_t rows;
    size_t row_bytes;
};

// A blank-padded header that ends in a newline; the number of rows may still change.
static void write_header(char header[HEADER], const rn_npy *npy)
{
    static const char *const types[] = {[RN_NPY_FLOAT32] = "<f4", [RN_NPY_INT32] = "<i4"};
    const int text_bytes = HEADER - PREFIX;

    memset(header, ' ', HEADER);
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)(text_bytes & 0xff);
    header[9] = (char)(text_bytes >> 8);
    int used = PREFIX + snprintf(header + PREFIX, (size_t)text_bytes,
                                 "{'descr': '%s', 'fortran_order': False, 'shape': (%llu,",
                                 types[npy->type], (unsigned long long)npy->rows);
    for (int i = 0; i < npy->dims; i++)
        used += snprintf(header + used, (size_t)(HEADER - used), "%s%d", i > 0 ? ", " : " ",
                         npy->shape[i]);
    used += snprintf(header + used, (size_t)(HEADER - used), "), }");
    header[used] = ' '; // the NUL
    header[HEADER - 1] = '\n';
}

rn_status rn_npy_create(rn_npy **out, const char *path, rn_npy_type type, int dims,
                        const int *shape)
{
    rn_status st = RN_OK;
    rn_npy *npy = NULL;
    char header[HEADER];

    *out = NULL;
    if (dims < 0 || dims > RN_NPY_DIMS)
        return rn_error(RN_EINVAL, "rows have %d dimensions, expected 0 to %d", dims, RN_NPY_DIMS);
    RN_TRY(RN_NEW(&npy, 1));
    npy->file.descriptor = -1;
    npy->type = type;
    npy->dims = dims;
    npy->row_bytes = 4; // of either type
    for (int i = 0; i < dims; i++) {
        npy->shape[i] = shape[i];
        npy->row_bytes *= (size_t)shape[i];
    }
    RN_TRY(rn_atomic_file_open(&npy->file, path));
    write_header(header, npy);
    RN_TRY(rn_atomic_file_write(&npy->file, header, sizeof header));
    *out = npy;
    npy = NULL; // now the caller's
out:
    rn_npy_free(npy);
    return st;
}

rn_status rn_npy_append(rn_npy *npy, const void *values, uint64_t rows)
{
    rn_status st = rn_atomic_file_write(&npy->file, values, (size_t)rows * npy->row_bytes);

    npy->rows += st == RN_OK ? rows : 0;
    return st;
}

rn_status rn_npy_commit(rn_npy *npy)
{
    rn_status st = RN_OK;
    char header[HEADER];

    write_header(header, npy);
    if (lseek(npy->file.descriptor, 0, SEEK_SET) != 0)
        return rn_error(RN_EIO, "cannot go back to the beginning of '%s'", npy->file.path);
    RN_TRY(rn_atomic_file_write(&npy->file, header, sizeof header));
    RN_TRY(rn_atomic_file_commit(&npy->file));
out:
    return st;
}

void rn_npy_free(rn_npy *npy)
{
    if (npy == NULL)
        return;
    rn_atomic_file_abandon(&npy->file);
    rn_free(npy);
}
