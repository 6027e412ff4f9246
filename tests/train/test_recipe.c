#include "base/file.h"
#include "base/memory.h"
#include "resnet/recipe.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static rn_recipe load(const char *name)
{
    rn_recipe recipe;

    if (rn_recipe_load(&recipe, name) != RN_OK)
        fail_msg("%s", rn_error_message());
    return recipe;
}

// Section 4.2, word for word.
static void paper_recipe_is_the_papers(void **state)
{
    (void)state;
    rn_recipe r = load("paper-cifar");

    assert_true(r.iterations == 64000 && r.epochs == 0 && r.batch == 128 && r.hold_out == 0);
    assert_true(r.schedule.kind == RN_SCHEDULE_STEP && r.schedule.lr == 0.1 &&
                r.schedule.factor == 0.1);
    assert_true(r.schedule.milestones == 2 && r.schedule.milestone[0] == 32000 &&
                r.schedule.milestone[1] == 48000);
    assert_true(r.sgd.momentum == 0.9 && r.sgd.weight_decay == 1e-4 &&
                r.sgd.decay == RN_DECAY_ALL && !r.sgd.nesterov && r.sgd.ema == 0);
    assert_true(r.augment.pad == 4 && r.augment.flip && r.normalize == RN_NORMALIZE_PIXEL_MEAN);
    assert_true(r.label_smoothing == 0 && r.schedule.until_error == 0 && r.schedule.warmup == 0);
    r = load("paper-cifar-110");
    assert_true(r.schedule.until_error == 80 && r.schedule.until_lr == 0.01);
    assert_true(r.iterations == 64000 && r.schedule.milestone[1] == 48000);
}

// Section 3.4.
static void paper_imagenet_is_the_papers(void **state)
{
    (void)state;
    rn_recipe r = load("paper-imagenet");

    assert_true(r.iterations == 600000 && r.epochs == 0 && r.batch == 256);
    assert_true(r.schedule.kind == RN_SCHEDULE_PLATEAU && r.schedule.lr == 0.1 &&
                r.schedule.factor == 0.1 && r.schedule.warmup == 0);
    assert_true(r.sgd.momentum == 0.9 && r.sgd.weight_decay == 1e-4 &&
                r.sgd.decay == RN_DECAY_ALL && !r.sgd.nesterov && r.sgd.ema == 0);
    assert_true(r.augment.crop == RN_CROP_RESIZE && r.augment.resize_low == 256 &&
                r.augment.resize_high == 480 && r.augment.flip && r.augment.pca == 0.1);
    assert_true(r.augment.pad == 0 && r.augment.randaugment == 0 && r.augment.erase == 0 &&
                r.normalize == RN_NORMALIZE_PIXEL_MEAN && r.label_smoothing == 0);
}

static void augmentation_by_options(void **state)
{
    (void)state;
    rn_recipe r = load("modern");

    assert_int_equal(rn_recipe_set(&r, "crop", "resize"), RN_OK);
    assert_int_equal(rn_recipe_set(&r, "resize_low", "500"), RN_OK);
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL); // above the usual 480
    assert_non_null(strstr(rn_error_message(), "'resize_low' is 500"));
    assert_int_equal(rn_recipe_set(&r, "resize_high", "500"), RN_OK);
    assert_int_equal(rn_recipe_check(&r), RN_OK);
    assert_int_equal(rn_recipe_set(&r, "crop_ratio", "1e-9"), RN_OK);
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "'crop_ratio' is 1e-09, expected 0.01 to 1, or 0"));
    assert_int_equal(rn_recipe_set(&r, "crop_ratio", "0.01"), RN_OK);
    assert_int_equal(rn_recipe_check(&r), RN_OK);
    assert_int_equal(rn_recipe_set(&r, "crop", "random"), RN_EINVAL);
    assert_int_equal(rn_recipe_set(&r, "hue", "0.6"), RN_EINVAL);
    assert_int_equal(rn_recipe_set(&r, "randaugment_magnitude", "31"), RN_EINVAL);
    assert_int_equal(rn_recipe_set(&r, "normalize", "imagenet"), RN_OK);
}

// Field by field: padding bytes do not count.
static void assert_same(const rn_recipe *a, const rn_recipe *b)
{
    const rn_schedule *s = &a->schedule, *t = &b->schedule;

    assert_string_equal(a->name, b->name);
    assert_true(a->epochs == b->epochs && a->iterations == b->iterations && a->batch == b->batch &&
                a->seed == b->seed && a->hold_out == b->hold_out &&
                a->train_images == b->train_images);
    assert_true(s->kind == t->kind && s->lr == t->lr && s->factor == t->factor &&
                s->final_factor == t->final_factor && s->milestones == t->milestones &&
                s->patience == t->patience && s->threshold == t->threshold &&
                s->warmup == t->warmup && s->warmup_factor == t->warmup_factor &&
                s->warmup_flat == t->warmup_flat && s->until_error == t->until_error &&
                s->until_lr == t->until_lr);
    for (int i = 0; i < s->milestones; i++)
        assert_true(s->milestone[i] == t->milestone[i]);
    assert_true(a->sgd.momentum == b->sgd.momentum && a->sgd.weight_decay == b->sgd.weight_decay &&
                a->sgd.decay == b->sgd.decay && a->sgd.nesterov == b->sgd.nesterov &&
                a->sgd.ema == b->sgd.ema && a->sgd.lookahead == b->sgd.lookahead);
    for (int i = 0; i < RN_GROUPS; i++)
        assert_true(a->sgd.lr_factor[i] == b->sgd.lr_factor[i] &&
                    a->sgd.frozen[i] == b->sgd.frozen[i]);
    assert_true(a->bn_momentum == b->bn_momentum && a->label_smoothing == b->label_smoothing &&
                a->augment.pad == b->augment.pad && a->augment.flip == b->augment.flip &&
                a->normalize == b->normalize);
    assert_true(a->augment.pad_mode == b->augment.pad_mode &&
                a->augment.alternate_flip == b->augment.alternate_flip &&
                a->mix.mixup == b->mix.mixup && a->mix.cutmix == b->mix.cutmix &&
                a->tta == b->tta && a->whiten == b->whiten);
    const rn_progressive *u = &a->progressive, *v = &b->progressive;
    assert_int_equal(u->count, v->count);
    for (int i = 0; i < u->count; i++)
        assert_true(u->size[i] == v->size[i] && u->until[i] == v->until[i]);
    const rn_augment *p = &a->augment, *q = &b->augment;
    assert_true(p->crop == q->crop && p->resize_low == q->resize_low &&
                p->resize_high == q->resize_high && p->crop_area == q->crop_area &&
                p->crop_ratio == q->crop_ratio && p->randaugment == q->randaugment &&
                p->randaugment_magnitude == q->randaugment_magnitude);
    assert_true(p->brightness == q->brightness && p->contrast == q->contrast &&
                p->saturation == q->saturation && p->hue == q->hue && p->pca == q->pca &&
                p->erase == q->erase && p->filter == q->filter);
}

// He et al. 2016, appendix: 0.01 for 400 iterations, else as in 2015.
static void paper_of_2016_warms_up(void **state)
{
    rn_schedule_state none = {0};

    (void)state;
    rn_recipe r = load("paper-cifar-2016"), other = load("paper-cifar");
    assert_true(rn_schedule_rate(&r.schedule, &none, 0, r.iterations) == 0.1 * 0.1);
    assert_true(rn_schedule_rate(&r.schedule, &none, 399, r.iterations) == 0.1 * 0.1);
    for (uint64_t i = 400; i < r.iterations; i += 800)
        assert_true(rn_schedule_rate(&r.schedule, &none, i, r.iterations) ==
                    rn_schedule_rate(&other.schedule, &none, i, other.iterations));
    r.schedule.warmup = other.schedule.warmup;
    r.schedule.warmup_factor = other.schedule.warmup_factor;
    r.schedule.warmup_flat = other.schedule.warmup_flat;
    memcpy(r.name, other.name, sizeof r.name);
    assert_same(&r, &other);
}

static void print_round_trips(const rn_recipe *recipe)
{
    char *text = NULL, *again = NULL;
    // Every value starts out different, so a key that is not printed shows.
    rn_recipe back = {.name = "?",
                      .epochs = 7,
                      .batch = 77,
                      .seed = 77,
                      .schedule = {.kind = RN_SCHEDULE_PLATEAU,
                                   .lr = 7,
                                   .factor = 0.77,
                                   .final_factor = 0.7,
                                   .milestones = 3,
                                   .milestone = {1, 2, 3},
                                   .patience = 77,
                                   .threshold = 7,
                                   .warmup = 7,
                                   .warmup_factor = 0.7,
                                   .warmup_flat = !recipe->schedule.warmup_flat,
                                   .until_error = 7,
                                   .until_lr = 7},
                      .sgd = {.momentum = 0.7,
                              .weight_decay = 0.7,
                              .decay = RN_DECAY_WEIGHTS,
                              .nesterov = !recipe->sgd.nesterov,
                              .ema = 0.7,
                              .lookahead = 7,
                              .lr_factor = {0, 7, 7, 7, 7},
                              .frozen = {false, false, true, true}},
                      .label_smoothing = 0.7,
                      .mix = {.mixup = 0.7, .cutmix = 0.7},
                      .progressive = {.count = 1, .size = {7}, .until = {0.7}},
                      .bn_momentum = 0.7,
                      .augment = {.pad = 7,
                                  .flip = !recipe->augment.flip,
                                  .pad_mode = RN_PAD_REFLECT,
                                  .alternate_flip = !recipe->augment.alternate_flip,
                                  .crop = RN_CROP_CENTRE,
                                  .resize_low = 7,
                                  .resize_high = 7,
                                  .crop_area = 0.7,
                                  .crop_ratio = 0.7,
                                  .filter = RN_RESIZE_BICUBIC,
                                  .randaugment = 7,
                                  .randaugment_magnitude = 7,
                                  .brightness = 0.7,
                                  .contrast = 0.7,
                                  .saturation = 0.7,
                                  .hue = 0.07,
                                  .pca = 0.7,
                                  .erase = 0.7},
                      .normalize = RN_NORMALIZE_NONE,
                      .whiten = 7,
                      .tta = RN_TTA_FLIP_TRANSLATE,
                      .hold_out = 7,
                      .train_images = 7};

    assert_int_equal(rn_recipe_print(&text, recipe), RN_OK);
    if (rn_recipe_parse(&back, text, "printed") != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_same(recipe, &back);
    assert_int_equal(rn_recipe_print(&again, &back), RN_OK);
    assert_string_equal(text, again);
    rn_free(text);
    rn_free(again);
}

static void builtin_recipes_are_valid_and_round_trip(void **state)
{
    (void)state;
    int count = 0;

    for (; rn_recipe_name(count) != NULL; count++) {
        rn_recipe r = load(rn_recipe_name(count));
        assert_string_equal(r.name, rn_recipe_name(count));
        assert_true(strlen(rn_recipe_summary(count)) > 10);
        if (rn_recipe_check(&r) != RN_OK)
            fail_msg("%s", rn_error_message());
        print_round_trips(&r);
    }
    assert_int_equal(count, 10);
    assert_null(rn_recipe_summary(count));
    assert_null(rn_recipe_name(-1));
}

static void awkward_values_round_trip_bit_for_bit(void **state)
{
    (void)state;
    rn_recipe r = load("quick");

    r.epochs = 100.0 / 3;
    r.seed = (UINT64_C(1) << 53) - 1;
    r.schedule.lr = 0.1 + 0.2;
    r.schedule.warmup = nextafter(0.25, 1);
    r.sgd.weight_decay = 5e-4 * (1 + 0x1p-52);
    r.sgd.ema = 0.999;
    r.sgd.decay = RN_DECAY_WEIGHTS;
    snprintf(r.name, sizeof r.name, "a \"name\" \\ with\nall");
    r.schedule.milestones = RN_MAX_MILESTONES;
    for (int i = 0; i < RN_MAX_MILESTONES; i++)
        r.schedule.milestone[i] = UINT64_C(999999999000) + (uint64_t)i;
    print_round_trips(&r);
}

static void defaults_follow_the_data(void **state)
{
    (void)state;
    assert_string_equal(rn_recipe_default("resnet-20", "shapes"), "shapes");
    assert_string_equal(rn_recipe_default("resnet-20", "shapes:train=5"), "shapes");
    assert_string_equal(rn_recipe_default("resnet-20", "shapes2/"), "quick"); // a folder
    assert_string_equal(rn_recipe_default("resnet-20", "data/cifar10"), "quick");
    assert_string_equal(rn_recipe_default("fast-resnet-8", "data/cifar10"), "fast-cifar");
    assert_string_equal(rn_recipe_default("fast-resnet-8:width=48", "data/x"), "fast-cifar");
    assert_string_equal(rn_recipe_default("fast-resnet-8", "shapes"), "shapes");
    assert_string_equal(rn_recipe_default("resnet-104:shortcut=B", "data/cifar10"), "quick");
    assert_string_equal(rn_recipe_default("resnet-110:shortcut=B", "data/cifar10"), "quick-deep");
    assert_string_equal(rn_recipe_default("plain-1202", "data/cifar10"), "quick-deep");
}

typedef struct setting {
    const char *key, *value, *message; // NULL: accepted
} setting;

static const setting settings[] = {
    {"lr", "0.05", NULL},
    {"lr", "1e-3", NULL},
    {"lr", "1000", NULL},
    {"lr", "nan", "recipe: 'lr' is 'nan', expected a number above 0 to 1000"},
    {"lr", "inf", "'lr' is 'inf'"},
    {"lr", "0", "'lr' is 0, expected a number above 0 to 1000"},
    {"lr", "-0.1", "'lr' is -0.1"},
    {"lr", "1e400", "'lr' is '1e400'"},
    {"lr", "1001", "'lr' is 1001"},
    {"lr", "fast", "'lr' is 'fast'"},
    {"lr", "", "'lr' is ''"},
    {"lr", "0.1x", "'lr' is '0.1x'"},
    {"lr", "0x1", "'lr' is '0x1'"},
    {"batch", "1", NULL},
    {"batch", "65536", NULL},
    {"batch", "0", "'batch' is 0, expected a whole number from 1 to 65536"},
    {"batch", "65537", "'batch' is 65537"},
    {"batch", "1.5", "'batch' is 1.5"},
    {"seed", "9007199254740992", NULL},
    {"seed", "-1", "'seed' is -1"},
    {"factor", "1", "'factor' is 1, expected a number above 0 to less than 1"},
    {"momentum", "1", "'momentum' is 1, expected a number from 0 to less than 1"},
    {"momentum", "0", NULL},
    {"ema", "0.9999", NULL},
    {"weight_decay", "1", NULL},
    {"label_smoothing", "1.1", "'label_smoothing' is 1.1"},
    {"pad", "65", "'pad' is 65, expected a whole number from 0 to 64"},
    {"lookahead", "5", NULL},
    {"lookahead", "-1", "'lookahead' is -1, expected a whole number from 0 to 1000000"},
    {"whiten", "2000", NULL},
    {"whiten", "0.5", "'whiten' is 0.5, expected a whole number from 0 to 1000000000"},
    {"bn_momentum", "0.4", NULL},
    {"bn_momentum", "2", "'bn_momentum' is 2, expected a number from 0 to 1"},
    {"tta", "flip", NULL},
    {"tta", "mirror", "'tta' is 'mirror', expected none, flip or flip-translate"},
    {"bias_lr", "64", NULL},
    {"head_lr", "-1", "'head_lr' is -1, expected a number from 0 to 1000000"},
    {"freeze_stem", "true", NULL},
    {"pad_mode", "reflect", NULL},
    {"pad_mode", "mirror", "'pad_mode' is 'mirror', expected zero or reflect"},
    {"alternate_flip", "true", NULL},
    {"mixup", "0.2", NULL},
    {"mixup", "100.5", "'mixup' is 100.5, expected a number from 0 to 100"},
    {"cutmix", "1", NULL},
    {"cutmix", "-1", "'cutmix' is -1, expected a number from 0 to 100"},
    {"flip", "false", NULL},
    {"flip", "1", "'flip' is 1, expected true or false"},
    {"flip", "no", "'flip' is 'no'"},
    {"schedule", "one-cycle", NULL},
    {"schedule", "one_cycle",
     "'schedule' is 'one_cycle', expected constant, step, plateau, cosine, one-cycle or linear"},
    {"normalize", "pixel", NULL},
    {"normalize", "0", "'normalize' is 0, expected none, channel"},
    {"decay", "weights", NULL},
    {"decay", "some", "'decay' is 'some', expected all or weights"},
    {"milestones", "10,20, 30", NULL},
    {"milestones", "", NULL},
    {"milestones", "20,10",
     "'milestones' is [20,10], expected up to 16 rising whole numbers from 1 to 1e+12"},
    {"milestones", "10,10", "'milestones' is"},
    {"milestones", "0", "'milestones' is [0]"},
    {"milestones", "1.5", "'milestones' is"},
    {"milestones", "x", "'milestones' is 'x'"},
    {"milestones", "1],[2", "'milestones' is '1],[2'"},
    {"milestones", "[1]", "'milestones' is [[1]]"},
    {"milestones", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "'milestones' is"},
    {"name", "123", NULL},
    {"name", "0123456789012345678901234567890123456789012345678901234567890123",
     "expected a text of at most 63 bytes"},
    {"learning_rate", "1", "unknown recipe key 'learning_rate'"},
    {"momentun", "1", "unknown recipe key 'momentun'; did you mean 'momentum'?"},
    {"base", "quick", "unknown recipe key 'base'"},
};

static void options_are_checked_one_by_one(void **state)
{
    (void)state;
    const rn_recipe before = load("paper-cifar");

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const setting *s = &settings[i];
        rn_recipe r = before;
        rn_status st = rn_recipe_set(&r, s->key, s->value);
        if (st != (s->message == NULL ? RN_OK : RN_EINVAL))
            fail_msg("%s=%s: status %d, %s", s->key, s->value, (int)st, rn_error_message());
        if (s->message == NULL)
            continue;
        assert_same(&r, &before);
        if (strstr(rn_error_message(), s->message) == NULL)
            fail_msg("'%s' lacks '%s'", rn_error_message(), s->message);
    }
}

static void one_length_clears_the_other(void **state)
{
    (void)state;
    rn_recipe r = load("paper-cifar");

    assert_int_equal(rn_recipe_set(&r, "epochs", "2.5"), RN_OK);
    assert_true(r.epochs == 2.5 && r.iterations == 0);
    assert_int_equal(rn_recipe_set(&r, "iterations", "7"), RN_OK);
    assert_true(r.epochs == 0 && r.iterations == 7);
    assert_int_equal(rn_recipe_parse(&r, "{\"epochs\": 3}", "test"), RN_OK);
    assert_true(r.epochs == 3 && r.iterations == 0);
    assert_int_equal(rn_recipe_set(&r, "epochs", "0"), RN_OK);
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "neither 'epochs' nor 'iterations'"));
}

static void bad_json_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    const setting texts[] = {
        {"", "", "syntax error"},
        {"", "[]", "not an object"},
        {"", "{\"lr\": 0.5, \"bach\": 3}", "test: unknown key 'bach'; did you mean 'batch'?"},
        {"", "{\"lr\": 0.5, \"batch\": \"3\"}", "test: 'batch' is '3', expected a whole number"},
        {"", "{\"lr\": 0.5, \"lr\": 0.6}", "'lr' stands twice"},
        {"", "{\"lr\": null}", "'lr' is null"},
        {"", "{\"lr\": 1e999}", "'lr' is inf"},
        {"", "{\"epochs\": 3, \"iterations\": 4}", "'epochs' and 'iterations' are both given"},
        {"", "{\"base\": \"quik\"}", "test: 'base': unknown recipe 'quik'; did you mean 'quick'?"},
        {"", "{\"base\": 3}", "'base' is not a text"},
        {"", "{\"flip\": {\"a\": 1}}", "'flip' is {\"a\":1}, expected true or false"},
        {"", "{\"milestones\": 5}", "'milestones' is 5"},
    };
    const rn_recipe before = load("shapes");

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rn_recipe r = before;
        assert_int_equal(rn_recipe_parse(&r, texts[i].value, "test"), RN_EFORMAT);
        if (strstr(rn_error_message(), texts[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", rn_error_message(), texts[i].message);
        assert_same(&r, &before);
    }
}

static void values_must_fit_together(void **state)
{
    (void)state;
    rn_recipe r = load("paper-cifar");

    r.schedule.milestones = 0;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "recipe 'paper-cifar': 'milestones' is empty"));
    r = load("paper-cifar-110");
    r.schedule.until_lr = 0;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    r = load("paper-cifar-110");
    r.schedule.warmup = 5;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    r = load("quick");
    r.schedule.warmup_flat = true;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "'warmup_flat' is true, but"));
    r = load("paper-cifar-2016");
    r.schedule.warmup_factor = 0;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    r = load("smoke");
    r.schedule.warmup = 20;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    r = load("quick");
    r.sgd.momentum = 0;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    r = load("quick");
    r.iterations = 5;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    r = load("quick");
    r.schedule.lr = NAN;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "'lr'"));
    r = load("quick");
    r.batch = 0;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    r = load("quick");
    r.sgd.decay = (rn_decay)9;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
    r = load("paper-cifar");
    r.schedule.milestone[1] = 5;
    assert_int_equal(rn_recipe_check(&r), RN_EINVAL);
}

static void load_text(rn_status expected, const char *path, const char *text, rn_recipe *out)
{
    assert_int_equal(rn_file_write_atomic(path, text, strlen(text)), RN_OK);
    if (rn_recipe_load(out, path) != expected)
        fail_msg("%s: %s", text, rn_error_message());
}

static void files_start_from_a_base(void **state)
{
    (void)state;
    char folder[] = "/tmp/recipe-XXXXXX";
    rn_recipe r;
    char *path = NULL;

    assert_non_null(mkdtemp(folder));
    assert_int_equal(rn_format(&path, "%s/mine.json", folder), RN_OK);
    load_text(RN_OK, path, "{\"lr\": 0.3}", &r);
    assert_true(r.schedule.lr == 0.3 && r.iterations == 64000);
    assert_string_equal(r.name, "mine");
    load_text(RN_OK, path, "{\"epochs\": 4, \"base\": \"quick\", \"name\": \"x\"}", &r);
    assert_true(r.epochs == 4 && r.schedule.kind == RN_SCHEDULE_ONE_CYCLE);
    assert_string_equal(r.name, "x");
    load_text(RN_EFORMAT, path, "{\"lr\": }", &r);
    assert_non_null(strstr(rn_error_message(), path));
    assert_int_equal(rn_file_write_atomic(path, "{}\0{}", 5), RN_OK);
    assert_int_equal(rn_recipe_load(&r, path), RN_EFORMAT);
    unlink(path);
    assert_int_equal(rn_recipe_load(&r, path), RN_ENOTFOUND);
    assert_int_equal(rn_recipe_load(&r, "quikc"), RN_ENOTFOUND);
    assert_non_null(strstr(rn_error_message(), "did you mean 'quick'?"));
    assert_int_equal(rn_recipe_load(&r, "zzzzzz"), RN_ENOTFOUND);
    assert_non_null(
        strstr(rn_error_message(),
               "paper-cifar, paper-cifar-110, paper-cifar-2016, quick, quick-deep, fast-cifar, "
               "paper-imagenet, modern, shapes"));
    assert_int_equal(rn_recipe_load(&r, folder), RN_EIO);
    rmdir(folder);
    rn_free(path);
}

// What a checkpoint holds of a recipe must be read again: as JSON in UTF-8, of a name that fits.
static void assert_readable_again(const rn_recipe *recipe)
{
    char *printed = NULL, *repaired = NULL;
    rn_recipe again = *recipe;

    assert_int_equal(rn_recipe_print(&printed, recipe), RN_OK);
    assert_int_equal(rn_text_repair(&repaired, printed), RN_OK);
    assert_string_equal(repaired, printed);
    if (rn_recipe_parse(&again, printed, "again") != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_string_equal(again.name, recipe->name);
    rn_text_free(printed);
    rn_text_free(repaired);
}

static void names_of_files_are_cut_between_letters(void **state)
{
    (void)state;
    char folder[] = "/tmp/recipe-XXXXXX", name[70] = "a\xff"; // the latter becomes 3 bytes
    rn_recipe r;
    char *path = NULL;

    for (int i = 0; i < 30; i++)
        strcat(name, "\xc3\xa9");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(rn_format(&path, "%s/%s.json", folder, name), RN_OK);
    load_text(RN_OK, path, "{}", &r);
    assert_int_equal(strlen(r.name), 62); // with a 30th letter 64
    assert_memory_equal(r.name, "a\xef\xbf\xbd\xc3\xa9", 6);
    assert_readable_again(&r);
    unlink(path);
    rmdir(folder);
    rn_free(path);
}

static void given_names_are_repaired_before_they_are_measured(void **state)
{
    (void)state;
    rn_recipe r = load("quick");
    char name[70] = "\xff"; // 3 bytes, once it is repaired

    assert_int_equal(rn_recipe_parse(&r, "{\"name\": \"b\xff\"}", "test"), RN_OK);
    assert_string_equal(r.name, "b\xef\xbf\xbd");
    assert_readable_again(&r);
    memset(name + 1, 'b', 60);
    assert_int_equal(rn_recipe_set(&r, "name", name), RN_OK);
    assert_int_equal(strlen(r.name), 63);
    assert_readable_again(&r);
    name[61] = 'b';
    assert_int_equal(rn_recipe_set(&r, "name", name), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "expected a text of at most 63 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper_recipe_is_the_papers),
        cmocka_unit_test(paper_imagenet_is_the_papers),
        cmocka_unit_test(paper_of_2016_warms_up),
        cmocka_unit_test(augmentation_by_options),
        cmocka_unit_test(builtin_recipes_are_valid_and_round_trip),
        cmocka_unit_test(awkward_values_round_trip_bit_for_bit),
        cmocka_unit_test(defaults_follow_the_data),
        cmocka_unit_test(options_are_checked_one_by_one),
        cmocka_unit_test(one_length_clears_the_other),
        cmocka_unit_test(bad_json_is_refused_and_changes_nothing),
        cmocka_unit_test(values_must_fit_together),
        cmocka_unit_test(files_start_from_a_base),
        cmocka_unit_test(names_of_files_are_cut_between_letters),
        cmocka_unit_test(given_names_are_repaired_before_they_are_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
