// What a training step and a forward pass of each network take on this machine.
#include "cli/json_output.h"
#include "cli/network.h"
#include "cli/progress_line.h"
#include "cli/reproduce_plan.h"
#include "cli/run_folder.h"
#include "cli/step_plan.h"
#include "cli/term.h"

#include "resnet/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char FILE_NAME[] = "calibration.json";

// Everything that a cost depends on is part of its name, so that nothing in the file is ever wrong.
static rn_status cost_name(char **out, const char *command)
{
    char processor[128];

    cli_processor_name(processor, sizeof processor);
    return cli_format(out, "%s: %s", processor, command);
}

// A file that cannot be read is measured anew.
static cJSON *read_costs(const char *folder)
{
    char *text = NULL;
    cJSON *json = NULL;

    if (rn_run_folder_read(&text, folder, FILE_NAME) == RN_OK)
        json = cJSON_Parse(text);
    rn_text_free(text);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        json = cJSON_CreateObject();
    }
    return json;
}

static rn_status write_costs(const char *folder, const cJSON *json)
{
    rn_status st;
    char *printed = NULL, *text = NULL;

    RN_TRY(cli_json_text(&printed, cJSON_Duplicate(json, true)));
    RN_TRY(cli_format(&text, "%s\n", printed));
    RN_TRY(rn_run_folder_write(folder, FILE_NAME, text));
out:
    free(text);
    free(printed);
    return st;
}

static bool find_cost(rn_step_cost *cost, const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(item, "seconds");
    const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(item, "bytes");

    if (!cJSON_IsNumber(seconds) || !cJSON_IsNumber(bytes))
        return false;
    *cost = (rn_step_cost){seconds->valuedouble, bytes->valuedouble};
    return true;
}

static rn_status measure(rn_step_cost *cost, const rn_words *words)
{
    rn_status st;
    cli_child child;
    char *text = NULL, reason[512];
    int status = 0;
    const cli_child_place place = {.folder = ".", .lock = -1};

    RN_TRY(cli_child_start(&child, words, &place));
    st = cli_child_wait(&child, &status);
    if (st != RN_OK) {
        cli_child_release(&child);
        goto out;
    }
    cli_child_reason(reason, sizeof reason, &child);
    RN_TRY(cli_child_output(&text, &child));
    if (WIFSIGNALED(status))
        snprintf(reason, sizeof reason, "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || rn_step_cost_parse(cost, text) != RN_OK) {
        char *command = NULL;
        st = rn_error(RN_ENGINE, "'%s' fails: %s",
                      rn_words_text(&command, words) == RN_OK ? command : "resnet bench", reason);
        rn_text_free(command);
    }
out:
    free(text);
    return st;
}

/** The costs known so far. */
typedef struct book {
    cJSON *json;
    const char *folder;
    bool quiet;
} book;

static void say_measuring(const book *b, const char *model)
{
    const cli_field field = {.rank = 0};
    cli_field fields[1] = {field};

    if (b->quiet || !cli_is_live(stdout))
        return;
    snprintf(fields[0].text, sizeof fields[0].text, "measuring %.70s ...", model);
    cli_redraw(stdout, -1, fields, 1);
}

static rn_status keep_cost(const book *b, const char *name, const rn_step_cost *cost)
{
    cJSON *item = cJSON_AddObjectToObject(b->json, name);

    cli_json_add(item, "seconds", cost->seconds);
    cli_json_add(item, "bytes", cost->bytes);
    return write_costs(b->folder, b->json);
}

static rn_status look_up(rn_step_cost *cost, book *b, const rn_words *words)
{
    rn_status st;
    char *command = NULL, *name = NULL;

    RN_TRY(rn_words_text(&command, words));
    RN_TRY(cost_name(&name, command));
    if (find_cost(cost, b->json, name))
        goto out;
    say_measuring(b, words->word[1]);
    RN_TRY(measure(cost, words));
    RN_TRY(keep_cost(b, name, cost));
out:
    free(name);
    rn_text_free(command);
    return st;
}

static rn_status cost_of(rn_step_cost *cost, book *b, const rn_reproduction *r, int run,
                         bool training)
{
    rn_words words;
    rn_status st = rn_run_bench_command(&words, r, run, training);

    if (st == RN_OK)
        st = look_up(cost, b, &words);
    rn_words_release(&words);
    return st;
}

rn_status cli_step_bytes(size_t *bytes, const rn_reproduction *r, int run)
{
    rn_status st;
    rn_engine *engine = NULL;
    rn_graph *graph = NULL;
    rn_plan *plan = NULL;
    const rn_plan_options options = {.batch = r->settings.batch, .training = true};

    RN_TRY(rn_engine_create(&engine, NULL));
    RN_TRY(rn_graph_create(&graph, r->runs[run].model, &r->settings.network));
    RN_TRY(cli_step_plan(&plan, graph, engine, options, NULL, 0));
    *bytes = cli_step_memory_of(plan).total;
out:
    rn_plan_free(plan);
    rn_graph_free(graph);
    rn_engine_free(engine);
    return st;
}

// Memory is planned, not measured; deep networks' plans take a second, and are kept, too.
static rn_status plan_bytes(double *out, book *b, const rn_reproduction *r, int run)
{
    rn_status st;
    char *command = NULL, *name = NULL;
    size_t bytes = 0;
    rn_step_cost cost = {0};

    RN_TRY(cli_format(&command, "resnet plan %s --batch %d --threads %d", r->runs[run].model,
                      r->settings.batch, rn_threads()));
    RN_TRY(cost_name(&name, command));
    if (!find_cost(&cost, b->json, name)) {
        RN_TRY(cli_step_bytes(&bytes, r, run));
        cost.bytes = (double)bytes;
        RN_TRY(keep_cost(b, name, &cost));
    }
    *out = cost.bytes;
out:
    free(name);
    free(command);
    return st;
}

// Networks of one kind: the first run of its panel.
static int first_alike(const rn_reproduction *r, int run)
{
    const rn_target_run *runs = r->target->runs;

    for (int i = 0; i < run; i++)
        if (runs[i].panel == runs[run].panel || (runs[i].panel != NULL && runs[run].panel != NULL &&
                                                 strcmp(runs[i].panel, runs[run].panel) == 0))
            return i;
    return run;
}

// Of measured steps only the first of each kind, and so smallest, is measured twice: the plan is
// not to take as long as what it plans.
static rn_status fill_step_cost(rn_run_cost *costs, book *b, const rn_reproduction *r, int run)
{
    rn_status st;
    const int first = first_alike(r, run);

    if (first == run)
        return cost_of(&costs[run].training, b, r, run, true);
    costs[run] =
        rn_run_cost_scaled(&costs[first], r->runs[first].multiply_adds, r->runs[run].multiply_adds);
    RN_TRY(plan_bytes(&costs[run].training.bytes, b, r, run));
out:
    return st;
}

static rn_status fill_costs(rn_run_cost *costs, book *b, const rn_reproduction *r)
{
    rn_status st = RN_OK;

    for (int i = 0; i < r->target->run_count; i++) {
        if (r->target->cost) {
            RN_TRY(fill_step_cost(costs, b, r, i));
            continue;
        }
        RN_TRY(cost_of(&costs[i].training, b, r, i, true));
        RN_TRY(cost_of(&costs[i].inference, b, r, i, false));
    }
out:
    return st;
}

rn_status cli_calibrate(cli_calibration *calibration, const rn_reproduction *r)
{
    rn_status st;
    book b = {read_costs(calibration->folder), calibration->folder, calibration->quiet};

    cli_calibration_release(calibration);
    calibration->costs = calloc((size_t)r->target->run_count, sizeof *calibration->costs);
    if (calibration->costs == NULL || b.json == NULL)
        st = rn_error(RN_ENOMEM, "no memory for the costs of %d networks", r->target->run_count);
    else
        st = fill_costs(calibration->costs, &b, r);
    if (!b.quiet && cli_is_live(stdout))
        fputs("\r\033[K", stdout);
    cJSON_Delete(b.json);
    return st;
}

void cli_calibration_release(cli_calibration *calibration)
{
    free(calibration->costs);
    calibration->costs = NULL;
}
