#include "report.h"
#include "pathjson.h"
#include "write.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

const char *tg_report_finding(const struct tg_finding *finding)
{
    return finding->text != NULL ? finding->text : tg_finding_info(finding->kind)->sentence;
}

static bool in_file(const struct tg_rule *rule)
{
    return rule != NULL && rule->where.file != NULL;
}

/* ---- text -------------------------------------------------------------------------------- */

static void add_program(struct tg_buf *buf, const struct tg_occasion *occasion)
{
    const char *slash = occasion->program != NULL ? strrchr(occasion->program, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : occasion->program;

    if (name == NULL)
        name = "unknown";
    tg_buf_escape(buf, name, strlen(name));
    tg_buf_printf(buf, "[%ld]: ", occasion->pid);
}

static void add_findings(struct tg_buf *buf, const struct tg_verdict *verdict)
{
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct tg_finding *finding = &verdict->findings[i];

        tg_buf_printf(buf, "%s%s: %s", i > 0 ? "; " : "", tg_finding_info(finding->kind)->name,
                      tg_report_finding(finding));
    }
}

static void add_rule(struct tg_buf *buf, const struct tg_verdict *verdict)
{
    if (!in_file(verdict->rule)) {
        tg_buf_add(buf, verdict->rule != NULL ? " (unmatched)" : "");
        return;
    }
    tg_buf_add(buf, " (");
    tg_buf_escape(buf, verdict->rule->where.file, strlen(verdict->rule->where.file));
    tg_buf_printf(buf, ":%u", verdict->rule->where.line);
    if (verdict->pattern != NULL) {
        tg_buf_add(buf, " [host ");
        tg_buf_escape(buf, verdict->pattern, strlen(verdict->pattern));
        tg_buf_add(buf, "]");
    }
    tg_buf_add(buf, ")");
}

char *tg_verdict_text(const struct tg_verdict *verdict, const struct tg_occasion *occasion)
{
    struct tg_buf buf = {0};

    add_program(&buf, occasion);
    if (verdict->accepted)
        tg_buf_add(&buf, "accept ");
    else
        tg_buf_add(&buf, verdict->reported ? "would reject (report) " : "reject ");
    tg_write_endpoint(&buf, occasion->host, occasion->port);
    tg_buf_add(&buf, ": ");
    if (verdict->finding_count == 0)
        tg_buf_add(&buf, tg_result_name(verdict->result));
    add_findings(&buf, verdict);
    if (verdict->note != NULL)
        tg_buf_printf(&buf, "; %s", verdict->note);
    add_rule(&buf, verdict);
    return tg_buf_take(&buf);
}

/* Some programs take a text of their library's for a format: none of those has a percent sign. */
static void escape_formats(struct tg_buf *buf)
{
    char *text = tg_buf_take(buf), *at = text, *sign = NULL;

    buf->failed = text == NULL;
    for (; at != NULL && (sign = strchr(at, '%')) != NULL; at = sign + 1) {
        tg_buf_addn(buf, at, (size_t)(sign - at));
        tg_buf_add(buf, "\\x25");
    }
    tg_buf_add(buf, at != NULL ? at : "");
    free(text);
}

/* To at most MOST bytes, which are 16 or more, and no part of a character. */
static void cut(struct tg_buf *buf, size_t most)
{
    if (buf->failed || buf->length <= most)
        return;
    for (buf->length = most - 3; ((unsigned char)buf->text[buf->length] & 0xC0) == 0x80;)
        buf->length--;
    tg_buf_add(buf, "...");
}

/* What the verdict's error code stands for. */
static const struct tg_finding *main_finding(const struct tg_verdict *verdict)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].x509_error == verdict->x509_error)
            return &verdict->findings[i];
    return verdict->finding_count > 0 ? verdict->findings : NULL;
}

/* Where the reader is to look: not at the host's rule where it is [distrust] that refuses. */
static bool is_by_rule(const struct tg_verdict *verdict)
{
    const struct tg_finding *finding = main_finding(verdict);

    return in_file(verdict->rule) && (finding == NULL || finding->kind != TG_DISTRUSTED);
}

char *tg_verdict_reason(const struct tg_verdict *verdict, size_t most)
{
    struct tg_buf buf = {0};

    tg_buf_add(&buf, "trustgraft: refused");
    if (in_file(verdict->rule) && !is_by_rule(verdict))
        tg_buf_add(&buf, " by [distrust]");
    if (is_by_rule(verdict)) {
        tg_buf_add(&buf, " by ");
        tg_buf_escape(&buf, verdict->rule->where.file, strlen(verdict->rule->where.file));
        tg_buf_printf(&buf, ":%u", verdict->rule->where.line);
    }
    tg_buf_add(&buf, ": ");
    add_findings(&buf, verdict);
    escape_formats(&buf);
    cut(&buf, most);
    return tg_buf_take(&buf);
}

/* WHERE in brackets, of which the end matters more: in at most MOST bytes in all. */
static void add_place(struct tg_buf *buf, const struct tg_where *where, size_t most)
{
    enum { AROUND = 3, DOTS = 3 }; /* " (" and ")" */
    struct tg_buf place = {0};
    const char *from = NULL;
    size_t room = most > buf->length + AROUND ? most - buf->length - AROUND : 0;

    tg_buf_escape(&place, where->file, strlen(where->file));
    tg_buf_printf(&place, ":%u", where->line);
    escape_formats(&place);
    if (!place.failed && place.length <= room)
        tg_buf_printf(buf, " (%s)", place.text);
    else if (!place.failed && room > DOTS) {
        for (from = place.text + place.length - (room - DOTS);
             ((unsigned char)*from & 0xC0) == 0x80;)
            from++;
        tg_buf_printf(buf, " (...%s)", from);
    }
    buf->failed = buf->failed || place.failed;
    tg_buf_free(&place);
}

char *tg_verdict_brief(const struct tg_verdict *verdict, size_t most)
{
    const struct tg_finding *finding = main_finding(verdict);
    struct tg_buf buf = {0};

    tg_buf_printf(&buf, "trustgraft: %s",
                  finding != NULL ? tg_finding_info(finding->kind)->name
                                  : tg_result_name(verdict->result));
    if (is_by_rule(verdict))
        add_place(&buf, &verdict->rule->where, most);
    else if (finding != NULL)
        tg_buf_printf(&buf, ": %s", tg_report_finding(finding));
    escape_formats(&buf);
    cut(&buf, most);
    return tg_buf_take(&buf);
}

/* ---- JSON -------------------------------------------------------------------------------- */

/* How much of a verdict is written. */
struct extent {
    size_t text, findings; /* bytes of each text, and how many findings */
    bool path;
};
static const struct extent whole = {SIZE_MAX, SIZE_MAX, true};

/* Of TEXT, which may be NULL, at most MOST bytes and then "...". */
static void add_start_json(struct tg_buf *buf, const char *text, size_t most)
{
    struct tg_buf start = {0};

    if (text == NULL || strlen(text) <= most) {
        tg_buf_json(buf, text);
        return;
    }
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    tg_buf_addn(&start, text, most);
    tg_buf_add(&start, "...");
    if (start.failed)
        buf->failed = true;
    else
        tg_buf_json(buf, start.text);
    tg_buf_free(&start);
}

static void add_rule_json(struct tg_buf *buf, const struct tg_rule *rule, const char *pattern,
                          size_t most)
{
    if (!in_file(rule)) {
        tg_buf_add(buf, "null");
        return;
    }
    tg_buf_add(buf, "{\"file\":");
    add_start_json(buf, rule->where.file, most);
    tg_buf_add(buf, ",\"line\":");
    tg_buf_number(buf, rule->where.line);
    tg_buf_add(buf, ",\"pattern\":");
    add_start_json(buf, pattern, most);
    tg_buf_add(buf, "}");
}

void tg_report_rule_json(struct tg_buf *buf, const struct tg_rule *rule, const char *pattern)
{
    add_rule_json(buf, rule, pattern, SIZE_MAX);
}

static void add_endpoint_json(struct tg_buf *buf, const char *host, unsigned port, size_t most)
{
    tg_buf_add(buf, ",\"host\":");
    add_start_json(buf, host, most);
    tg_buf_add(buf, ",\"port\":");
    if (port != 0)
        tg_buf_number(buf, port);
    else
        tg_buf_add(buf, "null");
}

void tg_report_endpoint_json(struct tg_buf *buf, const char *host, unsigned port)
{
    add_endpoint_json(buf, host, port, SIZE_MAX);
}

static void add_occasion_json(struct tg_buf *buf, const struct tg_occasion *occasion, size_t most)
{
    tg_buf_add(buf, "{\"time\":\"");
    tg_write_time(buf, occasion->time);
    tg_buf_add(buf, "\",\"program\":");
    add_start_json(buf, occasion->program, most);
    tg_buf_add(buf, ",\"pid\":");
    tg_buf_number(buf, occasion->pid);
    add_endpoint_json(buf, occasion->host, occasion->port, most);
}

void tg_report_occasion_json(struct tg_buf *buf, const struct tg_occasion *occasion)
{
    add_occasion_json(buf, occasion, SIZE_MAX);
}

static void add_lists_json(struct tg_buf *buf, const struct tg_verdict *verdict,
                           const struct extent *extent)
{
    tg_buf_add(buf, ",\"findings\":[");
    for (size_t i = 0; i < verdict->finding_count && i < extent->findings; i++) {
        const struct tg_finding *finding = &verdict->findings[i];

        tg_buf_printf(buf, "%s{\"name\":\"%s\",\"depth\":%d,\"text\":", i > 0 ? "," : "",
                      tg_finding_info(finding->kind)->name, finding->depth);
        add_start_json(buf, tg_report_finding(finding), extent->text);
        tg_buf_add(buf, "}");
    }
    tg_buf_add(buf, "],\"path\":");
    if (extent->path)
        tg_pathjson_path(buf, verdict);
    else
        tg_buf_add(buf, "[]");
}

static void add_verdict_json(struct tg_buf *buf, const struct tg_verdict *verdict,
                             const struct tg_occasion *occasion, const struct extent *extent)
{
    tg_buf_expect(buf, 2000); /* most lines are shorter */
    add_occasion_json(buf, occasion, extent->text);
    tg_buf_add(buf, verdict->reported ? ",\"mode\":\"report\"" : ",\"mode\":\"enforce\"");
    tg_buf_add(buf, verdict->accepted ? ",\"verdict\":\"accept\"" : ",\"verdict\":\"reject\"");
    tg_buf_add(buf, ",\"result\":\"");
    tg_buf_add(buf, tg_result_name(verdict->result));
    tg_buf_add(buf, "\",\"x509_error\":");
    tg_buf_number(buf, verdict->x509_error);
    tg_buf_add(buf, ",\"rule\":");
    add_rule_json(buf, verdict->rule, verdict->pattern, extent->text);
    add_lists_json(buf, verdict, extent);
    if (verdict->note != NULL) {
        tg_buf_add(buf, ",\"note\":");
        add_start_json(buf, verdict->note, extent->text);
    }
    tg_buf_add(buf, extent->path ? "}" : ",\"truncated\":true}");
}

char *tg_verdict_json(const struct tg_verdict *verdict, const struct tg_occasion *occasion)
{
    struct tg_buf buf = {0};

    add_verdict_json(&buf, verdict, occasion, &whole);
    return tg_buf_take(&buf);
}

/* The last of these stays below 4000 bytes, if each byte of a text became six (\u0001). */
char *tg_verdict_json_within(const struct tg_verdict *verdict, const struct tg_occasion *occasion,
                             size_t most)
{
    static const struct extent extents[] = {
        {SIZE_MAX, SIZE_MAX, false}, {512, 6, false}, {256, 3, false}, {64, 1, false}};
    struct tg_buf buf = {0};

    add_verdict_json(&buf, verdict, occasion, &whole);
    for (size_t i = 0; i < sizeof(extents) / sizeof(*extents) && buf.length > most; i++) {
        tg_buf_free(&buf);
        add_verdict_json(&buf, verdict, occasion, &extents[i]);
    }
    return tg_buf_take(&buf);
}
