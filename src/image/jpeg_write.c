#include "image/jpeg_write.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdio.h> // jpeglib.h needs it first

#include <jpeglib.h>

#include <jerror.h>

// Everything lives here rather than in locals, which a longjmp() may spoil.
typedef struct job {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    const rn_image *image;
    unsigned char *bytes; // libjpeg's, from malloc()
    unsigned long size;
    rn_status st;
} job;

static _Noreturn void on_error(j_common_ptr jpeg)
{
    job *work = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];

    jpeg->err->format_message(jpeg, text);
    work->st = jpeg->err->msg_code == JERR_OUT_OF_MEMORY
                   ? rn_error(RN_ENOMEM, "out of memory in libjpeg: %s", text)
                   : rn_error(RN_EINVAL, "picture of %d x %d cannot be a JPEG: %s",
                              work->image->width, work->image->height, text);
    longjmp(work->escape, 1);
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void start(job *work, int quality)
{
    struct jpeg_compress_struct *jpeg = &work->jpeg;

    jpeg->err = jpeg_std_error(&work->errors);
    work->errors.error_exit = on_error;
    work->errors.output_message = on_output;
    jpeg->client_data = work;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &work->bytes, &work->size);
    jpeg->image_width = (JDIMENSION)work->image->width;
    jpeg->image_height = (JDIMENSION)work->image->height;
    jpeg->input_components = work->image->channels;
    jpeg->in_color_space = work->image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg->dct_method = JDCT_ISLOW;
    jpeg_start_compress(jpeg, TRUE);
}

// The function that longjmp() comes back to.
static rn_status encode(job *work, int quality)
{
    size_t row_bytes = (size_t)work->image->width * (size_t)work->image->channels;

    if (setjmp(work->escape) != 0)
        return work->st;
    start(work, quality);
    while (work->jpeg.next_scanline < work->jpeg.image_height) {
        JSAMPROW row = work->image->pixels + work->jpeg.next_scanline * row_bytes;
        jpeg_write_scanlines(&work->jpeg, &row, 1);
    }
    jpeg_finish_compress(&work->jpeg);
    return RN_OK;
}

rn_status rn_image_encode_jpeg(uint8_t **out, size_t *size, const rn_image *image, int quality)
{
    rn_status st = RN_OK;
    job *work = NULL;

    *out = NULL;
    *size = 0;
    if (quality < 1 || quality > 100)
        return rn_error(RN_EINVAL, "JPEG quality is %d, expected 1 to 100", quality);
    RN_TRY(RN_NEW(&work, 1));
    work->image = image;
    RN_TRY(encode(work, quality));
    *out = work->bytes;
    *size = work->size;
    work->bytes = NULL;
out:
    if (work != NULL) {
        jpeg_destroy_compress(&work->jpeg);
        rn_free(work->bytes);
    }
    rn_free(work);
    return st;
}
