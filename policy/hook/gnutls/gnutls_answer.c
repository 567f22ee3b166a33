#include "gnutls_answer.h"
#include "gnutls_decide.h"
#include "gnutls_judge.h"
#include "gnutls_name.h"
#include "leaves.h"
#include "reason.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { A_DAY = 24 * 60 * 60 };

/* A name that nobody knew of before may have a rule of its own. After the handshake there is no
 * other way to heed that than to end the connection. */
static void reconsider(struct tg_gnutls_session *state)
{
    if (state->outcome == TG_FOREIGN_LEFT && tg_gnutls_demand(state) == TG_FOREIGN_NOTHING)
        return;
    tg_gnutls_judge(state);
    if (state->outcome == TG_FOREIGN_REFUSED && !state->running)
        tg_gnutls_stop(state);
}

/* The host that was accepted goes by the rule's word. Another name is the library's to match. */
static bool is_owner(const struct tg_gnutls_session *state, const char *name)
{
    char host[TG_HOST_SIZE];

    return name != NULL && tg_gnutls_name_spell(state->library, name, host) &&
           strcmp(host, state->accepted) == 0;
}

static unsigned accepted_status(const struct tg_gnutls_session *state, const char *host,
                                const gnutls_typed_vdata_st *data, unsigned count, unsigned status)
{
    char room[TG_HOST_SIZE];
    bool owner =
        !(status & TG_GNUTLS_CERT_UNEXPECTED_OWNER) || host == NULL || is_owner(state, host);

    for (unsigned i = 0; data != NULL && i < count && status & TG_GNUTLS_CERT_UNEXPECTED_OWNER; i++)
        if (data[i].type != TG_GNUTLS_DT_KEY_PURPOSE_OID)
            owner = owner && is_owner(state, tg_gnutls_typed_name(&data[i], room));
    return owner ? 0 : TG_GNUTLS_CERT_INVALID | TG_GNUTLS_CERT_UNEXPECTED_OWNER;
}

/* The program may ask for the text of STATUS, which it is given of STATE (may be NULL). */
static unsigned point(const struct tg_gnutls_session *state, unsigned status)
{
    tg_reason_point(TG_REASON_STATUS, state != NULL ? state->reason : NULL, (long)status, true);
    return status;
}

int tg_gnutls_answer(gnutls_session_t session, const char *host, const gnutls_typed_vdata_st *data,
                     unsigned count, int result, unsigned *status)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL || result < 0) {
        tg_reason_unpoint();
        return result;
    }
    if (tg_gnutls_session_give_all(state, host, data, count))
        reconsider(state);
    if (state->outcome == TG_FOREIGN_ACCEPTED)
        *status = accepted_status(state, host, data, count, *status);
    else if (state->outcome == TG_FOREIGN_REFUSED)
        *status |= state->refusal;
    (void)point(state, *status);
    return result;
}

unsigned tg_gnutls_answer_status(gnutls_session_t session, unsigned status)
{
    const struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL)
        return point(NULL, status);
    if (state->outcome == TG_FOREIGN_ACCEPTED)
        return point(state, 0);
    if (state->outcome == TG_FOREIGN_REFUSED)
        return point(state, state->refusal);
    return point(state, state->checked ? state->status : status);
}

/* Without its digest a leaf can't be told from others: nothing is handed out then. */
const gnutls_datum_t *tg_gnutls_answer_peers(gnutls_session_t session, const gnutls_datum_t *list,
                                             unsigned *count)
{
    const struct tg_gnutls_session *state = tg_gnutls_session_of(session);
    uint8_t digest[TG_SHA256_SIZE];
    int saved = errno;

    if (list == NULL || *count == 0)
        return list;
    if (state == NULL || state->outcome != TG_FOREIGN_ACCEPTED) {
        if (tg_leaves_digest(list[0].data, list[0].size, digest))
            tg_leaves_leave(digest);
        else
            list = NULL;
    } else if (state->shown_count > 0) {
        *count = state->shown_count;
        list = state->shown;
    }
    if (list == NULL)
        *count = 0;
    errno = saved;
    return list;
}

/* WHEN, or what isn't past (END) or to come: nobody asks for more. */
static time_t moved(time_t when, bool end)
{
    time_t now = time(NULL);

    if (when == (time_t)-1 || (end ? when > now : when <= now))
        return when;
    return end ? now + A_DAY : now - A_DAY;
}

time_t tg_gnutls_answer_time(gnutls_session_t session, time_t when, bool end)
{
    const struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    return state != NULL && state->outcome == TG_FOREIGN_ACCEPTED ? moved(when, end) : when;
}

/* The digest of CERTIFICATE's DER. */
static bool digest_certificate(const struct tg_gnutls *library, gnutls_x509_crt_t certificate,
                               uint8_t digest[TG_SHA256_SIZE])
{
    size_t size = 0;
    unsigned char *der = NULL;
    bool made = false;

    (void)library->gnutls_x509_crt_export(certificate, TG_GNUTLS_X509_FMT_DER, NULL, &size);
    if (size > 0 && (der = malloc(size)) != NULL)
        made =
            library->gnutls_x509_crt_export(certificate, TG_GNUTLS_X509_FMT_DER, der, &size) == 0 &&
            tg_leaves_digest(der, size, digest);
    free(der);
    return made;
}

bool tg_gnutls_answer_knows(const struct tg_gnutls *library, gnutls_x509_crt_t certificate,
                            const char *host, const unsigned char *address, size_t size)
{
    uint8_t digest[TG_SHA256_SIZE];
    char text[INET6_ADDRSTRLEN] = "", name[TG_HOST_SIZE] = "";
    int saved = errno;
    bool known = tg_leaves_any() && certificate != NULL;

    tg_reason_unpoint(); /* the program has another status by now */
    if (known && address != NULL) {
        known = (size == 4 || size == 16) &&
                inet_ntop(size == 4 ? AF_INET : AF_INET6, address, text, sizeof(text)) != NULL;
        host = text;
    }
    known = known && (host == NULL || tg_gnutls_name_spell(library, host, name));
    known = known && digest_certificate(library, certificate, digest) &&
            tg_leaves_know(digest, host != NULL ? name : NULL);
    errno = saved;
    return known;
}
