#include "presented.h"
#include <stdlib.h>

void tg_presented_clear(struct tg_presented *presented)
{
    sk_X509_pop_free(presented->chain, X509_free);
    free(presented->staple);
    *presented = (struct tg_presented){0};
}
