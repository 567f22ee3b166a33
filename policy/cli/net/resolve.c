#include "resolve.h"
#include "address.h"
#include "deadline.h"
#include "host.h"
#include "terminal.h"
#include "text.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct tg_addresses *out, const struct sockaddr *address, socklen_t length)
{
    if (out->count == TG_ADDRESSES || length > sizeof(out->at[0].socket))
        return;
    memcpy(&out->at[out->count].socket, address, length);
    out->at[out->count++].length = length;
}

/* ---- --resolve ---------------------------------------------------------------------------- */

static bool add_literal(const char *text, unsigned port, struct tg_addresses *out)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        add(out, (const struct sockaddr *)&four, sizeof(four));
    else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
        add(out, (const struct sockaddr *)&six, sizeof(six));
    else
        return false;
    return true;
}

/* ADDR[,ADDR...], each perhaps in brackets, as curl has it. */
static bool add_literals(const char *list, unsigned port, struct tg_addresses *out)
{
    for (;;) {
        char text[INET6_ADDRSTRLEN + 2];
        size_t length = strcspn(list, ",");
        const char *start = text;

        if (length >= sizeof(text))
            return false;
        memcpy(text, list, length);
        text[length] = '\0';
        if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
            text[length - 1] = '\0';
            start++;
        }
        if (!add_literal(start, port, out))
            return false;
        if (list[length] == '\0')
            return true;
        list += length + 1;
    }
}

/* The colon behind HOST:PORT, or NULL. */
static const char *second_colon(const char *word)
{
    const char *host = *word == '[' ? strchr(word, ']') : word;
    const char *first = host != NULL ? strchr(host, ':') : NULL;

    return first != NULL ? strchr(first + 1, ':') : NULL;
}

/* `*` stands for any host: it is kept as the empty one. */
static bool read_endpoint(const char *text, struct tg_endpoint *out)
{
    bool any = strncmp(text, "*:", 2) == 0;
    char some[TG_HOST_SIZE + 16];

    snprintf(some, sizeof(some), "%s%s", any ? "any" : "", text + (any ? 1 : 0));
    if (!tg_argument_endpoint(some, out))
        return false;
    if (any)
        out->host[0] = '\0';
    return true;
}

/* curl's + before it, which lets what it knows time out, means nothing to who asks once. */
static bool read_word(const char *word, struct tg_endpoint *endpoint, struct tg_addresses *out)
{
    const char *end = second_colon(word);
    char text[TG_HOST_SIZE + 16];
    int length = end != NULL ? snprintf(text, sizeof(text), "%.*s", (int)(end - word), word) : 0;

    if (length <= 0 || (size_t)length >= sizeof(text)) {
        tg_complain("--resolve: '%s' isn't HOST:PORT:ADDR", word);
        return false;
    }
    if (!read_endpoint(text[0] == '+' ? text + 1 : text, endpoint))
        return false;
    if (endpoint->port == 0 || !add_literals(end + 1, endpoint->port, out)) {
        tg_complain("--resolve: '%s' has no %s: HOST:PORT:ADDR", word,
                    endpoint->port == 0 ? "port" : "IP address where ADDR should be");
        return false;
    }
    return true;
}

bool tg_resolve_given(const char *const *words, const struct tg_endpoint *endpoint,
                      struct tg_addresses *out)
{
    struct tg_addresses any = {.count = 0};

    for (; *words != NULL; words++) {
        struct tg_addresses found = {.count = 0};
        struct tg_endpoint given;

        if (!read_word(*words, &given, &found))
            return false;
        if (given.port != endpoint->port)
            continue;
        if (given.host[0] == '\0' && any.count == 0)
            any = found;
        else if (out->count == 0 && strcmp(given.host, endpoint->host) == 0)
            *out = found;
    }
    if (out->count == 0)
        *out = any;
    return true;
}

/* ---- name servers ------------------------------------------------------------------------- */

/* Shared by two threads; the last to let go of it frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t done;
    char host[TG_HOST_SIZE], port[8];
    bool finished, abandoned;
    int error;
    struct tg_addresses found;
};

static void free_lookup(struct lookup *lookup)
{
    pthread_mutex_destroy(&lookup->lock);
    pthread_cond_destroy(&lookup->done);
    free(lookup);
}

static void *look_up(void *arg)
{
    struct lookup *lookup = arg;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int error = getaddrinfo(lookup->host, lookup->port, &hints, &list);
    bool abandoned;

    pthread_mutex_lock(&lookup->lock);
    lookup->error = error;
    for (const struct addrinfo *one = list; one != NULL; one = one->ai_next)
        add(&lookup->found, one->ai_addr, one->ai_addrlen);
    lookup->finished = true;
    abandoned = lookup->abandoned;
    pthread_cond_signal(&lookup->done);
    pthread_mutex_unlock(&lookup->lock);
    if (list != NULL)
        freeaddrinfo(list);
    if (abandoned)
        free_lookup(lookup);
    return NULL;
}

static struct lookup *new_lookup(const char *host, unsigned port)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));

    if (lookup == NULL)
        return NULL;
    snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    snprintf(lookup->port, sizeof(lookup->port), "%u", port);
    pthread_mutex_init(&lookup->lock, NULL);
    tg_deadline_condition(&lookup->done);
    return lookup;
}

/* Waits until LOOKUP is finished; false if DEADLINE comes first, and the thread has it then. */
static bool await(struct lookup *lookup, int64_t deadline)
{
    int64_t slice = tg_deadline_in(0);
    bool finished;

    pthread_mutex_lock(&lookup->lock);
    while (!lookup->finished && slice < deadline && !tg_deadline_cancelled()) {
        slice = slice + TG_DEADLINE_SLICE < deadline ? slice + TG_DEADLINE_SLICE : deadline;
        tg_deadline_wait(&lookup->done, &lookup->lock, slice);
    }
    finished = lookup->finished;
    lookup->abandoned = !finished;
    pthread_mutex_unlock(&lookup->lock);
    return finished;
}

bool tg_resolve_name(const char *host, unsigned port, int64_t deadline, struct tg_addresses *out,
                     struct tg_buf *why)
{
    struct lookup *lookup = new_lookup(host, port);
    pthread_t thread;
    int error;

    if (lookup == NULL || pthread_create(&thread, NULL, look_up, lookup) != 0) {
        if (lookup != NULL)
            free_lookup(lookup);
        tg_buf_add(why, "its address can't be looked up: memory or threads ran out");
        return false;
    }
    pthread_detach(thread);
    if (!await(lookup, deadline)) {
        tg_buf_add(why, "looking up its address took too long: no name server answered");
        return false;
    }
    error = lookup->error;
    *out = lookup->found;
    free_lookup(lookup);
    if (error != 0 || out->count == 0)
        tg_buf_printf(why, "its address can't be looked up: %s",
                      error != 0 ? gai_strerror(error) : "it has none");
    return error == 0 && out->count > 0;
}
