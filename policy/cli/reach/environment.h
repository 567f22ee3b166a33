/* environment.h - what a program finds in its environment so that trustgraft gets into it. */
#ifndef TG_ENVIRONMENT_H
#define TG_ENVIRONMENT_H

#include "reach.h"
#include "trustgraft.h"
#include <limits.h>
#include <stdbool.h>

/* Our own files, as built or as installed. */
enum tg_own {
    TG_OWN_PRELOAD,
    TG_OWN_PROVIDER,
    TG_OWN_SETTINGS,
    TG_OWN_ENGINE,
    TG_OWN_INSIDE,
    TG_OWN_GENERATOR,
    TG_OWN_FILES
};

/* The file's name: "libtrustgraft-preload.so". */
const char *tg_environment_name(enum tg_own own);

/* False for one that this build does without. */
TG_MUST_USE bool tg_environment_needs(enum tg_own own);

/* Writes where it is to OUT, PATH_MAX bytes. False, without a complaint, if it isn't there. */
TG_MUST_USE bool tg_environment_find(enum tg_own own, char out[PATH_MAX]);

/*
 * Sets LD_PRELOAD or OPENSSL_CONF in this process's environment. What the user had set there
 * stays in force. False after a complaint.
 */
TG_MUST_USE bool tg_environment_inject(enum tg_way way);

/* True if OPTIONS of Node.js's, one or many, have --openssl-config, whose file it reads instead of
 * that of OPENSSL_CONF. */
bool tg_environment_has_settings(const char *options);

/* Names the policy PATH in TRUSTGRAFT_POLICY, made absolute. False after a complaint. */
TG_MUST_USE bool tg_environment_policy(const char *path);

#endif
