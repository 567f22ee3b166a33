/*
 * allocator.c - a preloaded allocator that looks its functions up with dlsym, as heap profilers
 * do. It counts on nobody making dlsym, which may allocate, call it back.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static _Thread_local int depth;

static void *find(const char *name)
{
    static const char recursion[] = "allocator: dlsym called back into the allocator\n";

    if (depth++ > 4) {
        (void)!write(STDERR_FILENO, recursion, sizeof(recursion) - 1);
        _exit(3);
    }
    void *found = dlsym(RTLD_NEXT, name);
    depth--;
    return found;
}

void *malloc(size_t size)
{
    if (next_malloc == NULL)
        next_malloc = find("malloc");
    return next_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (next_calloc == NULL)
        next_calloc = find("calloc");
    return next_calloc(count, size);
}
