/*
 * world.h - a CA and a server of a test's own making, and as many namesakes of theirs as it likes.
 * Each evaluation has to keep within path.h's bounds, counted at libcrypto's door. For tests alone,
 * in one file of a program each.
 */
#ifndef TG_TEST_WORLD_H
#define TG_TEST_WORLD_H

#include "evaluate.h"
#include "hold.h"
#include "path.h"
#include "verdict.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define DAY     (24L * 3600)
#define SECONDS 20 /* of CPU for one evaluation: far more than it takes, even under a sanitizer */

static unsigned verifications, certificates;

/* The engine's calls come here: this program is linked before libcrypto. */
int X509_verify_cert(X509_STORE_CTX *context)
{
    static int (*next)(X509_STORE_CTX *);
    int verified;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "X509_verify_cert");
    verified = next(context);
    verifications++;
    certificates += (unsigned)sk_X509_num(X509_STORE_CTX_get0_chain(context));
    return verified;
}

static inline void set_name(X509_NAME *name, const char *cn)
{
    assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const void *)cn, -1, -1, 0));
}

/* SUBJECT's certificate for KEY by ISSUER, signed with SIGNER; a CA's, or that of a leaf. */
static inline X509 *make(const char *subject, const char *issuer, EVP_PKEY *key, EVP_PKEY *signer,
                         bool ca)
{
    static long serial;
    X509 *made = X509_new();
    X509_EXTENSION *constraints = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
                                                      ca ? "critical,CA:TRUE" : "CA:FALSE");

    assert_non_null(made);
    assert_true(X509_set_version(made, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial));
    set_name(X509_get_subject_name(made), subject);
    assert_true(X509_set_issuer_name(made, X509_get_subject_name(made)));
    if (issuer != NULL) {
        X509_NAME *name = X509_NAME_new();

        set_name(name, issuer);
        assert_true(X509_set_issuer_name(made, name));
        X509_NAME_free(name);
    }
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), DAY));
    assert_true(X509_set_pubkey(made, key));
    assert_true(X509_add_ext(made, constraints, -1));
    assert_true(X509_sign(made, signer, EVP_sha256()) > 0);
    X509_EXTENSION_free(constraints);
    return made;
}

static inline EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_non_null(key);
    return key;
}

static inline void push(STACK_OF(X509) *stack, X509 *certificate)
{
    assert_true(sk_X509_push(stack, certificate) > 0);
}

/* COUNT certificates for SUBJECT by ISSUER, each with a key of its own; none signed by ISSUER. */
static inline void add_decoys(STACK_OF(X509) *stack, const char *subject, const char *issuer,
                              int count)
{
    for (int i = 0; i < count; i++) {
        EVP_PKEY *key = new_key();

        push(stack, make(subject, issuer, key, key, true));
        EVP_PKEY_free(key);
    }
}

/* A root, its intermediate and that one's leaf; room for what else is sent or trusted. */
struct world {
    EVP_PKEY *root_key, *key;
    X509 *root, *intermediate, *leaf;
    STACK_OF(X509) *anchors, *sent, *intermediates;
    struct tg_words hostnames; /* none: any name will do */
};

static inline void begin(struct world *world)
{
    world->hostnames = (struct tg_words){NULL, 0};
    world->root_key = new_key();
    world->key = new_key();
    world->root = make("root", NULL, world->root_key, world->root_key, true);
    world->intermediate = make("layer 0", "root", world->key, world->root_key, true);
    world->leaf = make("host.test", "layer 0", world->key, world->key, false);
    world->anchors = sk_X509_new_null();
    world->sent = sk_X509_new_null();
    world->intermediates = sk_X509_new_null();
    assert_non_null(world->intermediates);
}

static inline void end(struct world *world)
{
    EVP_PKEY_free(world->root_key);
    EVP_PKEY_free(world->key);
    X509_free(world->root);
    X509_free(world->intermediate);
    X509_free(world->leaf);
    sk_X509_pop_free(world->anchors, X509_free);
    sk_X509_pop_free(world->sent, X509_free);
    sk_X509_pop_free(world->intermediates, X509_free);
}

static inline void push_ref(STACK_OF(X509) *stack, X509 *certificate)
{
    assert_true(X509_up_ref(certificate));
    push(stack, certificate);
}

/* The verdict on the world's leaf, reached within all bounds. */
static inline struct tg_verdict *evaluate(const struct world *world)
{
    struct tg_holding *anchors = hold(world->anchors);
    struct tg_holding *intermediates = hold(world->intermediates);
    const struct tg_rule rule = {.anchors = anchors,
                                 .anchors_only = true,
                                 .intermediates = intermediates,
                                 .hostnames = world->hostnames,
                                 .skip_hostname = world->hostnames.count == 0};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    const struct tg_query query = {.host = "host.test", .leaf = world->leaf, .sent = world->sent};
    clock_t begun = clock();
    struct tg_verdict *verdict;

    verifications = certificates = 0;
    verdict = tg_evaluate(NULL, &match, &query);
    tg_holding_free(anchors);
    tg_holding_free(intermediates);
    assert_non_null(verdict);
    /* One more of each: the path without an anchor that is reported where there is no other. */
    assert_in_range(verifications, 0, TG_PATH_MAX_ATTEMPTS + 1);
    assert_in_range(certificates, 0, TG_PATH_MAX_CHECKED + TG_PATH_MAX_LENGTH);
    assert_in_range(clock() - begun, 0, (clock_t)SECONDS * CLOCKS_PER_SEC);
    return verdict;
}

static inline bool found(const struct tg_verdict *verdict, enum tg_finding_kind kind)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].kind == kind)
            return true;
    return false;
}

static inline void expect_accepted(const struct world *world)
{
    struct tg_verdict *verdict = evaluate(world);

    assert_int_equal(verdict->result, TG_RESULT_UNSPECIFIED);
    assert_int_equal(sk_X509_num(verdict->path), 3);
    tg_verdict_free(verdict);
}

static inline void expect_refused(const struct world *world, enum tg_finding_kind kind)
{
    struct tg_verdict *verdict = evaluate(world);

    assert_false(verdict->accepted);
    assert_true(found(verdict, kind));
    tg_verdict_free(verdict);
}

#endif
