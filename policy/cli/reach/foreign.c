#include "foreign.h"
#include "environment.h"
#include "libc.h"
#include "other.h"
#include "script.h"
#include "shell.h"
#include "text.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH = 5, LARGEST_SCRIPT = 1 << 16, WORDS = 16 };

struct query {
    enum tg_way way;
    int depth; /* how many commands started one another until here */
    struct tg_buf *why;
};

static bool judge(struct query query, const char *path, char *const *words);

/* ---- the program itself ------------------------------------------------------------------- */

static void tell(const struct query *query, const char *path, const char *program, const char *what)
{
    struct tg_buf *why = query->why;

    tg_reach_subject(why, path, program);
    tg_buf_printf(why,
                  "%s not under the policy; use a build that links libssl, GnuTLS or NSS, or "
                  "start it so all the same with 'trustgraft run --allow-unreached'",
                  what);
}

static bool judge_program(const struct query *query, const char *path, const char *program)
{
    struct tg_buf what = {0};
    bool other = tg_other_find(program, &what);

    if (other && !what.failed)
        tell(query, path, program, what.text);
    query->why->failed |= what.failed;
    tg_buf_free(&what);
    return other;
}

/* ---- helpers ------------------------------------------------------------------------------ */

/* Programs without TLS that leave it to another of their own; as seen from their folder. */
static const struct {
    const char *program, *variable, *name;
    const char *folders[3];
} helpers[] = {
    {.program = "git",
     .variable = "GIT_EXEC_PATH",
     .name = "git-remote-https",
     .folders = {"../lib/git-core", "../libexec/git-core", "."}},
    {.program = "apt", .name = "https", .folders = {"../lib/apt/methods"}},
    {.program = "apt-get", .name = "https", .folders = {"../lib/apt/methods"}},
    {.program = "aptitude", .name = "https", .folders = {"../lib/apt/methods"}},
};

/* Another command that PATH starts: whether that one is reached counts. */
static bool judge_started(struct query query, const char *path, const char *started,
                          char *const *words)
{
    struct tg_buf why = {0}, note = {0};
    struct query inner = {query.way, query.depth + 1, &why};
    bool foreign = inner.depth < DEPTH &&
                   (!tg_reach(started, query.way, &why, &note) || judge(inner, started, words));

    if (foreign && !why.failed) { /* a sentence that begins with the path */
        tg_buf_escape(query.why, path, strlen(path));
        tg_buf_printf(query.why, " starts %.*s, which%s", (int)strcspn(why.text, " "), why.text,
                      strchr(why.text, ' ') != NULL ? strchr(why.text, ' ') : "");
    }
    query.why->failed |= why.failed;
    tg_buf_free(&why);
    tg_buf_free(&note);
    return foreign;
}

static bool judge_helper(struct query query, const char *path, size_t which)
{
    const char *named = helpers[which].variable != NULL ? getenv(helpers[which].variable) : NULL;
    char real[PATH_MAX], place[2 * PATH_MAX], helper[PATH_MAX];
    char *slash = realpath(path, real) != NULL ? strrchr(real, '/') : NULL;

    if (slash == NULL)
        return false;
    slash[1] = '\0';
    for (size_t i = 0; i < 3; i++) {
        const char *folder = named != NULL ? named : helpers[which].folders[i];

        if (folder == NULL)
            return false;
        snprintf(place, sizeof(place), "%s%s/%s", folder[0] == '/' ? "" : real, folder,
                 helpers[which].name);
        if (realpath(place, helper) != NULL)
            return judge_started(query, path, helper, NULL);
    }
    return false;
}

static bool judge_helpers(struct query query, const char *path)
{
    for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
        if (strcmp(basename(path), helpers[i].program) == 0)
            return judge_helper(query, path, i);
    return false;
}

/* ---- commands that are there to start another --------------------------------------------- */

static bool is_one_of(const char *path, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(basename(path), *names) == 0)
            return true;
    return false;
}

static bool is_shell(const char *path)
{
    static const char *const names[] = {"sh", "dash", "bash", "ksh", "mksh", "zsh", "ash", NULL};

    return is_one_of(path, names);
}

static bool is_launcher(const char *path)
{
    static const char *const names[] = {
        "env",    "timeout", "nice",      "nohup",   "setsid",  "stdbuf",    "ionice",
        "chrt",   "time",    "taskset",   "xargs",   "unshare", "setpriv",   "catchsegv",
        "flock",  "prlimit", "setarch",   "linux32", "linux64", "runuser",   "nsenter",
        "strace", "ltrace",  "uclampset", "numactl", "tini",    "dumb-init", NULL};

    return is_one_of(path, names);
}

/* What comes before a command in a shell's line and leaves its place open. */
static bool is_before_command(const char *word)
{
    static const char *const words[] = {"if", "then", "else",    "elif",    "do", "while", "until",
                                        "!",  "time", "command", "builtin", "{",  NULL};

    return is_one_of(word, words) || strchr(word, '=') != NULL;
}

/* The words of a simple command, as many as count. */
struct words {
    char text[WORDS][TG_SHELL_WORD];
    char *at[WORDS + 1];
};

static void read_words(const struct tg_shell *shell, const char *text, struct words *words)
{
    size_t count = 0;

    while (count < WORDS && *text != '\0' && strchr("\n;&|()", *text) == NULL) {
        words->at[count] = words->text[count];
        text = tg_shell_word(shell, text, words->text[count++]);
        text += strspn(text, " \t");
    }
    words->at[count] = NULL;
}

/*
 * True if WORD is neither a command nor an argument, but a redirection, or an option of `exec` or
 * `time`; moves TEXT, which is behind it, over the word that belongs to it.
 */
static bool is_aside(const struct tg_shell *shell, const char *word, const char **text)
{
    size_t length = strlen(word);
    char more[TG_SHELL_WORD];

    if (*word != '-' && strpbrk(word, "<>") == NULL)
        return false;
    if (strcmp(word, "-a") == 0 || (length > 0 && strchr("<>", word[length - 1]) != NULL))
        *text = tg_shell_word(shell, *text + strspn(*text, " \t"), more);
    return true;
}

/* The commands of a shell's TEXT, those behind exec alone if not ALL: a long script may have
 * many that it never comes to. */
static bool judge_text(struct query query, const char *path, const char *text, bool all)
{
    char word[TG_SHELL_WORD], command[PATH_MAX];
    bool wanted = all, open = true; /* open: a command comes next */
    struct tg_shell shell = {0};
    struct words words;

    while (*text != '\0') {
        const char *begin = text;

        if (strchr(" \t\n;&|()", *text) != NULL) {
            if (*text != ' ' && *text != '\t') {
                open = true;
                wanted = all;
            }
            text++;
            continue;
        }
        if (*text == '#') {
            text += strcspn(text, "\n");
            continue;
        }
        text = tg_shell_word(&shell, text, word);
        if (open)
            tg_shell_set(&shell, begin, word);
        if (!open || is_before_command(word) || is_aside(&shell, word, &text))
            continue;
        open = strcmp(word, "exec") == 0;
        if (open) {
            wanted = true;
        } else if (wanted && tg_script_search(word, command) == 0) {
            read_words(&shell, begin, &words);
            if (judge_started(query, path, command, words.at))
                return true;
        }
    }
    return false;
}

static bool judge_script(struct query query, const char *script)
{
    char *text = calloc(LARGEST_SCRIPT + 1, 1);
    int fd = open(script, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool foreign = false;

    if (text != NULL && fd != -1 && read(fd, text, LARGEST_SCRIPT) > 0 &&
        strncmp(text, "\177ELF", 4) != 0)
        foreign = judge_text(query, script, text, false);
    query.why->failed |= text == NULL;
    if (fd != -1)
        close(fd);
    free(text);
    return foreign;
}

/* `sh -c TEXT`, `sh SCRIPT`; options come before either, and `-o` has a word of its own. */
static bool judge_shell(struct query query, const char *path, char *const *words)
{
    bool text = false;

    for (words++; *words != NULL; words++) {
        if ((*words)[0] != '-' && (*words)[0] != '+')
            return text ? judge_text(query, path, *words, true) : judge_script(query, *words);
        if ((*words)[1] == '-')
            continue;
        text |= strchr(*words, 'c') != NULL;
        if (strpbrk(*words, "oO") != NULL && words[1] != NULL)
            words++;
    }
    return false;
}

/* Which of their words is the command only they know: the first that names one counts. */
static bool judge_launcher(struct query query, const char *path, char *const *words)
{
    bool env = strcmp(basename(path), "env") == 0;
    char command[PATH_MAX];

    for (words++; *words != NULL; words++) {
        const char *text = (*words)[0] == '-' && (*words)[1] == 'S' ? *words + 2 : NULL;

        if (env && text != NULL && (*text != '\0' || (text = words[1]) != NULL))
            return judge_text(query, path, text, true);
        if ((*words)[0] != '-' && strchr(*words, '=') == NULL && !isdigit((unsigned char)**words) &&
            tg_script_search(*words, command) == 0)
            return judge_started(query, path, command, words);
    }
    return false;
}

/* BusyBox has a TLS of its own in it, without any verification, for two of its commands. */
static bool judge_applet(const struct query *query, const char *path, const char *applet)
{
    static const char *const names[] = {"wget", "ssl_client", NULL};
    char real[PATH_MAX];

    if (!is_one_of(applet, names) || realpath(path, real) == NULL ||
        strncmp(basename(real), "busybox", 7) != 0)
        return false;
    tell(query, path, path, "is BusyBox's, with a TLS of its own: such connections are");
    return true;
}

/* An option of Node.js's, which goes before OPENSSL_CONF. */
static bool judge_settings(const struct query *query, const char *path, char *const *words)
{
    if (query->way != TG_WAY_PROVIDER || words == NULL || words[0] == NULL ||
        strncmp(basename(path), "node", 4) != 0)
        return false;
    for (words++; *words != NULL && strcmp(*words, "--") != 0; words++)
        if (tg_environment_has_settings(*words)) {
            tg_reach_subject(query->why, path, path);
            tg_buf_add(query->why, "reads the file of --openssl-config instead of the one with the "
                                   "provider; leave the option away, or use 'trustgraft run "
                                   "--preload'");
            return true;
        }
    return false;
}

static bool judge(struct query query, const char *path, char *const *words)
{
    const char *name = path;
    char program[PATH_MAX];

    if (tg_script_program(path, program) != NULL)
        return false;
    if (judge_program(&query, path, program) || judge_settings(&query, path, words) ||
        judge_helpers(query, path))
        return true;
    if (strcmp(path, program) != 0)
        return is_shell(program) && judge_script(query, path);
    if (words != NULL && words[0] != NULL && words[1] != NULL &&
        strncmp(basename(path), "busybox", 7) == 0)
        name = *++words;
    if (judge_applet(&query, path, name))
        return true;
    if (words == NULL)
        return false;
    return (is_shell(name) && judge_shell(query, path, words)) ||
           (is_launcher(name) && judge_launcher(query, name, words));
}

bool tg_foreign_tls(const char *path, char *const *words, enum tg_way way, struct tg_buf *why)
{
    return judge((struct query){way, 0, why}, path, words);
}
