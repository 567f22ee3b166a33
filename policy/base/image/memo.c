#include "memo.h"
#include "table.h"
#include <string.h>

static struct tg_memo_item *_Atomic *list_of(struct tg_memo *memo, uint64_t tag, const char *text,
                                             size_t length)
{
    return &memo->list[tg_table_hash(tag, text, length) % TG_MEMO_LISTS];
}

static struct tg_memo_item *find(struct tg_memo_item *list, uint64_t tag, const char *text,
                                 size_t length)
{
    while (list != NULL && (list->tag != tag || list->length != length ||
                            (length > 0 && memcmp(list->text, text, length) != 0)))
        list = list->next;
    return list;
}

struct tg_memo_item *tg_memo_get(struct tg_memo *memo, uint64_t tag, const char *text,
                                 size_t length)
{
    struct tg_memo_item *_Atomic *list = list_of(memo, tag, text, length);

    return find(atomic_load_explicit(list, memory_order_acquire), tag, text, length);
}

struct tg_memo_item *tg_memo_put(struct tg_memo *memo, struct tg_memo_item *item)
{
    struct tg_memo_item *_Atomic *list = list_of(memo, item->tag, item->text, item->length);
    struct tg_memo_item *head = atomic_load_explicit(list, memory_order_acquire), *other;

    do {
        other = find(head, item->tag, item->text, item->length);
        if (other != NULL)
            return other;
        item->next = head;
    } while (!atomic_compare_exchange_weak_explicit(list, &head, item, memory_order_acq_rel,
                                                    memory_order_acquire));
    atomic_fetch_add_explicit(&memo->count, 1, memory_order_relaxed);
    return item;
}

void tg_memo_clear(struct tg_memo *memo, void (*release)(struct tg_memo_item *item))
{
    for (size_t i = 0; i < TG_MEMO_LISTS; i++) {
        struct tg_memo_item *item = atomic_exchange(&memo->list[i], NULL);

        while (item != NULL) {
            struct tg_memo_item *next = item->next;

            release(item);
            item = next;
        }
    }
}
