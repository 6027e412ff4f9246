// Write the seeds of fuzz_image into a folder: `make_image_corpus FOLDER`.
#include "image/make_webp.h"

static void save(const char *folder, const char *name, picture_file file)
{
    char path[4096];
    FILE *stream;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    stream = fopen(path, "wb");
    if (stream == NULL || fwrite(file.bytes, 1, file.size, stream) != file.size ||
        fclose(stream) != 0) {
        perror(path);
        exit(1);
    }
    free(file.bytes);
}

static void save_jpegs(const char *folder, uint8_t exif[32])
{
    const J_COLOR_SPACE gray = JCS_GRAYSCALE;

    save(folder, "gray.jpg", make_jpeg(&(jpeg_plan){17, 9, 1, gray, gray, 60, 0, 0, NULL, 0}));
    save(folder, "colour.jpg",
         make_jpeg(&(jpeg_plan){17, 9, 3, JCS_RGB, JCS_YCbCr, 60, 0, 0, exif, 32}));
    save(folder, "progressive.jpg",
         make_jpeg(&(jpeg_plan){17, 9, 3, JCS_RGB, JCS_YCbCr, 60, 1, 0, NULL, 0}));
    save(folder, "arithmetic.jpg",
         make_jpeg(&(jpeg_plan){17, 9, 3, JCS_RGB, JCS_YCbCr, 60, 1, 1, NULL, 0}));
    save(folder, "ycck.jpg",
         make_jpeg(&(jpeg_plan){17, 9, 4, JCS_CMYK, JCS_YCCK, 60, 0, 0, NULL, 0}));
}

static void save_pngs(const char *folder, uint8_t exif[32])
{
    save(folder, "gray16.png",
         make_png(&(png_plan){7, 5, 16, PNG_COLOR_TYPE_GRAY, 1, 0, -1, NULL, 0}));
    save(folder, "palette.png",
         make_png(&(png_plan){7, 5, 4, PNG_COLOR_TYPE_PALETTE, 1, 0, -1, exif + 6, 26}));
    save(folder, "interlaced.png",
         make_png(&(png_plan){7, 5, 8, PNG_COLOR_TYPE_RGB_ALPHA, 4, 1, -1, NULL, 0}));
    save(folder, "key.png", make_png(&(png_plan){7, 5, 2, PNG_COLOR_TYPE_GRAY, 1, 1, 2, NULL, 0}));
}

static void save_webps(const char *folder, uint8_t exif[32])
{
    save(folder, "lossless.webp", make_webp(&(webp_plan){7, 5, true, true, NULL, 0}));
    save(folder, "lossy.webp", make_webp(&(webp_plan){17, 9, false, false, exif + 6, 26}));
    save(folder, "alpha.webp", make_webp(&(webp_plan){17, 9, false, true, NULL, 0}));
    save(folder, "animation.webp", make_webp_animation(&(webp_plan){7, 5, true, false, NULL, 0}));
}

static void save_pnm(const char *folder, const char *name, const char *text)
{
    save(folder, name, (picture_file){(uint8_t *)strdup(text), strlen(text)});
}

int main(int argc, char **argv)
{
    uint8_t exif[32] = "Exif\0";

    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    make_exif(exif + 6, 6, 0);
    save_jpegs(argv[1], exif);
    save_pngs(argv[1], exif);
    save_webps(argv[1], exif);
    save_pnm(argv[1], "raw.ppm", "P6 # comment\n3 2\n255\n0123456789abcdefgh");
    save_pnm(argv[1], "deep.pgm", "P5 2 2 999\n\1\2\1\3\2\4\3\1");
    save_pnm(argv[1], "plain.pgm", "P2 3 2 9 1 2 3 4 5 6");
    return 0;
}
