#include "base/file.h"
#include "base/memory.h"
#include "data/checksum.h"
#include "data/part_file.h"
#include "data/transfer.h"
#include "data/unpack.h"

#include <string.h>
#include <unistd.h>

enum { MOST_NAME = 100 };

static const uint64_t most_bytes = UINT64_C(4) << 30; // of an archive whose size is not known

// Sums as published on https://www.cs.toronto.edu/~kriz/cifar.html.
static const rn_download downloads[] = {
    {.name = "cifar10",
     .url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
     .checksum = "md5:c32a1d4ab5d03f1284b67883e8d87530",
     .bytes = 170052171},
    {.name = "cifar100",
     .url = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
     .checksum = "md5:03b5dce01913d631647c71ecec9e9cb8",
     .bytes = 168513733},
};

const rn_download *rn_download_at(int index)
{
    if (index < 0 || (size_t)index >= sizeof downloads / sizeof *downloads)
        return NULL;
    return &downloads[index];
}

/** The three files of a download. */
typedef struct paths {
    char *archive, *part, *tag;
} paths;

static void release_paths(paths *p)
{
    rn_free(p->archive);
    rn_free(p->part);
    rn_free(p->tag);
}

// The URL's last part: it becomes a file name, so it is held to plain characters.
static rn_status check_url(const char **name, const char *url)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    bool http = url != NULL &&
                (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0);
    const char *slash = http ? strrchr(strstr(url, "//") + 2, '/') : NULL;

    if (slash == NULL)
        return rn_error(RN_EINVAL, "'%s' is not the http or https address of a file",
                        url == NULL ? "(none)" : url);
    *name = slash + 1;
    size_t length = strlen(*name);
    if (length == 0 || length > MOST_NAME || **name == '.' || strspn(*name, plain) != length)
        return rn_error(RN_EINVAL, "'%s' does not end in a plain file name", url);
    return RN_OK;
}

static rn_status make_paths(paths *p, const char *folder, const char *name)
{
    rn_status st = RN_OK;

    RN_TRY(rn_format(&p->archive, "%s/%s", folder, name));
    RN_TRY(rn_format(&p->part, "%s.part", p->archive));
    RN_TRY(rn_format(&p->tag, "%s.part.tag", p->archive));
out:
    return st;
}

// Is the archive there already? A file with another sum may be the user's: it stays until the
// archive takes its place.
static rn_status find_archive(bool *found, const rn_download *download, const paths *p)
{
    rn_status st = RN_OK;

    *found = false;
    if (!rn_file_exists(p->archive))
        return RN_OK;
    st = rn_checksum_check(p->archive, download->checksum);
    *found = st == RN_OK;
    return st == RN_EFORMAT ? RN_OK : st;
}

static rn_status check_part(const rn_download *download, const paths *p)
{
    rn_status st = RN_OK;
    uint64_t size;

    RN_TRY(rn_file_size(&size, p->part));
    if (download->bytes != 0 && size != download->bytes) {
        st = rn_error(RN_EFORMAT, "'%s' gave %llu bytes, expected %llu", download->url,
                      (unsigned long long)size, (unsigned long long)download->bytes);
        goto out;
    }
    RN_TRY(rn_checksum_check(p->part, download->checksum));
out:
    return st;
}

static rn_status fetch_part(const rn_download *download, const paths *p, int descriptor,
                            rn_download_progress progress, void *context)
{
    rn_status st = RN_OK;

    if (download->bytes != 0 && check_part(download, p) == RN_OK)
        return RN_OK; // stopped just before it was put in place
    RN_TRY(
        rn_transfer_run(&(rn_transfer){.url = download->url,
                                       .part = p->part,
                                       .descriptor = descriptor,
                                       .tag = p->tag,
                                       .limit = download->bytes != 0 ? download->bytes : most_bytes,
                                       .progress = progress,
                                       .context = context}));
    RN_TRY(check_part(download, p));
out:
    return st;
}

// The part is locked until it has its name.
static rn_status fetch_archive(const rn_download *download, const paths *p,
                               rn_download_progress progress, void *context)
{
    rn_status st = RN_OK;
    int descriptor;

    RN_TRY(rn_part_open(&descriptor, p->part));
    RN_TRY(fetch_part(download, p, descriptor, progress, context));
    RN_TRY(rn_part_finish(descriptor, p->part, p->archive));
    unlink(p->tag);
out:
    if (st == RN_EFORMAT) {
        unlink(p->part);
        unlink(p->tag);
    }
    if (descriptor >= 0)
        close(descriptor);
    return st;
}

rn_status rn_download_fetch(const rn_download *download, const char *folder,
                            rn_download_progress progress, void *context)
{
    rn_status st = RN_OK;
    paths p = {0};
    const char *name = NULL;
    bool found;

    RN_TRY(check_url(&name, download->url));
    RN_TRY(rn_checksum_parse(download->checksum));
    RN_TRY(rn_folder_create(folder));
    RN_TRY(make_paths(&p, folder, name));
    RN_TRY(find_archive(&found, download, &p));
    if (!found)
        RN_TRY(fetch_archive(download, &p, progress, context));
    RN_TRY(rn_unpack(p.archive, folder));
out:
    release_paths(&p);
    return st;
}
