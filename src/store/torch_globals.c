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

/** X(tensor class) of versions before 0.1.11: made of nothing, then given storage, offset, ... */
#define CLASSES(X) X(Float) X(Double) X(Half) X(Long) X(Int) X(Short) X(Char) X(Byte)

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

#define TENSOR_CLASS(class)                                                                        \
    {"torch." #class "Tensor", RN_PICKLE_TO_CALL, RN_TORCH_TENSOR, NULL},                          \
        {"torch.cuda." #class "Tensor", RN_PICKLE_TO_CALL, RN_TORCH_TENSOR, NULL},

// Opaque are the values that training scripts save beside the weights; nothing reads them. Python 3
// writes the names of Python 2 ("__builtin__") up to protocol 2.
const rn_pickle_global rn_torch_globals[] = {
    {"torch._utils._rebuild_tensor_v2", RN_PICKLE_TO_CALL, RN_TORCH_TENSOR, NULL},
    {"torch._utils._rebuild_tensor", RN_PICKLE_TO_CALL, RN_TORCH_TENSOR, NULL},
    {"torch._utils._rebuild_tensor_v3", RN_PICKLE_TO_CALL, RN_TORCH_TENSOR_V3, NULL},
    {"torch._tensor._rebuild_from_type_v2", RN_PICKLE_TO_CALL, RN_TORCH_FROM_TYPE, NULL},
    {"torch._utils._rebuild_parameter", RN_PICKLE_TO_FIRST, RN_TORCH_OPAQUE, NULL},
    {"torch._utils._rebuild_parameter_with_state", RN_PICKLE_TO_FIRST, RN_TORCH_OPAQUE, NULL},
    {"torch.nn.parameter.Parameter", RN_PICKLE_TO_FIRST, RN_TORCH_PARAMETER, NULL},
    {"torch.nn.parameter.Buffer", RN_PICKLE_TO_FIRST, RN_TORCH_OPAQUE, NULL},
    {"torch.autograd.variable.Variable", RN_PICKLE_TO_FIRST, RN_TORCH_PARAMETER, NULL},
    {"torch.Size", RN_PICKLE_TO_FIRST, RN_TORCH_OPAQUE, NULL},
    {"collections.OrderedDict", RN_PICKLE_TO_DICT, RN_TORCH_OPAQUE, NULL},
    {"collections.defaultdict", RN_PICKLE_TO_DICT, RN_TORCH_OPAQUE, NULL},
    {"collections.Counter", RN_PICKLE_TO_DICT, RN_TORCH_OPAQUE, NULL},
    {"torch.UntypedStorage", RN_PICKLE_CONSTANT, RN_TORCH_STORAGE, &dtype_uint8},
    {"torch.storage.UntypedStorage", RN_PICKLE_CONSTANT, RN_TORCH_STORAGE, &dtype_uint8},
    {"torch.Tensor", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"torch.device", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"numpy.core.multiarray.scalar", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"numpy._core.multiarray.scalar", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"numpy.core.multiarray._reconstruct", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"numpy._core.multiarray._reconstruct", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"numpy.ndarray", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"numpy.dtype", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"_codecs.encode", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"argparse.Namespace", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"copy_reg._reconstructor", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"copyreg._reconstructor", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.object", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.object", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.set", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.set", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.frozenset", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.frozenset", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.bytearray", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.bytearray", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.complex", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.complex", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.dict", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.dict", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.list", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.list", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.int", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.int", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"__builtin__.float", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    {"builtins.float", RN_PICKLE_TO_CALL, RN_TORCH_OPAQUE, NULL},
    STORAGES(STORAGE_GLOBALS) OTHER_DTYPES(DTYPE_GLOBAL) CLASSES(TENSOR_CLASS)};

const size_t rn_torch_global_count = sizeof rn_torch_globals / sizeof *rn_torch_globals;
