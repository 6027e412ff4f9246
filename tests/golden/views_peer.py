#!/usr/bin/env python3
"""Compare 'resnet eval' over views of photographs with torchvision, live.

    python3 -m venv venv
    venv/bin/pip install torch torchvision numpy pillow
    venv/bin/python tests/golden/views_peer.py build/release/resnet [FOLDER-OF-CLASSES [COUNT]]

A torchvision resnet18 with weights from a seed, saved as a state dict, is evaluated on the photographs
(COUNT of them; without it all) with one crop, ten crops and several scales, averaging probabilities and
logits, here and by the program. Photographs go to the program as PNG, so that JPEG decoders do not
matter, and are resized across, then down, as Pillow 11 and the program do. The averages must agree
within 1e-4, the counts exactly.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms import functional as F

FOLDER = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get("RESNET_DATA", os.path.join(FOLDER, "..", "..", "..", "shared", "data"))
BOUND = 1e-4
SCALES = 224, 256, 384, 480, 640
PROTOCOLS = {
    "single": ["--protocol", "single"],
    "single, odd": ["--protocol", "single", "--resize", "235", "--crop", "200"],
    "ten": ["--protocol", "ten"],
    "multi-scale": ["--protocol", "multi-scale", "--mirror"],
}


def make_model(classes):
    """Weights from a seed; small branches and a strong last layer, for activations as trained ones."""
    torch.manual_seed(1)
    model = torchvision.models.resnet18(weights=None, num_classes=classes)
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.5).mul_(0.25 if name.endswith("bn2") else 1)
                module.bias.normal_(0, 0.2)
        model.fc.weight.mul_(5)
    return model.eval()


def list_photographs(folder, count):
    classes = sorted(d for d in os.listdir(folder) if os.path.isdir(os.path.join(folder, d)))
    files = [(c, f) for c in classes for f in sorted(os.listdir(os.path.join(folder, c)))]
    return classes, files[:: max(1, len(files) // count)] if count else files


def resize(image, side):
    width, height = image.size
    height, width = F._compute_resized_output_size((height, width), [side])
    image = image.resize((width, image.size[1]), Image.Resampling.BILINEAR)
    return image.resize((width, height), Image.Resampling.BILINEAR)


def tensor(image):
    return F.normalize(F.to_tensor(image), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def views(image, protocol):
    if protocol == "multi-scale":
        for side in SCALES:
            whole = tensor(resize(image, side))
            yield torch.stack([whole, whole.flip(2)])
    elif protocol == "ten":
        yield torch.stack([tensor(crop) for crop in F.ten_crop(resize(image, 256), 224)])
    elif protocol == "single":
        yield tensor(F.center_crop(resize(image, 256), 224))[None]
    else:
        yield tensor(F.center_crop(resize(image, 235), 200))[None]


def run_torch(model, image, protocol):
    with torch.inference_mode():
        logits = torch.cat([model(batch) for batch in views(image, protocol)]).double()
    return logits.mean(0).numpy(), logits.softmax(1).mean(0).numpy()


def run_program(program, folder, name, average):
    path = os.path.join(folder, "scores.npy")
    command = [program, "eval", os.path.join(folder, "model.pth"), "--data", os.path.join(folder, "photos"),
               "--average", average, "--save-logits", path, "--json"] + PROTOCOLS[name]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with open(path[:-4] + ".csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return np.load(path), rows, json.loads(result.stdout)


def compare(ours, rows, report, theirs, files, classes):
    """Largest difference of an average, relative to the row's largest; what is wrong, if anything."""
    if [row["picture"] for row in rows] != [f"{c}/{os.path.splitext(f)[0]}.png" for c, f in files]:
        return np.inf, "other pictures, or in another order"
    labels = np.array([classes.index(c) for c, _ in files])
    wrong = int((theirs.argmax(1) != labels).sum())
    top5 = int((np.argsort(-theirs, 1)[:, :5] != labels[:, None]).all(1).sum())
    found = report["count"], report["wrong"], report["wrong_top5"]
    error = (np.abs(ours - theirs).max(1) / np.abs(theirs).max(1)).max()
    if found != (len(files), wrong, top5):
        return error, f"counts {found}, expected {(len(files), wrong, top5)}"
    return error, None if error <= BOUND else f"{error:.3g} is over {BOUND}"


def main():
    program = os.path.abspath(sys.argv[1])
    source = sys.argv[2] if len(sys.argv) > 2 else os.path.join(DATA, "imagenet-sample")
    classes, files = list_photographs(source, int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(len(classes))
        torch.save(model.state_dict(), os.path.join(folder, "model.pth"))
        images = []
        for c in classes:
            os.makedirs(os.path.join(folder, "photos", c))
        for c, f in files:
            images.append(Image.open(os.path.join(source, c, f)).convert("RGB"))
            images[-1].save(os.path.join(folder, "photos", c, os.path.splitext(f)[0] + ".png"))
        for name in PROTOCOLS:
            torch_scores = [run_torch(model, image, name) for image in images]
            for i, average in enumerate(["logits", "softmax"]):
                theirs = np.stack([s[i] for s in torch_scores])
                error, problem = compare(*run_program(program, folder, name, average), theirs, files, classes)
                failed = failed or problem is not None
                print(f"{name:12} {average:8} {len(files)} pictures  {error:.2g}  {problem or 'ok'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
