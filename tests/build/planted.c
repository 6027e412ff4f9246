// Defects on purpose, for test_sanitizers.sh: argv[1] says which.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

static void leak(void)
{
    kept = malloc(100);
    kept = NULL;
}

static void overrun(int bytes)
{
    kept = malloc(100);
    ((volatile char *)kept)[bytes] = 0;
    free(kept);
}

static void overflow(int one)
{
    printf("%d\n", INT_MAX - 1 + one + one);
}

// Without the loops' barrier and the reduction this races; with them it does not.
static void sum(int racy)
{
    int values[1000], total = 0;

#pragma omp parallel num_threads(4)
    {
#pragma omp for
        for (int i = 0; i < 1000; i++)
            values[i] = i;
        if (racy) {
            for (int i = 0; i < 1000; i++)
                total += values[i];
        } else {
#pragma omp for reduction(+ : total)
            for (int i = 0; i < 1000; i++)
                total += values[999 - i];
        }
    }
    printf("%d\n", total);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "leak") == 0)
        leak();
    else if (strcmp(argv[1], "overrun") == 0)
        overrun(98 + argc);
    else if (strcmp(argv[1], "overflow") == 0)
        overflow(argc - 1);
    else
        for (int i = 0; i < 20; i++) // one race in ten goes unseen
            sum(strcmp(argv[1], "race") == 0);
    return 0;
}
