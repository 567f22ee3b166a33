#include "named.h"
#include "reference.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

void tg_named_give(struct tg_peer *peer, const char *name)
{
    unsigned before = peer->count;
    char host[TG_HOST_SIZE];

    if (name == NULL || name[0] == '\0')
        return;
    tg_peer_spell(name, host);
    if (before == 0) {
        peer->named = true;
        tg_peer_add(peer, host, 0, 0);
    }
    for (unsigned i = 0; i < before; i++)
        tg_peer_add(peer, host, peer->candidates[i].port, peer->candidates[i].end);
}

/* NAME is ".example", which stands for any name below it, as SENT (may be NULL) is one. */
static bool stands_for(const char *name, const char *sent)
{
    size_t length = strlen(name), all = sent != NULL ? strlen(sent) : 0;

    return name[0] == '.' && all > length && strcasecmp(sent + all - length, name) == 0;
}

/* The names to verify; SENT counts too where there is none, or one that stands for many. False,
 * with none added, without memory. */
static bool add_names_in(struct tg_peer *peer, X509_VERIFY_PARAM *param, const char *sent)
{
    char *address = NULL;
    const char *name = NULL;
    bool open;

    if (!tg_reference_address(param, &address))
        return false;
    open = address == NULL && X509_VERIFY_PARAM_get0_host(param, 0) == NULL;
    for (int i = 0; (name = X509_VERIFY_PARAM_get0_host(param, i)) != NULL; i++)
        open = open || name[0] == '.';
    if (open)
        tg_named_give(peer, sent);
    for (int i = 0; (name = X509_VERIFY_PARAM_get0_host(param, i)) != NULL; i++)
        if (!stands_for(name, sent))
            tg_named_give(peer, name);
    tg_named_give(peer, address);
    OPENSSL_free(address);
    return true;
}

/* Sets in WHOLE what is set in THEIRS (may be NULL). */
static bool inherit(const struct tg_cryptolib *library, X509_VERIFY_PARAM *whole,
                    const X509_VERIFY_PARAM *theirs)
{
    X509_VERIFY_PARAM *ours = NULL;
    bool done;

    if (theirs == NULL)
        return true;
    if (!library->foreign)
        return X509_VERIFY_PARAM_set1(whole, theirs);
    done = (ours = X509_VERIFY_PARAM_new()) != NULL &&
           tg_param_import(&library->crypto, &library->layout, theirs, ours) &&
           X509_VERIFY_PARAM_set1(whole, ours);
    X509_VERIFY_PARAM_free(ours);
    return done;
}

/* As libssl does at each verification: what SSL sets replaces what its store does. Where the store
 * can't be asked, CONTEXT tells later. */
static bool inherit_all(const struct tg_hooked *hooked, SSL *ssl, const X509_STORE_CTX *context,
                        X509_VERIFY_PARAM *whole)
{
    const struct tg_cryptolib *library = hooked->library;
    const struct tg_libcrypto *crypto = &library->crypto;
    X509_STORE *store = context == NULL ? library->backend->store(hooked, ssl) : NULL;

    if (context != NULL)
        return inherit(library, whole, crypto->X509_STORE_CTX_get0_param(context));
    return (store == NULL || crypto->X509_STORE_get0_param == NULL ||
            inherit(library, whole, crypto->X509_STORE_get0_param(store))) &&
           inherit(library, whole, hooked->libssl.SSL_get0_param(ssl));
}

static bool add_names(struct tg_peer *peer, const struct tg_hooked *hooked, SSL *ssl,
                      const X509_STORE_CTX *context, const char *sent)
{
    X509_VERIFY_PARAM *whole = NULL;
    bool added;

    if (context != NULL && !hooked->library->foreign)
        return add_names_in(peer, X509_STORE_CTX_get0_param(context), sent);
    whole = X509_VERIFY_PARAM_new();
    added = whole != NULL && inherit_all(hooked, ssl, context, whole) &&
            add_names_in(peer, whole, sent);
    X509_VERIFY_PARAM_free(whole);
    return added;
}

void tg_named_add(struct tg_peer *peer, const struct tg_hooked *hooked, SSL *ssl,
                  const X509_STORE_CTX *context)
{
    const char *sent = hooked->library->backend->sent_name(hooked, ssl);

    ERR_set_mark();
    if (!add_names(peer, hooked, ssl, context, sent)) {
        peer->unknown = "the names that it is to verify can't be read";
        tg_named_give(peer, sent);
        peer->named = true;
        tg_peer_add(peer, "", 0, 0);
    }
    ERR_pop_to_mark();
}
