#include "held.h"
#include "log.h"
#include "pool.h"

/* Each of the BIO that it is of; else of no BIO any more, or of a copy that wasn't seen yet. */
static struct tg_pool wires = {.size = sizeof(struct tg_wire)};
static const char gone, copied;

void tg_held_keep(struct tg_wire *wire)
{
    atomic_fetch_add_explicit(&wire->references, 1, memory_order_relaxed);
}

void tg_held_drop(struct tg_wire *wire)
{
    if (atomic_fetch_sub_explicit(&wire->references, 1, memory_order_acq_rel) == 1)
        tg_pool_give(&wires, wire);
}

struct tg_wire *tg_held_at(void *pointer, const BIO *bio)
{
    struct tg_wire *wire = tg_pool_item(&wires, pointer, bio);

    if (wire == NULL && (wire = tg_pool_item(&wires, pointer, &copied)) != NULL)
        tg_pool_pass(wire, bio);
    return wire;
}

struct tg_wire *tg_held_end(void *pointer, const BIO *bio)
{
    struct tg_wire *wire = NULL;

    if (pointer == NULL) /* as for each BIO that a program reads its certificates by */
        return NULL;
    wire = tg_held_at(pointer, bio);
    if (wire == NULL) /* of whoever took our place */
        wire = tg_pool_find(&wires, bio);
    if (wire != NULL)
        tg_pool_pass(wire, &gone);
    return wire;
}

void *tg_held_copy(void *pointer)
{
    const struct tg_wire *original = pointer;
    struct tg_wire *copy = NULL;

    if (!tg_pool_has(&wires, pointer))
        return pointer;
    copy = tg_pool_take(&wires, &copied);
    if (copy == NULL)
        return NULL;
    copy->references = 1;
    copy->theirs = original->theirs;
    return copy;
}

/* A pointer of ours to the wire of another BIO was copied along with that one. */
static bool is_free(struct tg_cryptolib *library, const void *kept)
{
    static const char problem[] =
        "a BIO can't be put under a policy: the program's library context "
        "(OSSL_LIB_CTX) keeps ex_data of its own in our place";

    if ((kept == NULL || tg_pool_has(&wires, kept)) && library->claim(library) & TG_CLAIM_BIO)
        return true;
    tg_log_complain(TG_ORIGIN_ENVIRONMENT, "%s; it is stopped", problem);
    (void)library->backend->raise_error(&library->crypto, problem);
    return false;
}

struct tg_wire *tg_held_make(struct tg_cryptolib *library, BIO *bio)
{
    void *kept = library->crypto.BIO_get_ex_data(bio, library->wire_index);
    struct tg_wire *wire = tg_held_at(kept, bio);

    if (wire != NULL)
        return wire;
    wire = is_free(library, kept) ? tg_pool_take(&wires, bio) : NULL;
    if (wire == NULL || !library->crypto.BIO_set_ex_data(bio, library->wire_index, wire)) {
        tg_pool_give(&wires, wire);
        return NULL;
    }
    wire->references = 1;
    return wire; // cppcheck-suppress memleak ; the BIO has it
}
