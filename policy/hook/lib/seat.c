#include "seat.h"
#include <string.h>

/* It is over before this offset in every version, and each SSL_CTX is several times as large. */
#define EXTENT 256
#define WORD   sizeof(void *)

static int first_mark(X509_STORE_CTX *context, void *arg)
{
    (void)context, (void)arg;
    return 0;
}

static int second_mark(X509_STORE_CTX *context, void *arg)
{
    (void)context, (void)arg;
    return -1;
}

struct tg_seated tg_seat_read(const SSL_CTX *context, size_t seat)
{
    struct tg_seated seated;

    memcpy(&seated, (const char *)context + seat, sizeof(seated));
    return seated;
}

static bool holds(const SSL_CTX *context, size_t seat, struct tg_seated wanted)
{
    struct tg_seated seated = tg_seat_read(context, seat);

    return seated.callback == wanted.callback && seated.arg == wanted.arg;
}

/* The one place that holds MARK; 0: none, or more than one. */
static size_t place_of(const SSL_CTX *context, struct tg_seated mark)
{
    size_t place = 0;

    for (size_t offset = WORD; offset + sizeof(mark) <= EXTENT; offset += WORD) {
        if (!holds(context, offset, mark))
            continue;
        if (place != 0)
            return 0;
        place = offset;
    }
    return place;
}

size_t tg_seat_find(const struct tg_libssl *libssl, SSL_CTX *context)
{
    static char marked[2];
    const struct tg_seated first = {first_mark, &marked[0]}, second = {second_mark, &marked[1]};
    bool empty;
    size_t seat;

    libssl->SSL_CTX_set_cert_verify_callback(context, first.callback, first.arg);
    seat = place_of(context, first);
    libssl->SSL_CTX_set_cert_verify_callback(context, second.callback, second.arg);
    if (seat == 0 || place_of(context, second) != seat)
        return 0;
    libssl->SSL_CTX_set_cert_verify_callback(context, NULL, NULL);
    empty = holds(context, seat, (struct tg_seated){NULL, NULL});
    return empty ? seat : 0;
}
