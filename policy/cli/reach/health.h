/* health.h - what `doctor` finds out, line by line, for people and as JSON. */
#ifndef TG_HEALTH_H
#define TG_HEALTH_H

#include "text.h"

enum tg_health_state {
    TG_HEALTH_GOOD,
    TG_HEALTH_NOTE, /* worth knowing, and neither good nor bad */
    TG_HEALTH_BAD,
    TG_HEALTH_STATES
};

/* Zero-initialise; free `out`. */
struct tg_health {
    bool as_json, bad; /* bad: something was */
    struct tg_buf out;
    const char *section;
};

/* Begins a section: "policy". TITLE is a static text. */
void tg_health_section(struct tg_health *health, const char *title);

/* Adds a line about NAME; control characters in it are escaped. */
__attribute__((format(printf, 4, 5))) void tg_health_note(struct tg_health *health,
                                                          enum tg_health_state state,
                                                          const char *name, const char *format,
                                                          ...);

#endif
