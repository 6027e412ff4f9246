/** A report in the making: blocks, written as Markdown or as one page of HTML. */
#ifndef REPRODUCE_DOCUMENT_H
#define REPRODUCE_DOCUMENT_H

#include "resnet/base.h"

typedef enum doc_kind {
    DOC_HEADING, // the first is the title
    DOC_TEXT,
    DOC_ITEM, // of a list
    DOC_CODE, // a line of it
    DOC_HEAD, // of a table
    DOC_ROW,
    DOC_FIGURE // SVG; a page holds it, Markdown names its file
} doc_kind;

typedef struct doc_block {
    doc_kind kind;
    char *text;       // cells of a row end with DOC_CELL; of a figure the caption
    char *picture;    // of a figure
    const char *file; // that has it, too; static
} doc_block;

#define DOC_CELL '\x1f'

/** Start from zeroes. The first failure sticks in `status` and makes what comes after a no-op. */
typedef struct doc {
    doc_block *blocks;
    size_t count, capacity;
    rn_status status;
} doc;

void doc_add(doc *d, doc_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** A cell more for the row that was added last. */
void doc_cell(doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Takes the picture over (rn_free()), also after a failure. `file` is static. */
void doc_figure(doc *d, char *picture, const char *file, const char *caption);

void doc_release(doc *d);

/** The caller's (rn_free()); NULL on failure. */
rn_status doc_markdown(char **out, const doc *d);
rn_status doc_html(char **out, const doc *d);

#endif
