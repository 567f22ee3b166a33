/* prometheus.h - what a sweep found, as a file for node_exporter's textfile collector. */
#ifndef TG_PROMETHEUS_H
#define TG_PROMETHEUS_H

#include "sweep.h"

/* Writes PATH as a whole, so that a collector never reads half of it. False after a complaint. */
TG_MUST_USE bool tg_prometheus_write(const struct tg_sweep *sweep, const char *path);

#endif
