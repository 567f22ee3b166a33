#include "hidden.h"

/* By symbol: some of their types aren't those that all kinds of libcrypto share. */
#define SYMBOL(kinds, result, name, parameters) extern const char own_##name[] __asm__(#name);
TG_LIBCRYPTO_OWN(SYMBOL)
#undef SYMBOL

void tg_hidden_fill(struct tg_libcrypto *libcrypto)
{
#define FILL(kinds, result, name, parameters)                                                      \
    libcrypto->name = (__typeof__(libcrypto->name))(const void *)own_##name;
    TG_LIBCRYPTO_OWN(FILL)
#undef FILL
}
