#include "request.h"
#include "input.h"
#include "mem.h"
#include "terminal.h"
#include "text.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { LARGEST = 1 << 18, RSA_LEAST = 2048, RSA_MOST = 8192 };

static X509_REQ *parse(const struct tg_buf *data)
{
    const unsigned char *at = (const unsigned char *)data->text, *end = at + data->length;
    BIO *bio = BIO_new_mem_buf(data->text, (int)data->length);
    X509_REQ *request = bio != NULL ? PEM_read_bio_X509_REQ(bio, NULL, NULL, (void *)"") : NULL;

    if (request == NULL) {
        request = d2i_X509_REQ(NULL, &at, (long)data->length);
        if (request != NULL && at != end) {
            X509_REQ_free(request);
            request = NULL;
        }
    }
    BIO_free(bio);
    return request;
}

/* Why no certificate should be made for KEY; NULL: it's a good one. */
static const char *weakness(EVP_PKEY *key)
{
    static const char *const curves[] = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};
    char group[64] = "";

    if (EVP_PKEY_is_a(key, "ED25519"))
        return NULL;
    if (EVP_PKEY_is_a(key, "RSA"))
        return EVP_PKEY_get_bits(key) >= RSA_LEAST && EVP_PKEY_get_bits(key) <= RSA_MOST
                   ? NULL
                   : "its RSA key has fewer than 2048 bits, or more than 8192";
    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
        return "its key is none of RSA, ECDSA and Ed25519";
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(group, curves[i]) == 0)
            return NULL;
    return "its key is on another curve than P-256, P-384 and P-521, which few clients know";
}

/* Who holds the private key has signed the request: RFC 2986 section 3, note 2. */
static const char *fault(X509_REQ *request)
{
    EVP_PKEY *key = request != NULL ? X509_REQ_get0_pubkey(request) : NULL;
    const char *weak;

    if (request == NULL)
        return "holds no certificate request (PKCS#10), in PEM or DER";
    if (key == NULL)
        return "its key is of no kind that libcrypto knows";
    weak = weakness(key);
    if (weak != NULL)
        return weak;
    return X509_REQ_verify(request, key) == 1 ? NULL
                                              : "its signature isn't that of its key: whoever made "
                                                "it doesn't have that key, or it "
                                                "was changed on its way";
}

/* The names that it asks for; more than one such extension would be read in two ways. */
static bool take_names(X509_REQ *request, const char *path, struct tg_altnames *names)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    int critical = 0;
    GENERAL_NAMES *asked = X509V3_get_d2i(extensions, NID_subject_alt_name, &critical, NULL);
    bool taken = false;

    /* -1: it has none; else what is there is malformed, or there twice. */
    if (asked == NULL && extensions != NULL && critical != -1)
        tg_complain("%s: the names it asks for can't be read", path);
    else
        taken = tg_altnames_take(names, asked, path);
    GENERAL_NAMES_free(asked);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return taken;
}

bool tg_request_read(const char *path, EVP_PKEY **key, struct tg_altnames *names)
{
    struct tg_buf data = {0};
    int error = tg_input_read(path, LARGEST, &data);
    X509_REQ *request = error == 0 && data.text != NULL ? parse(&data) : NULL;
    const char *wrong = error != 0 ? strerror(error) : fault(request);
    bool read = false;

    if (wrong != NULL) {
        tg_complain("%s: %s", path, wrong);
    } else if (take_names(request, path, names)) {
        *key = X509_REQ_get_pubkey(request);
        read = *key != NULL;
        if (!read)
            tg_complain("%s: %s", path, tg_no_memory);
    }
    X509_REQ_free(request);
    tg_buf_free(&data);
    ERR_clear_error();
    return read;
}
