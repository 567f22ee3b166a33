/* demand.h - what of a policy's image is built when it is first asked for, and kept from then on.
 */
#ifndef TG_DEMAND_H
#define TG_DEMAND_H

#include "image.h"
#include "index.h"
#include "material.h"
#include "memo.h"

/* A rule in place of what can't be told, under a pattern that any host has. */
struct stand_in {
    struct tg_rule rule;
    struct tg_group group;
    const char *pattern;
};

struct tg_compiled {
    struct tg_supply supply; /* the first member: the policy's index holds it */
    struct tg_arena *arena;
    struct tg_image *image;
    struct tg_load base;
    struct tg_diags diags;
    struct tg_source *sources;
    size_t source_count;
    size_t left_out; /* of its path, by whoever named the policy: messages leave it out too */
    struct tg_memo memo;
    struct stand_in damaged;
};

/* How COMPILED, whose other members are filled, is asked: tg_policy's index holds the result. */
void tg_demand_begin(struct tg_compiled *compiled);

/* What PATH held for TAG when the image was written, shared by all threads; NULL: the image doesn't
 * say, or memory ran out. */
const struct tg_material *tg_demand_material(struct tg_compiled *compiled, enum tg_load_tag tag,
                                             const char *path);

#endif
