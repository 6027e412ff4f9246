/** A page in the browser that shows runs, while they are trained and after. */
#ifndef RESNET_DASHBOARD_H
#define RESNET_DASHBOARD_H

#include "resnet/report.h"

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RN_DASHBOARD_PORT = 8015, RN_DASHBOARD_PORTS = 64, RN_DASHBOARD_FINISH = 5 };

/**
 * A small HTTP server. It reads run folders (report.h) when a page asks, in a thread of its own
 * with a low priority; it writes nothing, and shares nothing with a training but the files.
 */
typedef struct rn_dashboard rn_dashboard;

typedef struct rn_dashboard_options {
    const char *bind; // numeric address or "localhost"; NULL: 127.0.0.1
    int port;         // 1 .. 65535; 0: RN_DASHBOARD_PORT, or the next of RN_DASHBOARD_PORTS that is
                      // free
    const char *token; // what a page must know, 8 .. 256 of A-Z a-z 0-9 - . _ ~; NULL: nothing. An
                       // address that other machines can reach needs one
} rn_dashboard_options;

/**
 * Take the port. Nothing is served until rn_dashboard_start().
 *
 * @param[out] out  The caller's (rn_dashboard_free()); NULL on failure.
 * @param options   NULL: all zero.
 * @return RN_OK; RN_EINVAL (no such address, port out of range, token missing or malformed);
 *         RN_ENETWORK (port in use, or the system's reason); RN_ENOMEM.
 */
RN_API rn_status rn_dashboard_create(rn_dashboard **out, const rn_dashboard_options *options);

/**
 * Serve the runs in a folder, or one run.
 *
 * Run folders are the sub-folders with a log.jsonl; neither these nor the files in them may be
 * symbolic links.
 *
 * @param folder  With `alone` a run folder is shown alone; else beside those that lie next to it.
 * @return RN_OK; RN_ENOTFOUND or RN_EIO (names the folder); RN_EINVAL (started already);
 *         RN_ENETWORK; RN_ENOMEM.
 */
RN_API rn_status rn_dashboard_start(rn_dashboard *dashboard, const char *folder, bool alone);

/** "http://127.0.0.1:8015/", without the token; borrowed until the dashboard is freed. */
RN_API const char *rn_dashboard_url(const rn_dashboard *dashboard);

/** Whether the usual port was in use, so that another was taken. */
RN_API bool rn_dashboard_moved(const rn_dashboard *dashboard);

/**
 * Nothing new will be written: go on serving until each page that asked in the last seconds has
 * fetched what there is, RN_DASHBOARD_FINISH seconds at most. Returns at once where no page is
 * open, or the dashboard has not been started.
 *
 * @param stop  Ends the wait when it is not 0; NULL: nothing does.
 */
RN_API void rn_dashboard_finish(rn_dashboard *dashboard, const volatile sig_atomic_t *stop);

/** Stop serving and free. NULL is legal. */
RN_API void rn_dashboard_free(rn_dashboard *dashboard);

#ifdef __cplusplus
}
#endif
#endif
