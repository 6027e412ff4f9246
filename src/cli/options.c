#include "cli/options.h"

#include "cli/command.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const cli_option cli_help_option = {
    .name = "help", .letter = 'h', .kind = CLI_FLAG, .help = "show this help and exit"};

static const char SWITCHED_ON[] = "true", SWITCHED_OFF[] = "false";

int cli_option_find(const cli_option *options, const char *name)
{
    for (int i = 0; options != NULL && options[i].name != NULL; i++)
        if (strcmp(options[i].name, name) == 0 ||
            (options[i].alias != NULL && strcmp(options[i].alias, name) == 0))
            return i;
    return -1;
}

static const cli_option *table(const cli_arguments *args)
{
    return args->command->options;
}

static int must_find(const cli_arguments *args, const char *name)
{
    int index = cli_option_find(table(args), name);

    assert(index >= 0);
    return index;
}

const char *cli_text(const cli_arguments *args, const char *name)
{
    int index = must_find(args, name);

    return args->values[index] != NULL ? args->values[index] : table(args)[index].fallback;
}

bool cli_given(const cli_arguments *args, const char *name)
{
    return args->values[must_find(args, name)] != NULL;
}

bool cli_flag(const cli_arguments *args, const char *name)
{
    const char *value = args->values[must_find(args, name)];

    return value != NULL && strcmp(value, SWITCHED_OFF) != 0;
}

int64_t cli_integer(const cli_arguments *args, const char *name)
{
    const char *text = cli_text(args, name);

    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

double cli_real(const cli_arguments *args, const char *name)
{
    const char *text = cli_text(args, name);

    return text != NULL ? strtod(text, NULL) : 0;
}

size_t cli_size(const cli_arguments *args, const char *name)
{
    const char *text = cli_text(args, name);
    size_t bytes = 0;

    if (text != NULL)
        cli_size_parse(text, &bytes); // was checked when it was parsed
    return bytes;
}

// Values

// Decimal digits only: strtod() alone would take "nan", "inf" and hexadecimal.
static bool is_number(const char *text, bool whole, double low, double high)
{
    char *end;
    double value;

    if (*text == '\0' || strspn(text, whole ? "+-0123456789" : "+-.eE0123456789") != strlen(text))
        return false;
    errno = 0;
    value = whole ? (double)strtoll(text, &end, 10) : strtod(text, &end);
    return end != text && *end == '\0' && (!whole || errno == 0) && isfinite(value) &&
           value >= low && value <= high;
}

static bool is_whole(const cli_option *option)
{
    return option->kind == CLI_INTEGER || option->kind == CLI_OPTIONAL_INTEGER;
}

void cli_option_range(char *text, size_t size, const cli_option *option)
{
    bool below_one = option->high == CLI_BELOW_ONE;

    text[0] = '\0';
    if (option->kind == CLI_CHOICE)
        snprintf(text, size, "%s", option->choices);
    else if (!is_whole(option) && option->kind != CLI_REAL)
        return;
    else if (option->low == CLI_ABOVE_ZERO && isinf(option->high))
        snprintf(text, size, "above 0");
    else if (option->low == CLI_ABOVE_ZERO && below_one)
        snprintf(text, size, "above 0, below 1");
    else if (option->low == CLI_ABOVE_ZERO)
        snprintf(text, size, "above 0, up to %.15g", option->high);
    else if (isinf(option->high))
        snprintf(text, size, "%.15g or more", option->low);
    else if (below_one)
        snprintf(text, size, "%.15g or more, below 1", option->low);
    else
        snprintf(text, size, "%.15g to %.15g", option->low, option->high);
}

static rn_status check_number(const cli_option *option, const char *value)
{
    bool whole = is_whole(option);
    char range[64];

    if (is_number(value, whole, option->low, option->high))
        return RN_OK;
    cli_option_range(range, sizeof range, option);
    return rn_error(RN_EINVAL, "option '--%s' expects a %snumber, %s, found '%s'", option->name,
                    whole ? "whole " : "", range, value);
}

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);

    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, value, length) == 0 && (at[length] == '|' || at[length] == '\0'))
            return length > 0;
    }
    return false;
}

rn_status cli_option_check(const cli_option *option, const char *value)
{
    size_t bytes;

    if (*value == '\0' && cli_option_is_optional(option))
        return RN_OK;
    if (is_whole(option) || option->kind == CLI_REAL)
        return check_number(option, value);
    if (option->kind == CLI_SIZE && !cli_size_parse(value, &bytes))
        return rn_error(RN_EINVAL,
                        "option '--%s' expects a number of bytes, such as 16G, 1.5GiB or 500MB, "
                        "found '%s'",
                        option->name, value);
    if (option->kind == CLI_CHOICE && !is_choice(option->choices, value))
        return rn_error(RN_EINVAL, "option '--%s' expects one of %s, found '%s'", option->name,
                        option->choices, value);
    if (*value == '\0')
        return rn_error(RN_EINVAL, "option '--%s' expects %s, found nothing", option->name,
                        option->argument);
    return RN_OK;
}

// Parsing

typedef struct parser {
    cli_arguments *args;
    int argc, next; // next argument to read
    char **argv;
} parser;

static bool takes_value(const cli_option *option)
{
    return option->kind != CLI_FLAG && option->kind != CLI_SWITCH;
}

bool cli_option_is_optional(const cli_option *option)
{
    return option->kind == CLI_OPTIONAL_FILE || option->kind == CLI_OPTIONAL_FOLDER ||
           option->kind == CLI_OPTIONAL_INTEGER;
}

static rn_status store_in_list(cli_arguments *args, const cli_option *option, const char *value)
{
    if (args->list_count == CLI_MAX_LIST)
        return rn_error(RN_EINVAL, "option '--%s' is given more than %d times", option->name,
                        CLI_MAX_LIST);
    args->list[args->list_count++] = value;
    return RN_OK;
}

static rn_status store(parser *p, int index, const char *value)
{
    const cli_option *option = &table(p->args)[index];
    const char *before = p->args->values[index];
    rn_status st = takes_value(option) ? cli_option_check(option, value) : RN_OK;

    if (st == RN_OK && option->kind == CLI_LIST) {
        st = store_in_list(p->args, option, value);
    } else if (st == RN_OK && before != NULL && strcmp(before, value) != 0) {
        if (option->kind == CLI_SWITCH)
            return rn_error(RN_EINVAL, "'--%s' and '--no-%s' contradict each other", option->name,
                            option->name);
        return rn_error(RN_EINVAL, "option '--%s' is given twice, as '%s' and as '%s'",
                        option->name, before, value);
    }
    p->args->values[index] = value;
    return st;
}

// "50" is how often, "resnet-20" a word of the command's own.
static bool may_be_value(const cli_option *option, const char *following)
{
    if (following[0] == '-' && (following[1] == '-' || isalpha(following[1])))
        return false;
    return option->kind != CLI_OPTIONAL_INTEGER ||
           (*following != '\0' && following[strspn(following, "0123456789")] == '\0');
}

// The value of an option that stands at argv[next - 1] without one.
static rn_status take_value(parser *p, const cli_option *option, const char **value)
{
    const char *following = p->next < p->argc ? p->argv[p->next] : NULL;

    if (following != NULL && may_be_value(option, following)) {
        *value = following;
        p->next++;
        return RN_OK;
    }
    if (cli_option_is_optional(option)) {
        *value = "";
        return RN_OK;
    }
    if (following == NULL)
        return rn_error(RN_EINVAL, "option '--%s' expects %s, but nothing follows it", option->name,
                        option->argument);
    return rn_error(RN_EINVAL, "option '--%s' expects %s, found option '%s'", option->name,
                    option->argument, following);
}

static rn_status unknown_option(const cli_option *options, const char *given)
{
    const char *names[CLI_MAX_OPTIONS + 1] = {cli_help_option.name};
    size_t count = 1;

    for (; options != NULL && options[count - 1].name != NULL; count++)
        names[count] = options[count - 1].name;
    const char *nearest = rn_nearest(given, names, count);
    if (nearest != NULL)
        return rn_error(RN_EINVAL, "unknown option '--%s'; did you mean '--%s'?", given, nearest);
    return rn_error(RN_EINVAL, "unknown option '--%s'", given);
}

static rn_status parse_switch(parser *p, const char *name)
{
    int index = strncmp(name, "no-", 3) == 0 ? cli_option_find(table(p->args), name + 3) : -1;

    if (index < 0 || table(p->args)[index].kind != CLI_SWITCH)
        return unknown_option(table(p->args), name);
    return store(p, index, SWITCHED_OFF);
}

// text: what follows "--", perhaps with "=value".
static rn_status parse_long(parser *p, const char *text)
{
    char name[64];
    size_t length = strcspn(text, "=");
    const char *value = text[length] == '=' ? text + length + 1 : NULL;

    if (length >= sizeof name)
        return rn_error(RN_EINVAL, "unknown option '--%s'", text);
    memcpy(name, text, length);
    name[length] = '\0';
    if (strcmp(name, cli_help_option.name) == 0) {
        p->args->help = true;
        return RN_OK;
    }
    int index = cli_option_find(table(p->args), name);
    if (index < 0)
        return parse_switch(p, name);
    const cli_option *option = &table(p->args)[index];
    if (!takes_value(option) && value != NULL)
        return rn_error(RN_EINVAL, "option '--%s' takes no value, found '%s'", name, value);
    if (!takes_value(option))
        return store(p, index, SWITCHED_ON);
    rn_status st = value != NULL ? RN_OK : take_value(p, option, &value);
    return st == RN_OK ? store(p, index, value) : st;
}

static int find_letter(const cli_option *options, char letter)
{
    for (int i = 0; options != NULL && options[i].name != NULL; i++)
        if (options[i].letter == letter)
            return i;
    return -1;
}

// letters: what follows "-": flags, the last perhaps an option with its value ("-qb128").
static rn_status parse_short(parser *p, const char *letters)
{
    rn_status st = RN_OK;

    for (; *letters != '\0' && st == RN_OK; letters++) {
        int index = find_letter(table(p->args), *letters);
        const char *value = letters[1] == '=' ? letters + 2 : letters + 1;
        if (*letters == cli_help_option.letter) {
            p->args->help = true;
            return RN_OK;
        }
        if (index < 0)
            return rn_error(RN_EINVAL, "unknown option '-%c'", *letters);
        if (takes_value(&table(p->args)[index])) {
            if (*value == '\0')
                st = take_value(p, &table(p->args)[index], &value);
            return st == RN_OK ? store(p, index, value) : st;
        }
        st = store(p, index, SWITCHED_ON);
    }
    return st;
}

static rn_status check_words(const cli_arguments *args)
{
    const cli_command *command = args->command;

    if (args->word_count < command->least)
        return rn_error(RN_EINVAL, "'resnet %s' expects %s, found %s%s%s", command->name,
                        command->usage, args->word_count == 0 ? "nothing" : "only '",
                        args->word_count == 0 ? "" : args->words[args->word_count - 1],
                        args->word_count == 0 ? "" : "'");
    if (command->most >= 0 && args->word_count > command->most)
        return rn_error(RN_EINVAL, "'resnet %s' expects %s, found one more: '%s'", command->name,
                        command->most == 0 ? "no arguments" : command->usage,
                        args->words[command->most]);
    return RN_OK;
}

rn_status cli_parse(cli_arguments *args, const cli_command *command, int argc, char **argv)
{
    rn_status st = RN_OK;
    parser p = {.args = args, .argc = argc, .argv = argv};
    bool only_words = false; // after "--"

    *args = (cli_arguments){.command = command, .words = argv};
    while (p.next < argc && st == RN_OK && !args->help) {
        char *argument = argv[p.next++];
        if (only_words || argument[0] != '-' || argument[1] == '\0')
            args->words[args->word_count++] = argument;
        else if (strcmp(argument, "--") == 0)
            only_words = true;
        else if (argument[1] == '-')
            st = parse_long(&p, argument + 2);
        else
            st = parse_short(&p, argument + 1);
    }
    if (st == RN_OK && !args->help)
        st = check_words(args);
    return st;
}
