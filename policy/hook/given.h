/*
 * given.h - the policies that a connection is under: that of the process, where its context is
 * hooked, and one that its program gave it (tg_verify_callback). Each must let it pass.
 */
#ifndef TG_GIVEN_H
#define TG_GIVEN_H

#include "process.h"
#include "state.h"

struct tg_policies {
    struct tg_process each[2];
    size_t count; /* at least 1 */
    const struct tg_process *process;
    int cancel;
};
/* The two are paired, and what was entered is over at the second. */
void tg_policies_enter(const struct tg_hooked *hooked, const SSL *ssl,
                       struct tg_policies *policies);
void tg_policies_leave(struct tg_policies *policies);

/* CONTEXT is under POLICY (NULL: the process's) from now on. NULL: no memory. */
struct tg_given *tg_given_put(SSL_CTX *context, const tg_policy *policy);
/* The gate stands in the place of INFO (may be NULL), the application's info callback. */
void tg_given_set_info(struct tg_given *given, tg_info_callback *info);

/* True, with *POLICY (NULL: the process's), if its program put CONTEXT under a policy. */
bool tg_given(const SSL_CTX *context, const tg_policy **policy);
/* A number that no other context had, or this one under another policy; 0 if it is under none. */
uint64_t tg_given_serial(const SSL_CTX *context);
/* The application's info callback of such a context, or NULL. */
tg_info_callback *tg_given_info(const SSL_CTX *context);

/* To be called where a context is freed. */
void tg_given_forget(const SSL_CTX *context);

#endif
