// Logs of runs: any bytes are lines, of which some are damaged; what is taken in holds together.
#include "report/history_reader.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const rn_history_reader *r)
{
    for (size_t i = 1; i < r->step_count; i++)
        if (r->steps[i].iteration <= r->steps[i - 1].iteration)
            abort();
    for (size_t i = 0; i < r->evaluation_count; i++)
        if ((i > 0 && r->evaluations[i].iteration < r->evaluations[i - 1].iteration) ||
            isinf(r->evaluations[i].error) || strlen(r->evaluations[i].set) > 65536)
            abort();
    for (size_t i = 0; i < r->gradients_count; i++)
        if (r->gradients[i].first + r->gradients[i].count > r->norm_count)
            abort();
    for (size_t i = 0; i < r->norm_count; i++)
        if ((size_t)r->norms[i].layer >= r->layers.count)
            abort();
    for (size_t i = 1; i < r->note_count; i++)
        if (r->notes[i].iteration < r->notes[i - 1].iteration)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rn_history_reader reader = {0};
    char *bytes = malloc(size + 1);

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    bytes[size] = '\n';
    for (char *at = bytes, *end; at <= bytes + size; at = end + 1) {
        bool damaged;
        end = memchr(at, '\n', (size_t)(bytes + size + 1 - at));
        if (history_take_line(&reader, (log_span){at, (size_t)(end - at)}, &damaged) != RN_OK)
            abort();
        check(&reader);
    }
    history_forget_log(&reader);
    rn_free(reader.steps);
    rn_free(reader.evaluations);
    rn_free(reader.notes);
    rn_free(reader.gradients);
    rn_free(reader.norms);
    free(bytes);
    return 0;
}
