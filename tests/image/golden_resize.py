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
# The same, but with a filter and a box: left, top, right, bottom.
PARTS = [
    ("cubic_shrink", 3, 13, 9, 3, 5, 4, "BICUBIC", None),
    ("cubic_enlarge", 3, 3, 4, 3, 8, 7, "BICUBIC", None),
    ("cubic_mixed", 1, 50, 3, 3, 7, 8, "BICUBIC", None),
    ("cubic_strong", 1, 97, 61, 1, 3, 2, "BICUBIC", None),
    ("cubic_same", 3, 5, 3, 3, 5, 3, "BICUBIC", None),
    ("cubic_point", 3, 1, 1, 3, 3, 2, "BICUBIC", None),
    ("cubic_to_gray", 3, 11, 8, 1, 6, 5, "BICUBIC", None),
    ("box_whole", 3, 13, 9, 3, 5, 4, "BILINEAR", (0, 0, 13, 9)),
    ("box_integer", 3, 29, 31, 3, 6, 5, "BILINEAR", (7, 3, 25, 29)),
    ("box_same_size", 1, 19, 17, 1, 6, 5, "BILINEAR", (7, 3, 13, 8)),
    ("box_fraction", 3, 29, 31, 3, 6, 5, "BILINEAR", (3.25, 0.1, 21.7, 30.9)),
    ("box_narrow", 1, 29, 31, 1, 6, 5, "BILINEAR", (17.3, 12.6, 17.9, 13.1)),
    ("box_cubic", 3, 29, 31, 3, 6, 5, "BICUBIC", (7, 3, 25, 29)),
    ("box_cubic_fraction", 3, 29, 31, 3, 5, 6, "BICUBIC", (3.3, 1.7, 28.9, 30.2)),
    ("box_cubic_enlarge", 3, 29, 31, 3, 7, 7, "BICUBIC", (24.5, 27.75, 29, 31)),
    ("box_cubic_strip", 1, 200, 3, 1, 9, 9, "BICUBIC", (0.4, 0, 199.2, 2.5)),
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
    left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
    image = image.resize(size, Image.Resampling.BILINEAR)
    return image.crop((left, top, left + width, top + height))


def print_case(name, values):
    print(f"static const uint8_t golden_{name}[] = {{")
    for i in range(0, len(values), 20):
        print("    " + ", ".join(str(v) for v in values[i : i + 20]) + ",")
    print("};\n")


def print_parts():
    print("static const golden_part golden_parts[] = {")
    for name, *sizes, filter_name, box in PARTS:
        numbers = ", ".join(str(v) for v in sizes)
        edges = ", ".join(f"{float(v)}f" for v in box or (0, 0, 0, 0))
        print(f'    {{{{"{name}", {numbers}, golden_{name}}}, RN_RESIZE_{filter_name}, {{{edges}}}}},')
    print("};")


def print_table(name, cases):
    print(f"static const golden_case {name}[] = {{")
    for case in cases:
        numbers = ", ".join(str(v) for v in case[1:])
        print(f'    {{"{case[0]}", {numbers}, golden_{case[0]}}},')
    print("};")


print(f"// Made by golden_resize.py with Pillow {PIL.__version__}; do not edit.")
print("// clang-format off")
print('#include "resnet/image.h"\n')
print("#include <stdint.h>\n")
print("typedef struct golden_case {")
print("    const char *name;")
print("    int channels, width, height, to_channels, to_width, to_height;")
print("    const uint8_t *expected;")
print("} golden_case;\n")
print("typedef struct golden_part {")
print("    golden_case sizes;")
print("    rn_resize_filter filter;")
print("    float box[4];")
print("} golden_part;\n")
for name, c, w, h, to_c, to_w, to_h in RESIZES:
    image = convert(picture(c, w, h), to_c).resize((to_w, to_h), Image.Resampling.BILINEAR)
    print_case(name, image.tobytes())
for name, c, w, h, to_c, to_w, to_h in COVERS:
    print_case(name, cover(convert(picture(c, w, h), to_c), to_w, to_h).tobytes())
for name, c, w, h, to_c, to_w, to_h, filter_name, box in PARTS:
    image = convert(picture(c, w, h), to_c)
    print_case(name, image.resize((to_w, to_h), Image.Resampling[filter_name], box).tobytes())
print_table("golden_resizes", RESIZES)
print_table("golden_covers", COVERS)
print_parts()
