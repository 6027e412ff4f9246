/** Which folders are runs. */
#ifndef REPORT_RUN_LIST_H
#define REPORT_RUN_LIST_H

#include "resnet/base.h"

/** Whether a folder is a run: it holds a log.jsonl. RN_OK; RN_ENOMEM. */
rn_status rn_run_list_is_run(bool *found, const char *folder);

/**
 * Where the runs are of a folder that is none itself: FOLDER/runs of a reproduction, which has a
 * plan.json, else FOLDER. The caller's (rn_free()).
 */
rn_status rn_run_list_place(char **out, const char *folder);

#endif
