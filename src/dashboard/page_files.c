#include "dashboard/site.h"

// Made by cmake/embed.cmake from the files beside this one.
#include "chart_js.h"
#include "page_css.h"
#include "page_html.h"
#include "page_js.h"
#include "run_js.h"
#include "token_html.h"

const rn_page_file rn_token_page = {"text/html; charset=utf-8", token_html, sizeof token_html};

const rn_page_file *rn_page_file_of(rn_route route)
{
    static const rn_page_file files[] = {
        [RN_ROUTE_PAGE] = {"text/html; charset=utf-8", page_html, sizeof page_html},
        [RN_ROUTE_SCRIPT] = {"text/javascript; charset=utf-8", page_js, sizeof page_js},
        [RN_ROUTE_RUN_SCRIPT] = {"text/javascript; charset=utf-8", run_js, sizeof run_js},
        [RN_ROUTE_CHART] = {"text/javascript; charset=utf-8", chart_js, sizeof chart_js},
        [RN_ROUTE_STYLE] = {"text/css; charset=utf-8", page_css, sizeof page_css},
    };

    return (size_t)route < sizeof files / sizeof *files ? &files[route] : NULL;
}
