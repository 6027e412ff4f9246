// Which runs are drawn, what they are called, and in which panel each of them stands.
#include "cli/plot_chart.h"

#include "cli/run_folder.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = RN_PLOT_MOST_SERIES / 2 };

void cli_plot_runs_release(cli_plot_runs *all)
{
    for (int i = 0; i < all->count; i++)
        rn_history_free(all->runs[i].history);
    for (int i = 0; i < all->list_count; i++)
        rn_run_list_release(&all->lists[i]);
    free(all->lists);
    free(all->runs);
    free(all->texts);
    free(all->patterns);
    *all = (cli_plot_runs){0};
}

static rn_status add_run(cli_plot_runs *all, const char *path)
{
    cli_plot_run *larger;

    if (all->count == MOST_RUNS)
        return rn_error(RN_EINVAL, "more than %d runs to draw, expected up to that", MOST_RUNS);
    larger = realloc(all->runs, ((size_t)all->count + 1) * sizeof *larger);
    if (larger == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d runs", all->count + 1);
    all->runs = larger;
    all->runs[all->count++] = (cli_plot_run){.path = path};
    return RN_OK;
}

// A file of responses, or a folder with one, whether of a run or not.
static rn_status has_responses(bool *found, const char *word)
{
    char *path = NULL;
    rn_status st = cli_format(&path, "%s/responses.json", word);

    *found = st == RN_OK && (!cli_is_folder(word) || cli_is_file(path));
    free(path);
    return st;
}

// A word is a run, or a folder with runs in it; of responses it may also be the file.
static rn_status add_word(cli_plot_runs *all, const char *word, bool read)
{
    rn_status st;
    bool alone = false;
    rn_run_list *list = &all->lists[all->list_count];

    if (!read)
        RN_TRY(has_responses(&alone, word));
    if (alone)
        return add_run(all, word);
    RN_TRY(rn_run_list_read(list, word));
    all->list_count++;
    for (size_t i = 0; i < list->count; i++)
        RN_TRY(add_run(all, list->folders[i]));
out:
    return st;
}

static rn_status read_run(cli_plot_run *run)
{
    rn_status st = rn_history_read(&run->history, run->path);

    if (st == RN_OK && run->history->damaged > 0)
        fprintf(stderr,
                "resnet: note: '%s/log.jsonl': %zu damaged line%s left out, the first is line "
                "%zu\n",
                run->path, run->history->damaged, run->history->damaged == 1 ? "" : "s",
                run->history->first_damaged);
    return st;
}

// Labels

static const char *name_of(const cli_plot_run *run)
{
    const char *slash = strrchr(run->path, '/');

    if (run->history != NULL)
        return run->history->name;
    return slash != NULL && slash[1] != '\0' ? slash + 1 : run->path;
}

static const char *model_of(const cli_plot_run *run)
{
    return run->history != NULL ? run->history->model : "";
}

static const char *path_of(const cli_plot_run *run)
{
    return run->path;
}

static bool tells_apart(const cli_plot_runs *all, const char *(*text_of)(const cli_plot_run *))
{
    for (int i = 0; i < all->count; i++) {
        if (*text_of(&all->runs[i]) == '\0')
            return false;
        for (int k = 0; k < i; k++)
            if (strcmp(text_of(&all->runs[i]), text_of(&all->runs[k])) == 0)
                return false;
    }
    return true;
}

static rn_status take_labels(cli_plot_runs *all, const char *labels)
{
    char *rest;
    int count = 1;

    for (const char *c = labels; *c != '\0'; c++)
        count += *c == ',';
    if (count != all->count)
        return rn_error(RN_EINVAL, "option '--label' has %d labels, expected %d, one a run", count,
                        all->count);
    rest = all->texts = strdup(labels);
    if (rest == NULL)
        return rn_error(RN_ENOMEM, "no memory for labels");
    for (int i = 0; i < all->count; i++)
        all->runs[i].label = strsep(&rest, ",");
    return RN_OK;
}

static rn_status choose_labels(cli_plot_runs *all, const cli_arguments *args)
{
    const char *(*text_of)(const cli_plot_run *) = path_of;

    if (cli_given(args, "label"))
        return take_labels(all, cli_text(args, "label"));
    if (cli_flag(args, "mean") || tells_apart(all, model_of))
        text_of = model_of;
    else if (tells_apart(all, name_of))
        text_of = name_of;
    for (int i = 0; i < all->count; i++)
        all->runs[i].label = text_of(&all->runs[i]);
    return RN_OK;
}

// Panels: "TITLE=PATTERN,PATTERN:PATTERN"

static bool fits(const cli_plot_run *run, const char *pattern)
{
    return fnmatch(pattern, run->label, 0) == 0 || fnmatch(pattern, name_of(run), 0) == 0 ||
           fnmatch(pattern, model_of(run), 0) == 0;
}

static rn_status fill_panel(cli_plot_runs *all, size_t panel, char *patterns)
{
    int look = 0;

    for (char *pattern; (pattern = strsep(&patterns, ",")) != NULL;) {
        const int before = look;
        for (int i = 0; i < all->count; i++) {
            cli_plot_run *run = &all->runs[i];
            if (run->panel != RN_PLOT_MOST_PANELS || !fits(run, pattern))
                continue;
            run->panel = panel;
            run->look = look++;
        }
        if (look == before)
            return rn_error(RN_EINVAL,
                            "option '--panels': no run, or none that is left, is called "
                            "'%s'",
                            pattern);
    }
    return RN_OK;
}

static rn_status choose_panels(cli_plot_runs *all, const char *text)
{
    rn_status st = RN_OK;
    char *rest = all->patterns = strdup(text);

    if (rest == NULL)
        return rn_error(RN_ENOMEM, "no memory for panels");
    for (int i = 0; i < all->count; i++)
        all->runs[i].panel = RN_PLOT_MOST_PANELS;
    all->panels = 0;
    for (char *part; st == RN_OK && (part = strsep(&rest, ":")) != NULL;) {
        char *equals = strchr(part, '=');
        if (all->panels == RN_PLOT_MOST_PANELS)
            return rn_error(RN_EINVAL, "option '--panels' expects up to %d panels",
                            RN_PLOT_MOST_PANELS);
        if (equals != NULL) {
            *equals = '\0';
            all->titles[all->panels] = part;
            part = equals + 1;
        }
        st = fill_panel(all, all->panels++, part);
    }
    for (int i = 0; st == RN_OK && i < all->count; i++)
        if (all->runs[i].panel == RN_PLOT_MOST_PANELS)
            st = rn_error(RN_EINVAL, "option '--panels' has no place for run '%s'",
                          all->runs[i].label);
    return st;
}

static const cli_plot_run *namesake(const cli_plot_runs *all, int run)
{
    for (int k = 0; k < run; k++)
        if (all->runs[k].panel == all->runs[run].panel &&
            strcmp(all->runs[k].label, all->runs[run].label) == 0)
            return &all->runs[k];
    return NULL;
}

// Runs of one label in a panel look the same; the others keep their order.
static void share_looks(cli_plot_runs *all)
{
    int looks[RN_PLOT_MOST_PANELS] = {0};

    all->names = 0;
    for (int i = 0; i < all->count; i++) {
        cli_plot_run *run = &all->runs[i];
        const cli_plot_run *same = namesake(all, i);
        run->look = same != NULL ? same->look : looks[run->panel]++;
        all->names += same == NULL;
    }
}

// As the legend lists them.
static int by_place(const void *a, const void *b)
{
    const cli_plot_run *first = a, *second = b;

    if (first->panel != second->panel)
        return first->panel < second->panel ? -1 : 1;
    return first->look - second->look;
}

rn_status cli_plot_runs_open(cli_plot_runs *all, const cli_arguments *args, bool read)
{
    rn_status st = RN_OK;

    *all = (cli_plot_runs){.lists = calloc((size_t)args->word_count, sizeof *all->lists)};
    if (all->lists == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d words", args->word_count);
    for (int i = 0; i < args->word_count; i++)
        RN_TRY(add_word(all, args->words[i], read));
    for (int i = 0; read && i < all->count; i++)
        RN_TRY(read_run(&all->runs[i]));
    RN_TRY(choose_labels(all, args));
    for (int i = 0; i < all->count; i++)
        all->runs[i].look = i;
    all->panels = 1;
    all->names = all->count;
    if (cli_given(args, "panels")) {
        RN_TRY(choose_panels(all, cli_text(args, "panels")));
        qsort(all->runs, (size_t)all->count, sizeof *all->runs, by_place);
    }
    if (cli_flag(args, "mean"))
        share_looks(all);
out:
    return st;
}
