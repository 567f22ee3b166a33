/* environment.h - what a program finds in its environment so that trustgraft gets into it. */
#ifndef TG_ENVIRONMENT_H
#define TG_ENVIRONMENT_H

#include "reach.h"
#include <limits.h>

/*
 * Sets LD_PRELOAD or OPENSSL_CONF in this process's environment. What the user had set there
 * stays in force. False after a complaint.
 */
bool tg_environment_inject(enum tg_way way);

/* Names the policy PATH in TRUSTGRAFT_POLICY, made absolute. False after a complaint. */
bool tg_environment_policy(const char *path);

#endif
