#include "inspect.h"
#include "embedded.h"
#include "environment.h"
#include "executable.h"
#include "foreign.h"
#include "hidden.h"
#include "hook/inject.h"
#include "inner.h"
#include "installation.h"
#include "library.h"
#include "preloaded.h"
#include "reach.h"
#include "script.h"
#include "terminal.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* What was found out about one program. */
struct program {
    struct tg_health *health;
    char path[PATH_MAX]; /* of the machine code */
    struct tg_libraries libraries;
    bool readable, loads;   /* loads: it asks for libraries while it runs */
    bool preload, provider; /* the process can be got into */
    bool three, four;       /* an OpenSSL 3 or 4; that is 4 */
    bool apart;             /* that is inside, not all exported, and no other OpenSSL 3 is there */
    bool other, foreign;    /* one for the preload alone, a TLS out of reach */
    bool inner, nearer;     /* that is inside; nearer to the program than what is reached */
    bool stuck;             /* that is an OpenSSL which loads providers */
    const char *tls;        /* one of them, in a word or two */
};

/* ---- the libraries ------------------------------------------------------------------------ */

static bool exports(const char *path, const char *function)
{
    struct tg_executable file;
    bool found = tg_executable_open(path, &file) == TG_EXECUTABLE_READ &&
                 tg_executable_exports(&file, function);

    tg_executable_close(&file);
    return found;
}

static void tell_openssl(struct program *program, const struct tg_library *library, const char *by)
{
    bool boring = exports(library->path, "SSL_CTX_set_custom_verify");
    bool four = strncmp(library->name, "libssl.so.4", 11) == 0;
    bool three = four || (!boring && exports(library->path, "SSL_CTX_new_ex"));

    if (strncmp(library->name, "libssl.so.1.0", 13) == 0 ||
        strcmp(library->name, "libssl.so.10") == 0) {
        program->foreign = true;
        program->tls = "OpenSSL before 1.1.1";
        tg_health_note(program->health, TG_HEALTH_NOTE, "TLS library",
                       "an OpenSSL older than 1.1.1: %s, linked by %s, out of reach", library->path,
                       by);
        return;
    }
    program->three |= three;
    program->four |= four;
    program->other |= !three;
    program->tls = boring  ? "BoringSSL"
                   : four  ? "OpenSSL 4"
                   : three ? "OpenSSL 3"
                           : "an OpenSSL older than 3";
    tg_health_note(program->health, TG_HEALTH_GOOD, "TLS library", "%s: %s, linked by %s%s",
                   program->tls, library->path, by,
                   three ? "" : ": the preload library alone reaches it");
}

static void tell_library(struct program *program, size_t index)
{
    const struct tg_library *library = &program->libraries.item[index];
    const char *by = tg_libraries_by(&program->libraries, index),
               *foreign = tg_library_foreign(library);

    if (library->path[0] == '\0') {
        tg_health_note(program->health, TG_HEALTH_BAD, "library",
                       "%s, needed by %s, can't be found", library->name, by);
        return;
    }
    if (strncmp(library->name, "libssl.so", 9) == 0) {
        tell_openssl(program, library, by);
    } else if (strncmp(library->name, "libgnutls.so", 12) == 0 ||
               strcmp(library->name, "libssl3.so") == 0) {
        const char *name = library->name[3] == 'g' ? "GnuTLS" : "NSS";

        program->other = true;
        program->tls = program->three ? program->tls : name;
        tg_health_note(program->health, TG_HEALTH_GOOD, "TLS library",
                       "%s: %s, linked by %s: the preload library alone reaches it", name,
                       library->path, by);
    } else if (foreign != NULL) {
        program->foreign = true;
        program->tls = program->three || program->other ? program->tls : foreign;
        tg_health_note(program->health, TG_HEALTH_NOTE, "TLS library",
                       "%s: %s, linked by %s: connections made with it are not under the policy",
                       foreign, library->path, by);
    }
}

static void tell_libraries(struct program *program)
{
    if (!tg_libraries_of(program->path, &program->libraries)) {
        tg_health_note(program->health, TG_HEALTH_BAD, "libraries",
                       "they can't be listed: memory ran out, or there are too many");
        return;
    }
    for (size_t i = 0; i < program->libraries.count; i++) {
        if (i > 0)
            tell_library(program, i);
        program->loads |= tg_libraries_load(&program->libraries, i);
    }
}

/* ---- inside the executable ---------------------------------------------------------------- */

static void tell_hidden(struct program *program, const struct tg_executable *file,
                        const struct tg_hidden *hidden)
{
    program->apart = tg_executable_exports(file, "X509_new") ||
                     tg_libraries_find(&program->libraries, "libcrypto.so.3") == NULL;
    program->three |= hidden->three;
    program->other |= !hidden->three;
    program->tls = hidden->three ? "OpenSSL 3 inside" : "OpenSSL 1.1.1 inside";
    if (hidden->state == TG_HIDDEN_LACKS)
        tg_health_note(program->health, TG_HEALTH_BAD, "TLS library",
                       "an %s the executable, not exported, and without %s: no TLS under a policy",
                       program->tls, hidden->lacks);
    else
        tg_health_note(program->health, TG_HEALTH_GOOD, "TLS library",
                       "an %s the executable, not exported, known by its symbols%s", program->tls,
                       hidden->three ? "" : ": the preload library alone reaches it");
}

static void note_found(struct program *program, const char *name)
{
    program->foreign = program->inner = true;
    program->stuck = strncmp(name, "OpenSSL", 7) == 0 && strncmp(name, "OpenSSL 1", 9) != 0;
    program->tls = "inside, out of reach";
}

static void tell_out_of_reach(struct program *program, const struct tg_hidden *hidden,
                              const char *name)
{
    char why[128];

    note_found(program, name);
    tg_health_note(program->health, TG_HEALTH_NOTE, "TLS library",
                   "%s seems to be inside the executable, out of reach%s", name,
                   tg_hidden_why(hidden, name, why, sizeof(why)));
}

/* Beside those that are reached, and in what it links. OWN: the one in the executable is known. */
static void tell_inner(struct program *program, const struct tg_hidden *hidden, bool own)
{
    const struct tg_libraries *list = &program->libraries;
    const char *tls = program->tls;
    struct tg_inner inner;

    tg_inner_find(list, !own && (program->three || program->other), &inner);
    if (inner.in == NULL)
        return;
    if (inner.in == list->item) {
        tell_out_of_reach(program, hidden, inner.name);
    } else {
        note_found(program, inner.name);
        tg_health_note(program->health, TG_HEALTH_NOTE, "TLS library",
                       "%s seems to be inside %s, linked by %s, out of reach", inner.name,
                       inner.in->path, tg_libraries_by(list, (size_t)(inner.in - list->item)));
    }
    program->nearer = inner.nearer && !own;
    program->tls = program->nearer || tls == NULL ? "inside, out of reach" : tls;
}

static void tell_embedded(struct program *program, const struct tg_hidden *hidden)
{
    bool crypto = tg_libraries_find(&program->libraries, "libcrypto.so") != NULL;
    char embedded[64];

    if (tg_embedded_find(program->path, crypto ? TG_EMBEDDED_OTHERS : TG_EMBEDDED_ALL, embedded,
                         sizeof(embedded)))
        tell_out_of_reach(program, hidden, embedded);
}

static void tell_exported(struct program *program, const struct tg_executable *file)
{
    bool hooked = tg_hidden_exports_all(file);
    bool three = hooked && tg_executable_exports(file, "OSSL_PROVIDER_load");

    program->apart = !tg_executable_exports(file, TG_INJECT_RARE);
    program->three |= three;
    program->other |= !three;
    program->tls = three    ? "OpenSSL 3 inside"
                   : hooked ? "OpenSSL 1.1.1 inside"
                            : "BoringSSL, an old OpenSSL or a part of one inside";
    tg_health_note(program->health, hooked ? TG_HEALTH_GOOD : TG_HEALTH_BAD, "TLS library",
                   "%s%s the executable, exported%s", hooked ? "an " : "", program->tls,
                   hooked && !three ? ": the preload library alone reaches it" : "");
}

static void tell_inside(struct program *program, const struct tg_executable *file)
{
    struct tg_hidden hidden;
    bool own = true;

    tg_hidden_look(file, &hidden);
    if (hidden.state == TG_HIDDEN_TAKEN || hidden.state == TG_HIDDEN_LACKS)
        tell_hidden(program, file, &hidden);
    else if (tg_executable_exports(file, "SSL_CTX_new"))
        tell_exported(program, file);
    else
        own = false;
    tell_inner(program, &hidden, own);
    if (program->three || program->other)
        return;
    if (tg_executable_is_go(file)) {
        program->foreign = true;
        program->tls = "Go's own";
        tg_health_note(program->health, TG_HEALTH_NOTE, "TLS library",
                       "it is written in Go, whose own TLS nothing from outside reaches");
    } else {
        tell_embedded(program, &hidden);
    }
}

static void tell_file(struct program *program)
{
    struct tg_executable file;
    enum tg_executable_state state = tg_executable_open(program->path, &file);

    program->readable = state == TG_EXECUTABLE_READ;
    if (program->readable && file.interpreter[0] != '\0')
        tg_health_note(program->health, TG_HEALTH_GOOD, "linked", "dynamically, by %s",
                       file.interpreter);
    else if (program->readable)
        tg_health_note(program->health, TG_HEALTH_BAD, "linked",
                       "statically: nothing can be loaded into it");
    if (program->readable) {
        tell_libraries(program);
        tell_inside(program, &file);
    }
    tg_executable_close(&file);
}

static void tell_privileges(const struct program *program)
{
    struct stat status;

    if (stat(program->path, &status) == -1)
        return;
    if ((status.st_mode & S_ISUID) != 0)
        tg_health_note(program->health, TG_HEALTH_NOTE, "privileges",
                       "it is set-uid, to the user number %u", (unsigned)status.st_uid);
    if ((status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0)
        tg_health_note(program->health, TG_HEALTH_NOTE, "privileges",
                       "it is set-gid, to the group number %u", (unsigned)status.st_gid);
    if (getxattr(program->path, "security.capability", NULL, 0) > 0)
        tg_health_note(program->health, TG_HEALTH_NOTE, "privileges", "it has file capabilities");
}

/* ---- the ways in -------------------------------------------------------------------------- */

static bool try_way(struct program *program, const char *path, enum tg_way way, const char *name)
{
    struct tg_buf why = {0}, note = {0};
    bool reached = tg_reach(path, way, &why, &note);
    bool own = program->three || program->other;

    if (reached && program->stuck && way == TG_WAY_PROVIDER) {
        tg_health_note(program->health, TG_HEALTH_NOTE, name,
                       "leaves the OpenSSL inside without TLS where that loads it: it can't be put "
                       "under a policy");
    } else if (reached && program->foreign && !own) {
        tg_health_note(program->health, TG_HEALTH_NOTE, name, "has nothing in it to act upon");
    } else if (reached && way == TG_WAY_PROVIDER && program->other && !program->three) {
        tg_health_note(program->health, TG_HEALTH_NOTE, name,
                       "its TLS library doesn't load providers: use 'trustgraft run --preload'");
        reached = false;
    } else if (reached) {
        tg_health_note(program->health, TG_HEALTH_GOOD, name, "gets into it: 'trustgraft run%s'",
                       way == TG_WAY_PROVIDER ? " --provider" : "");
        if (program->readable && note.length > 0)
            tg_health_note(program->health, TG_HEALTH_NOTE, name, "%s", tg_why(&note));
    } else {
        tg_health_note(program->health, TG_HEALTH_NOTE, name, "%s", tg_why(&why));
    }
    tg_buf_free(&why);
    tg_buf_free(&note);
    return reached;
}

/* Where every program loads the library, set-uid ones do. */
static bool try_file(struct program *program, const char *path)
{
    struct tg_buf why = {0}, note = {0};
    bool reached = tg_preloaded_is_on() && tg_reach_everywhere(path, &why, &note);

    if (reached)
        tg_health_note(program->health, TG_HEALTH_GOOD, "preload",
                       "gets into it by " TG_PRELOADED_FILE
                       ", where the system's policy alone counts");
    tg_buf_free(&why);
    tg_buf_free(&note);
    return reached;
}

static void conclude_without(const struct program *program, const char *path)
{
    struct tg_buf why = {0};

    if (tg_foreign_tls(path, NULL, TG_WAY_PRELOAD, &why))
        tg_health_note(program->health, TG_HEALTH_BAD, "reached", "no: %s", tg_why(&why));
    else if (program->loads)
        tg_health_note(program->health, TG_HEALTH_NOTE, "reached",
                       "yes, if its modules use OpenSSL, GnuTLS or NSS: it "
                       "links no TLS library, but loads libraries while it runs (dlopen)");
    else
        tg_health_note(
            program->health, TG_HEALTH_BAD, "reached",
            "no TLS library is to be seen in it; "
            "programs that it starts get trustgraft with its environment: ask about these, "
            "as git's /usr/lib/git-core/git-remote-https");
    tg_buf_free(&why);
}

/* As the preload library chooses (choice.h). */
static void tell_engine(const struct program *program)
{
    bool linked =
        !tg_environment_needs(TG_OWN_INSIDE) ||
        (program->three && !program->four && !program->apart && tg_installation_has_openssl());

    tg_health_note(program->health, TG_HEALTH_GOOD, "engine", "the preload library takes %s",
                   linked ? TG_ENGINE_LINKED ", on OpenSSL 3"
                          : TG_ENGINE_INSIDE ", with a libcrypto of its own");
}

static void conclude(const struct program *program, const char *path)
{
    bool got_into = program->preload || program->provider;
    bool own = program->three || program->other;

    if (!got_into)
        tg_health_note(program->health, TG_HEALTH_BAD, "reached", "no: neither way gets into it");
    else if (!program->readable)
        tg_health_note(program->health, TG_HEALTH_NOTE, "reached",
                       "unknown: the file can't be read");
    else if (own && !program->nearer)
        tg_health_note(program->health, TG_HEALTH_GOOD, "reached", "yes%s",
                       program->foreign ? ", but not what it does with the other TLS library" : "");
    else if (program->inner)
        tg_health_note(program->health, TG_HEALTH_BAD, "reached",
                       "no: the TLS library inside is out of reach%s; use a build that links "
                       "libssl, GnuTLS or NSS",
                       own ? ", unlike the one that its libraries bring" : "");
    else if (program->foreign)
        tg_health_note(program->health, TG_HEALTH_BAD, "reached",
                       "no: its TLS is none of OpenSSL's, GnuTLS's and NSS's; use a "
                       "build that links one of these");
    else
        conclude_without(program, path);
}

void tg_inspect_program(struct tg_health *health, const char *path, struct tg_inspection *found)
{
    struct program program = {.health = health};
    const char *wrong = tg_script_program(path, program.path);

    tg_health_section(health, "program");
    if (wrong != NULL) {
        tg_health_note(health, TG_HEALTH_BAD, "file", "%s %s", path, wrong);
        return;
    }
    if (strcmp(path, program.path) == 0)
        tg_health_note(health, TG_HEALTH_GOOD, "file", "%s", path);
    else
        tg_health_note(health, TG_HEALTH_GOOD, "file", "%s is a script, run by %s", path,
                       program.path);
    tell_file(&program);
    tell_privileges(&program);
    program.preload =
        try_way(&program, path, TG_WAY_PRELOAD, "preload") || try_file(&program, path);
    program.provider = try_way(&program, path, TG_WAY_PROVIDER, "provider");
    if (program.preload && (program.three || program.other))
        tell_engine(&program);
    conclude(&program, path);
    free(program.libraries.item);
    if (found != NULL)
        *found = (struct tg_inspection){
            .tls = program.tls,
            .preload = program.preload && (program.three || program.other) && !program.nearer,
            .provider = program.provider && program.three && !program.nearer,
            .loads = program.loads,
        };
}
