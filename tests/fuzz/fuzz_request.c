// Requests to the dashboard: what is let in has the right host and token, and names one run at
// most. The input's lines: method, path, host, authorization ("-": none), then parameters,
// KEY=VALUE.
#include "dashboard/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096 };

static const char token[] = "correct-horse";

static char *next_line(char **at)
{
    char *line = *at;

    if (line == NULL)
        return NULL;
    *at = strchr(line, '\n');
    if (*at != NULL)
        *(*at)++ = '\0';
    return strcmp(line, "-") == 0 ? NULL : line;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_ours(const char *host)
{
    return strncasecmp(host, "localhost", 9) == 0 || strncmp(host, "127.0.0.1", 9) == 0 ||
           strncmp(host, "::1", 3) == 0 || strncmp(host, "[::1]", 5) == 0;
}

static void check_query(const rn_query *query)
{
    must(query->first >= 0 && query->count >= 1 && query->count <= LIST_PAGE);
    must(rn_quantity_name((int)query->quantity) != NULL);
    if (query->route != RN_ROUTE_RUN && query->route != RN_ROUTE_SAMPLES)
        return;
    must(query->name != NULL && *query->name != '\0' && strchr(query->name, '/') == NULL);
    must(strcmp(query->name, ".") != 0 && strcmp(query->name, "..") != 0);
}

static void check(const rn_request *request, const rn_access *access)
{
    rn_query query;
    int status = rn_request_check(&query, request, access);

    if (status != HTTP_OK) {
        must(status >= 400 && status < 500 && *rn_error_message() != '\0');
        return;
    }
    check_query(&query);
    must(strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0);
    must(!access->loopback || (request->host != NULL && is_ours(request->host)));
    if (access->token != NULL && query.route != RN_ROUTE_SCRIPT && query.route != RN_ROUTE_CHART &&
        query.route != RN_ROUTE_STYLE)
        must((request->parameters.token != NULL && strcmp(request->parameters.token, token) == 0) ||
             (request->authorization != NULL && strstr(request->authorization, token) != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const rn_access accesses[] = {{.address = "127.0.0.1", .loopback = true},
                                         {.address = "::1", .loopback = true, .token = token},
                                         {.address = "0.0.0.0", .token = token}};
    char text[MOST], *at = text;
    rn_request request;

    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    request = (rn_request){.method = next_line(&at)};
    request.path = next_line(&at);
    request.host = next_line(&at);
    request.authorization = next_line(&at);
    if (request.method == NULL || request.path == NULL)
        return 0;
    for (char *line; (line = next_line(&at)) != NULL;) {
        char *value = strchr(line, '=');
        if (value != NULL)
            *value++ = '\0';
        rn_parameters_add(&request.parameters, line, value);
    }
    for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++)
        check(&request, &accesses[i]);
    return 0;
}
