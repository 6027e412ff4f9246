#include "data/transfer.h"

#include "base/file.h"
#include "base/memory.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAG_BYTES = 256, OK_WHOLE = 200, OK_PART = 206, PAST_END = 416 };

/** A transfer under way. */
typedef struct state {
    const rn_transfer *job;
    CURL *curl;
    struct curl_slist *headers;
    int descriptor;
    uint64_t done;       // bytes in the partial file
    uint64_t from;       // asked for from here; 0 for the whole
    char tag[TAG_BYTES]; // the version: asked for, then as answered
    int64_t answered;    // first byte that the server says it sends; -1 if it does not say
    bool started;        // the first bytes of the answer have come
    rn_status failure;   // of ours, inside a callback
} state;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static rn_status part_error(const state *s, const char *verb)
{
    return rn_error(RN_EIO, "cannot %s '%s': %s", verb, s->job->part, strerror(errno));
}

static rn_status measure_part(state *s)
{
    struct stat info;

    if (fstat(s->descriptor, &info) != 0)
        return part_error(s, "write");
    s->done = (uint64_t)info.st_size;
    return RN_OK;
}

static rn_status begin_again(state *s)
{
    s->done = s->from = 0;
    if (ftruncate(s->descriptor, 0) != 0)
        return part_error(s, "truncate");
    return RN_OK;
}

// A part whose version is unknown, or that is too long already, is worth nothing.
static rn_status choose_start(state *s)
{
    rn_status st = RN_OK;
    char *tag = NULL;
    size_t size = 0;

    if (s->done > 0 && s->done < s->job->limit) {
        st = rn_file_read(&tag, &size, s->job->tag, TAG_BYTES - 1);
        if (st != RN_OK && st != RN_ENOTFOUND && st != RN_EFORMAT)
            goto out;
        st = RN_OK;
    }
    if (size > 0 && strlen(tag) == size && strpbrk(tag, "\r\n") == NULL) {
        memcpy(s->tag, tag, size + 1);
        s->from = s->done;
    } else {
        RN_TRY(begin_again(s));
    }
out:
    rn_free(tag);
    return st;
}

// The value of a header line, if it is the header `name`; *length without the line's end.
static const char *header_value(const char *line, size_t bytes, const char *name, size_t *length)
{
    size_t skip = strlen(name);

    if (bytes <= skip || strncasecmp(line, name, skip) != 0)
        return NULL;
    while (skip < bytes && (line[skip] == ' ' || line[skip] == '\t'))
        skip++;
    while (bytes > skip && (line[bytes - 1] == '\r' || line[bytes - 1] == '\n'))
        bytes--;
    *length = bytes - skip;
    return line + skip;
}

static void keep_tag(state *s, const char *value, size_t length)
{
    if (length == 0 || length >= TAG_BYTES || memchr(value, '\0', length) != NULL)
        return;
    memcpy(s->tag, value, length);
    s->tag[length] = '\0';
}

// A strong ETag names the version best; else the date does. Weak ones ("W/") do not.
static size_t take_header(char *line, size_t size, size_t count, void *context)
{
    state *s = context;
    size_t bytes = size * count, length;
    const char *value;

    if (bytes >= 5 && memcmp(line, "HTTP/", 5) == 0) { // of a redirect's target: all anew
        s->tag[0] = '\0';
        s->answered = -1;
    } else if ((value = header_value(line, bytes, "etag:", &length)) != NULL) {
        if (length > 0 && value[0] == '"')
            keep_tag(s, value, length);
    } else if ((value = header_value(line, bytes, "last-modified:", &length)) != NULL) {
        if (s->tag[0] != '"')
            keep_tag(s, value, length);
    } else if ((value = header_value(line, bytes, "content-range:", &length)) != NULL) {
        char text[64] = "";
        memcpy(text, value, length < sizeof text ? length : sizeof text - 1);
        if (sscanf(text, "bytes %" SCNd64 "-", &s->answered) != 1)
            s->answered = -1;
    }
    return bytes;
}

// On the answer's first bytes: do they go on from what we have, or start anew?
static rn_status start_answer(state *s)
{
    rn_status st = RN_OK;
    long code = 0;

    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code == OK_PART && s->from > 0 && s->answered == (int64_t)s->from) {
        s->done = s->from;
    } else if (code == OK_WHOLE) {
        RN_TRY(begin_again(s));
    } else {
        st = rn_error(RN_ENETWORK, "'%s': server answered %ld from byte %lld, expected byte %llu",
                      s->job->url, code, (long long)s->answered, (unsigned long long)s->from);
        goto out;
    }
    if (lseek(s->descriptor, (off_t)s->done, SEEK_SET) < 0) {
        st = part_error(s, "write");
        goto out;
    }
    unlink(s->job->tag);
    if (s->tag[0] != '\0')
        RN_TRY(rn_file_write_atomic(s->job->tag, s->tag, strlen(s->tag)));
    s->started = true;
out:
    return st;
}

static rn_status write_all(state *s, const char *data, size_t bytes)
{
    if (bytes > s->job->limit - s->done)
        return rn_error(RN_EFORMAT, "'%s': server sends more than the expected %llu bytes",
                        s->job->url, (unsigned long long)s->job->limit);
    while (bytes > 0) {
        ssize_t put = write(s->descriptor, data, bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return part_error(s, "write");
        data += put;
        bytes -= (size_t)put;
        s->done += (uint64_t)put;
    }
    return RN_OK;
}

static size_t take_data(char *data, size_t size, size_t count, void *context)
{
    state *s = context;

    if (!s->started)
        s->failure = start_answer(s);
    if (s->failure == RN_OK)
        s->failure = write_all(s, data, size * count);
    return s->failure == RN_OK ? size * count : 0;
}

static int take_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t upload_total,
                         curl_off_t upload_now)
{
    state *s = context;
    uint64_t before = s->started && s->done > (uint64_t)now ? s->done - (uint64_t)now : 0;

    (void)upload_total;
    (void)upload_now;
    if (s->job->progress == NULL)
        return 0;
    uint64_t all = s->started && total > 0 ? before + (uint64_t)total : 0;
    return s->job->progress(s->started ? s->done : s->from, all, s->job->context) ? 0 : 1;
}

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (curl_easy_setopt(s->curl, option, value) != CURLE_OK)                                  \
            return rn_error(RN_ENETWORK, "libcurl refuses option %s", #option);                    \
    } while (0)

static rn_status set_limits(state *s)
{
    bool secure = strncasecmp(s->job->url, "https:", 6) == 0;

    SET(CURLOPT_URL, s->job->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, 5L);
    SET(CURLOPT_CONNECTTIMEOUT, 30L);
    SET(CURLOPT_LOW_SPEED_LIMIT, 100L);
    SET(CURLOPT_LOW_SPEED_TIME, 60L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_USERAGENT, "resnet/" RN_VERSION);
    return RN_OK;
}

static rn_status set_callbacks(state *s)
{
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, s);
    SET(CURLOPT_WRITEFUNCTION, take_data);
    SET(CURLOPT_WRITEDATA, s);
    SET(CURLOPT_XFERINFOFUNCTION, take_progress);
    SET(CURLOPT_XFERINFODATA, s);
    SET(CURLOPT_NOPROGRESS, 0L);
    return RN_OK;
}

static rn_status set_range(state *s)
{
    char range[32], condition[TAG_BYTES + 16];

    if (s->from == 0)
        return RN_OK;
    snprintf(range, sizeof range, "%" PRIu64 "-", s->from);
    snprintf(condition, sizeof condition, "If-Range: %s", s->tag);
    s->headers = curl_slist_append(NULL, condition);
    if (s->headers == NULL)
        return rn_error(RN_ENOMEM, "out of memory: cannot fetch '%s'", s->job->url);
    SET(CURLOPT_HTTPHEADER, s->headers);
    SET(CURLOPT_RANGE, range);
    return RN_OK;
}

static rn_status explain(const state *s, CURLcode code, long answer, const char *detail)
{
    if (s->failure != RN_OK)
        return s->failure; // its message is still the last one
    if (code == CURLE_OK)
        return RN_OK;
    if (code == CURLE_OUT_OF_MEMORY)
        return rn_error(RN_ENOMEM, "out of memory: cannot fetch '%s'", s->job->url);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return rn_error(RN_EINTERRUPTED, "download of '%s' cancelled at byte %llu", s->job->url,
                        (unsigned long long)s->done);
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return rn_error(RN_ENETWORK, "'%s': server answered %ld", s->job->url, answer);
    return rn_error(RN_ENETWORK, "download of '%s' stopped at byte %llu: %s", s->job->url,
                    (unsigned long long)s->done,
                    detail[0] != '\0' ? detail : curl_easy_strerror(code));
}

// *past_end: the server has nothing from that byte on, so the part is of something else.
static rn_status perform(state *s, bool *past_end)
{
    rn_status st = RN_OK;
    char detail[CURL_ERROR_SIZE] = "";
    long answer = 0;

    *past_end = false;
    s->started = false;
    s->curl = curl_easy_init();
    if (s->curl == NULL) {
        st = rn_error(RN_ENETWORK, "libcurl does not start");
        goto out;
    }
    RN_TRY(set_limits(s));
    RN_TRY(set_callbacks(s));
    RN_TRY(set_range(s));
    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = curl_easy_perform(s->curl);
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &answer);
    *past_end = code == CURLE_HTTP_RETURNED_ERROR && answer == PAST_END && s->from > 0;
    st = explain(s, code, answer, detail);
    if (st == RN_OK && !s->started) // an empty answer
        st = start_answer(s);
out:
    curl_slist_free_all(s->headers);
    s->headers = NULL;
    curl_easy_cleanup(s->curl);
    s->curl = NULL;
    return st;
}

rn_status rn_transfer_run(const rn_transfer *transfer)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    rn_status st = RN_OK;
    state s = {.job = transfer, .descriptor = transfer->descriptor, .answered = -1};
    bool past_end;

    pthread_once(&once, start_curl); // before any thread of ours may use libcurl
    RN_TRY(measure_part(&s));
    RN_TRY(choose_start(&s));
    st = perform(&s, &past_end);
    if (past_end) {
        RN_TRY(begin_again(&s));
        st = perform(&s, &past_end);
    }
out:
    if (st != RN_OK && s.done == 0 && lseek(s.descriptor, 0, SEEK_END) == 0)
        unlink(transfer->part); // nothing came
    return st;
}
