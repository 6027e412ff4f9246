#include "batch/bad_pictures.h"

#include "base/memory.h"

#include <string.h>

void rn_bad_pictures_init(rn_bad_pictures *bad, size_t count)
{
    *bad = (rn_bad_pictures){.count = count};
    pthread_mutex_init(&bad->lock, NULL); // cannot fail without attributes
}

void rn_bad_pictures_release(rn_bad_pictures *bad)
{
    for (size_t i = 0; i < bad->waiting; i++)
        rn_free(bad->told[i]);
    rn_free(bad->told);
    rn_free(bad->known);
    pthread_mutex_destroy(&bad->lock);
}

static bool is_known(const rn_bad_pictures *bad, size_t sample)
{
    return bad->known != NULL && (bad->known[sample / 8] >> sample % 8 & 1) != 0;
}

static rn_status add(rn_bad_pictures *bad, size_t sample)
{
    rn_status st = RN_OK;

    if (is_known(bad, sample))
        return RN_OK;
    if (bad->known == NULL)
        RN_TRY(RN_NEW(&bad->known, bad->count / 8 + 1));
    RN_TRY(rn_grow((void **)&bad->told, &bad->room, bad->waiting + 1, sizeof *bad->told));
    RN_TRY(rn_strdup(&bad->told[bad->waiting], rn_error_message()));
    bad->waiting++;
    bad->known[sample / 8] |= (uint8_t)(1 << sample % 8);
out:
    return st;
}

rn_status rn_bad_pictures_add(rn_bad_pictures *bad, size_t sample)
{
    pthread_mutex_lock(&bad->lock);
    rn_status st = add(bad, sample);
    pthread_mutex_unlock(&bad->lock);
    return st;
}

bool rn_bad_pictures_has(rn_bad_pictures *bad, size_t sample)
{
    pthread_mutex_lock(&bad->lock);
    bool known = is_known(bad, sample);
    pthread_mutex_unlock(&bad->lock);
    return known;
}

char *rn_bad_pictures_take(rn_bad_pictures *bad)
{
    char *text = NULL;

    pthread_mutex_lock(&bad->lock);
    if (bad->waiting > 0) {
        text = bad->told[0];
        bad->waiting--;
        memmove(bad->told, bad->told + 1, bad->waiting * sizeof *bad->told);
    }
    pthread_mutex_unlock(&bad->lock);
    return text;
}
