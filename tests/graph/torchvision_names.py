#!/usr/bin/env python3
"""Writes torchvision_names.txt: names and shapes of torchvision's state dicts, for test_torchvision.c.

    python3 torchvision_names.py >torchvision_names.txt

A line "model PARAMETERS ENTRIES SPEC" begins a model; then a line "NAME SHAPE" stands for an entry, or
with "layerS.{A..B}.NAME SHAPE" for that of units A to B. num_batches_tracked, which only PyTorch
keeps, is left out. Needs torch and torchvision; made with torchvision 0.29.
"""
import re

import torch
import torchvision

MODELS = {f"resnet-{n}": f"resnet{n}" for n in (18, 34, 50, 101, 152)}
MODELS |= {f"vgg-{n}{bn}": f"vgg{n}{bn.replace('-', '_')}" for bn in ("", "-bn") for n in (11, 13, 16, 19)}


def lines(state):
    """The entries, those of several units of a stage with equal shape in one line."""
    units = {}
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        shape = " ".join(str(n) for n in tensor.shape)
        found = re.fullmatch(r"(layer\d)\.(\d+)\.(.*)", name)
        if found:
            units.setdefault((found[1], found[3], shape), []).append(int(found[2]))
        else:
            yield f"{name} {shape}"
    for (stage, name, shape), indices in units.items():
        assert indices == list(range(indices[0], indices[-1] + 1))
        yield f"{stage}.{{{indices[0]}..{indices[-1]}}}.{name} {shape}"


for spec, name in MODELS.items():
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(weights=None)
    parameters = sum(p.numel() for p in model.parameters())
    state = model.state_dict()
    entries = sum(not key.endswith("num_batches_tracked") for key in state)
    print("model", parameters, entries, spec)
    print("\n".join(lines(state)))
