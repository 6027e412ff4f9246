/** A disk that is full, for tests. Include after cmocka's headers. */
#ifndef TESTS_FILE_SIZE_LIMIT_H
#define TESTS_FILE_SIZE_LIMIT_H

#include <signal.h>
#include <sys/resource.h>

/** Writing beyond `bytes` of a file fails with EFBIG, as on a full disk; RLIM_INFINITY undoes. */
static inline void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
