#include "activation.h"
#include "child.h"
#include "environment.h"
#include "installation.h"
#include "libc.h"
#include "mem.h"
#include "preloaded.h"
#include "settings.h"
#include "terminal.h"
#include "text.h"
#include <errno.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BEGIN "# begin trustgraft: `trustgraft disable --provider` takes this away\n"
#define BLOCK_END   "# end trustgraft\n"
#define FILE_MODE   0644

enum { LARGEST = 1 << 20 };

const char *tg_activation_before(const struct tg_activation *plan)
{
    return plan->file.text.length > 0 ? plan->file.text.text : "";
}

const char *tg_activation_after(const struct tg_activation *plan)
{
    return plan->after.length > 0 ? plan->after.text : "";
}

/* ---- the system's openssl.cnf ------------------------------------------------------------- */

/* Appends TEXT without the block that stands in it. False if the block has no end. */
static bool cut_block(const struct tg_buf *text, struct tg_buf *out)
{
    const char *whole = text->length > 0 ? text->text : "", *begin = strstr(whole, BLOCK_BEGIN);
    const char *end = begin != NULL ? strstr(begin, BLOCK_END) : NULL;

    if (begin == NULL) {
        tg_buf_add(out, whole);
        return true;
    }
    if (end == NULL)
        return false;
    /* The empty line before it came with it. */
    if (begin - whole >= 2 && begin[-1] == '\n' && begin[-2] == '\n')
        begin--;
    tg_buf_addn(out, whole, (size_t)(begin - whole));
    tg_buf_add(out, end + strlen(BLOCK_END));
    return true;
}

/* Writes BUF to a new file whose name mkstemp(3) makes of OUT. False after a complaint. */
static bool save(const struct tg_buf *buf, char *out)
{
    int fd = mkstemp(out);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool written = file != NULL && fwrite(buf->text, 1, buf->length, file) == buf->length;

    if (file != NULL && fclose(file) == 0 && written)
        return true;
    tg_complain("%s can't be written: %s", out, strerror(errno));
    if (fd >= 0)
        (void)unlink(out);
    return false;
}

static bool add_block(struct tg_buf *after)
{
    char system[] = "/tmp/trustgraft-XXXXXX";
    struct tg_buf said = {0};
    int status;

    if (!save(after, system))
        return false;
    status = tg_child_run(tg_settings_print_end, system, &said);
    (void)unlink(system);
    if (status == 0 && said.length > 0) {
        tg_buf_printf(after, "%s\n" BLOCK_BEGIN "%s" BLOCK_END,
                      after->length > 0 && after->text[after->length - 1] != '\n' ? "\n" : "",
                      said.text);
    } else {
        tg_complain("openssl-cnf doesn't tell what to add: %s",
                    said.text != NULL ? said.text : "it says nothing");
        status = 1;
    }
    tg_buf_free(&said);
    return status == 0;
}

/* Reads PATH. False after a complaint. */
static bool begin(struct tg_activation *plan, const char *path)
{
    struct tg_buf why = {0};
    bool begun = tg_replace_begin(&plan->file, path, LARGEST, &why);

    if (!begun)
        tg_complain("%s: %s", path, why.length > 0 ? why.text : "can't be read");
    tg_buf_free(&why);
    return begun;
}

static bool plan_settings(struct tg_activation *plan)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/openssl.cnf", X509_get_default_cert_area());
    if (!begin(plan, path))
        return false;
    if (!cut_block(&plan->file.text, &plan->after)) {
        tg_complain("%s: the block that `trustgraft enable` wrote has lost its last line, \"%.*s\"",
                    plan->file.path, (int)strlen(BLOCK_END) - 1, BLOCK_END);
        return false;
    }
    return !plan->on || add_block(&plan->after);
}

/* ---- /etc/ld.so.preload ------------------------------------------------------------------- */

/* Appends the line at LINE, LENGTH bytes with its end, without our library; all of it, if it has
 * nothing else. */
static void cut_word(const char *line, size_t length, struct tg_buf *out)
{
    const char *end = line + length, *text = line + strcspn(line, "#\n"), *at = line, *from = line;
    struct tg_preloaded word;
    size_t start = out->length, left = 0, cut = 0;

    text = text < end ? text : end;
    while (tg_preloaded_next(&at, &word) && word.word < text) {
        if (tg_preloaded_is_ours(&word)) {
            cut++;
        } else {
            tg_buf_addn(out, from, (size_t)(at - from));
            left++;
        }
        from = at;
    }
    if (cut == 0 || left > 0 || (text < end && *text == '#'))
        tg_buf_addn(out, from, (size_t)(end - from));
    else if (out->text != NULL)
        out->text[out->length = start] = '\0';
}

static bool plan_preload(struct tg_activation *plan)
{
    const char *line = begin(plan, TG_PRELOADED_FILE) ? tg_activation_before(plan) : NULL;

    if (line == NULL)
        return false;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");

        length += line[length] == '\n';
        cut_word(line, length, &plan->after);
        line += length;
    }
    if (plan->on)
        tg_buf_printf(
            &plan->after, "%s%s\n",
            plan->after.length > 0 && plan->after.text[plan->after.length - 1] != '\n' ? "\n" : "",
            plan->library);
    return true;
}

/* ---- both --------------------------------------------------------------------------------- */

/* True if nobody but root can change the file PATH, as realpath(3) names it, or put another there.
 */
static bool is_safe(const char *path)
{
    char part[PATH_MAX];
    struct stat status;
    size_t length = strlen(path);

    do {
        snprintf(part, sizeof(part), "%.*s", length > 0 ? (int)length : 1, length > 0 ? path : "/");
        if (stat(part, &status) != 0 || status.st_uid != 0 ||
            (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
            tg_complain("%s can't be used for the whole system: others than root can write %s; "
                        "install trustgraft first (make install, or ./install)",
                        path, part);
            return false;
        }
        while (length > 0 && path[--length] != '/')
            ;
    } while (strcmp(part, "/") != 0);
    return true;
}

/* Whatever of ours root, or every program, will load or run from now on. */
static bool parts_are_safe(void)
{
    static const enum tg_own parts[] = {TG_OWN_ENGINE, TG_OWN_INSIDE, TG_OWN_GENERATOR};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (tg_environment_find(parts[i], path)) {
            if (!is_safe(path))
                return false;
        } else if (tg_environment_needs(parts[i])) {
            tg_complain("%s is missing beside this command", tg_environment_name(parts[i]));
            return false;
        }
    return true;
}

bool tg_activation_plan(struct tg_activation *plan, enum tg_way way, bool on)
{
    bool preload = way == TG_WAY_PRELOAD;
    enum tg_own own = preload ? TG_OWN_PRELOAD : TG_OWN_PROVIDER;
    bool found = tg_environment_find(own, plan->library), planned;

    plan->way = way;
    plan->on = on;
    if (on && !found) {
        tg_complain("%s is missing beside this command", tg_environment_name(own));
        return false;
    }
    if (on && preload && !TG_LIBC_PRELOAD_FILE) {
        tg_complain("this system's C library reads no " TG_PRELOADED_FILE
                    ": set LD_PRELOAD where the programs are started");
        return false;
    }
    if (on && (!is_safe(plan->library) || !parts_are_safe()))
        return false;
    planned = preload ? plan_preload(plan) : plan_settings(plan);
    if (planned && plan->after.failed) {
        tg_complain("%s", tg_no_memory);
        return false;
    }
    return planned;
}

bool tg_activation_changes(const struct tg_activation *plan)
{
    return strcmp(tg_activation_before(plan), tg_activation_after(plan)) != 0;
}

/* True, or false after a complaint: what TRY says of ARGUMENT. */
static bool works(const struct tg_activation *plan, int (*try)(const char *), const char *argument)
{
    struct tg_buf said = {0};
    bool good = tg_child_run(try, argument, &said) == 0;

    /* What else is in the file, or the other way left behind, mustn't keep this one from being
     * undone. */
    if (plan->way == TG_WAY_PRELOAD && plan->on)
        good = good && !tg_preloaded_complains(said.text, plan->library);
    if (!good)
        tg_complain("%s stays as it was, since it doesn't work: %s", plan->file.path,
                    said.length > 0 ? said.text : "nothing says why");
    tg_buf_free(&said);
    return good;
}

/* In a child: a program of the system starts. */
static int start_shell(const char *unused)
{
    (void)unused;
    execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
    perror("/bin/sh");
    return 1;
}

static bool try_before(const struct tg_activation *plan)
{
    char copy[] = "/tmp/trustgraft-XXXXXX";
    bool good;

    if (plan->way == TG_WAY_PRELOAD)
        return !plan->on || works(plan, tg_installation_try_preload, plan->library);
    if (!save(&plan->after, copy))
        return false;
    good = works(plan, plan->on ? tg_installation_try_settings : tg_installation_try_plain, copy);
    (void)unlink(copy);
    return good;
}

static bool try_after(const struct tg_activation *plan)
{
    if (!works(plan, start_shell, NULL))
        return false;
    return plan->way == TG_WAY_PRELOAD ||
           works(plan, plan->on ? tg_installation_try_settings : tg_installation_try_plain,
                 plan->file.path);
}

/* An empty /etc/ld.so.preload is as good as none; openssl.cnf stays where it is. */
static bool put(struct tg_replace *file, enum tg_way way, const struct tg_buf *text)
{
    struct tg_buf why = {0};
    bool done;

    if (way == TG_WAY_PROVIDER || text->length > 0)
        done = tg_replace_commit(file, text, &why);
    else if (!(done = unlink(file->path) == 0 || errno == ENOENT))
        tg_buf_printf(&why, "can't be removed: %s", strerror(errno));
    if (!done)
        tg_complain("%s: %s", file->path, why.length > 0 ? why.text : "can't be written");
    tg_buf_free(&why);
    return done;
}

/* Writes anew what was there before. */
static void take_back(const struct tg_activation *plan)
{
    struct tg_replace again = {0};
    struct tg_buf why = {0};

    if (tg_replace_begin(&again, plan->file.path, LARGEST, &why))
        (void)put(&again, plan->way, &plan->file.text);
    else
        tg_complain("%s: %s", plan->file.path, why.length > 0 ? why.text : "can't be read");
    tg_buf_free(&why);
    tg_replace_end(&again);
}

bool tg_activation_carry_out(struct tg_activation *plan)
{
    if (!try_before(plan) || !put(&plan->file, plan->way, &plan->after))
        return false;
    if (try_after(plan))
        return true;
    take_back(plan);
    return false;
}

void tg_activation_clear(struct tg_activation *plan)
{
    tg_replace_end(&plan->file);
    tg_buf_free(&plan->after);
}
