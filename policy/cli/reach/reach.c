#include "reach.h"
#include "embedded.h"
#include "executable.h"
#include "hidden.h"
#include "hook/inject.h"
#include "libc.h"
#include "library.h"
#include "other.h"
#include "script.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SYSTEM_WAY                                                                                 \
    "activate the provider in the system's openssl.cnf instead, where only the system's policy "   \
    "counts (trustgraft-run(1), PROGRAMS OUT OF REACH)"

#define NO_PROVIDERS                                                                               \
    "has an OpenSSL older than 3 inside its executable, which loads no providers; use "            \
    "'trustgraft run --preload'"

#define EXPORTS_PART                                                                               \
    "exports a part of the OpenSSL inside its executable, by which the provider can't be used: "   \
    "it "                                                                                          \
    "has no TLS then; use 'trustgraft run --preload'"

/* What a program may link that loads no providers; and may be too old for the hook as well. */
static const struct {
    const char *library, *name;
    bool too_old;
} other_libssl[] = {
    {.library = "libssl.so.1.0",
     .name = "an OpenSSL from before there were providers",
     .too_old = true},
    {.library = "libssl.so.10",
     .name = "an OpenSSL from before there were providers",
     .too_old = true},
    {.library = "libssl.so.1.1", .name = "an OpenSSL from before there were providers"},
    {.library = "libssl.so.0", .name = "a BoringSSL, which loads no providers"},
    {.library = "libgnutls.so", .name = "GnuTLS, which loads no providers"},
    {.library = "libssl3.so", .name = "NSS, which loads no providers"},
};

/*
 * Its place in the list, or -1 for a program that links none of them, or OpenSSL 3 or 4 as well.
 * What a library of the program brings along counts as well.
 */
static int find_other(const char *path, struct tg_buf *why)
{
    struct tg_libraries list;
    int found = -1;

    if (!tg_libraries_of(path, &list))
        why->failed = true;
    else if (tg_libraries_find(&list, "libssl.so.3") == NULL &&
             tg_libraries_find(&list, "libssl.so.4") == NULL)
        for (size_t i = 0; found < 0 && i < sizeof(other_libssl) / sizeof(other_libssl[0]); i++)
            if (tg_libraries_find(&list, other_libssl[i].library) != NULL)
                found = (int)i;
    free(list.item);
    return found;
}

/*
 * Whether the dynamic linker and OpenSSL take it for a process of raised privileges (AT_SECURE).
 * Not where its own user runs it; but what is out of reach for others isn't reached at all.
 */
static bool raises_privileges(const char *path, struct tg_buf *why)
{
    const char *raised = NULL;
    struct stat status;
    int other;

    if (stat(path, &status) == -1)
        return false;
    if ((status.st_mode & S_ISUID) != 0)
        raised = "is set-uid";
    else if ((status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0)
        raised = "is set-gid";
    else if (getxattr(path, "security.capability", NULL, 0) > 0)
        raised = "has file capabilities";
    if (raised == NULL)
        return false;
    other = find_other(path, why);
    tg_buf_printf(
        why, "%s: in a process that this raises the dynamic linker ignores LD_PRELOAD, and %s%s",
        raised, other >= 0 ? "it uses " : "OpenSSL OPENSSL_CONF; " SYSTEM_WAY,
        other >= 0 ? other_libssl[other].name : "");
    return true;
}

/* Our libraries ask for the C library that this command runs with. */
static bool other_libc(const struct tg_executable *file, struct tg_buf *why)
{
    struct tg_executable self;
    const char *theirs = basename(file->interpreter);
    bool other = tg_executable_open("/proc/self/exe", &self) == TG_EXECUTABLE_READ &&
                 strcmp(basename(self.interpreter), theirs) != 0 &&
                 strncmp(theirs, "ld-lsb", 6) != 0;

    tg_executable_close(&self);
    if (other) {
        tg_buf_add(why, strncmp(theirs, "ld-musl", 7) == 0 ? "is built for musl (" : "is run by ");
        tg_buf_escape(why, file->interpreter, strlen(file->interpreter));
        tg_buf_add(why, strncmp(theirs, "ld-musl", 7) == 0 ? ")" : "");
        tg_buf_add(why, ": a library built for another C library can't be loaded into it; use a "
                        "trustgraft built for that one");
    }
    return other;
}

static bool contains_openssl(const struct tg_executable *file)
{
    return tg_executable_exports(file, "SSL_CTX_new");
}

/* The provider's engine would be bound to the part of the OpenSSL inside that is exported, and not
 * find the rest. Any library that uses libcrypto needs one of these. */
static bool misleads_engine(const struct tg_executable *file)
{
    return !tg_executable_exports(file, TG_INJECT_RARE) &&
           (tg_executable_exports(file, "CRYPTO_free") ||
            tg_executable_exports(file, "X509_free") ||
            tg_executable_exports(file, "OPENSSL_sk_num"));
}

/* Its version, which texts tell, isn't older than 1.1.1, however little it exports. */
static bool is_part(const char *path, char *version, size_t size)
{
    static const char name[] = "OpenSSL ";

    return tg_embedded_find(path, TG_EMBEDDED_ALL, version, size) &&
           strncmp(version, name, sizeof(name) - 1) == 0 &&
           strverscmp(version + sizeof(name) - 1, "1.1.1") >= 0;
}

/*
 * A TLS library inside the executable: a call within it never passes the preload library, and
 * only OpenSSL 3 loads providers. The exported functions tell which library it is.
 */
static bool contains_other(const char *path, const struct tg_executable *file, enum tg_way way,
                           struct tg_buf *why)
{
    bool boring = tg_executable_exports(file, "SSL_CTX_set_custom_verify");
    bool newer = tg_executable_exports(file, "SSL_CTX_set_ciphersuites");
    char version[64] = "an OpenSSL";

    if (tg_hidden_exports_all(file)) {
        if (way == TG_WAY_PROVIDER && !tg_executable_exports(file, "OSSL_PROVIDER_load"))
            tg_buf_add(why, NO_PROVIDERS);
        else if (way == TG_WAY_PROVIDER && misleads_engine(file))
            tg_buf_add(why, EXPORTS_PART);
    } else if (!boring && (newer || is_part(path, version, sizeof(version)))) {
        tg_buf_printf(why,
                      "has %s inside its executable, of which it exports too little for either "
                      "way; use a build that links libssl dynamically",
                      version);
    } else {
        tg_buf_printf(why,
                      "has %s inside its executable, which neither way reaches; use a "
                      "build that links libssl dynamically",
                      boring ? "BoringSSL" : "an OpenSSL older than 1.1.1");
    }
    return why->length > 0;
}

/* The same of what isn't exported, but is known by its symbols. */
static bool lacks_functions(const struct tg_executable *file, const struct tg_hidden *hidden,
                            enum tg_way way, struct tg_buf *why)
{
    if (hidden->state == TG_HIDDEN_LACKS)
        tg_buf_printf(
            why,
            "has an OpenSSL inside its executable, without %s, which trustgraft needs and "
            "the link dropped: under a policy it has no TLS at all; use a build that "
            "links libssl dynamically",
            hidden->lacks);
    else if (hidden->state == TG_HIDDEN_TAKEN && !hidden->three && way == TG_WAY_PROVIDER)
        tg_buf_add(why, NO_PROVIDERS);
    else if (hidden->state == TG_HIDDEN_TAKEN && way == TG_WAY_PROVIDER && misleads_engine(file))
        tg_buf_add(why, EXPORTS_PART);
    return why->length > 0;
}

/* What neither way reaches; else which of the list it is, or -1, in *OTHER. */
static bool too_old(const char *path, struct tg_buf *why, int *other)
{
    *other = find_other(path, why);
    if (*other < 0 || !other_libssl[*other].too_old)
        return why->failed;
    tg_buf_printf(why,
                  "uses %s, an OpenSSL older than 1.1.1, which neither way reaches; use a build "
                  "with a newer one",
                  other_libssl[*other].library);
    return true;
}

static bool reach_provider(const char *path, struct tg_buf *why)
{
    struct tg_buf what = {0};
    int other;

    if (too_old(path, why, &other))
        return false;
    if (other >= 0) {
        tg_buf_printf(why, "uses %s, %s", other_libssl[other].library, other_libssl[other].name);
        if (tg_other_find(path, &what) && !what.failed)
            tg_buf_printf(why, ", and %s not under the policy", what.text);
        else
            tg_buf_add(why, "; use 'trustgraft run --preload'");
    }
    tg_buf_free(&what);
    return other < 0;
}

static bool judge(const char *path, const struct tg_executable *file, enum tg_way way,
                  struct tg_buf *why)
{
    struct tg_hidden hidden;
    bool known;
    int other;

    if (file->interpreter[0] == '\0') {
        tg_buf_add(why, "is linked statically: nothing can be loaded into it; use a dynamically "
                        "linked build, or link libtrustgraft into it");
        return false;
    }
    tg_hidden_look(file, &hidden);
    known = hidden.state == TG_HIDDEN_TAKEN || hidden.state == TG_HIDDEN_LACKS;
    if (other_libc(file, why) ||
        (!known && contains_openssl(file) && contains_other(path, file, way, why)) ||
        lacks_functions(file, &hidden, way, why))
        return false;
    return way == TG_WAY_PRELOAD ? !too_old(path, why, &other) : reach_provider(path, why);
}

/* Firefox and its kin, by the library of theirs that lies beside them. */
static bool verifies_itself(const char *path)
{
    char library[PATH_MAX + sizeof("libxul.so")];
    char *slash = realpath(path, library) != NULL ? strrchr(library, '/') : NULL;

    if (slash == NULL)
        return false;
    memcpy(slash + 1, "libxul.so", sizeof("libxul.so"));
    return access(library, F_OK) == 0;
}

/* Goes by the state in which the file could be read. */
static bool judge_state(const char *path, enum tg_way way, struct tg_buf *why, struct tg_buf *note)
{
    struct tg_executable file;
    bool reached = false;

    switch (tg_executable_open(path, &file)) {
    case TG_EXECUTABLE_READ:
        reached = judge(path, &file, way, why);
        if (reached && way == TG_WAY_PRELOAD && verifies_itself(path))
            tg_buf_add(note, "verifies servers by itself and tells NSS the answer alone: what a "
                             "rule refuses is refused, but what it refuses itself no rule opens");
        break;
    case TG_EXECUTABLE_FOREIGN:
        tg_buf_add(why, "is built for another architecture or word size than trustgraft; use a "
                        "trustgraft built for that one");
        break;
    case TG_EXECUTABLE_DAMAGED:
        tg_buf_add(why, "is damaged: its ELF headers contradict its size or each other");
        break;
    case TG_EXECUTABLE_NONE:
        reached = true;
        break;
    case TG_EXECUTABLE_UNREADABLE:
        tg_buf_printf(note, "can't be read (%s), so whether it is reached is unknown",
                      strerror(errno));
        reached = true;
        break;
    }
    tg_executable_close(&file);
    return reached;
}

void tg_reach_subject(struct tg_buf *about, const char *path, const char *program)
{
    tg_buf_escape(about, path, strlen(path));
    if (strcmp(path, program) != 0) {
        tg_buf_add(about, " is run by ");
        tg_buf_escape(about, program, strlen(program));
        tg_buf_add(about, ", which");
    }
    tg_buf_add(about, " ");
}

static void add_sentence(struct tg_buf *to, const struct tg_buf *about, const struct tg_buf *what)
{
    if (about->failed || what->failed)
        to->failed = true;
    else if (what->length > 0)
        tg_buf_printf(to, "%s%s", about->text, what->text);
}

/* RAISED: also into a process of raised privileges. */
static bool reach(const char *path, enum tg_way way, bool raised, struct tg_buf *why,
                  struct tg_buf *note)
{
    char program[PATH_MAX];
    const char *wrong = tg_script_program(path, program);
    struct tg_buf about = {0}, reason = {0}, remark = {0};
    bool reached = false;

    if (wrong != NULL) {
        tg_reach_subject(&about, path, path);
        tg_buf_add(&reason, wrong);
    } else {
        tg_reach_subject(&about, path, program);
        reached = (raised || !raises_privileges(program, &reason)) &&
                  judge_state(program, way, &reason, &remark);
    }
    add_sentence(why, &about, &reason);
    add_sentence(note, &about, &remark);
    tg_buf_free(&about);
    tg_buf_free(&reason);
    tg_buf_free(&remark);
    return reached && !why->failed;
}

bool tg_reach(const char *path, enum tg_way way, struct tg_buf *why, struct tg_buf *note)
{
    return reach(path, way, false, why, note);
}

bool tg_reach_everywhere(const char *path, struct tg_buf *why, struct tg_buf *note)
{
    return reach(path, TG_WAY_PRELOAD, true, why, note);
}
