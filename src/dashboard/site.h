/** What a dashboard has to say. */
#ifndef DASHBOARD_SITE_H
#define DASHBOARD_SITE_H

#include "dashboard/audience.h"
#include "dashboard/history_cache.h"
#include "dashboard/request.h"
#include "dashboard/run_table.h"
#include "report/draw_text.h"

typedef struct rn_site {
    rn_run_table runs;
    rn_history_cache cache;
    history_guard guard;
    atomic_bool stop; // what is being read
    rn_audience audience;
    char *focus; // run that a page shows first; NULL: none
} rn_site;

/** Open a folder of runs, or of one: as rn_dashboard_start(). */
rn_status rn_site_open(rn_site *site, const char *folder, bool alone);
void rn_site_release(rn_site *site);

/**
 * Answer a request for one of the routes under /api.
 *
 * @param out  JSON of one line, from zeroes.
 * @return HTTP_OK, or another status and rn_error_message(); then *out is of no use.
 */
int rn_site_answer(draw_text *out, rn_site *site, const rn_query *query);

/** {"error":"..."} */
void rn_site_error(draw_text *out, const char *message);

/** A file of the page, built in. */
typedef struct rn_page_file {
    const char *type;
    const unsigned char *bytes;
    size_t size;
} rn_page_file;

/** Asks for the token; holds a sentence for those who had a wrong one, "hidden". */
extern const rn_page_file rn_token_page;

/** NULL: the route has none. */
const rn_page_file *rn_page_file_of(rn_route route);

#endif
