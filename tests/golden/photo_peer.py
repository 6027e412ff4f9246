#!/usr/bin/env python3
"""Compare the views that are made of photographs with torchvision's, live.

    python3 -m venv venv
    venv/bin/pip install torch torchvision numpy pillow
    venv/bin/python tests/golden/photo_peer.py build/release/tests/golden_test_photographs [--write]

Of every photograph in RESNET_DATA the program writes what a network sees of it: the view that
Resize(256), CenterCrop(224) make, and the ten of Resize(256), TenCrop(224), normalised. Here these
transforms of torchvision make the same of Pillow's picture. Printed, in gray levels (1/255), are the
largest and the mean absolute difference of a value, channel by channel, which may be 1 and 0.3. The ten
crops must lie at the same places. "reduced" is the centre's view of a picture that was decoded as
training's loader does it, a JPEG at a part of its size where it is to be shrunk twice as far anyway:
only measured.

--write stores in photographs.json what test_photographs.c compares with where there is no Python:
  photographs  of the centre's view, for each channel, the mean gray level and eight gray levels
  made         the same of all eleven views of the pictures of made_pictures.h
  averages     over views of two of these by a network with derived weights (make_golden.py), in float64,
               resized across, then down, as Pillow 11 and the program do
Otherwise it checks that these still are what would be stored (gray levels within 1: versions of Pillow may
round otherwise).
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)
import make_golden  # noqa: E402
import views_peer  # noqa: E402

DATA = os.path.join(views_peer.DATA, "imagenet-sample")
GOLDEN = os.path.join(FOLDER, "photographs.json")
MOST, MEAN = 1.0, 0.3  # gray levels
RESIZE, CROP, VIEWS, SAMPLES = 256, 224, 11, 8
NORMALIZE = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])

# made_pictures.h
SEED, PATCH = 21, 16
MADE = [(3, 375, 500), (3, 500, 333), (3, 256, 256), (3, 481, 640), (3, 99, 131), (1, 260, 300)]
AVERAGED = 0, 5
NETWORK = {"model": "resnet-8", "seed": SEED, "shift": 0.0, "classes": 10, "channels": 3}
AVERAGES = {"ten": ("softmax", "logits"), "multi-scale": ("softmax",)}  # what the program averages


def made_bytes(number, part, shape):
    words = make_golden.philox_words(SEED, f"picture {number}/{part}", 0, int(np.prod(shape)))
    return (words >> np.uint32(24)).astype(np.int64).reshape(shape)  # rn_stream_below(256)


def made_picture(number):
    channels, height, width = MADE[number]
    patches = made_bytes(number, "patches", (height // PATCH + 1, width // PATCH + 1, channels))
    noise = made_bytes(number, "noise", (height, width, channels))
    patches = patches.repeat(PATCH, 0).repeat(PATCH, 1)[:height, :width]
    pixels = ((3 * patches + noise) // 4).astype(np.uint8)
    return Image.fromarray(pixels if channels == 3 else pixels[:, :, 0]).convert("RGB")


def torchvision_views(image):
    """uint8 [11][3][224][224]: the centre, then ten crops, by the transforms of torchvision."""
    single = transforms.Compose([transforms.Resize(RESIZE), transforms.CenterCrop(CROP)])
    ten = transforms.Compose([transforms.Resize(RESIZE), transforms.TenCrop(CROP)])
    return np.stack([np.asarray(view).transpose(2, 0, 1) for view in [single(image), *ten(image)]])


def torchvision_cuts(image):
    """Height and width of the resized picture, top, left and whether mirrored of each view."""
    width, height = transforms.Resize(RESIZE)(image).size
    columns = torch.arange(width).expand(height, width)
    rows = torch.arange(height)[:, None].expand(height, width)
    picture = torch.stack([columns, rows])
    cuts = []
    for view in [transforms.CenterCrop(CROP)(picture), *transforms.TenCrop(CROP)(picture)]:
        assert view.shape == (2, CROP, CROP)
        cuts.append([height, width, int(view[1].min()), int(view[0].min()), int(view[0, 0, 0] > view[0, 0, 1])])
    return cuts


def program_views(program, path, folder):
    """What test_photographs.c writes: the cuts, and gray levels of its normalised views."""
    out = os.path.join(folder, "views")
    subprocess.run([program, path, out], check=True)
    with open(out, "rb") as file:
        cuts = np.fromfile(file, np.int32, 5 * VIEWS).reshape(VIEWS, 5).tolist()
        values = np.fromfile(file, np.float32).reshape(VIEWS + 1, 3, CROP, CROP)
    mean, deviation = (v.astype(np.float64)[:, None, None] for v in NORMALIZE)
    return cuts, (values * deviation + mean) * 255


class Differences:
    """Largest and mean absolute difference of each channel, of views [n][3][height][width]."""

    def __init__(self, name, bounded=True):
        self.name, self.bounded = name, bounded
        self.most, self.sum, self.count, self.worst = np.zeros(3), np.zeros(3), 0, ""

    def note(self, ours, theirs, name):
        difference = np.abs(ours - theirs)
        most = difference.max((0, 2, 3))
        if most.max() > self.most.max():
            self.worst = name
        self.most = np.maximum(self.most, most)
        self.sum += difference.sum((0, 2, 3))
        self.count += difference.size // 3

    def within(self):
        rounding = 1e-3  # of the normalised float32
        return self.most.max() <= MOST + rounding and (self.sum / self.count).max() <= MEAN

    def print(self):
        largest = " ".join(f"{m:7.4f}" for m in self.most)
        mean = " ".join(f"{m:7.5f}" for m in self.sum / self.count)
        wrong = "  TOO LARGE" if self.bounded and not self.within() else ""
        print(f"{self.name:10} largest {largest}  mean {mean}  {self.worst}{wrong}")


def compare(program, files):
    single, ten = Differences("centre"), Differences("ten crops")
    reduced = Differences("reduced", bounded=False)
    elsewhere = []
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            image = Image.open(os.path.join(DATA, path)).convert("RGB")
            cuts, ours = program_views(program, os.path.join(DATA, path), folder)
            theirs = torchvision_views(image)
            single.note(ours[:1], theirs[:1], path)
            ten.note(ours[1:VIEWS], theirs[1:], path)
            reduced.note(ours[VIEWS:], theirs[:1], path)
            if cuts != torchvision_cuts(image):
                elsewhere.append(path)
    for differences in single, ten, reduced:
        differences.print()
    print(f"{len(files)} photographs; crops elsewhere than torchvision's: {len(elsewhere)} {elsewhere[:3]}")
    return single.within() and ten.within() and not elsewhere


def view_row(name, view):
    """Mean and SAMPLES gray levels of each channel."""
    row = []
    for c in range(3):
        positions = make_golden.below(SEED, f"{name}/{c}", CROP * CROP, SAMPLES, make_golden.EPOCH_POSITIONS)
        flat = view[c].reshape(-1)
        row += [round(float(flat.mean()), 4)] + [int(flat[p]) for p in positions]
    return row


def averages():
    model = make_golden.build(NETWORK, torch.float64).eval()
    out = {protocol: {kind: [] for kind in kinds} for protocol, kinds in AVERAGES.items()}
    for protocol, kinds in AVERAGES.items():
        for number in AVERAGED:
            batches = views_peer.views(made_picture(number), protocol)
            with torch.inference_mode():
                logits = torch.cat([model(batch.double()) for batch in batches])
            scores = {"softmax": logits.softmax(1), "logits": logits}
            for kind in kinds:
                out[protocol][kind].append([make_golden.digits(v) for v in scores[kind].mean(0).tolist()])
            print(f"{protocol:12} picture {number}: {len(logits)} views, whose probabilities deviate by up to "
                  f"{scores['softmax'].std(0).max():.3f}")
    return out


def make_record(files):
    photographs = {}
    for path in files:
        image = Image.open(os.path.join(DATA, path)).convert("RGB")
        photographs[path] = view_row(path, torchvision_views(image)[0])
    made = []
    for number in range(len(MADE)):
        views = torchvision_views(made_picture(number))
        made.append([view_row(f"picture {number}/view {v}", view) for v, view in enumerate(views)])
    return {"torchvision": torchvision.__version__.split("+")[0], "pillow": PIL.__version__,
            "photographs": photographs, "made": made, "averages": averages()}


def to_text(record):
    """JSON with one row a line."""
    def line(value):
        return json.dumps(value, separators=(",", ":"))
    photographs = ",\n".join(f"  {line(k)}: {line(v)}" for k, v in record["photographs"].items())
    made = ",\n".join("  [" + ",\n   ".join(map(line, rows)) + "]" for rows in record["made"])
    averages = ",\n".join(f"  {line(k)}: {line(v)}" for k, v in record["averages"].items())
    head = ",\n".join(f" {line(k)}: {line(record[k])}" for k in ("torchvision", "pillow"))
    return (f'{{\n{head},\n "photographs": {{\n{photographs}\n }},\n "made": [\n{made}\n ],\n'
            f' "averages": {{\n{averages}\n }}\n}}\n')


def largest_difference(a, b):
    """Of all numbers in two records; infinite if they are not alike."""
    if isinstance(a, dict):
        a, b = (a.items(), b.items()) if a.keys() == b.keys() else ([a], [])
        return max((largest_difference(x[1], y[1]) for x, y in zip(a, b)), default=np.inf)
    if isinstance(a, list):
        return max(map(largest_difference, a, b)) if len(a) == len(b) else np.inf
    return abs(a - b)


def main():
    program = os.path.abspath(sys.argv[1])
    files = sorted(f"{c}/{f}" for c in os.listdir(DATA) if os.path.isdir(os.path.join(DATA, c))
                   for f in os.listdir(os.path.join(DATA, c)))
    good = compare(program, files)
    record = make_record(files)
    if "--write" in sys.argv:
        with open(GOLDEN, "w", encoding="ascii") as file:
            file.write(to_text(record))
    with open(GOLDEN, encoding="ascii") as file:
        stored = json.load(file)
    levels = max(largest_difference(stored[k], record[k]) for k in ("photographs", "made"))
    scores = largest_difference(stored["averages"], record["averages"])
    print(f"photographs.json differs by {levels:.2g} gray levels, averages by {scores:.2g}")
    sys.exit(not good or levels > MOST or scores > 1e-9)


if __name__ == "__main__":
    main()
