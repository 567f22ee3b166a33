#include "write.h"
#include "hash.h"
#include "pin.h"
#include <openssl/err.h>
#include <string.h>

/* As RFC 4514 escapes, in the order encoded; UTF-8 stays, and add_safe sees to the rest. */
#define NAME_FLAGS                                                                                 \
    ((ASN1_STRFLGS_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN |      \
     XN_FLAG_DUMP_UNKNOWN_FIELDS)

/* For a name whose strings don't decode: byte by byte, whatever type they claim. */
#define BYTES_FLAGS                                                                                \
    ((NAME_FLAGS & ~ASN1_STRFLGS_UTF8_CONVERT) | ASN1_STRFLGS_ESC_MSB | ASN1_STRFLGS_IGNORE_TYPE)

/* What a terminal could act upon, and bytes that are no UTF-8, as RFC 4514 section 2.4 has it. */
static void add_escaped(struct tg_buf *buf, const struct tg_piece *piece)
{
    for (size_t i = 0; i < piece->length; i++)
        tg_buf_printf(buf, "\\%02X", (unsigned)(unsigned char)piece->text[i]);
}

static void add_safe(struct tg_buf *buf, const char *text, size_t length)
{
    struct tg_piece piece;
    size_t i;

    for (i = 0; i < length && i < TG_WRITE_NAME_MAX; i += piece.length) {
        piece = tg_utf8_next(text + i, length - i);
        if (piece.kind == TG_PIECE_PLAIN && piece.length > TG_WRITE_NAME_MAX - i)
            piece.length = TG_WRITE_NAME_MAX - i;
        if (piece.kind == TG_PIECE_PLAIN || piece.kind == TG_PIECE_SAFE)
            tg_buf_addn(buf, piece.text, piece.length);
        else
            add_escaped(buf, &piece);
    }
    if (i < length)
        tg_buf_add(buf, "...");
}

void tg_write_name(struct tg_buf *buf, const X509_NAME *name)
{
    BIO *bio = NULL;
    char *text = NULL;
    long length;

    ERR_set_mark();
    bio = BIO_new(BIO_s_mem());
    if (bio == NULL || (X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) < 0 &&
                        (BIO_reset(bio) != 1 || X509_NAME_print_ex(bio, name, 0, BYTES_FLAGS) < 0)))
        buf->failed = true;
    if (!buf->failed) {
        length = BIO_get_mem_data(bio, &text);
        add_safe(buf, text, length > 0 ? (size_t)length : 0);
    }
    BIO_free(bio);
    ERR_pop_to_mark();
}

/* Digit by digit: a line of JSON has seven of them, and printf(3) takes its time. */
static void add_tm(struct tg_buf *buf, const struct tm *utc)
{
    const int year = utc->tm_year + 1900;
    const int pairs[] = {year / 100,   year % 100,  utc->tm_mon + 1, utc->tm_mday,
                         utc->tm_hour, utc->tm_min, utc->tm_sec};
    static const size_t at[] = {0, 2, 5, 8, 11, 14, 17};
    char text[] = "YYYY-MM-DDThh:mm:ssZ";

    if (year < 0 || year > 9999) {
        tg_buf_add(buf, "?");
        return;
    }
    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
        text[at[i]] = (char)('0' + pairs[i] / 10);
        text[at[i] + 1] = (char)('0' + pairs[i] % 10);
    }
    tg_buf_addn(buf, text, sizeof(text) - 1);
}

void tg_write_time(struct tg_buf *buf, time_t when)
{
    struct tm utc;

    if (gmtime_r(&when, &utc) == NULL)
        tg_buf_add(buf, "?");
    else
        add_tm(buf, &utc);
}

void tg_write_time_json(struct tg_buf *buf, time_t when)
{
    tg_buf_add(buf, when != 0 ? "\"" : "null");
    if (when == 0)
        return;
    tg_write_time(buf, when);
    tg_buf_add(buf, "\"");
}

void tg_write_asn1_time(struct tg_buf *buf, const ASN1_TIME *when)
{
    struct tm utc;

    ERR_set_mark();
    if (when == NULL || ASN1_TIME_to_tm(when, &utc) != 1)
        tg_buf_add(buf, "?");
    else
        add_tm(buf, &utc);
    ERR_pop_to_mark();
}

void tg_write_fingerprint(struct tg_buf *buf, const X509 *certificate)
{
    uint8_t digest[TG_SHA256_SIZE];
    char text[TG_HEX_SIZE];

    if (!tg_hash_certificate(certificate, digest)) {
        buf->failed = true;
        return;
    }
    tg_hex_text(digest, text);
    tg_buf_add(buf, "sha256:");
    tg_buf_add(buf, text);
}

void tg_write_pin(struct tg_buf *buf, const X509 *certificate)
{
    uint8_t digest[TG_SHA256_SIZE];
    char text[TG_PIN_SIZE];

    if (!tg_hash_spki(certificate, digest)) {
        buf->failed = true;
        return;
    }
    tg_pin_text(digest, text);
    tg_buf_add(buf, text);
}

void tg_write_endpoint(struct tg_buf *buf, const char *host, unsigned port)
{
    bool bracket = host != NULL && port != 0 && strchr(host, ':') != NULL;

    if (host == NULL)
        host = "unknown host";
    tg_buf_add(buf, bracket ? "[" : "");
    tg_buf_escape(buf, host, strlen(host));
    tg_buf_add(buf, bracket ? "]" : "");
    if (port != 0)
        tg_buf_printf(buf, ":%u", port);
}
