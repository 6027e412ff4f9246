"""Write golden_resize.h: what Pillow makes of small pictures (python3 golden_resize.py > golden_resize.h).

Needs Pillow 11.3.0 (`pip install pillow==11.3.0`). Pillow 13 resizes some shapes down before
across, and then rounds some values the other way. The pictures come from a formula that
test_resize.c repeats.
"""

import PIL
from PIL import Image

# name, channels of the picture, its width and height, channels, width and height of the result
RESIZES = [
    ("shrink", 3, 13, 9, 3, 5, 4),
    ("enlarge", 3, 3, 4, 3, 8, 7),
    ("mixed", 3, 50, 3, 3, 7, 8),
    ("strong", 1, 97, 61, 1, 3, 2),
    ("same", 1, 5, 3, 1, 5, 3),
    ("point", 3, 1, 1, 3, 3, 2),
    ("to_gray", 3, 11, 8, 1, 6, 5),
    ("to_colour", 1, 9, 14, 3, 4, 5),
]
# The same, but the picture covers the result, whose middle is cut out.
COVERS = [
    ("cover_wide", 3, 41, 17, 3, 6, 6),
    ("cover_tall", 3, 10, 33, 3, 6, 5),
    ("cover_gray", 3, 23, 19, 1, 5, 8),
    ("cover_small", 1, 2, 3, 3, 7, 5),
]


def picture(channels, width, height):
    data = bytes(
        (x * x * 7 + y * 13 + c * 29 + x * y * 5 + (x // 3 + y // 2) % 2 * 128) % 256
        for y in range(height)
        for x in range(width)
        for c in range(channels)
    )
    return Image.frombytes("L" if channels == 1 else "RGB", (width, height), data)


def convert(image, channels):
    return image.convert("L" if channels == 1 else "RGB")


def cover(image, width, height):
    w, h = image.size
    if w * height <= h * width:
        size = (width, h * width // w)
    else:
        size = (w * height // h, height)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    image = image.resize(size, Image.Resampling.BILINEAR)
    return image.crop((left, top, left + width, top + height))


def print_case(name, values):
    print(f"static const uint8_t golden_{name}[] = {{")
    for i in range(0, len(values), 20):
        print("    " + ", ".join(str(v) for v in values[i : i + 20]) + ",")
    print("};\n")


def print_table(name, cases):
    print(f"static const golden_case {name}[] = {{")
    for case in cases:
        numbers = ", ".join(str(v) for v in case[1:])
        print(f'    {{"{case[0]}", {numbers}, golden_{case[0]}}},')
    print("};")


print(f"// Made by golden_resize.py with Pillow {PIL.__version__}; do not edit.")
print("// clang-format off")
print("#include <stdint.h>\n")
print("typedef struct golden_case {")
print("    const char *name;")
print("    int channels, width, height, to_channels, to_width, to_height;")
print("    const uint8_t *expected;")
print("} golden_case;\n")
for name, c, w, h, to_c, to_w, to_h in RESIZES:
    image = convert(picture(c, w, h), to_c).resize((to_w, to_h), Image.Resampling.BILINEAR)
    print_case(name, image.tobytes())
for name, c, w, h, to_c, to_w, to_h in COVERS:
    print_case(name, cover(convert(picture(c, w, h), to_c), to_w, to_h).tobytes())
print_table("golden_resizes", RESIZES)
print_table("golden_covers", COVERS)
