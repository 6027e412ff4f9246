// Jobs as command lines of the program.
#include "resnet/reproduce.h"

#include "base/memory.h"
#include "base/number.h"
#include "train/inference.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CALIBRATION_STEPS = 3, POINT_STEPS = 5, WORD = 512 };

void rn_words_release(rn_words *words)
{
    for (int i = 0; i < words->count; i++)
        rn_free(words->word[i]);
    *words = (rn_words){0};
}

static rn_status add(rn_words *words, const char *word)
{
    rn_status st;

    if (words->count == RN_MAX_WORDS)
        return rn_error(RN_EINVAL, "a command has more than %d words", RN_MAX_WORDS);
    st = rn_strdup(&words->word[words->count], word);
    words->count += st == RN_OK;
    return st;
}

// Each a word; ends with NULL.
static rn_status add_all(rn_words *words, ...)
{
    rn_status st = RN_OK;
    va_list list;

    va_start(list, words);
    for (const char *word; st == RN_OK && (word = va_arg(list, const char *)) != NULL;)
        st = add(words, word);
    va_end(list);
    return st;
}

static rn_status add_number(rn_words *words, const char *option, double value)
{
    char text[32];

    rn_print(text, sizeof text, "%.10g", value);
    return add_all(words, option, text, NULL);
}

static rn_status add_memory(rn_words *words, const rn_reproduction *r)
{
    return r->settings.memory != NULL ? add_all(words, "--memory", r->settings.memory, NULL)
                                      : RN_OK;
}

static rn_status add_pace(rn_words *words, const rn_reproduction *r, const rn_scaled_run *run)
{
    rn_status st;

    RN_TRY(add_number(words, "--evaluate-every", run->evaluate_every));
    RN_TRY(add_number(words, "--log-every", (double)run->log_every));
    RN_TRY(add_number(words, "--checkpoint-every", (double)run->checkpoint_every));
    RN_TRY(add_number(words, "--keep", 2));
    RN_TRY(add_number(words, "--threads", r->settings.threads));
    RN_TRY(add_memory(words, r));
out:
    return st;
}

static rn_status train_command(rn_words *words, const rn_reproduction *r, const rn_job *job)
{
    rn_status st;
    char recipe[WORD], folder[WORD];

    snprintf(recipe, sizeof recipe, "recipes/%s.json", r->target->runs[job->run].name);
    snprintf(folder, sizeof folder, "runs/%s", job->name);
    RN_TRY(add_all(words, "train", r->runs[job->run].model, "--data", r->settings.source,
                   "--recipe", recipe, NULL));
    RN_TRY(add_number(words, "--seed", (double)job->seed));
    RN_TRY(add_pace(words, r, &r->runs[job->run]));
    RN_TRY(add_all(words, "--quiet", "--out", folder, NULL));
out:
    return st;
}

static rn_status bench_command(rn_words *words, const rn_reproduction *r, int run, int batch)
{
    rn_status st;
    const rn_model_options *network = &r->settings.network;
    char input[64];

    RN_TRY(add_all(words, "bench", r->runs[run].model, NULL));
    RN_TRY(add_number(words, "--batch", batch));
    RN_TRY(add_number(words, "--threads", r->settings.threads));
    if (network->classes > 0)
        RN_TRY(add_number(words, "--classes", network->classes));
    snprintf(input, sizeof input, "%dx%dx%d", network->channels, network->height, network->width);
    if (network->channels > 0)
        RN_TRY(add_all(words, "--input", input, NULL));
    RN_TRY(add(words, "--json"));
out:
    return st;
}

static rn_status finish(rn_words *words, rn_status st)
{
    if (st != RN_OK)
        rn_words_release(words);
    return st;
}

static rn_status resume_command(rn_words *words, const char *folder)
{
    return add_all(words, "train", "--resume", folder, "--quiet", NULL);
}

static rn_status responses_command(rn_words *words, const rn_reproduction *r, const char *folder)
{
    rn_status st;

    RN_TRY(add_all(words, "responses", folder, "--data", r->settings.source, NULL));
    RN_TRY(add_number(words, "--threads", r->settings.threads));
out:
    return st;
}

static rn_status ten_crops_command(rn_words *words, const rn_reproduction *r, const char *folder)
{
    rn_status st;

    RN_TRY(add_all(words, "eval", folder, "--data", r->settings.source, "--protocol", "ten",
                   "--json", NULL));
    RN_TRY(add_number(words, "--threads", r->settings.threads));
out:
    return st;
}

// A point is measured without a memory limit, which would change what it costs.
static rn_status point_command(rn_words *words, const rn_reproduction *r, int run)
{
    rn_status st;

    RN_TRY(bench_command(words, r, run, r->settings.batch));
    RN_TRY(add_number(words, "--steps", POINT_STEPS));
out:
    return st;
}

rn_status rn_job_command(rn_words *words, const rn_reproduction *r, int job, rn_job_state state)
{
    char folder[WORD];

    *words = (rn_words){0};
    snprintf(folder, sizeof folder, "runs/%s", r->jobs[job].name);
    if (r->target->cost)
        return finish(words, point_command(words, r, r->jobs[job].run));
    if (state == RN_JOB_RESPONSES)
        return finish(words, responses_command(words, r, folder));
    if (state == RN_JOB_TEN_CROPS)
        return finish(words, ten_crops_command(words, r, folder));
    if (state == RN_JOB_PARTIAL)
        return finish(words, resume_command(words, folder));
    return finish(words, train_command(words, r, &r->jobs[job]));
}

rn_status rn_run_bench_command(rn_words *words, const rn_reproduction *r, int run, bool training)
{
    rn_status st;

    *words = (rn_words){0};
    RN_TRY(
        bench_command(words, r, run, training ? r->runs[run].recipe.batch : RN_EVALUATION_BATCH));
    RN_TRY(add_number(words, "--steps", CALIBRATION_STEPS));
    if (training && r->runs[run].recipe.dtype != RN_FLOAT32)
        RN_TRY(add_all(words, "--dtype", rn_dtype_name(r->runs[run].recipe.dtype), NULL));
    RN_TRY(training ? add_memory(words, r) : add(words, "--inference"));
out:
    return finish(words, st);
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";

    return *word != '\0' && strspn(word, plain) == strlen(word);
}

// The room that a word takes at most: four bytes for each quote in it, a blank, two quotes.
static size_t room_of(const rn_words *words)
{
    size_t bytes = sizeof "resnet";

    for (int i = 0; i < words->count; i++)
        bytes += 4 * strlen(words->word[i]) + 3;
    return bytes;
}

static char *put_quoted(char *end, const char *word)
{
    *end++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            end = stpcpy(end, "'\\''");
        else
            *end++ = *word;
    }
    *end++ = '\'';
    *end = '\0';
    return end;
}

rn_status rn_words_text(char **out, const rn_words *words)
{
    rn_status st = RN_NEW(out, room_of(words));
    char *end;

    if (st != RN_OK)
        return st;
    end = stpcpy(*out, "resnet");
    for (int i = 0; i < words->count; i++) {
        *end++ = ' ';
        end = is_plain(words->word[i]) ? stpcpy(end, words->word[i])
                                       : put_quoted(end, words->word[i]);
    }
    return RN_OK;
}

// Cut text behind its last line, which is returned.
static char *last_line(char *text)
{
    size_t size = strlen(text);

    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    char *newline = strrchr(text, '\n');
    return newline != NULL ? newline + 1 : text;
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

const char *rn_run_last_line(bool *error, char *text)
{
    static const char prefix[] = "resnet: error: ";
    char *line = last_line(text);

    if (line != text && begins_with(line, "try 'resnet ")) {
        line[-1] = '\0';
        line = last_line(text);
    }
    *error = begins_with(line, prefix);
    return *error ? line + strlen(prefix) : line;
}
