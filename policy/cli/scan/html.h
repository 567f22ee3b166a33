/* html.h - what a sweep found, as one page that needs nothing else: no file, no network. */
#ifndef TG_HTML_H
#define TG_HTML_H

#include "sweep.h"

/* Writes PATH as a whole. The sweep has kept the paths. False after a complaint. */
TG_MUST_USE bool tg_html_write(const struct tg_sweep *sweep, const char *path);

#endif
