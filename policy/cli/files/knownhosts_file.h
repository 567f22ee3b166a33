/* knownhosts_file.h - the lines of a known-hosts file: which hosts it knows, and more of them. */
#ifndef TG_KNOWNHOSTS_FILE_H
#define TG_KNOWNHOSTS_FILE_H

#include "known.h"
#include "trustgraft.h"

enum tg_knownhosts_state {
    TG_KNOWNHOSTS_ADDED,   /* the host wasn't known */
    TG_KNOWNHOSTS_SAME,    /* the pin is one of those that it is known by: nothing changed */
    TG_KNOWNHOSTS_CHANGED, /* it is known by other pins, and was left as it is */
    TG_KNOWNHOSTS_REPLACED /* its lines were replaced */
};

/* A host and the pin that it was seen with. */
struct tg_knownhosts_line {
    char host[TG_HOST_SIZE]; /* canonical, as tg_argument_endpoint has it */
    unsigned port;           /* 0: a line without port, for all ports */
    uint8_t pin[TG_SHA256_SIZE];
    const char *comment;            /* any bytes, escaped when written; NULL: none */
    enum tg_knownhosts_state state; /* set by tg_knownhosts_file_update */
};

/*
 * Adds the COUNT HOSTS to the known-hosts file PATH, which may not exist yet, at once and
 * atomically; other lines, comments and the order stay. A host that is known by other pins is left
 * as it is (TG_KNOWNHOSTS_CHANGED) unless REPLACE: then its lines, also those without a port, give
 * way to one. With nothing to change the file isn't written. False after a complaint; the file is
 * as it was then.
 */
TG_MUST_USE bool tg_knownhosts_file_update(const char *path, struct tg_knownhosts_line *hosts,
                                           size_t count, bool replace);

/* Complains that HOST is known by another key in PATH, and tells what replaces it. */
void tg_knownhosts_file_complain(const char *path, const struct tg_knownhosts_line *host);

#endif
