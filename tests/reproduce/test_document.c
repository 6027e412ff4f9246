// Documents as Markdown and HTML.
#include "reproduce/document.h"
#include "reproduce/reproductions.h"

static void markup_in_texts_stays_text(void **state)
{
    doc d = {0};
    char *text;

    (void)state;
    doc_add(&d, DOC_HEADING, "%s", "a");
    doc_add(&d, DOC_HEAD, "%s", "x|y");
    doc_cell(&d, "%s", "<script>&");
    doc_add(&d, DOC_ROW, "%s", "new\nline");
    doc_cell(&d, "%s", "\u00b5*_`");
    doc_add(&d, DOC_CODE, "%s", "a | <b>");
    ok(doc_markdown(&text, &d));
    assert_string_equal(text, "# a\n\n| x\\|y | &lt;script>&amp; |\n| --- | --- |\n"
                              "| new line | \u00b5\\*\\_\\` |\n\n    a | <b>\n");
    rn_free(text);
    ok(doc_html(&text, &d));
    assert_non_null(strstr(text, "<tr><th>x|y</th><th>&lt;script&gt;&amp;</th></tr>\n"
                                 "<tr><td>new line</td><td>\u00b5*_`</td></tr>\n</table>\n</div>\n"
                                 "<pre>a | &lt;b&gt;\n</pre>\n"));
    rn_free(text);
    doc_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_texts_stays_text),
    };

    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
