/** A small HTTP server on the loopback interface, with the faults that real ones have. */
#ifndef TESTS_DATA_LOOPBACK_H
#define TESTS_DATA_LOOPBACK_H

#include "data/fixtures.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

typedef enum loopback_mode {
    LOOPBACK_GOOD,        // ranges, If-Range, ETag
    LOOPBACK_CUT,         // the connection breaks after `cut` bytes
    LOOPBACK_NO_RANGE,    // always the whole
    LOOPBACK_WRONG_RANGE, // a part, but another one than was asked for
    LOOPBACK_NO_TAG,      // as LOOPBACK_CUT, and no word on the version
    LOOPBACK_MISSING,     // 404 with a body
    LOOPBACK_REDIRECT,    // to `target`, until the path is "/moved/..."
    LOOPBACK_LOOP         // to itself
} loopback_mode;

typedef struct loopback {
    int listener;
    char url[128];
    pthread_t thread;
    pthread_mutex_t lock; // held while a request is answered
    const char *body;
    size_t size, cut;
    const char *tag;    // with quotes
    const char *target; // of LOOPBACK_REDIRECT
    loopback_mode mode;
    int requests;
    char request[4096]; // the last one
} loopback;

static inline void loopback_send(int to, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t put = send(to, (const char *)data + done, bytes - done, MSG_NOSIGNAL);
        if (put <= 0)
            return; // the client has left
        done += (size_t)put;
    }
}

static inline void loopback_receive(loopback *server, int from)
{
    size_t size = 0;

    memset(server->request, 0, sizeof server->request);
    while (size < sizeof server->request - 1 && strstr(server->request, "\r\n\r\n") == NULL) {
        ssize_t got = recv(from, server->request + size, sizeof server->request - 1 - size, 0);
        if (got <= 0)
            return;
        size += (size_t)got;
    }
}

/** First byte to send; 0 where no valid range was asked for. */
static inline size_t loopback_start(const loopback *server)
{
    const char *range = strstr(server->request, "Range: bytes=");
    char condition[300];

    snprintf(condition, sizeof condition, "If-Range: %s\r\n", server->tag);
    if (range == NULL || server->mode == LOOPBACK_NO_RANGE ||
        strstr(server->request, condition) == NULL)
        return 0;
    return strtoul(range + 13, NULL, 10);
}

static inline void loopback_send_body(loopback *server, int to)
{
    char head[512], tag[300] = "";
    size_t start = loopback_start(server), left = server->size - start;
    bool cut = server->mode == LOOPBACK_CUT || server->mode == LOOPBACK_NO_TAG;

    if (start >= server->size) {
        static const char past[] = "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n";
        loopback_send(to, past, sizeof past - 1);
        return;
    }
    if (server->mode != LOOPBACK_NO_TAG)
        snprintf(tag, sizeof tag, "ETag: %s\r\n", server->tag);
    if (start > 0)
        snprintf(head, sizeof head,
                 "HTTP/1.1 206 Part\r\n%sContent-Range: bytes %zu-%zu/%zu\r\n"
                 "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                 tag, server->mode == LOOPBACK_WRONG_RANGE ? start + 1 : start, server->size - 1,
                 server->size, left);
    else
        snprintf(head, sizeof head,
                 "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n", tag,
                 left);
    loopback_send(to, head, strlen(head));
    loopback_send(to, server->body + start, cut && server->cut < left ? server->cut : left);
}

static inline void loopback_answer(loopback *server, int to)
{
    static const char missing[] = "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nsorry";
    char head[512];
    bool moved = strncmp(server->request, "GET /moved/", 11) == 0;

    if (server->mode == LOOPBACK_MISSING) {
        loopback_send(to, missing, sizeof missing - 1);
    } else if (server->mode == LOOPBACK_LOOP || (server->mode == LOOPBACK_REDIRECT && !moved)) {
        snprintf(
            head, sizeof head,
            "HTTP/1.1 302 Go\r\nETag: \"other\"\r\nLocation: %s\r\nContent-Length: 3\r\n\r\nyes",
            server->mode == LOOPBACK_LOOP ? "/a.tar.gz" : server->target);
        loopback_send(to, head, strlen(head));
    } else {
        loopback_send_body(server, to);
    }
}

static inline void *loopback_serve(void *context)
{
    loopback *server = context;

    for (;;) {
        int client = accept(server->listener, NULL, NULL);
        if (client < 0)
            return NULL; // shut down
        pthread_mutex_lock(&server->lock);
        loopback_receive(server, client);
        server->requests++;
        loopback_answer(server, client);
        pthread_mutex_unlock(&server->lock);
        shutdown(client, SHUT_RDWR);
        close(client);
    }
}

static inline void loopback_start_serving(loopback *server, const char *body, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    *server = (loopback){.body = body, .size = size, .tag = "\"v1\""};
    assert_int_equal(pthread_mutex_init(&server->lock, NULL), 0);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &length), 0);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d/a.tar.gz",
             ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, loopback_serve, server), 0);
}

/** Before and after a request: what the test set, and what the server noted, is seen by the other.
 */
static inline void loopback_sync(loopback *server)
{
    pthread_mutex_lock(&server->lock);
    pthread_mutex_unlock(&server->lock);
}

static inline void loopback_stop(loopback *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    pthread_mutex_destroy(&server->lock);
}

#endif
