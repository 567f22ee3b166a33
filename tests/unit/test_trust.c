/* The trust object: TN2232's customisations, each beside its refusal. */
#include "pki.h"
#include "trustgraft.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOST "api.example.test"

struct server {
    STACK_OF(X509) *sent;
    tg_trust *trust;
};

static struct server meet(const char *leaf, const char *host)
{
    struct server server = {.sent = pki_chain(leaf)};

    server.trust = tg_trust_new(sk_X509_value(server.sent, 0), server.sent);
    assert_non_null(server.trust);
    assert_true(tg_trust_set_host(server.trust, host, 443));
    return server;
}

static void leave(struct server *server)
{
    tg_trust_free(server->trust);
    pki_free(server->sent);
}

static void set_anchors(struct server *server, const char *anchor)
{
    STACK_OF(X509) *anchors = pki_certificates(anchor, NULL);

    assert_true(tg_trust_set_anchors(server->trust, anchors));
    pki_free(anchors);
}

static bool finds(const struct server *server, const char *name)
{
    tg_trust_finding finding;

    for (size_t i = 0; tg_trust_get_finding(server->trust, i, &finding); i++)
        if (strcmp(finding.name, name) == 0)
            return true;
    return false;
}

static void print_findings(const struct server *server)
{
    tg_trust_finding finding;

    for (size_t i = 0; tg_trust_get_finding(server->trust, i, &finding); i++)
        print_message("  %s at %d: %s\n", finding.name, finding.depth, finding.text);
}

/* Meets LEAF under ANCHOR and expects RESULT, with FINDING (NULL: none at all). */
static void expect(const char *leaf, const char *anchor, tg_result result, const char *finding)
{
    struct server server = meet(leaf, HOST);
    tg_result found;

    set_anchors(&server, anchor);
    found = tg_trust_evaluate(server.trust);
    if (found != result || (finding != NULL && !finds(&server, finding))) {
        print_message("%s: %s\n", leaf, tg_result_name(found));
        print_findings(&server);
    }
    assert_int_equal(found, result);
    if (finding != NULL)
        assert_true(finds(&server, finding));
    else
        assert_int_equal(tg_trust_get_finding_count(server.trust), 0);
    assert_int_equal(tg_trust_get_x509_error(server.trust) == X509_V_OK, finding == NULL);
    leave(&server);
}

static void without_anchors_nothing_is_trusted(void **state)
{
    struct server server = meet("api", HOST);

    (void)state;
    assert_int_equal(tg_trust_get_result(server.trust), TG_RESULT_OTHER_ERROR);
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_RECOVERABLE_FAILURE);
    assert_true(finds(&server, "missing-issuer"));
    leave(&server);
}

static void anchors_accept_and_others_refuse(void **state)
{
    (void)state;
    expect("api", "root", TG_RESULT_UNSPECIFIED, NULL);
    expect("api", "intermediate", TG_RESULT_UNSPECIFIED, NULL);
    expect("api", "api", TG_RESULT_UNSPECIFIED, NULL);
    expect("api", "other-root", TG_RESULT_RECOVERABLE_FAILURE, "missing-issuer");
    expect("sends-root", "other-root", TG_RESULT_RECOVERABLE_FAILURE, "untrusted-root");
    expect("self-signed", "root", TG_RESULT_RECOVERABLE_FAILURE, "self-signed-leaf");
    expect("self-signed", "self-signed", TG_RESULT_UNSPECIFIED, NULL);
}

static void defects_are_named(void **state)
{
    (void)state;
    expect("expired", "root", TG_RESULT_RECOVERABLE_FAILURE, "certificate-expired");
    expect("not-yet-valid", "root", TG_RESULT_RECOVERABLE_FAILURE, "certificate-not-yet-valid");
    expect("partner", "root", TG_RESULT_RECOVERABLE_FAILURE, "name-mismatch");
    expect("forged", "root", TG_RESULT_FATAL_FAILURE, "bad-signature");
    expect("flipped", "root", TG_RESULT_FATAL_FAILURE, "bad-signature");
    expect("hundred", "root", TG_RESULT_FATAL_FAILURE, "path-too-long");
}

static void other_paths_are_tried(void **state)
{
    (void)state;
    expect("crossed", "young-root", TG_RESULT_UNSPECIFIED, NULL);
    expect("crossed-by-root", "root", TG_RESULT_UNSPECIFIED, NULL);
    expect("renewed", "root", TG_RESULT_UNSPECIFIED, NULL);
    expect("stale-only", "root", TG_RESULT_RECOVERABLE_FAILURE, "certificate-expired");
    expect("cross-intermediates", "root", TG_RESULT_UNSPECIFIED, NULL);
    expect("shuffled", "root", TG_RESULT_UNSPECIFIED, NULL);
    expect("repeated", "root", TG_RESULT_UNSPECIFIED, NULL);
}

static void an_intermediate_that_is_missing_can_be_given(void **state)
{
    struct server server = meet("missing-intermediate", HOST);
    STACK_OF(X509) *extra = pki_certificates("intermediate", NULL);

    (void)state;
    set_anchors(&server, "root");
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_RECOVERABLE_FAILURE);
    assert_true(tg_trust_set_intermediates(server.trust, extra));
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_UNSPECIFIED);
    assert_int_equal(sk_X509_num(tg_trust_get0_path(server.trust)), 3);
    pki_free(extra);
    leave(&server);
}

static void the_verify_time_decides(void **state)
{
    struct server server = meet("expired", HOST);

    (void)state;
    set_anchors(&server, "root");
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_RECOVERABLE_FAILURE);
    tg_trust_set_verify_time(server.trust, time(NULL) - 20 * 86400);
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_UNSPECIFIED);
    leave(&server);
}

static void the_store_counts_where_anchors_only_is_off(void **state)
{
    struct server server = meet("api", HOST);
    STACK_OF(X509) *roots = pki_certificates("root", NULL);
    X509_STORE *store = X509_STORE_new();

    (void)state;
    assert_true(X509_STORE_add_cert(store, sk_X509_value(roots, 0)));
    set_anchors(&server, "other-root");
    assert_true(tg_trust_set_store(server.trust, store));
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_RECOVERABLE_FAILURE);
    tg_trust_set_anchors_only(server.trust, 0);
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_UNSPECIFIED);
    X509_STORE_free(store);
    pki_free(roots);
    leave(&server);
}

/* The application's flags hold where its anchors do: it asked for CRLs, and there are none. */
static void the_applications_crl_check_is_kept(void **state)
{
    struct server server = meet("api", HOST);
    STACK_OF(X509) *roots = pki_certificates("root", NULL);
    X509_STORE *store = X509_STORE_new();

    (void)state;
    assert_true(X509_STORE_add_cert(store, sk_X509_value(roots, 0)));
    assert_true(X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK));
    assert_true(tg_trust_set_store(server.trust, store));
    tg_trust_set_anchors_only(server.trust, 0);
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_RECOVERABLE_FAILURE);
    assert_true(finds(&server, "revocation-unknown"));
    X509_STORE_free(store);
    pki_free(roots);
    leave(&server);
}

static void weakening_flags_of_the_application_are_not(void **state)
{
    struct server server = meet("expired", HOST);
    STACK_OF(X509) *roots = pki_certificates("root", NULL);
    X509_STORE *store = X509_STORE_new();

    (void)state;
    assert_true(X509_STORE_add_cert(store, sk_X509_value(roots, 0)));
    assert_true(X509_STORE_set_flags(store, X509_V_FLAG_NO_CHECK_TIME));
    assert_true(tg_trust_set_store(server.trust, store));
    tg_trust_set_anchors_only(server.trust, 0);
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_RECOVERABLE_FAILURE);
    assert_true(finds(&server, "certificate-expired"));
    X509_STORE_free(store);
    pki_free(roots);
    leave(&server);
}

/* TN2232, "Trust Exceptions": what the user forgave one certificate, an impostor doesn't get. */
static void an_exception_is_for_one_leaf_and_its_findings(void **state)
{
    struct server forgiven = meet("expired", HOST), impostor = meet("expired-twin", HOST);
    struct server moved = meet("expired", "other.example.test");
    char *exceptions = NULL;

    (void)state;
    set_anchors(&forgiven, "root");
    set_anchors(&impostor, "root");
    set_anchors(&moved, "root");
    assert_int_equal(tg_trust_evaluate(forgiven.trust), TG_RESULT_RECOVERABLE_FAILURE);
    exceptions = tg_trust_copy_exceptions(forgiven.trust);
    assert_non_null(exceptions);
    assert_true(tg_trust_set_exceptions(forgiven.trust, exceptions));
    assert_int_equal(tg_trust_evaluate(forgiven.trust), TG_RESULT_PROCEED);
    assert_false(tg_trust_set_exceptions(impostor.trust, exceptions));
    assert_int_equal(tg_trust_evaluate(impostor.trust), TG_RESULT_RECOVERABLE_FAILURE);
    assert_true(tg_trust_set_exceptions(moved.trust, exceptions));
    assert_int_equal(tg_trust_evaluate(moved.trust), TG_RESULT_RECOVERABLE_FAILURE);
    assert_true(finds(&moved, "name-mismatch"));
    free(exceptions);
    leave(&forgiven);
    leave(&impostor);
    leave(&moved);
}

static void a_bad_signature_is_never_forgiven(void **state)
{
    struct server server = meet("flipped", HOST);

    (void)state;
    set_anchors(&server, "root");
    assert_int_equal(tg_trust_evaluate(server.trust), TG_RESULT_FATAL_FAILURE);
    assert_null(tg_trust_copy_exceptions(server.trust));
    leave(&server);
}

static void odd_hosts_are_refused(void **state)
{
    struct server server = meet("api", HOST);

    (void)state;
    assert_false(tg_trust_set_host(server.trust, "api example", 443));
    assert_false(tg_trust_set_host(server.trust, HOST, 65536));
    leave(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_anchors_nothing_is_trusted),
        cmocka_unit_test(anchors_accept_and_others_refuse),
        cmocka_unit_test(defects_are_named),
        cmocka_unit_test(other_paths_are_tried),
        cmocka_unit_test(an_intermediate_that_is_missing_can_be_given),
        cmocka_unit_test(the_verify_time_decides),
        cmocka_unit_test(the_store_counts_where_anchors_only_is_off),
        cmocka_unit_test(the_applications_crl_check_is_kept),
        cmocka_unit_test(weakening_flags_of_the_application_are_not),
        cmocka_unit_test(an_exception_is_for_one_leaf_and_its_findings),
        cmocka_unit_test(a_bad_signature_is_never_forgiven),
        cmocka_unit_test(odd_hosts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
