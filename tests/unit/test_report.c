/* The texts of verdicts: every field, and programs and hosts that try to forge a log line. */
#include "hash.h"
#include "pin.h"
#include "report.h"
#include "verdict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#define NOON_2026 1795521600 /* 2026-11-24T12:00:00Z */

static EVP_PKEY *key;

static int make_key(void **state)
{
    (void)state;
    key = EVP_EC_gen("P-256");
    return key == NULL;
}

static int free_key(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    return 0;
}

static X509 *make_certificate(const char *cn)
{
    X509 *certificate = X509_new();
    X509_NAME *name = NULL;

    assert_non_null(certificate);
    name = X509_get_subject_name(certificate);
    assert_true(
        X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, (const void *)cn, -1, -1, 0));
    assert_true(X509_set_issuer_name(certificate, name));
    assert_true(X509_set_pubkey(certificate, key));
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), NOON_2026));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), NOON_2026 + 3600));
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static struct tg_rule rule = {.where = {.file = "/etc/policy.conf", .line = 12}};
static const struct tg_occasion curl = {.time = NOON_2026,
                                        .program = "/usr/bin/curl",
                                        .pid = 4711,
                                        .host = "api.example.com",
                                        .port = 443};

static void expect_text(const struct tg_verdict *verdict, const struct tg_occasion *occasion,
                        const char *expected)
{
    char *text = tg_verdict_text(verdict, occasion);

    assert_string_equal(text, expected);
    free(text);
}

static void expect_json(const struct tg_verdict *verdict, const struct tg_occasion *occasion,
                        const char *expected)
{
    char *json = tg_verdict_json(verdict, occasion);

    assert_string_equal(json, expected);
    free(json);
}

static struct tg_finding mismatch = {TG_NAME_MISMATCH, 0, 62,
                                     (char *)"certificate names www.example.com"};

static struct tg_verdict refusal(void)
{
    return (struct tg_verdict){.result = TG_RESULT_RECOVERABLE_FAILURE,
                               .x509_error = 62,
                               .rule = &rule,
                               .pattern = "*.example.com",
                               .findings = &mismatch,
                               .finding_count = 1};
}

static void a_refusal_names_rule_and_findings(void **state)
{
    struct tg_verdict verdict = refusal();

    (void)state;
    expect_text(&verdict, &curl,
                "curl[4711]: reject api.example.com:443: name-mismatch: certificate names "
                "www.example.com (/etc/policy.conf:12 [host *.example.com])");
}

static void a_reason_is_one_short_line(void **state)
{
    struct tg_verdict verdict = refusal();
    struct tg_rule hostile = {
        .where = {.file = "/a\n\x1b/\u00e4\u00e4\u00e4\u00e4\u00e4", .line = 3}};
    char *reason = tg_verdict_reason(&verdict, 190);

    (void)state;
    assert_string_equal(reason, "trustgraft: refused by /etc/policy.conf:12: name-mismatch: "
                                "certificate names www.example.com");
    free(reason);
    verdict.rule = NULL;
    reason = tg_verdict_reason(&verdict, 47);
    assert_string_equal(reason, "trustgraft: refused: name-mismatch: certific...");
    free(reason);
    verdict.rule = &hostile;
    for (size_t most = 40; most < 60; most++) {
        uint32_t code;
        size_t length;

        reason = tg_verdict_reason(&verdict, most);
        assert_true(strlen(reason) <= most);
        assert_non_null(strstr(reason, "/a\\x0A\\x1B/"));
        for (size_t at = 0; at < strlen(reason); at += length)
            assert_true((length = tg_utf8_decode(reason + at, strlen(reason + at), &code)) > 0);
        free(reason);
    }
}

static void a_reason_is_no_format(void **state)
{
    struct tg_verdict verdict = refusal();
    struct tg_rule hostile = {.where = {.file = "/%n/100%", .line = 3}};
    char *reason = NULL;

    (void)state;
    verdict.rule = &hostile;
    reason = tg_verdict_reason(&verdict, 190);
    assert_non_null(strstr(reason, "refused by /\\x25n/100\\x25:3: name-mismatch: certificate"));
    assert_null(strchr(reason, '%'));
    free(reason);
}

static void a_brief_reason_has_its_finding_and_the_end_of_its_place(void **state)
{
    struct tg_verdict verdict = refusal();
    struct tg_rule deep = {
        .where = {.file = "/a/%/\u00e4\u00e4\u00e4/trustgraft/policy.conf", .line = 3}};
    char *brief = tg_verdict_brief(&verdict, 63);

    (void)state;
    assert_string_equal(brief, "trustgraft: name-mismatch (/etc/policy.conf:12)");
    free(brief);
    verdict.rule = &deep;
    brief = tg_verdict_brief(&verdict, 59);
    assert_string_equal(brief, "trustgraft: name-mismatch (...\u00e4/trustgraft/policy.conf:3)");
    free(brief);
    for (size_t most = 16; most < 80; most++) {
        uint32_t code;
        size_t length;

        brief = tg_verdict_brief(&verdict, most);
        assert_true(strlen(brief) <= most);
        assert_null(strchr(brief, '%'));
        for (size_t at = 0; at < strlen(brief); at += length)
            assert_true((length = tg_utf8_decode(brief + at, strlen(brief + at), &code)) > 0);
        free(brief);
    }
    verdict.rule = NULL;
    brief = tg_verdict_brief(&verdict, 44);
    assert_string_equal(brief, "trustgraft: name-mismatch: certificate na...");
    free(brief);
}

static void a_reason_for_distrust_names_no_rule_of_a_host(void **state)
{
    struct tg_verdict verdict = refusal();
    struct tg_finding distrusted = {.kind = TG_DISTRUSTED, .x509_error = verdict.x509_error};
    char *reason = NULL;

    (void)state;
    verdict.findings = &distrusted;
    verdict.finding_count = 1;
    reason = tg_verdict_reason(&verdict, 190);
    assert_string_equal(reason, "trustgraft: refused by [distrust]: distrusted: the policy "
                                "distrusts the certificate");
    free(reason);
    reason = tg_verdict_brief(&verdict, 63);
    assert_string_equal(reason, "trustgraft: distrusted: the policy distrusts the certificate");
    free(reason);
}

static void an_acceptance_names_its_result(void **state)
{
    struct tg_verdict verdict = {.accepted = true,
                                 .result = TG_RESULT_UNSPECIFIED,
                                 .rule = &rule,
                                 .pattern = "*.example.com"};

    (void)state;
    expect_text(&verdict, &curl,
                "curl[4711]: accept api.example.com:443: unspecified "
                "(/etc/policy.conf:12 [host *.example.com])");
}

static void a_reported_refusal_says_that_nothing_was_refused(void **state)
{
    struct tg_verdict verdict = refusal();

    (void)state;
    verdict.reported = true;
    expect_text(&verdict, &curl,
                "curl[4711]: would reject (report) api.example.com:443: name-mismatch: certificate "
                "names www.example.com (/etc/policy.conf:12 [host *.example.com])");
}

static void every_finding_and_the_note_are_told(void **state)
{
    struct tg_verdict verdict = refusal();
    struct tg_finding findings[] = {{TG_NAME_MISMATCH, 0, 62, NULL},
                                    {TG_CERTIFICATE_EXPIRED, 1, 10, (char *)"expired yesterday"}};

    (void)state;
    verdict.findings = findings;
    verdict.finding_count = 2;
    verdict.note = (char *)"pins expired 2026-01-01";
    expect_text(&verdict, &curl,
                "curl[4711]: reject api.example.com:443: name-mismatch: the certificate is for "
                "another name; certificate-expired: expired yesterday; pins expired 2026-01-01 "
                "(/etc/policy.conf:12 [host *.example.com])");
}

static void a_refusal_without_rule_says_why_there_is_none(void **state)
{
    struct tg_verdict verdict = refusal();
    struct tg_rule unmatched = {.action = TG_ACTION_REJECT};

    (void)state;
    verdict.rule = &unmatched;
    verdict.pattern = NULL;
    expect_text(&verdict, &curl,
                "curl[4711]: reject api.example.com:443: name-mismatch: certificate names "
                "www.example.com (unmatched)");
    verdict.rule = NULL;
    expect_text(&verdict, &curl,
                "curl[4711]: reject api.example.com:443: name-mismatch: certificate names "
                "www.example.com");
}

static void hostile_names_do_not_break_the_line(void **state)
{
    struct tg_verdict verdict = refusal();
    struct tg_occasion occasion = {.program = "/tmp/x\ncurl[1]: accept", .host = "h\r\nx"};
    char *text = tg_verdict_text(&verdict, &occasion);

    (void)state;
    assert_null(strpbrk(text, "\r\n"));
    assert_non_null(strstr(text, "x\\x0Acurl[1]: accept[0]: reject h\\x0D\\x0Ax: "));
    free(text);
}

static void json_of_a_refusal_has_every_field(void **state)
{
    struct tg_verdict verdict = refusal();

    (void)state;
    expect_json(
        &verdict, &curl,
        "{\"time\":\"2026-11-24T12:00:00Z\",\"program\":\"/usr/bin/curl\",\"pid\":4711,"
        "\"host\":\"api.example.com\",\"port\":443,\"mode\":\"enforce\",\"verdict\":\"reject\","
        "\"result\":\"recoverable-trust-failure\",\"x509_error\":62,"
        "\"rule\":{\"file\":\"/etc/policy.conf\",\"line\":12,\"pattern\":\"*.example.com\"},"
        "\"findings\":[{\"name\":\"name-mismatch\",\"depth\":0,"
        "\"text\":\"certificate names www.example.com\"}],\"path\":[]}");
}

static void json_has_null_for_what_is_unknown(void **state)
{
    struct tg_verdict verdict = {.accepted = true, .result = TG_RESULT_PROCEED, .reported = true};
    struct tg_occasion nobody = {.time = NOON_2026};

    (void)state;
    expect_json(&verdict, &nobody,
                "{\"time\":\"2026-11-24T12:00:00Z\",\"program\":null,\"pid\":0,\"host\":null,"
                "\"port\":null,\"mode\":\"report\",\"verdict\":\"accept\",\"result\":\"proceed\","
                "\"x509_error\":0,\"rule\":null,\"findings\":[],\"path\":[]}");
}

static void json_shows_the_path_and_the_note(void **state)
{
    struct tg_verdict verdict = refusal();
    X509 *certificate = make_certificate("a\"b\n");
    uint8_t digest[TG_SHA256_SIZE];
    char expected[1024], hex[TG_HEX_SIZE], pin[TG_PIN_SIZE], *json;

    (void)state;
    verdict.path = sk_X509_new_null();
    assert_true(sk_X509_push(verdict.path, certificate));
    verdict.note = (char *)"pins expired";
    assert_true(tg_hash_certificate(certificate, digest));
    tg_hex_text(digest, hex);
    assert_true(tg_hash_spki(certificate, digest));
    tg_pin_text(digest, pin);
#define NAME "CN=a\\u005c\\u0022b\\u005c0A"
    snprintf(expected, sizeof(expected),
             ",\"path\":[{\"subject\":\"" NAME "\",\"issuer\":\"" NAME
             "\",\"not_before\":\"2026-11-24T12:00:00Z\",\"not_after\":\"2026-11-24T13:00:00Z\","
             "\"sha256\":\"%s\",\"spki\":\"%s\"}],\"note\":\"pins expired\"}",
             hex, pin);
    json = tg_verdict_json(&verdict, &curl);
    assert_string_equal(strstr(json, ",\"path\""), expected);
    free(json);
    sk_X509_free(verdict.path);
    X509_free(certificate);
}

static unsigned count(const char *text, char wanted)
{
    unsigned found = 0;

    for (; *text != '\0'; text++)
        found += *text == wanted;
    return found;
}

/* Whatever is long in it: what goes into less room is whole all the same. */
static void json_that_does_not_fit_leaves_something_out(void **state)
{
    static char hostile[5000], utf8[5001];
    struct tg_finding many[200];
    struct tg_verdict verdict = refusal();
    struct tg_occasion occasion = curl;
    struct tg_rule named = {.where = {.file = hostile, .line = 3}};

    (void)state;
    memset(hostile, 1, sizeof(hostile) - 1);
    for (size_t i = 0; i < sizeof(utf8) - 1; i += 2)
        memcpy(utf8 + i, "\u00e4", 2);
    for (size_t i = 0; i < 200; i++)
        many[i] = (struct tg_finding){TG_NAME_MISMATCH, 0, 62, i % 2 ? utf8 : hostile};
    for (unsigned i = 0; i < 32; i++) {
        char *json = NULL;

        occasion.program = i & 1 ? hostile : "/usr/bin/curl";
        occasion.host = i & 2 ? utf8 : "api.example.com";
        verdict.findings = i & 4 ? many : &mismatch;
        verdict.finding_count = i & 4 ? 200 : 1;
        verdict.rule = i & 8 ? &named : &rule;
        verdict.note = i & 16 ? hostile : NULL;
        json = tg_verdict_json_within(&verdict, &occasion, 4000);
        assert_non_null(json);
        assert_true(strlen(json) <= 4000);
        assert_int_equal(json[strlen(json) - 1], '}');
        assert_int_equal(count(json, '{'), count(json, '}'));
        assert_int_equal(count(json, '"') % 2, 0);
        assert_int_equal(strstr(json, "\"truncated\":true") != NULL, i != 0);
        assert_non_null(strstr(json, "\"verdict\":\"reject\""));
        assert_non_null(strstr(json, "{\"name\":\"name-mismatch\""));
        assert_null(strstr(json, "\xEF\xBF\xBD")); /* no character was cut in two */
        free(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_names_rule_and_findings),
        cmocka_unit_test(a_reason_is_one_short_line),
        cmocka_unit_test(a_reason_is_no_format),
        cmocka_unit_test(a_reason_for_distrust_names_no_rule_of_a_host),
        cmocka_unit_test(a_brief_reason_has_its_finding_and_the_end_of_its_place),
        cmocka_unit_test(an_acceptance_names_its_result),
        cmocka_unit_test(a_reported_refusal_says_that_nothing_was_refused),
        cmocka_unit_test(every_finding_and_the_note_are_told),
        cmocka_unit_test(a_refusal_without_rule_says_why_there_is_none),
        cmocka_unit_test(hostile_names_do_not_break_the_line),
        cmocka_unit_test(json_of_a_refusal_has_every_field),
        cmocka_unit_test(json_has_null_for_what_is_unknown),
        cmocka_unit_test(json_shows_the_path_and_the_note),
        cmocka_unit_test(json_that_does_not_fit_leaves_something_out),
    };

    return cmocka_run_group_tests(tests, make_key, free_key);
}
