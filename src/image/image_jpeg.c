#include "image/image.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdio.h> // jpeglib.h needs it first

#include <jpeglib.h>

#include <jerror.h>
#include <string.h>

// Every Huffman-coded block takes a bit or more and covers at most 128 pixels of a picture with odd
// sampling factors, so a file that claims more pixels is cut off or a bomb.
static const uint64_t PIXELS_A_BYTE = 1024;
static const int MOST_SCANS = 256;              // each costs a walk over the whole picture
static const long WORKING_MEMORY = 1024L << 21; // of libjpeg: progressive files need a lot

// Everything lives here rather than in locals, which a longjmp() may spoil.
typedef struct job {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const rn_image_source *source;
    rn_image *image;
    uint8_t *row; // of CMYK
    int orientation;
    bool rows_done;
    rn_status st;
} job;

// Leave libjpeg and decode().
static _Noreturn void leave(job *work, rn_status st)
{
    work->st = st;
    longjmp(work->escape, 1);
}

static _Noreturn void on_error(j_common_ptr jpeg)
{
    job *work = jpeg->client_data;
    int code = jpeg->err->msg_code;
    char text[JMSG_LENGTH_MAX];

    jpeg->err->format_message(jpeg, text);
    if (code == JERR_OUT_OF_MEMORY || code == JERR_NO_BACKING_STORE)
        leave(work, rn_error(RN_ENOMEM, "out of memory in libjpeg: %s", text));
    leave(work, rn_error(RN_EFORMAT, "JPEG is damaged: %s", text));
}

// libjpeg goes on after wrong data, which collections of photographs hold: as in Pillow, a file is
// refused only where it ends before its last row. `level` is -1 for a warning, else a trace
// message.
static void on_message(j_common_ptr jpeg, int level)
{
    job *work = jpeg->client_data;

    if (level >= 0 || jpeg->err->msg_code != JWRN_JPEG_EOF)
        return;
    if (work->rows_done)
        leave(work, RN_OK);
    on_error(jpeg);
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void on_progress(j_common_ptr jpeg)
{
    job *work = jpeg->client_data;

    if (work->jpeg.input_scan_number > MOST_SCANS)
        leave(work, rn_error(RN_EFORMAT, "JPEG has over %d scans", MOST_SCANS));
}

static void set_up(job *work)
{
    work->jpeg.err = jpeg_std_error(&work->errors);
    work->errors.error_exit = on_error;
    work->errors.emit_message = on_message;
    work->errors.output_message = on_output;
    work->jpeg.client_data = work;
    jpeg_create_decompress(&work->jpeg);
    work->jpeg.mem->max_memory_to_use = WORKING_MEMORY;
    work->progress.progress_monitor = on_progress;
    work->jpeg.progress = &work->progress;
    jpeg_mem_src(&work->jpeg, work->source->bytes, work->source->size);
    jpeg_save_markers(&work->jpeg, JPEG_APP0 + 1, 0xffff);
}

static void find_orientation(job *work)
{
    static const char magic[6] = "Exif\0";

    work->orientation = 1;
    for (jpeg_saved_marker_ptr marker = work->jpeg.marker_list; marker; marker = marker->next) {
        if (marker->data_length > sizeof magic && memcmp(marker->data, magic, sizeof magic) == 0) {
            work->orientation = rn_exif_orientation(marker->data + sizeof magic,
                                                    marker->data_length - sizeof magic);
            return;
        }
    }
}

static void read_header(job *work)
{
    struct jpeg_decompress_struct *jpeg = &work->jpeg;

    jpeg_read_header(jpeg, TRUE);
    rn_status st = rn_image_check_size(work->source, jpeg->image_width, jpeg->image_height);
    if (st != RN_OK)
        leave(work, st);
    uint64_t pixels = (uint64_t)jpeg->image_width * jpeg->image_height;
    if (!jpeg->arith_code && pixels / PIXELS_A_BYTE > work->source->size)
        leave(work, rn_error(RN_EFORMAT, "JPEG is damaged: %u x %u pixels in %zu bytes",
                             jpeg->image_width, jpeg->image_height, work->source->size));
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4)
        leave(work, rn_error(RN_EFORMAT, "JPEG has %d components, expected 1, 3 or 4",
                             jpeg->num_components));
    jpeg->out_color_space = jpeg->num_components == 1   ? JCS_GRAYSCALE
                            : jpeg->num_components == 3 ? JCS_RGB
                                                        : JCS_CMYK;
    find_orientation(work);
}

// Of 1/8, 1/4, 1/2 and 1 the first that leaves the picture large enough.
static void choose_scale(job *work)
{
    struct jpeg_decompress_struct *jpeg = &work->jpeg;
    const rn_decode_options *options = &work->source->options;
    const bool transposed = work->orientation >= 5;
    const uint64_t width =
        2 * (uint64_t)(transposed ? options->cover_height : options->cover_width);
    const uint64_t height =
        2 * (uint64_t)(transposed ? options->cover_width : options->cover_height);

    jpeg->scale_num = 1;
    jpeg->scale_denom = width > 0 || height > 0 ? 8 : 1;
    while (jpeg->scale_denom > 1 && (jpeg->image_width < width * jpeg->scale_denom ||
                                     jpeg->image_height < height * jpeg->scale_denom))
        jpeg->scale_denom /= 2;
    jpeg_calc_output_dimensions(jpeg);
}

static void make_room(job *work)
{
    struct jpeg_decompress_struct *jpeg = &work->jpeg;
    const int channels = jpeg->num_components == 1 ? 1 : 3;
    const int width = (int)jpeg->output_width, height = (int)jpeg->output_height;
    rn_status st = rn_image_create_for(&work->image, work->source, channels, width, height);

    if (st == RN_OK)
        st = RN_NEW(&work->row, (size_t)jpeg->output_width * 4);
    if (st != RN_OK)
        leave(work, st);
}

// Adobe's programs, hence nearly all CMYK files, store inverted ink: 255 is none.
static void ink_to_light(uint8_t *rgb, const uint8_t *cmyk, int width)
{
    for (int x = 0; x < width; x++, rgb += 3, cmyk += 4) {
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((cmyk[c] * cmyk[3] + 127) / 255);
    }
}

static void read_pixels(job *work)
{
    struct jpeg_decompress_struct *jpeg = &work->jpeg;
    const size_t row_bytes = (size_t)work->image->width * (size_t)work->image->channels;
    const bool cmyk = jpeg->out_color_space == JCS_CMYK;

    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *dst = work->image->pixels + jpeg->output_scanline * row_bytes;
        JSAMPROW row = cmyk ? work->row : dst;
        if (jpeg_read_scanlines(jpeg, &row, 1) == 1 && cmyk)
            ink_to_light(dst, work->row, work->image->width);
    }
    work->rows_done = true;
    jpeg_finish_decompress(jpeg); // reads to the end marker
}

// The function that longjmp() comes back to.
static rn_status decode(job *work)
{
    if (setjmp(work->escape) != 0)
        return work->st;
    set_up(work);
    read_header(work);
    choose_scale(work);
    make_room(work);
    if (work->source->header_only)
        return RN_OK;
    jpeg_start_decompress(&work->jpeg);
    read_pixels(work);
    return RN_OK;
}

rn_status rn_image_decode_jpeg(rn_image **out, const rn_image_source *source)
{
    rn_status st = RN_OK;
    job *work = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&work, 1));
    work->source = source;
    RN_TRY(decode(work));
    RN_TRY(rn_image_orient(&work->image, work->orientation));
    *out = work->image;
    work->image = NULL;
out:
    if (work != NULL) {
        jpeg_destroy_decompress(&work->jpeg);
        rn_image_free(work->image);
        rn_free(work->row);
    }
    rn_free(work);
    return st;
}
