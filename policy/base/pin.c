#include "pin.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

void tg_pin_text(const uint8_t digest[TG_SHA256_SIZE], char out[TG_PIN_SIZE])
{
    memcpy(out, "sha256/", 7);
    EVP_EncodeBlock((unsigned char *)out + 7, digest, TG_SHA256_SIZE);
}

void tg_hex_text(const uint8_t digest[TG_SHA256_SIZE], char out[TG_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < TG_SHA256_SIZE; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[TG_HEX_SIZE - 1] = '\0';
}

/*
 * 32 bytes are 43 base64 characters and one "=". EVP_DecodeBlock skips white space at both
 * ends and takes bits that no byte owns, so that one digest had several spellings: what it
 * makes of WORD has to read as WORD again.
 */
const char *tg_pin_read(struct tg_arena *arena, const char *word, uint8_t out[TG_SHA256_SIZE])
{
    unsigned char digest[33], again[45];
    const char *base64 = word + 7;

    if (strncmp(word, "sha256/", 7) == 0 && strlen(base64) == 44 &&
        EVP_DecodeBlock(digest, (const unsigned char *)base64, 44) == 33 &&
        EVP_EncodeBlock(again, digest, TG_SHA256_SIZE) == 44 && memcmp(again, base64, 44) == 0) {
        memcpy(out, digest, TG_SHA256_SIZE);
        return NULL;
    }
    /* A digest may begin with a slash too: then there are 44 characters. */
    if (strncmp(word, "sha256//", 8) == 0 && strlen(base64) != 44)
        return tg_arena_sentence(
            arena,
            "\"%s\" has curl's form, which has one slash too many%s: write sha256/ and the 44 "
            "base64 characters of a SHA-256 digest",
            word, strchr(word, ';') != NULL ? ", and semicolons where commas belong" : "");
    return tg_arena_sentence(
        arena, "\"%s\" is not sha256/ and the 44 base64 characters of a SHA-256 digest", word);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

/* HEX's 32 bytes, with a colon between all or none; false if it's anything else. */
static bool scan_digest(const char *hex, uint8_t out[TG_SHA256_SIZE])
{
    bool colons = hex_digit(hex[0]) >= 0 && hex_digit(hex[1]) >= 0 && hex[2] == ':';

    for (size_t i = 0; i < TG_SHA256_SIZE; i++) {
        int high, low;

        if (colons && i > 0 && *hex++ != ':')
            return false;
        high = hex_digit(hex[0]);
        low = high < 0 ? -1 : hex_digit(hex[1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        hex += 2;
    }
    return *hex == '\0';
}

const char *tg_fingerprint_read(struct tg_arena *arena, const char *word,
                                uint8_t out[TG_SHA256_SIZE])
{
    uint8_t digest[TG_SHA256_SIZE];

    if (strncmp(word, "sha256:", 7) != 0 || !scan_digest(word + 7, digest))
        return tg_arena_sentence(
            arena, "\"%s\" is not sha256: and the 64 hexadecimal digits of a SHA-256 digest", word);
    memcpy(out, digest, TG_SHA256_SIZE);
    return NULL;
}
