/* chosen.h - the policy that a verb works with: that of -p, or the one that programs find. */
#ifndef TG_CHOSEN_H
#define TG_CHOSEN_H

#include "cli.h"
#include "diag.h"
#include "policy.h"
#include "process.h"
#include "trustgraft.h"
#include <limits.h>
#include <stdio.h>

/* True if the system's policy is there and can't be replaced: locked, or invalid, which counts as
 * locked. */
bool tg_chosen_locked(void);

/*
 * Finds the policy that programs find and writes its path to OUT, PATH_MAX bytes. One in the
 * provider's setting isn't known here.
 */
enum tg_origin tg_chosen_locate(char out[PATH_MAX]);

/* Writes its path to OUT, PATH_MAX bytes. False after a complaint that says where was looked. */
TG_MUST_USE bool tg_chosen_path(const struct tg_options *options, char out[PATH_MAX]);

/*
 * The same, or where a new one goes if there is none: the system's for root, the user's for others.
 */
TG_MUST_USE bool tg_chosen_place(const struct tg_options *options, char out[PATH_MAX]);

/*
 * Finds and parses it. NULL after a complaint, or after all its errors were printed on standard
 * error; *STATUS is then the exit code. The caller owns the policy's reference.
 */
TG_MUST_USE tg_policy *tg_chosen_policy(const struct tg_options *options, int *status);

/*
 * tg_chosen_policy as programs have it: out of its image, if that counts; why one doesn't that is
 * there is said on standard error.
 */
TG_MUST_USE tg_policy *tg_chosen_decider(const struct tg_options *options, int *status);

/* The exit code for the policy at PATH, which wasn't loaded: was it wrong, or unreadable? */
int tg_chosen_status(const char *path);

#endif
