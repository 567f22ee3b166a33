/*
 * ask.h - what the parts of `ask` share: a program that does to certificate stores what a script
 * says, a line a step, and tells all that a program could see of it.
 *
 * A step's words: STORE and CONTEXT are numbers below SLOTS; CERT is FILE#N, the Nth certificate of
 * a PEM file, which is read without a store.
 */
#ifndef ASK_H
#define ASK_H

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

#define SLOTS 10
#define WORDS 24

typedef void step_fn(char **word);

struct step {
    const char *name;
    step_fn *run;
};

extern X509_STORE *stores[SLOTS];
extern SSL_CTX *contexts[SLOTS];

extern const struct step load_steps[], look_steps[], hook_steps[], verify_steps[], tls_steps[],
    thread_steps[], file_steps[];

/* While threads are at work no hook tells of its calls, whose order is chance. */
extern bool quiet;

/* Says "WHAT = RESULT" and empties the error queue, telling every error of it. */
void tell(const char *what, long result);
void tell_errors(FILE *out);

X509_STORE *store_of(const char *word);
SSL_CTX *context_of(const char *word);

/* Ends the program where there is none: a script's mistake. The caller frees it. */
X509 *read_cert(const char *word);
STACK_OF(X509) *read_certs(const char *path); /* "-" is NULL */

/* WHICH of CERT, "subject" or "issuer"; lives as long as CERT. */
const X509_NAME *name_of(const X509 *cert, const char *which);

/* All of a certificate that a store keeps, in a line without its end. */
void show_cert(FILE *out, X509 *cert);
void show_objects(X509_STORE *store, STACK_OF(X509_OBJECT) *objects);

/* A context for CERT against STORE, which dies when it can't be had. */
X509_STORE_CTX *context_for(X509_STORE *store, X509 *cert, STACK_OF(X509) *untrusted);

#endif
