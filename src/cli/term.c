#include "cli/term.h"

#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 80, LEAST_WIDTH = 20 };

int cli_width(FILE *stream)
{
    struct winsize size = {0};

    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col < LEAST_WIDTH ? LEAST_WIDTH : size.ws_col;
    return DEFAULT_WIDTH;
}

bool cli_is_live(FILE *stream)
{
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) && term != NULL && strcmp(term, "dumb") != 0;
}

bool cli_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *cli_style(FILE *stream, const char *style)
{
    static const struct {
        const char *style, *sequence;
    } sequences[] = {{CLI_BOLD, "\033[1m"},
                     {CLI_DIM, "\033[2m"},
                     {CLI_GREEN, "\033[32m"},
                     {CLI_RED, "\033[31m"},
                     {CLI_NORMAL, "\033[0m"}};
    const char *unwanted = getenv("NO_COLOR");

    if ((unwanted != NULL && *unwanted != '\0') || !cli_is_live(stream))
        return "";
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
        if (strcmp(sequences[i].style, style) == 0)
            return sequences[i].sequence;
    return "";
}

// A word's length, or where it is too long for any line that of what precedes its last '|' on one.
static int piece_length(const char *text, int room)
{
    int length = (int)strcspn(text, " \n"), piece = length;

    for (int i = 0; i < room && i < length && length > room; i++)
        piece = text[i] == '|' ? i + 1 : piece;
    return piece;
}

void cli_wrap(FILE *stream, const char *text, int column, int indent, int width)
{
    bool first = true; // word of its line

    while (*text != '\0') {
        int length = piece_length(text, width - indent);
        if (!first && column + 1 + length > width) {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', stream);
            column++;
        }
        fwrite(text, 1, (size_t)length, stream);
        column += length;
        text += length;
        first = false;
        if (*text != '\0' && strchr(" \n", *text) == NULL) {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
            first = true;
        } else if (strncmp(text, "\n\n", 2) == 0) {
            fprintf(stream, "\n\n%*s", indent, "");
            column = indent;
            first = true;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', stream);
}

cli_number cli_count(int64_t value)
{
    cli_number number;
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)value), used = 0;

    for (int i = 0; i < length; i++) {
        number.text[used++] = digits[i];
        if (i + 1 < length && (length - i - 1) % 3 == 0 && digits[i] != '-')
            number.text[used++] = ',';
    }
    number.text[used] = '\0';
    return number;
}

cli_number cli_bytes(double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    cli_number number;
    int unit = 0;

    for (; bytes >= 1023.95 && unit < 4; unit++)
        bytes /= 1024;
    snprintf(number.text, sizeof number.text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes,
             units[unit]);
    return number;
}

double cli_percent(int64_t part, int64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

cli_number cli_duration(double seconds)
{
    cli_number number;
    long long whole = isfinite(seconds) && seconds > 0 && seconds < 1e15 ? llround(seconds) : 0;

    if (whole < 3600)
        snprintf(number.text, sizeof number.text, "%lld:%02lld", whole / 60, whole % 60);
    else
        snprintf(number.text, sizeof number.text, "%lld:%02lld:%02lld", whole / 3600,
                 whole / 60 % 60, whole % 60);
    return number;
}

cli_number cli_time(double seconds)
{
    cli_number number;

    if (seconds < 1e-3)
        snprintf(number.text, sizeof number.text, "%.1f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(number.text, sizeof number.text, "%.2f ms", seconds * 1e3);
    else
        snprintf(number.text, sizeof number.text, "%.2f s", seconds);
    return number;
}

cli_number cli_scaled(double value)
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    cli_number number;
    int unit = 0;

    for (; fabs(value) >= 999.5 && unit < 4; unit++)
        value /= 1000;
    snprintf(number.text, sizeof number.text, unit == 0 ? "%.0f%s" : "%.3g%s", value, units[unit]);
    return number;
}

void cli_print_quoted(FILE *stream, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";

    if (*word != '\0' && strspn(word, plain) == strlen(word)) {
        fputs(word, stream);
        return;
    }
    fputc('\'', stream);
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            fputs("'\\''", stream);
        else
            fputc(*word, stream);
    }
    fputc('\'', stream);
}
