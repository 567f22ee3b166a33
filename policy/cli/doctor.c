#include "cli.h"
static int doctor(const struct tg_options *o)
{
    (void)o;
    return 2;
}
const struct tg_verb tg_verb_doctor = {
    .name = "doctor", .synopsis = "", .summary = "", .details = "", .most = 1, .run = doctor};
