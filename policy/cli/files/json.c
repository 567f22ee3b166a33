#include "json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Behind the white space that TEXT begins with. */
static const char *skip(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

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

/* Behind the digits at TEXT (may be NULL), of which there has to be one. */
static const char *behind_digits(const char *text)
{
    size_t length = text != NULL ? strspn(text, "0123456789") : 0;

    return length > 0 ? text + length : NULL;
}

static const char *behind_number(const char *text)
{
    const char *end;

    text += *text == '-';
    end = behind_digits(text);
    if (end != NULL && *text == '0' && end > text + 1)
        return NULL;
    if (end != NULL && *end == '.')
        end = behind_digits(end + 1);
    if (end != NULL && (*end == 'e' || *end == 'E'))
        end = behind_digits(end + 1 + (end[1] == '+' || end[1] == '-'));
    return end;
}

/* A number, or one of the three words. */
static const char *behind_word(const char *text)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return text + strlen(words[i]);
    return behind_number(text);
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

/* Behind the name of a member and its colon. */
static const char *behind_name(const char *text)
{
    text = *text == '"' ? behind_text(text) : NULL;
    if (text == NULL || *skip(text) != ':')
        return NULL;
    return skip(skip(text) + 1);
}

/* Behind an object or a list, which ends with END. */
static const char *behind_members(const char *text, char end, unsigned depth)
{
    if (depth > DEEPEST)
        return NULL;
    if (*skip(text + 1) == end)
        return skip(text + 1) + 1;
    do {
        text = skip(text + 1);
        if (end == '}')
            text = behind_name(text);
        if (text != NULL)
            text = behind_any(text, depth + 1);
        if (text != NULL)
            text = skip(text);
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
    const char *end = *skip(text) == '{' ? behind_members(skip(text), '}', 0) : NULL;

    return end != NULL && *skip(end) == '\0';
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

/* The value of the member that the brace or comma at AT stands before, with its name, in quotes, at
 * *NAME; NULL: there is none. */
static const char *read_member(const char *at, const char **name)
{
    const char *end;

    if (at == NULL || (*at != '{' && *at != ','))
        return NULL;
    *name = skip(at + 1);
    end = **name == '"' ? behind_string(*name) : NULL;
    return end != NULL && *skip(end) == ':' ? skip(skip(end) + 1) : NULL;
}

const char *tg_json_member(const char *text, const char *name)
{
    const char *found, *value = text != NULL ? read_member(skip(text), &found) : NULL;
    size_t length = strlen(name);

    while (value != NULL && !(strncmp(found + 1, name, length) == 0 && found[length + 1] == '"'))
        value = read_member(behind_value(value), &found);
    return value;
}

static const char *named(const char *at, struct tg_buf *name)
{
    const char *found, *value = read_member(at, &found);

    name->length = 0;
    return value != NULL && tg_json_string(found, name) ? value : NULL;
}

const char *tg_json_first(const char *object, struct tg_buf *name)
{
    return *object == '{' ? named(object, name) : NULL;
}

const char *tg_json_after(const char *value, struct tg_buf *name)
{
    return named(behind_value(value), name);
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
    at = skip(at + 1);
    return *at != ']' ? at : NULL;
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
