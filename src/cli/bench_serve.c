#include "cli/bench_serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 1000000 };

static rn_status parse_request(const char *line, int *steps)
{
    char *end;
    long value = strtol(line, &end, 10);

    end += strspn(end, "\r\n");
    if (end == line || *end != '\0' || value < 1 || value > MOST_STEPS)
        return rn_error(RN_EINVAL, "expected a number of steps from 1 to %d, found '%.*s'",
                        MOST_STEPS, (int)strcspn(line, "\r\n"), line);
    *steps = (int)value;
    return RN_OK;
}

static rn_status answer(const cli_bench_server *server, int steps)
{
    rn_status st = RN_OK;
    double *seconds = calloc((size_t)steps, sizeof *seconds);

    if (seconds == NULL)
        return rn_error(RN_ENOMEM, "no memory for the times of %d steps", steps);
    for (int i = 0; i < steps; i++)
        RN_TRY(server->step(server->context, &seconds[i]));
    printf("{\"seconds\":[");
    for (int i = 0; i < steps; i++)
        printf("%s%.6g", i > 0 ? "," : "", seconds[i]);
    printf("]}\n");
    fflush(stdout); // whether that failed is seen at the end
out:
    free(seconds);
    return st;
}

rn_status cli_bench_serve(const cli_bench_server *server)
{
    rn_status st = RN_OK;
    char *line = NULL;
    size_t size = 0;
    int steps = 0;

    printf("{\"threads\":%d,\"flops\":%.17g,\"loaded_bytes\":%zu}\n", rn_threads(), server->flops,
           server->loaded);
    fflush(stdout);
    while (getline(&line, &size, stdin) >= 0) {
        RN_TRY(parse_request(line, &steps));
        RN_TRY(answer(server, steps));
    }
out:
    free(line);
    return st;
}
