#include "chain.h"
#include "input.h"
#include "mem.h"
#include "text.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { LARGEST = 64 << 20 };

static enum tg_chain_state complain(enum tg_chain_state state, struct tg_buf *why,
                                    const char *sentence)
{
    tg_buf_add(why, sentence);
    return state;
}

/* Decodes the LENGTH bytes of DER and nothing behind it, and adds it to CHAIN. */
static enum tg_chain_state add(STACK_OF(X509) *chain, const unsigned char *der, long length,
                               bool trusted, struct tg_buf *why)
{
    const unsigned char *at = der;
    X509 *certificate = trusted ? d2i_X509_AUX(NULL, &at, length) : d2i_X509(NULL, &at, length);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    if (certificate == NULL || at != der + length) {
        tg_buf_printf(why, "certificate %d can't be parsed: %s", sk_X509_num(chain) + 1,
                      certificate != NULL ? "there are bytes behind it"
                      : reason != NULL    ? reason
                                          : "it is malformed");
        X509_free(certificate);
        return TG_CHAIN_MALFORMED;
    }
    if (sk_X509_push(chain, certificate) > 0)
        return TG_CHAIN_READ;
    X509_free(certificate);
    return complain(TG_CHAIN_UNREADABLE, why, tg_no_memory);
}

static bool is_certificate(const char *name)
{
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0 ||
           strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
}

static enum tg_chain_state read_pem(STACK_OF(X509) *chain, BIO *bio, struct tg_buf *why)
{
    enum tg_chain_state state = TG_CHAIN_READ;

    while (state == TG_CHAIN_READ) {
        char *name = NULL, *header = NULL;
        unsigned char *der = NULL;
        long length = 0;

        ERR_clear_error();
        if (!PEM_read_bio(bio, &name, &header, &der, &length)) {
            if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
                break;
            tg_buf_printf(why, "the PEM block behind certificate %d is damaged",
                          sk_X509_num(chain));
            return TG_CHAIN_MALFORMED;
        }
        if (is_certificate(name))
            state = add(chain, der, length, strcmp(name, PEM_STRING_X509_TRUSTED) == 0, why);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    return state;
}

static enum tg_chain_state decode(STACK_OF(X509) *chain, const struct tg_buf *data,
                                  struct tg_buf *why)
{
    enum tg_chain_state state;
    BIO *bio;

    if (data->length > 0 && data->text[0] == 0x30 && /* SEQUENCE: DER */
        memmem(data->text, data->length, "-----BEGIN", 10) == NULL)
        return add(chain, (const unsigned char *)data->text, (long)data->length, false, why);
    bio = BIO_new_mem_buf(data->length > 0 ? data->text : "", (int)data->length);
    if (bio == NULL)
        return complain(TG_CHAIN_UNREADABLE, why, tg_no_memory);
    state = read_pem(chain, bio, why);
    BIO_free(bio);
    if (state == TG_CHAIN_READ && sk_X509_num(chain) == 0)
        return complain(TG_CHAIN_UNREADABLE, why,
                        "holds no certificate, neither in PEM nor in DER");
    return state;
}

enum tg_chain_state tg_chain_read(const char *path, STACK_OF(X509) **out, struct tg_buf *why)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct tg_buf data = {0};
    int error = tg_input_read(path, LARGEST, &data);
    enum tg_chain_state state;

    if (error != 0)
        state = complain(TG_CHAIN_UNREADABLE, why, strerror(error));
    else if (chain == NULL)
        state = complain(TG_CHAIN_UNREADABLE, why, tg_no_memory);
    else
        state = decode(chain, &data, why);
    tg_buf_free(&data);
    ERR_clear_error();
    if (state == TG_CHAIN_READ)
        *out = chain;
    else
        sk_X509_pop_free(chain, X509_free);
    return state;
}
