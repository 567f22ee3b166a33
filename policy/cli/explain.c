/* explain.c - which rule applies to a host, why not the others, and what it demands. */
#include "argument.h"
#include "chosen.h"
#include "compiled.h"
#include "connect.h"
#include "finding.h"
#include "match.h"
#include "pin.h"
#include "report.h"
#include "requirements.h"
#include "route.h"
#include "script.h"
#include "show.h"
#include "terminal.h"
#include "verbs.h"
#include "write.h"
#include <string.h>
#include <time.h>

/* What is explained, and the text of it that grows. */
struct explanation {
    const tg_policy *policy;
    struct tg_endpoint at;
    const char *program; /* NULL: not given */
    struct tg_match match;
    struct tg_buf *buf;
    size_t others;
};

static enum tg_action action(const struct explanation *about)
{
    if (about->match.rule != NULL)
        return about->match.rule->action;
    return TG_ACTION_PASS; /* unmatched = app */
}

static enum tg_mode mode(const struct explanation *about)
{
    return about->match.rule != NULL ? about->match.rule->mode : about->policy->mode;
}

static bool demands_something(const struct explanation *about)
{
    return about->match.kind != TG_MATCH_UNKNOWN && action(about) == TG_ACTION_EVALUATE;
}

static bool wins(const struct explanation *about, const struct tg_rule *rule)
{
    return about->match.kind == TG_MATCH_RULE && rule == about->match.rule;
}

static bool fits(const struct tg_exception *exception, const struct tg_endpoint *at)
{
    return strcmp(exception->host, at->host) == 0 &&
           (exception->port == 0 || exception->port == at->port);
}

/* ---- text -------------------------------------------------------------------------------- */

static void tell_rule(const struct explanation *about)
{
    static const char *const unmatched[] = {
        [TG_UNMATCHED_APP] = "app: it is left wholly to the application",
        [TG_UNMATCHED_VERIFY] = "verify: it is verified, whatever the application asked for",
        [TG_UNMATCHED_REJECT] = "reject: it is refused"};

    tg_buf_add(about->buf, "  rule    ");
    switch (about->match.kind) {
    case TG_MATCH_RULE:
        tg_show_rule(about->buf, about->match.rule, about->match.pattern);
        break;
    case TG_MATCH_UNMATCHED:
        tg_buf_printf(about->buf, "none: unmatched = %s", unmatched[about->policy->unmatched]);
        break;
    case TG_MATCH_UNKNOWN:
        tg_buf_printf(about->buf,
                      "it depends on the %s: give %s. A connection of which that is "
                      "unknown is refused",
                      about->match.lacking, tg_argument_for(about->match.lacking, "HOST:PORT"));
        break;
    }
    tg_buf_add(about->buf, "\n");
}

static void tell_action(const struct explanation *about)
{
    static const char *const actions[] = {[TG_ACTION_EVALUATE] =
                                              "evaluate: the server has to fulfil what follows",
                                          [TG_ACTION_PASS] = "pass: it is left to the application",
                                          [TG_ACTION_REJECT] = "reject: it is refused"};

    if (about->match.kind == TG_MATCH_UNKNOWN)
        return;
    if (about->match.kind == TG_MATCH_RULE)
        tg_buf_printf(about->buf, "  action  %s\n", actions[action(about)]);
    if (about->match.rule != NULL && about->match.rule->profile != NULL) {
        tg_buf_add(about->buf, "  profile ");
        tg_buf_escape(about->buf, about->match.rule->profile, strlen(about->match.rule->profile));
        tg_buf_add(about->buf, ", whose keys are merged in\n");
    }
    if (action(about) != TG_ACTION_PASS)
        tg_buf_printf(about->buf, "  mode    %s\n",
                      mode(about) == TG_MODE_REPORT
                          ? "report: a refusal is logged, and the application decides as before"
                          : "enforce");
}

static void tell_other(void *arg, const struct tg_rule *rule, const char *pattern, const char *why)
{
    struct explanation *about = arg;

    if (wins(about, rule))
        return;
    if (about->others++ == 0)
        tg_buf_add(about->buf, "\nOther rules for this host:\n");
    tg_buf_add(about->buf, "  ");
    tg_show_rule(about->buf, rule, pattern);
    tg_buf_printf(about->buf, ": %s\n", why);
}

static void tell_terms(struct tg_buf *buf, const struct tg_exception *exception)
{
    if (exception->expires != 0) {
        tg_buf_add(buf, "    until ");
        tg_write_time(buf, exception->expires);
        tg_buf_add(buf, "\n");
    }
    if (exception->note != NULL) {
        tg_buf_add(buf, "    note: ");
        tg_buf_escape(buf, exception->note, strlen(exception->note));
        tg_buf_add(buf, "\n");
    }
}

static void tell_exceptions(const struct explanation *about, time_t now)
{
    const char *heading = "\nExceptions for this host:\n";
    const tg_policy *held = tg_policy_exceptions(about->policy, about->at.host);

    for (size_t i = 0; held != NULL && i < held->exception_count; i++) {
        const struct tg_exception *exception = &held->exceptions[i];
        char hex[TG_HEX_SIZE];

        if (!fits(exception, &about->at))
            continue;
        tg_buf_add(about->buf, heading);
        heading = "";
        tg_buf_add(about->buf, "  ");
        tg_buf_escape(about->buf, exception->where.file, strlen(exception->where.file));
        tg_hex_text(exception->leaf, hex);
        tg_buf_printf(about->buf, ":%u %s the certificate\n    sha256:%s\n   ",
                      exception->where.line,
                      exception->expires != 0 && now >= exception->expires
                          ? "has expired and no longer forgives"
                          : "forgives",
                      hex);
        for (int kind = 0; kind < TG_FINDING_KINDS; kind++)
            if ((exception->findings & (UINT64_C(1) << kind)) != 0)
                tg_buf_printf(about->buf, " %s", tg_finding_info(kind)->name);
        tg_buf_add(about->buf, "\n");
        tell_terms(about->buf, exception);
    }
}

static size_t distrusted(const tg_policy *policy)
{
    return policy->distrusted_certificates.count + policy->distrusted_keys.count;
}

static void tell_distrust(const struct explanation *about)
{
    size_t count = distrusted(about->policy);

    if (count == 0)
        return;
    tg_buf_add(about->buf, "\nRefused for every host: a path that holds ");
    if (count == 1)
        tg_buf_add(about->buf, "the certificate or key of [distrust]\n");
    else
        tg_buf_printf(about->buf, "one of the %zu certificates and keys of [distrust]\n", count);
}

static void tell(struct explanation *about)
{
    time_t now = time(NULL);

    tg_buf_add(about->buf, tg_terminal_colour(stdout, TG_STRONG));
    tg_write_endpoint(about->buf, about->at.host, about->at.port);
    tg_buf_add(about->buf, tg_terminal_colour(stdout, TG_PLAIN));
    if (about->program != NULL) {
        tg_buf_add(about->buf, " from ");
        tg_buf_escape(about->buf, about->program, strlen(about->program));
    }
    tg_buf_add(about->buf, "\n");
    if (tg_policy_is_compiled(about->policy)) {
        tg_buf_add(about->buf, "  image   ");
        tg_buf_escape(about->buf, about->policy->file, strlen(about->policy->file));
        tg_buf_add(about->buf, TG_IMAGE_SUFFIX ", which is fresh\n");
    }
    tell_rule(about);
    tell_action(about);
    if (demands_something(about)) {
        tg_buf_add(about->buf, "\nIt demands:\n");
        tg_requirements_text(about->buf, about->match.rule, about->at.host, now);
    }
    tell_distrust(about);
    tell_exceptions(about, now);
    tg_policy_explain(about->policy, about->at.host, about->at.port, about->program, tell_other,
                      about);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void add_other(void *arg, const struct tg_rule *rule, const char *pattern, const char *why)
{
    struct explanation *about = arg;

    if (wins(about, rule))
        return;
    tg_buf_add(about->buf, about->others++ > 0 ? ",{\"file\":" : "{\"file\":");
    tg_buf_json(about->buf, rule->where.file);
    tg_buf_printf(about->buf, ",\"line\":%u,\"pattern\":", rule->where.line);
    tg_buf_json(about->buf, pattern);
    tg_buf_add(about->buf, ",\"why\":");
    tg_buf_json(about->buf, why);
    tg_buf_add(about->buf, "}");
}

static void add_exception(struct tg_buf *buf, const struct tg_exception *exception)
{
    const char *comma = "";
    char hex[TG_HEX_SIZE];

    tg_hex_text(exception->leaf, hex);
    tg_buf_add(buf, "{\"file\":");
    tg_buf_json(buf, exception->where.file);
    tg_buf_printf(buf, ",\"line\":%u,\"certificate\":\"sha256:%s\",\"findings\":[",
                  exception->where.line, hex);
    for (int kind = 0; kind < TG_FINDING_KINDS; kind++) {
        if ((exception->findings & (UINT64_C(1) << kind)) == 0)
            continue;
        tg_buf_printf(buf, "%s\"%s\"", comma, tg_finding_info(kind)->name);
        comma = ",";
    }
    tg_buf_add(buf, "],\"expires\":");
    tg_write_time_json(buf, exception->expires);
    tg_buf_add(buf, ",\"note\":");
    tg_buf_json(buf, exception->note);
    tg_buf_add(buf, "}");
}

static void add_exceptions(const struct explanation *about)
{
    const tg_policy *held = tg_policy_exceptions(about->policy, about->at.host);
    const char *comma = "";

    for (size_t i = 0; held != NULL && i < held->exception_count; i++) {
        if (!fits(&held->exceptions[i], &about->at))
            continue;
        tg_buf_add(about->buf, comma);
        add_exception(about->buf, &held->exceptions[i]);
        comma = ",";
    }
}

static void add_verdict(const struct explanation *about)
{
    static const char *const actions[] = {[TG_ACTION_EVALUATE] = "evaluate",
                                          [TG_ACTION_PASS] = "pass",
                                          [TG_ACTION_REJECT] = "reject"};
    bool unknown = about->match.kind == TG_MATCH_UNKNOWN;

    tg_buf_add(about->buf, ",\"rule\":");
    tg_report_rule_json(about->buf, unknown ? NULL : about->match.rule, about->match.pattern);
    tg_buf_printf(about->buf, ",\"action\":\"%s\",\"mode\":\"%s\",\"demands\":",
                  unknown ? "reject" : actions[action(about)],
                  mode(about) == TG_MODE_REPORT ? "report" : "enforce");
    if (demands_something(about))
        tg_requirements_json(about->buf, about->match.rule);
    else
        tg_buf_add(about->buf, "null");
}

static void tell_json(struct explanation *about)
{
    static const char *const kinds[] = {[TG_MATCH_RULE] = "rule",
                                        [TG_MATCH_UNMATCHED] = "unmatched",
                                        [TG_MATCH_UNKNOWN] = "unknown"};
    struct tg_buf endpoint = {0};

    tg_report_endpoint_json(&endpoint, about->at.host, about->at.port);
    tg_buf_printf(about->buf, "{%s,\"program\":", endpoint.failed ? "" : endpoint.text + 1);
    about->buf->failed |= endpoint.failed;
    tg_buf_free(&endpoint);
    tg_buf_json(about->buf, about->program);
    tg_buf_printf(about->buf, ",\"kind\":\"%s\"", kinds[about->match.kind]);
    add_verdict(about);
    tg_buf_add(about->buf, ",\"others\":[");
    tg_policy_explain(about->policy, about->at.host, about->at.port, about->program, add_other,
                      about);
    tg_buf_add(about->buf, "],\"exceptions\":[");
    add_exceptions(about);
    tg_buf_printf(about->buf, "],\"distrusted\":%zu,\"compiled\":%s}\n", distrusted(about->policy),
                  tg_policy_is_compiled(about->policy) ? "true" : "false");
}

/* What only a connection makes use of. */
static bool lacks_connect(const struct tg_options *options)
{
    const char *name = tg_route_option(options);

    if (name == NULL && options->time != NULL)
        name = "time";
    else if (name == NULL && options->app_anchors != NULL)
        name = "app-anchors";
    if (name != NULL)
        tg_complain("explain: --%s is for --connect, which isn't given", name);
    return name != NULL;
}

static int explain_rule(const struct tg_options *options)
{
    struct tg_buf buf = {0};
    struct explanation about = {.buf = &buf};
    char program[PATH_MAX];
    tg_policy *policy;
    int status = TG_EXIT_USAGE;

    if (!tg_argument_endpoint(options->operands[0], &about.at) ||
        (options->program != NULL && !tg_script_resolve(options->program, program)))
        return TG_EXIT_USAGE;
    about.program = options->program != NULL ? program : NULL;
    policy = tg_chosen_decider(options, &status);
    if (policy == NULL)
        return status;
    about.policy = policy;
    about.match = tg_policy_match(policy, about.at.host, about.at.port, about.program);
    if (options->json)
        tell_json(&about);
    else
        tell(&about);
    status = tg_terminal_write(stdout, &buf) ? TG_EXIT_GOOD : TG_EXIT_USAGE;
    tg_policy_free(policy);
    return status;
}

static int explain(const struct tg_options *options)
{
    if (options->connect)
        return tg_connect_explain(options);
    return lacks_connect(options) ? TG_EXIT_USAGE : explain_rule(options);
}

const struct tg_verb tg_verb_explain = {
    .name = "explain",
    .synopsis = "[--connect] [OPTION...] HOST[:PORT]",
    .summary = "tell which rule applies to a host, and what it demands",
    .details =
        "Without any connection: which rule of the policy applies to HOST, where it stands, "
        "why the others don't, and what it demands of the server.\n"
        "With --connect: makes a TLS handshake with HOST, port 443 unless it is given, sends "
        "nothing more, and evaluates what it presented as inside a program: the path as a "
        "tree, each finding at its certificate.\n"
        "Exit 0; 1: the server is refused, or the policy has errors; 2: usage, a file can't "
        "be read, or there is no TLS connection to be had.",
    .options = TG_OPTION_CONNECT | TG_OPTION_ROUTE | TG_OPTION_PROGRAM | TG_OPTION_TIME |
               TG_OPTION_APP_ANCHORS | TG_OPTION_JSON,
    .least = 1,
    .most = 1,
    .missing = "the host is missing",
    .run = explain,
};
