// The server as a browser sees it, and as those see it who are none: over sockets, byte for byte.
#include "dashboard/server_client.h"
#include "dashboard/site.h"

#include <signal.h>

static int setup(void **state)
{
    if (runs_make(state) != 0)
        return 1;
    runs_write("one", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION RUNS_END);
    runs_write("<b>&\"'", "log.jsonl", RUNS_START RUNS_STEP);
    runs_write("one", "samples.json", "{\"samples\":[{\"label\":\"cat\"}]}");
    runs_write("<b>&\"'", "samples.json", "{\"samples\":[");
    port = start_server(NULL);
    return 0;
}

static int teardown(void **state)
{
    rn_dashboard_free(dashboard);
    dashboard = NULL;
    return runs_remove(state);
}

static void page_is_served_and_locked_in(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/page.js", "/run.js", "/chart.js", "/page.css"};
    size_t size = 0;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(ask("GET", paths[i], ""), 200);
        size += strlen(body());
        assert_header("Content-Security-Policy: default-src 'none';");
        assert_header("X-Content-Type-Options: nosniff");
        assert_header("Cache-Control: no-store");
        assert_null(strcasestr(answer, "Access-Control-"));
        assert_null(strstr(body(), "http://")); // nothing from elsewhere
        assert_null(strstr(body(), "innerHTML"));
    }
    assert_true(size > 10000 && size < 1000000);
    assert_int_equal(ask("HEAD", "/", ""), 200);
    assert_string_equal(body(), "");
    assert_header("Content-Length: ");
}

static void runs_and_their_curves_are_answered(void **state)
{
    (void)state;
    char path[256];
    cJSON *json = ask_json("/api/runs");
    const cJSON *runs = cJSON_GetObjectItem(json, "runs");

    assert_int_equal(cJSON_GetArraySize(runs), 2);
    assert_null(strchr(body(), '<')); // a name with markup is spelled out
    assert_string_equal(text_of(cJSON_GetArrayItem(runs, 0), "name"), "<b>&\"'");
    const cJSON *one = cJSON_GetArrayItem(runs, 1);
    assert_string_equal(text_of(one, "state"), "done");
    assert_string_equal(text_of(one, "model"), "resnet-20");
    assert_true(cJSON_GetObjectItem(one, "memory_peak")->valuedouble == 2000);
    assert_true(cJSON_GetObjectItem(one, "test_error")->valuedouble == 50);
    assert_true(cJSON_GetObjectItem(one, "epoch")->valuedouble == 1);
    assert_true(cJSON_GetObjectItem(one, "eta")->valuedouble == 0);
    snprintf(path, sizeof path, "/api/runs?since=%s", text_of(json, "version"));
    cJSON_Delete(json);
    json = ask_json(path);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "unchanged")));
    cJSON_Delete(json);
    json = ask_json("/api/runs?first=1&count=1");
    assert_string_equal(text_of(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "runs"), 0), "name"),
                        "one");
    assert_int_equal(cJSON_GetObjectItem(json, "total")->valueint, 2);
    cJSON_Delete(json);

    json = ask_json("/api/run?name=%3Cb%3E%26%22%27&quantity=loss");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "series")), 1);
    assert_null(cJSON_GetObjectItem(json, "best"));
    snprintf(path, sizeof path, "/api/run?name=%%3Cb%%3E%%26%%22%%27&since=%s",
             text_of(json, "version"));
    cJSON_Delete(json);
    json = ask_json(path);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "unchanged")));
    cJSON_Delete(json);
    json = ask_json("/api/run?name=one&quantity=memory"); // whatever is drawn
    assert_true(cJSON_GetObjectItem(json, "best")->valuedouble == 50);
    assert_true(cJSON_GetObjectItem(json, "seconds")->valuedouble == 6);
    assert_true(cJSON_GetObjectItem(json, "modified")->valuedouble > 1.7e9);
    cJSON_Delete(json);
    cJSON_Delete(ask_json("/api/samples?name=one"));
    assert_non_null(strstr(body(), "cat"));
    assert_error(ask("GET", "/api/samples?name=%3Cb%3E%26%22%27", ""), 500, "samples.json");
}

static void what_does_not_exist_is_not_found(void **state)
{
    (void)state;
    assert_error(ask("GET", "/api/run?name=two", ""), 404, "no run 'two'");
    assert_error(ask("GET", "/api/samples?name=two", ""), 404, "no run 'two'");
    assert_error(ask("GET", "/favicon.ico", ""), 404, "no page");
    assert_error(ask("GET", "/../../etc/passwd", ""), 404, "no page");
    assert_error(ask("GET", "/one/log.jsonl", ""), 404, "no page");
    assert_error(ask("GET", "/api/run?name=..", ""), 400, "expected that of a run");
    assert_error(ask("GET", "/api/run?name=..%2f..%2fetc", ""), 400, "expected that of a run");
    assert_error(ask("GET", "/api/run?name=%2e%2e", ""), 400, "expected that of a run");
    assert_error(ask("GET", "/api/run?name=one%00", ""), 400, "NUL");
    assert_error(ask("GET", "/api/run", ""), 400, "expected that of a run");
    assert_error(ask("GET", "/api/run?name", ""), 400, "with a value");
    assert_error(ask("GET", "/api/run?name=one&name=two", ""), 400, "once");
    assert_error(ask("GET", "/api/run?name=one&x=1", ""), 400, "no parameter 'x'");
}

static void methods_hosts_and_bodies_are_checked(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST",  "PUT",     "DELETE", "OPTIONS",
                                          "TRACE", "CONNECT", "X"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        assert_error(ask(methods[i], "/api/runs", ""), 405, "expected GET or HEAD");
        assert_header("Allow: GET, HEAD");
    }
    assert_error(ask("POST", "/", "Content-Length: 1000000000\r\n"), 405, "expected GET");
    assert_error(ask("GET", "/", "Content-Length: 5\r\n"), 400, "body");
    assert_error(ask("GET", "/", "Transfer-Encoding: chunked\r\n"), 400, "body");
    assert_error(exchange("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 403,
                 "name of this machine");
    assert_error(exchange("GET / HTTP/1.0\r\n\r\n"), 403, "name of this machine");
}

// Whatever comes, the next request is answered.
static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "",
        "\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", // no host
        "GET / HTTP/1.1\r\nHost\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
        "GET http://127.0.0.1/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /?%%%&&&=== HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\x16\x03\x01\x02\x01\x01\xfc\x03\x03",
    };
    char *longest = malloc(200000);

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        int status = exchange_bytes(requests[i], strlen(requests[i]), HASTY);
        if (status != 0 && (status < 400 || status > 599))
            fail_msg("%s: %d", requests[i], status);
    }
    assert_int_equal(exchange_bytes("\0\0\0\0\r\n\r\n", 8, HASTY) / 100 % 4,
                     0); // 4xx, or no answer
    memset(longest, 'a', 199999);
    longest[199999] = '\0';
    memcpy(longest, "GET /", 5);
    assert_true(exchange_bytes(longest, 199999, HASTY) != 200);
    memcpy(longest, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 29);
    assert_true(exchange_bytes(longest, 199999, HASTY) != 200);
    assert_int_equal(ask("GET", "/", ""), 200);
    free(longest);
}

// Random changes of a good request.
static void fuzzed_requests_do_no_harm(void **state)
{
    (void)state;
    char good[256], request[256];
    uint32_t draw = 1;
    int size = snprintf(good, sizeof good,
                        "GET /api/run?name=one&quantity=loss&since=x HTTP/1.1\r\n"
                        "Host: 127.0.0.1:%d\r\nConnection: close\r\n\r\n",
                        port);

    assert_int_equal(exchange(good), 200);
    for (int i = 0; i < 120; i++) {
        memcpy(request, good, (size_t)size);
        for (int k = 0; k <= i % 3; k++) {
            draw = draw * 1664525 + 1013904223; // Knuth & Lewis
            request[draw >> 8 & 127] = (char)(draw >> 24);
        }
        exchange_bytes(request, (size_t)size, HASTY);
    }
    assert_int_equal(exchange(good), 200);
}

// Who connects and says nothing takes no one else's place.
static void silent_connections_do_not_block(void **state)
{
    (void)state;
    int silent[20];

    for (size_t i = 0; i < 20; i++) {
        silent[i] = connect_to_server(HASTY);
        send(silent[i], "GET / HT", 8, MSG_NOSIGNAL);
    }
    assert_int_equal(ask("GET", "/api/runs", ""), 200);
    for (size_t i = 0; i < 20; i++)
        close(silent[i]);
}

// A connection serves more than one request.
static void connections_are_kept(void **state)
{
    (void)state;
    char requests[512];

    snprintf(requests, sizeof requests,
             "GET /page.css HTTP/1.1\r\nHost: localhost:%d\r\n\r\n"
             "GET /api/runs HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n",
             port, port);
    assert_int_equal(exchange(requests), 200);
    assert_non_null(strstr(answer, "\"runs\":["));
}

static void port_in_use_is_said(void **state)
{
    (void)state;
    rn_dashboard *other = NULL;
    char text[64];

    assert_int_equal(rn_dashboard_create(&other, &(rn_dashboard_options){.port = port}),
                     RN_ENETWORK);
    assert_null(other);
    snprintf(text, sizeof text, "port %d of 127.0.0.1 is in use", port);
    assert_string_equal(rn_error_message(), text);
}

// The usual port is in use: by a dashboard of this test, or by one that is none of its business,
// which may also end at any time.
static void another_port_is_said(void **state)
{
    (void)state;
    rn_dashboard *usual = NULL, *other = NULL;
    char expected[64];
    bool held = port == RN_DASHBOARD_PORT;

    if (!held)
        held = rn_dashboard_create(&usual, &(rn_dashboard_options){.port = RN_DASHBOARD_PORT}) ==
               RN_OK;
    snprintf(expected, sizeof expected, "http://127.0.0.1:%d/", RN_DASHBOARD_PORT);
    ok(rn_dashboard_create(&other, NULL));
    assert_int_equal(rn_dashboard_moved(other), strcmp(rn_dashboard_url(other), expected) != 0);
    if (held)
        assert_true(rn_dashboard_moved(other));
    rn_dashboard_free(other);
    rn_dashboard_free(usual);
}

static void assert_refused(const rn_dashboard_options *options, const char *text)
{
    rn_dashboard *other = NULL;

    assert_int_equal(rn_dashboard_create(&other, options), RN_EINVAL);
    assert_null(other);
    if (strstr(rn_error_message(), text) == NULL)
        fail_msg("'%s' is not said: %s", text, rn_error_message());
}

static void other_machines_need_a_token(void **state)
{
    (void)state;
    rn_dashboard *other = NULL;

    assert_refused(&(rn_dashboard_options){.bind = "0.0.0.0"}, "--dashboard-token");
    assert_refused(&(rn_dashboard_options){.bind = "::"}, "--dashboard-token");
    assert_refused(&(rn_dashboard_options){.bind = "192.168.1.1"}, "--dashboard-token");
    assert_refused(&(rn_dashboard_options){.bind = "example.org"}, "numeric");
    assert_refused(&(rn_dashboard_options){.bind = ""}, "numeric");
    assert_refused(&(rn_dashboard_options){.token = "short"}, "8 to 256");
    assert_refused(&(rn_dashboard_options){.token = "with a blank"}, "letters, digits");
    assert_refused(&(rn_dashboard_options){.token = "with+and&#%"}, "letters, digits");
    assert_refused(&(rn_dashboard_options){.port = 65536}, "1 to 65535");
    assert_refused(&(rn_dashboard_options){.port = -1}, "1 to 65535");
    ok(rn_dashboard_create(&other,
                           &(rn_dashboard_options){.bind = "0.0.0.0", .token = "12345678"}));
    assert_int_equal(rn_dashboard_start(other, "/nonexistent", true), RN_ENOTFOUND);
    rn_dashboard_free(other);
    assert_int_equal(rn_dashboard_create(&other, &(rn_dashboard_options){.bind = "203.0.113.1",
                                                                         .token = "12345678"}),
                     RN_ENETWORK); // of no one's documentation (RFC 5737)
    assert_non_null(strstr(rn_error_message(), "none of this machine's"));
}

static void token_is_asked_for(void **state)
{
    (void)state;
    int before = port;
    rn_dashboard *first = dashboard;

    port = start_server(&(rn_dashboard_options){.token = "correct-horse"});
    assert_int_equal(ask("GET", "/", ""), 403); // a person is asked for it
    assert_header("Content-Type: text/html");
    assert_non_null(strstr(body(), "name=\"token\""));
    assert_non_null(strstr(body(), " hidden>This is not the token"));
    assert_int_equal(ask("GET", "/?token=wrong-horse", ""), 403);
    assert_header("Content-Type: text/html");
    assert_non_null(strstr(body(), "name=\"token\""));
    assert_non_null(strstr(body(), "\"alert\">This is not the token"));
    assert_non_null(strstr(body(), "</html>"));
    assert_error(ask("GET", "/api/runs", "Authorization: Bearer wrong-horse\r\n"), 403, "token");
    assert_int_equal(ask("GET", "/?token=correct-horse", ""), 200);
    assert_int_equal(ask("GET", "/api/runs", "Authorization: Bearer correct-horse\r\n"), 200);
    assert_int_equal(ask("GET", "/page.js", ""), 200);
    assert_int_equal(rn_dashboard_start(dashboard, runs_folder, true), RN_EINVAL); // twice
    rn_dashboard_free(dashboard);
    dashboard = first;
    port = before;
}

// A run folder is shown alone, or beside its neighbours; a file is no folder.
static void folders_of_both_kinds_are_taken(void **state)
{
    (void)state;
    rn_site site;
    char path[128];

    snprintf(path, sizeof path, "%s/one/", runs_folder);
    ok(rn_site_open(&site, path, true));
    ok(rn_run_table_update(&site.runs));
    assert_int_equal(site.runs.count, 1);
    assert_string_equal(site.focus, "one");
    rn_site_release(&site);
    ok(rn_site_open(&site, path, false));
    ok(rn_run_table_update(&site.runs));
    assert_int_equal(site.runs.count, 2);
    assert_string_equal(site.focus, "one");
    rn_site_release(&site);
    snprintf(path, sizeof path, "%s/one/log.jsonl", runs_folder);
    assert_int_equal(rn_site_open(&site, path, true), RN_EIO);
    assert_non_null(strstr(rn_error_message(), "expected a folder"));
    ok(rn_site_open(&site, "/", true));
    rn_site_release(&site);
}

static void allocation_failures_are_answered(void **state)
{
    (void)state;
    static const rn_query queries[] = {{.route = RN_ROUTE_RUNS, .count = 10},
                                       {.route = RN_ROUTE_RUN, .name = "one"},
                                       {.route = RN_ROUTE_SAMPLES, .name = "one"}};
    fail_allocation plan = {.hit = true};
    rn_dashboard *other = NULL;

    for (int k = 0; plan.hit; k++) {
        fail_allocation_start(&plan, k);
        rn_status st = rn_dashboard_create(&other, &(rn_dashboard_options){.token = "12345678"});
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true(plan.hit == (other == NULL) && k < 100);
    }
    rn_dashboard_free(other);
    for (size_t q = 0; q < 3; q++) {
        plan.hit = true;
        for (int k = 0; plan.hit; k++) {
            rn_site site;
            draw_text text = {0};
            int status = HTTP_FAILURE;
            fail_allocation_start(&plan, k);
            if (rn_site_open(&site, runs_folder, true) == RN_OK)
                status = rn_site_answer(&text, &site, &queries[q]);
            fail_allocation_stop();
            assert_true(plan.hit || status == HTTP_OK);
            assert_true(status == HTTP_OK || *rn_error_message() != '\0');
            rn_free(text.text);
            rn_site_release(&site);
            assert_true(k < 1000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_is_served_and_locked_in),
        cmocka_unit_test(runs_and_their_curves_are_answered),
        cmocka_unit_test(what_does_not_exist_is_not_found),
        cmocka_unit_test(methods_hosts_and_bodies_are_checked),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(fuzzed_requests_do_no_harm),
        cmocka_unit_test(silent_connections_do_not_block),
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(port_in_use_is_said),
        cmocka_unit_test(another_port_is_said),
        cmocka_unit_test(other_machines_need_a_token),
        cmocka_unit_test(token_is_asked_for),
        cmocka_unit_test(folders_of_both_kinds_are_taken),
        cmocka_unit_test(allocation_failures_are_answered),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, setup, teardown);
}
