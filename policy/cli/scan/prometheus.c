#include "prometheus.h"
#include "finding.h"
#include "save.h"
#include "terminal.h"
#include <string.h>

/* A label's value: https://prometheus.io/docs/instrumenting/exposition_formats/ */
static void add_value(struct tg_buf *out, const char *text)
{
    tg_buf_add(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"')
            tg_buf_add(out, "\\");
        tg_buf_addn(out, text, 1);
    }
    tg_buf_add(out, "\"");
}

static void begin(struct tg_buf *out, const char *name, const char *help)
{
    tg_buf_printf(out, "# HELP trustgraft_%s %s\n# TYPE trustgraft_%s gauge\n", name, help, name);
}

/* `trustgraft_NAME{host="...",port="443"`: more labels may follow. */
static void open_sample(struct tg_buf *out, const char *name, const struct tg_target *target)
{
    tg_buf_printf(out, "trustgraft_%s{host=", name);
    add_value(out, target->at.host);
    tg_buf_printf(out, ",port=\"%u\"", target->at.port);
}

static void add_hosts(struct tg_buf *out, const struct tg_sweep *sweep, const char *name,
                      const char *help, enum tg_sweep_state least, enum tg_sweep_state most)
{
    begin(out, name, help);
    for (size_t i = 0; i < sweep->targets->count; i++) {
        enum tg_sweep_state state = sweep->results[i].state;

        if (state == TG_SWEEP_PENDING)
            continue;
        open_sample(out, name, &sweep->targets->item[i]);
        tg_buf_printf(out, "} %d\n", state >= least && state <= most);
    }
}

static void add_findings(struct tg_buf *out, const struct tg_sweep *sweep)
{
    begin(out, "host_finding", "1 for each finding for which the policy refuses the server.");
    for (size_t i = 0; i < sweep->targets->count; i++) {
        const struct tg_sweep_result *result = &sweep->results[i];
        uint64_t seen = 0;

        for (size_t k = 0; k < result->finding_count; k++) {
            uint64_t bit = UINT64_C(1) << result->findings[k].kind;

            if (seen & bit)
                continue;
            seen |= bit;
            open_sample(out, "host_finding", &sweep->targets->item[i]);
            tg_buf_printf(out, ",finding=\"%s\"} 1\n",
                          tg_finding_info(result->findings[k].kind)->name);
        }
    }
}

static void add_ends(struct tg_buf *out, const struct tg_sweep *sweep)
{
    begin(out, "certificate_not_after_seconds",
          "When the server's own certificate expires, in seconds since 1970.");
    for (size_t i = 0; i < sweep->targets->count; i++) {
        if (sweep->results[i].facts.not_after == 0)
            continue;
        open_sample(out, "certificate_not_after_seconds", &sweep->targets->item[i]);
        tg_buf_printf(out, "} %lld\n", (long long)sweep->results[i].facts.not_after);
    }
    begin(out, "ending_seconds",
          "When a certificate, CRL, pin or exception ends that does so within --warn-days.");
    for (size_t i = 0; i < sweep->targets->count; i++) {
        const struct tg_facts *facts = &sweep->results[i].facts;

        for (size_t k = 0; k < facts->ending_count; k++) {
            open_sample(out, "ending_seconds", &sweep->targets->item[i]);
            tg_buf_printf(out, ",number=\"%zu\",what=", k + 1);
            add_value(out, facts->endings[k].what != NULL ? facts->endings[k].what : "");
            tg_buf_printf(out, "} %lld\n", (long long)facts->endings[k].when);
        }
    }
}

static void add_sums(struct tg_buf *out, const struct tg_sweep *sweep)
{
    static const char *const states[] = {[TG_SWEEP_PENDING] = "not-looked-at",
                                         [TG_SWEEP_ACCEPTED] = "accepted",
                                         [TG_SWEEP_REFUSED] = "refused",
                                         [TG_SWEEP_FAILED] = "not-reached"};

    begin(out, "scan_hosts", "How many servers were scanned, by what came of it.");
    for (int state = 0; state < TG_SWEEP_STATES; state++)
        tg_buf_printf(out, "trustgraft_scan_hosts{state=\"%s\"} %zu\n", states[state],
                      state == TG_SWEEP_PENDING ? sweep->targets->count - sweep->finished
                                                : sweep->counts[state]);
    begin(out, "scan_time_seconds", "When the scan began, in seconds since 1970.");
    tg_buf_printf(out, "trustgraft_scan_time_seconds %lld\n", (long long)sweep->now);
}

bool tg_prometheus_write(const struct tg_sweep *sweep, const char *path)
{
    struct tg_buf text = {0};

    add_hosts(&text, sweep, "host_accepted", "1 if the policy accepts the server, else 0.",
              TG_SWEEP_ACCEPTED, TG_SWEEP_ACCEPTED);
    add_hosts(&text, sweep, "host_reached", "1 if there was a certificate to evaluate, else 0.",
              TG_SWEEP_ACCEPTED, TG_SWEEP_REFUSED);
    add_findings(&text, sweep);
    add_ends(&text, sweep);
    add_sums(&text, sweep);
    return tg_save_text(path, &text);
}
