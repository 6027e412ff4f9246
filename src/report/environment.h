/** What a run ran on, and with what: environment.json in the run's folder. */
#ifndef REPORT_ENVIRONMENT_H
#define REPORT_ENVIRONMENT_H

#include "resnet/base.h"

/**
 * Read what a run ran on before it went on elsewhere, or with another build.
 *
 * @param[out] out     The text of environment-NUMBER.json, to be freed by rn_text_free().
 * @param      folder  The run's.
 * @param      number  1 for the oldest; the first that is missing ends the list.
 * @return RN_OK; RN_ENOTFOUND: there is no such one; else as rn_run_folder_read().
 */
rn_status rn_environment_read_earlier(char **out, const char *folder, int number);

#endif
