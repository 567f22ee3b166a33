#include "missed.h"

static _Thread_local bool missed;

void tg_missed_note(void)
{
    missed = true;
}

bool tg_missed_take(void)
{
    bool was = missed;

    missed = false;
    return was;
}
