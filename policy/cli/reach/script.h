/* script.h - from the word that names a command to the file that the kernel runs. */
#ifndef TG_SCRIPT_H
#define TG_SCRIPT_H

#include "trustgraft.h"
#include <limits.h>
#include <stdbool.h>

/*
 * Finds WORD as execvp(3) does: in PATH, unless it has a slash. Returns 0, or ENOENT or another
 * errno value (EACCES: only found where it can't be executed). OUT has room for PATH_MAX bytes.
 */
int tg_script_search(const char *word, char out[PATH_MAX]);

/*
 * The file whose machine code runs when PATH is executed: PATH itself; for a script what its
 * first line names, through env(1) and scripts of scripts; /bin/sh for a text without such a
 * line. NULL and OUT filled, or a sentence about PATH that says why it can't be run.
 */
const char *tg_script_program(const char *path, char out[PATH_MAX]);

/*
 * The executable of a process that was started as WORD: searched in PATH unless it has a slash,
 * its interpreter if it is a script, links resolved, as /proc/PID/exe has it. OUT has room for
 * PATH_MAX bytes. False after a complaint.
 */
TG_MUST_USE bool tg_script_resolve(const char *word, char out[PATH_MAX]);

#endif
