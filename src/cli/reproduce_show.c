// What people see of a reproduction: a line for each beginning and end, and on a terminal one that
// is redrawn.
#include "cli/reproduce_crew.h"

#include "cli/progress_line.h"
#include "cli/run_folder.h"
#include "cli/term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *cli_crew_subfolder(const cli_crew *c)
{
    return c->run->reproduction->target->cost ? "points" : "runs";
}

const char *cli_crew_job_name(const cli_crew *c, int job)
{
    return c->run->reproduction->jobs[job].name;
}

void cli_crew_clear_line(cli_crew *c)
{
    if (c->drawn)
        fputs("\r\033[K", stdout);
    c->drawn = false;
}

void cli_crew_say(cli_crew *c, int job, const char *what)
{
    if (c->run->quiet)
        return;
    cli_crew_clear_line(c);
    printf("[%d/%d] %s: %s\n", c->finished, c->run->reproduction->job_count,
           cli_crew_job_name(c, job), what);
    fflush(stdout);
}

void cli_crew_describe(char *text, size_t size, const cli_crew *c, int job)
{
    rn_history *history = NULL;
    char *folder = NULL;

    snprintf(text, size, "done");
    if (cli_format(&folder, "%s/runs/%s", c->run->folder, cli_crew_job_name(c, job)) == RN_OK &&
        rn_history_read(&history, folder) == RN_OK && history->evaluation_count > 0)
        snprintf(text, size, "done, test error %.2f%%",
                 history->evaluations[history->evaluation_count - 1].error);
    rn_history_free(history);
    free(folder);
}

static void look_at(cli_slot *s, const cli_crew *c)
{
    char *folder = NULL;

    if (s->history != NULL)
        (void)rn_history_refresh(s->history, NULL); // what cannot be read is not shown
    else if (cli_format(&folder, "%s/runs/%s", c->run->folder, cli_crew_job_name(c, s->job)) ==
             RN_OK)
        (void)rn_history_read(&s->history, folder);
    free(folder);
}

static void describe_slot(cli_field *field, const cli_slot *s, const cli_crew *c)
{
    const rn_history *history = s->history;
    double share = history != NULL && history->iterations > 0
                       ? (double)history->iteration / (double)history->iterations
                       : 0;

    snprintf(field->text, sizeof field->text, "%.40s %.0f%%", cli_crew_job_name(c, s->job),
             floor(100 * share));
    if (history != NULL && history->step_count > 0) {
        const rn_history_step *step = &history->steps[history->step_count - 1];
        size_t used = strlen(field->text);
        snprintf(field->text + used, sizeof field->text - used, " err %.1f%% ETA %s", step->error,
                 cli_duration(step->eta).text);
    }
}

// One line for all that runs; those at the end go first where there is no room.
static void draw(cli_crew *c)
{
    cli_field fields[5] = {0};
    int count = 1;

    snprintf(fields[0].text, sizeof fields[0].text, "[%d/%d]", c->finished,
             c->run->reproduction->job_count);
    for (int i = 0; i < c->run->processes && count < 5; i++)
        if (c->slots[i].job >= 0) {
            look_at(&c->slots[i], c);
            fields[count].rank = count - 1;
            describe_slot(&fields[count++], &c->slots[i], c);
        }
    cli_redraw(stdout, (double)c->finished / c->run->reproduction->job_count, fields, count);
    c->drawn = true;
}

void cli_crew_show(cli_crew *c)
{
    if (c->run->quiet || !cli_is_live(stdout) || rn_clock() - c->drew < 1)
        return;
    c->drew = rn_clock();
    draw(c);
}
