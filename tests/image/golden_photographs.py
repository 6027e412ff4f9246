"""Write golden_photographs.h: what Pillow makes of photographs (python3 THIS FOLDER > FILE).

FOLDER holds folders of JPEGs named by WordNet id. Of each picture, as RGB and upright, the header has
the means of its quarters, row by row, each of red, green and blue.
"""

import pathlib
import sys

import PIL
from PIL import Image, ImageOps, ImageStat


def quarters(image):
    x, y = image.width // 2, image.height // 2
    for top, bottom in ((0, y), (y, image.height)):
        for left, right in ((0, x), (x, image.width)):
            yield from ImageStat.Stat(image.crop((left, top, right, bottom))).mean


print(f"// Made by golden_photographs.py with Pillow {PIL.__version__}; do not edit.")
print("// clang-format off")
print("typedef struct golden_photograph {")
print("    const char *path;")
print("    int width, height;")
print("    double means[12];")
print("} golden_photograph;\n")
print("static const golden_photograph golden_photographs[] = {")
folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.glob("*/*")):
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    means = ", ".join(f"{mean:.1f}" for mean in quarters(image))
    print(f'    {{"{path.relative_to(folder)}", {image.width}, {image.height},')
    print(f"     {{{means}}}}},")
print("};")
