#include "remember.h"
#include "knownhosts_file.h"
#include "terminal.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Fills HOSTS, which has room for all that were accepted; how many they are. */
static size_t collect(const struct tg_sweep *sweep, const char *comment,
                      struct tg_knownhosts_line *hosts)
{
    size_t count = 0;

    for (size_t i = 0; i < sweep->targets->count; i++) {
        const struct tg_endpoint *at = &sweep->targets->item[i].at;
        struct tg_knownhosts_line *host = &hosts[count];

        if (!sweep->results[i].pinned)
            continue;
        memcpy(host->host, at->host, sizeof(host->host));
        memcpy(host->pin, sweep->results[i].pin, sizeof(host->pin));
        host->port = at->port;
        host->comment = comment;
        count++;
    }
    return count;
}

/* Tells what became of HOSTS; true if none of them is known by another key. */
static bool tell(const struct tg_knownhosts_line *hosts, size_t count, const char *path,
                 struct tg_buf *out)
{
    size_t states[] = {[TG_KNOWNHOSTS_ADDED] = 0,
                       [TG_KNOWNHOSTS_SAME] = 0,
                       [TG_KNOWNHOSTS_CHANGED] = 0,
                       [TG_KNOWNHOSTS_REPLACED] = 0};

    for (size_t i = 0; i < count; i++) {
        states[hosts[i].state]++;
        if (hosts[i].state == TG_KNOWNHOSTS_CHANGED)
            tg_knownhosts_file_complain(path, &hosts[i]);
    }
    tg_buf_escape(out, path, strlen(path));
    tg_buf_printf(out, ": %zu added, %zu known already, %zu known by another key\n",
                  states[TG_KNOWNHOSTS_ADDED], states[TG_KNOWNHOSTS_SAME],
                  states[TG_KNOWNHOSTS_CHANGED]);
    return states[TG_KNOWNHOSTS_CHANGED] == 0;
}

int tg_remember(const struct tg_sweep *sweep, const char *path, struct tg_buf *out)
{
    struct tg_knownhosts_line *hosts = calloc(sweep->counts[TG_SWEEP_ACCEPTED] + 1, sizeof(*hosts));
    char comment[32];
    time_t now = time(NULL);
    struct tm date;
    size_t count;
    int status = TG_EXIT_USAGE;

    if (hosts == NULL) {
        tg_complain("--pin-to: memory ran out");
        return status;
    }
    strftime(comment, sizeof(comment), "scanned %Y-%m-%d", gmtime_r(&now, &date));
    count = collect(sweep, comment, hosts);
    if (tg_knownhosts_file_update(path, hosts, count, false))
        status = tell(hosts, count, path, out) ? TG_EXIT_GOOD : TG_EXIT_REFUSED;
    free(hosts);
    return status;
}
