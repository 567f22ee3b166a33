/* pin.h - how the digests of keys (pins) and of certificates (fingerprints) are spelled. */
#ifndef TG_PIN_H
#define TG_PIN_H

#include "hash.h"
#include "mem.h"

#define TG_PIN_SIZE 52                       /* "sha256/", 44 characters of base64, NUL */
#define TG_HEX_SIZE (2 * TG_SHA256_SIZE + 1) /* with its NUL */

/* "sha256/BASE64". */
void tg_pin_text(const uint8_t digest[TG_SHA256_SIZE], char out[TG_PIN_SIZE]);
/* 64 lower-case hex digits. */
void tg_hex_text(const uint8_t digest[TG_SHA256_SIZE], char out[TG_HEX_SIZE]);

/*
 * The next return NULL, or a sentence, static or ARENA's, that says what was found in WORD and what
 * would be accepted; OUT is untouched then.
 *
 * "sha256/BASE64" of 32 bytes, padded; strict: no white space, no trailing bits.
 */
TG_MUST_USE const char *tg_pin_read(struct tg_arena *arena, const char *word,
                                    uint8_t out[TG_SHA256_SIZE]);
/* "sha256:HEX" of 32 bytes, in either case, with optional colons between bytes. */
TG_MUST_USE const char *tg_fingerprint_read(struct tg_arena *arena, const char *word,
                                            uint8_t out[TG_SHA256_SIZE]);

#endif
