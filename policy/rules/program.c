/*
 * program.c - the words of a rule's `program` key: which executables they mean, this one too.
 *
 * Globs are matched here and not by fnmatch(3): its outcome depends on the locale that the host
 * process happens to have set, and it may fail for want of memory. `*`, `?` and `[...]` never
 * match a slash; there is no escape character, and no character class inside brackets.
 */
#include "program.h"
#include "text.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* What makes a word a glob. */
#define GLOB "*?["

/* Code points that no text has, for the elements of a glob and for bytes that aren't UTF-8. */
enum { NOT_UTF8 = 0x110000, STAR = 0x200000, ANY_ONE };

/* Globs of more elements than this overlap with everything. */
enum { MOST_ELEMENTS = 1024 };

static uint32_t next_code(const char **text)
{
    uint32_t code = 0;
    size_t step = tg_utf8_decode(*text, strnlen(*text, 4), &code);

    if (step == 0) {
        code = NOT_UTF8 + (unsigned char)**text;
        step = 1;
    }
    *text += step;
    return code;
}

/* The ] that closes the bracket at OPEN; the first character inside is never it. */
static const char *closing(const char *open)
{
    const char *at = open + 1;

    if (*at == '!' || *at == '^')
        at++;
    if (*at != '\0' && *at != '/')
        at++;
    at += strcspn(at, "]/");
    return *at == ']' ? at : NULL;
}

static bool bracket_has(const char *at, const char *close, uint32_t code)
{
    bool negated = *at == '!' || *at == '^', found = false;

    if (negated)
        at++;
    while (at < close) {
        uint32_t first = next_code(&at), last = first;

        if (at + 1 < close && *at == '-') {
            at++;
            last = next_code(&at);
        }
        found = found || (code >= first && code <= last);
    }
    return found != negated;
}

/* Whether the element at *GLOB, which is no star, matches CODE; moves on behind it. */
static bool element_has(const char **glob, uint32_t code)
{
    const char *at = *glob, *close = *at == '[' ? closing(at) : NULL;

    if (close != NULL) {
        *glob = close + 1;
        return code != '/' && bracket_has(at + 1, close, code);
    }
    if (*at == '?') {
        *glob = at + 1;
        return code != '/';
    }
    return next_code(glob) == code;
}

/* No star reaches over a slash, so that only the last one seen ever has to be tried again. */
static bool glob_has(const char *glob, const char *text)
{
    const char *star = NULL, *retry = NULL;

    while (*text != '\0' || *glob != '\0') {
        const char *next = text;
        uint32_t code = *text != '\0' ? next_code(&next) : 0;

        if (*glob == '*') {
            star = ++glob;
            retry = text;
        } else if (*text != '\0' && *glob != '\0' && element_has(&glob, code)) {
            text = next;
        } else if (star != NULL && *retry != '\0' && *retry != '/') {
            next_code(&retry);
            glob = star;
            text = retry;
        } else {
            return false;
        }
    }
    return true;
}

const char *tg_program_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

bool tg_program_is_glob(const char *word)
{
    return strpbrk(word, GLOB) != NULL;
}

bool tg_program_covers(const char *word, const char *program)
{
    const char *meant = strchr(word, '/') != NULL ? program : tg_program_name(program);

    return tg_program_is_glob(word) ? glob_has(word, meant) : strcmp(word, meant) == 0;
}

bool tg_rule_covers_program(const struct tg_rule *rule, const char *program)
{
    if (rule->programs.count == 0)
        return true;
    if (program == NULL)
        return false;
    for (size_t i = 0; i < rule->programs.count; i++)
        if (tg_program_covers(rule->programs.word[i], program))
            return true;
    for (size_t i = 0; i < rule->realpaths.count; i++)
        if (strcmp(rule->realpaths.word[i], program) == 0)
            return true;
    return false;
}

/* A bracket that isn't closed, or has a class such as [:digit:] in it. */
static const char *bracket_fault(const char *word)
{
    const char *open = strchr(word, '['), *close;

    for (; open != NULL; open = strchr(close + 1, '[')) {
        close = closing(open);
        if (close == NULL)
            return "has a [ without its ]: to mean the character itself, write [[]";
        if (memmem(open + 1, (size_t)(close - open), "[:", 2) != NULL)
            return "has a character class, which isn't known: write [0-9] for [[:digit:]]";
    }
    return NULL;
}

const char *tg_program_fault(struct tg_arena *arena, const char *word)
{
    const char *fault = bracket_fault(word);

    if (word[0] == '\0')
        fault = "is no program: write a file's name, its absolute path, or a glob over either";
    else if (word[0] != '/' && strchr(word, '/') != NULL)
        fault = "is a relative path: write a file's name alone, or its path from / on";
    else if (word[strlen(word) - 1] == '/')
        fault = "is a directory: write the path of a program, or end it in /* for all in there";
    else if (strlen(word) >= PATH_MAX)
        fault = "is longer than a path can be";
    return fault != NULL ? tg_arena_sentence(arena, "\"%s\" %s", word, fault) : NULL;
}

/* Returns the number of elements, or 0 if there are none or too many. */
static size_t read_elements(const char *glob, uint32_t element[MOST_ELEMENTS])
{
    size_t count = 0;

    while (*glob != '\0') {
        const char *close = *glob == '[' ? closing(glob) : NULL;

        if (count == MOST_ELEMENTS)
            return 0;
        if (close != NULL || *glob == '*' || *glob == '?') {
            element[count++] = *glob == '*' ? STAR : ANY_ONE;
            glob = close != NULL ? close + 1 : glob + 1;
        } else {
            element[count++] = next_code(&glob);
        }
    }
    return count;
}

/* Given whether the beginnings before each of both elements meet, whether those with them do. */
static bool meets(uint32_t a, uint32_t b, bool before_both, bool before_a, bool before_b)
{
    if (a == STAR || b == STAR)
        return (a == STAR && (before_a || (b != '/' && before_b))) ||
               (b == STAR && (before_b || (a != '/' && before_a)));
    return before_both && (a == b || (a == ANY_ONE && b != '/') || (b == ANY_ONE && a != '/'));
}

/* True if some text is matched by both globs. Brackets count as `?`. */
static bool globs_meet(const char *one, const char *other)
{
    uint32_t a[MOST_ELEMENTS], b[MOST_ELEMENTS];
    size_t rows = read_elements(one, a), columns = read_elements(other, b);
    bool meet[MOST_ELEMENTS + 1] = {true}, diagonal;

    if (rows == 0 || columns == 0)
        return true;
    for (size_t j = 1; j <= columns && b[j - 1] == STAR; j++)
        meet[j] = true;
    for (size_t i = 1; i <= rows; i++) {
        diagonal = meet[0];
        meet[0] = meet[0] && a[i - 1] == STAR;
        for (size_t j = 1; j <= columns; j++) {
            bool above = meet[j];

            meet[j] = meets(a[i - 1], b[j - 1], diagonal, above, meet[j - 1]);
            diagonal = above;
        }
    }
    return meet[columns];
}

/* Most words differ before their first glob character: told without a closer look. */
static bool begin_otherwise(const char *one, const char *other)
{
    size_t plain = strcspn(one, GLOB), other_plain = strcspn(other, GLOB);

    return strncmp(one, other, plain < other_plain ? plain : other_plain) != 0;
}

bool tg_program_overlap(const char *one, const char *other)
{
    bool one_glob, other_glob;

    if (strchr(one, '/') == NULL || strchr(other, '/') == NULL) {
        one = tg_program_name(one);
        other = tg_program_name(other);
    }
    if (begin_otherwise(one, other))
        return false;
    one_glob = tg_program_is_glob(one);
    other_glob = tg_program_is_glob(other);
    if (one_glob && other_glob)
        return globs_meet(one, other);
    if (one_glob || other_glob)
        return one_glob ? glob_has(one, other) : glob_has(other, one);
    return strcmp(one, other) == 0;
}

/*
 * The kernel's word for an executable that was replaced while it runs (proc(5)): the program is
 * still the one that rules name.
 */
static void strip_deleted(char *path)
{
    static const char mark[] = " (deleted)";
    size_t length = strlen(path), marked = sizeof(mark) - 1;

    if (length > marked && strcmp(path + length - marked, mark) == 0)
        path[length - marked] = '\0';
}

/* A script's is its interpreter. */
void tg_program_self(char path[TG_PROGRAM_SIZE])
{
    ssize_t length = readlink("/proc/self/exe", path, TG_PROGRAM_SIZE - 1);
    const char *executed = (const char *)getauxval(AT_EXECFN);

    if (length > 0)
        path[length] = '\0';
    else if (executed == NULL || realpath(executed, path) == NULL)
        path[0] = '\0';
    strip_deleted(path);
}
