// Blocks of a report, and how they read in Markdown.
#include "reproduce/document.h"

#include "base/memory.h"
#include "base/number.h"
#include "report/draw_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static doc_block *new_block(doc *d, doc_kind kind)
{
    if (d->status == RN_OK)
        d->status = rn_grow((void **)&d->blocks, &d->capacity, d->count + 1, sizeof *d->blocks);
    if (d->status != RN_OK)
        return NULL;
    d->blocks[d->count].kind = kind;
    return &d->blocks[d->count++];
}

// printf into new memory behind what is there already.
static void append(doc *d, doc_block *block, const char *fmt, va_list args)
{
    char *added = NULL, *joined = NULL;
    int length;
    va_list again;

    va_copy(again, args);
    length = rn_vprint(NULL, 0, fmt, args);
    d->status = rn_alloc((void **)&added, (size_t)(length < 0 ? 0 : length) + 1, 1);
    if (d->status == RN_OK && length >= 0)
        rn_vprint(added, (size_t)length + 1, fmt, again);
    if (d->status == RN_OK && block->text != NULL)
        d->status = rn_format(&joined, "%s%c%s", block->text, DOC_CELL, added);
    va_end(again);
    if (joined != NULL) {
        rn_free(added);
        rn_free(block->text);
        added = joined;
    }
    if (d->status == RN_OK)
        block->text = added;
    else
        rn_free(added);
}

void doc_add(doc *d, doc_kind kind, const char *fmt, ...)
{
    va_list args;
    doc_block *block = new_block(d, kind);

    if (block == NULL)
        return;
    va_start(args, fmt);
    append(d, block, fmt, args);
    va_end(args);
}

void doc_cell(doc *d, const char *fmt, ...)
{
    va_list args;

    if (d->status != RN_OK)
        return;
    va_start(args, fmt);
    append(d, &d->blocks[d->count - 1], fmt, args);
    va_end(args);
}

void doc_figure(doc *d, char *picture, const char *file, const char *caption)
{
    doc_add(d, DOC_FIGURE, "%s", caption);
    if (d->status != RN_OK) {
        rn_free(picture);
        return;
    }
    d->blocks[d->count - 1].picture = picture;
    d->blocks[d->count - 1].file = file;
}

void doc_release(doc *d)
{
    for (size_t i = 0; i < d->count; i++) {
        rn_free(d->blocks[i].text);
        rn_free(d->blocks[i].picture);
    }
    rn_free(d->blocks);
    *d = (doc){0};
}

// Markdown

// What would be markup is written so that it is not; a line stays one line.
static void escape(draw_text *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '<')
            draw_text_print(out, "&lt;");
        else if (c == '&')
            draw_text_print(out, "&amp;");
        else if (strchr("\\`*_|[]#", c) != NULL)
            draw_text_print(out, "\\%c", c);
        else
            draw_text_print(out, "%c", (unsigned char)c < ' ' ? ' ' : c);
    }
}

static void write_row(draw_text *out, const doc_block *block)
{
    int cells = 0;

    draw_text_print(out, "|");
    for (const char *cell = block->text;; cells++) {
        size_t length = strcspn(cell, "\x1f");
        draw_text_print(out, " ");
        escape(out, cell, length);
        draw_text_print(out, " |");
        if (cell[length] == '\0')
            break;
        cell += length + 1;
    }
    draw_text_print(out, "\n");
    if (block->kind != DOC_HEAD)
        return;
    draw_text_print(out, "|");
    for (int i = 0; i <= cells; i++)
        draw_text_print(out, "%s", " --- |");
    draw_text_print(out, "\n");
}

// Blank lines stand between blocks that are not lines of one table, list or listing.
static bool is_apart(const doc *d, size_t i)
{
    doc_kind kind = d->blocks[i].kind, before = d->blocks[i - 1].kind;

    return !(kind == DOC_ROW || (kind == before && (kind == DOC_ITEM || kind == DOC_CODE)));
}

static void write_block(draw_text *out, const doc_block *block, bool first)
{
    static const char *const marks[] = {
        [DOC_HEADING] = "## ", [DOC_TEXT] = "", [DOC_ITEM] = "- ", [DOC_FIGURE] = "!["};

    if (block->kind == DOC_HEAD || block->kind == DOC_ROW) {
        write_row(out, block);
        return;
    }
    if (block->kind == DOC_CODE) { // indented, nothing in it is markup
        draw_text_print(out, "    %s\n", block->text);
        return;
    }
    draw_text_print(out, "%s", first ? "# " : marks[block->kind]);
    escape(out, block->text, strlen(block->text));
    if (block->kind == DOC_FIGURE)
        draw_text_print(out, "](%s)", block->file);
    draw_text_print(out, "\n");
}

rn_status doc_markdown(char **out, const doc *d)
{
    draw_text text = {0};

    *out = NULL;
    if (d->status != RN_OK) // the last block may lack its text
        return d->status;
    for (size_t i = 0; i < d->count; i++) {
        if (i > 0 && is_apart(d, i))
            draw_text_print(&text, "\n");
        write_block(&text, &d->blocks[i], i == 0);
    }
    if (text.status == RN_OK)
        *out = text.text;
    else
        rn_free(text.text);
    return text.status;
}
