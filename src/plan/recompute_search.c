// The rule that repeats least and keeps within the memory limit.
#include "plan/recompute.h"

#include <stdint.h>
#include <string.h>

enum {
    ROUNDS = 8,
    COARSE_STEPS = 16,
    FINE_STEPS = 128, // to find the least
    LEAST_SHARE = 32, // of the largest result: smaller ones are not worth a pass
    LARGE_SHARE = 100 // of the arena: results worth a trial each
};

typedef struct search {
    rn_recompute r;
    size_t target; // bytes of the arena that tensors alive at once may take
    bool placing;  // whatever does not take more than the least is placed, and counts as placed
    size_t least;  // that any rule tried has led to
    rn_drop_rule least_rule;
    rn_status status; // of placing
} search;

static bool fits(search *s, const rn_drop_rule *rule)
{
    size_t peak = rn_recompute_apply(&s->r, rule);

    if (s->placing && peak < s->least && s->status == RN_OK) {
        s->status = rn_plan_place(&s->r.trial);
        peak = s->r.trial.arena_bytes;
    }
    if (peak < s->least) {
        s->least = peak;
        s->least_rule = *rule;
    }
    return peak <= s->target;
}

// Flops repeated by the rule applied last.
static double repeated_flops(const search *s)
{
    const rn_plan *trial = &s->r.trial;
    double flops = 0;

    for (int i = trial->forward_count; i < trial->op_count; i++)
        if (trial->ops[i].again)
            flops += rn_planned_op_flops(&trial->ops[i]);
    return flops;
}

// Lower *end, a member of *rule, which fits, towards `below`, which does not.
static void lower_end(search *s, rn_drop_rule *rule, int *end, int below)
{
    int good = *end;

    while (good - below > 1) {
        *end = below + (good - below) / 2;
        if (fits(s, rule))
            good = *end;
        else
            below = *end;
    }
    *end = good;
}

// 1, 2, 3, 4, 6, 8, 12, ...
static int next_chain(int chain)
{
    return chain < 3 ? chain + 1 : (chain & (chain - 1)) == 0 ? chain + chain / 2 : chain / 3 * 4;
}

// Without repeating a convolution or linear layer. *chain: the length that takes least memory.
static bool search_cheap(search *s, rn_drop_rule *best, int *chain)
{
    int count = s->r.plan->forward_count;

    for (int length = 1; length <= count; length = next_chain(length)) {
        *best = (rn_drop_rule){.cheap_end = count, .chain = length};
        if (fits(s, best)) {
            lower_end(s, best, &best->cheap_end, 0);
            return true;
        }
    }
    *chain = s->least_rule.chain; // no rule of another sort has been tried yet
    return false;
}

/**
 * With segments of one size. The first layers have the largest results for their flops, so they are
 * dropped first; from `deep_end` on it may also be worse again, as a segment has to have room while
 * all that is kept before it is there.
 */
static void search_segment(search *s, rn_drop_rule rule, rn_drop_rule *best, double *best_flops)
{
    int count = s->r.plan->forward_count, before = 0;
    int steps = s->placing ? FINE_STEPS : COARSE_STEPS;

    for (int i = 1; i <= steps; i++) {
        rule.deep_end = (int)((int64_t)count * i / steps);
        if (rule.deep_end == before)
            continue;
        if (fits(s, &rule)) {
            lower_end(s, &rule, &rule.deep_end, before);
            rn_recompute_apply(&s->r, &rule);
            double flops = repeated_flops(s);
            if (*best_flops < 0 || flops < *best_flops) {
                *best_flops = flops;
                *best = rule;
            }
            return;
        }
        if (*best_flops >= 0 && repeated_flops(s) >= *best_flops)
            return; // goes too far already
        before = rule.deep_end;
    }
}

static bool search_deep(search *s, rn_drop_rule *best, int chain)
{
    const rn_plan *plan = s->r.plan;
    double flops = -1;
    size_t all = plan->arena_kept;

    for (size_t segment = 0; segment < all;
         segment += segment / 2 + all / (size_t)plan->op_count + 1)
        search_segment(
            s, (rn_drop_rule){.cheap_end = plan->forward_count, .segment = segment, .chain = chain},
            best, &flops);
    return flops >= 0;
}

static bool find_rule(search *s, rn_drop_rule *best)
{
    int chain = 1;

    s->least = SIZE_MAX;
    return search_cheap(s, best, &chain) || search_deep(s, best, chain);
}

static rn_status place(search *s, const rn_drop_rule *rule)
{
    rn_recompute_apply(&s->r, rule);
    return rn_plan_place(&s->r.trial);
}

static rn_status too_large(const rn_plan *plan, size_t least)
{
    const double mib = 1 << 20;

    return rn_error(RN_ENOMEM, "%s at batch %d takes %s%.1f MiB, the memory limit is %.1f MiB",
                    plan->options.training ? "training" : "inference", plan->options.batch,
                    plan->options.training ? "at least " : "",
                    (double)(least / (size_t)(mib / 10) + 1) / 10,
                    (double)plan->options.memory_limit / mib);
}

// Of many rules the one with the smallest arena. It does not depend on the limit, so that a limit
// named as the least is one that can be kept.
static rn_status place_least(search *s)
{
    rn_drop_rule none;

    s->target = 0;
    s->placing = true;
    find_rule(s, &none);
    return s->status == RN_OK ? place(s, &s->least_rule) : s->status;
}

// The arena may be larger than what lives at once: then the search aims lower.
static rn_status search_and_place(search *s, rn_plan *plan)
{
    rn_status st = RN_OK;
    size_t limit = plan->options.memory_limit;
    size_t fixed = rn_plan_total_bytes(plan) - plan->arena_bytes, total = SIZE_MAX;
    rn_drop_rule rule;

    s->target = limit > fixed ? limit - fixed : 0;
    for (int round = 0; total > limit && round < ROUNDS && find_rule(s, &rule); round++) {
        RN_TRY(place(s, &rule));
        total = rn_plan_total_bytes(&s->r.trial);
        if (total > limit)
            s->target = s->target > total - limit ? s->target - (total - limit) : 0;
    }
    if (total > limit) {
        RN_TRY(place_least(s));
        total = rn_plan_total_bytes(&s->r.trial);
    }
    if (total <= limit) {
        rn_recompute_accept(&s->r, plan);
        plan->limited = true;
    } else {
        st = too_large(plan, total);
    }
out:
    return st;
}

static bool within_limit(const rn_plan *plan)
{
    return plan->options.memory_limit == 0 ||
           rn_plan_total_bytes(plan) <= plan->options.memory_limit;
}

static size_t largest_result(const rn_plan *plan)
{
    size_t largest = 0;

    for (int i = 0; i < plan->forward_count; i++) {
        int dst = rn_planned_op_tensor(&plan->ops[i], RN_ARG_DST);
        if (dst >= 0 && plan->tensors[dst].bytes > largest)
            largest = plan->tensors[dst].bytes;
    }
    return largest;
}

// What costs next to nothing; the search goes further. The same for a stage's units however many
// they are, so that memory is linear in depth.
static rn_drop_rule default_rule(const rn_plan *plan)
{
    return (rn_drop_rule){
        .cheap_end = plan->forward_count, .chain = 2, .least = largest_result(plan) / LEAST_SHARE};
}

// Hold what may be kept without a higher peak, trying the first results first or last; the peak.
static size_t hold(rn_recompute *r, const rn_drop_rule *rule, bool first)
{
    int count = r->plan->forward_count;

    memset(r->held, 0, (size_t)count * sizeof *r->held);
    size_t least = rn_recompute_apply(r, rule);
    for (int k = 0; k < count; k++) {
        int i = first ? k : count - 1 - k;
        if (!r->dropped[i] || r->plan->tensors[r->plan->ops[i].args[RN_ARG_DST].index].bytes <
                                  r->plan->arena_kept / LARGE_SHARE)
            continue;
        r->held[i] = true;
        size_t peak = rn_recompute_apply(r, rule);
        r->held[i] = peak <= least;
        least = peak <= least ? peak : least;
    }
    return least;
}

/**
 * Hold what need not be dropped: where a stage ends, say, the next one's gradients need its last
 * result at once, and with it all that restores it.
 */
static void hold_what_is_free(rn_recompute *r, const rn_drop_rule *rule)
{
    size_t first = hold(r, rule, true);

    memcpy(r->other_held, r->held, (size_t)r->plan->forward_count * sizeof *r->held);
    if (hold(r, rule, false) > first)
        memcpy(r->held, r->other_held, (size_t)r->plan->forward_count * sizeof *r->held);
}

rn_status rn_plan_recompute(rn_plan *plan)
{
    rn_status st = RN_OK;
    search s = {0};
    const rn_drop_rule rule = default_rule(plan);

    if (!plan->options.training)
        return within_limit(plan) ? RN_OK : too_large(plan, rn_plan_total_bytes(plan));
    RN_TRY(rn_recompute_init(&s.r, plan));
    hold_what_is_free(&s.r, &rule);
    RN_TRY(place(&s, &rule));
    if (!within_limit(&s.r.trial)) {
        memset(s.r.held, 0, (size_t)plan->forward_count * sizeof *s.r.held);
        st = search_and_place(&s, plan);
    } else if (s.r.trial.arena_bytes < plan->arena_bytes) {
        rn_recompute_accept(&s.r, plan);
    }
out:
    rn_recompute_release(&s.r);
    return st;
}
