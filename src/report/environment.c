#include "report/environment.h"

#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "resnet/report.h"
#include "resnet_commit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

enum { CPU_TEXT = 128, NAME_TEXT = 32 };

// "model name	: Intel(R) ..." of the first processor.
static void read_cpu_model(char text[CPU_TEXT])
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");

    snprintf(text, CPU_TEXT, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(text, CPU_TEXT, "%.*s", (int)strcspn(colon, "\n"), colon);
        break;
    }
    if (file != NULL)
        fclose(file);
}

static int usable_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                       : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static rn_status add_machine(cJSON *json)
{
    rn_status st = RN_OK;
    char cpu[CPU_TEXT], kernel[2 * sizeof((struct utsname *)0)->release];
    struct utsname system = {0};
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    read_cpu_model(cpu);
    uname(&system);
    snprintf(kernel, sizeof kernel, "%s %.*s", system.sysname,
             (int)strspn(system.release, "0123456789."), system.release); // no build's name
    RN_TRY(rn_json_add_text(json, "cpu", cpu));
    RN_TRY(rn_json_add_number(json, "cpus", usable_cpus()));
    RN_TRY(rn_json_add_number(json, "threads", rn_threads()));
    RN_TRY(rn_json_add_number(json, "memory_bytes", memory));
    RN_TRY(rn_json_add_text(json, "kernel", kernel));
out:
    return st;
}

static rn_status add_build(cJSON *json)
{
    rn_status st = RN_OK;

    RN_TRY(rn_json_add_text(json, "resnet", RN_VERSION));
    RN_TRY(rn_json_add_text(json, "commit", RN_COMMIT));
    RN_TRY(rn_json_add_text(json, "compiler", COMPILER));
out:
    return st;
}

rn_status rn_environment_print(char **out, const rn_engine *engine)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;

    *out = NULL;
    RN_TRY(rn_json_object(&json));
    RN_TRY(add_build(json));
    if (engine != NULL) {
        RN_TRY(rn_json_add_text(json, "engine", rn_engine_name(engine)));
        RN_TRY(rn_json_add_text(json, "engine_description", rn_engine_description(engine)));
    }
    RN_TRY(add_machine(json));
    RN_TRY(rn_json_print(out, json, true));
out:
    cJSON_Delete(json);
    return st;
}

static rn_status write_text(const char *folder, const char *name, const char *text)
{
    rn_status st = RN_OK;
    char *line = NULL;

    RN_TRY(rn_format(&line, "%s\n", text));
    RN_TRY(rn_run_folder_write(folder, name, line));
out:
    rn_free(line);
    return st;
}

// environment-1.json is the first.
static void name_earlier(char name[NAME_TEXT], int number)
{
    snprintf(name, NAME_TEXT, "environment-%d.json", number);
}

rn_status rn_environment_read_earlier(char **out, const char *folder, int number)
{
    char name[NAME_TEXT];

    name_earlier(name, number);
    return rn_run_folder_read(out, folder, name);
}

// Keep the text under the first number that is free, unless it is kept already.
static rn_status keep(const char *folder, const char *text)
{
    rn_status st = RN_OK;
    bool known = false;
    char name[NAME_TEXT];
    int number = 0;

    while (st == RN_OK && !known) {
        char *kept = NULL;
        st = rn_environment_read_earlier(&kept, folder, ++number);
        known = st == RN_OK && strcmp(kept, text) == 0;
        rn_text_free(kept);
    }
    if (st != RN_ENOTFOUND)
        return st;
    name_earlier(name, number);
    return rn_run_folder_write(folder, name, text);
}

// Where a run went on elsewhere, or with another build, what it ran on before is kept.
static rn_status keep_earlier(const char *folder, const char *environment)
{
    rn_status st;
    char *earlier = NULL;

    st = rn_run_folder_read(&earlier, folder, "environment.json");
    if (st != RN_OK) // none, or nothing that could be read
        return st == RN_ENOMEM ? st : RN_OK;
    const size_t length = strlen(environment); // the file has a line's end more
    if (strncmp(earlier, environment, length) != 0 || strcmp(earlier + length, "\n") != 0)
        st = keep(folder, earlier);
    rn_text_free(earlier);
    return st;
}

rn_status rn_run_folder_describe(const char *folder, const rn_recipe *recipe,
                                 const rn_engine *engine)
{
    rn_status st = RN_OK;
    char *environment = NULL, *printed = NULL;

    RN_TRY(rn_environment_print(&environment, engine));
    RN_TRY(rn_recipe_print(&printed, recipe));
    RN_TRY(rn_folder_create(folder));
    RN_TRY(keep_earlier(folder, environment));
    RN_TRY(write_text(folder, "environment.json", environment));
    RN_TRY(write_text(folder, "recipe.json", printed));
out:
    rn_free(printed);
    rn_free(environment);
    return st;
}
