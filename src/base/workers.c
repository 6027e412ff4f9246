#include "base/workers.h"

#include <signal.h>
#include <string.h>

rn_status rn_workers_check(int count, const char *what)
{
    if (count < 1 || count > RN_MOST_WORKERS)
        return rn_error(RN_EINVAL, "number of %s threads is %d, expected 1 to %d", what, count,
                        RN_MOST_WORKERS);
    return RN_OK;
}

rn_status rn_workers_start(rn_workers *workers, int count, const char *what, void *(*run)(void *),
                           void *context)
{
    rn_status st = RN_OK;
    sigset_t all, before;
    int error = 0;

    RN_TRY(rn_workers_check(count, what));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (workers->started < count && error == 0) {
        error = pthread_create(&workers->threads[workers->started], NULL, run, context);
        workers->started += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        st = rn_error(RN_ENOMEM, "cannot start %s thread %d of %d: %s", what, workers->started + 1,
                      count, strerror(error));
out:
    return st;
}

void rn_workers_join(rn_workers *workers)
{
    for (int i = 0; i < workers->started; i++)
        pthread_join(workers->threads[i], NULL);
    workers->started = 0;
}
