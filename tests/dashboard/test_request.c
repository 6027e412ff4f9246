#include "dashboard/request.h"

#include "dashboard/audience.h"
#include "dashboard/run_folders.h"

static const rn_access here = {.address = "127.0.0.1", .loopback = true};
static const rn_access guarded = {
    .address = "127.0.0.1", .loopback = true, .token = "correct-horse"};
static const rn_access open_to_all = {.address = "0.0.0.0", .token = "correct-horse"};

static rn_request get(const char *path)
{
    return (rn_request){.method = "GET", .path = path, .host = "127.0.0.1:8015"};
}

static int status_of(rn_request request, const rn_access *access)
{
    rn_query query;

    return rn_request_check(&query, &request, access);
}

static void pages_and_answers_have_their_paths(void **state)
{
    (void)state;
    static const char *const paths[] = {"/",         "/page.js",  "/run.js",  "/chart.js",
                                        "/page.css", "/api/runs", "/api/run", "/api/samples"};
    static const char *const others[] = {"",         "//",          "/page.js/",  "/api",
                                         "/API/run", "/../api/run", "/index.html"};
    rn_query query;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        rn_request request = get(paths[i]);
        request.parameters.name = "a";
        assert_int_equal(rn_request_check(&query, &request, &here), HTTP_OK);
        assert_int_equal(query.route, i);
        request.method = "HEAD";
        assert_int_equal(rn_request_check(&query, &request, &here), HTTP_OK);
        request.method = "POST";
        assert_int_equal(rn_request_check(&query, &request, &here), HTTP_NOT_ALLOWED);
        request.method = "get";
        assert_int_equal(rn_request_check(&query, &request, &here), HTTP_NOT_ALLOWED);
        request.method = "GET";
        request.body = true;
        assert_int_equal(rn_request_check(&query, &request, &here), HTTP_BAD_REQUEST);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(status_of(get(others[i]), &here), HTTP_NOT_FOUND);
}

// DNS rebinding: a page elsewhere must not reach us under a name of its own. The port is that of
// the browser's end of a tunnel.
static void only_names_of_this_machine_are_hosts(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost:8015", "LocalHost:8015", "127.0.0.1:8015",
                                       "[::1]:8015",     "localhost",      "localhost:9000"};
    static const char *const bad[] = {NULL,
                                      "",
                                      "localhost:",
                                      "localhost:801500",
                                      "localhost:x",
                                      "localhost:8015.evil.example",
                                      "evil.example:8015",
                                      "localhost.evil.example:8015",
                                      "127.0.0.1.evil.example:8015",
                                      "xlocalhost:8015",
                                      "user@localhost:8015"};
    rn_access other = here;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        rn_request request = get("/");
        request.host = good[i];
        assert_int_equal(status_of(request, &here), HTTP_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rn_request request = get("/");
        request.host = bad[i];
        assert_int_equal(status_of(request, &here), HTTP_FORBIDDEN);
        request.path = "/page.js"; // whatever is asked for
        assert_int_equal(status_of(request, &guarded), HTTP_FORBIDDEN);
    }
    other.address = "127.0.0.9";
    rn_request request = get("/");
    request.host = "127.0.0.9:8015";
    assert_int_equal(status_of(request, &here), HTTP_FORBIDDEN);
    assert_int_equal(status_of(request, &other), HTTP_OK);
}

static void token_opens_all_but_the_files_of_the_page(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "c",
                                        "correct-hors",
                                        "correct-horse ",
                                        "correct-horsf",
                                        "Correct-horse",
                                        "correct-horsecorrect-horse"};
    rn_request request = get("/api/runs");

    assert_int_equal(status_of(request, &guarded), HTTP_FORBIDDEN);
    assert_int_equal(status_of(get("/"), &guarded), HTTP_FORBIDDEN);
    assert_int_equal(status_of(get("/page.css"), &guarded), HTTP_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        request.parameters.token = wrong[i];
        assert_int_equal(status_of(request, &guarded), HTTP_FORBIDDEN);
        assert_null(strstr(rn_error_message(), "correct-horse"));
    }
    request.parameters.token = "correct-horse";
    assert_int_equal(status_of(request, &guarded), HTTP_OK);
    request.parameters.token = NULL;
    request.authorization = "Bearer correct-horse";
    assert_int_equal(status_of(request, &guarded), HTTP_OK);
    request.host = "gpu7.example"; // where other machines are let in, the token is what counts
    assert_int_equal(status_of(request, &open_to_all), HTTP_OK);
    request.authorization = "Basic correct-horse";
    assert_int_equal(status_of(request, &open_to_all), HTTP_FORBIDDEN);
}

static void names_are_one_component(void **state)
{
    (void)state;
    char longest[300] = "";
    const char *bad[] = {"", ".", "..", "/", "a/b", "../a", "a/", "/etc", longest};
    static const char *const good[] = {"a", "...", "..a", ".hidden", "a b", "<b>", "\xff"};
    rn_request request = get("/api/run");

    assert_int_equal(status_of(request, &here), HTTP_BAD_REQUEST);
    memset(longest, 'x', 256);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        request.parameters.name = bad[i];
        assert_int_equal(status_of(request, &here), HTTP_BAD_REQUEST);
    }
    longest[255] = '\0';
    assert_int_equal(status_of(request, &here), HTTP_OK);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        request.parameters.name = good[i];
        assert_int_equal(status_of(request, &here), HTTP_OK);
    }
}

static void parameters_are_checked(void **state)
{
    (void)state;
    static const char *const bad_counts[] = {
        "", "0", "-1", "1001", "x", "1x", "99999999999999999999"};
    static const char *const bad_firsts[] = {"", "-1", "2147483648", "0x10", "1.5"};
    char since[200], page[PAGE_NAME + 2] = "";
    rn_query query;
    rn_request request = get("/api/runs");
    rn_parameters *p = &request.parameters;

    assert_true(rn_parameters_add(p, "first", "7") && rn_parameters_add(p, "count", "1000") &&
                rn_parameters_add(p, "since", "v") && rn_parameters_add(p, "quantity", "loss"));
    assert_int_equal(rn_request_check(&query, &request, &here), HTTP_OK);
    assert_true(query.first == 7 && query.count == 1000 && query.quantity == RN_QUANTITY_LOSS);
    assert_string_equal(query.since, "v");
    assert_false(rn_parameters_add(p, "first", "8")); // twice
    assert_false(rn_parameters_add(p, "firsts", "8"));
    assert_false(rn_parameters_add(p, "name", NULL));
    for (size_t i = 0; i < sizeof bad_counts / sizeof *bad_counts; i++) {
        p->count = bad_counts[i];
        assert_int_equal(status_of(request, &here), HTTP_BAD_REQUEST);
    }
    p->count = NULL;
    for (size_t i = 0; i < sizeof bad_firsts / sizeof *bad_firsts; i++) {
        p->first = bad_firsts[i];
        assert_int_equal(status_of(request, &here), HTTP_BAD_REQUEST);
    }
    p->first = NULL;
    p->quantity = "losses";
    assert_int_equal(status_of(request, &here), HTTP_BAD_REQUEST);
    for (int i = 0; rn_quantity_name(i) != NULL; i++) {
        p->quantity = rn_quantity_name(i);
        assert_int_equal(status_of(request, &here), HTTP_OK);
    }
    memset(page, 'p', PAGE_NAME);
    p->page = page;
    assert_int_equal(status_of(request, &here), HTTP_OK);
    page[PAGE_NAME] = 'p';
    assert_int_equal(status_of(request, &here), HTTP_BAD_REQUEST);
    p->page = NULL;
    memset(since, 'v', sizeof since);
    since[199] = '\0';
    p->since = since;
    assert_int_equal(status_of(request, &here), HTTP_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_and_answers_have_their_paths),
        cmocka_unit_test(only_names_of_this_machine_are_hosts),
        cmocka_unit_test(token_opens_all_but_the_files_of_the_page),
        cmocka_unit_test(names_are_one_component),
        cmocka_unit_test(parameters_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
