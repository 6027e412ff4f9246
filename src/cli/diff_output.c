#include "cli/diff_output.h"

#include "cli/shown.h"
#include "cli/term.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROWS = 40, MOST_PARAMS = 8 };

int cli_diff_top(const cli_compared *d, int model, int picture)
{
    const rn_comparison *c = &d->comparison;
    const float *logits = c->logits[model] + (ptrdiff_t)picture * c->classes;
    int best = 0;

    for (int k = 1; k < c->classes; k++)
        if (logits[k] > logits[best])
            best = k;
    return best;
}

// A table's rows: '>' the first layer beyond the tolerance, '!' others

static cli_number spell(double value)
{
    cli_number number;

    snprintf(number.text, sizeof number.text, value == 0 ? "0" : "%.2e", value);
    return number;
}

static void print_heading(int width, const char *what, const char *column)
{
    printf("%s  %-*s  %-14s  %8s  %9s  %8s%s\n", cli_style(stdout, CLI_BOLD), width, what, column,
           "max |a|", "max |a-b|", "relative", cli_style(stdout, CLI_NORMAL));
}

static void print_row(char mark, int width, const char *name, const char *column,
                      const rn_difference *d)
{
    printf("%s%c %-*s  %-14s  %8s  %9s  %8s%s\n", mark != ' ' ? cli_style(stdout, CLI_RED) : "",
           mark, width, name, column, spell(d->largest).text, spell(d->absolute).text,
           spell(d->relative).text, mark != ' ' ? cli_style(stdout, CLI_NORMAL) : "");
}

// Models

static void print_models(const cli_compared *d)
{
    for (int i = 0; i < 2; i++)
        printf("%c  %s: %s, %s engine\n", 'a' + i, cli_shown(d->words[i]).text, d->models[i]->model,
               d->options.engine[i]);
}

static const char *label(const rn_checkpoint *model, int class)
{
    return class < model->options.classes ? model->label_names[class] : "(none)";
}

static void print_surroundings(const cli_compared *d)
{
    const rn_checkpoint *a = d->models[0], *b = d->models[1];
    int class = 0;

    if (d->comparison.folded != NULL)
        printf(
            "folded      the batch norms of %c are part of its convolutions; those of %c too, to "
            "compare\n",
            d->comparison.folded_model == 0 ? 'b' : 'a',
            d->comparison.folded_model == 0 ? 'a' : 'b');
    if (!d->comparison.same_preprocess)
        printf("preprocess  differs: %s in a, %s in b%s\n",
               rn_normalize_name(a->preprocess->normalize),
               rn_normalize_name(b->preprocess->normalize),
               a->preprocess->normalize == b->preprocess->normalize ? ", of other values or size"
                                                                    : "");
    if (d->comparison.labels_differing == 0)
        return;
    while (strcmp(label(a, class), label(b, class)) == 0)
        class ++;
    printf("labels      %d differ; the first is class %d: '%s' in a, '%s' in b\n",
           d->comparison.labels_differing, class, cli_shown(label(a, class)).text,
           cli_shown(label(b, class)).text);
}

// Parameters

static const char *param_name(const rn_param_difference *p)
{
    return p->a != NULL ? p->a->name : p->b->name;
}

static void spell_shape(char *text, size_t size, const rn_param *param)
{
    size_t used = 0;

    for (int i = 0; i < param->dims && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%d", i > 0 ? "x" : "", param->shape[i]);
}

static bool is_equal(const rn_param_difference *p)
{
    return p->measured && p->difference.absolute == 0;
}

static void print_param(const rn_param_difference *p, int width)
{
    char shape[2][48] = {"", ""};

    if (p->a != NULL)
        spell_shape(shape[0], sizeof shape[0], p->a);
    if (p->b != NULL)
        spell_shape(shape[1], sizeof shape[1], p->b);
    if (p->measured)
        print_row(p->difference.beyond ? '!' : ' ', width, param_name(p), shape[0], &p->difference);
    else if (p->a != NULL && p->b != NULL)
        printf("! %-*s  %s in a, %s in b\n", width, param_name(p), shape[0], shape[1]);
    else
        printf("! %-*s  only in %s: %s\n", width, param_name(p), p->a != NULL ? "a" : "b",
               p->a != NULL ? shape[0] : shape[1]);
}

typedef struct param_counts {
    int equal, unmeasured, other; // other: measured, and not equal
    int width;                    // of the longest name
} param_counts;

static param_counts count_params(const rn_comparison *c)
{
    param_counts counts = {.width = 9};

    for (int i = 0; i < c->param_count; i++) {
        const rn_param_difference *p = &c->params[i];
        int length = (int)strlen(param_name(p));
        counts.equal += is_equal(p);
        counts.unmeasured += !p->measured;
        counts.other += p->measured && !is_equal(p);
        counts.width = length > counts.width ? length : counts.width;
    }
    return counts;
}

// How bad a parameter is: missing ones first, then by their difference.
static double badness(const rn_param_difference *p)
{
    return p->measured ? p->difference.relative : INFINITY;
}

static int worse_than(const rn_comparison *c, int index)
{
    int worse = 0;

    for (int i = 0; i < c->param_count; i++)
        worse += badness(&c->params[i]) > badness(&c->params[index]) ||
                 (badness(&c->params[i]) == badness(&c->params[index]) && i < index);
    return worse;
}

static void print_params(const cli_compared *d, bool all)
{
    const rn_comparison *c = &d->comparison;
    param_counts counts = count_params(c);
    int differing = counts.other + counts.unmeasured;

    printf("\nparameters  %s tensors: %s equal", cli_count(c->param_count).text,
           differing == 0 ? "all" : cli_count(counts.equal).text);
    if (counts.other > 0)
        printf(", %s not", cli_count(counts.other).text);
    if (counts.unmeasured > 0)
        printf(", %s missing or of another shape", cli_count(counts.unmeasured).text);
    if (differing > 0)
        printf("; %s beyond %g", c->params_beyond == 0 ? "none" : cli_count(c->params_beyond).text,
               d->options.tolerance);
    printf("\n");
    if (differing > 0 || all)
        print_heading(counts.width, "parameter", "shape");
    for (int i = 0; i < c->param_count; i++)
        if (all || (!is_equal(&c->params[i]) && worse_than(c, i) < MOST_PARAMS))
            print_param(&c->params[i], counts.width);
    if (!all && differing > MOST_PARAMS)
        printf("  and %s more, less far apart: see --all\n",
               cli_count(differing - MOST_PARAMS).text);
}

// Layers

typedef enum detail { EACH_LAYER, BY_UNIT, BY_STAGE } detail;

// "layer1.0.conv1": "layer1.0" names the unit, "layer1" the stage; what has no such part is alone.
static int group_length(const char *name, detail d)
{
    const char *dot = d == EACH_LAYER ? NULL : strchr(name, '.');

    if (dot != NULL && d == BY_UNIT)
        dot = strchr(dot + 1, '.');
    return dot != NULL ? (int)(dot - name) : (int)strlen(name);
}

// The end of the group that begins with layer `begin`.
static int group_end(const rn_comparison *c, int begin, detail d)
{
    const char *name = c->layers[begin].node->name;
    int length = group_length(name, d), end = begin + 1;

    while (end < c->layer_count && group_length(c->layers[end].node->name, d) == length &&
           strncmp(c->layers[end].node->name, name, (size_t)length) == 0)
        end++;
    return end;
}

static int count_groups(const rn_comparison *c, detail d)
{
    int count = 0;

    for (int i = 0; i < c->layer_count; i = group_end(c, i, d))
        count++;
    return count;
}

static int group_width(const rn_comparison *c, detail d)
{
    int width = 8;

    for (int i = 0; i < c->layer_count; i++) {
        int length = group_length(c->layers[i].node->name, d);
        width = length > width ? length : width;
    }
    return width;
}

static const rn_layer_difference *worst_of(const rn_comparison *c, int begin, int end)
{
    const rn_layer_difference *worst = &c->layers[begin];

    for (int i = begin + 1; i < end; i++)
        if (c->layers[i].difference.relative > worst->difference.relative)
            worst = &c->layers[i];
    return worst;
}

static void print_group(const rn_comparison *c, int begin, int end, detail d, int width)
{
    const rn_layer_difference *worst = worst_of(c, begin, end);
    const rn_node *node = worst->node;
    bool first = c->first_beyond >= begin && c->first_beyond < end;
    char name[RN_MAX_NAME], column[48];

    snprintf(name, sizeof name, "%.*s", group_length(node->name, d), node->name);
    if (end - begin > 1)
        snprintf(column, sizeof column, "%d outputs", end - begin);
    else if (node->height == 1 && node->width == 1)
        snprintf(column, sizeof column, "%d", node->channels);
    else
        snprintf(column, sizeof column, "%d x %d x %d", node->channels, node->height, node->width);
    print_row(first                      ? '>'
              : worst->difference.beyond ? '!'
                                         : ' ',
              width, name, column, &worst->difference);
}

static void print_layers(const cli_compared *d, bool all)
{
    const rn_comparison *c = &d->comparison;
    detail level = EACH_LAYER;

    if (!all && c->layer_count > MOST_ROWS)
        level = count_groups(c, BY_UNIT) <= MOST_ROWS ? BY_UNIT : BY_STAGE;
    int width = group_width(c, level);
    if (d->picture != NULL)
        printf("\noutputs for '%s'\n", cli_shown(d->picture).text);
    else
        printf("\noutputs for %d picture%s of noise, seed %llu\n", c->images,
               c->images == 1 ? "" : "s", (unsigned long long)d->options.seed);
    print_heading(width,
                  level == EACH_LAYER ? "layer"
                  : level == BY_UNIT  ? "unit"
                                      : "stage",
                  level == EACH_LAYER ? "output" : "worst of");
    for (int i = 0, end; i < c->layer_count; i = end) {
        end = group_end(c, i, level);
        print_group(c, i, end, level, width);
    }
    if (c->unmatched > 0)
        printf("  and %d that only one of the engines shows\n", c->unmatched);
    if (c->first_beyond >= 0)
        printf("first beyond %g: %s\n", d->options.tolerance,
               c->layers[c->first_beyond].node->name);
}

static void print_top(const cli_compared *d)
{
    const rn_comparison *c = &d->comparison;
    int same = 0;

    for (int i = 0; i < c->images; i++)
        same += cli_diff_top(d, 0, i) == cli_diff_top(d, 1, i);
    printf("\ntop-1       ");
    if (c->images > 1) {
        printf("the same for %d of %d pictures\n", same, c->images);
        return;
    }
    int tops[2] = {cli_diff_top(d, 0, 0), cli_diff_top(d, 1, 0)};
    printf("%s: '%s' (logit %.6g) in a, '%s' (%.6g) in b\n",
           same > 0 ? "the same class" : "different classes",
           cli_shown(label(d->models[0], tops[0])).text, (double)c->logits[0][tops[0]],
           cli_shown(label(d->models[1], tops[1])).text, (double)c->logits[1][tops[1]]);
}

static void print_result(const cli_compared *d)
{
    const rn_comparison *c = &d->comparison;

    printf("result      %s%s%s", cli_style(stdout, c->within ? CLI_GREEN : CLI_RED),
           c->within ? "within" : "beyond", cli_style(stdout, CLI_NORMAL));
    printf(" the tolerance of %g\n", d->options.tolerance);
}

void cli_diff_print(const cli_compared *d, bool all)
{
    print_models(d);
    print_surroundings(d);
    print_params(d, all);
    if (d->comparison.layer_count == 0)
        return;
    print_layers(d, all);
    print_top(d);
    print_result(d);
}
