// train FOLDER: train a network on pictures made in memory. ^C stops; the same command goes on.
#include <resnet/resnet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 32, CHANNELS = 3 };

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

// Stripes, of any width and place, in noise: upright ones are class 0, level ones class 1.
static rn_status draw(rn_samples **out, size_t count, const char *name)
{
    static const char *const names[] = {"upright", "level"};
    const rn_samples_shape shape = {count, CHANNELS, SIZE, SIZE, 2};
    rn_status st = rn_samples_create(out, &shape, name);

    if (st != RN_OK)
        return st;
    uint8_t *pixel = (*out)->images; // [count][channels][height][width]
    for (size_t i = 0; i < count; i++) {
        const int label = rand() % 2, width = 2 + rand() % 6, shift = rand() % SIZE;
        (*out)->labels[i] = label;
        for (int at = 0; at < CHANNELS * SIZE * SIZE; at++) {
            const int along = label == 0 ? at % SIZE : at / SIZE % SIZE;
            *pixel++ = (uint8_t)((along + shift) / width % 2 * 60 + rand() % 196);
        }
    }
    return rn_samples_set_label_names(*out, names);
}

static void show(const rn_event *event, void *context)
{
    (void)context;
    if (event->kind == RN_EVENT_EVALUATION)
        printf("epoch %.0f: %s error %.2f%%\n", event->epoch, event->set, event->error);
}

int main(int argc, char **argv)
{
    rn_recipe recipe;
    rn_train_result result;
    rn_samples *train = NULL, *test = NULL;
    rn_status st = argc == 2 ? rn_recipe_load(&recipe, "quick") : RN_EINVAL;

    if (argc != 2) {
        fprintf(stderr, "train: a folder, please\n");
        return 2;
    }
    signal(SIGINT, on_signal);
    if (st == RN_OK)
        st = draw(&train, 1000, "stripes train");
    if (st == RN_OK)
        st = draw(&test, 200, "stripes test");
    if (st == RN_OK) {
        recipe.epochs = 3;
        recipe.batch = 50;
        rn_train_options options = {.model = "resnet-8",
                                    .recipe = &recipe,
                                    .train = train,
                                    .test = test,
                                    .folder = argv[1],
                                    .resume = true,
                                    .stop = &stop,
                                    .on_event = show};
        st = rn_train(&options, &result);
        if (st == RN_ENOTFOUND) { // there is nothing to resume
            options.resume = false;
            st = rn_train(&options, &result);
        }
    }
    if (st == RN_OK)
        printf("%s/model.safetensors: %lld of %lld wrong\n", argv[1], (long long)result.test_wrong,
               (long long)result.test_count);
    else
        fprintf(stderr, "train: %s\n", rn_error_message());
    rn_samples_free(test);
    rn_samples_free(train);
    return st == RN_OK ? 0 : 1;
}
