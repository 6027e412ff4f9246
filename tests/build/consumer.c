// What a stranger writes against the installed library (test_install.sh).
#include <resnet/resnet.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    if (rn_threads_set(-1) != RN_EINVAL || strstr(rn_error_message(), "-1 threads") == NULL)
        return 1;
    printf("%s %s: %s\n", RN_VERSION, rn_status_text(RN_EINVAL), rn_error_message());
    return 0;
}
