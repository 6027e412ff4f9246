#!/usr/bin/env python3
"""Write the golden values that test_golden_ops.c and test_golden_network.c compare with.

    python3 -m venv venv
    venv/bin/pip install torch==2.15.0 numpy
    venv/bin/python tests/golden/make_golden.py      # a few minutes; writes tests/golden/*.json

The truth is PyTorch in float64. How far PyTorch's own float32 is from that truth is recorded beside
it ("float32"), as the yardstick for ours: the largest difference over all elements and over several
runs, the first with the weights as they are, the others with each moved by at most one unit in the
last place. So it bounds what rounding alone may do, on any machine.

Rounding can do much where a ReLU's input is so near 0 that it decides the gradient: each such element
may change a gradient by per cents, and further SGD steps multiply it. The cases are chosen (seed,
learning rate) so that no run meets one; with ten steps of 20 layers that takes "shift": BN biases of
+shift on even and -shift on odd channels, which keep most ReLU inputs away from 0. Cases without it
have ordinary biases.

Inputs are not stored but drawn on both sides (derived.h is the same in C):
  stream   Philox4x32-10, key = seed, counter = {block, fnv1a32(NAME), epoch, 7 (RN_PURPOSE_TEST)}
  values   float32 of low + (high - low) * ((bits >> 8) * 2^-24), computed in double
  labels   rn_stream_below(classes)
Names and ranges for a network, step k from 0:
  "images", epoch k     [-1, 1)            "labels", epoch k     0 .. classes - 1
  convolution weight    +- sqrt(6 / (in * kernel * kernel))     linear weight   +- sqrt(3 / in)
  linear bias           +- 0.1             BN gain [0.5, 1.5)
  BN bias               +- 0.25, then + shift on even channels and - shift on odd, in float32
  running mean          +- 0.1             running variance     [0.5, 1.5)
each parameter under its own name, epoch 0.

A stored tensor is one row, [count, sum, sum of |x|, max |x|, samples...], in 12 digits. With `count`
samples they are the whole tensor in order, else those at rn_stream_below(count) of the stream named
after the tensor, epoch 1000.
"""
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

FOLDER = os.path.dirname(os.path.abspath(__file__))
PURPOSE_TEST = 7
EPOCH_POSITIONS = 1000
SAMPLES = 8
FLOAT32_RUNS = 16


# ---- streams: src/base/random.c -------------------------------------------------------------------


def fnv1a32(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def philox_words(seed, name, epoch, count):
    """The first `count` words of the stream, uint32."""
    blocks = (count + 3) // 4
    mask = np.uint64(0xFFFFFFFF)
    c = [np.arange(blocks, dtype=np.uint64)] + [
        np.full(blocks, v, dtype=np.uint64) for v in (fnv1a32(name), epoch, PURPOSE_TEST)
    ]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c[0]
        p1 = np.uint64(0xCD9E8D57) * c[2]
        high0, low0, high1, low1 = p0 >> np.uint64(32), p0 & mask, p1 >> np.uint64(32), p1 & mask
        c = [high1 ^ c[1] ^ np.uint64(k0), low1, high0 ^ c[3] ^ np.uint64(k1), low0]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1).reshape(-1)[:count].astype(np.uint32)


def values(seed, name, shape, low=-1.0, high=1.0, epoch=0):
    words = philox_words(seed, name, epoch, math.prod(shape))
    uniform = (words >> np.uint32(8)).astype(np.float64) * 2.0**-24
    flat = (low + (high - low) * uniform).astype(np.float32)
    return torch.from_numpy(flat.reshape(shape))


def below(seed, name, bound, count, epoch=0):
    """rn_stream_below(): Lemire's multiplication with rejection."""
    threshold = (2**32 - bound) % bound
    out = []
    for word in philox_words(seed, name, epoch, 2 * count + 64):
        product = int(word) * bound
        if product & 0xFFFFFFFF >= threshold:
            out.append(product >> 32)
    return out[:count]


# ---- networks -------------------------------------------------------------------------------------


class PadShortcut(nn.Module):
    """Option A: subsample, then zero channels before and after."""

    def __init__(self, added, stride):
        super().__init__()
        self.added, self.stride = added, stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        before = self.added // 2
        return F.pad(x, (0, 0, 0, 0, before, self.added - before))


class Unit(nn.Module):
    def __init__(self, in_channels, channels, stride, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.residual = shortcut is not None
        changes = stride != 1 or in_channels != channels
        if self.residual and (changes or shortcut == "C"):
            self.downsample = (
                PadShortcut(channels - in_channels, stride)
                if shortcut == "A"
                else nn.Sequential(
                    nn.Conv2d(in_channels, channels, 1, stride, bias=False),
                    nn.BatchNorm2d(channels),
                )
            )
        elif self.residual:
            self.downsample = nn.Identity()

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.downsample(x)) if self.residual else F.relu(y)


class Cifar(nn.Module):
    """Networks of 6n + 2 layers; shortcut None makes the plain one."""

    def __init__(self, depth, classes, channels, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        width = 16
        for stage in (1, 2, 3):
            units = []
            for unit in range((depth - 2) // 6):
                stride = 2 if stage > 1 and unit == 0 else 1
                units.append(Unit(width, 8 << stage, stride, shortcut))
                width = 8 << stage
            setattr(self, f"layer{stage}", nn.Sequential(*units))
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def is_norm(name):
    return ".bn" in "." + name or "downsample.1." in name


def parameter_range(name, shape):
    if name.endswith("running_mean"):
        return -0.1, 0.1
    if name.endswith("running_var") or (is_norm(name) and name.endswith("weight")):
        return 0.5, 1.5
    if name.endswith("bias"):
        return (-0.25, 0.25) if is_norm(name) else (-0.1, 0.1)
    half = math.sqrt((6.0 if len(shape) == 4 else 3.0) / math.prod(shape[1:]))
    return -half, half


def fill(model, case):
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        low, high = parameter_range(name, tensor.shape)
        drawn = values(case["seed"], name, tuple(tensor.shape), low, high)
        if is_norm(name) and name.endswith("bias"):
            drawn[0::2] += case["shift"]
            drawn[1::2] -= case["shift"]
        tensor.copy_(drawn)


# ---- one case -------------------------------------------------------------------------------------


def jitter(model, run):
    """Move each weight by up to a unit in the last place; nothing in run 0."""
    generator = torch.Generator().manual_seed(run)
    for tensor in model.state_dict().values():
        if run > 0 and tensor.dtype.is_floating_point:
            tensor *= 1 + (torch.rand(tensor.shape, generator=generator) - 0.5) * 2.0**-22


def build(case, dtype, run=0):
    kind, depth = case["model"].split(":")[0].split("-")
    shortcut = case["model"].partition("shortcut=")[2] or "A"
    model = Cifar(int(depth), case["classes"], case["channels"], None if kind == "plain" else shortcut)
    fill(model, case)
    jitter(model, run)
    return model.to(dtype)


def make_optimizer(model, case):
    named = list(model.named_parameters())
    weights = [p for n, p in named if not is_norm(n) and n.endswith("weight")]
    others = [p for n, p in named if is_norm(n) or not n.endswith("weight")]
    decay = case["weight_decay"]
    groups = [
        {"params": weights, "weight_decay": decay},
        {"params": others, "weight_decay": decay if case["decay_all"] else 0.0},
    ]
    return torch.optim.SGD(groups, lr=case["lr"], momentum=case["momentum"], nesterov=case["nesterov"])


def batch(case, step, dtype):
    shape = (case["batch"], case["channels"], case["height"], case["width"])
    images = values(case["seed"], "images", shape, epoch=step).to(dtype)
    labels = below(case["seed"], "labels", case["classes"], case["batch"], epoch=step)
    return images, torch.tensor(labels)


def evaluate(model, images):
    model.eval()
    with torch.no_grad():
        logits = model(images)
    model.train()
    return logits


def run_case(case, dtype, run=0):
    """All compared quantities: {group: {name: float64 array}}."""
    model = build(case, dtype, run)
    optimizer = make_optimizer(model, case)
    first, _ = batch(case, 0, dtype)
    out = {"eval before": {"logits": evaluate(model, first)}}
    losses = []
    for step in range(case["steps"]):
        images, labels = batch(case, step, dtype)
        optimizer.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=case["label_smoothing"])
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out["logits"] = {"logits": logits.detach()}
            out["gradients"] = {n: p.grad.clone() for n, p in model.named_parameters()}
        optimizer.step()
    named = dict(model.named_parameters())
    state = model.state_dict()
    out["loss"] = {"losses": torch.tensor(losses, dtype=torch.float64)}
    out["parameters"] = {n: p.detach() for n, p in named.items()}
    out["momentum"] = {n: optimizer.state[p]["momentum_buffer"] for n, p in named.items()}
    out["running statistics"] = {n: t for n, t in state.items() if "running_" in n}
    out["eval after"] = {"logits": evaluate(model, first)}
    return {
        group: {n: t.detach().to(torch.float64).numpy() for n, t in tensors.items()}
        for group, tensors in out.items()
    }


# ---- rows and differences -------------------------------------------------------------------------


def digits(number):
    return float(f"{number:.12g}")


def row(seed, name, tensor, samples=SAMPLES):
    flat = tensor.reshape(-1)
    positions = range(flat.size)
    if flat.size > samples:
        positions = below(seed, name, flat.size, samples, EPOCH_POSITIONS)
    numbers = [flat.sum(), np.abs(flat).sum(), np.abs(flat).max()] + [flat[p] for p in positions]
    return [flat.size] + [digits(n) for n in numbers]


def difference(truth, other):
    """Largest difference over a group: absolute, and over the largest |x| of the same tensor."""
    absolute = {n: float(np.abs(t - other[n]).max()) for n, t in truth.items()}
    relative = [absolute[n] / float(np.abs(t).max()) for n, t in truth.items()]
    return [max(absolute.values()), max(relative)]


def largest(differences):
    return [float(f"{max(column):.3g}") for column in zip(*differences)]


def to_text(record):
    """JSON with one row a line."""
    lines = []
    for key, value in record.items():
        if key != "groups":
            lines.append(f' {json.dumps(key)}: {json.dumps(value)}')
    groups = []
    for group, tensors in record["groups"].items():
        rows = ",\n".join(
            f'   {json.dumps(n)}: {json.dumps(r, separators=(",", ":"))}' for n, r in tensors.items()
        )
        groups.append(f'  {json.dumps(group)}: {{\n{rows}\n  }}')
    lines.append(' "groups": {\n' + ",\n".join(groups) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def record_case(name, case):
    truth = run_case(case, torch.float64)
    single = [run_case(case, torch.float32, run) for run in range(FLOAT32_RUNS)]
    record = {"pytorch": torch.__version__.split("+")[0], **case}
    record["float32"] = {g: largest([difference(truth[g], s[g]) for s in single]) for g in truth}
    whole = ("logits", "losses")
    record["groups"] = {
        group: {n: row(case["seed"], n, t, t.size if n in whole else SAMPLES) for n, t in tensors.items()}
        for group, tensors in truth.items()
    }
    path = os.path.join(FOLDER, f"network-{name}.json")
    with open(path, "w") as file:
        file.write(to_text(record))
    print(f"{name}: losses {' '.join(f'{x:.4f}' for x in truth['loss']['losses'])}")
    for group, (absolute, relative) in record["float32"].items():
        print(f"    float32 {group:20} absolute {absolute:9.2e}  relative {relative:9.2e}")


BASE = {
    "model": "resnet-20", "seed": 3, "shift": 3.0, "classes": 10,
    "channels": 3, "height": 32, "width": 32, "batch": 8, "steps": 10,
    "lr": 0.0005, "momentum": 0.9, "weight_decay": 1e-4, "decay_all": True, "nesterov": False,
    "label_smoothing": 0.0,
}  # fmt: skip
SMALL = {
    **BASE, "model": "resnet-8", "seed": 4, "shift": 0.0,
    "height": 16, "width": 16, "batch": 6, "steps": 4, "lr": 0.02,
}  # fmt: skip
OPTION_B = {"model": "resnet-20:shortcut=B", "seed": 5, "shift": 3.0, "batch": 4, "steps": 2, "lr": 0.002}
NETWORKS = {
    "resnet-20": BASE,
    "plain-20": {**BASE, "model": "plain-20", "seed": 4, "lr": 0.005},
    "option-b": {**BASE, **OPTION_B},
    "option-c": {**SMALL, "model": "resnet-8:shortcut=C"},
    "nesterov": {**SMALL, "nesterov": True},
    "smoothing": {**SMALL, "label_smoothing": 0.1, "decay_all": False, "weight_decay": 0.01},
    "odd": {**SMALL, "batch": 5, "height": 17, "width": 19, "classes": 7},
    "gray": {**SMALL, "channels": 1, "height": 28, "width": 28, "batch": 5},
}


# ---- single ops -----------------------------------------------------------------------------------


class Draw:
    """Inputs of one op: draw(part, shape) is the stream "OP/part"."""

    def __init__(self, op, dtype):
        self.op, self.dtype, self.leaves = op, dtype, {}

    def __call__(self, part, shape, low=-1.0, high=1.0, grad=True):
        tensor = values(1, f"{self.op}/{part}", tuple(shape), low, high).to(self.dtype)
        self.leaves[part] = tensor.requires_grad_(grad)
        return tensor


def op_conv(draw, o):
    x = draw("src", (o["n"], o["c"], o["h"], o["w"]))
    w = draw("weights", (o["out"], o["c"], o["kernel"], o["kernel"]))
    b = draw("bias", (o["out"],)) if o["bias"] else None
    return F.conv2d(x, w, b, o["stride"], o["pad"]), {}


def op_linear(draw, o):
    x = draw("src", (o["n"], o["c"]))
    return F.linear(x, draw("weights", (o["out"], o["c"])), draw("bias", (o["out"],))), {}


def op_batch_norm(draw, o):
    shape, c = (o["n"], o["c"], o["h"], o["w"]), (o["c"],)
    x = draw("src", shape)
    gain, bias = draw("weights", c, 0.5, 1.5), draw("bias", c)
    mean, variance = draw("mean", c, grad=False), draw("variance", c, 0.5, 1.5, grad=False)
    y = F.batch_norm(x, mean, variance, gain, bias, o["training"], 0.1, 1e-5)
    if o["add"]:
        y = y + draw("src2", shape)
    y = F.relu(y) if o["relu"] else y
    return y, {"mean": mean, "variance": variance} if o["training"] else {}


def op_max_pool(draw, o):
    x = draw("src", (o["n"], o["c"], o["h"], o["w"]))
    return F.max_pool2d(x, o["kernel"], o["stride"], o["pad"]), {}


def op_average_pool(draw, o):
    return draw("src", (o["n"], o["c"], o["h"], o["w"])).mean((2, 3)), {}


def op_gate(draw, o):
    shape = (o["n"], o["c"], o["h"], o["w"])
    s = torch.sigmoid(draw("src2", shape, -4.0, 4.0))
    return draw("src", shape) * (1 - s if o["complement"] else s), {}


def op_flatten(draw, o):
    return draw("src", (o["n"], o["c"], o["h"], o["w"])).flatten(1), {}


def op_shortcut_pad(draw, o):
    x = draw("src", (o["n"], o["c"], o["h"], o["w"]))
    return PadShortcut(o["out"] - o["c"], o["stride"])(x), {}


def op_cross_entropy(draw, o):
    x = draw("src", (o["n"], o["c"]), -4.0, 4.0)
    labels = torch.tensor(below(1, f"{draw.op}/labels", o["c"], o["n"]))
    if o.get("mixed"):
        other = torch.tensor(below(1, f"{draw.op}/labels_b", o["c"], o["n"]))
        share = draw("shares", (o["n"], 1), 0.0, 1.0, grad=False)
        labels = share * F.one_hot(labels, o["c"]) + (1 - share) * F.one_hot(other, o["c"])
    return F.cross_entropy(x, labels, label_smoothing=o["smoothing"]), {}


BN = {"n": 3, "c": 5, "h": 7, "w": 6, "training": True, "add": False, "relu": False}
CONV = {"n": 2, "c": 5, "h": 9, "w": 7, "out": 6, "kernel": 3, "stride": 1, "pad": 1, "bias": False}
OPS = {
    "conv-3x3": ("conv", {**CONV, "bias": True}),
    "conv-3x3-stride-2": ("conv", {**CONV, "stride": 2, "c": 3, "h": 8}),
    "conv-1x1-stride-2": ("conv", {**CONV, "kernel": 1, "stride": 2, "pad": 0}),
    "conv-7x7-stride-2": ("conv", {**CONV, "kernel": 7, "stride": 2, "pad": 3, "h": 13, "w": 15}),
    "linear": ("linear", {"n": 3, "c": 11, "out": 7}),
    "batch-norm": ("batch_norm", BN),
    "batch-norm-relu": ("batch_norm", {**BN, "relu": True}),
    "batch-norm-add-relu": ("batch_norm", {**BN, "relu": True, "add": True}),
    "batch-norm-inference": ("batch_norm", {**BN, "training": False}),
    "max-pool": ("max_pool", {"n": 2, "c": 3, "h": 9, "w": 8, "kernel": 3, "stride": 2, "pad": 1}),
    "average-pool": ("average_pool", {"n": 3, "c": 5, "h": 7, "w": 5}),
    "gate": ("gate", {"n": 2, "c": 5, "h": 7, "w": 6, "complement": False}),
    "gate-complement": ("gate", {"n": 2, "c": 5, "h": 7, "w": 6, "complement": True}),
    "flatten": ("flatten", {"n": 2, "c": 5, "h": 3, "w": 4}),
    "shortcut-pad": ("shortcut_pad", {"n": 2, "c": 3, "h": 7, "w": 5, "out": 8, "stride": 2}),
    "cross-entropy": ("cross_entropy", {"n": 5, "c": 7, "smoothing": 0.0}),
    "cross-entropy-smoothing": ("cross_entropy", {"n": 5, "c": 7, "smoothing": 0.1}),
    "cross-entropy-mixed": ("cross_entropy", {"n": 5, "c": 7, "smoothing": 0.0, "mixed": True}),
    "cross-entropy-mixed-smoothing": ("cross_entropy", {"n": 5, "c": 7, "smoothing": 0.1, "mixed": True}),
}


def run_op(name, kind, options, dtype):
    draw = Draw(name, dtype)
    dst, extra = globals()[f"op_{kind}"](draw, options)
    out = {"dst": dst, **extra}
    if options.get("training", True):
        diff = torch.ones((), dtype=dtype) if dst.ndim == 0 else draw("diff_dst", dst.shape, grad=False)
        dst.backward(diff)
        out |= {f"diff_{p}": t.grad for p, t in draw.leaves.items() if t.requires_grad}
    return {part: t.detach().to(torch.float64).numpy() for part, t in out.items()}


def record_ops():
    groups, float32, options = {}, {}, {}
    for name, (kind, o) in OPS.items():
        truth = run_op(name, kind, o, torch.float64)
        float32[name] = largest([difference(truth, run_op(name, kind, o, torch.float32))])
        groups[name] = {p: row(1, f"{name}/{p}", t, 16) for p, t in truth.items()}
        options[name] = {"kind": kind, **o}
    record = {"pytorch": torch.__version__.split("+")[0], "ops": options, "float32": float32}
    with open(os.path.join(FOLDER, "ops.json"), "w") as file:
        file.write(to_text({**record, "groups": groups}))


def main():
    torch.set_num_threads(1)
    record_ops()
    for name, case in NETWORKS.items():
        record_case(name, case)


if __name__ == "__main__":
    main()
