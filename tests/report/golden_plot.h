/** The SVG that test_plot.c expects of its tiny chart; looked at in two viewers. */
#ifndef REPORT_GOLDEN_PLOT_H
#define REPORT_GOLDEN_PLOT_H

// clang-format off
static const char GOLDEN[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"278\" height=\"206\" viewBox=\"0 0 2775 2060\" font-family=\"system-ui, 'Segoe UI', 'Helvetica Neue', Helvetica, Arial, sans-serif\">\n"
    "<title>A &amp; &quot;B&quot;</title>\n"
    "<rect width=\"2775\" height=\"2060\" fill=\"#ffffff\"/>\n"
    "<text x=\"1387\" y=\"264\" font-size=\"150\" fill=\"#1f2328\" text-anchor=\"middle\">A &amp; &quot;B&quot;</text>\n"
    "<path fill=\"none\" stroke=\"#e4e7eb\" stroke-width=\"8\" stroke-linejoin=\"round\" d=\"M580 380l0 1000M1080 380l0 1000M1580 380l0 1000M2080 380l0 1000M2580 380l0 1000M580 1380l2000 0M580 880l2000 0M580 380l2000 0\"/>\n"
    "<path fill=\"none\" stroke=\"#0072b2\" stroke-width=\"22\" stroke-linejoin=\"round\" stroke-dasharray=\"90 45\" d=\"M580 1380l1000-1000l1000 500\"/>\n"
    "<path fill=\"none\" stroke=\"#57606a\" stroke-width=\"8\" stroke-linejoin=\"round\" d=\"M580 380l2000 0l0 1000l-2000 0l0-1000\"/>\n"
    "<path fill=\"none\" stroke=\"#57606a\" stroke-width=\"8\" stroke-linejoin=\"round\" d=\"M580 1380l0-40M1080 1380l0-40M1580 1380l0-40M2080 1380l0-40M2580 1380l0-40M580 1380l40 0M580 880l40 0M580 380l40 0\"/>\n"
    "<text x=\"580\" y=\"1559\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"middle\">0</text>\n"
    "<text x=\"1080\" y=\"1559\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"middle\">0.5</text>\n"
    "<text x=\"1580\" y=\"1559\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"middle\">1.0</text>\n"
    "<text x=\"2080\" y=\"1559\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"middle\">1.5</text>\n"
    "<text x=\"2580\" y=\"1559\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"middle\">2.0</text>\n"
    "<text x=\"520\" y=\"1419\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"end\">0</text>\n"
    "<text x=\"520\" y=\"919\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"end\">10</text>\n"
    "<text x=\"520\" y=\"419\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"end\">20</text>\n"
    "<text x=\"1580\" y=\"1719\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"middle\">epoch</text>\n"
    "<text x=\"279\" y=\"880\" font-size=\"110\" fill=\"#1f2328\" text-anchor=\"middle\" transform=\"rotate(-90 279 880)\">error (%)</text>\n"
    "<rect x=\"1870\" y=\"1040\" width=\"630\" height=\"260\" fill=\"#ffffff\"/>\n"
    "<path fill=\"none\" stroke=\"#0072b2\" stroke-width=\"22\" stroke-linejoin=\"round\" stroke-dasharray=\"90 45\" d=\"M1920 1170l260 0\"/>\n"
    "<text x=\"2240\" y=\"1209\" font-size=\"110\" fill=\"#1f2328\">a&lt;b</text>\n"
    "<text x=\"100\" y=\"1926\" font-size=\"100\" fill=\"#57606a\">note</text>\n"
    "</svg>\n";
// clang-format on

#endif
