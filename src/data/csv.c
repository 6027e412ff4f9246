#include "data/csv.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

enum { MOST_BYTES = 1 << 30 };

// Take the quotes off a field in place; *at is behind its first quote, and then behind its last.
static rn_status unquote(rn_csv *csv, char **at)
{
    char *from = *at, *to = *at;

    while (*from != '\0' && (from[0] != '"' || from[1] == '"')) {
        from += *from == '"';
        csv->next_line += *from == '\n';
        *to++ = *from++;
    }
    if (*from == '\0')
        return rn_error(RN_EFORMAT, "'%s', line %d: a quote has no end", csv->path, csv->line);
    *to = '\0';
    *at = from + 1;
    return RN_OK;
}

static rn_status find_end(rn_csv *csv, char **at)
{
    *at += strcspn(*at, ",\"\r\n");
    if (**at == '"' || (**at == '\r' && (*at)[1] != '\n'))
        return rn_error(RN_EFORMAT, "'%s', line %d: %s inside a field without quotes", csv->path,
                        csv->line, **at == '"' ? "a quote" : "a carriage return");
    return RN_OK;
}

// One field. *end is the separator behind it, which becomes the field's NUL: ',', '\n', or '\0'.
static rn_status read_field(rn_csv *csv, char **field, char *end)
{
    rn_status st = RN_OK;
    char *at = csv->next;
    bool quoted = *at == '"';

    *field = at;
    if (quoted) {
        *field = ++at;
        RN_TRY(unquote(csv, &at));
        if (*at != '\0' && strchr(",\r\n", *at) == NULL) {
            st = rn_error(RN_EFORMAT, "'%s', line %d: text behind a quote's end", csv->path,
                          csv->line);
            goto out;
        }
    }
    RN_TRY(find_end(csv, &at));
    if (*at == '\r')
        *at++ = '\0';
    *end = *at;
    csv->next = *at == '\0' ? at : at + 1;
    *at = '\0';
out:
    return st;
}

static rn_status read_record(rn_csv *csv)
{
    rn_status st = RN_OK;
    char end = ',';

    csv->line = csv->next_line;
    for (csv->count = 0; end == ',';) {
        RN_TRY(rn_grow((void **)&csv->fields, &csv->room, csv->count + 1, sizeof *csv->fields));
        RN_TRY(read_field(csv, &csv->fields[csv->count++], &end));
    }
    csv->next_line++;
out:
    return st;
}

rn_status rn_csv_next(rn_csv *csv, bool *more)
{
    rn_status st = RN_OK;

    for (; *csv->next == '\n' || (csv->next[0] == '\r' && csv->next[1] == '\n'); csv->next_line++)
        csv->next += *csv->next == '\r' ? 2 : 1;
    *more = *csv->next != '\0';
    if (!*more)
        return RN_OK;
    RN_TRY(read_record(csv));
    if (csv->columns != 0 && csv->count != csv->columns)
        st = rn_error(RN_EFORMAT, "'%s', line %d: %zu fields, expected %zu as in the header",
                      csv->path, csv->line, csv->count, csv->columns);
out:
    return st;
}

rn_status rn_csv_open(rn_csv *csv, const char *path)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    rn_status st = RN_OK;
    size_t size;
    bool more;

    *csv = (rn_csv){.path = path, .next_line = 1};
    RN_TRY(rn_file_read(&csv->text, &size, path, MOST_BYTES));
    if (strlen(csv->text) != size) {
        st = rn_error(RN_EFORMAT, "'%s': byte %zu is NUL, expected text", path, strlen(csv->text));
        goto out;
    }
    csv->next = csv->text;
    if (strncmp(csv->next, byte_order_mark, 3) == 0)
        csv->next += 3;
    RN_TRY(rn_csv_next(csv, &more));
    if (!more)
        st = rn_error(RN_EFORMAT, "'%s' is empty, expected a header", path);
    csv->columns = csv->count;
out:
    return st;
}

int rn_csv_column(const rn_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->count; i++) {
        if (strcmp(csv->fields[i], name) == 0)
            return (int)i;
    }
    return -1;
}

void rn_csv_release(rn_csv *csv)
{
    rn_free(csv->text);
    rn_free(csv->fields);
    *csv = (rn_csv){0};
}
