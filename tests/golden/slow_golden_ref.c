// The reference engine on the 20-layer networks; the fast test has the small ones.
#include "golden/network.h"

int main(void)
{
    const struct CMUnitTest tests[] = {
        NETWORK_TEST("ref", "resnet-20"),
        NETWORK_TEST("ref", "plain-20"),
        NETWORK_TEST("ref", "option-b"),
    };

    return cmocka_run_group_tests_name("golden networks, reference engine", tests, NULL, NULL);
}
