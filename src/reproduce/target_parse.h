/** Reading targets: what target_parse.c and claim_parse.c share. */
#ifndef REPRODUCE_TARGET_PARSE_H
#define REPRODUCE_TARGET_PARSE_H

#include "resnet/reproduce.h"

#include "base/json.h"

enum { TARGET_WHAT = 256 }; // bytes of what names a place in a message

/** "target 'fig6': runs[2]" */
void rn_target_place(char place[TARGET_WHAT], const char *what, const char *key, int index);

/** RN_EFORMAT if `key` is not there. */
rn_status rn_target_require(const cJSON *object, const char *key, const char *what);

/** A required text that is not empty. */
rn_status rn_target_text(const cJSON *object, const char *key, const char **value,
                         const char *what);

/** An array of objects, or NULL where it is absent. */
rn_status rn_target_array(const cJSON **out, const cJSON *object, const char *key,
                          const char *what);

/** The metric of this name. RN_EFORMAT with the nearest. */
rn_status rn_target_metric(rn_metric *out, const char *name, const char *what);

/** RN_EFORMAT if a target of this kind does not measure it. */
rn_status rn_target_check_metric(const rn_target *target, rn_metric metric, const char *what);

/** Index of the run that a claim names. RN_EFORMAT with the nearest. */
rn_status rn_target_find_run(int *out, const rn_target *target, const char *name, const char *what);

/** Read "claims"; the runs must be there. */
rn_status rn_target_read_claims(rn_target *target, const char *what);

#endif
