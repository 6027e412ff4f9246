#include "base/memory.h"
#include "base/text.h"
#include "data/pack_picture.h"
#include "data/pack_write.h"
#include "data/photos.h"

#include <omp.h>
#include <sha2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/** The pictures of both splits, numbered through. */
typedef struct packer {
    const rn_pack_options *options;
    rn_samples *sets[2]; // [1] NULL: there is one set
    uint64_t total;
    rn_pack_writer writer;
    uint64_t skipped, resumed;
    atomic_bool stop; // nothing more need be prepared
    rn_status st;
    char message[1024]; // of st: the failure may be another thread's
} packer;

static const rn_samples *find(const packer *p, uint64_t number, size_t *index)
{
    uint64_t train = p->sets[0]->count;

    *index = (size_t)(number < train ? number : number - train);
    return p->sets[number >= train];
}

static const char *name_of(uint64_t number, const void *context)
{
    size_t index;
    const rn_samples *set = find(context, number, &index);

    return rn_photos_name(set->photos, index);
}

static int32_t label_of(uint64_t number, const void *context)
{
    size_t index;
    const rn_samples *set = find(context, number, &index);

    return set->labels[index];
}

// Setting up

static rn_status check_options(const rn_pack_options *options)
{
    if (options->quality < 0 || options->quality > 100)
        return rn_error(RN_EINVAL, "quality is %d, expected 1 to 100", options->quality);
    if (options->shorter < 0 || options->shorter > 65500)
        return rn_error(RN_EINVAL, "shorter side is %d, expected 1 to 65500", options->shorter);
    if (options->shorter > 0 && options->format == RN_PACK_KEEP)
        return rn_error(RN_EINVAL, "files kept as they are cannot be shrunk: pack JPEG or raw");
    return RN_OK;
}

// Packs are known by their names.
static rn_status check_path(const char *path)
{
    const char *dot = strrchr(path, '.');

    if (dot != NULL && strcasecmp(dot, ".rnpack") == 0)
        return RN_OK;
    return rn_error(RN_EINVAL, "'%s' does not end in .rnpack", path);
}

static rn_status open_set(rn_samples **out, const char *source, rn_split split)
{
    rn_status st = RN_OK;

    RN_TRY(rn_data_open(out, source, split));
    if ((*out)->photos == NULL)
        st = rn_error(RN_EINVAL, "'%s' holds images of one size, expected encoded pictures",
                      (*out)->name);
out:
    return st;
}

// A source without splits gives one set, under one name, for both.
static rn_status open_sets(packer *p, const char *source)
{
    rn_status st = RN_OK;
    rn_pack_splits splits = p->options->splits;

    RN_TRY(open_set(&p->sets[0], source, splits == RN_PACK_TEST ? RN_SPLIT_TEST : RN_SPLIT_TRAIN));
    if (splits == RN_PACK_BOTH)
        st = open_set(&p->sets[1], source, RN_SPLIT_TEST);
    if (st == RN_ENOTFOUND)
        rn_error(st, "%s; '--split train' packs the training pictures alone", rn_error_message());
    RN_TRY(st);
    if (p->sets[1] != NULL && rn_samples_same(p->sets[0], p->sets[1])) {
        rn_samples_free(p->sets[1]);
        p->sets[1] = NULL;
    }
    p->total = p->sets[0]->count + (p->sets[1] == NULL ? 0 : p->sets[1]->count);
    if (p->total > UINT32_MAX)
        st = rn_error(RN_EINVAL, "'%s' has over %u pictures", source, UINT32_MAX);
out:
    return st;
}

static void add_number(SHA2_CTX *sum, uint64_t number)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%llu ", (unsigned long long)number);

    SHA256Update(sum, (const uint8_t *)text, (size_t)length);
}

static void add_text(SHA2_CTX *sum, const char *text)
{
    SHA256Update(sum, (const uint8_t *)text, strlen(text) + 1);
}

// What the file depends on, but for the pictures' contents.
static void sum_job(uint8_t digest[SHA256_DIGEST_LENGTH], const packer *p)
{
    const rn_pack_options *o = p->options;
    const uint64_t numbers[] = {RN_PACK_VERSION,
                                (uint64_t)o->format,
                                (uint64_t)o->shorter,
                                (uint64_t)o->quality,
                                o->skip_bad,
                                p->sets[0]->count,
                                p->total};
    SHA2_CTX sum;

    SHA256Init(&sum);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        add_number(&sum, numbers[i]);
    for (int i = 0; i < p->sets[0]->classes; i++)
        add_text(&sum, p->sets[0]->label_names[i]);
    for (uint64_t i = 0; i < p->total; i++) {
        add_number(&sum, (uint64_t)(label_of(i, p) + 1));
        add_text(&sum, name_of(i, p));
    }
    SHA256Final(digest, &sum);
}

static rn_status open_writer(packer *p, const char *path)
{
    rn_status st = RN_OK;
    rn_pack_header header = {.splits = p->sets[1] != NULL,
                             .classes = (uint64_t)p->sets[0]->classes};

    sum_job(header.job, p);
    RN_TRY(rn_pack_writer_open(&p->writer, path, &header, p->total, p->options->restart));
    p->resumed = p->writer.next;
    p->skipped = p->writer.next - p->writer.count;
out:
    return st;
}

// The work

static void fail(packer *p, rn_status st)
{
    p->st = st;
    snprintf(p->message, sizeof p->message, "%s", rn_error_message());
    atomic_store(&p->stop, true);
}

static bool may_skip(rn_status st)
{
    return st == RN_EFORMAT || st == RN_EIO || st == RN_ENOTFOUND || st == RN_EINVAL;
}

static void skip(packer *p, uint64_t number)
{
    char *shown = NULL;
    const char *name = name_of(number, p);
    size_t bytes = 4 * strlen(name) + 1;

    p->skipped++;
    if (p->options->bad == NULL)
        return;
    char finding[1024];
    snprintf(finding, sizeof finding, "%s", rn_error_message());
    if (RN_NEW(&shown, bytes) == RN_OK) {
        rn_text_escape(shown, bytes, name);
        p->options->bad(shown, false, finding, p->options->context);
    }
    rn_free(shown);
}

// Called in the order of numbers, one at a time.
static void put(packer *p, uint64_t number, rn_status st, const rn_photo *photo)
{
    const rn_pack_options *o = p->options;

    if (st == RN_OK) {
        rn_pack_record record = {.number = (uint32_t)number, .size = (uint32_t)photo->size};
        st = rn_pack_writer_add(&p->writer, &record, photo->bytes);
        if (st != RN_OK)
            fail(p, st);
    } else if (o->skip_bad && may_skip(st)) {
        skip(p, number);
    } else {
        fail(p, st);
    }
    if (p->st == RN_OK && o->progress != NULL &&
        !o->progress(number + 1, p->total, p->writer.end, o->context))
        fail(p, rn_error(RN_EINTERRUPTED, "packing was stopped"));
}

// Threads prepare pictures ahead and wait for their turn to write, with one picture each.
static rn_status pack_all(packer *p)
{
#pragma omp parallel for ordered schedule(dynamic, 1)
    for (uint64_t number = p->resumed; number < p->total; number++) {
        rn_photo photo = {0};
        rn_status st = RN_OK;
        size_t index;
        bool stopped = atomic_load(&p->stop);
        const rn_samples *set = find(p, number, &index);
        if (!stopped)
            st = rn_pack_picture(&photo, set->photos, index, p->options);
#pragma omp ordered
        if (!stopped && p->st == RN_OK)
            put(p, number, st, &photo);
        rn_photo_release(&photo);
    }
    return p->st == RN_OK ? RN_OK : rn_error(p->st, "%s", p->message);
}

static rn_status finish(packer *p, const char *source)
{
    const rn_pack_source tables = {.name = name_of,
                                   .label = label_of,
                                   .context = p,
                                   .class_names = p->sets[0]->label_names,
                                   .train = p->sets[0]->count};

    if (p->writer.count == 0)
        return rn_error(RN_EFORMAT, "'%s': none of %llu pictures can be decoded", source,
                        (unsigned long long)p->total);
    return rn_pack_writer_finish(&p->writer, &tables);
}

rn_status rn_data_pack(rn_pack_result *result, const char *source, const char *path,
                       const rn_pack_options *options)
{
    rn_status st = RN_OK;
    const rn_pack_options none = {0};
    packer p = {.options = options == NULL ? &none : options};

    RN_TRY(check_options(p.options));
    RN_TRY(check_path(path));
    RN_TRY(open_sets(&p, source));
    RN_TRY(open_writer(&p, path));
    RN_TRY(pack_all(&p));
    RN_TRY(finish(&p, source));
    if (result != NULL) {
        const rn_pack_header *h = &p.writer.header;
        *result = (rn_pack_result){.pictures = h->count,
                                   .skipped = p.skipped,
                                   .resumed = p.resumed,
                                   .sets = p.sets[1] == NULL ? 1 : 2,
                                   .bytes = h->index + h->count * RN_PACK_ENTRY + h->names_bytes +
                                            h->class_bytes};
    }
out:
    rn_pack_writer_close(&p.writer);
    rn_samples_free(p.sets[0]);
    rn_samples_free(p.sets[1]);
    return st;
}
