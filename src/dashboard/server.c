// Requests over HTTP, by libmicrohttpd with one thread.
#include "resnet/dashboard.h"

#include "base/memory.h"
#include "dashboard/listen.h"
#include "dashboard/site.h"

#include <microhttpd.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    LEAST_TOKEN = 8,
    MOST_TOKEN = 256,
    CONNECTIONS = 64,
    CONNECTION_MEMORY = 32 << 10,
    IDLE_SECONDS = 10,
    NICENESS = 10 // beyond the training's, which goes first; yet no page waits for its end
};

struct rn_dashboard {
    rn_listener listener;
    char *url, *token;
    bool started;
    int niceness; // of the server's thread
    rn_site site;
    struct MHD_Daemon *daemon;
};

// A page can do nothing but what its own files say, whatever stands in a run's folder.
static const char *const headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
     "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"}, // the address may hold the token
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

static enum MHD_Result send_response(struct MHD_Connection *connection, int status,
                                     struct MHD_Response *response, const char *type)
{
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO; // closes the connection
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    MHD_add_response_header(response, "Content-Type", type);
    if (status == HTTP_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static const char json_type[] = "application/json; charset=utf-8";

static enum MHD_Result send_text(struct MHD_Connection *connection, int status, draw_text *text,
                                 const char *type)
{
    static const char no_memory[] = "{\"error\":\"out of memory\"}";
    bool good = text->status == RN_OK && text->text != NULL;
    struct MHD_Response *response =
        good ? MHD_create_response_from_buffer_with_free_callback(text->length, text->text, rn_free)
             : MHD_create_response_from_buffer(sizeof no_memory - 1, (void *)no_memory,
                                               MHD_RESPMEM_PERSISTENT);

    if (!good || response == NULL)
        rn_free(text->text);
    return send_response(connection, good ? status : HTTP_FAILURE, response,
                         good ? type : json_type);
}

static enum MHD_Result send_error(struct MHD_Connection *connection, int status)
{
    draw_text text = {0};

    rn_site_error(&text, rn_error_message());
    return send_text(connection, status, &text, json_type);
}

static enum MHD_Result send_file(struct MHD_Connection *connection, int status,
                                 const rn_page_file *file)
{
    return send_response(
        connection, status,
        MHD_create_response_from_buffer(file->size, (void *)file->bytes, MHD_RESPMEM_PERSISTENT),
        file->type);
}

// Who had a wrong one is told so: by a sentence of the page that is hidden from others.
static enum MHD_Result ask_for_token(struct MHD_Connection *connection, int status, bool mistaken)
{
    static const char mark[] = " hidden";
    const char *page = (const char *)rn_token_page.bytes, *end = page + rn_token_page.size;
    const char *at = memmem(page, rn_token_page.size, mark, sizeof mark - 1);
    draw_text text = {0};

    if (!mistaken || at == NULL)
        return send_file(connection, status, &rn_token_page);
    draw_text_print(&text, "%.*s", (int)(at - page), page);
    at += sizeof mark - 1;
    draw_text_print(&text, "%.*s", (int)(end - at), at);
    return send_text(connection, status, &text, rn_token_page.type);
}

typedef struct parameter_list {
    rn_parameters parameters;
    bool good;
} parameter_list;

static enum MHD_Result take_parameter(void *context, enum MHD_ValueKind kind, const char *key,
                                      size_t key_size, const char *value, size_t value_size)
{
    parameter_list *list = context;

    (void)kind;
    if (strlen(key) != key_size || (value != NULL && strlen(value) != value_size)) {
        rn_error(RN_EINVAL, "parameter with a NUL");
        list->good = false;
    } else {
        list->good = rn_parameters_add(&list->parameters, key, value);
    }
    return list->good ? MHD_YES : MHD_NO;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

// Status, and what is to be answered.
static int read_request(rn_query *query, const rn_dashboard *dashboard,
                        struct MHD_Connection *connection, rn_request request)
{
    const rn_listener *listener = &dashboard->listener;
    const rn_access access = {
        .token = dashboard->token, .address = listener->address, .loopback = listener->loopback};
    const char *length = header_of(connection, "Content-Length");
    parameter_list list = {.good = true};

    request.host = header_of(connection, "Host");
    request.authorization = header_of(connection, "Authorization");
    request.body = (length != NULL && strcmp(length, "0") != 0) ||
                   header_of(connection, "Transfer-Encoding") != NULL;
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_parameter, &list);
    request.parameters = list.parameters;
    return list.good ? rn_request_check(query, &request, &access) : HTTP_BAD_REQUEST;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, rn_site *site,
                                   const rn_query *query)
{
    const rn_page_file *file = rn_page_file_of(query->route);
    draw_text text = {0};
    int status;

    if (file != NULL)
        return send_file(connection, HTTP_OK, file);
    status = rn_site_answer(&text, site, query);
    if (status == HTTP_OK)
        return send_text(connection, status, &text, json_type);
    rn_free(text.text);
    return send_error(connection, status);
}

// Called when the headers are there, when a part of the body is, and at the end. An answer to the
// first call closes the connection: right for a request that is refused, body and all.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_size, void **state)
{
    static const char seen = 0;
    rn_dashboard *dashboard = context;
    rn_query query = {0};
    int status =
        read_request(&query, dashboard, connection, (rn_request){.method = method, .path = path});

    (void)version;
    (void)data;
    if (*data_size > 0)
        return MHD_NO;
    if (query.locked && query.route == RN_ROUTE_PAGE)
        return ask_for_token(connection, status, query.mistaken);
    if (status != HTTP_OK)
        return send_error(connection, status);
    if (*state == NULL) {
        *state = (void *)&seen;
        return MHD_YES;
    }
    return send_answer(connection, &dashboard->site, &query);
}

// On the server's thread, before a connection is served: Linux gives each thread a niceness.
static void lower_priority(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_ConnectionNotificationCode code)
{
    const rn_dashboard *dashboard = context;

    (void)connection;
    (void)state;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        setpriority(PRIO_PROCESS, (id_t)gettid(), dashboard->niceness);
}

// Opening and closing

static rn_status check_token(const char *token)
{
    size_t length = strlen(token);

    if (length < LEAST_TOKEN || length > MOST_TOKEN)
        return rn_error(RN_EINVAL, "token of %zu characters, expected %d to %d", length,
                        LEAST_TOKEN, MOST_TOKEN);
    for (size_t i = 0; i < length; i++)
        if (!rn_is_unreserved(token[i])) // it stands in an address
            return rn_error(RN_EINVAL, "token, expected letters, digits and '-._~' alone");
    return RN_OK;
}

static rn_status check_access(const rn_listener *listener, const char *token)
{
    if (token != NULL)
        return check_token(token);
    if (listener->loopback)
        return RN_OK;
    return rn_error(RN_EINVAL,
                    "address %s can be reached from other machines, expected a token with it "
                    "(--dashboard-token)",
                    listener->address);
}

rn_status rn_dashboard_create(rn_dashboard **out, const rn_dashboard_options *options)
{
    rn_status st;
    const rn_dashboard_options given = options == NULL ? (rn_dashboard_options){0} : *options;
    rn_dashboard *dashboard = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&dashboard, 1));
    dashboard->site.runs.descriptor = -1;
    RN_TRY(rn_listener_address(&dashboard->listener, given.bind));
    RN_TRY(check_access(&dashboard->listener, given.token));
    if (given.token != NULL)
        RN_TRY(rn_strdup(&dashboard->token, given.token));
    RN_TRY(rn_listener_open(&dashboard->listener, given.port));
    RN_TRY(rn_format(&dashboard->url,
                     dashboard->listener.ipv6 ? "http://[%s]:%d/" : "http://%s:%d/",
                     dashboard->listener.address, dashboard->listener.port));
    *out = dashboard;
    dashboard = NULL; // now the caller's
out:
    rn_dashboard_free(dashboard);
    return st;
}

static rn_status start_daemon(rn_dashboard *dashboard)
{
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO |
                           (dashboard->listener.ipv6 ? MHD_USE_IPv6 : 0);

    dashboard->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, dashboard, MHD_OPTION_LISTEN_SOCKET,
        (MHD_socket)dashboard->listener.socket, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, lower_priority, dashboard, MHD_OPTION_END);
    return dashboard->daemon != NULL
               ? RN_OK
               : rn_error(RN_ENETWORK, "the dashboard's server does not start");
}

rn_status rn_dashboard_start(rn_dashboard *dashboard, const char *folder, bool alone)
{
    rn_status st = RN_OK;

    if (dashboard->started)
        return rn_error(RN_EINVAL, "the dashboard at %s has been started", dashboard->url);
    RN_TRY(rn_site_open(&dashboard->site, folder, alone));
    dashboard->niceness = getpriority(PRIO_PROCESS, 0) + NICENESS;
    RN_TRY(start_daemon(dashboard));
    dashboard->started = true;
out:
    if (st != RN_OK)
        rn_site_release(&dashboard->site);
    return st;
}

const char *rn_dashboard_url(const rn_dashboard *dashboard)
{
    return dashboard->url;
}

bool rn_dashboard_moved(const rn_dashboard *dashboard)
{
    return dashboard->listener.moved;
}

void rn_dashboard_finish(rn_dashboard *dashboard, const volatile sig_atomic_t *stop)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
    const double start = rn_clock();

    if (!dashboard->started)
        return;
    rn_audience_end(&dashboard->site.audience);
    while ((stop == NULL || *stop == 0) && rn_clock() - start < RN_DASHBOARD_FINISH &&
           rn_audience_waits(&dashboard->site.audience))
        nanosleep(&pause, NULL);
}

void rn_dashboard_free(rn_dashboard *dashboard)
{
    if (dashboard == NULL)
        return;
    atomic_store(&dashboard->site.stop, true);
    if (dashboard->daemon != NULL)
        MHD_stop_daemon(dashboard->daemon); // which closes the socket
    else
        rn_listener_close(&dashboard->listener);
    rn_site_release(&dashboard->site);
    rn_free(dashboard->url);
    rn_free(dashboard->token);
    rn_free(dashboard);
}
