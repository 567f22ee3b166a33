/* program.h - which executables the words of a rule's `program` mean. */
#ifndef TG_PROGRAM_H
#define TG_PROGRAM_H

#include "mem.h"
#include "rule.h"

/*
 * True if PROGRAM (an absolute path) is one of RULE's programs, or the rule names none. NULL,
 * an unknown program, is none of them.
 */
TG_MUST_USE bool tg_rule_covers_program(const struct tg_rule *rule, const char *program);

/* True if WORD of a `program` key holds *, ? or [, so that it isn't the path of a file itself. */
bool tg_program_is_glob(const char *word);

/*
 * The absolute path of this process's executable, also where that was replaced since; without
 * /proc the one that was executed. Empty if it can't be told.
 */
#define TG_PROGRAM_SIZE 4096
void tg_program_self(char path[TG_PROGRAM_SIZE]);

/*
 * Why WORD can't be a value of `program`, or NULL: it is empty, a relative path, longer than a
 * path can be, or has a [ without its ]. Static or ARENA-owned.
 */
TG_MUST_USE const char *tg_program_fault(struct tg_arena *arena, const char *word);

/* The last part of PATH, behind its last slash. */
const char *tg_program_name(const char *path);

/* True if WORD of a `program` key means the executable PATH. */
bool tg_program_covers(const char *word, const char *path);

/* True if some executable could be meant by both words; a doubt is an overlap. */
bool tg_program_overlap(const char *one, const char *other);

#endif
