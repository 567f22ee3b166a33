#include "show.h"
#include "report.h"
#include "terminal.h"
#include "write.h"
#include <string.h>

static void add_coloured(struct tg_buf *buf, enum tg_colour colour, const char *text)
{
    tg_buf_printf(buf, "%s%s%s", tg_terminal_colour(stdout, colour), text,
                  tg_terminal_colour(stdout, TG_PLAIN));
}

/* Appends TEXT, which is freed, from the column FROM, and ends the line. */
static void add_wrapped(struct tg_buf *buf, int from, int column, struct tg_buf *text)
{
    tg_terminal_wrap(buf, stdout, (size_t)from, (size_t)column,
                     text->text != NULL ? text->text : "");
    tg_buf_add(buf, "\n");
    buf->failed |= text->failed;
    tg_buf_free(text);
}

/* "  NAME    TEXT" */
static void add_line(struct tg_buf *buf, const char *name, const char *text)
{
    tg_buf_printf(buf, "  %s%-8s%s", tg_terminal_colour(stdout, TG_FAINT), name,
                  tg_terminal_colour(stdout, TG_PLAIN));
    tg_terminal_wrap(buf, stdout, 10, 10, text);
    tg_buf_add(buf, "\n");
}

const char *tg_show_outcome(tg_result result)
{
    switch (result) {
    case TG_RESULT_PROCEED:
        return "accepted: by the policy";
    case TG_RESULT_UNSPECIFIED:
        return "accepted: its CA is trusted";
    case TG_RESULT_DENY:
        return "refused: by the policy";
    case TG_RESULT_RECOVERABLE_FAILURE:
        return "refused: not trusted";
    case TG_RESULT_FATAL_FAILURE:
        return "refused: defective";
    case TG_RESULT_OTHER_ERROR:
        break;
    }
    return "refused: revoked, or not judged";
}

static void add_outcome(struct tg_buf *buf, const struct tg_verdict *verdict,
                        const struct tg_occasion *occasion)
{
    struct tg_buf rest = {0};

    if (verdict->accepted)
        add_coloured(buf, TG_GOOD, "accept");
    else
        add_coloured(buf, TG_BAD, "reject");
    tg_buf_add(buf, " ");
    tg_write_endpoint(&rest, occasion->host, occasion->port);
    tg_buf_printf(&rest, ": %s (%s)", tg_result_name(verdict->result),
                  tg_show_outcome(verdict->result));
    add_wrapped(buf, 7, 2, &rest);
    if (verdict->reported)
        add_line(buf, "mode", "report: only logged, the application decides as before");
}

void tg_show_rule(struct tg_buf *buf, const struct tg_rule *rule, const char *pattern)
{
    tg_buf_escape(buf, rule->where.file, strlen(rule->where.file));
    tg_buf_printf(buf, ":%u [host ", rule->where.line);
    tg_buf_escape(buf, pattern, strlen(pattern));
    tg_buf_add(buf, "]");
}

void tg_show_subject(struct tg_buf *buf, const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);

    if (X509_NAME_entry_count(subject) == 0)
        tg_buf_add(buf, "(no subject)");
    tg_write_name(buf, subject);
}

static void add_rule(struct tg_buf *buf, const struct tg_verdict *verdict)
{
    struct tg_buf rule = {0};

    if (verdict->rule == NULL || verdict->rule->where.file == NULL) {
        add_line(buf, "rule", "none");
        return;
    }
    tg_show_rule(&rule, verdict->rule, verdict->pattern);
    add_line(buf, "rule", rule.text != NULL ? rule.text : "");
    buf->failed |= rule.failed;
    tg_buf_free(&rule);
}

/* The findings at DEPTH; -1: those whose certificate isn't on the path. */
static void add_findings(struct tg_buf *buf, const struct tg_verdict *verdict, int depth,
                         int indent)
{
    enum tg_colour colour = verdict->accepted ? TG_WARN : TG_BAD;

    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct tg_finding *finding = &verdict->findings[i];
        const char *name = tg_finding_info(finding->kind)->name;
        bool on_path = finding->depth >= 0 && finding->depth < sk_X509_num(verdict->path);

        if (finding->depth != depth && (depth != -1 || on_path))
            continue;
        tg_buf_printf(buf, "%*s", indent, "");
        add_coloured(buf, colour, name);
        tg_buf_add(buf, ": ");
        tg_terminal_wrap(buf, stdout, (size_t)indent + strlen(name) + 2, (size_t)indent + 2,
                         tg_report_finding(finding));
        tg_buf_add(buf, "\n");
    }
}

static void add_detail(struct tg_buf *buf, int indent, const char *name)
{
    tg_buf_printf(buf, "%*s%s%-6s%s", indent, "", tg_terminal_colour(stdout, TG_FAINT), name,
                  tg_terminal_colour(stdout, TG_PLAIN));
}

static void add_certificate(struct tg_buf *buf, const X509 *certificate, int level)
{
    struct tg_buf name = {0}, dates = {0};
    int indent = 4 + 3 * level;

    tg_buf_printf(buf, "%*s%s", level > 0 ? indent - 3 : indent, "",
                  level > 0 ? tg_terminal_branch(stdout) : "");
    tg_buf_add(buf, tg_terminal_colour(stdout, TG_STRONG));
    tg_show_subject(&name, certificate);
    add_wrapped(buf, indent, indent + 2, &name);
    tg_buf_add(buf, tg_terminal_colour(stdout, TG_PLAIN));
    add_detail(buf, indent, "valid");
    tg_write_asn1_time(&dates, X509_get0_notBefore(certificate));
    tg_buf_add(&dates, " to ");
    tg_write_asn1_time(&dates, X509_get0_notAfter(certificate));
    add_wrapped(buf, indent + 6, indent + 6, &dates);
    add_detail(buf, indent, "cert");
    tg_write_fingerprint(buf, certificate);
    tg_buf_add(buf, "\n");
    add_detail(buf, indent, "pin");
    tg_write_pin(buf, certificate);
    tg_buf_add(buf, "\n");
}

void tg_show_verdict(struct tg_buf *buf, const struct tg_verdict *verdict,
                     const struct tg_occasion *occasion, const char *connection)
{
    int count = sk_X509_num(verdict->path);

    add_outcome(buf, verdict, occasion);
    if (connection != NULL)
        add_line(buf, "reached", connection);
    add_rule(buf, verdict);
    if (verdict->note != NULL)
        add_line(buf, "note", verdict->note);
    add_findings(buf, verdict, -1, 2);
    if (count > 0)
        tg_buf_add(buf, "  path\n");
    for (int depth = count - 1; depth >= 0; depth--) {
        add_certificate(buf, sk_X509_value(verdict->path, depth), count - 1 - depth);
        add_findings(buf, verdict, depth, 4 + 3 * (count - 1 - depth));
    }
}
