// Files are the same under a locale that writes numbers with a comma.
#include "resnet/history.h"
#include "resnet/recipe.h"
#include "resnet/report.h"

#include "base/file.h"
#include "base/text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/model_sample.h"
#include "store/temporary_folder.h"

static void remove_locales(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s/de_DE.UTF-8'", folder);
    assert_int_equal(system(command), 0);
}

// One that is installed, or else one that is made here.
static bool choose_comma(void)
{
    char command[256];

    if (setlocale(LC_ALL, "de_DE.UTF-8") != NULL || setlocale(LC_ALL, "fr_FR.UTF-8") != NULL)
        return true;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >'%s' 2>&1",
             folder, "/dev/null");
    bool made = system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 &&
                setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    remove_locales();
    return made;
}

static int enter_comma(void **state)
{
    char text[16];

    if (make_folder(state) != 0)
        return 1;
    if (!choose_comma()) {
        print_message("skipped: no locale with a decimal comma, and localedef cannot make one\n");
        return 0;
    }
    *state = folder; // anything but NULL
    snprintf(text, sizeof text, "%.1f", 0.5);
    return strcmp(text, "0,5") != 0;
}

static int leave_comma(void **state)
{
    setlocale(LC_ALL, "C");
    return remove_folder(state);
}

static char *contents(const char *name)
{
    char *text = NULL;
    size_t size;

    ok(rn_file_read(&text, &size, in_folder(name), 1 << 24));
    return text;
}

static void models_keep_their_numbers(void **state)
{
    static const rn_file_format formats[] = {RN_FILE_RESNET, RN_FILE_SAFETENSORS, RN_FILE_ONNX};
    rn_checkpoint *c, *back;

    if (*state == NULL)
        skip();
    c = sample_model(RN_NORMALIZE_CHANNEL, false);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        ok(rn_model_save(c, in_folder("model"), &(rn_export_options){.format = formats[i]}));
        ok(rn_model_load(&back, NULL, in_folder("model"), NULL));
        assert_same_preprocess(back->preprocess, c->preprocess);
        assert_same_weights(back->weights, c->weights);
        rn_checkpoint_free(back);
    }
    rn_checkpoint_free(c);
}

static void log_lines_read_back(void **state)
{
    const rn_event event = {.kind = RN_EVENT_STEP, .iteration = 50, .epoch = 0.5, .loss = 1.25};
    rn_run_log *log;
    rn_history *history;
    char *text;

    if (*state == NULL)
        skip();
    ok(rn_run_log_open(&log, folder));
    ok(rn_run_log_write(log, &event));
    rn_run_log_close(log);
    text = contents("log.jsonl");
    assert_non_null(strstr(text, "\"epoch\":0.5,"));
    assert_non_null(strstr(text, "\"loss\":1.25,"));
    rn_free(text);
    ok(rn_history_read(&history, folder));
    assert_int_equal(history->step_count, 1);
    assert_true(history->steps[0].loss == 1.25);
    rn_history_free(history);
}

static void texts_are_numbers_with_a_point(void **state)
{
    double value = 0;
    rn_recipe recipe;

    if (*state == NULL)
        skip();
    assert_true(rn_text_double("0.25", 0, 1, &value));
    assert_true(value == 0.25);
    assert_false(rn_text_double("0,25", 0, 1, &value));
    ok(rn_recipe_load(&recipe, "quick"));
    ok(rn_recipe_parse(&recipe, "{\"lr\": 0.125}", "test"));
    assert_true(recipe.schedule.lr == 0.125);
    rn_error(RN_EINVAL, "%g", 0.5);
    assert_string_equal(rn_error_message(), "0.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_keep_their_numbers),
        cmocka_unit_test(log_lines_read_back),
        cmocka_unit_test(texts_are_numbers_with_a_point),
    };

    return cmocka_run_group_tests(tests, enter_comma, leave_comma);
}
