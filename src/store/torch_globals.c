#include "store/torch.h"

/** X(storage class, dtype, bytes, form) */
#define STORAGES(X)                                                                                \
    X(Float, float32, 4, RN_TORCH_FLOAT32)                                                         \
    X(Double, float64, 8, RN_TORCH_FLOAT64)                                                        \
    X(Half, float16, 2, RN_TORCH_FLOAT16)                                                          \
    X(BFloat16, bfloat16, 2, RN_TORCH_BFLOAT16)                                                    \
    X(Long, int64, 8, RN_TORCH_NO_FLOAT)                                                           \
    X(Int, int32, 4, RN_TORCH_NO_FLOAT)                                                            \
    X(Short, int16, 2, RN_TORCH_NO_FLOAT)                                                          \
    X(Char, int8, 1, RN_TORCH_NO_FLOAT)                                                            \
    X(Byte, uint8, 1, RN_TORCH_NO_FLOAT)                                                           \
    X(Bool, bool, 1, RN_TORCH_NO_FLOAT)                                                            \
    X(ComplexFloat, complex64, 8, RN_TORCH_NO_FLOAT)                                               \
    X(ComplexDouble, complex128, 16, RN_TORCH_NO_FLOAT)

/** Types without a storage class of their own. */
#define OTHER_DTYPES(X)                                                                            \
    X(uint16, 2)                                                                                   \
    X(uint32, 4)                                                                                   \
    X(uint64, 8)                                                                                   \
    X(float8_e4m3fn, 1)                                                                            \
    X(float8_e4m3fnuz, 1)                                                                          \
    X(float8_e5m2, 1)                                                                              \
    X(float8_e5m2fnuz, 1)

#define STORAGE_DTYPE(storage, type, bytes, form)                                                  \
    static const rn_torch_dtype dtype_##type = {#type, bytes, form};
#define OTHER_DTYPE(type, bytes)                                                                   \
    static const rn_torch_dtype dtype_##type = {#type, bytes, RN_TORCH_NO_FLOAT};
STORAGES(STORAGE_DTYPE)
OTHER_DTYPES(OTHER_DTYPE)

#define STORAGE_GLOBALS(storage, type, bytes, form)                                                \
    {"torch." #storage "Storage", RN_PICKLE_CONSTANT, RN_TORCH_STORAGE, &dtype_##type},            \
        {"torch.cuda." #storage "Storage", RN_PICKLE_CONSTANT, RN_TORCH_STORAGE, &dtype_##type},   \
        {"torch." #type, RN_PICKLE_CONSTANT, RN_TORCH_DTYPE, &dtype_##type},
#define DTYPE_GLOBAL(type, bytes)                                                                  \
    {"torch." #type, RN_PICKLE_CONSTANT, RN_TORCH_DTYPE, &dtype_##type},

#define CALL(name, tag)                                                                            \
    {                                                                                              \
        name, RN_PICKLE_TO_CALL, tag, NULL                                                         \
    }
#define FIRST(name)                                                                                \
    {                                                                                              \
        name, RN_PICKLE_TO_FIRST, RN_TORCH_OPAQUE, NULL                                            \
    }
#define DICT(name)                                                                                 \
    {                                                                                              \
        name, RN_PICKLE_TO_DICT, RN_TORCH_OPAQUE, NULL                                             \
    }
#define OPAQUE(name)                                                                               \
    {                                                                                              \
        name, RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL                                             \
    }

// Opaque are the values that training scripts save beside the weights; nothing reads them. Python 3
// writes the names of Python 2 ("__builtin__") up to protocol 2.
const rn_pickle_global rn_torch_globals[] = {
    CALL("torch._utils._rebuild_tensor_v2", RN_TORCH_TENSOR),
    CALL("torch._utils._rebuild_tensor", RN_TORCH_TENSOR),
    CALL("torch._utils._rebuild_tensor_v3", RN_TORCH_TENSOR_V3),
    CALL("torch._tensor._rebuild_from_type_v2", RN_TORCH_FROM_TYPE),
    FIRST("torch._utils._rebuild_parameter"),
    FIRST("torch._utils._rebuild_parameter_with_state"),
    FIRST("torch.nn.parameter.Parameter"),
    FIRST("torch.nn.parameter.Buffer"),
    FIRST("torch.autograd.variable.Variable"),
    FIRST("torch.Size"),
    DICT("collections.OrderedDict"),
    DICT("collections.defaultdict"),
    DICT("collections.Counter"),
    STORAGES(STORAGE_GLOBALS) OTHER_DTYPES(DTYPE_GLOBAL){"torch.UntypedStorage", RN_PICKLE_CONSTANT,
                                                         RN_TORCH_STORAGE, &dtype_uint8},
    {"torch.storage.UntypedStorage", RN_PICKLE_CONSTANT, RN_TORCH_STORAGE, &dtype_uint8},
    OPAQUE("torch.Tensor"),
    OPAQUE("torch.device"),
    OPAQUE("numpy.core.multiarray.scalar"),
    OPAQUE("numpy._core.multiarray.scalar"),
    OPAQUE("numpy.core.multiarray._reconstruct"),
    OPAQUE("numpy._core.multiarray._reconstruct"),
    OPAQUE("numpy.ndarray"),
    OPAQUE("numpy.dtype"),
    OPAQUE("_codecs.encode"),
    OPAQUE("argparse.Namespace"),
    OPAQUE("copy_reg._reconstructor"),
    OPAQUE("copyreg._reconstructor"),
    OPAQUE("__builtin__.object"),
    OPAQUE("builtins.object"),
    OPAQUE("__builtin__.set"),
    OPAQUE("builtins.set"),
    OPAQUE("__builtin__.frozenset"),
    OPAQUE("builtins.frozenset"),
    OPAQUE("__builtin__.bytearray"),
    OPAQUE("builtins.bytearray"),
    OPAQUE("__builtin__.complex"),
    OPAQUE("builtins.complex"),
    OPAQUE("__builtin__.dict"),
    OPAQUE("builtins.dict"),
    OPAQUE("__builtin__.list"),
    OPAQUE("builtins.list"),
    OPAQUE("__builtin__.int"),
    OPAQUE("builtins.int"),
    OPAQUE("__builtin__.float"),
    OPAQUE("builtins.float"),
};

const size_t rn_torch_global_count = sizeof rn_torch_globals / sizeof *rn_torch_globals;
