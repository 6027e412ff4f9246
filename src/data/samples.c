#include "data/samples.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/photos.h"

#include <string.h>

enum { MAX_NAME_BYTES = 100, MAX_NAMES = 10000, MAX_NAMES_FILE_BYTES = 1 << 20 };

static void free_names(char **names, int count)
{
    for (int i = 0; names != NULL && i < count; i++)
        rn_free(names[i]);
    rn_free(names);
}

// names NULL: the numbers from 0. Names of folders may be any bytes, but files of models hold
// UTF-8, and what they say is compared with these.
static rn_status copy_names(char ***out, const char *const *names, int count)
{
    rn_status st = RN_OK;
    char **copies = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&copies, (size_t)count));
    for (int i = 0; i < count; i++) {
        if (names == NULL)
            RN_TRY(rn_format(&copies[i], "%d", i));
        else
            RN_TRY(rn_text_repair(&copies[i], names[i]));
    }
    *out = copies;
    copies = NULL;
out:
    free_names(copies, count);
    return st;
}

size_t rn_samples_image_bytes(const rn_samples *samples)
{
    return (size_t)samples->channels * (size_t)samples->height * (size_t)samples->width;
}

static bool has_any_size(const rn_samples_shape *shape) // encoded pictures
{
    return shape->height == 0 && shape->width == 0;
}

// All but the images.
static rn_status create(rn_samples **out, const rn_samples_shape *shape, const char *name)
{
    rn_status st = RN_OK;
    rn_samples *samples = NULL;

    *out = NULL;
    if (shape->count < 1 || shape->count > UINT32_MAX || shape->channels < 1 ||
        (!has_any_size(shape) && (shape->height < 1 || shape->width < 1)) || shape->classes < 1)
        return rn_error(RN_EINVAL, "'%s': %zu images of %d x %d x %d in %d classes: out of range",
                        name, shape->count, shape->channels, shape->height, shape->width,
                        shape->classes);
    RN_TRY(RN_NEW(&samples, 1));
    samples->count = shape->count;
    samples->channels = shape->channels;
    samples->height = shape->height;
    samples->width = shape->width;
    samples->classes = shape->classes;
    RN_TRY(rn_strdup(&samples->name, name));
    RN_TRY(copy_names(&samples->label_names, NULL, samples->classes));
    RN_TRY(RN_NEW(&samples->labels, samples->count));
    *out = samples;
    samples = NULL;
out:
    rn_samples_free(samples);
    return st;
}

rn_status rn_samples_create(rn_samples **out, const rn_samples_shape *shape, const char *name)
{
    rn_status st = RN_OK;
    rn_samples *samples = NULL;

    *out = NULL;
    RN_TRY(create(&samples, shape, name));
    if (!has_any_size(shape))
        RN_TRY(
            rn_alloc((void **)&samples->images, samples->count, rn_samples_image_bytes(samples)));
    *out = samples;
    samples = NULL;
out:
    rn_samples_free(samples);
    return st;
}

rn_status rn_samples_create_filled(rn_samples **out, const rn_samples_shape *shape,
                                   uint8_t **images, const char *name)
{
    rn_status st = RN_OK;

    RN_TRY(create(out, shape, name));
    (*out)->images = *images;
    *images = NULL;
out:
    return st;
}

void rn_samples_free(rn_samples *samples)
{
    if (samples == NULL)
        return;
    rn_free(samples->images);
    rn_photos_free(samples->photos);
    rn_free(samples->labels);
    free_names(samples->label_names, samples->classes);
    rn_free(samples->name);
    rn_free(samples);
}

rn_status rn_samples_require_images(const rn_samples *samples)
{
    if (samples->photos == NULL)
        return RN_OK;
    return rn_error(RN_EINVAL, "'%s' holds encoded pictures of any size, expected images of one",
                    samples->name);
}

// Sets of a split have its name.
bool rn_samples_same(const rn_samples *train, const rn_samples *test)
{
    return train->photos != NULL && test->photos != NULL && train->count == test->count &&
           strcmp(train->name, test->name) == 0;
}

rn_status rn_samples_set_label_names(rn_samples *samples, const char *const *names)
{
    rn_status st = RN_OK;
    char **copies = NULL;

    RN_TRY(copy_names(&copies, names, samples->classes));
    free_names(samples->label_names, samples->classes);
    samples->label_names = copies;
out:
    return st;
}

// Cut `line` at its end; the next line, or NULL after the last.
static char *next_line(char *line)
{
    char *end = strchr(line, '\n');

    if (end != NULL)
        *end = '\0';
    size_t length = strlen(line);
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    return end == NULL ? NULL : end + 1;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return true;
}

static rn_status take_lines(rn_label_names *names, const char *path)
{
    int empty = 0; // empty lines since the last name

    for (char *line = names->text, *next; line != NULL && *line != '\0'; line = next) {
        int number = names->count + empty + 1;
        next = next_line(line);
        if (*line == '\0') {
            empty++;
            continue;
        }
        if (empty > 0)
            return rn_error(RN_EFORMAT, "'%s': line %d is empty, expected a label name", path,
                            number - empty);
        if (strlen(line) > MAX_NAME_BYTES || !is_printable(line))
            return rn_error(RN_EFORMAT,
                            "'%s': line %d is not a label name (1 to %d printable characters)",
                            path, number, MAX_NAME_BYTES);
        if (names->count == MAX_NAMES)
            return rn_error(RN_EFORMAT, "'%s' has more than %d label names", path, MAX_NAMES);
        names->names[names->count++] = line;
    }
    return RN_OK;
}

rn_status rn_label_names_read(rn_label_names *names, const char *path, int expected)
{
    rn_status st = RN_OK;
    size_t size;

    *names = (rn_label_names){0};
    RN_TRY(rn_file_read(&names->text, &size, path, MAX_NAMES_FILE_BYTES));
    if (strlen(names->text) != size) {
        st =
            rn_error(RN_EFORMAT, "'%s': byte %zu is NUL, expected text", path, strlen(names->text));
        goto out;
    }
    RN_TRY(RN_NEW(&names->names, MAX_NAMES));
    RN_TRY(take_lines(names, path));
    if (names->count == 0 || (expected != 0 && names->count != expected))
        st = rn_error(RN_EFORMAT, "'%s' has %d label names, expected %d", path, names->count,
                      expected == 0 ? 1 : expected);
out:
    if (st != RN_OK)
        rn_label_names_release(names);
    return st;
}

void rn_label_names_release(rn_label_names *names)
{
    rn_free(names->names);
    rn_free(names->text);
    *names = (rn_label_names){0};
}
