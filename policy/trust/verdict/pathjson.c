#include "pathjson.h"
#include "hash.h"
#include "pin.h"
#include "write.h"
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MEMO_SIZE = 16, MEMO_MAX_DER = 8192 };

/*
 * The same few authorities stand in nearly every path, and most servers come again: to hash and
 * print a certificate is most of what a line costs. A leaf is known by its digest alone: an
 * application may change its own in memory.
 */
struct memo {
    uint8_t digest[TG_SHA256_SIZE]; /* of a leaf */
    X509 *authority;                /* a reference; NULL: a leaf */
    char *json;
};

static struct memo memos[2][MEMO_SIZE]; /* servers' own, which may be new each time; others */
static size_t next[2];
/* Only ever tried: whatever thread held it when a process forked, nobody waits for it. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

/* X509_cmp(3) compares what is signed, byte by byte, and a digest of all. */
static bool is(const struct memo *memo, const X509 *certificate, const uint8_t *digest)
{
    if (memo->json == NULL)
        return false;
    return digest != NULL ? memcmp(memo->digest, digest, TG_SHA256_SIZE) == 0
                          : X509_cmp(memo->authority, certificate) == 0;
}

/* DIGEST is a leaf's, or NULL for an authority. */
static bool recall(struct tg_buf *buf, const X509 *certificate, const uint8_t *digest)
{
    const struct memo *memo = memos[digest == NULL];
    bool found = false;

    if (pthread_mutex_trylock(&busy) != 0)
        return false;
    for (size_t i = 0; !found && i < MEMO_SIZE; i++) {
        found = is(&memo[i], certificate, digest);
        if (found)
            tg_buf_add(buf, memo[i].json);
    }
    pthread_mutex_unlock(&busy);
    return found;
}

/* Takes JSON. */
static void keep(X509 *certificate, const uint8_t *digest, char *json)
{
    struct memo memo = {.json = json};

    if (digest != NULL)
        memcpy(memo.digest, digest, TG_SHA256_SIZE);
    else if (X509_up_ref(certificate))
        memo.authority = certificate;
    if ((digest != NULL || memo.authority != NULL) && i2d_X509(certificate, NULL) <= MEMO_MAX_DER &&
        pthread_mutex_trylock(&busy) == 0) {
        struct memo *at = &memos[digest == NULL][next[digest == NULL]++ % MEMO_SIZE], old = *at;

        *at = memo;
        memo = old;
        pthread_mutex_unlock(&busy);
    }
    X509_free(memo.authority);
    free(memo.json);
}

static void add_name(struct tg_buf *buf, const X509_NAME *name)
{
    struct tg_buf text = {0};
    char *whole;

    tg_write_name(&text, name);
    whole = tg_buf_take(&text);
    if (whole == NULL)
        buf->failed = true;
    tg_buf_json(buf, whole);
    free(whole);
}

static void add_date(struct tg_buf *buf, const char *key, const ASN1_TIME *when)
{
    struct tg_buf text = {0};

    tg_write_asn1_time(&text, when);
    if (text.failed)
        buf->failed = true;
    else if (strcmp(text.text, "?") == 0)
        tg_buf_printf(buf, ",\"%s\":null", key);
    else
        tg_buf_printf(buf, ",\"%s\":\"%s\"", key, text.text);
    tg_buf_free(&text);
}

/* DIGEST is the certificate's, ISSUER begins with its issuer's name in JSON; NULL: unknown. */
static void add_certificate(struct tg_buf *buf, const X509 *certificate, const uint8_t *digest,
                            const char *issuer)
{
    uint8_t computed[TG_SHA256_SIZE];
    char hex[TG_HEX_SIZE];

    if (digest == NULL && !tg_hash_certificate(certificate, computed)) {
        buf->failed = true;
        return;
    }
    tg_hex_text(digest != NULL ? digest : computed, hex);
    tg_buf_add(buf, "{\"subject\":");
    add_name(buf, X509_get_subject_name(certificate));
    tg_buf_add(buf, ",\"issuer\":");
    if (issuer != NULL) /* no quote stands in a string but as \\u0022 */
        tg_buf_addn(buf, issuer, strcspn(issuer + 1, "\"") + 2);
    else
        add_name(buf, X509_get_issuer_name(certificate));
    add_date(buf, "not_before", X509_get0_notBefore(certificate));
    add_date(buf, "not_after", X509_get0_notAfter(certificate));
    tg_buf_add(buf, ",\"sha256\":\"");
    tg_buf_add(buf, hex);
    tg_buf_add(buf, "\",\"spki\":\"");
    tg_write_pin(buf, certificate);
    tg_buf_add(buf, "\"}");
}

void tg_pathjson_certificate(struct tg_buf *buf, const X509 *certificate)
{
    add_certificate(buf, certificate, NULL, NULL);
}

static void add_known(struct tg_buf *buf, X509 *certificate, const uint8_t *digest,
                      const char *issuer)
{
    struct tg_buf text = {0};
    char *json;

    if (recall(buf, certificate, digest))
        return;
    add_certificate(&text, certificate, digest, issuer);
    json = tg_buf_take(&text);
    if (json == NULL)
        buf->failed = true;
    else
        tg_buf_add(buf, json);
    keep(certificate, digest, json);
}

/* True if the issuer of CERTIFICATE reads as the subject of ISSUER. */
static bool named_alike(const X509 *certificate, const X509 *issuer)
{
    const unsigned char *a = NULL, *b = NULL;
    size_t a_length = 0, b_length = 0;

    return issuer != NULL && X509_NAME_get0_der(X509_get_issuer_name(certificate), &a, &a_length) &&
           X509_NAME_get0_der(X509_get_subject_name(issuer), &b, &b_length) &&
           a_length == b_length && memcmp(a, b, a_length) == 0;
}

static void add_leaf(struct tg_buf *buf, const struct tg_verdict *verdict,
                     const struct tg_buf *authorities)
{
    static const char before[] = ",{\"subject\":";
    X509 *leaf = sk_X509_value(verdict->path, 0);
    bool alike = !authorities->failed && named_alike(leaf, sk_X509_value(verdict->path, 1));
    uint8_t digest[TG_SHA256_SIZE];

    if (!verdict->leaf_digested && !tg_hash_certificate(leaf, digest)) {
        buf->failed = true;
        return;
    }
    add_known(buf, leaf, verdict->leaf_digested ? verdict->leaf_digest : digest,
              alike ? authorities->text + sizeof(before) - 1 : NULL);
}

void tg_pathjson_path(struct tg_buf *buf, const struct tg_verdict *verdict)
{
    struct tg_buf authorities = {0};

    ERR_set_mark();
    tg_buf_expect(&authorities, sk_X509_num(verdict->path) > 1 ? 1000 : 0);
    for (int i = 1; i < sk_X509_num(verdict->path); i++) {
        tg_buf_add(&authorities, ",");
        add_known(&authorities, sk_X509_value(verdict->path, i), NULL, NULL);
    }
    tg_buf_add(buf, "[");
    if (sk_X509_num(verdict->path) > 0)
        add_leaf(buf, verdict, &authorities);
    if (authorities.length > 0)
        tg_buf_addn(buf, authorities.text, authorities.length);
    tg_buf_add(buf, "]");
    buf->failed = buf->failed || authorities.failed;
    tg_buf_free(&authorities);
    ERR_pop_to_mark();
}
