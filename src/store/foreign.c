#include "store/foreign.h"

#include "base/memory.h"

void rn_foreign_free(rn_foreign *foreign)
{
    if (foreign == NULL)
        return;
    if (foreign->release != NULL)
        foreign->release(foreign->owner);
    rn_free(foreign->tensors);
    rn_free(foreign->model);
    rn_free(foreign->metadata);
    rn_free(foreign);
}
