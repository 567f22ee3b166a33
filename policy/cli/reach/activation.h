/* activation.h - the two files of the system that put trustgraft into every program. */
#ifndef TG_ACTIVATION_H
#define TG_ACTIVATION_H

#include "reach.h"
#include "replace.h"
#include "trustgraft.h"

/* A change to come. Zero-initialise; tg_activation_clear in the end. */
struct tg_activation {
    enum tg_way way;
    bool on;
    char library[PATH_MAX]; /* ours; empty where it isn't found, which matters to `on` alone */
    struct tg_replace file; /* openssl.cnf of the system, or /etc/ld.so.preload */
    struct tg_buf after;    /* what it shall hold */
};

/* Works out what is to change so that WAY is on or off. False after a complaint. */
TG_MUST_USE bool tg_activation_plan(struct tg_activation *plan, enum tg_way way, bool on);
/* The file's text, now and as it shall be; never NULL. */
const char *tg_activation_before(const struct tg_activation *plan);
const char *tg_activation_after(const struct tg_activation *plan);
/* False where the file is as it shall be. */
bool tg_activation_changes(const struct tg_activation *plan);

/*
 * Changes the file as planned: tried out before where that can be done, atomically, and taken back
 * if programs then don't start, OpenSSL doesn't, or (on) trustgraft isn't in them. False after a
 * complaint; the file is then as it was.
 */
TG_MUST_USE bool tg_activation_carry_out(struct tg_activation *plan);

void tg_activation_clear(struct tg_activation *plan);

#endif
