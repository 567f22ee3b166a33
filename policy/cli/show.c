#include "show.h"
#include "report.h"
#include "terminal.h"
#include <string.h>

static void add_coloured(struct tg_buf *buf, enum tg_colour colour, const char *text)
{
    tg_buf_printf(buf, "%s%s%s", tg_terminal_colour(stdout, colour), text,
                  tg_terminal_colour(stdout, TG_PLAIN));
}

static void add_outcome(struct tg_buf *buf, const struct tg_verdict *verdict,
                        const struct tg_occasion *occasion)
{
    if (verdict->accepted)
        add_coloured(buf, TG_GOOD, "accept");
    else
        add_coloured(buf, TG_BAD, "reject");
    tg_buf_add(buf, " ");
    tg_report_endpoint(buf, occasion->host, occasion->port);
    tg_buf_printf(buf, ": %s\n", tg_result_name(verdict->result));
    if (verdict->reported)
        tg_buf_add(buf, "  mode    report: only logged, the application decides as before\n");
}

static void add_rule(struct tg_buf *buf, const struct tg_verdict *verdict)
{
    if (verdict->rule == NULL || verdict->rule->where.file == NULL) {
        tg_buf_add(buf, "  rule    none\n");
        return;
    }
    tg_buf_add(buf, "  rule    ");
    tg_buf_escape(buf, verdict->rule->where.file, strlen(verdict->rule->where.file));
    tg_buf_printf(buf, ":%u [host ", verdict->rule->where.line);
    tg_buf_escape(buf, verdict->pattern, strlen(verdict->pattern));
    tg_buf_add(buf, "]\n");
}

/* The findings at DEPTH; -1: those whose certificate isn't on the path. */
static void add_findings(struct tg_buf *buf, const struct tg_verdict *verdict, int depth,
                         int indent)
{
    enum tg_colour colour = verdict->accepted ? TG_WARN : TG_BAD;

    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct tg_finding *finding = &verdict->findings[i];
        bool on_path = finding->depth >= 0 && finding->depth < sk_X509_num(verdict->path);

        if (finding->depth != depth && (depth != -1 || on_path))
            continue;
        tg_buf_printf(buf, "%*s", indent, "");
        add_coloured(buf, colour, tg_finding_info(finding->kind)->name);
        tg_buf_printf(buf, ": %s\n", tg_report_finding(finding));
    }
}

static void add_detail(struct tg_buf *buf, int indent, const char *name)
{
    tg_buf_printf(buf, "%*s%s%-6s%s", indent, "", tg_terminal_colour(stdout, TG_FAINT), name,
                  tg_terminal_colour(stdout, TG_PLAIN));
}

static void add_certificate(struct tg_buf *buf, const X509 *certificate, int level)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int indent = 4 + 3 * level;

    tg_buf_printf(buf, "%*s%s", level > 0 ? indent - 3 : indent, "", level > 0 ? "`- " : "");
    tg_buf_add(buf, tg_terminal_colour(stdout, TG_STRONG));
    if (X509_NAME_entry_count(subject) == 0)
        tg_buf_add(buf, "(no subject)");
    tg_report_name(buf, subject);
    tg_buf_printf(buf, "%s\n", tg_terminal_colour(stdout, TG_PLAIN));
    add_detail(buf, indent, "valid");
    tg_report_asn1_time(buf, X509_get0_notBefore(certificate));
    tg_buf_add(buf, " to ");
    tg_report_asn1_time(buf, X509_get0_notAfter(certificate));
    tg_buf_add(buf, "\n");
    add_detail(buf, indent, "cert");
    tg_report_fingerprint(buf, certificate);
    tg_buf_add(buf, "\n");
    add_detail(buf, indent, "pin");
    tg_report_pin(buf, certificate);
    tg_buf_add(buf, "\n");
}

void tg_show_verdict(struct tg_buf *buf, const struct tg_verdict *verdict,
                     const struct tg_occasion *occasion, const char *reached)
{
    int count = sk_X509_num(verdict->path);

    add_outcome(buf, verdict, occasion);
    if (reached != NULL)
        tg_buf_printf(buf, "  reached %s\n", reached);
    add_rule(buf, verdict);
    if (verdict->note != NULL)
        tg_buf_printf(buf, "  note    %s\n", verdict->note);
    add_findings(buf, verdict, -1, 2);
    if (count > 0)
        tg_buf_add(buf, "  path\n");
    for (int depth = count - 1; depth >= 0; depth--) {
        add_certificate(buf, sk_X509_value(verdict->path, depth), count - 1 - depth);
        add_findings(buf, verdict, depth, 4 + 3 * (count - 1 - depth));
    }
}
