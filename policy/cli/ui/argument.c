#include "argument.h"
#include "pattern.h"
#include "terminal.h"
#include "text.h"
#include "url.h"
#include "value.h"
#include <errno.h>
#include <openssl/tls1.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool tg_argument_host(const char *word, struct tg_endpoint *out, struct tg_buf *why)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_buf endpoint = {0};
    const char *wrong = arena == NULL ? tg_no_memory : NULL;
    size_t column = 0;
    bool right = wrong == NULL;

    if (right && tg_url_is(word)) {
        right = tg_url_endpoint(word, &endpoint, why);
        word = tg_why(&endpoint);
    }
    if (right)
        wrong = tg_host_read(arena, word, out->host, &out->port, &column);
    if (wrong != NULL)
        tg_buf_add(why, wrong); /* it quotes WORD */
    tg_arena_free(arena);
    tg_buf_free(&endpoint);
    return right && wrong == NULL;
}

bool tg_argument_endpoint(const char *word, struct tg_endpoint *out)
{
    struct tg_buf why = {0};
    bool is_endpoint = tg_argument_host(word, out, &why);

    if (!is_endpoint)
        tg_complain("%s", tg_why(&why));
    tg_buf_free(&why);
    return is_endpoint;
}

const char *tg_argument_for(const char *lacking, const char *host_port)
{
    return strcmp(lacking, "port") == 0 ? host_port : "--program PATH";
}

void tg_argument_quote(struct tg_buf *out, const char *word)
{
    tg_buf_add(out, "\"");
    for (; *word != '\0'; word++)
        tg_buf_printf(out, "%s%c", *word == '"' || *word == '\\' ? "\\" : "", *word);
    tg_buf_add(out, "\"");
}

void tg_argument_shell(struct tg_buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";

    if (*word != '\0' && strspn(word, plain) == strlen(word)) {
        tg_buf_add(out, word);
        return;
    }
    tg_buf_add(out, "'");
    for (; *word != '\0'; word++)
        tg_buf_printf(out, *word == '\'' ? "'\\''" : "%c", *word);
    tg_buf_add(out, "'");
}

bool tg_argument_absolute(const char *path, char out[PATH_MAX])
{
    char *directory = path[0] == '/' ? NULL : getcwd(NULL, 0);
    int length = -1;

    if (path[0] == '/' || directory != NULL)
        length = snprintf(out, PATH_MAX, "%s%s%s", directory != NULL ? directory : "",
                          directory != NULL ? "/" : "", path);
    free(directory);
    if (length >= 0 && length < PATH_MAX)
        return true;
    tg_complain("%s: the path is too long", path);
    return false;
}

bool tg_argument_nameable(const char *path)
{
    struct tg_piece bad;

    if (tg_utf8_clean(path, strlen(path), &bad) && strchr(path, '\t') == NULL)
        return true;
    tg_complain("%s: a policy can't name this: the path has control characters, or isn't UTF-8",
                path);
    return false;
}

static bool is_number(const char *word)
{
    return *word != '\0' && strspn(word, "0123456789") == strlen(word);
}

bool tg_argument_time(const char *word, time_t *out)
{
    struct tg_arena *arena = tg_arena_new();
    const char *wrong = arena == NULL ? tg_no_memory : NULL;

    if (wrong == NULL && is_number(word)) {
        errno = 0;
        *out = (time_t)strtoll(word, NULL, 10);
        /* Behind the year 9999 no certificate has a date, and RFC 3339 no text. */
        wrong = errno != 0 || *out < 1 || *out > 253402300799
                    ? "the time is not between 1970 and the year 9999"
                    : NULL;
    } else if (wrong == NULL) {
        wrong = tg_value_time(arena, word, out);
    }
    if (wrong != NULL)
        tg_complain("--time: %s%s", wrong, is_number(word) ? "" : ", nor seconds since 1970");
    tg_arena_free(arena);
    return wrong == NULL;
}

bool tg_argument_tls(const char *word, int *out)
{
    if (strcmp(word, "1.2") != 0 && strcmp(word, "1.3") != 0) {
        tg_complain("--tls: '%s' isn't a version that is evaluated: 1.2 or 1.3", word);
        return false;
    }
    *out = word[2] == '2' ? TLS1_2_VERSION : TLS1_3_VERSION;
    return true;
}

bool tg_argument_number(const char *word, int least, int most, int *out)
{
    long number = is_number(word) && strlen(word) < 10 ? strtol(word, NULL, 10) : -1;

    if (number < least || number > most)
        return false;
    *out = (int)number;
    return true;
}

bool tg_argument_warn_days(const char *word, time_t *out)
{
    int days = 30;

    if (word != NULL && !tg_argument_number(word, 0, 3650, &days)) {
        tg_complain("--warn-days: '%s' isn't a number from 0 to 3650", word);
        return false;
    }
    *out = (time_t)days * 86400;
    return true;
}

bool tg_argument_timeout(const char *word, int *out)
{
    if (tg_argument_number(word, 1, 3600, out))
        return true;
    tg_complain("--timeout: '%s' isn't a number of seconds from 1 to 3600", word);
    return false;
}
