/* options.h - the options of all verbs, and the help that is made of them. */
#ifndef TG_OPTIONS_H
#define TG_OPTIONS_H

#include "cli.h"
#include "trustgraft.h"
#include <stdio.h>

/*
 * Reads ARGV, whose first element is the verb's name, into *OPTIONS. False after a complaint
 * about what is wrong.
 */
TG_MUST_USE bool tg_options_parse(const struct tg_verb *verb, int argc, char **argv,
                                  struct tg_options *options);

struct tg_option {
    const char *name, *meaning; /* MEANING may hold newlines and more than one space */
    const char *argument;       /* what its value is: "FILE"; NULL: it has none */
    char letter;                /* 0: none */
};

/* The INDEXth option of those that VERB takes. False behind the last. */
TG_MUST_USE bool tg_option_at(const struct tg_verb *verb, size_t index, struct tg_option *option);

/* Usage, description and options of VERB. */
void tg_options_help(FILE *to, const struct tg_verb *verb);

#endif
