// What the runs ran on.
#include "reproduce/report_parts.h"

#include "base/json.h"
#include "base/memory.h"
#include "report/environment.h"
#include "resnet/report.h"

#include <string.h>

// "AMD EPYC, 2 threads, cpu avx2, ..., gcc ..., commit ...": what does not change from run to run.
static rn_status machine_text(char **out, const char *environment)
{
    static const char *const keys[] = {
        "cpu", "engine_description", "kernel", "compiler", "resnet", "commit"};
    rn_status st;
    cJSON *json = NULL;
    char *text = NULL;

    *out = NULL;
    RN_TRY(rn_json_parse(&json, environment, strlen(environment), "environment"));
    const cJSON *threads = cJSON_GetObjectItemCaseSensitive(json, "threads");
    RN_TRY(rn_format(&text, "%d threads", cJSON_IsNumber(threads) ? threads->valueint : 0));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, keys[i]));
        char *longer = NULL;
        RN_TRY(rn_format(&longer, "%s; %s %s", text, keys[i], value != NULL ? value : "unknown"));
        rn_free(text);
        text = longer;
    }
    *out = text;
    text = NULL; // now the caller's
out:
    rn_free(text);
    cJSON_Delete(json);
    return st;
}

/** Machines and builds, each once. */
typedef struct machine_list {
    char **text;
    size_t count, room;
} machine_list;

// Takes the text over; NULL adds nothing.
static rn_status add_machine(machine_list *list, char *text)
{
    rn_status st = RN_OK;

    for (size_t i = 0; text != NULL && i < list->count; i++)
        if (strcmp(list->text[i], text) == 0)
            goto out;
    if (text == NULL)
        return RN_OK;
    RN_TRY(rn_grow((void **)&list->text, &list->room, list->count + 1, sizeof *list->text));
    list->text[list->count++] = text;
    text = NULL; // now the list's
out:
    rn_free(text);
    return st;
}

// A damaged file says nothing of the machine.
static rn_status add_environment(machine_list *list, const char *environment)
{
    char *text;
    rn_status st = machine_text(&text, environment);

    if (st == RN_OK)
        st = add_machine(list, text);
    return st == RN_EFORMAT ? RN_OK : st;
}

static rn_status add_earlier(machine_list *list, const char *run)
{
    rn_status st = RN_OK;

    for (int i = 1; st == RN_OK; i++) {
        char *environment = NULL;
        st = rn_environment_read_earlier(&environment, run, i);
        if (st == RN_OK)
            st = add_environment(list, environment);
        rn_text_free(environment);
    }
    return st == RN_ENOMEM ? st : RN_OK;
}

static rn_status add_machines_of(machine_list *list, const rn_outcome *outcome, const char *run)
{
    rn_status st = RN_OK;
    char *text = NULL;

    if (outcome->machine != NULL) {
        RN_TRY(rn_strdup(&text, outcome->machine));
        return add_machine(list, text);
    }
    if (outcome->history == NULL || outcome->history->environment_json == NULL)
        return RN_OK;
    RN_TRY(add_earlier(list, run));
    st = add_environment(list, outcome->history->environment_json);
out:
    return st;
}

static rn_status find_machines(machine_list *list, const rn_reproduction *r,
                               const rn_outcome *outcomes, const char *folder)
{
    rn_status st = RN_OK;

    for (int i = 0; i < r->job_count && st == RN_OK; i++) {
        char *run = NULL;
        st = rn_format(&run, "%s/runs/%s", folder, r->jobs[i].name);
        if (st == RN_OK)
            st = add_machines_of(list, &outcomes[i], run);
        rn_free(run);
    }
    return st;
}

void rn_report_machines(doc *d, const rn_reproduction *r, const rn_outcome *outcomes,
                        const char *folder)
{
    machine_list list = {0};
    rn_status st = find_machines(&list, r, outcomes, folder);

    if (d->status == RN_OK)
        d->status = st;
    if (list.count > 0)
        doc_add(d, DOC_HEADING, list.count == 1 ? "Machine" : "Machines");
    for (size_t i = 0; i < list.count; i++) {
        doc_add(d, DOC_ITEM, "%s", list.text[i]);
        rn_free(list.text[i]);
    }
    rn_free(list.text);
}
