#include "loadable.h"
#include <dlfcn.h>

bool tg_loadable_open(const struct tg_loadable *library,
                      const struct tg_loadable_function *functions, size_t count,
                      struct tg_buf *why)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);

    if (handle == NULL) {
        tg_buf_printf(why, "%s: %s", library->need, dlerror());
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        void *found = dlsym(handle, functions[i].name);

        if (found == NULL) {
            tg_buf_printf(why, "%s lacks %s", library->called, functions[i].name);
            return false;
        }
        *(void **)functions[i].pointer = found;
    }
    return true;
}
