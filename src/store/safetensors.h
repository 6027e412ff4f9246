/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header, the tensors' bytes.
 *
 * Files written here also carry checksums in their metadata, so that any changed byte is found:
 *   "resnet.header_crc32"   first member of the header; over length and header, own digits as '0'
 *   "resnet.tensors_crc32"  eight digits a tensor, in the order of the bytes
 * A file with neither is accepted as one that another program wrote.
 */
#ifndef STORE_SAFETENSORS_H
#define STORE_SAFETENSORS_H

#include "resnet/base.h"

#include "base/json.h"

/** A longer header is neither written nor read: parsed, it takes up to 32 times its size. */
#define RN_SAFETENSORS_HEADER ((size_t)16 << 20)
/** The start of every header written here; eight lowercase hexadecimal digits follow. */
#define RN_SAFETENSORS_PREFIX "{\"__metadata__\":{\"resnet.header_crc32\":\""
#define RN_SAFETENSORS_HEADER_CRC "resnet.header_crc32"
#define RN_SAFETENSORS_TENSORS_CRC "resnet.tensors_crc32"

enum { RN_TENSOR_DIMS = 8, RN_CRC_DIGITS = 8 };

/** The CRC-32 of any number of bytes (zlib's takes 4 GiB at most); start with crc = 0. */
uint32_t rn_crc32(uint32_t crc, const void *data, size_t bytes);
/** Lowercase digits and a NUL. */
void rn_crc32_text(char text[RN_CRC_DIGITS + 1], uint32_t crc);
/** Over the 8 length bytes and the header, whose own digits must be '0' at the time. */
uint32_t rn_safetensors_header_crc(const char *header, size_t length);

/** One float32 tensor; of another type where a file that was read says so. */
typedef struct rn_tensor {
    const char *name;
    int dims;
    uint64_t shape[RN_TENSOR_DIMS];
    size_t count;     // product of shape
    const void *data; // count elements, little-endian, of any alignment
} rn_tensor;

/** The float32 with these bits; what bits of IEEE 754 binary16 and bfloat16 stand for, exactly. */
float rn_float_of_bits(uint32_t bits);
float rn_float_of_half(uint16_t bits);
float rn_float_of_bfloat(uint16_t bits);

/** A type of elements that the format knows. */
typedef struct rn_element_type {
    const char *name;   // "BF16"
    const char *common; // "bfloat16", as PyTorch says
    size_t bytes;
    /** To float32, rounded to the nearest; NULL where the type is none of F16, BF16, F32, F64. */
    void (*convert)(float *dst, const char *src, size_t count);
} rn_element_type;

/** NULL if unknown. Static. */
const rn_element_type *rn_element_type_find(const char *name);

/**
 * Write tensors in the given order, atomically. Equal input gives equal bytes.
 *
 * @param metadata  JSON object whose members are texts; names must not start with "resnet.header"
 *                  or "resnet.tensors". Borrowed.
 * @param tensors   Names must differ; borrowed.
 * @return RN_OK; RN_EINVAL (a count that is not the shape's); RN_EUNSUPPORTED (a header of more
 * than RN_SAFETENSORS_HEADER: the path); RN_EIO or RN_ENOTFOUND (path and reason; the old file is
 * there, or the whole new one); RN_ENOMEM.
 */
rn_status rn_safetensors_write(const char *path, const cJSON *metadata, const rn_tensor *tensors,
                               size_t count);

typedef struct rn_safetensors rn_safetensors;

/** rn_file_judge: RN_EFORMAT unless the header begins, is short enough and has room in the file. */
rn_status rn_safetensors_judge(const char *head, size_t bytes, uint64_t size);

/**
 * Read a whole file and check everything: sizes, header, names, shapes, offsets (the tensors must
 * cover the data exactly, once), checksums. Needs memory of the order of the file's size, whatever
 * its header claims.
 *
 * @return RN_OK; RN_ENOTFOUND; RN_EIO; RN_EFORMAT (path, what is wrong, where); RN_ENOMEM.
 */
rn_status rn_safetensors_open(rn_safetensors **out, const char *path);
/** The same of bytes in memory, from rn_alloc() and freed with the file, or here on failure. */
rn_status rn_safetensors_parse(rn_safetensors **out, char *bytes, size_t size);
void rn_safetensors_free(rn_safetensors *file);

size_t rn_safetensors_count(const rn_safetensors *file);
/** In the order of their bytes; borrowed until the file is freed. */
const rn_tensor *rn_safetensors_tensor(const rn_safetensors *file, size_t index);
/** Of the tensor at the same index. Files that rn_safetensors_write() writes have float32 only. */
const rn_element_type *rn_safetensors_type(const rn_safetensors *file, size_t index);
/** The tensor with this name, or NULL. */
const rn_tensor *rn_safetensors_find(const rn_safetensors *file, const char *name);
/** All metadata, an object of texts, or NULL; borrowed. */
const cJSON *rn_safetensors_metadata_all(const rn_safetensors *file);
/** The text of a metadata member, or NULL; borrowed. */
const char *rn_safetensors_metadata(const rn_safetensors *file, const char *key);
/** True if the file carried checksums (they were right, or opening had failed). */
bool rn_safetensors_checked(const rn_safetensors *file);

#endif
