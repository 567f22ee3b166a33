#include "mark.h"

/* Who reads in this thread; NULL: nobody. */
static _Thread_local struct reading {
    const struct tg_cryptolib *library;
    unsigned bits;
} * reading;

/* CRYPTO_EX_new; LIBRARY is a struct tg_cryptolib. */
static void tell(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long bits, void *library)
{
    (void)parent, (void)ptr, (void)data, (void)index;
    if (reading != NULL && reading->library == library)
        reading->bits |= (unsigned)bits;
}

bool tg_mark_add(const struct tg_cryptolib *library, unsigned bits)
{
    return library->crypto.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_APP, (long)bits, (void *)library,
                                                   tell, NULL, NULL) >= 0;
}

bool tg_mark_read(const struct tg_cryptolib *library, unsigned *bits)
{
    struct reading mine = {.library = library}, *outer = reading;
    CRYPTO_EX_DATA data = {0};
    bool told;

    reading = &mine; // cppcheck-suppress autoVariables ; used no longer than here
    told = library->crypto.CRYPTO_new_ex_data(CRYPTO_EX_INDEX_APP, &data, &data);
    reading = outer;
    if (told)
        library->crypto.CRYPTO_free_ex_data(CRYPTO_EX_INDEX_APP, &data, &data);
    *bits = mine.bits;
    return told;
}
