// A report as one page: no scripts, no outside resources, light or dark as the reader has it.
#include "reproduce/document.h"

#include "base/memory.h"
#include "report/draw_text.h"

#include <string.h>

static const char HEAD[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n";

static const char STYLE[] =
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--paper:#fff;"
    "--band:#f6f8fa;--good:#116329;--bad:#b42318}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--line:#3d444d;"
    "--paper:#0d1117;--band:#161b22;--good:#57c26d;--bad:#ff8a80}}\n"
    "body{margin:0 auto;max-width:72rem;padding:2rem 1.25rem 4rem;background:var(--paper);"
    "color:var(--ink);font:16px/1.5 system-ui,'Segoe UI',Helvetica,Arial,sans-serif}\n"
    "h1{font-size:1.8rem;line-height:1.2;margin:0 0 1rem}\n"
    "h2{font-size:1.25rem;margin:2.25rem 0 .75rem;border-bottom:1px solid var(--line);"
    "padding-bottom:.25rem}\n"
    "p{max-width:52rem}\nli{max-width:52rem}\n"
    ".table{overflow-x:auto;margin:0 0 1.25rem}\n"
    "table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.35rem .75rem;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top}\n"
    "th{background:var(--band);color:var(--soft);font-weight:600;white-space:nowrap}\n"
    "td.good{color:var(--good);font-weight:600;white-space:nowrap}\n"
    "td.open{white-space:nowrap}\n"
    "td.bad{color:var(--bad);font-weight:600;white-space:nowrap}\n"
    "pre{background:var(--band);border:1px solid var(--line);border-radius:6px;"
    "padding:.75rem 1rem;overflow-x:auto;font-size:.82rem;line-height:1.45}\n"
    "figure{margin:1.5rem 0}\n"
    ".sheet{background:#fff;border:1px solid var(--line);border-radius:6px;overflow-x:auto;"
    "padding:.5rem}\n"
    ".sheet svg{display:block;max-width:100%;height:auto;margin:auto}\n"
    "figcaption{color:var(--soft);font-size:.88rem;margin-top:.5rem;max-width:52rem}\n"
    "@media print{body{max-width:none;padding:0;font-size:11px}h2{break-after:avoid}"
    "tr,figure{break-inside:avoid}.table,pre{overflow:visible}pre{white-space:pre-wrap;"
    "overflow-wrap:anywhere}}\n"
    "</style>\n</head>\n<body>\n";

// UTF-8 stays; what is markup becomes an entity.
static void escape(draw_text *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '<')
            draw_text_print(out, "&lt;");
        else if (c == '>')
            draw_text_print(out, "&gt;");
        else if (c == '&')
            draw_text_print(out, "&amp;");
        else
            draw_text_print(out, "%c", (unsigned char)c < ' ' ? ' ' : c);
    }
}

static void write_element(draw_text *out, const char *name, const char *text)
{
    draw_text_print(out, "<%s>", name);
    escape(out, text, strlen(text));
    draw_text_print(out, "</%s>\n", name);
}

// Verdicts and states have their colour.
static const char *class_of(const char *cell, size_t length)
{
    static const struct {
        const char *text, *class;
    } classes[] = {{"shown", " class=\"good\""},       {"contradicted", " class=\"bad\""},
                   {"not decided", " class=\"open\""}, {"no result", " class=\"open\""},
                   {"failed", " class=\"bad\""},       {"diverged", " class=\"bad\""}};

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strlen(classes[i].text) == length && strncmp(cell, classes[i].text, length) == 0)
            return classes[i].class;
    return "";
}

static void write_row(draw_text *out, const doc_block *block)
{
    const char *name = block->kind == DOC_HEAD ? "th" : "td";

    draw_text_print(out, "<tr>");
    for (const char *cell = block->text;;) {
        size_t length = strcspn(cell, "\x1f");
        draw_text_print(out, "<%s%s>", name, class_of(cell, length));
        escape(out, cell, length);
        draw_text_print(out, "</%s>", name);
        if (cell[length] == '\0')
            break;
        cell += length + 1;
    }
    draw_text_print(out, "</tr>\n");
}

// An SVG within a page has no XML declaration.
static void write_figure(draw_text *out, const doc_block *block)
{
    const char *svg = block->picture != NULL ? strstr(block->picture, "<svg") : NULL;

    draw_text_print(out, "<figure>\n<div class=\"sheet\">\n%s</div>\n<figcaption>",
                    svg != NULL ? svg : "");
    escape(out, block->text, strlen(block->text));
    draw_text_print(out, "</figcaption>\n</figure>\n");
}

// What holds the lines of a table, list or listing together.
static const char *group_of(doc_kind kind, bool end)
{
    switch (kind) {
    case DOC_HEAD:
    case DOC_ROW:
        return end ? "</table>\n</div>\n" : "<div class=\"table\">\n<table>\n";
    case DOC_ITEM:
        return end ? "</ul>\n" : "<ul>\n";
    case DOC_CODE:
        return end ? "</pre>\n" : "<pre>";
    default:
        return "";
    }
}

static bool joins(const doc *d, size_t i)
{
    doc_kind kind = d->blocks[i].kind, before = d->blocks[i - 1].kind;

    return kind == DOC_ROW || (kind == before && kind != DOC_HEAD);
}

static void write_block(draw_text *out, const doc_block *block, bool first)
{
    switch (block->kind) {
    case DOC_HEADING:
        write_element(out, first ? "h1" : "h2", block->text);
        break;
    case DOC_TEXT:
        write_element(out, "p", block->text);
        break;
    case DOC_ITEM:
        write_element(out, "li", block->text);
        break;
    case DOC_CODE:
        escape(out, block->text, strlen(block->text));
        draw_text_print(out, "\n");
        break;
    case DOC_HEAD:
    case DOC_ROW:
        write_row(out, block);
        break;
    case DOC_FIGURE:
        write_figure(out, block);
        break;
    }
}

rn_status doc_html(char **out, const doc *d)
{
    draw_text text = {0};

    *out = NULL;
    if (d->status != RN_OK) // the last block may lack its text
        return d->status;
    draw_text_print(&text, "%s<title>", HEAD);
    if (d->count > 0)
        escape(&text, d->blocks[0].text, strlen(d->blocks[0].text));
    draw_text_print(&text, "</title>\n%s", STYLE);
    for (size_t i = 0; i < d->count; i++) {
        if (i > 0 && !joins(d, i))
            draw_text_print(&text, "%s", group_of(d->blocks[i - 1].kind, true));
        if (i == 0 || !joins(d, i))
            draw_text_print(&text, "%s", group_of(d->blocks[i].kind, false));
        write_block(&text, &d->blocks[i], i == 0);
    }
    if (d->count > 0)
        draw_text_print(&text, "%s", group_of(d->blocks[d->count - 1].kind, true));
    draw_text_print(&text, "</body>\n</html>\n");
    if (text.status == RN_OK)
        *out = text.text;
    else
        rn_free(text.text);
    return text.status;
}
