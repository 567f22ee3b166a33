/*
 * compiled.h - a policy out of its image (image.h): all but its [host] and [exception] sections are
 * built when it is opened, those when they are first asked for, of the same text by the same code.
 */
#ifndef TG_COMPILED_H
#define TG_COMPILED_H

#include "diag.h"
#include "image.h"
#include "policy.h"

/*
 * The policy at PATH out of its image, if it has one that counts, else out of its text as
 * tg_policy_parse. *NOTE (NOTE may be NULL) is malloc'd: why an image that is there wasn't used;
 * NULL: it was, or there is none.
 */
TG_MUST_USE tg_policy *tg_policy_open(const char *path, struct tg_diags *diags, char **note);

/* That policy, or NULL with *NOTE likewise. */
TG_MUST_USE tg_policy *tg_compiled_open(const char *path, char **note);

/* tg_compiled_open of a path that may be relative to the working directory. */
TG_MUST_USE tg_policy *tg_compiled_open_at(const char *path, char **note);

/* True if POLICY came out of an image. */
bool tg_policy_is_compiled(const tg_policy *policy);

/* True if so much of POLICY was made on demand that it had better be opened anew. */
bool tg_policy_is_full(const tg_policy *policy);

#endif
