// Progressive resizing: smaller images first. The training learns, takes no more memory than at its
// own size, and goes on from any step bit for bit; what cannot be is said before it begins.
#include "image/fail_allocation.h"
#include "train/training.h"

#include <stdatomic.h>
#include <sys/stat.h>

// Sizes 16, 24 and 32 of 14 steps: they change after 4 and 8, where checkpoints are written too.
static const rn_progressive two_changes = {.count = 2, .size = {16, 24}, .until = {0.3, 0.6}};

static void init(training *t)
{
    training_init(t);
    t->recipe.progressive = two_changes;
}

static void resumed_run_equals_uninterrupted(uint64_t at, const training *whole)
{
    training t;

    init(&t);
    t.recipe = whole->recipe;
    t.options.model_options = whole->options.model_options;
    rn_samples *train = t.train, *test = t.test;
    t.options.train = whole->options.train;
    t.options.test = whole->options.test;
    t.stop_at = at;
    training_run(&t, RN_EINTERRUPTED);
    t.stop = 0;
    t.stop_at = 0;
    t.options.resume = true;
    t.options.workers = 3;
    training_run(&t, RN_OK);
    assert_same_file(whole, &t, "checkpoint-14.safetensors");
    assert_same_file(whole, &t, "model.safetensors");
    assert_same_file(whole, &t, "best.safetensors");
    t.train = train;
    t.test = test;
    training_release(&t);
}

static void resume_is_bit_equal_in_every_phase(void **state)
{
    training whole, plain;

    (void)state;
    init(&whole);
    whole.recipe.mix = (rn_mix){.mixup = 0.5, .cutmix = 1};
    training_run(&whole, RN_OK);
    assert_int_equal(whole.notes, 3);
    assert_string_equal(whole.last_note, "image size 24 x 24 -> 32 x 32");
    resumed_run_equals_uninterrupted(1, &whole);
    resumed_run_equals_uninterrupted(4, &whole); // the size changes next
    resumed_run_equals_uninterrupted(5, &whole); // an evaluation is due
    resumed_run_equals_uninterrupted(8, &whole);
    resumed_run_equals_uninterrupted(13, &whole);

    training_init(&plain);
    plain.recipe.mix = whole.recipe.mix;
    training_run(&plain, RN_OK);
    assert_true(plain.result.test_loss != whole.result.test_loss);
    assert_int_equal(plain.notes, 0);
    training_release(&plain);
    training_release(&whole);
}

static void resume_is_bit_equal_with_lookahead(void **state)
{
    training whole;

    (void)state;
    init(&whole);
    whole.recipe.sgd.lookahead = 3;
    training_run(&whole, RN_OK);
    resumed_run_equals_uninterrupted(4, &whole);
    resumed_run_equals_uninterrupted(7, &whole);
    training_release(&whole);
}

// Three classes of noise in colours of their own, wider or higher than the network's input.
static void write_photographs(const char *folder, const char *split, int count)
{
    char path[160];
    uint8_t pixels[3 * 60 * 60];

    snprintf(path, sizeof path, "%s/%s", folder, split);
    assert_int_equal(mkdir(path, 0777), 0);
    for (int i = 0; i < count; i++) {
        int width = 40 + i % 20, height = 60 - i % 17;
        snprintf(path, sizeof path, "%s/%s/class%d", folder, split, i % 3);
        mkdir(path, 0777); // once
        for (int k = 0; k < 3 * width * height; k++)
            pixels[k] = (uint8_t)((k % 3 == i % 3 ? 128 : 0) + (k * 7919 + i * 31) % 127);
        snprintf(path, sizeof path, "%s/%s/class%d/%d.ppm", folder, split, i % 3, i);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fprintf(file, "P6 %d %d 255\n", width, height);
        assert_int_equal(fwrite(pixels, 1, (size_t)(3 * width * height), file), 3 * width * height);
        assert_int_equal(fclose(file), 0);
    }
}

static void open_photographs(training *t, const char *folder)
{
    write_photographs(folder, "train", 60);
    write_photographs(folder, "val", 9);
    rn_samples_free(t->train);
    rn_samples_free(t->test);
    assert_int_equal(rn_data_open(&t->train, folder, RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(rn_data_open(&t->test, folder, RN_SPLIT_TEST), RN_OK);
    t->options.train = t->train;
    t->options.test = t->test;
    t->options.model_options = (rn_model_options){.channels = 3, .height = 32, .width = 40};
}

// The sides of the input are in proportion: 16 x 20, 24 x 30, 32 x 40.
static void photographs_learn_and_resume(void **state)
{
    training whole, pictures;

    (void)state;
    training_init(&pictures); // for its folder
    init(&whole);
    open_photographs(&whole, pictures.folder);
    whole.recipe.normalize = RN_NORMALIZE_IMAGENET;
    whole.recipe.augment =
        (rn_augment){.crop = RN_CROP_RESIZE, .flip = true, .resize_low = 40, .resize_high = 50};
    training_run(&whole, RN_OK);
    assert_string_equal(whole.last_note, "image size 24 x 30 -> 32 x 40");
    resumed_run_equals_uninterrupted(3, &whole);
    resumed_run_equals_uninterrupted(8, &whole);
    training_release(&whole);
    training_release(&pictures);
}

typedef struct watched {
    double first_error, last_error;
    int steps;
} watched;

static void watch(const rn_event *event, void *context)
{
    watched *w = context;

    if (event->kind != RN_EVENT_STEP)
        return;
    w->steps++;
    w->first_error = event->iteration == 20 ? event->error : w->first_error;
    w->last_error = event->error;
}

// Two thirds of the steps at a quarter and at half of the work. A line of the log has one size.
static void it_learns(void **state)
{
    training t;
    watched w = {0};

    (void)state;
    init(&t);
    t.recipe.iterations = 70;
    t.recipe.batch = 24;
    t.recipe.schedule =
        (rn_schedule){.kind = RN_SCHEDULE_COSINE, .lr = 0.05, .factor = 0.1, .patience = 1};
    t.options.log_every = 20;
    t.options.test = t.train; // at its own size, without random changes
    t.options.checkpoint_every = 70;
    t.options.on_event = watch;
    t.options.context = &w;
    training_run(&t, RN_OK);
    assert_int_equal(w.steps, 3 + 1 + 1 + 1); // 20, 40, 60; the ends 21 and 42 of sizes; 70
    printf("  training error %.1f %% -> %.1f %%, evaluated %lld wrong of 96\n", w.first_error,
           w.last_error, (long long)t.result.test_wrong);
    assert_true(w.last_error < w.first_error - 20);
    assert_true(t.result.test_wrong < 96 / 2); // 90 % by chance
    training_release(&t);
}

// The message of a limit that is too low names the least: that of the own size, not of a sum.
static void memory_is_that_of_the_largest(void **state)
{
    training plain, t;
    char message[400];

    (void)state;
    training_init(&plain);
    plain.options.memory_limit = 1 << 20;
    training_run(&plain, RN_ENOMEM);
    snprintf(message, sizeof message, "%s", rn_error_message());
    init(&t);
    t.options.memory_limit = 1 << 20;
    training_run(&t, RN_ENOMEM);
    assert_string_equal(rn_error_message(), message);
    training_release(&t);
    training_release(&plain);
}

static void a_memory_limit_changes_no_bit(void **state)
{
    training whole, limited;
    double least = 0;

    (void)state;
    init(&whole);
    whole.options.test = NULL; // what evaluates is larger than a step
    training_run(&whole, RN_OK);
    init(&limited);
    limited.options.test = NULL;
    limited.options.memory_limit = 1 << 20;
    training_run(&limited, RN_ENOMEM);
    assert_int_equal(
        sscanf(rn_error_message(), "training at batch 20 takes at least %lf MiB", &least), 1);
    limited.options.memory_limit = (size_t)(least * (1 << 20)) + 1;
    training_run(&limited, RN_OK);
    assert_non_null(strstr(limited.last_note, "memory limit: "));
    assert_same_file(&whole, &limited, "model.safetensors");
    training_release(&limited);
    training_release(&whole);
}

// A share too small for a step is left out.
static void a_size_without_a_step_is_passed_over(void **state)
{
    training t;

    (void)state;
    init(&t);
    t.recipe.progressive.until[0] = 0.01;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 2);
    assert_string_equal(t.last_note, "image size 24 x 24 -> 32 x 32");
    training_release(&t);
}

// Allocations fail from the last step of a size to the first of the next. oneDNN's adapter calls a
// failure an engine's.
static atomic_int left;

static bool fail_one(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return atomic_fetch_sub(&left, 1) != 0;
}

static void fail_at_change(const rn_event *event, void *context)
{
    (void)context;
    if (event->kind == RN_EVENT_STEP && event->iteration == 2)
        rn_alloc_hook_set(fail_one, NULL);
    else if (event->kind == RN_EVENT_NOTE || event->kind == RN_EVENT_END)
        rn_alloc_hook_set(NULL, NULL);
}

static void every_allocation_of_a_change_may_fail(void **state)
{
    rn_status st = RN_ENOMEM;
    int which = 0;

    (void)state;
    for (; st != RN_OK; which++) {
        training t;
        init(&t);
        t.recipe.progressive = (rn_progressive){.count = 1, .size = {16}, .until = {0.5}};
        t.recipe.iterations = 4;
        t.recipe.batch = 4;
        t.options.test = NULL;
        t.options.checkpoint_every = 100;
        t.options.evaluate_every = 100;
        t.options.on_event = fail_at_change;
        atomic_store(&left, which);
        st = rn_train(&t.options, &t.result);
        bool theirs = st == RN_ENGINE && strstr(rn_error_message(), "out_of_memory") != NULL;
        if (st != (atomic_load(&left) < 0 ? RN_ENOMEM : RN_OK) && !theirs)
            fail_msg("%d: status %d (%s)", which, (int)st, rn_error_message());
        training_release(&t);
    }
    assert_in_range(which, 8, 2000); // run, optimiser, weights and what oneDNN needs for these
}

static void refuse(const training *t, const char *message)
{
    assert_int_equal(rn_progressive_check(&t->options), RN_EINVAL);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' lacks '%s'", rn_error_message(), message);
    rn_train_result result;
    assert_int_equal(rn_train(&t->options, &result), RN_EINVAL);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' lacks '%s'", rn_error_message(), message);
}

static void what_does_not_fit_is_refused(void **state)
{
    training t;

    (void)state;
    init(&t);
    t.recipe.progressive.size[1] = 32;
    refuse(&t, "'progressive' has size 32, expected less than the network's own 32 x 32");
    t.recipe.progressive = (rn_progressive){.count = 1, .size = {2}, .until = {0.5}};
    refuse(&t, "'progressive' has size 2, too small for 'resnet-8': "
               "'layer3.0.conv1' sees a map of 1 x 1");
    t.recipe.progressive.size[0] = 16;
    t.recipe.normalize = RN_NORMALIZE_PIXEL_MEAN;
    refuse(&t, "'progressive' and normalisation 'pixel-mean' exclude each other");
    t.recipe.normalize = RN_NORMALIZE_CHANNEL;
    t.options.model = "vgg-11"; // flattens its last map
    refuse(&t, "'progressive' has size 16");
    training_release(&t);
}

static void checking_may_fail_at_every_allocation(void **state)
{
    training t;
    rn_status st = RN_ENOMEM;

    (void)state;
    init(&t);
    for (int which = 0; st != RN_OK; which++) {
        fail_allocation plan;
        fail_allocation_start(&plan, which);
        st = rn_progressive_check(&t.options);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
    }
    training_release(&t);
}

static void assert_refused_text(const char *text)
{
    rn_recipe recipe;

    assert_int_equal(rn_recipe_load(&recipe, "quick"), RN_OK);
    if (rn_recipe_set(&recipe, "progressive", text) != RN_EINVAL)
        fail_msg("'%s' is taken", text);
    assert_non_null(strstr(rn_error_message(), "expected none or up to 8 SIZE:UNTIL"));
    assert_int_equal(recipe.progressive.count, 0);
}

static void texts_of_recipes(void **state)
{
    static const char *const wrong[] = {
        "",
        "128",
        "128:",
        ":0.5",
        "128:0",
        "128:1",
        "128:-0.1",
        "0:0.5",
        "4097:0.5",
        "12.5:0.5",
        "128:x",
        "128:0.5,",
        ",128:0.5",
        "128:0.5:0.6",
        "128:0.5,128:0.6",
        "160:0.5,128:0.6",
        "128:0.5,160:0.5",
        "128:0.5 ,160:0.6",
        "1:.1,2:.2,3:.3,4:.4,5:.5,6:.6,7:.7,8:.8,9:.9",
        "128:0.00000000000000000000000000000000000000000000000000000000000000000000000001"};
    rn_recipe recipe;
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused_text(wrong[i]);
    assert_int_equal(rn_recipe_load(&recipe, "quick"), RN_OK);
    assert_int_equal(rn_recipe_set(&recipe, "progressive", "128:0.4,160:0.75"), RN_OK);
    assert_int_equal(rn_recipe_check(&recipe), RN_OK);
    assert_int_equal(recipe.progressive.count, 2);
    assert_true(recipe.progressive.size[1] == 160 && recipe.progressive.until[1] == 0.75);
    assert_int_equal(rn_recipe_print(&text, &recipe), RN_OK);
    assert_non_null(strstr(text, "\"128:0.4,160:0.75\""));
    rn_text_free(text);
    assert_int_equal(rn_recipe_set(&recipe, "progressive", "none"), RN_OK);
    assert_int_equal(recipe.progressive.count, 0);
    recipe.progressive = two_changes;
    recipe.progressive.until[1] = 0.3;
    assert_int_equal(rn_recipe_check(&recipe), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "'progressive' is '16:0.3,24:0.3'"));
    recipe.progressive.count = 9;
    assert_int_equal(rn_recipe_check(&recipe), RN_EINVAL);
    recipe.progressive.count = -1;
    assert_int_equal(rn_recipe_check(&recipe), RN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resume_is_bit_equal_in_every_phase),
        cmocka_unit_test(resume_is_bit_equal_with_lookahead),
        cmocka_unit_test(photographs_learn_and_resume),
        cmocka_unit_test(it_learns),
        cmocka_unit_test(memory_is_that_of_the_largest),
        cmocka_unit_test(a_memory_limit_changes_no_bit),
        cmocka_unit_test(a_size_without_a_step_is_passed_over),
        cmocka_unit_test(every_allocation_of_a_change_may_fail),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(checking_may_fail_at_every_allocation),
        cmocka_unit_test(texts_of_recipes),
    };

    return cmocka_run_group_tests_name("progressive", tests, NULL, NULL);
}
