#include "meet.h"
#include "handshake.h"
#include "resolve.h"
#include "terminal.h"
#include "write.h"
#include <string.h>
#include <unistd.h>

enum { HTTPS = 443, SECONDS = 10 };

bool tg_route_ask(struct tg_route *route, const struct tg_options *options)
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

bool tg_meet(const struct tg_route *route, const struct tg_endpoint *at,
             struct tg_presented *presented, char peer[TG_PEER_SIZE], struct tg_buf *why,
             struct tg_buf *note)
{
    int64_t deadline = tg_dial_deadline(route->seconds);
    struct tg_addresses addresses = route->addresses;
    struct tg_line line = {.fd = -1};
    bool met =
        addresses.count > 0 || tg_resolve_name(at->host, at->port, deadline, &addresses, why);

    met = met && tg_dial(&addresses, deadline, &line, why) &&
          (route->starttls == NULL || tg_starttls(route->starttls, &line, why)) &&
          tg_handshake(&line, at->host, presented, why, note);
    if (line.fd != -1)
        close(line.fd);
    memcpy(peer, line.peer, sizeof(line.peer));
    return met;
}

void tg_meet_complain(const struct tg_endpoint *at, const struct tg_buf *why)
{
    struct tg_buf endpoint = {0};

    tg_write_endpoint(&endpoint, at->host, at->port);
    tg_complain("%s: %s", endpoint.text != NULL ? endpoint.text : at->host,
                why->text != NULL && !why->failed ? why->text : "memory ran out");
    tg_buf_free(&endpoint);
}
