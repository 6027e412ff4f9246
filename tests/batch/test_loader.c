#include "base/random.h"
#include "batch/mix.h"
#include "batch/order.h"
#include "image/fail_allocation.h"
#include "resnet/batch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { COUNT = 101, CHANNELS = 3, HEIGHT = 5, WIDTH = 7, VOLUME = CHANNELS * HEIGHT * WIDTH };

static uint8_t bytes[COUNT * VOLUME];
static int32_t labels[COUNT];
static rn_samples set = {.count = COUNT,
                         .channels = CHANNELS,
                         .height = HEIGHT,
                         .width = WIDTH,
                         .classes = COUNT,
                         .images = bytes,
                         .labels = labels};
static rn_preprocess *preprocess;

static int make_set(void **state)
{
    rn_stream stream;

    (void)state;
    rn_stream_init(&stream, 2, RN_PURPOSE_TEST, 0, 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)rn_stream_below(&stream, 256);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i; // a label names its sample
    return rn_preprocess_measure(&preprocess, &set, RN_NORMALIZE_PIXEL) == RN_OK ? 0 : -1;
}

static int free_set(void **state)
{
    (void)state;
    rn_preprocess_free(preprocess);
    return 0;
}

static rn_loader *create(const rn_samples *samples, const rn_loader_options *options)
{
    rn_loader *loader;

    if (rn_loader_create(&loader, samples, preprocess, options) != RN_OK)
        fail_msg("%s", rn_error_message());
    return loader;
}

// The labels, and what the pictures become, of a batch that holds the samples alone.
static void check_mixed(const rn_batch *batch, float *images, const rn_loader_options *options,
                        uint64_t number)
{
    int32_t other[COUNT];
    rn_mixing mixing = rn_mixing_draw(&options->mix, options->seed, number, HEIGHT, WIDTH);
    size_t size = (size_t)options->batch * VOLUME * sizeof *images;

    rn_mixing_apply(&mixing, &(rn_mix_batch){.images = images,
                                             .labels = batch->labels,
                                             .labels_b = other,
                                             .count = options->batch,
                                             .channels = CHANNELS,
                                             .height = HEIGHT,
                                             .width = WIDTH});
    assert_true(batch->share == mixing.share);
    assert_memory_equal(batch->labels_b, other, (size_t)options->batch * sizeof *other);
    assert_memory_equal(batch->images, images, size);
}

// The contract, one sample after the other.
static void check_batch(const rn_batch *batch, const rn_samples *samples,
                        const rn_loader_options *options, uint64_t iteration)
{
    uint64_t ranks = options->ranks == 0 ? 1 : (uint64_t)options->ranks;
    uint64_t number = iteration * ranks + (uint64_t)options->rank;
    rn_order *order;
    float *expected = calloc((size_t)options->batch, VOLUME * sizeof *expected);

    assert_non_null(expected);
    assert_int_equal(batch->iteration, iteration);
    assert_int_equal(rn_order_create(&order, samples->count, options->seed), RN_OK);
    for (int i = 0; i < options->batch; i++) {
        rn_order_entry entry;
        uint64_t at = number * (uint64_t)options->batch + (uint64_t)i;
        assert_int_equal(rn_order_take(order, at, 1, &entry), RN_OK);
        assert_int_equal(batch->labels[i], entry.sample);
        const rn_augment_where where = {options->seed, entry.epoch, entry.sample, NULL};
        assert_int_equal(rn_preprocess_sample(preprocess, expected + i * VOLUME,
                                              bytes + entry.sample * VOLUME, &options->augment,
                                              &where),
                         RN_OK);
    }
    if (rn_mix_on(&options->mix)) {
        check_mixed(batch, expected, options, number);
    } else {
        assert_true(batch->labels_b == NULL && batch->share == 1);
        assert_memory_equal(batch->images, expected,
                            (size_t)options->batch * VOLUME * sizeof *expected);
    }
    free(expected);
    rn_order_free(order);
}

static void check_stream(const rn_samples *samples, const rn_loader_options *options, int batches)
{
    rn_loader *loader = create(samples, options);

    for (int i = 0; i < batches; i++) {
        rn_batch batch;
        assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
        check_batch(&batch, samples, options, options->first + (uint64_t)i);
    }
    rn_loader_free(loader);
}

static void test_any_number_of_workers(void **state)
{
    static const int workers[] = {0, 1, 2, 3, 7}, batches[] = {1, 31, 32, 33, 70, 250};

    (void)state;
    for (size_t w = 0; w < sizeof workers / sizeof *workers; w++) {
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
            for (int depth = 0; depth <= 3; depth += 1 + (depth == 1)) {
                check_stream(&set,
                             &(rn_loader_options){.batch = batches[b],
                                                  .seed = 77,
                                                  .augment = {.pad = 2, .flip = true},
                                                  .workers = workers[w],
                                                  .depth = depth},
                             12);
            }
        }
    }
}

static void test_mixing_does_not_depend_on_workers(void **state)
{
    static const int workers[] = {1, 2, 7}, batches[] = {1, 2, 33, 70};

    (void)state;
    for (size_t w = 0; w < sizeof workers / sizeof *workers; w++) {
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
            rn_loader_options options = {.batch = batches[b],
                                         .seed = 78,
                                         .augment = {.pad = 2, .flip = true},
                                         .mix = {.mixup = 0.8, .cutmix = 1},
                                         .workers = workers[w],
                                         .first = (uint64_t)b * 5};
            check_stream(&set, &options, 12);
            options.ranks = 3;
            options.rank = 2;
            check_stream(&set, &options, 6);
        }
    }
}

// Every worker has memory of its own for changes of colour.
static void test_colour_with_any_number_of_workers(void **state)
{
    (void)state;
    for (int workers = 1; workers <= 5; workers += 2) {
        check_stream(&set,
                     &(rn_loader_options){.batch = 70,
                                          .seed = 5,
                                          .augment = {.pad = 1, .hue = 0.2, .randaugment = 1},
                                          .workers = workers},
                     5);
    }
}

// A picture that cannot be made ends the stream instead of being waited for.
static void test_failing_sample(void **state)
{
    const float zero[2] = {0}, one[2] = {1, 1};
    rn_samples two = set;
    rn_preprocess *p;

    (void)state;
    two.channels = 2;
    two.height = 1;
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_CHANNEL, 2, 1, two.width, zero, one),
                     RN_OK);
    for (int workers = 1; workers <= 5; workers += 2) {
        rn_loader *loader;
        rn_batch batch;
        rn_loader_options options = {.batch = 70, .augment = {.erase = 1}, .workers = workers};
        assert_int_equal(rn_loader_create(&loader, &two, p, &options), RN_OK);
        assert_int_equal(rn_loader_next(loader, &batch), RN_EINVAL);
        assert_non_null(strstr(rn_error_message(), "2 channels"));
        rn_loader_free(loader);
    }
    rn_preprocess_free(p);
}

static void test_any_first_iteration(void **state)
{
    (void)state;
    for (uint64_t first = 0; first < 8; first++) {
        for (int workers = 1; workers <= 4; workers += 3) {
            check_stream(&set,
                         &(rn_loader_options){.batch = 30,
                                              .seed = 5,
                                              .augment = {.pad = 4, .flip = true},
                                              .workers = workers,
                                              .first = first},
                         6);
        }
    }
    check_stream(&set, &(rn_loader_options){.batch = 30, .seed = 5, .first = 1000000007}, 3);
}

static void test_fewer_samples_than_batch(void **state)
{
    rn_samples few = set;

    (void)state;
    for (few.count = 1; few.count <= 3; few.count++) {
        check_stream(
            &few,
            &(rn_loader_options){.batch = 40, .augment = {.pad = 1, .flip = true}, .workers = 3},
            7);
    }
}

static void test_ranks_share_the_sequence(void **state)
{
    enum { RANKS = 3, BATCH = 17, ITERATIONS = 101 }; // RANKS * BATCH epochs exactly
    static int times[COUNT];
    rn_loader *loaders[RANKS];
    rn_loader_options options = {.batch = BATCH, .seed = 8, .workers = 2, .ranks = RANKS};

    (void)state;
    memset(times, 0, sizeof times);
    for (options.rank = 0; options.rank < RANKS; options.rank++) {
        check_stream(&set, &options, 20);
        loaders[options.rank] = create(&set, &options);
    }
    for (int i = 0; i < ITERATIONS; i++) {
        for (int r = 0; r < RANKS; r++) {
            rn_batch batch;
            assert_int_equal(rn_loader_next(loaders[r], &batch), RN_OK);
            for (int k = 0; k < BATCH; k++)
                times[batch.labels[k]]++;
        }
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(times[i], RANKS * BATCH);
    for (int r = 0; r < RANKS; r++)
        rn_loader_free(loaders[r]);
}

static void test_batch_stays_until_next(void **state)
{
    const rn_loader_options options = {
        .batch = 64, .seed = 1, .augment = {.pad = 4, .flip = true}, .workers = 3, .depth = 2};
    rn_loader *loader = create(&set, &options);
    rn_batch batch;

    (void)state;
    assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
    for (int i = 0; i < 5; i++) {
        nanosleep(&(struct timespec){0, 3000000}, NULL); // the workers fill what they can
        check_batch(&batch, &set, &options, (uint64_t)i);
        assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
    }
    rn_loader_free(loader);
}

static void test_free_at_any_moment(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        rn_loader *loader = create(&set, &(rn_loader_options){.batch = 300,
                                                              .augment = {.pad = 4, .flip = true},
                                                              .workers = 1 + i % 7,
                                                              .depth = 1 + i % 3});
        rn_batch batch;
        if (i % 4 == 1)
            nanosleep(&(struct timespec){0, 2000000}, NULL); // now all wait for room
        for (int k = 0; k < i % 4; k++)
            assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
        rn_loader_free(loader);
    }
    rn_loader_free(NULL);
}

// Epoch 2^32 is one too many: what comes before it is delivered, then the worker's failure.
static void test_failure_of_a_worker(void **state)
{
    rn_samples three = set;
    rn_loader_options options = {.batch = 4, .workers = 3, .augment = {.pad = 1, .flip = true}};

    (void)state;
    three.count = 3;
    for (; options.batch <= 200; options.batch += 196) {
        uint64_t last = ((uint64_t)3 << 32) / (uint64_t)options.batch - 1; // the last whole batch
        options.first = last - 3;
        rn_loader *loader = create(&three, &options);
        rn_batch batch;
        for (uint64_t i = options.first; i <= last; i++) {
            assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
            assert_int_equal(batch.iteration, i);
        }
        for (int i = 0; i < 3; i++) {
            assert_int_equal(rn_loader_next(loader, &batch), RN_EINVAL);
            assert_null(batch.images);
            assert_non_null(strstr(rn_error_message(), "epoch 4294967296"));
        }
        rn_loader_free(loader);
    }
}

static void test_wait_is_measured(void **state)
{
    rn_loader *loader = create(&set, &(rn_loader_options){.batch = 1000, .workers = 1});
    rn_batch batch;

    (void)state;
    assert_true(rn_loader_wait(loader) == 0.0);
    double start = rn_clock();
    for (int i = 0; i < 20; i++) // faster than any worker
        assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
    double spent = rn_clock() - start, waited = rn_loader_wait(loader);
    assert_true(waited > 0.0 && waited <= spent);
    nanosleep(&(struct timespec){0, 300000000}, NULL); // at last the ring is full
    assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
    assert_true(rn_loader_wait(loader) - waited < 0.1);
    rn_loader_free(loader);
}

static void refuse(rn_loader_options options, const char *message)
{
    rn_loader *loader = (rn_loader *)bytes;

    assert_int_equal(rn_loader_create(&loader, &set, preprocess, &options), RN_EINVAL);
    assert_null(loader);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' lacks '%s'", rn_error_message(), message);
}

static void test_refuses_options(void **state)
{
    rn_samples other = set;
    rn_loader *loader;

    (void)state;
    refuse((rn_loader_options){.batch = 0}, "batch is 0");
    refuse((rn_loader_options){.batch = 65537}, "batch is 65537");
    refuse((rn_loader_options){.batch = 1, .workers = -1}, "threads is -1");
    refuse((rn_loader_options){.batch = 1, .workers = 65}, "threads is 65");
    refuse((rn_loader_options){.batch = 1, .depth = 65}, "depth is 65");
    refuse((rn_loader_options){.batch = 1, .augment = {.pad = 65, .flip = false}}, "padding is 65");
    refuse((rn_loader_options){.batch = 1, .augment = {.pad = -1, .flip = false}}, "padding is -1");
    refuse((rn_loader_options){.batch = 1, .mix = {.mixup = -1}}, "alpha of mixup is -1");
    refuse((rn_loader_options){.batch = 1, .mix = {.cutmix = 101}}, "alpha of CutMix is 101");
    refuse((rn_loader_options){.batch = 1, .mix = {.cutmix = NAN}}, "alpha of CutMix is nan");
    refuse((rn_loader_options){.batch = 1, .ranks = -1}, "ranks is -1");
    refuse((rn_loader_options){.batch = 1, .rank = 2, .ranks = 2}, "rank is 2");
    refuse((rn_loader_options){.batch = 1, .rank = -1, .ranks = 2}, "rank is -1");
    refuse((rn_loader_options){.batch = 65536, .first = 1ull << 60}, "iteration");
    refuse((rn_loader_options){.batch = 1, .ranks = 2, .first = UINT64_MAX}, "iteration");
    other.width = 6;
    assert_int_equal(
        rn_loader_create(&loader, &other, preprocess, &(rn_loader_options){.batch = 1}), RN_EINVAL);
    assert_null(loader);
    other.width = WIDTH;
    other.count = 0;
    assert_int_equal(
        rn_loader_create(&loader, &other, preprocess, &(rn_loader_options){.batch = 1}), RN_EINVAL);
    assert_null(loader);
}

// How many allocations a loader makes, each of which has failed once; and one clean run.
static int fail_each_allocation(const rn_loader_options *options)
{
    rn_status st = RN_ENOMEM;
    int which;

    for (which = 0; st != RN_OK; which++) {
        rn_loader *loader;
        fail_allocation plan;
        fail_allocation_start(&plan, which);
        st = rn_loader_create(&loader, &set, preprocess, options);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((loader == NULL) == (st != RN_OK));
        rn_loader_free(loader);
    }
    return which;
}

static void test_allocation_failures(void **state)
{
    rn_loader_options options = {.batch = 9};

    (void)state;
    assert_int_equal(fail_each_allocation(&options), // loader, order, readers, ring
                     1 + 2 + 2 + (1 + 5 * 2) + 1);
    options.mix.mixup = 1;
    assert_int_equal(fail_each_allocation(&options), 1 + 2 + 2 + (1 + 5 * 3) + 1);
}

static bool count_allocation(size_t size, void *context)
{
    (void)size;
    *(int *)context += 1;
    return true;
}

static void test_running_allocates_nothing(void **state)
{
    rn_loader *loader = create(
        &set,
        &(rn_loader_options){.batch = 50, .augment = {.pad = 4, .flip = true}, .mix = {1, 1}});
    rn_batch batch;
    int count = 0;

    (void)state;
    rn_alloc_hook_set(count_allocation, &count);
    for (int i = 0; i < 20; i++)
        assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
    rn_loader_free(loader);
    rn_alloc_hook_set(NULL, NULL);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_workers),
        cmocka_unit_test(test_mixing_does_not_depend_on_workers),
        cmocka_unit_test(test_colour_with_any_number_of_workers),
        cmocka_unit_test(test_failing_sample),
        cmocka_unit_test(test_any_first_iteration),
        cmocka_unit_test(test_fewer_samples_than_batch),
        cmocka_unit_test(test_ranks_share_the_sequence),
        cmocka_unit_test(test_batch_stays_until_next),
        cmocka_unit_test(test_free_at_any_moment),
        cmocka_unit_test(test_failure_of_a_worker),
        cmocka_unit_test(test_wait_is_measured),
        cmocka_unit_test(test_refuses_options),
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_running_allocates_nothing),
    };

    return cmocka_run_group_tests(tests, make_set, free_set);
}
