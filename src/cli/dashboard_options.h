/** The dashboard's options, of `resnet dashboard` and `resnet train`. */
#ifndef CLI_DASHBOARD_OPTIONS_H
#define CLI_DASHBOARD_OPTIONS_H

#include "cli/options.h"

#include "resnet/resnet.h"

#include <stdio.h>

#define CLI_DASHBOARD_TOKEN_OPTION                                                                 \
    {                                                                                              \
        .name = "dashboard-token", .kind = CLI_TEXT, .argument = "TOKEN",                          \
        .help =                                                                                    \
            "what the page must be opened with, as http://ADDRESS:PORT/?token=TOKEN; 8 to 256 "    \
            "letters, digits and -._~. Also taken from RESNET_DASHBOARD_TOKEN, which other users " \
            "of the "                                                                              \
            "machine do not see"                                                                   \
    }

/** Take the dashboard's port: `port` 0 is as rn_dashboard_options has it. */
rn_status cli_dashboard_open(rn_dashboard **out, const cli_arguments *args, const char *bind,
                             int port);

/** Print its address, with what else there is to know of it, and a newline. */
void cli_dashboard_print(FILE *stream, const cli_arguments *args, const rn_dashboard *dashboard);

#endif
