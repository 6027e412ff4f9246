#include "data/checksum.h"

#include "base/file.h"
#include "base/memory.h"
#include "resnet/data.h"

#include <errno.h>
#include <md5.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

static bool is_hex(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

rn_status rn_checksum_parse(const char *expected)
{
    if (expected != NULL && strncmp(expected, "md5:", 4) == 0 && is_hex(expected + 4, 32))
        return RN_OK;
    if (expected != NULL && strncmp(expected, "sha256:", 7) == 0 && is_hex(expected + 7, 64))
        return RN_OK;
    return rn_error(RN_EINVAL, "checksum '%s' is neither md5: with 32 nor sha256: with 64 digits",
                    expected == NULL ? "(none)" : expected);
}

// The sum of all that is left of `file`, in hexadecimal; false on a read error.
static bool sum_stream(char hex[SHA256_DIGEST_STRING_LENGTH], FILE *file, bool md5, uint8_t *chunk)
{
    MD5_CTX md5_state;
    SHA2_CTX sha_state;
    size_t got;

    MD5Init(&md5_state);
    SHA256Init(&sha_state);
    while ((got = fread(chunk, 1, CHUNK, file)) > 0) {
        if (md5)
            MD5Update(&md5_state, chunk, got);
        else
            SHA256Update(&sha_state, chunk, got);
    }
    if (md5)
        MD5End(&md5_state, hex);
    else
        SHA256End(&sha_state, hex);
    return !ferror(file);
}

static rn_status sum_file(char hex[SHA256_DIGEST_STRING_LENGTH], const char *path, bool md5)
{
    rn_status st = RN_OK;
    uint8_t *chunk = NULL;
    FILE *file = NULL;
    uint64_t size;

    RN_TRY(rn_file_size(&size, path)); // also refuses what is not a regular file
    RN_TRY(RN_NEW(&chunk, CHUNK));
    file = fopen(path, "rbe");
    if (file == NULL || !sum_stream(hex, file, md5, chunk))
        st = rn_error(RN_EIO, "cannot read '%s': %s", path, strerror(errno));
out:
    if (file != NULL)
        fclose(file);
    rn_free(chunk);
    return st;
}

rn_status rn_checksum_check(const char *path, const char *expected)
{
    rn_status st = RN_OK;
    char hex[SHA256_DIGEST_STRING_LENGTH];

    RN_TRY(rn_checksum_parse(expected));
    bool md5 = expected[0] == 'm';
    RN_TRY(sum_file(hex, path, md5));
    if (strcmp(hex, strchr(expected, ':') + 1) != 0)
        st = rn_error(RN_EFORMAT, "'%s': %s sum is %s, expected %s", path, md5 ? "MD5" : "SHA-256",
                      hex, strchr(expected, ':') + 1);
out:
    return st;
}

_Static_assert((int)RN_SHA256_TEXT == (int)SHA256_DIGEST_STRING_LENGTH, "room for the digits");

rn_status rn_file_sha256(char hex[RN_SHA256_TEXT], const char *path)
{
    return sum_file(hex, path, false);
}
