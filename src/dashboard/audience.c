#include "dashboard/audience.h"

#include <stdio.h>
#include <string.h>

static const double PRESENT = 6; // seconds: a page that is seen asks every two

void rn_audience_end(rn_audience *audience)
{
    pthread_mutex_lock(&audience->lock);
    audience->ending = true;
    pthread_mutex_unlock(&audience->lock);
}

bool rn_audience_ending(rn_audience *audience)
{
    pthread_mutex_lock(&audience->lock);
    bool ending = audience->ending;
    pthread_mutex_unlock(&audience->lock);
    return ending;
}

// The page's place, a new one, or that of the page that asked longest ago.
static int place_of(const rn_audience *audience, const char *page)
{
    int oldest = 0;

    for (int i = 0; i < audience->count; i++) {
        if (strcmp(audience->pages[i].name, page) == 0)
            return i;
        if (audience->pages[i].asked < audience->pages[oldest].asked)
            oldest = i;
    }
    return audience->count < MOST_PAGES ? audience->count : oldest;
}

void rn_audience_note(rn_audience *audience, const char *page, bool told)
{
    pthread_mutex_lock(&audience->lock);
    int i = place_of(audience, page);
    if (i == audience->count)
        audience->count++;
    snprintf(audience->pages[i].name, sizeof audience->pages[i].name, "%s", page);
    audience->pages[i].asked = rn_clock();
    audience->pages[i].told = told;
    pthread_mutex_unlock(&audience->lock);
}

bool rn_audience_waits(rn_audience *audience)
{
    const double now = rn_clock();
    bool waits = false;

    pthread_mutex_lock(&audience->lock);
    for (int i = 0; i < audience->count; i++)
        waits = waits || (!audience->pages[i].told && now - audience->pages[i].asked < PRESENT);
    pthread_mutex_unlock(&audience->lock);
    return waits;
}
