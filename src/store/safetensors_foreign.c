// A safetensors file as any program may write it, as named float32 tensors.
#include "store/import.h"

#include "base/memory.h"

#include <string.h>

typedef struct owner {
    rn_safetensors *file;
    float *converted; // the tensors of other float types
} owner;

static void release_owner(void *given)
{
    owner *own = given;

    if (own == NULL)
        return;
    rn_safetensors_free(own->file);
    rn_free(own->converted);
    rn_free(own);
}

static bool needs_conversion(const rn_element_type *type)
{
    return type->convert != NULL && strcmp(type->name, "F32") != 0;
}

// The tensors lie in the file without overlap, so that this is at most twice the file's size.
static size_t floats_to_convert(const rn_safetensors *file)
{
    size_t total = 0;

    for (size_t i = 0; i < rn_safetensors_count(file); i++)
        if (needs_conversion(rn_safetensors_type(file, i)))
            total += rn_safetensors_tensor(file, i)->count;
    return total;
}

static void list_tensors(rn_foreign *foreign, const owner *own)
{
    float *next = own->converted;

    foreign->count = rn_safetensors_count(own->file);
    for (size_t i = 0; i < foreign->count; i++) {
        const rn_element_type *type = rn_safetensors_type(own->file, i);
        rn_foreign_tensor *made = &foreign->tensors[i];
        *made = (rn_foreign_tensor){*rn_safetensors_tensor(own->file, i), type->common};
        if (type->convert == NULL) {
            made->tensor.data = NULL;
        } else if (needs_conversion(type)) {
            type->convert(next, made->tensor.data, made->tensor.count);
            made->tensor.data = next;
            next += made->tensor.count;
        }
    }
}

rn_status rn_safetensors_foreign(rn_foreign **out, rn_safetensors *file)
{
    rn_status st = RN_OK;
    rn_foreign *foreign = NULL;
    owner *own = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&foreign, 1));
    RN_TRY(RN_NEW(&own, 1));
    foreign->owner = own;
    foreign->release = release_owner;
    own->file = file;
    file = NULL; // now the result's
    RN_TRY(RN_NEW(&own->converted, floats_to_convert(own->file)));
    RN_TRY(RN_NEW(&foreign->tensors, rn_safetensors_count(own->file)));
    list_tensors(foreign, own);
    if (rn_safetensors_metadata_all(own->file) != NULL)
        RN_TRY(rn_json_print(&foreign->metadata, rn_safetensors_metadata_all(own->file), false));
    *out = foreign;
    foreign = NULL; // now the caller's
out:
    rn_foreign_free(foreign);
    rn_safetensors_free(file);
    return st;
}
