/* summary.h - what a sweep found, for people: hosts grouped by finding, and the sums. */
#ifndef TG_SUMMARY_H
#define TG_SUMMARY_H

#include "sweep.h"

/*
 * Appends each finding with the hosts that have it, the hosts that couldn't be evaluated, those
 * that are accepted but not for long, with --all those that are accepted, and a line of sums. A
 * host with several findings stands below each. SWEEP has ended.
 */
void tg_summary(struct tg_buf *out, const struct tg_sweep *sweep);

/* Appends "400 hosts: 380 accepted, 17 refused, 3 not reached". */
void tg_summary_line(struct tg_buf *out, const struct tg_sweep *sweep);

#endif
