/* mem.h - an arena for what lives as long as a policy, and a growing text buffer. */
#ifndef TG_MEM_H
#define TG_MEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_arena;
struct tg_arena *tg_arena_new(void);        /* NULL: no memory */
void tg_arena_free(struct tg_arena *arena); /* NULL is fine */
/* SIZE zeroed bytes aligned for any type, or NULL. Live until the arena is freed. */
void *tg_arena_alloc(struct tg_arena *arena, size_t size);
char *tg_arena_strndup(struct tg_arena *arena, const char *text, size_t length);
/* A formatted sentence. Where memory ran out, a static one that says so: never NULL. */
__attribute__((format(printf, 2, 3))) const char *tg_arena_sentence(struct tg_arena *arena,
                                                                    const char *format, ...);

/*
 * The length in bytes of the UTF-8 character at TEXT, of which LENGTH > 0 bytes can be read,
 * with its value in *CODE; 0 if it isn't valid (overlong, surrogate, cut off, above U+10FFFF).
 */
size_t tg_utf8_decode(const char *text, size_t length, uint32_t *code);
/* True if CODE moves the cursor or reorders text on a terminal: controls, line separators,
 * and the bidirectional formatting characters. */
bool tg_utf8_unsafe(uint32_t code);

/* How many of the LENGTH bytes at TEXT, from the first, are ASCII that no writer escapes. */
size_t tg_utf8_plain(const char *text, size_t length);

/*
 * Zero-initialise; append; check `failed` once at the end (it is sticky). Text is always
 * NUL-terminated once something was appended.
 */
struct tg_buf {
    char *text;
    size_t length, capacity;
    bool failed;
};
void tg_buf_add(struct tg_buf *buf, const char *text);
void tg_buf_addn(struct tg_buf *buf, const char *text, size_t length);
__attribute__((format(printf, 2, 3))) void tg_buf_printf(struct tg_buf *buf, const char *format,
                                                         ...);
__attribute__((format(printf, 2, 0))) void tg_buf_vprintf(struct tg_buf *buf, const char *format,
                                                          va_list args);
/* Bytes of a hostile origin: controls, invalid UTF-8, DEL and backslashes as \xHH. */
void tg_buf_escape(struct tg_buf *buf, const char *text, size_t length);
/* A JSON string with its quotes; invalid UTF-8 becomes U+FFFD. NULL becomes null. */
void tg_buf_json(struct tg_buf *buf, const char *text);
/* Hands the text over (free() it), or NULL if `failed`; the buffer is empty again. */
char *tg_buf_take(struct tg_buf *buf);
void tg_buf_free(struct tg_buf *buf);

#endif
