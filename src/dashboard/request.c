#include "dashboard/request.h"

#include "base/text.h"
#include "dashboard/audience.h"

#include <string.h>
#include <strings.h>

enum { LONGEST_NAME = 255, LONGEST_SINCE = 128 };

static const struct {
    const char *path;
    bool open;  // holds nothing of anyone's: needs no token, so that the page can load it
    bool named; // is about one run
} routes[] = {
    [RN_ROUTE_PAGE] = {"/", false, false},
    [RN_ROUTE_SCRIPT] = {"/page.js", true, false},
    [RN_ROUTE_RUN_SCRIPT] = {"/run.js", true, false},
    [RN_ROUTE_CHART] = {"/chart.js", true, false},
    [RN_ROUTE_STYLE] = {"/page.css", true, false},
    [RN_ROUTE_RUNS] = {"/api/runs", false, false},
    [RN_ROUTE_RUN] = {"/api/run", false, true},
    [RN_ROUTE_SAMPLES] = {"/api/samples", false, true},
};

static const char *const quantity_names[] = {
    [RN_QUANTITY_ERROR] = "error",    [RN_QUANTITY_LOSS] = "loss",
    [RN_QUANTITY_LR] = "lr",          [RN_QUANTITY_SPEED] = "images_per_second",
    [RN_QUANTITY_WAIT] = "data_wait", [RN_QUANTITY_MEMORY] = "memory",
};

enum {
    ROUTES = sizeof routes / sizeof *routes,
    QUANTITIES = sizeof quantity_names / sizeof *quantity_names
};

const char *rn_quantity_name(int quantity)
{
    return quantity >= 0 && quantity < QUANTITIES ? quantity_names[quantity] : NULL;
}

bool rn_parameters_add(rn_parameters *parameters, const char *key, const char *value)
{
    const struct {
        const char *key;
        const char **place;
    } known[] = {
        {"token", &parameters->token}, {"name", &parameters->name},
        {"since", &parameters->since}, {"quantity", &parameters->quantity},
        {"first", &parameters->first}, {"count", &parameters->count},
        {"page", &parameters->page},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].key, key) != 0)
            continue;
        if (*known[i].place != NULL || value == NULL) {
            rn_error(RN_EINVAL, "parameter '%s' expected once, with a value", key);
            return false;
        }
        *known[i].place = value;
        return true;
    }
    rn_error(RN_EINVAL, "no parameter '%s'", key);
    return false;
}

bool rn_is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

static int refuse(int status, const char *what, const char *text)
{
    rn_error(RN_EINVAL, what, text);
    return status;
}

// Who asks

static bool same_secret(const char *expected, const char *given)
{
    size_t length = strlen(expected), given_length = strlen(given);
    size_t difference = length ^ given_length;

    for (size_t i = 0; i < length; i++)
        difference |=
            (size_t)((unsigned char)expected[i] ^ (unsigned char)given[i < given_length ? i : 0]);
    return difference == 0;
}

static bool knows_token(const rn_request *request, const char *token)
{
    static const char scheme[] = "Bearer ";
    const char *given = request->parameters.token;

    if (given == NULL && request->authorization != NULL &&
        strncasecmp(request->authorization, scheme, sizeof scheme - 1) == 0)
        given = request->authorization + sizeof scheme - 1;
    return given != NULL && same_secret(token, given);
}

// "" or ":PORT".
static bool is_port(const char *text)
{
    const size_t digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;

    return *text == '\0' || (digits >= 1 && digits <= 5 && text[1 + digits] == '\0');
}

// "NAME" or "NAME:PORT" with a name of this machine; a tunnel may have any port.
static bool is_own_host(const char *host, const rn_access *access)
{
    const char *const names[] = {"localhost", "127.0.0.1", "[::1]", access->address};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (strncasecmp(host, names[i], length) == 0 && is_port(host + length))
            return true;
    }
    return false;
}

// What is asked

// One component of a path, which leads nowhere else.
static bool is_plain_name(const char *name)
{
    return *name != '\0' && strlen(name) <= LONGEST_NAME && strchr(name, '/') == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool read_number(int *value, const char *text, int low, int high)
{
    int64_t number;

    if (text == NULL)
        return true;
    if (!rn_text_int64(text, low, high, &number))
        return false;
    *value = (int)number;
    return true;
}

static bool read_quantity(rn_quantity *quantity, const char *text)
{
    *quantity = RN_QUANTITY_ERROR;
    if (text == NULL)
        return true;
    for (int i = 0; i < QUANTITIES; i++)
        if (strcmp(quantity_names[i], text) == 0) {
            *quantity = (rn_quantity)i;
            return true;
        }
    return false;
}

static int read_query(rn_query *out, const rn_parameters *parameters)
{
    out->name = parameters->name;
    out->since = parameters->since;
    out->page = parameters->page;
    out->count = LIST_PAGE;
    if (routes[out->route].named && (out->name == NULL || !is_plain_name(out->name)))
        return refuse(HTTP_BAD_REQUEST, "name '%s', expected that of a run",
                      out->name != NULL ? out->name : "");
    if (out->since != NULL && strlen(out->since) > LONGEST_SINCE)
        return refuse(HTTP_BAD_REQUEST, "%s is too long", "'since'");
    if (out->page != NULL && strlen(out->page) > PAGE_NAME)
        return refuse(HTTP_BAD_REQUEST, "%s is too long", "'page'");
    if (!read_quantity(&out->quantity, parameters->quantity))
        return refuse(HTTP_BAD_REQUEST, "no quantity '%s'", parameters->quantity);
    if (!read_number(&out->first, parameters->first, 0, INT32_MAX))
        return refuse(HTTP_BAD_REQUEST, "first is '%s', expected 0 or more", parameters->first);
    if (!read_number(&out->count, parameters->count, 1, LIST_PAGE))
        return refuse(HTTP_BAD_REQUEST, "count is '%s', expected 1 to 1000", parameters->count);
    return HTTP_OK;
}

static bool find_route(rn_route *route, const char *path)
{
    for (int i = 0; i < ROUTES; i++)
        if (strcmp(routes[i].path, path) == 0) {
            *route = (rn_route)i;
            return true;
        }
    return false;
}

int rn_request_check(rn_query *out, const rn_request *request, const rn_access *access)
{
    *out = (rn_query){0};
    if (access->loopback && (request->host == NULL || !is_own_host(request->host, access)))
        return refuse(HTTP_FORBIDDEN, "host '%s', expected a name of this machine",
                      request->host != NULL ? request->host : "");
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        return refuse(HTTP_NOT_ALLOWED, "method '%s', expected GET or HEAD", request->method);
    if (request->body)
        return refuse(HTTP_BAD_REQUEST, "%s with a body, expected none", request->method);
    if (!find_route(&out->route, request->path))
        return refuse(HTTP_NOT_FOUND, "no page '%s'", request->path);
    out->locked =
        access->token != NULL && !routes[out->route].open && !knows_token(request, access->token);
    out->mistaken = out->locked && request->parameters.token != NULL;
    if (out->locked)
        return refuse(HTTP_FORBIDDEN, "%s is missing or wrong", "the token");
    return read_query(out, &request->parameters);
}
