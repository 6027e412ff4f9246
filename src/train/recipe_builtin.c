#include "train/recipe_builtin.h"

#include "data/source.h"

#include <string.h>

// He et al. 2015, section 4.2, which the paper of 2016 keeps to.
#define PAPER_CIFAR                                                                                \
    .iterations = 64000, .batch = 128, .seed = 1, .sgd = {.momentum = 0.9, .weight_decay = 1e-4},  \
    .augment = {.pad = 4, .flip = true}, .normalize = RN_NORMALIZE_PIXEL_MEAN
#define PAPER_STEPS                                                                                \
    .kind = RN_SCHEDULE_STEP, .lr = 0.1, .factor = 0.1, .milestones = 2,                           \
    .milestone = {32000, 48000}, .patience = 5

static const struct {
    const char *summary;
    rn_recipe recipe;
} builtin[] = {
    // He et al. 2015, section 4.2. All 50,000 images train; the authors' 45k/5k split only chose
    // the length ("hold_out": 5000 repeats it).
    {"the 2015 paper's CIFAR-10 training: 64,000 iterations, lr 0.1 divided by 10 at 32k and 48k",
     {.name = "paper-cifar", PAPER_CIFAR, .schedule = {PAPER_STEPS}}},
    // "In this case, we find that the initial learning rate of 0.1 is slightly too large to start
    // converging. So we use 0.01 to warm up the training until the training error is below 80 %."
    {"paper-cifar for 110 layers: lr 0.01 until the training error is below 80 %",
     {.name = "paper-cifar-110",
      PAPER_CIFAR,
      .schedule = {PAPER_STEPS, .until_error = 80, .until_lr = 0.01}}},
    // Appendix: "for all CIFAR experiments we warm up the training by using a smaller learning rate
    // of 0.01 at the beginning 400 iterations and go back to 0.1 after that".
    {"the 2016 paper's: paper-cifar with lr 0.01 in the first 400 iterations",
     {.name = "paper-cifar-2016",
      PAPER_CIFAR,
      .schedule = {PAPER_STEPS, .warmup = 400, .warmup_factor = 0.1, .warmup_flat = true}}},
    // A fifth of the paper's passes over the data: one cycle up to twice its rate, and five times
    // its decay, as short trainings want (Smith & Topin 2017).
    {"30 epochs in one cycle, for CIFAR-10 in about a fifth of the paper's time",
     {.name = "quick",
      .epochs = 30,
      .batch = 128,
      .seed = 1,
      .schedule =
          {.kind = RN_SCHEDULE_ONE_CYCLE, .lr = 0.2, .factor = 0.1, .patience = 5, .warmup = 0.25},
      .sgd = {.momentum = 0.9, .weight_decay = 5e-4, .nesterov = true},
      .augment = {.pad = 4, .flip = true},
      .normalize = RN_NORMALIZE_CHANNEL}},
    // Nets of 110 layers do not start at a high rate (2015, section 4.2): half the peak, later.
    {"quick for networks of 110 layers and more: half the peak rate, a longer warm-up",
     {.name = "quick-deep",
      .epochs = 30,
      .batch = 128,
      .seed = 1,
      .schedule =
          {.kind = RN_SCHEDULE_ONE_CYCLE, .lr = 0.1, .factor = 0.1, .patience = 5, .warmup = 0.35},
      .sgd = {.momentum = 0.9, .weight_decay = 5e-4, .nesterov = true},
      .augment = {.pad = 4, .flip = true},
      .normalize = RN_NORMALIZE_CHANNEL}},
    // Jordan 2024 (arXiv:2404.00498), for batches of 512 and a mean loss: his rate 11.5 and decay
    // 0.0153 for 1,024 images are, at momentum 0.85, lr 0.75 and lr x weight_decay = 0.001. His
    // head's 1/9 on the logits is here a factor 1/81 on its rate and head-init of the network.
    {"14 epochs for fast-resnet-8 on CIFAR-10: whitened stem, lookahead, alternating flips",
     {.name = "fast-cifar",
      .epochs = 14,
      .batch = 512,
      .seed = 1,
      .schedule = {.kind = RN_SCHEDULE_LINEAR,
                   .lr = 0.75,
                   .factor = 0.1,
                   .final_factor = 0.07,
                   .patience = 5,
                   .warmup = 0.23,
                   .warmup_factor = 0.2},
      .sgd = {.momentum = 0.85,
              .weight_decay = 1.33e-3,
              .nesterov = true,
              .ema = 0.95,
              .lookahead = 5,
              .lr_factor = {[RN_GROUP_BIAS] = 64, [RN_GROUP_HEAD] = 0.0123},
              .frozen = {[RN_GROUP_GAIN] = true, [RN_GROUP_STEM] = true}},
      .label_smoothing = 0.2,
      .bn_momentum = 0.4, // biases move fast, and the means with them
      .augment = {.pad = 2, .flip = true, .pad_mode = RN_PAD_REFLECT, .alternate_flip = true},
      .normalize = RN_NORMALIZE_CHANNEL,
      .tta = RN_TTA_FLIP_TRANSLATE,
      .whiten = 5000}},
    // He et al. 2015, section 3.4. "When the error plateaus": five epochs without a new best. The
    // authors' "per-pixel mean" is an image of 224 x 224, subtracted from whatever the crop shows
    // there (their published mean file); so is this, measured over the training set's centre crops.
    {"the 2015 paper's ImageNet training: lr 0.1 divided by 10 on plateaus, up to 600,000 "
     "iterations",
     {.name = "paper-imagenet",
      .iterations = 600000,
      .batch = 256,
      .seed = 1,
      .schedule = {.kind = RN_SCHEDULE_PLATEAU, .lr = 0.1, .factor = 0.1, .patience = 5},
      .sgd = {.momentum = 0.9, .weight_decay = 1e-4},
      .augment =
          {.flip = true, .crop = RN_CROP_RESIZE, .resize_low = 256, .resize_high = 480, .pca = 0.1},
      .normalize = RN_NORMALIZE_PIXEL_MEAN}},
    // He et al. 2018 (arXiv:1812.01187), "Bag of tricks", at the paper's batch and rate: 5 of 90
    // epochs of warm-up, a cosine, smoothed labels, no decay of gains and biases.
    {"90 epochs for photographs: warm-up, cosine, label smoothing, mixup 0.2, moving average, "
     "area crops",
     {.name = "modern",
      .epochs = 90,
      .batch = 256,
      .seed = 1,
      .schedule = {.kind = RN_SCHEDULE_COSINE,
                   .lr = 0.1,
                   .factor = 0.1,
                   .patience = 5,
                   .warmup = 5.0 / 90.0},
      .sgd = {.momentum = 0.9,
              .weight_decay = 1e-4,
              .decay = RN_DECAY_WEIGHTS,
              .nesterov = true,
              .ema = 0.9999},
      .label_smoothing = 0.1,
      .mix = {.mixup = 0.2},
      .augment = {.flip = true, .crop = RN_CROP_AREA, .crop_area = 0.08},
      .normalize = RN_NORMALIZE_IMAGENET}},
    // Small batches: 10,000 images give few steps.
    {"5 epochs in one cycle, for the generated data",
     {.name = "shapes",
      .epochs = 5,
      .batch = 64,
      .seed = 1,
      .schedule =
          {.kind = RN_SCHEDULE_ONE_CYCLE, .lr = 0.1, .factor = 0.1, .patience = 5, .warmup = 0.25},
      .sgd = {.momentum = 0.9, .weight_decay = 5e-4, .nesterov = true},
      .augment = {.pad = 4, .flip = true},
      .normalize = RN_NORMALIZE_CHANNEL}},
    {"20 iterations, to see that everything works",
     {.name = "smoke",
      .iterations = 20,
      .batch = 16,
      .seed = 1,
      .schedule = {.kind = RN_SCHEDULE_CONSTANT, .lr = 0.05, .factor = 0.1, .patience = 5},
      .sgd = {.momentum = 0.9, .weight_decay = 1e-4},
      .augment = {.pad = 4, .flip = true},
      .normalize = RN_NORMALIZE_CHANNEL}},
};

enum { BUILTIN = sizeof builtin / sizeof *builtin };

const rn_recipe *rn_recipe_builtin(int index)
{
    return index >= 0 && index < BUILTIN ? &builtin[index].recipe : NULL;
}

const char *rn_recipe_name(int index)
{
    return index >= 0 && index < BUILTIN ? builtin[index].recipe.name : NULL;
}

const char *rn_recipe_summary(int index)
{
    return index >= 0 && index < BUILTIN ? builtin[index].summary : NULL;
}

enum { DEEP = 110 }; // layers: the first depth that the 2015 paper had to warm up

// 0 for what is no model: who trains it will hear.
static int depth_of(const char *model)
{
    rn_graph *graph = NULL;
    int depth = 0;

    if (rn_graph_create(&graph, model, NULL) == RN_OK)
        depth = rn_graph_depth(graph);
    rn_graph_free(graph);
    return depth;
}

// Networks made for short trainings have a recipe made for them. The generated data is learnt in a
// few passes; everything else gets the recipe that a person can wait for. The paper's is there by
// name.
static bool holds_photos(const char *text)
{
    rn_source source = {.format = RN_FORMAT_SHAPES};
    bool photos =
        rn_source_resolve(&source, text) == RN_OK && source.format >= RN_FORMAT_PHOTO_FOLDER;

    rn_source_release(&source);
    return photos;
}

const char *rn_recipe_default(const char *model, const char *source)
{
    if (rn_source_is_shapes(source))
        return "shapes";
    if (holds_photos(source))
        return "modern";
    if (strncmp(model, "fast-", 5) == 0)
        return "fast-cifar";
    return depth_of(model) >= DEEP ? "quick-deep" : "quick";
}
