// What rn_peaks_measure() says of this machine: rates that can be, and errors.
#include "resnet/engine.h"

#include "base/memory.h"
#include "engine/cpu/isa.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void check_rates(const rn_peaks *peaks)
{
    double best = 0;

    for (int i = 0; i < peaks->rate_count; i++) {
        const rn_peak_rate *rate = &peaks->rates[i];
        assert_true(rate->one > 1e8);
        assert_true(rate->all >= rate->one);
        assert_true(rate->all < 1e15);
        if (strstr(rate->name, "bf16") == NULL && rate->all > best)
            best = rate->all;
    }
    assert_true(peaks->flops == best);
    assert_true(peaks->read > 1e7 && peaks->read < 1e13);
    assert_true(peaks->add > 1e7 && peaks->add < 1e13);
    assert_true(peaks->memory >= peaks->read && peaks->memory >= peaks->add);
    assert_true(peaks->l2_read >= 0 && peaks->l3_read >= 0);
}

static void all_that_the_machine_has(void **state)
{
    rn_peaks peaks;
    double start = rn_clock();

    (void)state;
    if (rn_isa_supported() == RN_ISA_NONE)
        skip();
    assert_int_equal(rn_peaks_measure(&peaks), RN_OK);
    print_message("%.2f s: %s %.1f GFLOP/s, %.1f by one of %d threads; GB/s: read %.1f, add %.1f, "
                  "L2 %.1f, L3 %.1f\n",
                  rn_clock() - start, peaks.rates[0].name, peaks.rates[0].all / 1e9,
                  peaks.rates[0].one / 1e9, peaks.threads, peaks.read / 1e9, peaks.add / 1e9,
                  peaks.l2_read / 1e9, peaks.l3_read / 1e9);
    assert_int_equal(peaks.threads, rn_threads());
    assert_string_equal(peaks.rates[0].name, "avx2");
    assert_true((peaks.rate_count > 1) == (rn_isa_supported() == RN_ISA_AVX512));
    check_rates(&peaks);
}

static void one_thread(void **state)
{
    rn_peaks peaks;

    (void)state;
    if (rn_isa_supported() == RN_ISA_NONE)
        skip();
    setenv("RESNET_ISA", "avx2", 1);
    assert_int_equal(rn_threads_set(1), RN_OK);
    assert_int_equal(rn_peaks_measure(&peaks), RN_OK);
    assert_int_equal(peaks.threads, 1);
    assert_int_equal(peaks.rate_count, 1);
    assert_true(peaks.rates[0].all == peaks.rates[0].one);
    check_rates(&peaks);
    unsetenv("RESNET_ISA");
    assert_int_equal(rn_threads_set(0), RN_OK);
}

static bool refuse(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return false;
}

static void failures(void **state)
{
    rn_peaks peaks = {.flops = 1};

    (void)state;
    if (rn_isa_supported() == RN_ISA_NONE)
        skip();
    setenv("RESNET_ISA", "sse9", 1);
    assert_int_equal(rn_peaks_measure(&peaks), RN_EINVAL);
    assert_true(peaks.flops == 0);
    unsetenv("RESNET_ISA");
    rn_alloc_hook_set(refuse, NULL);
    assert_int_equal(rn_peaks_measure(&peaks), RN_ENOMEM);
    rn_alloc_hook_set(NULL, NULL);
    assert_true(peaks.flops == 0 && peaks.rate_count == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_the_machine_has),
        cmocka_unit_test(one_thread),
        cmocka_unit_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
