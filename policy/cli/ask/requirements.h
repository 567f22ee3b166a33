/* requirements.h - what a rule demands of a server, in sentences and in JSON. */
#ifndef TG_REQUIREMENTS_H
#define TG_REQUIREMENTS_H

#include "policy.h"
#include "text.h"

/* Appends a line or more for each demand of RULE on the server HOST at the time NOW. */
void tg_requirements_text(struct tg_buf *buf, const struct tg_rule *rule, const char *host,
                          time_t now);

/* Appends them as one JSON object, with the keys of a policy as names, "-" being "_". */
void tg_requirements_json(struct tg_buf *buf, const struct tg_rule *rule);

#endif
