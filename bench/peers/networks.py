"""The networks in PyTorch: He et al.'s for CIFAR-10 here, those for ImageNet from torchvision."""

import torch
import torch.nn.functional as F
from torch import nn


class PadShortcut(nn.Module):
    """Option A: subsample, then channels of zeros before and after."""

    pooling = False  # the same by a pooling of 1x1, for formats that know no steps in slices

    def __init__(self, added, stride):
        super().__init__()
        self.before, self.after, self.stride = added // 2, added - added // 2, stride

    def forward(self, x):
        if self.pooling:
            x = F.max_pool2d(x, 1, self.stride)
        else:
            x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.before, self.after))


def conv3x3(in_channels, channels, stride=1):
    return nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)


def shortcut(in_channels, channels, stride):
    if stride == 1 and in_channels == channels:
        return nn.Identity()
    return PadShortcut(channels - in_channels, stride)


class Unit(nn.Module):
    """Two layers and a shortcut, figure 2 of the 2015 paper."""

    def __init__(self, in_channels, channels, stride, first):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(in_channels, channels, stride), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = conv3x3(channels, channels), nn.BatchNorm2d(channels)
        self.shortcut = shortcut(in_channels, channels, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class PreactUnit(nn.Module):
    """The same with activations before the layers, figure 4 (e) of the 2016 paper."""

    def __init__(self, in_channels, channels, stride, first):
        super().__init__()
        self.bn1 = None if first else nn.BatchNorm2d(in_channels)  # the stem has activated already
        self.conv1 = conv3x3(in_channels, channels, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(channels), conv3x3(channels, channels)
        self.shortcut = shortcut(in_channels, channels, stride)

    def forward(self, x):
        y = x if self.bn1 is None else F.relu(self.bn1(x))
        y = F.relu(self.bn2(self.conv1(y)))
        return self.conv2(y) + self.shortcut(x)


class CifarNetwork(nn.Module):
    """6n + 2 layers in three stages of n units."""

    def __init__(self, depth, unit, classes):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(3, 16), nn.BatchNorm2d(16)
        units, width = [], 16
        for stage in range(3):
            for index in range((depth - 2) // 6):
                stride = 2 if stage > 0 and index == 0 else 1
                units.append(unit(width, 16 << stage, stride, not units))
                width = 16 << stage
        self.units = nn.Sequential(*units)
        self.bn_last = nn.BatchNorm2d(width) if unit is PreactUnit else None
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        x = self.units(F.relu(self.bn1(self.conv1(x))))
        if self.bn_last is not None:
            x = F.relu(self.bn_last(x))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


def initialise(model):
    """He initialisation, so that values neither vanish nor overflow on the way."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def build(name, classes):
    kind, depth = name.split("-")
    if name in ("resnet-18", "resnet-50"):
        from torchvision import models

        return getattr(models, f"resnet{depth}")(weights=None, num_classes=classes)
    model = CifarNetwork(int(depth), PreactUnit if kind == "preact" else Unit, classes)
    if model.conv1.weight.device.type != "meta":
        initialise(model)
    return model


def count_multiply_adds(model, size):
    """Of convolutions and linear layers, for one image."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()

    layers = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    model.eval()(torch.empty(1, 3, size, size, device="meta"))
    for hook in hooks:
        hook.remove()
    return total


def describe(name, classes, size):
    """What has to be equal in our program; takes no memory."""
    with torch.device("meta"):
        model = build(name, classes)
        return {
            "parameters": sum(p.numel() for p in model.parameters()),
            "multiply_adds": count_multiply_adds(model, size),
        }
