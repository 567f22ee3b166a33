#include "other.h"
#include "embedded.h"
#include "executable.h"
#include "hidden.h"
#include "inner.h"
#include "library.h"
#include <stdlib.h>

#define THEIRS "that library's TLS connections are"

struct program {
    const char *path;
    struct tg_executable file;
    struct tg_libraries list;
    struct tg_hidden hidden;
    bool reached; /* it links a library that is */
};

static void add_library(const struct program *program, struct tg_buf *what)
{
    const char *name = NULL;

    for (size_t i = 1; name == NULL && i < program->list.count; i++)
        name = tg_library_foreign(&program->list.item[i]);
    if (name != NULL)
        tg_buf_printf(what, "links %s: " THEIRS, name);
    else if (tg_executable_is_go(&program->file))
        tg_buf_add(what, "is written in Go: the TLS connections of Go's own library are");
}

static void add_inside(const struct program *program, struct tg_buf *what)
{
    bool crypto = tg_libraries_find(&program->list, "libcrypto.so") != NULL;
    struct tg_inner inner;
    char name[64], why[128];

    tg_inner_find(&program->list, true, &inner);
    if (inner.in != NULL ? !inner.nearer : program->reached)
        return;
    if (inner.in != NULL && inner.in != program->list.item)
        tg_buf_printf(what, "links %s, which seems to have %s inside: " THEIRS, inner.in->path,
                      inner.name);
    else if (tg_embedded_find(program->path,
                              program->reached ? TG_EMBEDDED_PROVEN
                              : crypto         ? TG_EMBEDDED_OTHERS
                                               : TG_EMBEDDED_ALL,
                              name, sizeof(name)))
        tg_buf_printf(what, "seems to have %s inside%s: " THEIRS, name,
                      tg_hidden_why(&program->hidden, name, why, sizeof(why)));
}

static void look(struct program *program, struct tg_buf *what)
{
    tg_hidden_look(&program->file, &program->hidden);
    if (tg_executable_exports(&program->file, "SSL_CTX_new") ||
        program->hidden.state == TG_HIDDEN_TAKEN)
        return;
    program->reached = tg_libraries_reached(&program->list);
    if (!program->reached)
        add_library(program, what);
    if (what->length == 0)
        add_inside(program, what);
}

bool tg_other_find(const char *program, struct tg_buf *what)
{
    struct program found = {.path = program};

    if (tg_executable_open(program, &found.file) == TG_EXECUTABLE_READ &&
        tg_libraries_of(program, &found.list))
        look(&found, what);
    free(found.list.item);
    tg_executable_close(&found.file);
    return what->length > 0;
}
