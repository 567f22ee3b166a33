#include "route.h"
#include "address.h"
#include "deadline.h"
#include "handshake.h"
#include "presented.h"
#include "resolve.h"
#include "terminal.h"
#include "write.h"
#include <string.h>
#include <unistd.h>

enum { HTTPS = 443, SECONDS = 10 };

bool tg_route_read(struct tg_route *route, const struct tg_options *options)
{
    route->seconds = SECONDS;
    if (options->timeout != NULL && !tg_argument_timeout(options->timeout, &route->seconds))
        return false;
    if (options->starttls != NULL)
        route->starttls = tg_starttls_find(options->starttls);
    return options->starttls == NULL || route->starttls != NULL;
}

const char *tg_route_option(const struct tg_options *options)
{
    return options->resolve[0] != NULL ? "resolve"
           : options->starttls != NULL ? "starttls"
           : options->timeout != NULL  ? "timeout"
                                       : NULL;
}

bool tg_route_to(struct tg_route *route, const struct tg_options *options, struct tg_endpoint *at)
{
    if (at->port == 0)
        at->port = route->starttls != NULL ? tg_starttls_port(route->starttls) : HTTPS;
    route->addresses.count = 0;
    return tg_resolve_given(options->resolve, at, &route->addresses);
}

bool tg_route_connect(const struct tg_route *route, const struct tg_endpoint *at,
                      struct tg_presented *presented, struct tg_buf *why, struct tg_buf *note)
{
    int64_t deadline = tg_deadline_in(route->seconds);
    struct tg_addresses addresses = route->addresses;
    struct tg_stream stream = {.fd = -1};
    bool done =
        (addresses.count > 0 || tg_resolve_name(at->host, at->port, deadline, &addresses, why)) &&
        tg_stream_open(&addresses, deadline, &stream, why) &&
        (route->starttls == NULL || tg_starttls(route->starttls, &stream, at->host, why)) &&
        tg_handshake(&stream, at->host, presented, why, note);

    if (stream.fd != -1)
        close(stream.fd);
    memcpy(presented->peer, stream.peer, sizeof(stream.peer));
    return done;
}

/* "HOST:PORT: SENTENCE" */
static void complain(const struct tg_endpoint *at, const struct tg_buf *sentence)
{
    struct tg_buf endpoint = {0};

    tg_write_endpoint(&endpoint, at->host, at->port);
    tg_complain_of(endpoint.text != NULL ? endpoint.text : at->host, sentence);
    tg_buf_free(&endpoint);
}

bool tg_route_call(const struct tg_route *route, const struct tg_endpoint *at,
                   struct tg_presented *presented)
{
    struct tg_buf why = {0}, note = {0};
    bool done = tg_route_connect(route, at, presented, &why, &note);

    if (!done || note.length > 0)
        complain(at, done ? &note : &why);
    tg_buf_free(&why);
    tg_buf_free(&note);
    return done;
}
