/** A disk that is full, for tests. */
#ifndef TESTS_FILE_SIZE_LIMIT_H
#define TESTS_FILE_SIZE_LIMIT_H

#include <signal.h>
#include <sys/resource.h>

/** Writing beyond `bytes` of a file fails with EFBIG, as on a full disk; RLIM_INFINITY undoes. */
static inline void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}

#endif
