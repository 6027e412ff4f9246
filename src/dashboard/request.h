/** What a browser asks for: checked before anything is done about it. */
#ifndef DASHBOARD_REQUEST_H
#define DASHBOARD_REQUEST_H

#include "resnet/base.h"

typedef enum rn_route {
    RN_ROUTE_PAGE,       // GET /
    RN_ROUTE_SCRIPT,     // GET /page.js
    RN_ROUTE_RUN_SCRIPT, // GET /run.js
    RN_ROUTE_CHART,      // GET /chart.js
    RN_ROUTE_STYLE,      // GET /page.css
    RN_ROUTE_RUNS,       // GET /api/runs
    RN_ROUTE_RUN,        // GET /api/run
    RN_ROUTE_SAMPLES     // GET /api/samples
} rn_route;

/** What is drawn over the steps. */
typedef enum rn_quantity {
    RN_QUANTITY_ERROR,
    RN_QUANTITY_LOSS,
    RN_QUANTITY_LR,
    RN_QUANTITY_SPEED,
    RN_QUANTITY_WAIT,
    RN_QUANTITY_MEMORY
} rn_quantity;

/** "error", "loss", "lr", "images_per_second", "data_wait", "memory"; NULL if out of range. */
const char *rn_quantity_name(int quantity);

/** Parameters after the path's question mark; NULL: not given. Borrowed. */
typedef struct rn_parameters {
    const char *token, *name, *since, *quantity, *first, *count, *page;
} rn_parameters;

/** A request as it came; NULL: not given. Borrowed. */
typedef struct rn_request {
    const char *method, *path, *host, *authorization;
    bool body;
    rn_parameters parameters;
} rn_request;

/** Who may ask. */
typedef struct rn_access {
    const char *token;   // NULL: anyone who reaches the port
    const char *address; // that is listened on, numeric
    bool loopback;       // then only names of this machine may stand in "Host"
} rn_access;

/** A request that may be answered. Texts are the request's. */
typedef struct rn_query {
    rn_route route;
    bool locked;       // nothing but the token is missing, or wrong
    bool mistaken;     // then: one was given
    const char *name;  // of a run: one component of a path
    const char *since; // version that the page has; NULL: none
    const char *page;  // that asks, by a name of its own; NULL: not said
    rn_quantity quantity;
    int first, count; // of the list
} rn_query;

enum {
    HTTP_OK = 200,
    HTTP_BAD_REQUEST = 400,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_NOT_ALLOWED = 405,
    HTTP_FAILURE = 500,
    LIST_PAGE = 1000, // runs that one answer lists at most
};

/** Whether a character means itself wherever it stands in an address (RFC 3986, 2.3). */
bool rn_is_unreserved(char c);

/** Take in one parameter. False if there is no such, or if it came before: rn_error_message(). */
bool rn_parameters_add(rn_parameters *parameters, const char *key, const char *value);

/**
 * Whether, and as what, a request is to be answered.
 *
 * A page elsewhere may make a browser send requests here under a name that its owner lets point at
 * this machine (DNS rebinding): on a loopback address any other "Host" is refused. Tokens are
 * compared in a time that does not tell how much of one is right.
 *
 * @return HTTP_OK, or another status and rn_error_message().
 */
int rn_request_check(rn_query *out, const rn_request *request, const rn_access *access);

#endif
