"""What is measured: one row is one network at one batch size, and the contenders for it."""

import fnmatch
import os
from dataclasses import asdict, dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get("RESNET_DATA", os.path.join(HERE, "../../../shared/data"))
PHOTOS = os.path.abspath(os.path.join(DATA, "imagenet-sample"))


@dataclass(frozen=True)
class Row:
    # "train": forward, loss, backward, update; "infer": forward with running statistics; "load": photographs
    # read, cut at random, mirrored, normalised
    kind: str
    network: str
    batch: int
    dtype: str = "float32"

    @property
    def name(self):
        if self.kind == "load":
            return f"load-{self.network}"
        precision = {"float32": "fp32", "bfloat16": "bf16"}[self.dtype]
        return f"{self.kind}-{self.network}-b{self.batch}-{precision}"

    @property
    def spec(self):
        """The network's name for our program; torchvision's bottlenecks stride on the 3x3 (v1.5)."""
        return "resnet-50:stride=3x3" if self.network == "resnet-50" else self.network

    @property
    def imagenet(self):
        return self.network in ("resnet-18", "resnet-50", "photos")

    @property
    def size(self):
        return 224 if self.imagenet else 32

    @property
    def classes(self):
        return 1000 if self.imagenet else 10

    def task(self, threads):
        """What a worker has to know."""
        data = {"data": PHOTOS} if self.kind == "load" else {}
        return {**asdict(self), "size": self.size, "classes": self.classes, "threads": threads, **data}


@dataclass(frozen=True)
class Contender:
    name: str
    worker: str  # module that is the worker process; "" is our program
    options: dict = field(default_factory=dict)
    model_file: str = ""  # format that the worker reads: "onnx", "ncnn"

    @property
    def is_peer(self):
        return self.worker != ""


OURS = Contender("resnet", "")

TRAINERS = (
    Contender("torch", "worker_torch.py"),
    Contender("torch-channels-last", "worker_torch.py", {"channels_last": True}),
    Contender("torch-compile", "worker_torch.py", {"compile": True}),
    Contender("torch-compile-channels-last", "worker_torch.py", {"compile": True, "channels_last": True}),
)
# In rows of bfloat16: the peers' better choice where the processor has no instructions for it.
FLOAT32_TRAINERS = tuple(
    Contender(f"{c.name}-fp32", c.worker, {**c.options, "dtype": "float32"}) for c in TRAINERS
)
PREDICTORS = (
    Contender("torch-compile-channels-last", "worker_torch.py", {"compile": True, "channels_last": True}),
    Contender("torch-compile-frozen", "worker_torch.py", {"compile": True, "frozen": True}),
    Contender(
        "torch-compile-frozen-cpp",
        "worker_torch.py",
        {"compile": True, "frozen": True, "channels_last": True, "cpp_wrapper": True},
    ),
    Contender("onnxruntime", "worker_onnxruntime.py", model_file="onnx"),
    Contender("openvino", "worker_openvino.py", model_file="onnx"),
)
LOADERS = (
    Contender("torchvision-pillow", "worker_torchvision.py"),
    Contender("torchvision-tensors", "worker_torchvision.py", {"tensors": True}),
)
NCNN = Contender("ncnn", "worker_ncnn.py", model_file="ncnn")  # computes one image at a time

TRAINED = (
    ("resnet-20", 128),
    ("resnet-56", 128),
    ("preact-110", 128),
    ("resnet-18", 16),
    ("resnet-18", 32),
    ("resnet-50", 16),
    ("resnet-50", 32),
)
PREDICTED = (("resnet-20", 1), ("resnet-20", 128), ("resnet-50", 1), ("resnet-50", 16))


def pictures(folder):
    return sum(len(files) for path, _, files in os.walk(folder) if path != folder)


def all_rows(bf16):
    """Every row; those in bfloat16 where the processor computes in it, or they are asked for by name."""
    rows = [Row("train", network, batch) for network, batch in TRAINED]
    rows += [Row("infer", network, batch) for network, batch in PREDICTED]
    if os.path.isdir(PHOTOS):
        rows.append(Row("load", "photos", pictures(PHOTOS)))
    if bf16:
        rows += [Row("train", network, batch, "bfloat16") for network, batch in TRAINED]
    return rows


def choose(rows, patterns):
    """Rows whose name holds one of the shell patterns; all without one."""
    return [r for r in rows if not patterns or any(fnmatch.fnmatch(r.name, f"*{p}*") for p in patterns)]


def contenders(row, patterns=()):
    """Ours first, then the peers."""
    peers = {"train": TRAINERS, "infer": PREDICTORS, "load": LOADERS}[row.kind]
    if row.kind == "infer" and row.batch == 1:
        peers += (NCNN,)
    if row.dtype == "bfloat16":
        peers += FLOAT32_TRAINERS
    everyone = (OURS,) + peers
    return [c for c in everyone if not patterns or any(fnmatch.fnmatch(c.name, p) for p in patterns)]
