#include "base/memory.h"
#include "base/random.h"
#include "data/photos.h"

#include <string.h>

/** What each class gives, and its images' indices, class after class. */
typedef struct hold_out {
    size_t *sizes;     // [classes]
    size_t *quotas;    // [classes], summing to held_out
    uint32_t *members; // [count], grouped by class
    size_t *next;      // [classes], where in members the next image of the class goes
    bool *chosen;      // [count]
} hold_out;

static void release(hold_out *work)
{
    rn_free(work->sizes);
    rn_free(work->quotas);
    rn_free(work->members);
    rn_free(work->next);
    rn_free(work->chosen);
}

static rn_status prepare(hold_out *work, const rn_samples *samples)
{
    rn_status st = RN_OK;
    size_t classes = (size_t)samples->classes;

    RN_TRY(RN_NEW(&work->sizes, classes));
    RN_TRY(RN_NEW(&work->quotas, classes));
    RN_TRY(RN_NEW(&work->members, samples->count));
    RN_TRY(RN_NEW(&work->next, classes));
    RN_TRY(RN_NEW(&work->chosen, samples->count));
    for (size_t i = 0; i < samples->count; i++) {
        if (samples->labels[i] < 0) {
            st = rn_error(RN_EINVAL, "'%s' has pictures without label, which cannot be held out",
                          samples->name);
            goto out;
        }
        work->sizes[samples->labels[i]]++;
    }
out:
    return st;
}

// held_out * size / count, exact: both factors are below 2^32.
static uint64_t remainder_of(const hold_out *work, int c, size_t count, size_t held_out)
{
    return (uint64_t)held_out * work->sizes[c] % count;
}

// Largest remainders: shares are rounded down, and what is left goes to the classes whose share
// lost most, the lower class first among equals.
static void share_out(hold_out *work, const rn_samples *samples, size_t held_out)
{
    size_t given = 0;

    for (int c = 0; c < samples->classes; c++) {
        work->quotas[c] = (size_t)((uint64_t)held_out * work->sizes[c] / samples->count);
        given += work->quotas[c];
    }
    for (uint64_t limit = UINT64_MAX; given < held_out;) {
        uint64_t largest = 0; // the largest remainder below `limit`
        for (int c = 0; c < samples->classes; c++) {
            uint64_t lost = remainder_of(work, c, samples->count, held_out);
            if (lost < limit && lost > largest)
                largest = lost;
        }
        for (int c = 0; c < samples->classes && given < held_out; c++) {
            if (remainder_of(work, c, samples->count, held_out) == largest) {
                work->quotas[c]++;
                given++;
            }
        }
        limit = largest;
    }
}

// Images by class, and within a class in the files' order.
static void group(hold_out *work, const rn_samples *samples)
{
    size_t *next = work->next;

    for (int c = 1; c < samples->classes; c++)
        next[c] = next[c - 1] + work->sizes[c - 1];
    for (size_t i = 0; i < samples->count; i++)
        work->members[next[samples->labels[i]]++] = (uint32_t)i;
}

static void choose(hold_out *work, const rn_samples *samples, uint64_t seed)
{
    uint32_t *members = work->members;

    group(work, samples);
    for (int c = 0; c < samples->classes; c++) {
        rn_stream stream;
        rn_stream_init(&stream, seed, RN_PURPOSE_SPLIT, 0, (uint32_t)c);
        rn_stream_shuffle(&stream, members, (uint32_t)work->sizes[c]);
        for (size_t i = 0; i < work->quotas[c]; i++)
            work->chosen[members[i]] = true;
        members += work->sizes[c];
    }
}

static rn_status select_photos(rn_photos **out, const rn_samples *samples, const bool *chosen,
                               bool wanted)
{
    rn_status st = RN_OK;
    uint32_t *indices = NULL;
    size_t count = 0;

    *out = NULL;
    if (samples->photos == NULL)
        return RN_OK;
    RN_TRY(RN_NEW(&indices, samples->count));
    for (uint32_t i = 0; i < samples->count; i++) {
        if (chosen[i] == wanted)
            indices[count++] = i;
    }
    RN_TRY(rn_photos_select(out, samples->photos, indices, count));
out:
    rn_free(indices);
    return st;
}

// Both sets keep the files' order. Nothing here can fail.
static void divide(rn_samples *samples, rn_samples *held, const bool *chosen)
{
    size_t bytes = rn_samples_image_bytes(samples), kept = 0, moved = 0;

    for (size_t i = 0; i < samples->count; i++) {
        rn_samples *to = chosen[i] ? held : samples;
        size_t at = chosen[i] ? moved++ : kept++;
        to->labels[at] = samples->labels[i];
        if (samples->images != NULL && (to != samples || at != i))
            memcpy(to->images + at * bytes, samples->images + i * bytes, bytes);
    }
    samples->count = kept;
}

rn_status rn_samples_hold_out(rn_samples **held, rn_samples *samples, size_t held_out,
                              uint64_t seed)
{
    rn_status st = RN_OK;
    rn_samples *set = NULL;
    rn_photos *kept = NULL;
    hold_out work = {0};
    char *name = NULL;

    *held = NULL;
    if (held_out < 1 || held_out >= samples->count)
        return rn_error(RN_EINVAL, "%zu images to hold out of %zu, expected 1 to %zu", held_out,
                        samples->count, samples->count - 1);
    RN_TRY(prepare(&work, samples));
    RN_TRY(rn_format(&name, "%s, %zu held out", samples->name, held_out));
    RN_TRY(rn_samples_create(&set,
                             &(rn_samples_shape){held_out, samples->channels, samples->height,
                                                 samples->width, samples->classes},
                             name));
    RN_TRY(rn_samples_set_label_names(set, (const char *const *)samples->label_names));
    share_out(&work, samples, held_out);
    choose(&work, samples, seed);
    RN_TRY(select_photos(&kept, samples, work.chosen, false));
    RN_TRY(select_photos(&set->photos, samples, work.chosen, true));
    divide(samples, set, work.chosen);
    rn_photos_free(samples->photos);
    samples->photos = kept;
    *held = set;
    set = NULL;
out:
    rn_samples_free(set);
    rn_free(name);
    release(&work);
    return st;
}
