#include "gnutls_judge.h"
#include "alias.h"
#include "gnutls_line.h"
#include "gnutls_query.h"
#include "leaves.h"
#include "name.h"
#include "reason.h"
#include <stdlib.h>
#include <string.h>

enum tg_foreign_demand tg_gnutls_demand(struct tg_gnutls_session *state)
{
    const struct tg_gnutls_line line = tg_gnutls_line_of(state);

    return tg_foreign_demand(&line.line);
}

bool tg_gnutls_demands(struct tg_gnutls_session *state)
{
    const struct tg_gnutls_line line = tg_gnutls_line_of(state);

    return tg_foreign_demands(&line.line);
}

/* ---- the verdict ---- */

static const struct tg_gnutls_query *question_of(const struct tg_foreign_server *server)
{
    return (const struct tg_gnutls_query *)server;
}

static bool is_revoked(const struct tg_foreign_server *server)
{
    const struct tg_gnutls_session *state = question_of(server)->state;
    unsigned status = 0;

    return state->library->gnutls_certificate_verify_peers2(state->session, &status) == 0 &&
           status & TG_GNUTLS_CERT_REVOKED;
}

/* The leaf with HOST for one more name, which is what the program is shown from now on. */
static bool show_alias(struct tg_gnutls_session *state, X509 *leaf, const char *host)
{
    const char *missing = NULL;
    const struct tg_cryptolib *library = tg_cryptolib_native(&missing);
    X509 *alias = library != NULL ? X509_dup(leaf) : NULL;
    unsigned count = 0;
    const gnutls_datum_t *list =
        state->library->gnutls_certificate_get_peers(state->session, &count);
    int size = 0;

    if (alias != NULL && list != NULL && count > 0 && tg_alias_add(library, alias, leaf, host)) {
        size = i2d_X509(alias, &state->alias);
        state->shown = calloc(count, sizeof(*state->shown));
    }
    X509_free(alias);
    if (size <= 0 || state->shown == NULL)
        return false;
    memcpy(state->shown, list, count * sizeof(*list));
    state->shown[0] = (gnutls_datum_t){state->alias, (unsigned)size};
    state->shown_count = count;
    return true;
}

/* For what the program does with the certificate apart from its session. */
static bool remember(const unsigned char *der, size_t size, const char *host)
{
    uint8_t digest[TG_SHA256_SIZE];

    if (!tg_leaves_digest(der, size, digest))
        return false;
    tg_leaves_accept(digest, host);
    return true;
}

static bool let_in(struct tg_foreign_server *server)
{
    struct tg_gnutls_session *state = question_of(server)->state;
    const struct tg_query *query = &server->query;
    const char *host = query->host;
    unsigned count = 0;
    const gnutls_datum_t *list =
        state->library->gnutls_certificate_get_peers(state->session, &count);

    if (list == NULL || count == 0)
        return false;
    if (host == NULL)
        return true;
    if (!remember(list[0].data, list[0].size, host))
        return false;
    if (state->shown_count == 0 && !tg_name_matches(query->leaf, host, 0) &&
        !show_alias(state, query->leaf, host))
        return false;
    if (state->shown_count > 0 && !remember(state->shown[0].data, state->shown[0].size, host))
        return false;
    memcpy(state->accepted, host, strlen(host) + 1);
    return true;
}

static const struct tg_foreign_operations operations = {
    .fill = tg_gnutls_query_open, .revoked = is_revoked, .let_in = let_in};

/* How the library would tell what CODE, an X509_V_ERR_*, stands for; of pins and the like it knows
 * nothing. */
static unsigned status_for(int code)
{
    static const struct {
        int code;
        unsigned status;
    } known[] = {
        {X509_V_OK, TG_GNUTLS_CERT_SIGNER_NOT_FOUND}, /* no verdict was to be had */
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TG_GNUTLS_CERT_SIGNER_NOT_FOUND},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TG_GNUTLS_CERT_SIGNER_NOT_FOUND},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TG_GNUTLS_CERT_SIGNER_NOT_FOUND},
        {X509_V_ERR_CERT_HAS_EXPIRED, TG_GNUTLS_CERT_EXPIRED},
        {X509_V_ERR_CERT_NOT_YET_VALID, TG_GNUTLS_CERT_NOT_ACTIVATED},
        {X509_V_ERR_HOSTNAME_MISMATCH, TG_GNUTLS_CERT_UNEXPECTED_OWNER},
        {X509_V_ERR_CERT_REVOKED, TG_GNUTLS_CERT_REVOKED},
        {X509_V_ERR_INVALID_PURPOSE, TG_GNUTLS_CERT_PURPOSE_MISMATCH},
        {X509_V_ERR_CA_MD_TOO_WEAK, TG_GNUTLS_CERT_INSECURE_ALGORITHM},
        {X509_V_ERR_EE_KEY_TOO_SMALL, TG_GNUTLS_CERT_INSECURE_ALGORITHM},
        {X509_V_ERR_CA_KEY_TOO_SMALL, TG_GNUTLS_CERT_INSECURE_ALGORITHM},
        {X509_V_ERR_CERT_SIGNATURE_FAILURE, TG_GNUTLS_CERT_SIGNATURE_FAILURE},
        {X509_V_ERR_INVALID_CA, TG_GNUTLS_CERT_SIGNER_NOT_CA},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == code)
            return TG_GNUTLS_CERT_INVALID | known[i].status;
    return TG_GNUTLS_CERT_INVALID;
}

static void conclude(struct tg_gnutls_session *state, enum tg_foreign_outcome outcome)
{
    bool refused = outcome == TG_FOREIGN_REFUSED;

    state->outcome = outcome;
    state->reason = refused ? tg_reason_now() : NULL;
    state->refusal = refused ? status_for(tg_reason_x509()) : 0;
}

void tg_gnutls_refuse(struct tg_gnutls_session *state, enum tg_finding_kind kind, const char *text)
{
    const struct tg_gnutls_line line = tg_gnutls_line_of(state);

    conclude(state, tg_foreign_refuse(&line.line, kind, text));
}

void tg_gnutls_judge(struct tg_gnutls_session *state)
{
    const struct tg_gnutls_line line = tg_gnutls_line_of(state);
    struct tg_gnutls_query question = {.state = state};

    state->judged = true;
    if (state->outcome == TG_FOREIGN_REFUSED)
        return;
    state->outcome = TG_FOREIGN_LEFT;
    state->accepted[0] = '\0';
    tg_reason_forget();
    conclude(state, tg_foreign_judge(&line.line, &question.server, &operations));
    sk_X509_pop_free(question.anchors, X509_free);
}
