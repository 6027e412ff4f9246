/** A dashboard under test, and requests to it over sockets. */
#ifndef TESTS_SERVER_CLIENT_H
#define TESTS_SERVER_CLIENT_H

#include "dashboard/run_folders.h"

#include "base/json.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

static rn_dashboard *dashboard;
static int port;
static char answer[1 << 20];

static inline int start_server(const rn_dashboard_options *options)
{
    const char *colon;

    ok(rn_dashboard_create(&dashboard, options));
    ok(rn_dashboard_start(dashboard, runs_folder, true));
    colon = strrchr(rn_dashboard_url(dashboard), ':');
    return atoi(colon + 1);
}

// The server gives who has gone silent ten seconds; who sends nonsense waits less.
enum { PATIENT = 20000, HASTY = 20 }; // ms

static inline int connect_to_server(long milliseconds)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = milliseconds / 1000,
                                     .tv_usec = milliseconds % 1000 * 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

// Send bytes and read what comes until the server closes; its status, 0 if there is no answer.
static inline int exchange_bytes(const void *bytes, size_t size, long milliseconds)
{
    size_t got = 0;
    ssize_t more;
    int fd = connect_to_server(milliseconds), status = 0;

    for (size_t sent = 0; sent < size;) {
        ssize_t put = send(fd, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL);
        if (put <= 0)
            break; // it has heard enough
        sent += (size_t)put;
    }
    while (got < sizeof answer - 1 &&
           (more = recv(fd, answer + got, sizeof answer - 1 - got, 0)) > 0)
        got += (size_t)more;
    answer[got] = '\0';
    close(fd);
    if (got > 0 && sscanf(answer, "HTTP/1.%*d %d ", &status) != 1)
        fail_msg("no HTTP: %.80s", answer);
    return status;
}

static inline int exchange(const char *request)
{
    return exchange_bytes(request, strlen(request), PATIENT);
}

static inline int ask(const char *method, const char *path, const char *more)
{
    char request[2048];

    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%s\r\n", method, path,
             port, more);
    return exchange(request);
}

static inline const char *body(void)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

// A refusal is one line of JSON that says why.
static inline void assert_error(int status, int expected, const char *text)
{
    cJSON *json;

    assert_int_equal(status, expected);
    ok(rn_json_parse(&json, body(), strlen(body()), "error"));
    const cJSON *error = cJSON_GetObjectItem(json, "error");
    assert_true(cJSON_IsString(error));
    if (strstr(error->valuestring, text) == NULL)
        fail_msg("'%s' is not said: %s", text, error->valuestring);
    assert_null(strchr(body(), '\n'));
    cJSON_Delete(json);
}

static inline void assert_header(const char *line)
{
    const char *found = strcasestr(answer, line);

    if (found == NULL || found > body())
        fail_msg("no '%s' in %.600s", line, answer);
}

static inline cJSON *ask_json(const char *path)
{
    cJSON *json;

    if (ask("GET", path, "") != 200)
        fail_msg("%s: %.300s", path, answer);
    assert_header("Content-Type: application/json");
    ok(rn_json_parse(&json, body(), strlen(body()), path));
    return json;
}

static inline const char *text_of(const cJSON *json, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, key));

    return text != NULL ? text : "";
}

#endif
