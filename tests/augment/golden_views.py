"""Write golden_views.h: torchvision's crops (python3 golden_views.py > golden_views.h).

Needs torchvision (`pip install torch torchvision`). A picture whose values are its coordinates shows
what Resize, CenterCrop and TenCrop take.
"""

import torch
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, Resize, TenCrop

# height, width, shorter side, crop
CASES = [
    (375, 500, 256, 224),
    (500, 375, 256, 224),
    (333, 500, 256, 224),
    (500, 334, 255, 224),
    (99, 101, 256, 224),
    (224, 224, 256, 224),
    (257, 255, 257, 224),
    (1, 1, 7, 5),
    (3, 10, 7, 4),
    (10, 3, 7, 4),
    (17, 19, 8, 3),
    (19, 17, 9, 6),
    (31, 64, 9, 9),
    (1000, 7, 5, 2),
    (7, 1000, 6, 1),
    (480, 639, 232, 224),
    (639, 480, 235, 224),
    (768, 1024, 342, 299),
]


def corner(crop):
    """top, left and whether it is mirrored."""
    columns, rows = crop[0, 0], crop[1, :, 0]
    assert (rows[1:] - rows[:-1] == 1).all() and (columns[1:] - columns[:-1]).abs().eq(1).all()
    return int(rows[0]), int(columns.min())


def views(height, width, resize, crop):
    width, height = Resize(resize)(Image.new("L", (width, height))).size
    columns = torch.arange(width).expand(height, width)
    rows = torch.arange(height)[:, None].expand(height, width)
    picture = torch.stack([columns, rows])
    single = corner(CenterCrop(crop)(picture))
    return height, width, [single] + [corner(c) for c in TenCrop(crop)(picture)]


print(f"// Made by golden_views.py with torchvision {torchvision.__version__.split('+')[0]}; do not edit.")
print("// clang-format off\n")
print("typedef struct golden_views {")
print("    int height, width, resize, crop, resized_height, resized_width;")
print("    int corner[11][2]; // top and left: CenterCrop's, then TenCrop's")
print("} golden_views;\n")
print("static const golden_views golden[] = {")
for case in CASES:
    height, width, corners = views(*case)
    numbers = ", ".join(f"{{{top}, {left}}}" for top, left in corners)
    print(f"    {{{', '.join(map(str, case))}, {height}, {width},\n     {{{numbers}}}}},")
print("};")
