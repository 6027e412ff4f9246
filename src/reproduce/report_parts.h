/** Parts of a report that say how the results came about. */
#ifndef REPRODUCE_REPORT_PARTS_H
#define REPRODUCE_REPORT_PARTS_H

#include "reproduce/document.h"
#include "reproduce/outcome.h"

/** Tables: what the target says, and what is here. */
void rn_report_scaling(doc *d, const rn_reproduction *reproduction);
/** Where this differs from what the paper did. */
void rn_report_deviations(doc *d, const rn_reproduction *reproduction);
/** Each job's state and result. */
void rn_report_jobs(doc *d, const rn_reproduction *reproduction, const rn_outcome *outcomes);
/** The command lines. */
void rn_report_commands(doc *d, const rn_reproduction *reproduction);
/** Machines and builds that the runs name, also those that they ran on before they went on. */
void rn_report_machines(doc *d, const rn_reproduction *reproduction, const rn_outcome *outcomes,
                        const char *folder);

/** "done", "failed", ... Static. */
const char *rn_report_state(const rn_outcome *outcome);

/** FOLDER/report.json: settings, claims, networks and runs, for programs. */
rn_status rn_report_json(const rn_report_counts *counts, const rn_reproduction *reproduction,
                         const rn_outcome *outcomes, const char *folder);

/** FOLDER/timing.md: what is different each time. */
rn_status rn_report_timing(const rn_reproduction *reproduction, const rn_outcome *outcomes,
                           const char *folder);

#endif
