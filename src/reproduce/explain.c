// What a comparison of depths shows, in sentences.
#include "reproduce/outcome.h"

#include "base/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

/** A claim's two networks, the deeper one first, and how their errors differ. */
typedef struct comparison {
    const rn_claim *claim;
    int depth[2];
    rn_statistics error[2];
    rn_verdict verdict;
    char reason[RN_VERDICT_TEXT];
} comparison;

static rn_status compare(comparison *c, const rn_claim *claim, const rn_reproduction *r,
                         const rn_outcome *outcomes)
{
    *c = (comparison){.claim = claim};
    if (claim->than < 0 || (claim->kind != RN_CLAIM_ABOVE && claim->kind != RN_CLAIM_BELOW) ||
        claim->metric != RN_METRIC_TRAIN_ERROR)
        return rn_error(RN_EINVAL,
                        "target '%s': claim '%s' does not compare two networks' training errors",
                        r->target->name, claim->text);
    for (int i = 0; i < 2; i++) {
        int run = i == 0 ? claim->of : claim->than;
        c->depth[i] = r->runs[run].depth;
        c->error[i] = rn_outcome_statistics_for_order(outcomes, r, run, claim->metric);
    }
    c->verdict = rn_claim_judge(c->reason, claim, r, outcomes);
    return RN_OK;
}

// Every run of a network did.
static bool is_whole_divergence(const rn_statistics *error)
{
    return error->diverged > 0 && error->diverged == error->count;
}

static const char *undecided_conclusion(const comparison *c)
{
    const double difference = c->error[0].mean - c->error[1].mean, margin = c->claim->margin;
    const double twice = 2 * rn_statistics_error(&c->error[0], &c->error[1]);

    if (c->verdict == RN_VERDICT_ONE_RUN)
        return "a single run of each does not tell";
    if (fabs(difference) > margin ||
        (c->claim->kind == RN_CLAIM_BELOW && difference + twice > margin))
        return "the runs of a network differ too much to tell";
    return c->claim->kind == RN_CLAIM_BELOW ? "too little a difference to count, and no degradation"
                                            : "too little a difference to count";
}

static const char *conclusion(const comparison *c)
{
    const bool degrades = c->error[0].mean > c->error[1].mean;

    if (c->verdict == RN_VERDICT_UNDECIDED || c->verdict == RN_VERDICT_ONE_RUN)
        return undecided_conclusion(c);
    if (degrades)
        return "more layers made the network harder to train, which is degradation";
    return "more layers made the training error lower, no degradation";
}

static const char *found(const comparison *c)
{
    if (c->verdict == RN_VERDICT_SHOWN)
        return "as in the paper";
    return c->claim->kind == RN_CLAIM_BELOW ? "that deeper is better is not shown"
                                            : "degradation is not shown";
}

// "with 56 layers the training error ended at 25.5%", or that it diverged.
static rn_status describe_end(char **out, const comparison *c, int i)
{
    const rn_statistics *error = &c->error[i];
    const char *what = i == 0                              ? "the training error ended "
                       : is_whole_divergence(&c->error[0]) ? "its error ended "
                                                           : "";

    if (is_whole_divergence(error))
        return rn_format(out, "with %d layers training diverged", c->depth[i]);
    if (error->diverged > 0)
        return rn_format(out,
                         "with %d layers %sat %.1f%% (%d of %d runs diverged, counted with the "
                         "error of guessing)",
                         c->depth[i], what, error->mean, error->diverged, error->count);
    return rn_format(out, "with %d layers %sat %.1f%%", c->depth[i], what, error->mean);
}

// "not shown" wherever the paper's claim is not what came out.
static rn_status describe(char **out, const char *panel, const comparison *c)
{
    rn_status st;
    char *deeper = NULL, *shallower = NULL;

    if (c->verdict == RN_VERDICT_MISSING)
        return rn_format(out, "%c%s: not shown, since a run has no result.\n",
                         toupper((unsigned char)panel[0]), panel + 1);
    RN_TRY(describe_end(&deeper, c, 0));
    RN_TRY(describe_end(&shallower, c, 1));
    st = rn_format(out, "%c%s: %s, %s: %s (%s).\n", toupper((unsigned char)panel[0]), panel + 1,
                   deeper, shallower, conclusion(c), found(c));
out:
    rn_free(shallower);
    rn_free(deeper);
    return st;
}

static rn_status add_sentence(char **text, const rn_claim *claim, const rn_reproduction *r,
                              const rn_outcome *outcomes)
{
    rn_status st;
    comparison c;
    char *sentence = NULL, *longer = NULL;
    const rn_target_run *run = &r->target->runs[claim->of >= 0 ? claim->of : 0];

    RN_TRY(compare(&c, claim, r, outcomes));
    RN_TRY(describe(&sentence, run->panel != NULL ? run->panel : run->name, &c));
    RN_TRY(rn_format(&longer, "%s%s", *text != NULL ? *text : "", sentence));
    rn_free(*text);
    *text = longer;
out:
    rn_free(sentence);
    return st;
}

rn_status rn_reproduction_explain(char **out, const rn_reproduction *r, const char *folder)
{
    rn_status st;
    rn_outcome *outcomes = NULL;
    char *text = NULL;

    *out = NULL;
    RN_TRY(rn_outcomes_read(&outcomes, r, folder));
    for (int i = 0; i < r->target->claim_count; i++)
        RN_TRY(add_sentence(&text, &r->target->claims[i], r, outcomes));
    *out = text;
    text = NULL; // now the caller's
out:
    rn_free(text);
    rn_outcomes_free(outcomes, r);
    return st;
}
