/* exam.h - what `doctor` finds out, line by line, for people and as JSON. */
#ifndef TG_EXAM_H
#define TG_EXAM_H

#include "text.h"

enum tg_state {
    TG_STATE_GOOD,
    TG_STATE_NOTE, /* worth knowing, and neither good nor bad */
    TG_STATE_BAD
};

/* Zero-initialise; free both buffers. */
struct tg_exam {
    bool as_json, ill; /* ill: something was bad */
    struct tg_buf out;
    const char *section;
};

/* Begins a section: "policy". TITLE is a static text. */
void tg_exam_section(struct tg_exam *exam, const char *title);

/* Adds a line about NAME; control characters in it are escaped. */
__attribute__((format(printf, 4, 5))) void tg_exam_note(struct tg_exam *exam, enum tg_state state,
                                                        const char *name, const char *format, ...);

#endif
