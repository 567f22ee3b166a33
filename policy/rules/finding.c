#include "finding.h"
#include <openssl/x509_vfy.h>
#include <string.h>

#define RECOVERABLE TG_RESULT_RECOVERABLE_FAILURE
#define FATAL       TG_RESULT_FATAL_FAILURE
#define DENY        TG_RESULT_DENY
#define ERROR       TG_RESULT_OTHER_ERROR

static const struct tg_finding_info infos[] = {
    [TG_CERTIFICATE_EXPIRED] = {"certificate-expired", "the certificate has expired", RECOVERABLE,
                                X509_V_ERR_CERT_HAS_EXPIRED},
    [TG_CERTIFICATE_NOT_YET_VALID] = {"certificate-not-yet-valid",
                                      "the certificate is not yet valid", RECOVERABLE,
                                      X509_V_ERR_CERT_NOT_YET_VALID},
    [TG_MISSING_ISSUER] = {"missing-issuer", "the certificate's issuer was not found", RECOVERABLE,
                           X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    [TG_UNTRUSTED_ROOT] = {"untrusted-root", "the path ends in a root that is not an anchor",
                           RECOVERABLE, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN},
    [TG_SELF_SIGNED_LEAF] = {"self-signed-leaf", "the certificate is self-signed and not an anchor",
                             RECOVERABLE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
    [TG_NAME_MISMATCH] = {"name-mismatch", "the certificate is for another name", RECOVERABLE,
                          X509_V_ERR_HOSTNAME_MISMATCH},
    [TG_WRONG_PURPOSE] = {"wrong-purpose", "the certificate is not for TLS servers", RECOVERABLE,
                          X509_V_ERR_INVALID_PURPOSE},
    [TG_REVOKED] = {"revoked", "the certificate is revoked", ERROR, X509_V_ERR_CERT_REVOKED},
    [TG_REVOCATION_UNKNOWN] = {"revocation-unknown",
                               "whether the certificate is revoked is unknown", RECOVERABLE,
                               X509_V_ERR_UNABLE_TO_GET_CRL},
    [TG_LEAF_PIN_MISMATCH] = {"leaf-pin-mismatch", "the key of the certificate is not pinned",
                              RECOVERABLE, X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_CA_PIN_MISMATCH] = {"ca-pin-mismatch", "no CA on the verified path is pinned", RECOVERABLE,
                            X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_PIN_MISMATCH] = {"pin-mismatch", "no key on the verified path is pinned", RECOVERABLE,
                         X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_KNOWN_HOST_MISMATCH] = {"known-host-mismatch", "no key on the path is known for this host",
                                RECOVERABLE, X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_KNOWN_HOST_MISSING] = {"known-host-missing", "the host is not in the known-hosts file",
                               RECOVERABLE, X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_DISTRUSTED] = {"distrusted", "the policy distrusts the certificate", DENY,
                       X509_V_ERR_CERT_REJECTED},
    [TG_WEAK_KEY] = {"weak-key", "the key is too weak", RECOVERABLE, X509_V_ERR_EE_KEY_TOO_SMALL},
    [TG_WEAK_SIGNATURE] = {"weak-signature", "the signature's digest is too weak", RECOVERABLE,
                           X509_V_ERR_CA_MD_TOO_WEAK},
    [TG_BAD_SIGNATURE] = {"bad-signature", "the signature is wrong", FATAL,
                          X509_V_ERR_CERT_SIGNATURE_FAILURE},
    [TG_NOT_A_CA] = {"not-a-ca", "the issuer is not a certificate authority", FATAL,
                     X509_V_ERR_INVALID_CA},
    [TG_PATH_TOO_LONG] = {"path-too-long", "the path is longer than allowed", FATAL,
                          X509_V_ERR_CERT_CHAIN_TOO_LONG},
    [TG_NAME_CONSTRAINT] = {"name-constraint", "a CA on the path may not issue for this name",
                            FATAL, X509_V_ERR_PERMITTED_VIOLATION},
    [TG_UNKNOWN_CRITICAL_EXTENSION] = {"unknown-critical-extension",
                                       "the certificate has a critical extension that is not "
                                       "understood",
                                       FATAL, X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION},
    [TG_MALFORMED] = {"malformed", "the certificate is malformed", FATAL, X509_V_ERR_CERT_REJECTED},
    [TG_TLS_VERSION] = {"tls-version", "the TLS version is too old", RECOVERABLE,
                        X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_HOST_REJECTED] = {"host-rejected", "the policy rejects this host", DENY,
                          X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_HOST_UNKNOWN] = {"host-unknown", "which rule applies can't be told", DENY,
                         X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_POLICY_INVALID] = {"policy-invalid", "the policy is invalid", ERROR,
                           X509_V_ERR_APPLICATION_VERIFICATION},
    [TG_INTERNAL_ERROR] = {"internal-error", "the evaluation could not be carried out", ERROR,
                           X509_V_ERR_UNSPECIFIED},
};

_Static_assert(sizeof(infos) / sizeof(infos[0]) == TG_FINDING_KINDS, "each finding has a row");

/* What X509_verify_cert(3) and the checks it calls can report, by what it means to a user. */
static const struct {
    int x509_error;
    enum tg_finding_kind kind;
} codes[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, TG_CERTIFICATE_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, TG_CERTIFICATE_NOT_YET_VALID},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TG_MISSING_ISSUER},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TG_MISSING_ISSUER},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TG_MISSING_ISSUER},
    {X509_V_ERR_CERT_UNTRUSTED, TG_UNTRUSTED_ROOT},
    {X509_V_ERR_CERT_REJECTED, TG_DISTRUSTED},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TG_UNTRUSTED_ROOT},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TG_SELF_SIGNED_LEAF},
    {X509_V_ERR_HOSTNAME_MISMATCH, TG_NAME_MISMATCH},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, TG_NAME_MISMATCH},
    {X509_V_ERR_INVALID_PURPOSE, TG_WRONG_PURPOSE},
    {X509_V_ERR_CERT_REVOKED, TG_REVOKED},
    {X509_V_ERR_UNABLE_TO_GET_CRL, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_CRL_NOT_YET_VALID, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_CRL_HAS_EXPIRED, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_DIFFERENT_CRL_SCOPE, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_CRL_PATH_VALIDATION_ERROR, TG_REVOCATION_UNKNOWN},
    {X509_V_ERR_EE_KEY_TOO_SMALL, TG_WEAK_KEY},
    {X509_V_ERR_CA_KEY_TOO_SMALL, TG_WEAK_KEY},
    {X509_V_ERR_CA_MD_TOO_WEAK, TG_WEAK_SIGNATURE},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, TG_BAD_SIGNATURE},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, TG_BAD_SIGNATURE},
    {X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, TG_BAD_SIGNATURE},
    {X509_V_ERR_INVALID_CA, TG_NOT_A_CA},
    {X509_V_ERR_INVALID_NON_CA, TG_WRONG_PURPOSE},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, TG_NOT_A_CA},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, TG_PATH_TOO_LONG},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, TG_PATH_TOO_LONG},
    {X509_V_ERR_PERMITTED_VIOLATION, TG_NAME_CONSTRAINT},
    {X509_V_ERR_EXCLUDED_VIOLATION, TG_NAME_CONSTRAINT},
    {X509_V_ERR_SUBTREE_MINMAX, TG_NAME_CONSTRAINT},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, TG_NAME_CONSTRAINT},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, TG_NAME_CONSTRAINT},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, TG_NAME_CONSTRAINT},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, TG_UNKNOWN_CRITICAL_EXTENSION},
    {X509_V_ERR_UNSPECIFIED, TG_INTERNAL_ERROR},
    {X509_V_ERR_OUT_OF_MEM, TG_INTERNAL_ERROR},
    {X509_V_ERR_INVALID_CALL, TG_INTERNAL_ERROR},
    {X509_V_ERR_STORE_LOOKUP, TG_INTERNAL_ERROR},
};

const struct tg_finding_info *tg_finding_info(enum tg_finding_kind kind)
{
    return &infos[kind];
}

enum tg_finding_kind tg_finding_by_name(const char *name)
{
    int kind = 0;

    while (kind < TG_FINDING_KINDS && strcmp(infos[kind].name, name) != 0)
        kind++;
    return kind;
}

enum tg_finding_kind tg_finding_by_x509(int x509_error)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].x509_error == x509_error)
            return codes[i].kind;
    return TG_MALFORMED;
}

bool tg_finding_forgivable(enum tg_finding_kind kind)
{
    return infos[kind].result == RECOVERABLE;
}

const char *tg_result_name(tg_result result)
{
    switch (result) {
    case TG_RESULT_PROCEED:
        return "proceed";
    case TG_RESULT_UNSPECIFIED:
        return "unspecified";
    case TG_RESULT_DENY:
        return "deny";
    case TG_RESULT_RECOVERABLE_FAILURE:
        return "recoverable-trust-failure";
    case TG_RESULT_FATAL_FAILURE:
        return "fatal-trust-failure";
    case TG_RESULT_OTHER_ERROR:
        break;
    }
    return "other-error";
}

int tg_result_accepts(tg_result result)
{
    return result == TG_RESULT_PROCEED || result == TG_RESULT_UNSPECIFIED;
}
