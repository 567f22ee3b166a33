#include "inner.h"
#include "embedded.h"
#include "executable.h"
#include "symtab_file.h"

/* How many links lead from the program to the library number INDEX. */
static size_t distance(const struct tg_libraries *list, size_t index)
{
    size_t links = 0;

    for (; index > 0; index = list->item[index].by)
        links++;
    return links;
}

static bool has_one(const struct tg_library *library, bool is_program, char *out, size_t size)
{
    struct tg_executable file;
    bool found = tg_executable_open(library->path, &file) == TG_EXECUTABLE_READ &&
                 tg_symtab_is_worth(file.segments, file.header.e_phnum) &&
                 (is_program || !tg_executable_exports(&file, "SSL_CTX_new")) &&
                 tg_embedded_find(library->path, TG_EMBEDDED_PROVEN, out, size);

    tg_executable_close(&file);
    return found;
}

void tg_inner_find(const struct tg_libraries *list, bool executable, struct tg_inner *found)
{
    size_t far = 1; /* what the program links is as much its own as what it has inside */

    *found = (struct tg_inner){.nearer = true};
    for (size_t i = executable ? 0 : 1; found->in == NULL && i < list->count; i++)
        if (!tg_library_reached(&list->item[i]) &&
            has_one(&list->item[i], i == 0, found->name, sizeof(found->name)))
            found->in = &list->item[i];
    if (found->in > list->item)
        far = distance(list, (size_t)(found->in - list->item));
    for (size_t i = 1; found->in != NULL && i < list->count; i++)
        if (tg_library_reached(&list->item[i]) && distance(list, i) <= far)
            found->nearer = false;
}
