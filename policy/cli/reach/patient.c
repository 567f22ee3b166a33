#include "patient.h"
#include "executable.h"
#include "library.h"
#include "outside.h"
#include "reach.h"
#include "script.h"
#include "text.h"
#include "trace.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* What was found out about one program. */
struct patient {
    struct tg_exam *exam;
    char path[PATH_MAX]; /* of the machine code */
    struct tg_libraries libraries;
    bool readable, loads;       /* loads: it asks for libraries while it runs */
    bool preload, provider;     /* the process can be got into */
    bool three, other, foreign; /* an OpenSSL 3, another OpenSSL, a TLS that isn't OpenSSL's */
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

static const char *by_whom(const struct tg_libraries *list, size_t index)
{
    size_t by = list->item[index].by;

    return by == 0 ? "the program" : list->item[by].name;
}

static void tell_openssl(struct patient *patient, const struct tg_library *library, const char *by)
{
    bool boring = exports(library->path, "SSL_CTX_set_custom_verify");
    bool three = !boring && exports(library->path, "SSL_CTX_new_ex");

    if (strncmp(library->name, "libssl.so.1.0", 13) == 0 ||
        strcmp(library->name, "libssl.so.10") == 0) {
        patient->foreign = true;
        tg_exam_note(patient->exam, TG_STATE_NOTE, "TLS library",
                     "an OpenSSL older than 1.1.1: %s, linked by %s, out of reach", library->path,
                     by);
        return;
    }
    patient->three |= three;
    patient->other |= !three;
    tg_exam_note(patient->exam, TG_STATE_GOOD, "TLS library", "%s: %s, linked by %s%s",
                 boring  ? "BoringSSL"
                 : three ? "OpenSSL 3"
                         : "an OpenSSL older than 3",
                 library->path, by, three ? "" : ": the preload library alone reaches it");
}

static void tell_library(struct patient *patient, size_t index)
{
    const struct tg_library *library = &patient->libraries.item[index];
    const char *by = by_whom(&patient->libraries, index), *foreign = tg_library_foreign(library);

    if (library->path[0] == '\0') {
        tg_exam_note(patient->exam, TG_STATE_BAD, "library", "%s, needed by %s, can't be found",
                     library->name, by);
        return;
    }
    if (strncmp(library->name, "libssl.so", 9) == 0) {
        tell_openssl(patient, library, by);
    } else if (foreign != NULL) {
        patient->foreign = true;
        tg_exam_note(patient->exam, TG_STATE_NOTE, "TLS library",
                     "%s: %s, linked by %s: connections made with it are not under the policy",
                     foreign, library->path, by);
    }
}

/* The C library and libcrypto load others for their own ends: that says nothing. */
static bool loads_libraries(const struct tg_library *library, bool is_program)
{
    static const char *const own[] = {"libc.so", "libcrypto.so", "libssl.so", "ld-linux", "libdl."};
    struct tg_executable file;
    bool loads;

    for (size_t i = 0; !is_program && i < sizeof(own) / sizeof(own[0]); i++)
        if (strncmp(library->name, own[i], strlen(own[i])) == 0)
            return false;
    loads = tg_executable_open(library->path, &file) == TG_EXECUTABLE_READ &&
            tg_executable_imports(&file, "dlopen");
    tg_executable_close(&file);
    return loads;
}

static void tell_libraries(struct patient *patient)
{
    if (!tg_libraries_of(patient->path, &patient->libraries)) {
        tg_exam_note(patient->exam, TG_STATE_BAD, "libraries",
                     "they can't be listed: memory ran out, or there are too many");
        return;
    }
    for (size_t i = 0; i < patient->libraries.count; i++) {
        if (i > 0)
            tell_library(patient, i);
        patient->loads |= loads_libraries(&patient->libraries.item[i], i == 0);
    }
}

/* ---- inside the executable ---------------------------------------------------------------- */

static void tell_inside(struct patient *patient, const struct tg_executable *file)
{
    bool crypto = false;
    char trace[64];

    for (size_t i = 1; i < patient->libraries.count; i++)
        crypto |= strncmp(patient->libraries.item[i].name, "libcrypto.so", 12) == 0;
    if (tg_executable_exports(file, "SSL_CTX_new")) {
        bool three = tg_executable_exports(file, "OSSL_PROVIDER_load");

        patient->three |= three;
        patient->other |= !three;
        tg_exam_note(patient->exam, three ? TG_STATE_GOOD : TG_STATE_BAD, "TLS library",
                     "%s inside the executable, exported",
                     three ? "an OpenSSL 3" : "a BoringSSL or older OpenSSL");
        return;
    }
    if (patient->three || patient->other)
        return;
    if (tg_executable_is_go(file)) {
        patient->foreign = true;
        tg_exam_note(patient->exam, TG_STATE_NOTE, "TLS library",
                     "it is written in Go, whose own "
                     "TLS nothing from outside reaches");
    } else if (tg_trace_find(patient->path, crypto, trace, sizeof(trace))) {
        patient->foreign = true;
        tg_exam_note(patient->exam, TG_STATE_NOTE, "TLS library",
                     "%s seems to be inside the "
                     "executable, out of reach",
                     trace);
    }
}

static void tell_file(struct patient *patient)
{
    struct tg_executable file;
    enum tg_executable_state state = tg_executable_open(patient->path, &file);

    patient->readable = state == TG_EXECUTABLE_READ;
    if (patient->readable && file.interpreter[0] != '\0')
        tg_exam_note(patient->exam, TG_STATE_GOOD, "linked", "dynamically, by %s",
                     file.interpreter);
    else if (patient->readable)
        tg_exam_note(patient->exam, TG_STATE_BAD, "linked",
                     "statically: nothing can be loaded "
                     "into it");
    if (patient->readable) {
        tell_libraries(patient);
        tell_inside(patient, &file);
    }
    tg_executable_close(&file);
}

static void tell_privileges(const struct patient *patient)
{
    struct stat status;

    if (stat(patient->path, &status) == -1)
        return;
    if ((status.st_mode & S_ISUID) != 0)
        tg_exam_note(patient->exam, TG_STATE_NOTE, "privileges",
                     "it is set-uid, to the user number %u", (unsigned)status.st_uid);
    if ((status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0)
        tg_exam_note(patient->exam, TG_STATE_NOTE, "privileges",
                     "it is set-gid, to the group number %u", (unsigned)status.st_gid);
    if (getxattr(patient->path, "security.capability", NULL, 0) > 0)
        tg_exam_note(patient->exam, TG_STATE_NOTE, "privileges", "it has file capabilities");
}

/* ---- the ways in -------------------------------------------------------------------------- */

static bool try_way(struct patient *patient, const char *path, enum tg_way way, const char *name)
{
    struct tg_buf why = {0}, note = {0};
    bool reached = tg_reach(path, way, &why, &note);

    if (reached && way == TG_WAY_PROVIDER && patient->other && !patient->three) {
        tg_exam_note(patient->exam, TG_STATE_NOTE, name,
                     "its TLS library doesn't load providers: use 'trustgraft run --preload'");
        reached = false;
    } else if (reached) {
        tg_exam_note(patient->exam, TG_STATE_GOOD, name, "gets into it: 'trustgraft run%s'",
                     way == TG_WAY_PROVIDER ? " --provider" : "");
    } else {
        tg_exam_note(patient->exam, TG_STATE_NOTE, name, "%s",
                     why.text != NULL ? why.text : "memory ran out");
    }
    tg_buf_free(&why);
    tg_buf_free(&note);
    return reached;
}

static void conclude_without(const struct patient *patient, const char *path)
{
    struct tg_buf why = {0};

    if (tg_outside(path, NULL, TG_WAY_PRELOAD, &why))
        tg_exam_note(patient->exam, TG_STATE_BAD, "reached", "no: %s",
                     why.text != NULL ? why.text : "memory ran out");
    else if (patient->loads)
        tg_exam_note(patient->exam, TG_STATE_NOTE, "reached",
                     "yes, if its modules use OpenSSL: it "
                     "links no TLS library, but loads libraries while it runs (dlopen)");
    else
        tg_exam_note(
            patient->exam, TG_STATE_BAD, "reached",
            "no TLS library is to be seen in it; "
            "programs that it starts get trustgraft with its environment: ask about these");
    tg_buf_free(&why);
}

static void conclude(const struct patient *patient, const char *path)
{
    bool got_into = patient->preload || patient->provider;
    bool own = patient->three || patient->other;

    if (!got_into)
        tg_exam_note(patient->exam, TG_STATE_BAD, "reached", "no: neither way gets into it");
    else if (!patient->readable)
        tg_exam_note(patient->exam, TG_STATE_NOTE, "reached", "unknown: the file can't be read");
    else if (own)
        tg_exam_note(patient->exam, TG_STATE_GOOD, "reached", "yes%s",
                     patient->foreign ? ", but not what it does with the other TLS library" : "");
    else if (patient->foreign)
        tg_exam_note(patient->exam, TG_STATE_BAD, "reached",
                     "no: its TLS isn't OpenSSL's; use a "
                     "build that links libssl");
    else
        conclude_without(patient, path);
}

void tg_patient_examine(struct tg_exam *exam, const char *path)
{
    struct patient patient = {.exam = exam};
    const char *wrong = tg_script_program(path, patient.path);

    tg_exam_section(exam, "program");
    if (wrong != NULL) {
        tg_exam_note(exam, TG_STATE_BAD, "file", "%s %s", path, wrong);
        return;
    }
    if (strcmp(path, patient.path) == 0)
        tg_exam_note(exam, TG_STATE_GOOD, "file", "%s", path);
    else
        tg_exam_note(exam, TG_STATE_GOOD, "file", "%s is a script, run by %s", path, patient.path);
    tell_file(&patient);
    tell_privileges(&patient);
    patient.preload = try_way(&patient, path, TG_WAY_PRELOAD, "preload");
    patient.provider = try_way(&patient, path, TG_WAY_PROVIDER, "provider");
    conclude(&patient, path);
    free(patient.libraries.item);
}
