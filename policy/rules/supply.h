/*
 * supply.h - where a policy's rules come from whose image (image.h) is read instead of its text:
 * made when they are first asked for, kept from then on. The language's (compiled.c).
 */
#ifndef TG_SUPPLY_H
#define TG_SUPPLY_H

#include "rule.h"

struct tg_host_key;
struct tg_group;

/* A walk over all rules that make demands of some hosts; zero-initialise it. */
struct tg_walk {
    uint64_t next;
    bool enforcing; /* rules in report mode don't matter, but to tell whether there are several */
};

struct tg_supply {
    /* As tg_index_group; where the image is damaged, a group whose rule refuses all. */
    struct tg_group *(*group)(struct tg_supply *supply, const struct tg_host_key *key,
                              unsigned port);
    /*
     * The exceptions for HOST, canonical: the policy that holds them, or NULL. What can't be read
     * forgives nothing.
     */
    const struct tg_policy *(*exceptions)(struct tg_supply *supply, const char *host);
    /*
     * The next rule in the order of the text that isn't `action = pass`; of those in whose text
     * BELOW stands, if it isn't NULL. NULL behind the last. Where the image is damaged, one that
     * refuses all, and then no more.
     */
    const struct tg_rule *(*next)(struct tg_supply *supply, struct tg_walk *walk,
                                  const char *below);
    void (*free)(struct tg_supply *supply);
    size_t rules, exceptions_held; /* how many the policy has */
    const char *path;              /* of the image */
};

#endif
