// What augmentation makes of pictures: a contact sheet, a row for each.
#include "cli/augment_options.h"
#include "cli/command.h"
#include "cli/run_folder.h"
#include "cli/train_recipe.h"

#include "resnet/resnet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 4, SMALL = 64 };

typedef struct preview {
    const cli_arguments *args;
    rn_recipe recipe;
    rn_samples *samples; // NULL: the words are picture files
    rn_preprocess *preprocess;
    rn_scratch *scratch;
    float *input; // one network input
    rn_image sheet;
    int rows, views, zoom;
} preview;

static bool of_photos(const preview *p)
{
    return p->samples == NULL || p->samples->photos != NULL;
}

// A file is a picture unless it is a list or a pack of them.
static bool is_set(const char *word)
{
    return !cli_is_file(word) || cli_ends_in(word, ".csv") || cli_ends_in(word, ".rnpack");
}

static rn_status open_source(preview *p)
{
    const cli_arguments *args = p->args;
    const int wanted = (int)cli_integer(args, "count");
    size_t most = (size_t)args->word_count;

    if (is_set(args->words[0])) {
        rn_status st = rn_data_open(&p->samples, args->words[0], RN_SPLIT_TRAIN);
        if (st != RN_OK)
            return st;
        if (args->word_count > 1)
            return rn_error(RN_EINVAL, "'%s' is a set, expected it alone or picture files only",
                            args->words[0]);
        most = p->samples->count;
    }
    if (most == 0)
        return rn_error(RN_EINVAL, "'%s' has no pictures", args->words[0]);
    p->rows = most < (size_t)wanted ? (int)most : wanted;
    return RN_OK;
}

static rn_status choose_recipe(preview *p)
{
    const char *name = cli_text(p->args, "recipe");

    if (name == NULL)
        name = of_photos(p) ? "modern" : rn_recipe_default("resnet-20", p->args->words[0]);
    return cli_recipe_named(&p->recipe, p->args, name);
}

// Whatever the recipe subtracts is added again: only what is zero, the mean colour, shows it.
static rn_status choose_preprocess(preview *p)
{
    const int size = (int)cli_integer(p->args, "size");

    if (of_photos(p))
        return rn_preprocess_create(&p->preprocess, RN_NORMALIZE_IMAGENET, 3, size, size, NULL,
                                    NULL);
    if (p->samples->channels != 1 && p->samples->channels != 3)
        return rn_error(RN_EINVAL, "'%s' has %d channels, expected 1 or 3", p->samples->name,
                        p->samples->channels);
    return rn_preprocess_measure(&p->preprocess, p->samples, RN_NORMALIZE_CHANNEL);
}

static rn_status make_sheet(preview *p)
{
    const int height = p->preprocess->height, width = p->preprocess->width;
    const size_t channels = (size_t)p->preprocess->channels;

    p->views = (int)cli_integer(p->args, "views");
    p->zoom = width <= SMALL ? 2 : 1;
    p->sheet.channels = p->preprocess->channels;
    p->sheet.height = GAP + p->rows * (height * p->zoom + GAP);
    p->sheet.width = 2 * GAP + (p->views + 1) * (width * p->zoom + GAP);
    size_t bytes = (size_t)p->sheet.height * (size_t)p->sheet.width * channels;
    p->sheet.pixels = malloc(bytes);
    p->input = malloc((size_t)height * (size_t)width * channels * sizeof *p->input);
    if (p->sheet.pixels == NULL || p->input == NULL)
        return rn_error(RN_ENOMEM, "no memory for a sheet of %zu bytes", bytes);
    memset(p->sheet.pixels, 255, bytes);
    return rn_scratch_create(&p->scratch);
}

// The input as bytes again, into the sheet. The plain column stands a little apart.
static void show_input(const preview *p, int row, int column)
{
    const int height = p->preprocess->height, width = p->preprocess->width;
    const int channels = p->preprocess->channels, zoom = p->zoom;
    const int top = GAP + row * (height * zoom + GAP);
    const int left = GAP + column * (width * zoom + GAP) + (column > 0 ? GAP : 0);

    for (int y = 0; y < height * zoom; y++) {
        uint8_t *dst =
            p->sheet.pixels +
            ((size_t)(top + y) * (size_t)p->sheet.width + (size_t)left) * (size_t)channels;
        for (int i = 0; i < width * zoom * channels; i++) {
            int c = i % channels, x = i / channels / zoom;
            float value =
                p->input[((size_t)c * (size_t)height + (size_t)(y / zoom)) * (size_t)width +
                         (size_t)x];
            value = (value * p->preprocess->deviation[c] + p->preprocess->mean[c]) * 255.0f;
            dst[i] = (uint8_t)fminf(fmaxf(value + 0.5f, 0.0f), 255.0f);
        }
    }
}

static rn_status open_photo(rn_image **out, const preview *p, uint32_t index)
{
    if (p->samples == NULL)
        return rn_image_open(out, p->args->words[index]);
    return rn_photos_decode(out, p->samples->photos, index, NULL);
}

// The plain picture, then what the first epochs of a training with this seed would see.
static rn_status show_views(const preview *p, int row, uint32_t index, const rn_image *photo,
                            const uint8_t *image)
{
    rn_status st = RN_OK;

    for (int view = 0; view <= p->views; view++) {
        const rn_augment *augment = view > 0 ? &p->recipe.augment : NULL;
        const rn_augment_where where = {p->recipe.seed, view > 0 ? (uint32_t)view - 1 : 0, index,
                                        p->scratch};
        if (photo != NULL)
            RN_TRY(rn_preprocess_photo(p->preprocess, p->input, photo, augment, &where));
        else
            RN_TRY(rn_preprocess_sample(p->preprocess, p->input, image, augment, &where));
        show_input(p, row, view);
    }
out:
    return st;
}

static rn_status show_row(const preview *p, int row)
{
    rn_status st = RN_OK;
    rn_image *photo = NULL;
    const uint8_t *image = NULL;
    const size_t volume = (size_t)p->preprocess->channels * (size_t)p->preprocess->height *
                          (size_t)p->preprocess->width;
    size_t count = p->samples != NULL ? p->samples->count : (size_t)p->rows;
    uint32_t index = (uint32_t)((size_t)row * count / (size_t)p->rows); // evenly over the set

    if (p->samples != NULL && p->samples->photos == NULL)
        image = p->samples->images + index * volume;
    else
        RN_TRY(open_photo(&photo, p, index));
    RN_TRY(show_views(p, row, index, photo, image));
out:
    rn_image_free(photo);
    return st;
}

static rn_status check_out(const cli_arguments *args)
{
    const char *out = cli_text(args, "out");

    for (int i = 0; i < args->word_count; i++)
        if (cli_same_file(args->words[i], out))
            return rn_error(RN_EINVAL,
                            "the sheet would replace the picture '%s' itself: '--out' must name "
                            "another file",
                            args->words[i]);
    return cli_check_ending("out", out, ".png");
}

static rn_status run_preview(const cli_arguments *args)
{
    rn_status st;
    preview p = {.args = args};

    RN_TRY(check_out(args));
    RN_TRY(open_source(&p));
    RN_TRY(choose_recipe(&p));
    RN_TRY(choose_preprocess(&p));
    RN_TRY(make_sheet(&p));
    for (int row = 0; row < p.rows; row++)
        RN_TRY(show_row(&p, row));
    RN_TRY(rn_image_save(&p.sheet, cli_text(args, "out")));
    printf("%d picture%s, plain and as the first %d epochs of '%s' show %s: %s\n", p.rows,
           p.rows == 1 ? "" : "s", p.views, p.recipe.name, p.rows == 1 ? "it" : "them",
           cli_text(args, "out"));
out:
    rn_scratch_free(p.scratch);
    rn_preprocess_free(p.preprocess);
    rn_samples_free(p.samples);
    free(p.sheet.pixels);
    free(p.input);
    return st;
}

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_FILE,
     .argument = "FILE.png",
     .help = "the sheet",
     .fallback = "preview.png"},
    {.name = "count",
     .letter = 'n',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "pictures, evenly over the set",
     .fallback = "8",
     .low = 1,
     .high = 100},
    {.name = "views",
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "how many epochs' versions of each",
     .fallback = "8",
     .low = 1,
     .high = 32},
    {.name = "size",
     .kind = CLI_INTEGER,
     .argument = "PIXELS",
     .help = "side of the network's input; of pictures of one size it is theirs",
     .fallback = "224",
     .low = 8,
     .high = 512},
    {.name = "recipe",
     .letter = 'r',
     .kind = CLI_RECIPE,
     .argument = "NAME|FILE",
     .help = "whose augmentation to show; the default depends on the data"},
    {.name = "seed",
     .letter = 's',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "of augmentation",
     .low = 0,
     .high = INFINITY,
     .key = "seed"},
    CLI_AUGMENT_OPTIONS,
    {.name = "set",
     .kind = CLI_LIST,
     .argument = "KEY=VALUE",
     .help = "set any value of the recipe, as its JSON file names it; may be repeated"},
    {0}};

const cli_command cli_data_preview = {
    .name = "data preview",
    .usage = "SOURCE|IMAGE...",
    .summary = "a contact sheet of augmented pictures",
    .description =
        "Draw what a recipe's augmentation makes of pictures: a row for each, the plain picture "
        "first, then the versions that training sees in its first epochs.",
    .examples = "resnet data preview photos --recipe modern --out sheet.png\n"
                "resnet data preview cat.jpg dog.jpg --crop area --randaugment 2\n"
                "resnet data preview shapes --pad 4 --flip",
    .least = 1,
    .most = -1,
    .word = CLI_WORD_SOURCE,
    .options = options,
    .run = run_preview,
};
