// What is worth knowing of a training that begins: notes, no errors.
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

static void note(const rn_trainer *trainer, const char *text)
{
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
}

// 2015 paper, section 4.2: 110 layers do not start to converge at lr 0.1.
static void note_no_warmup(const rn_trainer *trainer)
{
    char text[200];
    const rn_schedule *schedule = &trainer->recipe.schedule;
    int layers = rn_graph_depth(trainer->checkpoint->graph);

    if (layers < 110 || schedule->lr < 0.1 || schedule->warmup > 0 || schedule->until_error > 0)
        return;
    snprintf(text, sizeof text,
             "%d layers may not start to learn at lr %g without warm-up; recipe paper-cifar-110, "
             "--until-error 80 or --warmup avoids that",
             layers, schedule->lr);
    note(trainer, text);
}

// Classes named "0", "1", ...: digits, as far as anyone can tell, and a mirrored 2 is no 2.
static void note_mirrored_digits(const rn_trainer *trainer)
{
    char digit[16];
    const rn_samples *train = trainer->options->train;

    if (!trainer->recipe.augment.flip)
        return;
    for (int i = 0; i < train->classes; i++) {
        snprintf(digit, sizeof digit, "%d", i);
        if (strcmp(train->label_names[i], digit) != 0)
            return;
    }
    note(trainer, "the classes have numbers for names; if they are digits, --no-flip keeps them "
                  "from being mirrored");
}

// A share of all iterations always ends in time.
static void note_long_warmup(const rn_trainer *trainer)
{
    char text[160];
    const rn_schedule *schedule = &trainer->recipe.schedule;

    if (schedule->warmup < 1 || schedule->warmup < (double)trainer->iterations)
        return;
    snprintf(text, sizeof text,
             "the warm-up takes %g steps, the training %llu: it does not reach lr %g",
             schedule->warmup, (unsigned long long)trainer->iterations, schedule->lr);
    note(trainer, text);
}

static void note_late_milestones(const rn_trainer *trainer)
{
    char text[160];
    const rn_schedule *schedule = &trainer->recipe.schedule;

    if (schedule->kind != RN_SCHEDULE_STEP || schedule->milestone[0] < trainer->iterations)
        return;
    snprintf(text, sizeof text,
             "the first milestone is step %llu, the training has %llu: the learning rate does not "
             "fall",
             (unsigned long long)schedule->milestone[0], (unsigned long long)trainer->iterations);
    note(trainer, text);
}

// The weights that are evaluated and kept would be those it began with.
static void note_long_lookahead(const rn_trainer *trainer)
{
    char text[160];
    int every = trainer->recipe.sgd.lookahead;

    if (every <= 0 || (uint64_t)every <= trainer->iterations)
        return;
    snprintf(text, sizeof text,
             "lookahead averages every %d steps, the training has %llu: its average never moves",
             every, (unsigned long long)trainer->iterations);
    note(trainer, text);
}

void rn_trainer_note_begin(const rn_trainer *trainer)
{
    note_no_warmup(trainer);
    note_mirrored_digits(trainer);
    note_long_warmup(trainer);
    note_late_milestones(trainer);
    note_long_lookahead(trainer);
}

void rn_trainer_note_end(const rn_trainer *trainer)
{
    char text[160];
    const rn_schedule *schedule = &trainer->recipe.schedule;

    if (!(schedule->until_error > 0) || trainer->progress.schedule.released)
        return;
    snprintf(text, sizeof text, "the training error did not fall below %g %%: lr %g to the end",
             schedule->until_error, schedule->until_lr);
    note(trainer, text);
}
