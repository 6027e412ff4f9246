"""Write golden_damaged.h: what Pillow makes of damaged JPEGs (python3 golden_damaged.py > FILE).

Needs Pillow 11.3.0 (`pip install pillow==11.3.0`). A case is one of a few small files with one edit:
so many bytes removed at a place, and others put there instead.
"""

import io
import random

import PIL
from PIL import Image

EACH = 12  # random edits of each kind for each file


def picture(mode, width, height):
    channels = len(mode) if mode != "L" else 1
    draw = random.Random(0)
    data = bytes(
        (x * 5 + y * (3 * c + 3) + x * y // 7) % 256 // 2 + draw.randrange(60)
        for y in range(height)
        for x in range(width)
        for c in range(channels)
    )
    return Image.frombytes(mode, (width, height), data)


def jpeg(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=60, **options)
    return stream.getvalue()


def files():
    rgb = picture("RGB", 25, 19)
    return {
        "whole_chroma": jpeg(rgb, subsampling=0, optimize=True),
        "half_chroma": jpeg(rgb, optimize=True),
        "restarts": jpeg(rgb, restart_marker_blocks=1, optimize=True),
        "progressive": jpeg(rgb, progressive=True),
        "gray": jpeg(picture("L", 25, 19), optimize=True),
        "cmyk": jpeg(picture("CMYK", 17, 11), optimize=True),
    }


def edits(data):
    draw = random.Random(1)
    scan, end = data.index(b"\xff\xda"), len(data)
    yield from [(0, 0, b""), (end, 0, b"trailing"), (2, 0, b"\0abc"), (scan, 0, b"\0abc")]
    yield from [(scan, 0, b"\xff\xff\xff"), (end - 2, 0, b"xyz"), (end - 2, 2, b"\0\0\0\0\0\0\0\0")]
    yield from [(end - cut, cut, b"") for cut in (1, 2, 3, 4, 5, 8, 20, 60, end // 3)]
    yield from [(end - cut, cut, b"\xff\xd9") for cut in (3, 4, 8, 20, 60, end // 4)]
    markers = [0xD0, 0xD3, 0xD9, 0xE0, 0xC4, 0x01]
    for _ in range(EACH):
        yield draw.randrange(2, scan + 14), 1, draw.randbytes(1)
        at = draw.randrange(scan + 14, end - 2)
        yield at, 1, draw.randbytes(1)
        yield at, min(draw.randrange(1, 9), end - at), b""
        yield at, 0, draw.randbytes(3)
        yield at, 2, bytes([0xFF, draw.choice(markers)])


def mean(data):
    """Of all values of the picture as RGB; -1 where Pillow refuses."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            values = image.convert("RGB").tobytes()
    except (OSError, SyntaxError):
        return -1.0
    return sum(values) / len(values)


def print_bytes(name, values):
    print(f"static const uint8_t damaged_{name}[] = {{")
    for i in range(0, len(values), 20):
        print("    " + ", ".join(str(v) for v in values[i : i + 20]) + ",")
    print("};\n")


print(f"// Made by golden_damaged.py with Pillow {PIL.__version__}; do not edit.")
print("// clang-format off")
print("#include <stddef.h>\n#include <stdint.h>\n")
print("typedef struct damaged_case {")
print("    const uint8_t *bytes;")
print("    size_t size, at, removed, added;")
print("    const char *text; // the added bytes")
print("    double mean;      // of Pillow's picture in RGB; -1: refused")
print("} damaged_case;\n")
for name, data in files().items():
    print_bytes(name, data)
print("static const damaged_case damaged_cases[] = {")
for name, data in files().items():
    for at, removed, added in edits(data):
        found = mean(data[:at] + added + data[at + removed :])
        text = "".join(f"\\x{b:02x}" for b in added)
        edit = f'{at}, {removed}, {len(added)}, "{text}"'
        print(f"    {{damaged_{name}, {len(data)}, {edit}, {found:.2f}}},")
print("};")
