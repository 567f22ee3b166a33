/*
 * tables.c FILE SECONDS - threads at what they share without a lock, or by turns: each finds its
 * own, and nothing that is of two writers. FILE is of certificates.
 */
#include "../../preload/slot.h"
#include "bundle.h"
#include "kept.h"
#include "pool.h"
#include "registry.h"
#include "share.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EACH = 3, WORDS = 32, KEYS = 512, TEXTS = 400 };

static const char *file;
static time_t end;
static pthread_barrier_t begin;

/* What was wrong, and the end of it. */
static void expect(bool right, const char *what)
{
    if (right)
        return;
    (void)fprintf(stderr, "%s\n", what);
    _exit(1);
}

/* Nothing here that would put one thread's doing before another's. */
static bool goes_on(void)
{
    return time(NULL) < end;
}

/* Writes and reads one record, whose words are all the same. */
static void *fill_slot(void *arg)
{
    static tg_slot_word slot[1 + WORDS];
    uint64_t record[WORDS], sequence, newest = 0;

    do {
        for (unsigned i = 0; i < 1000; i++) {
            sequence = tg_slot_newest(slot) + 2;
            for (unsigned word = 0; word < WORDS; word++)
                record[word] = sequence;
            (void)tg_slot_write(slot, record, WORDS, sequence);
            sequence = tg_slot_read(slot, record, WORDS);
            for (unsigned word = 0; word < WORDS && sequence != 0; word++)
                expect(record[word] == sequence, "a record of two writers");
            expect(sequence == 0 || sequence >= newest, "an older record");
            newest = sequence != 0 ? sequence : newest;
        }
    } while (goes_on());
    return arg;
}

static void *register_things(void *arg)
{
    static struct tg_registry registry = {.size = sizeof(long)};
    char keys[KEYS];

    do {
        for (size_t i = 0; i < KEYS; i++) {
            long *item = tg_registry_make(&registry, &keys[i]);

            expect(item != NULL && *item == 0, "an item of another");
            *item = (long)i + 1;
        }
        for (size_t i = 0; i < KEYS; i++) {
            const long *item = tg_registry_find(&registry, &keys[i]);

            expect(item != NULL && *item == (long)i + 1, "an item is gone");
            tg_registry_free(tg_registry_take(&registry, &keys[i]));
        }
    } while (goes_on());
    return arg;
}

static void *pool_things(void *arg)
{
    static struct tg_pool pool = {.size = 3 * sizeof(long)};
    char owner;

    do {
        long *item = tg_pool_take(&pool, &owner);

        expect(item != NULL && *item == 0, "a place of another");
        *item = 1;
        expect(tg_pool_item(&pool, item, &owner) == item, "it isn't its owner's");
        expect(tg_pool_find(&pool, &owner) == item, "it isn't found");
        tg_pool_give(&pool, item);
    } while (goes_on());
    return arg;
}

static void *share_file(void *arg)
{
    size_t count = 0;

    do {
        const struct tg_bundle *bundle = tg_share_take(file);

        expect(bundle != NULL && tg_bundle_count(bundle) > 0, "no certificates");
        expect(count == 0 || count == tg_bundle_count(bundle), "other certificates");
        count = tg_bundle_count(bundle);
        tg_share_again(bundle);
        tg_share_give(bundle);
        tg_share_give(bundle);
    } while (goes_on());
    return arg;
}

/* Returns what it got for each text: these are made but once, so all threads begin together. */
static void *keep_texts(void *arg)
{
    const char **kept = calloc(TEXTS, sizeof(*kept));
    char text[32];

    expect(kept != NULL, "no memory");
    (void)pthread_barrier_wait(&begin);
    for (unsigned i = 0; i < TEXTS; i++) {
        (void)snprintf(text, sizeof(text), "text %u", i);
        kept[i] = tg_kept(text);
        expect(kept[i] != NULL && strcmp(kept[i], text) == 0, "another text");
    }
    (void)arg;
    return kept;
}

static void begin_all(pthread_t threads[EACH], void *(*work)(void *))
{
    for (size_t i = 0; i < EACH; i++)
        expect(pthread_create(&threads[i], NULL, work, NULL) == 0, "no thread");
}

static void make_texts(void)
{
    pthread_t threads[EACH];
    const char **first = NULL;

    expect(pthread_barrier_init(&begin, NULL, EACH) == 0, "no barrier");
    begin_all(threads, keep_texts);
    for (size_t i = 0; i < EACH; i++) {
        void *kept = NULL;

        (void)pthread_join(threads[i], &kept);
        expect(first == NULL || memcmp(first, kept, TEXTS * sizeof(*first)) == 0, "a text twice");
        if (first != NULL)
            free(kept);
        else
            first = kept;
    }
    free(first);
}

int main(int argc, char **argv)
{
    static void *(*const work[])(void *) = {fill_slot, register_things, pool_things, share_file};
    enum { KINDS = sizeof(work) / sizeof(work[0]) };
    pthread_t threads[KINDS][EACH];

    if (argc != 3)
        return 2;
    file = argv[1];
    make_texts();
    end = time(NULL) + strtol(argv[2], NULL, 10);
    for (size_t i = 0; i < KINDS; i++)
        begin_all(threads[i], work[i]);
    for (size_t i = 0; i < KINDS * EACH; i++)
        (void)pthread_join(threads[i / EACH][i % EACH], NULL);
    return 0;
}
