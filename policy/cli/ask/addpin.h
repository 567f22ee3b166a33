/* addpin.h - one more pin in the rule that the policy in force has for a host. */
#ifndef TG_ADDPIN_H
#define TG_ADDPIN_H

#include "argument.h"
#include "cli.h"
#include "hash.h"
#include "trustgraft.h"

/*
 * Shows what will be written, asks on the terminal unless --yes, and adds PIN to the rule for AT,
 * behind what it lists already; where no rule applies, a section of its own at the end of the
 * policy. NOTE is a comment for it. Nothing is written unless the policy is valid with it. The exit
 * code, after a complaint where it isn't TG_EXIT_GOOD.
 */
int tg_addpin(const struct tg_options *options, const struct tg_endpoint *at,
              const uint8_t pin[TG_SHA256_SIZE], const char *note);

#endif
