/** Comma-separated values as in RFC 4180: a header, quoted fields, "" for a quote inside one. */
#ifndef DATA_CSV_H
#define DATA_CSV_H

#include "resnet/base.h"

/** A file being read. Fields point into its text, and stay until rn_csv_release(). */
typedef struct rn_csv {
    const char *path; // borrowed
    char *text, *next;
    char **fields; // of the current record
    size_t count, room;
    size_t columns; // of the header
    int line;       // where the current record begins, from 1
    int next_line;
} rn_csv;

/**
 * Read a file and its header, which are the fields afterwards.
 *
 * Zero-initialise first; rn_csv_release() is legal after a failure.
 *
 * @return RN_OK; RN_ENOTFOUND, RN_EIO; RN_EFORMAT (over 1 GiB, a NUL, no header); RN_ENOMEM.
 */
rn_status rn_csv_open(rn_csv *csv, const char *path);

/** The column of the header's field of this name, or -1; only until the next record. */
int rn_csv_column(const rn_csv *csv, const char *name);

/**
 * Go on to the next record; empty lines are skipped.
 *
 * @param[out] more  False after the last.
 * @return RN_OK; RN_EFORMAT (a quote out of place or without end, another number of fields than in
 *         the header: names the line); RN_ENOMEM.
 */
rn_status rn_csv_next(rn_csv *csv, bool *more);

void rn_csv_release(rn_csv *csv);

#endif
