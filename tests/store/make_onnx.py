"""make_onnx.py: the ONNX files of other programs in tests/store/onnx/, and onnx_expected.h.

Small networks with PyTorch's logits: as torch.onnx.export writes them (with TorchScript, and as it
does unless told otherwise: two files), and composed operator by operator in the forms that the
dynamo exporter and other programs use. Run it with torch, onnx, onnxruntime and onnxscript;
everything follows from fixed numbers, file by file.
"""
import contextlib
import io
import pathlib
import warnings

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
CLASSES, BATCH = 3, 2
warnings.filterwarnings("ignore")
torch.set_num_threads(1)


def fill(count, seed, low, high):
    """onnx_fill() of onnx_models.h."""
    values = numpy.empty(count, numpy.float32)
    state = (seed * 2654435761 + 12345) % 2**32
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        values[i] = numpy.float32(low) + numpy.float32(high - low) * numpy.float32((state >> 8) * 2.0**-24)
    return values


class Pad(nn.Module):
    """Option A, as most CIFAR code has it."""

    def __init__(self, before, after):
        super().__init__()
        self.before, self.after = before, after

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.before, self.after), "constant", 0)


def norm(channels):
    return nn.BatchNorm2d(channels)


class Basic(nn.Module):
    def __init__(self, cin, cout, stride, option):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = norm(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = norm(cout)
        self.shortcut = nn.Identity()
        if stride != 1 or cin != cout:
            self.shortcut = (Pad((cout - cin) // 2, cout - cin - (cout - cin) // 2) if option == "A" else
                             nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), norm(cout)))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        y += self.shortcut(x)
        return F.relu(y)


class Bottleneck(nn.Module):
    def __init__(self, cin, width, stride, option):
        super().__init__()
        cout = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(cin, width, 1, bias=False), norm(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), norm(width)
        self.conv3, self.bn3 = nn.Conv2d(width, cout, 1, bias=False), norm(cout)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), norm(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Preact(nn.Module):
    def __init__(self, cin, cout, stride, first):
        super().__init__()
        self.bn1 = None if first else norm(cin)
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2 = norm(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.project = None
        if stride != 1 or cin != cout:
            self.project = nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x):
        a = x if self.bn1 is None else F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(a))))
        return y + (x if self.project is None else self.project(a))


class Cifar(nn.Module):
    def __init__(self, option="A", width=2):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 3, 1, 1, bias=False), norm(width)
        self.units = nn.ModuleList(
            [Basic(width, width, 1, option), Basic(width, 2 * width, 2, option),
             Basic(2 * width, 4 * width, 2, option)])
        self.linear = nn.Linear(4 * width, CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for unit in self.units:
            x = unit(x)
        x = F.avg_pool2d(x, x.size()[3])
        return self.linear(x.view(x.size(0), -1))


class ImageNet(nn.Module):
    def __init__(self, width=2):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 7, 2, 3, bias=False), norm(width), nn.ReLU(),
                                  nn.MaxPool2d(3, 2, 1))
        self.units = nn.Sequential(
            Bottleneck(width, width, 1, "B"), Bottleneck(4 * width, width, 1, "B"),
            Bottleneck(4 * width, 2 * width, 2, "B"))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width, CLASSES)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.units(self.stem(x))), 1))


class Preactivated(nn.Module):
    def __init__(self, width=2):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 3, 1, 1, bias=False), norm(width)
        self.units = nn.Sequential(Preact(width, width, 1, True), Preact(width, width, 1, False),
                                   Preact(width, 2 * width, 2, False))
        self.bn2 = norm(2 * width)
        self.fc = nn.Linear(2 * width, CLASSES)

    def forward(self, x):
        x = self.units(F.relu(self.bn1(self.conv1(x))))
        x = F.relu(self.bn2(x)).mean((2, 3))
        return self.fc(x)


class Vgg(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 2, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(2, 4, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(16, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, CLASSES))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def settle(model):
    """Parameters that are nobody's default."""
    for number, (name, value) in enumerate(model.state_dict().items()):
        if value.dtype != torch.float32:
            continue
        positive = name.endswith("running_var") or (value.dim() == 1 and name.endswith("weight"))
        low, high = (0.6, 1.4) if positive else (-0.5, 0.5)
        value.copy_(torch.from_numpy(fill(value.numel(), number, low, high)).reshape(value.shape))
    return model.eval()


def export(model, size, path, dynamic, **options):
    names = {"input_names": ["image"], "output_names": ["scores"]}
    if dynamic:
        names["dynamic_axes"] = {"image": {0: "batch"}, "scores": {0: "batch"}}
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(model, (torch.zeros(BATCH, 3, size, size),), str(path), dynamo=False, **names, **options)


def export_by_default(model, size, path):
    """Large values go into PATH.data. Left out: the lines of Python that each node comes from."""
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(model, (torch.zeros(BATCH, 3, size, size),), str(path))
    written = onnx.load(path, load_external_data=False)
    for node in written.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key != "pkg.torch.onnx.stack_trace"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    path.write_bytes(written.SerializeToString())


class Composer:
    """The network of Cifar, in the operators that `style` asks for."""

    def __init__(self, model, style):
        self.state = {k: v.numpy() for k, v in model.state_dict().items()}
        self.style, self.nodes, self.tensors, self.count = style, [], [], 0
        self.type = {"float16": numpy.float16, "float64": numpy.float64}.get(style.get("type"), numpy.float32)

    def constant(self, name, values):
        values = numpy.asarray(values)
        floats = values.dtype.kind == "f"
        if floats:
            values = values.astype(self.type)
        if self.style.get("bfloat16") and floats:
            bits = values.astype(numpy.float32).view(numpy.uint32) >> 16
            tensor = TensorProto(name=name, data_type=TensorProto.BFLOAT16, dims=values.shape,
                                 raw_data=bits.astype(numpy.uint16).tobytes())
        elif self.style.get("typed"):
            tensor = helper.make_tensor(name, helper.np_dtype_to_tensor_dtype(values.dtype), values.shape,
                                        values.flatten().tolist())
        else:
            tensor = numpy_helper.from_array(values, name)
        if self.style.get("constants"):
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.tensors.append(tensor)
        return name

    def node(self, op, inputs, **attributes):
        self.count += 1
        output = f"{op.lower()}_{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"node_{output}", **attributes))
        return output

    def conv(self, x, name, stride, pad):
        weight = self.constant(f"{name}.weight", self.state[f"{name}.weight"])
        inputs = [x, weight]
        if self.style.get("conv_bias"):
            inputs.append(self.constant(f"{name}.bias", fill(len(self.state[f"{name}.weight"]), 5, -1, 1)))
        return self.node("Conv", inputs, strides=[stride] * 2, pads=[pad] * 4, dilations=[1, 1], group=1,
                         auto_pad="NOTSET")

    def norm(self, x, name, conv):
        variance = self.state[f"{name}.running_var"]
        mean = self.state[f"{name}.running_mean"]
        epsilon = 1e-5
        if self.style.get("epsilon"):
            epsilon = self.style["epsilon"]
            variance = variance + numpy.float32(1e-5) - numpy.float32(epsilon)
        if self.style.get("conv_bias"):
            mean = mean + fill(len(mean), 5, -1, 1)
        parts = [self.constant(f"{name}.{part}", values) for part, values in
                 (("weight", self.state[f"{name}.weight"]), ("bias", self.state[f"{name}.bias"]),
                  ("running_mean", mean), ("running_var", variance))]
        return self.node("BatchNormalization", [x] + parts, epsilon=epsilon, momentum=0.9, training_mode=0)

    def layer(self, x, conv, norm, stride, pad):
        return self.norm(self.conv(x, conv, stride, pad), norm, conv)

    def shortcut(self, x, name, stride, cin, cout):
        if stride == 1 and cin == cout:
            return x
        if f"{name}.shortcut.0.weight" in self.state:
            return self.layer(x, f"{name}.shortcut.0", f"{name}.shortcut.1", stride, 0)
        ints = lambda tag, v: self.constant(f"{name}.{tag}", numpy.array(v, numpy.int64))
        last = 2**63 - 1
        for axis in 2, 3:
            x = self.node("Slice", [x, ints(f"s{axis}", [0]), ints(f"e{axis}", [last]), ints(f"a{axis}", [axis]),
                                    ints(f"t{axis}", [2])])
        before = (cout - cin) // 2
        pads = ints("pads", [0, before, 0, 0, 0, cout - cin - before, 0, 0])
        return self.node("Pad", [x, pads, self.constant(f"{name}.zero", numpy.float32(0))], mode="constant")

    def unit(self, x, name, stride):
        cin = self.state[f"{name}.conv1.weight"].shape[1]
        cout = self.state[f"{name}.conv1.weight"].shape[0]
        y = self.node("Relu", [self.layer(x, f"{name}.conv1", f"{name}.bn1", stride, 1)])
        y = self.layer(y, f"{name}.conv2", f"{name}.bn2", 1, 1)
        s = self.shortcut(x, name, stride, cin, cout)
        if self.style.get("identities"):
            s = self.node("Identity", [s])
        return self.node("Relu", [self.node("Add", [s, y] if self.style.get("swapped") else [y, s])])

    def pool(self, x):
        kind = self.style.get("pool", "global")
        if kind == "reduce":
            axes = self.constant("axes", numpy.array([-1, -2], numpy.int64))
            return self.node("ReduceMean", [x, axes], keepdims=1, noop_with_empty_axes=0)
        if kind == "average":
            return self.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
        return self.node("GlobalAveragePool", [x])

    def flat(self, x):
        ints = lambda tag, v: self.constant(tag, numpy.array(v, numpy.int64))
        kind = self.style.get("flat", "flatten")
        if kind == "shape":
            batch = self.node("Shape", [x], start=0, end=1)
            shape = self.node("Concat", [batch, ints("rest", [8])], axis=0)
            return self.node("Reshape", [x, shape], allowzero=1)
        if kind == "squeeze":
            return self.node("Squeeze", [self.node("Squeeze", [x, ints("w", [3])]), ints("h", [-1])])
        if kind == "reshape":
            return self.node("Reshape", [x, ints("shape", [-1, 8])])
        return self.node("Flatten", [x], axis=1)

    def head(self, x):
        weight, bias = self.state["linear.weight"], self.state["linear.bias"]
        if self.style.get("head") == "matmul":
            x = self.node("MatMul", [x, self.constant("linear.weight", weight.T.copy())])
            return self.node("Add", [self.constant("linear.bias", bias), x])
        if self.style.get("head") == "transpose":
            weight = self.node("Transpose", [self.constant("linear.weight", weight)], perm=[1, 0])
            return self.node("Gemm", [x, weight, self.constant("linear.bias", bias)], alpha=1.0, beta=1.0)
        return self.node("Gemm", [x, self.constant("linear.weight", weight), self.constant("linear.bias", bias)],
                         transB=1)

    def model(self, opset=18):
        x = self.node("Relu", [self.layer("image", "conv1", "bn1", 1, 1)])
        for i, stride in enumerate((1, 2, 2)):
            x = self.unit(x, f"units.{i}", stride)
        x = self.flat(self.pool(x))
        if self.style.get("identities"):
            x = self.node("Dropout", [x, self.constant("ratio", numpy.float32(0.5))])
        x = self.head(x)
        if self.style.get("identities"):
            x = self.node("Cast", [x], to=TensorProto.FLOAT)
        kind = {"float16": TensorProto.FLOAT16, "float64": TensorProto.DOUBLE}.get(self.style.get("type"),
                                                                               TensorProto.FLOAT)
        if self.style.get("bfloat16"):
            kind = TensorProto.BFLOAT16
        size = "H" if self.style.get("symbolic") else 8
        graph = helper.make_graph(
            self.nodes, "main_graph", [helper.make_tensor_value_info("image", kind, ["batch", 3, size, size])],
            [helper.make_tensor_value_info(x, kind, ["batch", CLASSES])], self.tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def logits(model, size):
    images = torch.from_numpy(fill(BATCH * 3 * size * size, 9, -2, 2)).reshape(BATCH, 3, size, size)
    with torch.no_grad():
        return images.numpy(), model(images).numpy()


def check(path, images, expected, tolerance):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0]
    kind = {"tensor(float16)": numpy.float16, "tensor(double)": numpy.float64}.get(first.type, numpy.float32)
    got = session.run(None, {first.name: images.astype(kind)})[0].astype(numpy.float32)
    assert abs(got - expected).max() < tolerance, (path, abs(got - expected).max())


CIFAR_A = "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=A"
CIFAR_B = CIFAR_A[:-1] + "B"
rows = []


def record(name, spec, model, size, tolerance, ran=True):
    images, expected = logits(model, size)
    path = HERE / "onnx" / f"{name}.onnx"
    if ran:
        check(path, images, expected, max(tolerance, 1e-5))
    rows.append((name, spec, size, tolerance, expected))
    print(name, path.stat().st_size)


def exported():
    keep = {"do_constant_folding": False, "training": torch.onnx.TrainingMode.PRESERVE}
    cifar = settle(Cifar("A"))
    export(cifar, 8, HERE / "onnx/script-folded.onnx", True)
    record("script-folded", CIFAR_A, cifar, 8, 1e-5)
    export(cifar, 8, HERE / "onnx/script-plain.onnx", False, **keep)
    record("script-plain", CIFAR_A, cifar, 8, 1e-5)
    imagenet = settle(ImageNet())
    export(imagenet, 32, HERE / "onnx/script-bottleneck.onnx", True, **keep)
    record("script-bottleneck",
           "resnet:units=2,1;block=bottleneck;width=2;stem=imagenet;unit=original;shortcut=B;stride=3x3",
           imagenet, 32, 1e-5)
    preact = settle(Preactivated())
    export(preact, 8, HERE / "onnx/script-preact.onnx", True)
    record("script-preact", "resnet:units=2,1;block=basic;width=2;stem=cifar;unit=preact;shortcut=B", preact, 8, 1e-5)
    export_by_default(cifar, 8, HERE / "onnx/default.onnx")
    record("default", CIFAR_A, cifar, 8, 1e-5)
    torch.manual_seed(1)
    fresh = Cifar("B").eval()  # batch norms of no effect vanish altogether
    export_by_default(fresh, 8, HERE / "onnx/fresh.onnx")
    record("fresh", CIFAR_B, fresh, 8, 1e-5)
    vgg = settle(Vgg())
    export(vgg, 8, HERE / "onnx/script-vgg.onnx", True)
    check(HERE / "onnx/script-vgg.onnx", *logits(vgg, 8), 1e-5)  # of the family's form, too narrow for it


def composed():
    styles = {
        "dynamo": ("A", {"pool": "reduce", "flat": "shape"}, 1e-5),
        "typed": ("B", {"typed": True, "head": "matmul", "flat": "squeeze", "swapped": True}, 1e-5),
        "half": ("B", {"type": "float16", "pool": "average"}, 2e-2),
        "bfloat": ("B", {"bfloat16": True, "head": "transpose", "symbolic": True}, 2e-1),
        "double": ("A", {"type": "float64", "typed": True, "flat": "reshape"}, 1e-5),
        "biased": ("B", {"conv_bias": True, "epsilon": 1e-3, "constants": True, "identities": True}, 1e-5),
    }
    for name, (option, style, tolerance) in styles.items():
        model = settle(Cifar(option))
        onnx.save(Composer(model, style).model(), HERE / f"onnx/{name}.onnx")
        record(name, CIFAR_A if option == "A" else CIFAR_B, model, 8, tolerance, ran=name not in ("bfloat", "double"))


def write_header():
    lines = ["/** Written by make_onnx.py. */", "#ifndef STORE_ONNX_EXPECTED_H", "#define STORE_ONNX_EXPECTED_H", "",
             "/** One file of onnx/: the spec that its structure tells, and PyTorch's logits. */",
             "static const struct {", "    const char *file, *spec;", "    int size; // of the input",
             "    double tolerance;", f"    float logits[{BATCH * CLASSES}];", "} onnx_expected[] = {"]
    for name, spec, size, tolerance, expected in rows:
        numbers = ", ".join(f"{float(v):.9g}" + ("" if any(c in f"{float(v):.9g}" for c in ".e") else ".0") + "f"
                            for v in expected.flatten())
        lines += [f'    {{"{name}.onnx", "{spec}", {size}, {tolerance:g}, {{{numbers}}}}},']
    lines += ["};", "", "#endif", ""]
    (HERE / "onnx_expected.h").write_text("\n".join(lines))


if __name__ == "__main__":
    exported()
    composed()
    write_header()
