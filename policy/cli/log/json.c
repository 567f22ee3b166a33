#include "json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Behind the string that TEXT begins with; NULL where it doesn't end. */
static const char *behind_string(const char *text)
{
    for (text++; *text != '"'; text++) {
        if (*text == '\\')
            text++;
        if (*text == '\0')
            return NULL;
    }
    return text + 1;
}

/* ---- is it JSON ---- */

enum { DEEPEST = 8 };

static const char *behind_any(const char *text, unsigned depth);

/* Digits, and what may stand between them; or one of the three words. */
static const char *behind_word(const char *text)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t length = strspn(text, "0123456789");

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return text + strlen(words[i]);
    return length > 0 && (length == 1 || *text != '0') ? text + length : NULL;
}

static const char *behind_text(const char *text)
{
    for (text++; *text != '"'; text++) {
        if ((unsigned char)*text < ' ')
            return NULL;
        if (*text != '\\')
            continue;
        if (*++text == 'u' && strspn(text + 1, "0123456789abcdefABCDEF") >= 4)
            text += 4;
        else if (*text == '\0' || strchr("\"\\/bfnrt", *text) == NULL)
            return NULL;
    }
    return text + 1;
}

/* Behind an object or a list, which ends with END. */
static const char *behind_members(const char *text, char end, unsigned depth)
{
    if (depth > DEEPEST)
        return NULL;
    if (text[1] == end)
        return text + 2;
    do {
        text++;
        if (end == '}') {
            text = *text == '"' ? behind_text(text) : NULL;
            if (text == NULL || *text++ != ':')
                return NULL;
        }
        text = behind_any(text, depth + 1);
    } while (text != NULL && *text == ',');
    return text != NULL && *text == end ? text + 1 : NULL;
}

static const char *behind_any(const char *text, unsigned depth)
{
    if (*text == '{' || *text == '[')
        return behind_members(text, *text == '{' ? '}' : ']', depth);
    return *text == '"' ? behind_text(text) : behind_word(text);
}

bool tg_json_is(const char *text)
{
    const char *end = *text == '{' ? behind_members(text, '}', 0) : NULL;

    return end != NULL && *end == '\0';
}

/* ---- what is in it ---- */

/* Behind the value that TEXT begins with: a comma, or the end of what it is in. */
static const char *behind_value(const char *text)
{
    unsigned depth = 0;

    while (text != NULL && *text != '\0') {
        if (depth == 0 && strchr(",]}", *text) != NULL)
            return text;
        if (*text == '"') {
            text = behind_string(text);
            continue;
        }
        depth += *text == '{' || *text == '[';
        depth -= *text == '}' || *text == ']';
        text++;
    }
    return NULL;
}

const char *tg_json_member(const char *text, const char *name)
{
    size_t length = strlen(name);

    while (text != NULL && (*text == '{' || *text == ',')) {
        const char *end = *++text == '"' ? behind_string(text) : NULL;

        if (end == NULL || *end != ':')
            return NULL;
        if ((size_t)(end - text) == length + 2 && memcmp(text + 1, name, length) == 0)
            return end + 1;
        text = behind_value(end + 1);
    }
    return NULL;
}

const char *tg_json_next(const char *list)
{
    const char *at = list;

    if (at == NULL || *at == '\0')
        return NULL;
    if (*at != '[') {
        at = behind_value(at);
        if (at == NULL || *at != ',')
            return NULL;
    }
    return *++at != ']' ? at : NULL;
}

static void add_character(struct tg_buf *out, unsigned long code)
{
    char text[4];
    size_t length = 0;

    if (code < 0x80)
        text[length++] = (char)code;
    else if (code < 0x800)
        text[length++] = (char)(0xC0 | code >> 6);
    else
        text[length++] = (char)(0xE0 | code >> 12);
    if (code >= 0x800)
        text[length++] = (char)(0x80 | (code >> 6 & 0x3F));
    if (code >= 0x80)
        text[length++] = (char)(0x80 | (code & 0x3F));
    tg_buf_addn(out, text, length);
}

/* \uXXXX, as is written for controls alone: surrogates don't come. Returns what is behind it. */
static const char *add_code(struct tg_buf *out, const char *digits)
{
    char hex[5] = "";

    strncpy(hex, digits, sizeof(hex) - 1);
    if (strspn(hex, "0123456789abcdefABCDEF") != sizeof(hex) - 1)
        return digits;
    add_character(out, strtoul(hex, NULL, 16));
    return digits + sizeof(hex) - 1;
}

bool tg_json_string(const char *value, struct tg_buf *out)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *end = value != NULL && *value == '"' ? behind_string(value) : NULL, *letter;

    if (end == NULL)
        return false;
    for (value++; value < end - 1;) {
        size_t plain = strcspn(value, "\\\"");

        tg_buf_addn(out, value, plain);
        value += plain;
        if (*value != '\\')
            break;
        value += 2;
        if (value[-1] == 'u') {
            value = add_code(out, value);
            continue;
        }
        letter = strchr(letters, value[-1]);
        tg_buf_addn(out, letter != NULL ? &meant[letter - letters] : &value[-1], 1);
    }
    tg_buf_add(out, "");
    return !out->failed;
}

unsigned long tg_json_number(const char *value, unsigned long most)
{
    unsigned long number;

    if (value == NULL || strspn(value, "0123456789") == 0)
        return 0;
    errno = 0;
    number = strtoul(value, NULL, 10);
    return errno == 0 && number <= most ? number : 0;
}
