#include "train/watch.h"

#include "train/training.h"

#include <math.h>

static char *names[] = {"zero", "one", "two", "three"};

static void pictures_lie_evenly_over_the_set(void **state)
{
    (void)state;
    const float sure[4] = {9, 0, 0, 0};
    rn_watch watch;
    rn_watched watched[2 * RN_WATCHED];

    rn_watch_init(&watch, 80, 4);
    for (size_t i = 0; i < 80; i++)
        if (i != 20 && i != 21) // cannot be read: the next one takes their place
            rn_watch_logits(&watch, i, 0, sure);
    assert_int_equal(rn_watch_result(watched, &watch, names), 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(watched[i].index, i == 2 ? 22 : 10 * i);
        assert_true(watched[i].right && !watched[i].mistake);
        assert_string_equal(watched[i].label, "zero");
        assert_string_equal(watched[i].guesses[0].name, "zero");
        assert_true(fabs(watched[i].guesses[0].probability - exp(9) / (exp(9) + 3)) < 1e-12);
    }
}

static void surest_mistakes_come_first(void **state)
{
    (void)state;
    rn_watch watch;
    rn_watched watched[2 * RN_WATCHED];

    rn_watch_init(&watch, 1000, 4);
    for (size_t i = 0; i < 1000; i++) { // the larger (7 i mod 1000), the surer of class 2
        float row[4] = {0.1F, 0, (float)((7 * i) % 1000) / 1000 * 0.8F, 0.05F};
        rn_watch_probabilities(&watch, i, 1, row);
    }
    assert_int_equal(rn_watch_result(watched, &watch, names), 2 * RN_WATCHED);
    for (size_t i = 0; i < RN_WATCHED; i++) {
        const rn_watched *mistake = &watched[RN_WATCHED + i];
        assert_true(mistake->mistake && !mistake->right);
        assert_int_equal(7 * mistake->index % 1000, 999 - i);
        assert_string_equal(mistake->label, "one");
        assert_int_equal(mistake->guess_count, 3);
        assert_string_equal(mistake->guesses[0].name, "two");
        assert_string_equal(mistake->guesses[1].name, "zero");
        assert_string_equal(mistake->guesses[2].name, "three");
    }
}

static void odd_sets_are_shown_as_far_as_they_go(void **state)
{
    (void)state;
    const float nothing[2] = {NAN, NAN}, wrong[2] = {0, 1};
    rn_watch watch;
    rn_watched watched[2 * RN_WATCHED];

    rn_watch_init(&watch, 3, 2);
    for (size_t i = 0; i < 3; i++)
        rn_watch_logits(&watch, i, 0, wrong);
    assert_int_equal(rn_watch_result(watched, &watch, names), 3);
    assert_int_equal(watched[2].guess_count, 2);
    assert_false(watched[2].right);
    rn_watch_init(&watch, 100, 2);
    for (size_t i = 0; i < 100; i++)
        rn_watch_logits(&watch, i, 1, nothing); // the network has diverged
    assert_int_equal(rn_watch_result(watched, &watch, names), RN_WATCHED);
    assert_true(isnan(watched[0].guesses[0].probability));
}

typedef struct seen {
    int events;
    rn_watched watched[2 * RN_WATCHED]; // of the last
    char labels[2 * RN_WATCHED][32], guesses[2 * RN_WATCHED][32];
    int count;
} seen;

static void note_watched(const rn_event *event, void *context)
{
    seen *s = context;

    if (event->kind != RN_EVENT_EVALUATION)
        return;
    s->events++;
    s->count = event->watched_count;
    memcpy(s->watched, event->watched, sizeof *s->watched * (size_t)event->watched_count);
    for (int i = 0; i < s->count; i++) { // the names will be gone
        snprintf(s->labels[i], sizeof s->labels[i], "%s", event->watched[i].label);
        snprintf(s->guesses[i], sizeof s->guesses[i], "%s", event->watched[i].guesses[0].name);
    }
}

// What is shown is what the saved model says of these pictures.
static void training_shows_what_its_model_says(void **state)
{
    (void)state;
    training t;
    seen s = {0};
    char path[128];
    rn_predictor *predictor = NULL;
    const float *probabilities;

    training_init(&t);
    t.options.on_event = note_watched;
    t.options.context = &s;
    assert_int_equal(rn_train(&t.options, &t.result), RN_OK);
    assert_true(s.events >= 2);
    snprintf(path, sizeof path, "%s/model.safetensors", t.folder);
    assert_int_equal(rn_predictor_create(&predictor, path, 1, NULL), RN_OK);
    assert_true(s.count >= RN_WATCHED);
    for (int i = 0; i < s.count; i++) {
        const rn_watched *w = &s.watched[i];
        const size_t bytes = (size_t)3 * 32 * 32;
        rn_image image = {3, 32, 32, malloc(bytes)};
        for (size_t k = 0; k < bytes; k++) // planes to pixels
            image.pixels[k] = t.test->images[w->index * bytes + (k % 3) * 1024 + k / 3];
        assert_int_equal(rn_predictor_set(predictor, 0, &image), RN_OK);
        assert_int_equal(rn_predictor_run(predictor, &probabilities), RN_OK);
        int best = 0;
        for (int k = 1; k < t.test->classes; k++)
            best = probabilities[k] > probabilities[best] ? k : best;
        assert_true(fabs(w->guesses[0].probability - (double)probabilities[best]) < 1e-4);
        assert_string_equal(s.guesses[i], t.test->label_names[best]);
        assert_string_equal(s.labels[i], t.test->label_names[t.test->labels[w->index]]);
        assert_int_equal(w->right, t.test->labels[w->index] == best);
        free(image.pixels);
    }
    rn_predictor_free(predictor);
    training_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_lie_evenly_over_the_set),
        cmocka_unit_test(surest_mistakes_come_first),
        cmocka_unit_test(odd_sets_are_shown_as_far_as_they_go),
        cmocka_unit_test(training_shows_what_its_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
