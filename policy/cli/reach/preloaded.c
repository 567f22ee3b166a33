#include "preloaded.h"
#include "environment.h"
#include "input.h"
#include "libc.h"
#include "text.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "libtrustgraft-preload.so"
#define ENDS " \t\r\n:" /* of a word, see ld.so(8) */

enum { LARGEST = 1 << 20 };

bool tg_preloaded_next(const char **at, struct tg_preloaded *out)
{
    const char *text = *at;

    while (*(text += strspn(text, ENDS)) == '#')
        text += strcspn(text, "\n");
    *out = (struct tg_preloaded){text, strcspn(text, ENDS "#")};
    *at = text + out->length;
    return out->length > 0;
}

bool tg_preloaded_is_ours(const struct tg_preloaded *word)
{
    const char *slash = memrchr(word->word, '/', word->length);
    const char *name = slash != NULL ? slash + 1 : word->word;

    return word->length - (size_t)(name - word->word) == strlen(NAME) &&
           strncmp(name, NAME, strlen(NAME)) == 0;
}

bool tg_preloaded_complains(const char *text, const char *library)
{
    struct tg_buf wanted = {0};
    const char *line = NULL;
    bool found;

    tg_buf_printf(&wanted, "object '%s' from ", library);
    line = wanted.failed || text == NULL ? text : strstr(text, wanted.text);
    found = line != NULL && strstr(line, "cannot be preloaded") != NULL;
    tg_buf_free(&wanted);
    return found;
}

/* ---- what is on ---------------------------------------------------------------------------- */

/* The path of WORD, or "" where ld.so has to search for it, or it is too long for one. */
static void path_of(const struct tg_preloaded *word, char out[PATH_MAX])
{
    out[0] = '\0';
    if (memchr(word->word, '/', word->length) != NULL &&
        memchr(word->word, '$', word->length) == NULL && word->length < PATH_MAX)
        snprintf(out, PATH_MAX, "%.*s", (int)word->length, word->word);
}

static bool is_same(const char *path, const char *other)
{
    struct stat one, two;

    return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

bool tg_preloaded_is_on(void)
{
    struct tg_buf text = {0};
    char own[PATH_MAX], path[PATH_MAX];
    struct tg_preloaded word;
    const char *at;
    bool on = false;

    if (TG_LIBC_PRELOAD_FILE && tg_input_read(TG_PRELOADED_FILE, LARGEST, &text) == 0 &&
        text.text != NULL && tg_environment_find(TG_OWN_PRELOAD, own))
        for (at = text.text; !on && tg_preloaded_next(&at, &word);) {
            path_of(&word, path);
            on = path[0] != '\0' && is_same(path, own);
        }
    tg_buf_free(&text);
    return on;
}

/* ---- what is told -------------------------------------------------------------------------- */

static void note(struct tg_health *health, enum tg_health_state state, const char *what,
                 const char *path, const char *then)
{
    tg_health_note(health, state, "all programs", TG_PRELOADED_FILE " names %s%s%s", path, what,
                   then);
}

static void tell_word(struct tg_health *health, const struct tg_preloaded *word)
{
    char path[PATH_MAX], own[PATH_MAX];
    bool ours = tg_preloaded_is_ours(word);

    path_of(word, path);
    if (path[0] == '\0') {
        if (ours)
            tg_health_note(health, TG_HEALTH_NOTE, "all programs",
                           TG_PRELOADED_FILE " names %.*s, which ld.so searches for: a path would "
                                             "tell which library that is",
                           (int)word->length, word->word);
    } else if (access(path, F_OK) == -1) {
        note(health, TG_HEALTH_BAD,
             errno == ENOENT || errno == ENOTDIR ? ", which isn't there" : ", which can't be read",
             path,
             ours ? ": every program that starts prints an error of ld.so, and isn't under the "
                    "policy; 'trustgraft disable --preload' takes it away"
                  : ": every program that starts prints an error of ld.so; take that line out");
    } else if (ours && tg_environment_find(TG_OWN_PRELOAD, own) && is_same(path, own)) {
        note(health, TG_HEALTH_GOOD, "", path,
             ": every program that starts is under the policy, set-uid ones too; not those that "
             "are linked statically or built for another C library or word size, nor those with "
             "an /etc of their own, as in containers");
    } else if (ours) {
        note(health, TG_HEALTH_NOTE, "", path,
             ", which is another trustgraft's than this command's: 'trustgraft enable --preload' "
             "puts this one's in its place");
    }
}

void tg_preloaded_check(struct tg_health *health)
{
    struct tg_buf text = {0};
    struct tg_preloaded word;
    struct stat status;
    const char *at;
    int error = TG_LIBC_PRELOAD_FILE ? tg_input_read(TG_PRELOADED_FILE, LARGEST, &text) : ENOENT;

    if (error != 0 && error != ENOENT)
        tg_health_note(health, TG_HEALTH_NOTE, "all programs", TG_PRELOADED_FILE ": %s",
                       strerror(error));
    if (error == 0 && stat(TG_PRELOADED_FILE, &status) == 0 &&
        (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0))
        tg_health_note(health, TG_HEALTH_BAD, "all programs",
                       "others than root can write " TG_PRELOADED_FILE
                       ": they can put what they like into every program, root's too");
    for (at = error == 0 ? text.text : NULL; at != NULL && tg_preloaded_next(&at, &word);)
        tell_word(health, &word);
    tg_buf_free(&text);
}
