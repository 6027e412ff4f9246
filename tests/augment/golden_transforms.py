"""Write golden_transforms.h: what torchvision makes of small pictures with given parameters.

python3 golden_transforms.py > golden_transforms.h. Needs torchvision and Pillow, on whose 8-bit
pictures torchvision's transforms work. The pictures come from a formula that test_transforms.c
repeats.
"""

import PIL
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode, RandAugment
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op

SMALL, LARGE = (7, 6), (21, 16)  # histograms of fewer than 256 pixels are left as they are

# name, channels, size, value
DIRECT = [
    ("brightness", 3, SMALL, 0.0),
    ("brightness", 3, SMALL, 2.6),
    ("contrast", 3, SMALL, 0.35),
    ("contrast", 1, SMALL, 1.8),
    ("saturation", 3, SMALL, 0.0),
    ("saturation", 3, SMALL, 2.2),
    ("saturation", 1, SMALL, 2.2),
    ("hue", 3, SMALL, -0.5),
    ("hue", 3, SMALL, -0.07),
    ("hue", 3, SMALL, 0.31),
    ("hue", 1, SMALL, 0.31),
    ("sharpness", 3, SMALL, 0.0),
    ("sharpness", 3, (7, 2), 1.5),
    ("sharpness", 1, SMALL, 2.5),
    ("posterize", 3, SMALL, 1),
    ("solarize", 3, SMALL, 100.5),
    ("autocontrast", 1, SMALL, 0),
    ("equalize", 1, LARGE, 0),
    ("rotate", 3, SMALL, 90.0),
    ("rotate", 3, (6, 6), -45.0),
]
# name of the operation, channels, size, magnitude of 30, opposite direction
RANDOM = [
    (name, 3, LARGE if name == "Equalize" else SMALL, magnitude, opposite)
    for name in RandAugment()._augmentation_space(31, (6, 7))
    for magnitude, opposite in ((9, 0), (22, 1))
    if magnitude == 9 or name not in ("Identity", "AutoContrast", "Equalize")
]


def picture(channels, width, height):
    data = bytes(
        20 + (x * x * 7 + y * 13 + c * 29 + x * y * 5 + (x // 3 + y // 2) % 2 * 64) % 197
        for y in range(height)
        for x in range(width)
        for c in range(channels)
    )
    return Image.frombytes("L" if channels == 1 else "RGB", (width, height), data)


def direct(name, image, value):
    if name == "rotate":
        return F.rotate(image, value)
    if name in ("autocontrast", "equalize"):
        return getattr(F, name)(image)
    adjust = "" if name in ("posterize", "solarize") else "adjust_"
    return getattr(F, adjust + name)(image, value)


def rand_augment(name, image, magnitude, opposite):
    space, signed = RandAugment()._augmentation_space(31, (image.height, image.width))[name]
    value = float(space[magnitude]) if space.ndim else 0.0
    value = -value if signed and opposite else value
    return _apply_op(image, name, value, interpolation=InterpolationMode.NEAREST, fill=None)


def print_values(values):
    for i in range(0, len(values), 20):
        print("    " + ", ".join(str(v) for v in values[i : i + 20]) + ",")
    print("};\n")


print(
    f"// Made by golden_transforms.py with torchvision {torchvision.__version__.split('+')[0]} "
    f"and Pillow {PIL.__version__}; do not edit."
)
print("// clang-format off")
print("#include <stdint.h>\n")
for i, (name, channels, size, value) in enumerate(DIRECT):
    print(f"static const uint8_t direct_{i}[] = {{")
    print_values(direct(name, picture(channels, *size), value).tobytes())
for i, (name, channels, size, magnitude, opposite) in enumerate(RANDOM):
    print(f"static const uint8_t random_{i}[] = {{")
    print_values(rand_augment(name, picture(channels, *size), magnitude, opposite).tobytes())
print("typedef struct golden_direct {")
print("    const char *name;\n    int channels, width, height;\n    double value;")
print("    const uint8_t *expected;\n} golden_direct;\n")
print("typedef struct golden_random {")
print("    const char *name;\n    int channels, width, height, magnitude, opposite;")
print("    const uint8_t *expected;\n} golden_random;\n")
print("static const golden_direct golden_directs[] = {")
for i, (name, channels, (width, height), value) in enumerate(DIRECT):
    print(f'    {{"{name}", {channels}, {width}, {height}, {value}, direct_{i}}},')
print("};\n")
print("static const golden_random golden_randoms[] = {")
for i, (name, channels, (width, height), magnitude, opposite) in enumerate(RANDOM):
    print(
        f'    {{"{name}", {channels}, {width}, {height}, {magnitude}, {opposite}, random_{i}}},'
    )
print("};")
