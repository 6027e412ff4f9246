#include "image/image.h"

#include "base/memory.h"

#include <png.h>
#include <string.h>
#include <zlib.h>

// Deflate shrinks at most 1032 times, so a file that claims more is cut off or a bomb.
static const uint64_t HIGHEST_RATIO = 1032;

// Everything lives here rather than in locals, which a longjmp() may spoil.
typedef struct job {
    const rn_image_source *source;
    size_t at;
    png_structp png;
    png_infop info;
    rn_image *image; // with alpha as its last channel until rn_image_flatten()
    rn_status st;    // of a failure, also of an allocation that libpng would do without
    int orientation, passes;
    bool done;
} job;

static void on_error(png_structp png, png_const_charp text)
{
    job *work = png_get_error_ptr(png);

    if (work->st == RN_OK)
        work->st = rn_error(RN_EFORMAT, "PNG is damaged: %s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t bytes)
{
    job *work = png_get_mem_ptr(png);
    void *memory;

    if (rn_alloc(&memory, 1, bytes) != RN_OK)
        work->st = RN_ENOMEM;
    return memory;
}

static void on_free(png_structp png, png_voidp memory)
{
    (void)png;
    rn_free(memory);
}

static void on_read(png_structp png, png_bytep dst, size_t count)
{
    job *work = png_get_io_ptr(png);

    if (count > work->source->size - work->at)
        png_error(png, "the file ends early");
    memcpy(dst, work->source->bytes + work->at, count);
    work->at += count;
}

static void fail(job *work, rn_status st)
{
    work->st = st;
    png_longjmp(work->png, 1);
}

// Ask for 8-bit gray or colour with or without alpha, whatever is stored.
static void set_up(job *work)
{
    png_set_user_limits(work->png, INT32_MAX, INT32_MAX); // ours is below, with a clear message
    png_set_read_fn(work->png, work, on_read);
    png_read_info(work->png, work->info);

    uint32_t width = png_get_image_width(work->png, work->info);
    uint32_t height = png_get_image_height(work->png, work->info);
    uint64_t raw = (uint64_t)png_get_rowbytes(work->png, work->info) * height;
    rn_status st = rn_image_check_size(work->source, width, height);
    if (st != RN_OK)
        fail(work, st);
    if (raw / HIGHEST_RATIO > work->source->size)
        fail(work, rn_error(RN_EFORMAT, "PNG is damaged: %lu x %lu pixels in %zu bytes",
                            (unsigned long)width, (unsigned long)height, work->source->size));
    png_set_expand(work->png);
    png_set_scale_16(work->png);
}

static void make_room(job *work)
{
    work->passes = png_set_interlace_handling(work->png);
    png_read_update_info(work->png, work->info);
    const int channels = png_get_channels(work->png, work->info);
    const int width = (int)png_get_image_width(work->png, work->info);
    const int height = (int)png_get_image_height(work->png, work->info);
    rn_status st = rn_image_create_for(&work->image, work->source, channels, width, height);
    if (st != RN_OK)
        fail(work, st);
}

static void read_pixels(job *work)
{
    const size_t row_bytes = (size_t)work->image->channels * (size_t)work->image->width;

    for (int pass = 0; pass < work->passes; pass++) {
        for (int y = 0; y < work->image->height; y++)
            png_read_row(work->png, work->image->pixels + (size_t)y * row_bytes, NULL);
    }
    png_read_end(work->png, work->info); // a file without its end is damaged
}

// The function that longjmp() comes back to.
static void decode(job *work)
{
    if (setjmp(png_jmpbuf(work->png)) != 0)
        return;
    work->info = png_create_info_struct(work->png);
    if (work->info == NULL)
        return;
    set_up(work);
    make_room(work);
    if (!work->source->header_only)
        read_pixels(work);
    work->done = true;
}

// Of a chunk with eXIf; as libpng does, one that is damaged is passed over.
static int read_exif(const uint8_t *chunk, uint32_t length)
{
    uLong sum = crc32(0, chunk + 4, length + 4);

    return sum == png_get_uint_32(chunk + 8 + length) ? rn_exif_orientation(chunk + 8, length) : 1;
}

// libpng allocates what some chunks claim before it sees that the file ends.
// The same walk finds the orientation, which may stand behind the pixels.
static rn_status check_chunks(job *work)
{
    enum { SIGNATURE = 8, FRAME = 12 }; // a chunk's length, name and check sum
    const uint8_t *bytes = work->source->bytes;
    const size_t size = work->source->size;

    for (size_t at = SIGNATURE; size >= FRAME && at <= size - FRAME;) {
        const uint8_t *chunk = bytes + at;
        uint32_t length = png_get_uint_32(chunk);
        if (length > size - FRAME - at)
            return rn_error(RN_EFORMAT,
                            "PNG is damaged: chunk at byte %zu has %lu bytes, found %zu", at,
                            (unsigned long)length, size - FRAME - at);
        if (memcmp(chunk + 4, "eXIf", 4) == 0)
            work->orientation = read_exif(chunk, length);
        if (memcmp(chunk + 4, "IEND", 4) == 0)
            return RN_OK;
        at += FRAME + length;
    }
    return rn_error(RN_EFORMAT, "PNG is damaged: the file ends early, at byte %zu", size);
}

rn_status rn_image_decode_png(rn_image **out, const rn_image_source *source)
{
    rn_status st = RN_OK;
    job work = {.source = source, .orientation = 1};

    *out = NULL;
    RN_TRY(check_chunks(&work));
    work.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &work, on_error, on_warning, &work,
                                        on_malloc, on_free);
    if (work.png != NULL)
        decode(&work);
    if (!work.done || work.st != RN_OK) {
        st = work.st != RN_OK ? work.st : rn_error(RN_ENOMEM, "out of memory in libpng");
        goto out;
    }
    rn_image_flatten(work.image);
    RN_TRY(rn_image_orient(&work.image, work.orientation));
    *out = work.image;
    work.image = NULL;
out:
    png_destroy_read_struct(&work.png, &work.info, NULL);
    rn_image_free(work.image);
    return st;
}
