/* hold.h - what a rule of a test's own making holds; for tests alone. */
#ifndef TG_TEST_HOLD_H
#define TG_TEST_HOLD_H

#include "holding.h"
#include <stdlib.h>

/* The certificates of STACK; tg_holding_free it. */
static inline struct tg_holding *hold(const STACK_OF(X509) *stack)
{
    struct tg_holding *holding = tg_holding_new();

    if (holding == NULL)
        abort();
    for (int i = 0; i < sk_X509_num(stack); i++)
        if (!tg_holding_add(holding, sk_X509_value(stack, i)))
            abort();
    return holding;
}

#endif
