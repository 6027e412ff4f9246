// Workers take parts of batches from one running position and fill them in a ring of slots. The
// position moves in the order of the sequence, under the lock, so what a part holds depends on
// nothing but its place; only who fills it, and when, is up to the threads.
#include "resnet/batch.h"

#include "augment/reader.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/workers.h"
#include "batch/bad_pictures.h"
#include "batch/inputs.h"
#include "batch/mix.h"
#include "batch/order.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    PART = 32,       // samples: some 100 microseconds of work for one lock
    PHOTOS_PART = 2, // encoded pictures: some milliseconds each
    LARGEST_BATCH = 65536,
    DEEPEST = 64,
    MOST_RANKS = 1 << 20,
    LARGEST_ALPHA = 100,
    USUAL_DEPTH = 4
};

typedef struct slot {
    float *images;
    int32_t *labels, *labels_b; // labels_b: NULL where nothing is mixed
    float share;
    int filled; // samples
    bool ready; // all are, and mixed
} slot;

struct rn_loader {
    const rn_samples *samples;
    rn_loader_options options;
    rn_inputs inputs;
    int slot_count;
    slot *slots; // iteration i lives in slots[i % slot_count]
    rn_workers workers;
    rn_reader *readers; // one a worker
    _Atomic double waited;
    rn_bad_pictures bad;

    pthread_mutex_t lock; // guards all that follows, and the slots' `filled`, `ready`
    pthread_cond_t room, ready;
    rn_order *order;
    uint64_t oldest;          // iteration still in the ring: the borrowed or the next one
    bool borrowed;            // oldest is in the caller's hands
    uint64_t claim_iteration; // where the next part starts
    int claim_offset;
    bool stop;
    int working;       // workers that run, or have
    rn_status failure; // no part is given out after it
    uint64_t failed;   // the first iteration that will not be complete
    char message[RN_MESSAGE_BYTES];
};

typedef struct part {
    slot *target;
    uint64_t iteration;
    int offset, count;
    rn_order_entry entries[PART];
} part;

static slot *slot_of(rn_loader *loader, uint64_t iteration)
{
    return &loader->slots[iteration % (uint64_t)loader->slot_count];
}

// Sequence number of the first entry of this rank's share of an iteration.
static rn_status first_entry(const rn_loader_options *options, uint64_t iteration, uint64_t *entry)
{
    uint64_t share;

    if (__builtin_mul_overflow(iteration, (uint64_t)options->ranks, &share) ||
        __builtin_add_overflow(share, (uint64_t)options->rank, &share) ||
        __builtin_mul_overflow(share, (uint64_t)options->batch, entry) ||
        *entry > UINT64_MAX - LARGEST_BATCH)
        return rn_error(RN_EINVAL, "iteration %llu of training is out of range",
                        (unsigned long long)iteration);
    return RN_OK;
}

static rn_status describe_part(rn_loader *loader, part *work)
{
    rn_status st = RN_OK;
    uint64_t entry = 0;
    int left = loader->options.batch - loader->claim_offset;
    int most = loader->samples->photos != NULL ? PHOTOS_PART : PART;

    work->target = slot_of(loader, loader->claim_iteration);
    work->iteration = loader->claim_iteration;
    work->offset = loader->claim_offset;
    work->count = left < most ? left : most;
    RN_TRY(first_entry(&loader->options, loader->claim_iteration, &entry));
    RN_TRY(
        rn_order_take(loader->order, entry + (uint64_t)work->offset, work->count, work->entries));
out:
    return st;
}

// With the calling thread's message. Iterations before it have been claimed, and will be complete.
static void fail(rn_loader *loader, rn_status status, uint64_t iteration)
{
    if (loader->failure != RN_OK && loader->failed <= iteration)
        return;
    loader->failure = status;
    loader->failed = iteration;
    snprintf(loader->message, sizeof loader->message, "%s", rn_error_message());
    pthread_cond_broadcast(&loader->room);
    pthread_cond_broadcast(&loader->ready);
}

// Wait for room in the ring and take the next part. False: there is nothing left to do.
static bool claim(rn_loader *loader, part *work)
{
    while (!loader->stop && loader->failure == RN_OK &&
           loader->claim_iteration - loader->oldest >= (uint64_t)loader->slot_count)
        pthread_cond_wait(&loader->room, &loader->lock);
    if (loader->stop || loader->failure != RN_OK)
        return false;
    rn_status st = describe_part(loader, work);
    if (st != RN_OK) {
        fail(loader, st, loader->claim_iteration);
        return false;
    }
    loader->claim_offset += work->count;
    if (loader->claim_offset == loader->options.batch) {
        loader->claim_offset = 0;
        loader->claim_iteration++;
    }
    return true;
}

// Read a sample into a row of the batch, or the next that can be read; *sample is which.
static rn_status read_row(rn_loader *loader, const rn_reader *reader, float *dst,
                          const rn_augment *augment, rn_augment_where *where)
{
    rn_status st = RN_OK;
    size_t count = loader->samples->count;

    for (size_t tried = 0; tried < count; tried++) {
        if (!rn_bad_pictures_has(&loader->bad, where->sample)) {
            st = rn_reader_input(reader, dst, augment, where);
            if (!rn_is_bad_picture(st) || loader->options.bad_images == RN_BAD_IMAGES_STOP)
                return st;
            RN_TRY(rn_bad_pictures_add(&loader->bad, where->sample));
        }
        where->sample = (uint32_t)((where->sample + 1) % count);
    }
    st = rn_error(RN_EFORMAT, "none of the %zu pictures of %s can be read", count,
                  loader->samples->name);
out:
    return st;
}

static rn_status fill(rn_loader *loader, rn_reader *reader, const part *work)
{
    rn_status st = RN_OK;
    const rn_input_change *input = rn_inputs_at(&loader->inputs, work->iteration);
    const size_t volume = rn_input_volume(input);

    rn_reader_use(reader, input->preprocess);
    for (int i = 0; i < work->count; i++) {
        const rn_order_entry *entry = &work->entries[i];
        size_t row = (size_t)(work->offset + i);
        rn_augment_where where = {
            .seed = loader->options.seed, .epoch = entry->epoch, .sample = entry->sample};
        RN_TRY(
            read_row(loader, reader, work->target->images + row * volume, &input->augment, &where));
        work->target->labels[row] = loader->samples->labels[where.sample];
    }
out:
    return st;
}

// The worker that completes a batch mixes it, while the others go on with the next.
static void mix(const rn_loader *loader, const part *work)
{
    const rn_loader_options *options = &loader->options;
    const rn_preprocess *preprocess = rn_inputs_at(&loader->inputs, work->iteration)->preprocess;
    slot *target = work->target;
    uint64_t number = work->iteration * (uint64_t)options->ranks + (uint64_t)options->rank;
    rn_mixing mixing =
        rn_mixing_draw(&options->mix, options->seed, number, preprocess->height, preprocess->width);

    target->share = mixing.share;
    rn_mixing_apply(&mixing, &(rn_mix_batch){.images = target->images,
                                             .labels = target->labels,
                                             .labels_b = target->labels_b,
                                             .count = options->batch,
                                             .channels = preprocess->channels,
                                             .height = preprocess->height,
                                             .width = preprocess->width});
}

// The batch's last part is there: whoever filled it mixes the batch and hands it on.
static void complete(rn_loader *loader, const part *work)
{
    if (rn_mix_on(&loader->options.mix)) {
        pthread_mutex_unlock(&loader->lock);
        mix(loader, work);
        pthread_mutex_lock(&loader->lock);
    }
    work->target->ready = true;
    pthread_cond_broadcast(&loader->ready);
}

static void work_on(rn_loader *loader, rn_reader *reader)
{
    part work;

    while (claim(loader, &work)) {
        pthread_mutex_unlock(&loader->lock);
        rn_status st = fill(loader, reader, &work);
        pthread_mutex_lock(&loader->lock);
        if (st != RN_OK) {
            fail(loader, st, work.iteration);
            continue;
        }
        work.target->filled += work.count;
        if (work.target->filled == loader->options.batch)
            complete(loader, &work);
    }
}

static void *worker(void *argument)
{
    rn_loader *loader = argument;

    pthread_mutex_lock(&loader->lock);
    work_on(loader, &loader->readers[loader->working++]);
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

static rn_status check_range(const char *what, int value, int low, int high)
{
    if (value < low || value > high)
        return rn_error(RN_EINVAL, "%s is %d, expected %d to %d", what, value, low, high);
    return RN_OK;
}

static rn_status check_alpha(const char *what, double alpha)
{
    if (!(alpha >= 0 && alpha <= LARGEST_ALPHA))
        return rn_error(RN_EINVAL, "alpha of %s is %g, expected 0 to %d", what, alpha,
                        LARGEST_ALPHA);
    return RN_OK;
}

static rn_status check_options(const rn_loader_options *options)
{
    rn_status st = RN_OK;
    uint64_t entry = 0;

    RN_TRY(check_range("batch", options->batch, 1, LARGEST_BATCH));
    RN_TRY(rn_workers_check(options->workers, "loader"));
    RN_TRY(check_range("loader depth", options->depth, 1, DEEPEST));
    RN_TRY(check_alpha("mixup", options->mix.mixup));
    RN_TRY(check_alpha("CutMix", options->mix.cutmix));
    RN_TRY(check_range("number of ranks", options->ranks, 1, MOST_RANKS));
    RN_TRY(check_range("rank", options->rank, 0, options->ranks - 1));
    RN_TRY(first_entry(options, options->first, &entry));
out:
    return st;
}

static rn_status make_slots(rn_loader *loader)
{
    rn_status st = RN_OK;
    const size_t batch = (size_t)loader->options.batch;
    const size_t bytes = rn_inputs_largest(&loader->inputs) * sizeof(float);

    loader->slot_count = loader->options.depth + 1; // one is in the caller's hands
    RN_TRY(RN_NEW(&loader->slots, (size_t)loader->slot_count));
    for (int i = 0; i < loader->slot_count; i++) {
        RN_TRY(rn_alloc((void **)&loader->slots[i].images, batch, bytes));
        RN_TRY(RN_NEW(&loader->slots[i].labels, batch));
        loader->slots[i].share = 1;
        if (rn_mix_on(&loader->options.mix))
            RN_TRY(RN_NEW(&loader->slots[i].labels_b, batch));
    }
out:
    return st;
}

static rn_status make_readers(rn_loader *loader)
{
    rn_status st = RN_OK;

    RN_TRY(RN_NEW(&loader->readers, (size_t)loader->options.workers));
    for (int i = 0; i < loader->options.workers; i++)
        RN_TRY(rn_reader_init(&loader->readers[i], loader->samples,
                              loader->inputs.list[0].preprocess));
out:
    return st;
}

static rn_loader_options with_defaults(const rn_loader_options *given)
{
    rn_loader_options options = *given;

    options.workers = options.workers == 0 ? 1 : options.workers;
    options.depth = options.depth == 0 ? USUAL_DEPTH : options.depth;
    options.ranks = options.ranks == 0 ? 1 : options.ranks;
    return options;
}

rn_status rn_loader_create(rn_loader **out, const rn_samples *samples,
                           const rn_preprocess *preprocess, const rn_loader_options *options)
{
    rn_status st = RN_OK;
    rn_loader *loader = NULL;
    const rn_loader_options full = with_defaults(options);

    *out = NULL;
    RN_TRY(check_options(&full));
    RN_TRY(RN_NEW(&loader, 1));
    loader->samples = samples;
    loader->options = full;
    loader->options.changes = NULL; // `inputs` has them
    loader->oldest = loader->claim_iteration = full.first;
    pthread_mutex_init(&loader->lock, NULL); // cannot fail without attributes
    pthread_cond_init(&loader->room, NULL);
    pthread_cond_init(&loader->ready, NULL);
    rn_bad_pictures_init(&loader->bad, samples->count);
    RN_TRY(rn_inputs_init(&loader->inputs, preprocess, &full));
    RN_TRY(rn_order_create(&loader->order, samples->count, full.seed));
    RN_TRY(make_readers(loader));
    RN_TRY(make_slots(loader));
    RN_TRY(rn_workers_start(&loader->workers, full.workers, "loader", worker, loader));
    *out = loader;
    loader = NULL;
out:
    rn_loader_free(loader);
    return st;
}

static void stop_workers(rn_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->stop = true;
    pthread_cond_broadcast(&loader->room);
    pthread_mutex_unlock(&loader->lock);
    rn_workers_join(&loader->workers);
}

void rn_loader_free(rn_loader *loader)
{
    if (loader == NULL)
        return;
    stop_workers(loader);
    for (int i = 0; loader->slots != NULL && i < loader->slot_count; i++) {
        rn_free(loader->slots[i].images);
        rn_free(loader->slots[i].labels);
        rn_free(loader->slots[i].labels_b);
    }
    for (int i = 0; loader->readers != NULL && i < loader->options.workers; i++)
        rn_reader_release(&loader->readers[i]);
    rn_free(loader->readers);
    rn_free(loader->slots);
    rn_order_free(loader->order);
    rn_bad_pictures_release(&loader->bad);
    pthread_cond_destroy(&loader->ready);
    pthread_cond_destroy(&loader->room);
    pthread_mutex_destroy(&loader->lock);
    rn_free(loader);
}

static void give_back(rn_loader *loader)
{
    slot_of(loader, loader->oldest)->filled = 0;
    slot_of(loader, loader->oldest)->ready = false;
    loader->oldest++;
    loader->borrowed = false;
    pthread_cond_broadcast(&loader->room);
}

// Either the oldest batch is complete, or it never will be.
static bool settled(rn_loader *loader)
{
    return slot_of(loader, loader->oldest)->ready ||
           (loader->failure != RN_OK && loader->failed <= loader->oldest);
}

static void wait_until_settled(rn_loader *loader)
{
    double start;

    if (settled(loader))
        return;
    start = rn_clock();
    while (!settled(loader))
        pthread_cond_wait(&loader->ready, &loader->lock);
    atomic_store(&loader->waited, atomic_load(&loader->waited) + rn_clock() - start);
}

rn_status rn_loader_next(rn_loader *loader, rn_batch *batch)
{
    rn_status st = RN_OK;

    pthread_mutex_lock(&loader->lock);
    if (loader->borrowed)
        give_back(loader);
    wait_until_settled(loader);
    const slot *oldest = slot_of(loader, loader->oldest);
    if (oldest->ready) {
        const rn_preprocess *size = rn_inputs_at(&loader->inputs, loader->oldest)->preprocess;
        *batch = (rn_batch){.images = oldest->images,
                            .labels = oldest->labels,
                            .labels_b = oldest->labels_b,
                            .share = oldest->share,
                            .iteration = loader->oldest,
                            .height = size->height,
                            .width = size->width};
        loader->borrowed = true;
    } else {
        *batch = (rn_batch){0};
        st = rn_error(loader->failure, "%s", loader->message);
    }
    pthread_mutex_unlock(&loader->lock);
    return st;
}

double rn_loader_wait(const rn_loader *loader)
{
    return atomic_load(&loader->waited);
}

char *rn_loader_bad_picture(rn_loader *loader)
{
    return rn_bad_pictures_take(&loader->bad);
}
