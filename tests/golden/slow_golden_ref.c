// The reference engine on the networks that test_golden_network.c leaves out because it is slow.
#include "golden/network.h"

int main(void)
{
    static network_case cases[] = {
        {"ref", "resnet-20"}, {"ref", "plain-20"},  {"ref", "option-b"},
        {"ref", "nesterov"},  {"ref", "smoothing"}, {"ref", "gray"},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[CASES];

    for (int i = 0; i < CASES; i++)
        tests[i] = network_unit_test(&cases[i]);
    return cmocka_run_group_tests_name("golden networks, reference engine", tests, NULL, NULL);
}
