#!/usr/bin/env python3
"""Write tests/store/torch_samples/*.pt with PyTorch: python3 tests/store/make_torch_samples.py

Every tensor's element i, counted in C order, is (i - 3) / 4, which all the types hold exactly;
whole numbers are i. test_torch.c knows the names, types and shapes.
"""
import argparse
import collections
import os
import shutil
import tempfile
import zipfile

import numpy
import torch

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_samples")


def values(*shape, dtype=torch.float32):
    count = int(numpy.prod(shape))
    if not dtype.is_floating_point:
        return torch.arange(count).reshape(shape).to(dtype)
    return ((torch.arange(count, dtype=torch.float64) - 3) / 4).reshape(shape).to(dtype)


def state():
    """One tensor of each kind: types, strides, offsets, parameters."""
    tensors = collections.OrderedDict()
    tensors["float32"] = values(2, 3)
    tensors["float64"] = values(2, 3, dtype=torch.float64)
    tensors["float16"] = values(5, dtype=torch.float16)
    tensors["bfloat16"] = values(7, dtype=torch.bfloat16)
    tensors["scalar"] = values(1).reshape(())
    tensors["empty"] = torch.empty(0, 4)
    tensors["transposed"] = values(3, 5).t().contiguous().t()
    tensors["channels_last"] = values(2, 3, 2, 2).to(memory_format=torch.channels_last)
    base = torch.full((6, 6), 99.0)
    base[1:4, 2:6] = values(3, 4)
    tensors["slice"] = base[1:4, 2:6]
    tensors["slice_half"] = torch.cat([torch.full((2, 3), 9.0), values(2, 3)]).half()[2:]
    tensors["row"] = base[1, 2:6]
    tensors["same"] = tensors["float32"]
    tensors["expanded"] = torch.tensor([-0.75]).expand(4, 3)
    tensors["parameter"] = torch.nn.Parameter(values(4, 2))
    tensors["odd_stride"] = torch.as_strided(values(4), (1, 4), (17, 1))
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool):
        tensors[str(dtype)[6:]] = values(2, dtype=dtype)
    return tensors


def small():
    return collections.OrderedDict([("a", values(2, 2)), ("b", values(3, dtype=torch.float16))])


def checkpoint():
    """What a training script leaves, wrapped by DataParallel."""
    weights = collections.OrderedDict(("module." + k, v) for k, v in small().items())
    weights["module.num_batches_tracked"] = torch.tensor(7)
    weights._metadata = collections.OrderedDict([("", {"version": 1})])
    parameter = torch.nn.Parameter(values(2, 2))
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    parameter.sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "arch": "resnet20",
        "best_prec1": numpy.float64(91.25),
        "best_acc1": torch.tensor(91.25),
        "state_dict": weights,
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(lr=0.1, seeds={1, 2}, gpu=None),
        "history": collections.defaultdict(list, {"loss": [1.5, 0.5]}),
        "huge": 2**70,
        "sizes": torch.Size([1, 2]),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "noise": numpy.ones(3),
        "bytes": b"abc",
    }


def attributes():
    """Parameters and tensors with attributes take other functions to rebuild."""
    tensors = small()
    tensors["a"].note = "x"
    tensors["b"] = torch.nn.Parameter(tensors["b"])
    tensors["b"].note = "y"
    tensors["words"] = values(3, dtype=torch.uint16)  # rebuilt by _rebuild_tensor_v3
    return tensors


def rewrite(source, target, change):
    """Copy an archive with change(name, bytes) -> (bytes, compression) applied to its records."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data, compression = change(info.filename, old.read(info))
            new.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), data, compression)


def big_endian(name, data):
    return (b"big" if name.endswith("/byteorder") else data), zipfile.ZIP_STORED


def compressed(name, data):
    return data, zipfile.ZIP_DEFLATED


def main():
    os.makedirs(FOLDER, exist_ok=True)
    work = tempfile.mkdtemp()

    def path(name):
        return os.path.join(FOLDER, name + ".pt")

    def save(name, data, **options):
        # the folder in an archive is named after the file: the same for whoever runs this
        torch.save(data, os.path.join(work, "saved.pt"), **options)
        shutil.move(os.path.join(work, "saved.pt"), path(name))

    legacy = {"_use_new_zipfile_serialization": False}
    save("zip", state())
    save("legacy", state(), **legacy)
    save("checkpoint", checkpoint())
    save("checkpoint_legacy", checkpoint(), **legacy)
    save("checkpoint_protocol4", checkpoint(), pickle_protocol=4)
    save("protocol1_legacy", small(), pickle_protocol=1, **legacy)
    save("protocol4_legacy", small(), pickle_protocol=4, **legacy)
    save("protocol5", small(), pickle_protocol=5)
    save("attributes", attributes())
    save("model", {"model": small(), "epoch": 1})
    save("model_state_dict", {"epoch": 1, "model_state_dict": small()})
    save("net", {"acc": 1.0, "net": {"module._orig_mod." + k: v for k, v in small().items()}})
    torch.serialization.set_crc32_options(False)
    save("no_crc", small())
    torch.serialization.set_crc32_options(True)
    save("no_tensors", {"epoch": 1, "state_dict": {}})
    save("list", [values(2)])
    save("module_object", torch.nn.Linear(1, 1))
    save("small", small())
    rewrite(path("small"), path("rewritten"), lambda name, data: (data, zipfile.ZIP_STORED))
    rewrite(path("small"), path("big_endian"), big_endian)
    rewrite(path("small"), path("compressed"), compressed)
    shutil.rmtree(work)


main()
