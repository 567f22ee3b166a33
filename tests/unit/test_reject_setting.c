/*
 * Anchors that an administrator marked as not for TLS servers (x509(1), -addreject), what else a
 * rule inherits from the application, and which of several bad paths is kept.
 */
#include "evaluate.h"
#include "hold.h"
#include "match.h"
#include "policy.h"
#include "verdict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define DAY (24L * 3600)

static EVP_PKEY *root_key, *key;
static X509 *root, *intermediate, *leaf;

static X509 *make(const char *subject, const X509 *issuer, EVP_PKEY *own, EVP_PKEY *signer, bool ca)
{
    static long serial;
    X509 *made = X509_new();
    X509_NAME *name = X509_get_subject_name(made);
    X509_EXTENSION *constraints = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
                                                      ca ? "critical,CA:TRUE" : "CA:FALSE");

    assert_true(X509_set_version(made, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial));
    assert_true(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const void *)subject, -1, -1, 0));
    assert_true(X509_set_issuer_name(made, issuer != NULL ? X509_get_subject_name(issuer) : name));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), DAY));
    assert_true(X509_set_pubkey(made, own));
    assert_true(X509_add_ext(made, constraints, -1));
    assert_true(X509_sign(made, signer, EVP_sha256()) > 0);
    X509_EXTENSION_free(constraints);
    return made;
}

static int begin(void **state)
{
    (void)state;
    root_key = EVP_EC_gen("P-256");
    key = EVP_EC_gen("P-256");
    root = make("root", NULL, root_key, root_key, true);
    intermediate = make("intermediate", root, key, root_key, true);
    leaf = make("host.test", intermediate, key, key, false);
    return 0;
}

static int end(void **state)
{
    (void)state;
    X509_free(root);
    X509_free(intermediate);
    X509_free(leaf);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(key);
    return 0;
}

/* Takes ANCHORS over; CAME is sent. */
static bool accepts_with(STACK_OF(X509) *anchors, X509 *came)
{
    struct tg_holding *held = hold(anchors);
    const struct tg_rule rule = {.anchors = held, .anchors_only = true, .skip_hostname = true};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    STACK_OF(X509) *sent = sk_X509_new_null();
    const struct tg_query query = {.host = "host.test", .leaf = leaf, .sent = sent};
    struct tg_verdict *verdict;
    bool accepted;

    assert_true(sk_X509_push(sent, came) > 0);
    verdict = tg_evaluate(NULL, &match, &query);
    assert_non_null(verdict);
    accepted = verdict->accepted;
    tg_verdict_free(verdict);
    sk_X509_free(sent);
    tg_holding_free(held);
    sk_X509_pop_free(anchors, X509_free);
    return accepted;
}

static bool accepts(STACK_OF(X509) *anchors)
{
    return accepts_with(anchors, intermediate);
}

/* The anchors ONE and OTHER (may be NULL), copies; ONE rejected for the use NID. */
static STACK_OF(X509) *anchors(X509 *one, int nid, X509 *other)
{
    STACK_OF(X509) *made = sk_X509_new_null();
    X509 *marked = X509_dup(one);

    assert_true(X509_add1_reject_object(marked, OBJ_nid2obj(nid)));
    assert_true(sk_X509_push(made, marked) > 0);
    if (other != NULL)
        assert_true(sk_X509_push(made, X509_dup(other)) > 0);
    return made;
}

static void a_rejected_root_is_no_anchor(void **state)
{
    (void)state;
    assert_true(accepts(anchors(root, NID_email_protect, NULL)));
    assert_false(accepts(anchors(root, NID_server_auth, NULL)));
}

static void a_rejected_leaf_is_no_anchor(void **state)
{
    (void)state;
    assert_true(accepts(anchors(leaf, NID_email_protect, NULL)));
    assert_false(accepts(anchors(leaf, NID_server_auth, NULL)));
}

static void a_rejected_intermediate_is_not_passed_as_it_was_sent(void **state)
{
    (void)state;
    assert_true(accepts(anchors(intermediate, NID_email_protect, root)));
    assert_false(accepts(anchors(intermediate, NID_server_auth, root)));
    assert_false(accepts(anchors(intermediate, NID_anyExtendedKeyUsage, root)));
}

/* Its signature written anew, (r, n-s) for (r, s), it is another certificate byte for byte. */
static void a_rejected_intermediate_is_not_passed_under_another_signature(void **state)
{
    X509 *twin = X509_dup(intermediate);
    const ASN1_BIT_STRING *bits = NULL;
    const unsigned char *at;
    unsigned char *der = NULL;
    ECDSA_SIG *signature;
    BIGNUM *order = NULL;
    int length;

    (void)state;
    X509_get0_signature(&bits, NULL, twin);
    at = ASN1_STRING_get0_data(bits);
    signature = d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(bits));
    assert_true(EVP_PKEY_get_bn_param(root_key, OSSL_PKEY_PARAM_EC_ORDER, &order));
    assert_true(BN_sub((BIGNUM *)ECDSA_SIG_get0_s(signature), order, ECDSA_SIG_get0_s(signature)));
    length = i2d_ECDSA_SIG(signature, &der);
    assert_true(ASN1_STRING_set((ASN1_BIT_STRING *)bits, der, length));
    assert_int_equal(X509_verify(twin, root_key), 1);
    assert_true(X509_cmp(twin, intermediate) != 0);
    assert_true(accepts_with(anchors(intermediate, NID_email_protect, root), twin));
    assert_false(accepts_with(anchors(intermediate, NID_server_auth, root), twin));
    OPENSSL_free(der);
    BN_free(order);
    ECDSA_SIG_free(signature);
    X509_free(twin);
}

/* The store of an application holds the root and MARKED; SENT_COPY is sent. */
static const char *finding_beside(X509 *marked, X509 *sent_copy, bool partial)
{
    const struct tg_rule rule = {.skip_hostname = true};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    STACK_OF(X509) *sent = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *app = X509_STORE_CTX_new();
    struct tg_query query = {.host = "host.test", .leaf = leaf, .sent = sent, .app = app};
    struct tg_verdict *verdict;
    const char *found = "nothing";

    assert_true(sk_X509_push(sent, sent_copy) > 0);
    assert_true(X509_STORE_add_cert(store, root) && X509_STORE_add_cert(store, marked));
    assert_true(X509_STORE_CTX_init(app, store, leaf, sent));
    if (partial)
        X509_STORE_CTX_set_flags(app, X509_V_FLAG_PARTIAL_CHAIN);
    verdict = tg_evaluate(NULL, &match, &query);
    assert_non_null(verdict);
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (i == 0 || verdict->findings[i].kind == TG_DISTRUSTED)
            found = tg_finding_info(verdict->findings[i].kind)->name;
    assert_true(verdict->accepted == (verdict->finding_count == 0));
    tg_verdict_free(verdict);
    X509_STORE_CTX_free(app);
    X509_STORE_free(store);
    sk_X509_free(sent);
    return found;
}

/* Also another certificate for its name and key, as an ECDSA signature can be written anew. */
static void what_the_application_rejects_stays_rejected(void **state)
{
    X509 *again = make("intermediate", root, key, root_key, true);
    X509 *marked = X509_dup(intermediate), *mail = X509_dup(intermediate);

    (void)state;
    assert_true(X509_add1_reject_object(marked, OBJ_nid2obj(NID_server_auth)));
    assert_true(X509_add1_reject_object(mail, OBJ_nid2obj(NID_email_protect)));
    for (int partial = 0; partial < 2; partial++) {
        assert_string_equal(finding_beside(marked, intermediate, partial), "distrusted");
        assert_string_equal(finding_beside(marked, again, partial), "distrusted");
        assert_string_equal(finding_beside(mail, intermediate, partial), "nothing");
        assert_string_equal(finding_beside(mail, again, partial), "nothing");
    }
    X509_free(again);
    X509_free(marked);
    X509_free(mail);
}

static time_t app_time;        /* that the application verifies at; 0: not set */
static unsigned app_hostflags; /* X509_CHECK_FLAG_* */
static const char *dialled = "host.test";

/* What RULE, which inherits, lets pass of an application that set LEVEL and FLAGS. */
static bool inherits(const struct tg_rule *rule, int level, unsigned long flags)
{
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = rule, .pattern = "*"};
    STACK_OF(X509) *sent = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *app = X509_STORE_CTX_new();
    struct tg_query query = {
        .host = dialled, .leaf = leaf, .sent = sent, .app = app, .security_level = 1};
    struct tg_verdict *verdict;
    bool accepted;

    assert_true(sk_X509_push(sent, intermediate) > 0 && X509_STORE_add_cert(store, root));
    assert_true(X509_STORE_CTX_init(app, store, leaf, sent));
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(app), level);
    X509_STORE_CTX_set_flags(app, flags);
    X509_VERIFY_PARAM_set_hostflags(X509_STORE_CTX_get0_param(app), app_hostflags);
    if (app_time != 0)
        X509_STORE_CTX_set_time(app, 0, app_time);
    verdict = tg_evaluate(NULL, &match, &query);
    assert_non_null(verdict);
    accepted = verdict->accepted;
    tg_verdict_free(verdict);
    X509_STORE_CTX_free(app);
    X509_STORE_free(store);
    sk_X509_free(sent);
    return accepted;
}

static void the_stricter_level_counts_unless_the_rule_has_one(void **state)
{
    const struct tg_rule none = {.skip_hostname = true};
    struct tg_rule own = {.skip_hostname = true, .security_level = 2};

    (void)state;
    own.set = TG_KEY_BIT(TG_KEY_SECURITY_LEVEL);
    assert_true(inherits(&none, -1, 0));
    assert_true(inherits(&none, 3, 0)); /* P-256 */
    assert_false(inherits(&none, 4, 0));
    assert_true(inherits(&own, 4, 0));
    own.security_level = 4;
    assert_false(inherits(&own, 0, 0));
}

/* The certificates here lack the key identifiers that RFC 5280 asks for. */
static void an_explicit_no_lifts_strictness(void **state)
{
    struct tg_rule rule = {.skip_hostname = true};

    (void)state;
    assert_true(inherits(&rule, -1, 0));
    assert_false(inherits(&rule, -1, X509_V_FLAG_X509_STRICT));
    rule.set = TG_KEY_BIT(TG_KEY_STRICT);
    assert_true(inherits(&rule, -1, X509_V_FLAG_X509_STRICT));
    rule.strict = true;
    assert_false(inherits(&rule, -1, 0));
}

static void a_flag_that_weakens_is_not_inherited(void **state)
{
    const struct tg_rule rule = {.skip_hostname = true};
    X509_EXTENSION *unknown = X509V3_EXT_nconf(NULL, NULL, "1.2.3.4", "critical,DER:0500");
    X509 *plain = leaf;

    (void)state;
    leaf = make("host.test", intermediate, key, key, false);
    assert_true(X509_add_ext(leaf, unknown, -1) && X509_sign(leaf, key, EVP_sha256()) > 0);
    assert_false(inherits(&rule, -1, 0));
    assert_false(inherits(&rule, -1, X509_V_FLAG_IGNORE_CRITICAL));
    X509_EXTENSION_free(unknown);
    X509_free(leaf);
    leaf = plain;
}

/* Beside the rule's own or the clock's: with one of long ago an expired certificate isn't good. */
static void the_time_of_the_application_is_one_more_demand(void **state)
{
    const struct tg_rule rule = {.skip_hostname = true};
    const struct tg_rule then = {.skip_hostname = true, .verify_time = time(NULL) + 10 * DAY};
    X509 *plain = leaf;

    (void)state;
    app_time = time(NULL) + 10 * DAY;
    assert_false(inherits(&rule, -1, 0));
    assert_false(inherits(&then, -1, 0));
    app_time = time(NULL);
    assert_true(inherits(&rule, -1, 0));
    assert_false(inherits(&then, -1, 0));
    leaf = make("host.test", intermediate, key, key, false);
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(leaf), -DAY / 2));
    assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
    app_time = time(NULL) - DAY * 3 / 4;
    assert_false(inherits(&rule, -1, 0));
    app_time = 0;
    X509_free(leaf);
    leaf = plain;
}

/* Those that loosen how names are compared; without a name of its own to verify. */
static void a_host_flag_that_loosens_is_not_inherited(void **state)
{
    const struct tg_rule rule = {.skip_hostname = false};
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:*.a.test");
    X509 *plain = leaf;

    (void)state;
    leaf = make("b.test", intermediate, key, key, false);
    assert_true(X509_add_ext(leaf, names, -1) && X509_sign(leaf, key, EVP_sha256()) > 0);
    dialled = "one.a.test";
    assert_true(inherits(&rule, -1, 0));
    dialled = "one.two.a.test";
    app_hostflags = X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS;
    assert_false(inherits(&rule, -1, 0));
    dialled = "b.test";
    app_hostflags = X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT;
    assert_false(inherits(&rule, -1, 0));
    app_hostflags = 0;
    dialled = "host.test";
    X509_EXTENSION_free(names);
    X509_free(leaf);
    leaf = plain;
}

static X509 *expired(EVP_PKEY *signer)
{
    X509 *made = make("intermediate", root, key, signer, true);

    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), -1));
    assert_true(X509_sign(made, signer, EVP_sha256()) > 0);
    return made;
}

/* The first path is expired, which is forgiven; the second has a wrong signature besides. */
static void the_better_of_two_bad_paths_is_kept(void **state)
{
    X509 *bad[] = {expired(root_key), expired(key)};
    struct tg_holding *anchor = tg_holding_new();
    const struct tg_rule rule = {.anchors = anchor, .anchors_only = true, .skip_hostname = true};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};

    (void)state;
    assert_non_null(anchor);
    assert_true(tg_holding_add(anchor, root));
    for (int first = 0; first < 2; first++) {
        STACK_OF(X509) *sent = sk_X509_new_null();
        const struct tg_query query = {.host = "host.test",
                                       .leaf = leaf,
                                       .sent = sent,
                                       .forgiven = UINT64_C(1) << TG_CERTIFICATE_EXPIRED};
        struct tg_verdict *verdict;

        assert_true(sk_X509_push(sent, bad[first]) > 0 && sk_X509_push(sent, bad[!first]) > 0);
        verdict = tg_evaluate(NULL, &match, &query);
        assert_non_null(verdict);
        assert_true(verdict->accepted);
        assert_ptr_equal(sk_X509_value(verdict->path, 1), bad[0]);
        tg_verdict_free(verdict);
        sk_X509_free(sent);
    }
    tg_holding_free(anchor);
    X509_free(bad[0]);
    X509_free(bad[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rejected_root_is_no_anchor),
        cmocka_unit_test(a_rejected_leaf_is_no_anchor),
        cmocka_unit_test(a_rejected_intermediate_is_not_passed_as_it_was_sent),
        cmocka_unit_test(a_rejected_intermediate_is_not_passed_under_another_signature),
        cmocka_unit_test(what_the_application_rejects_stays_rejected),
        cmocka_unit_test(the_stricter_level_counts_unless_the_rule_has_one),
        cmocka_unit_test(an_explicit_no_lifts_strictness),
        cmocka_unit_test(a_flag_that_weakens_is_not_inherited),
        cmocka_unit_test(the_time_of_the_application_is_one_more_demand),
        cmocka_unit_test(a_host_flag_that_loosens_is_not_inherited),
        cmocka_unit_test(the_better_of_two_bad_paths_is_kept),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
