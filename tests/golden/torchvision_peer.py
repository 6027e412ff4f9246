#!/usr/bin/env python3
"""Compare exported ImageNet networks with torchvision and onnxruntime, live.

    python3 -m venv venv
    venv/bin/pip install torch torchvision numpy safetensors pillow onnx onnxruntime
    venv/bin/python tests/golden/torchvision_peer.py build/release/tests/golden_slow_torchvision [--write]

For each network the program writes derived weights as .pth, .safetensors and .onnx (as is, and with
batch norms folded), the photographs as its input tensor, and its logits. Here torchvision loads the
first two with nothing but load_state_dict(strict=True), onnxruntime runs the last two with batch 1 and
7, and every row of logits must agree within 1e-4 of its largest element. The input tensor is checked
against torchvision's evaluation transforms. --write stores torchvision's logits in torchvision.json, with which
slow_torchvision.c compares where there is no Python.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file
from torchvision import transforms

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)
import make_golden  # noqa: E402

BOUND = 1e-4
SEED = 11
SIDE = 224
DATA = os.environ.get("RESNET_DATA", os.path.join(FOLDER, "..", "..", "..", "shared", "data"))
failures = []


def torchvision_input(path):
    """As torchvision's weights ask for: Resize(256), CenterCrop(224), normalised."""
    image = Image.open(os.path.join(DATA, "imagenet-sample", path)).convert("RGB")
    image = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(SIDE)])(image)
    pixels = np.asarray(image, np.float32) / 255
    mean, deviation = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    return ((pixels - mean) / deviation).transpose(2, 0, 1)


def check(what, ours, theirs):
    error = max(float(np.abs(o - t).max() / np.abs(t).max()) for o, t in zip(ours, theirs))
    if not error <= BOUND:
        failures.append(f"{what}: {error:.3g}")
    return error


def check_inputs(images, photographs):
    for image, path in zip(images, photographs):
        # Decoders of JPEG and versions of Pillow differ by a gray level here and there.
        difference = np.abs(image - torchvision_input(path)).max() * 255 * 0.225
        if difference > 3.5:
            failures.append(f"{path}: input differs from torchvision's by {difference:.1f} gray levels")


def load(name, state):
    model = getattr(torchvision.models, name)(weights=None)
    model.load_state_dict(state, strict=True)
    return model.eval()


def run_torch(model, images):
    with torch.inference_mode():
        return model(torch.from_numpy(images)).numpy()


def run_onnx(path, images, batch):
    onnx.checker.check_model(path, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return session.run(None, {name: images[:batch]})[0]


def compare(program, spec, name, photographs, golden):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, spec, folder], check=True)
        images = np.fromfile(f"{folder}/input.f32", np.float32).reshape(-1, 3, SIDE, SIDE)
        ours = np.fromfile(f"{folder}/logits.f32", np.float32).reshape(len(images), -1)
        check_inputs(images, photographs)
        torch_model = load(name, torch.load(f"{folder}/model.pth", weights_only=True))
        theirs = run_torch(torch_model, images)
        errors = [check(f"{spec} .pth", ours, theirs)]
        model = load(name, load_file(f"{folder}/model.safetensors"))
        errors.append(check(f"{spec} .safetensors", ours, run_torch(model, images)))
        for file in "model.onnx", "folded.onnx":
            for batch in 1, 7:
                logits = run_onnx(f"{folder}/{file}", images, batch)
                errors.append(check(f"{spec} {file} batch {batch}", logits, theirs[:batch]))
    print(f"{spec:24}" + "".join(f"{e:10.2g}" for e in errors), flush=True)
    golden[spec] = [make_golden.row(SEED, photographs[i], theirs[i].astype(np.float64))
                    for i in range(len(photographs))]


def write(golden):
    lines = []
    for spec, rows in golden.items():
        lines.append(f" {json.dumps(spec)}: [\n" + ",\n".join(f"  {json.dumps(r)}" for r in rows) + "]")
    with open(os.path.join(FOLDER, "torchvision.json"), "w", encoding="ascii") as file:
        file.write(f'{{"torchvision": {json.dumps(torchvision.__version__.split("+")[0])},\n"models": {{\n'
                   + ",\n".join(lines) + "}}\n")


def main():
    program = sys.argv[1]
    listed = subprocess.run([program, "--list"], check=True, capture_output=True, text=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    photographs = [b for a, b in pairs if a == "photograph"]
    golden = {}
    torch.set_num_threads(2)
    print(f"{'logits, relative':24}" + "".join(f"{t:>10}" for t in
          ["torch", "safet.", "onnx 1", "onnx 7", "folded 1", "folded 7"]))
    for spec, name in pairs:
        if spec != "photograph":
            compare(program, spec, name, photographs, golden)
    if failures:
        sys.exit("\n".join(failures))
    if "--write" in sys.argv:
        write(golden)


main()
