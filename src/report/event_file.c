#include "report/event_file.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH_BYTES = 8, SUM_BYTES = 4, HEAD_BYTES = LENGTH_BYTES + SUM_BYTES, HOST_TEXT = 256 };

static const char PREFIX[] = "events.out.tfevents.";

struct rn_event_file {
    int descriptor;
    char *path;
};

// A bit at a time: records are a few kilobytes, some a minute.
uint32_t rn_crc32c(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (UINT32_C(0x82f63b78) & (0 - (sum & 1)));
    }
    return ~sum;
}

// Rotated and shifted, as the format has it, so that a sum over data with sums is no simple one.
static uint32_t masked_sum(const void *data, size_t size)
{
    uint32_t sum = rn_crc32c(data, size);

    return (sum >> 15 | sum << 17) + UINT32_C(0xa282ead8);
}

static void put_little(unsigned char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

// What a new file's name begins with: the clock's seconds, or more where a file has these or more.
static int64_t next_seconds(const char *folder)
{
    int64_t seconds = (int64_t)time(NULL);
    DIR *directory = opendir(folder);

    if (directory == NULL)
        return seconds;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const char *number = entry->d_name + sizeof PREFIX - 1;
        char digits[11] = "";
        if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0 ||
            strspn(number, "0123456789") != sizeof digits - 1)
            continue;
        memcpy(digits, number, sizeof digits - 1);
        int64_t taken = (int64_t)strtoll(digits, NULL, 10);
        seconds = taken >= seconds ? taken + 1 : seconds;
    }
    closedir(directory);
    return seconds;
}

rn_status rn_event_file_create(rn_event_file **out, const char *folder, const void *first,
                               size_t size)
{
    rn_status st = RN_OK;
    rn_event_file *file = NULL;
    char host[HOST_TEXT] = "localhost";

    *out = NULL;
    gethostname(host, sizeof host - 1);
    RN_TRY(RN_NEW(&file, 1));
    file->descriptor = -1;
    RN_TRY(rn_format(&file->path, "%s/%s%010lld.%s.%ld", folder, PREFIX,
                     (long long)next_seconds(folder), host, (long)getpid()));
    file->descriptor = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (file->descriptor < 0) {
        st = rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot create '%s': %s", file->path,
                      strerror(errno));
        goto out;
    }
    st = rn_event_file_append(file, first, size);
    if (st != RN_OK) {
        unlink(file->path);
        goto out;
    }
    *out = file;
    file = NULL; // now the caller's
out:
    rn_event_file_close(file);
    return st;
}

void rn_event_file_close(rn_event_file *file)
{
    if (file == NULL)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    rn_free(file->path);
    rn_free(file);
}

rn_status rn_event_file_append(rn_event_file *file, const void *data, size_t size)
{
    rn_status st = RN_OK;
    unsigned char *record = NULL;

    RN_TRY(RN_NEW(&record, HEAD_BYTES + size + SUM_BYTES));
    put_little(record, size, LENGTH_BYTES);
    put_little(record + LENGTH_BYTES, masked_sum(record, LENGTH_BYTES), SUM_BYTES);
    memcpy(record + HEAD_BYTES, data, size);
    put_little(record + HEAD_BYTES + size, masked_sum(data, size), SUM_BYTES);
    RN_TRY(rn_file_append(file->descriptor, file->path, record, HEAD_BYTES + size + SUM_BYTES));
out:
    rn_free(record);
    return st;
}
