// Threads: option, environment, default, and denormals flushed in each.
#include "resnet/resnet.h"

#include <omp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int clear_environment(void **state)
{
    (void)state;
    unsetenv("RESNET_THREADS");
    unsetenv("OMP_NUM_THREADS");
    return 0;
}

static void a_number_is_taken(void **state)
{
    (void)state;
    setenv("RESNET_THREADS", "3", 1); // only looked at for 0
    for (int threads = 1; threads <= 5; threads += 2) {
        int team = 0;
        assert_int_equal(rn_threads_set(threads), RN_OK);
        assert_int_equal(rn_threads(), threads);
#pragma omp parallel
#pragma omp single
        team = omp_get_num_threads();
        assert_int_equal(team, threads);
    }
}

static void numbers_out_of_range_change_nothing(void **state)
{
    (void)state;
    assert_int_equal(rn_threads_set(2), RN_OK);
    assert_int_equal(rn_threads_set(-1), RN_EINVAL);
    assert_string_equal(rn_error_message(), "-1 threads, expected 0 to 1024");
    assert_int_equal(rn_threads_set(1025), RN_EINVAL);
    assert_int_equal(rn_threads(), 2);
}

static void zero_takes_the_environment(void **state)
{
    (void)state;
    setenv("OMP_NUM_THREADS", "3,2", 1); // outer level, inner level
    assert_int_equal(rn_threads_set(0), RN_OK);
    assert_int_equal(rn_threads(), 3);
    setenv("RESNET_THREADS", "2", 1); // goes first
    assert_int_equal(rn_threads_set(0), RN_OK);
    assert_int_equal(rn_threads(), 2);
    setenv("RESNET_THREADS", "", 1); // as if not set
    assert_int_equal(rn_threads_set(0), RN_OK);
    assert_int_equal(rn_threads(), 3);
}

static void nonsense_in_the_environment_is_named(void **state)
{
    static const char *const bad[] = {"0", "-2", "four", "1025", "2 3", "99999999999999999999",
                                      ","};

    (void)state;
    assert_int_equal(rn_threads_set(2), RN_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("RESNET_THREADS", bad[i], 1);
        assert_int_equal(rn_threads_set(0), RN_EINVAL);
        assert_non_null(strstr(rn_error_message(), "RESNET_THREADS"));
        assert_non_null(strstr(rn_error_message(), bad[i]));
        assert_int_equal(rn_threads(), 2);
    }
}

static void the_default_is_the_usable_cpus(void **state)
{
    cpu_set_t all, one;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_int_equal(rn_threads_set(0), RN_OK);
    assert_int_equal(rn_threads(), CPU_COUNT(&all));
    assert_int_equal(rn_processors(), CPU_COUNT(&all));
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(rn_threads_set(0), RN_OK);
    assert_int_equal(rn_threads(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

static void denormals_are_flushed_in_every_thread(void **state)
{
    int kept = 0;

    (void)state;
    assert_int_equal(rn_threads_set(4), RN_OK);
#pragma omp parallel reduction(+ : kept)
    {
        volatile float small = 0x1p-120f, denormal = small * 0x1p-20f;
        kept += denormal != 0.0f;
    }
    assert_int_equal(kept, 0);
}

static void the_clock_runs_forward(void **state)
{
    double last = rn_clock();

    (void)state;
    for (int i = 0; i < 1000; i++) {
        double now = rn_clock();
        assert_true(now >= last);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_number_is_taken, clear_environment),
        cmocka_unit_test_setup(numbers_out_of_range_change_nothing, clear_environment),
        cmocka_unit_test_setup(zero_takes_the_environment, clear_environment),
        cmocka_unit_test_setup(nonsense_in_the_environment_is_named, clear_environment),
        cmocka_unit_test_setup(the_default_is_the_usable_cpus, clear_environment),
        cmocka_unit_test(denormals_are_flushed_in_every_thread),
        cmocka_unit_test(the_clock_runs_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
