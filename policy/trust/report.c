#include "report.h"
#include "hash.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* As RFC 4514 escapes, in the order encoded; UTF-8 stays, and add_safe sees to the rest. */
#define NAME_FLAGS                                                                                 \
    ((ASN1_STRFLGS_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN |      \
     XN_FLAG_DUMP_UNKNOWN_FIELDS)

/* For a name whose strings don't decode: byte by byte, whatever type they claim. */
#define BYTES_FLAGS                                                                                \
    ((NAME_FLAGS & ~ASN1_STRFLGS_UTF8_CONVERT) | ASN1_STRFLGS_ESC_MSB | ASN1_STRFLGS_IGNORE_TYPE)

/* What a terminal could act upon, and bytes that are no UTF-8, as RFC 4514 section 2.4 has it. */
static void add_safe(struct tg_buf *buf, const char *text, size_t length)
{
    size_t i, step;
    uint32_t code;

    for (i = 0; i < length && i < TG_REPORT_NAME_MAX; i += step) {
        step = tg_utf8_plain(text + i,
                             (length < TG_REPORT_NAME_MAX ? length : TG_REPORT_NAME_MAX) - i);
        if (step > 0) {
            tg_buf_addn(buf, text + i, step);
            continue;
        }
        step = tg_utf8_decode(text + i, length - i, &code);
        if (step > 0 && !tg_utf8_unsafe(code)) {
            tg_buf_addn(buf, text + i, step);
            continue;
        }
        step = step > 0 ? step : 1;
        for (size_t j = i; j < i + step; j++)
            tg_buf_printf(buf, "\\%02X", (unsigned)(unsigned char)text[j]);
    }
    if (i < length)
        tg_buf_add(buf, "...");
}

void tg_report_name(struct tg_buf *buf, const X509_NAME *name)
{
    BIO *bio = NULL;
    char *text = NULL;
    long length;

    ERR_set_mark();
    bio = BIO_new(BIO_s_mem());
    if (bio == NULL || (X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) < 0 &&
                        (BIO_reset(bio) != 1 || X509_NAME_print_ex(bio, name, 0, BYTES_FLAGS) < 0)))
        buf->failed = true;
    if (!buf->failed) {
        length = BIO_get_mem_data(bio, &text);
        add_safe(buf, text, length > 0 ? (size_t)length : 0);
    }
    BIO_free(bio);
    ERR_pop_to_mark();
}

/* Digit by digit: a line of JSON has seven of them, and printf(3) takes its time. */
static void add_tm(struct tg_buf *buf, const struct tm *utc)
{
    const int year = utc->tm_year + 1900;
    const int pairs[] = {year / 100,   year % 100,  utc->tm_mon + 1, utc->tm_mday,
                         utc->tm_hour, utc->tm_min, utc->tm_sec};
    static const size_t at[] = {0, 2, 5, 8, 11, 14, 17};
    char text[] = "YYYY-MM-DDThh:mm:ssZ";

    if (year < 0 || year > 9999) {
        tg_buf_add(buf, "?");
        return;
    }
    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
        text[at[i]] = (char)('0' + pairs[i] / 10);
        text[at[i] + 1] = (char)('0' + pairs[i] % 10);
    }
    tg_buf_addn(buf, text, sizeof(text) - 1);
}

void tg_report_time(struct tg_buf *buf, time_t when)
{
    struct tm utc;

    if (gmtime_r(&when, &utc) == NULL)
        tg_buf_add(buf, "?");
    else
        add_tm(buf, &utc);
}

void tg_report_time_json(struct tg_buf *buf, time_t when)
{
    tg_buf_add(buf, when != 0 ? "\"" : "null");
    if (when == 0)
        return;
    tg_report_time(buf, when);
    tg_buf_add(buf, "\"");
}

void tg_report_asn1_time(struct tg_buf *buf, const ASN1_TIME *when)
{
    struct tm utc;

    ERR_set_mark();
    if (when == NULL || ASN1_TIME_to_tm(when, &utc) != 1)
        tg_buf_add(buf, "?");
    else
        add_tm(buf, &utc);
    ERR_pop_to_mark();
}

void tg_report_fingerprint(struct tg_buf *buf, const X509 *certificate)
{
    uint8_t digest[TG_SHA256_SIZE];
    char text[2 * TG_SHA256_SIZE + 1];

    if (!tg_hash_certificate(certificate, digest)) {
        buf->failed = true;
        return;
    }
    tg_hash_hex(digest, text);
    tg_buf_add(buf, "sha256:");
    tg_buf_add(buf, text);
}

void tg_report_pin(struct tg_buf *buf, const X509 *certificate)
{
    uint8_t digest[TG_SHA256_SIZE];
    char text[52];

    if (!tg_hash_spki(certificate, digest)) {
        buf->failed = true;
        return;
    }
    tg_hash_pin_text(digest, text);
    tg_buf_add(buf, text);
}

void tg_report_endpoint(struct tg_buf *buf, const char *host, unsigned port)
{
    bool bracket = host != NULL && port != 0 && strchr(host, ':') != NULL;

    if (host == NULL)
        host = "unknown host";
    tg_buf_add(buf, bracket ? "[" : "");
    tg_buf_escape(buf, host, strlen(host));
    tg_buf_add(buf, bracket ? "]" : "");
    if (port != 0)
        tg_buf_printf(buf, ":%u", port);
}

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
    tg_report_endpoint(&buf, occasion->host, occasion->port);
    tg_buf_add(&buf, ": ");
    if (verdict->finding_count == 0)
        tg_buf_add(&buf, tg_result_name(verdict->result));
    add_findings(&buf, verdict);
    if (verdict->note != NULL)
        tg_buf_printf(&buf, "; %s", verdict->note);
    add_rule(&buf, verdict);
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
    tg_buf_printf(buf, ",\"line\":%u,\"pattern\":", rule->where.line);
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
    if (port != 0)
        tg_buf_printf(buf, ",\"port\":%u", port);
    else
        tg_buf_add(buf, ",\"port\":null");
}

void tg_report_endpoint_json(struct tg_buf *buf, const char *host, unsigned port)
{
    add_endpoint_json(buf, host, port, SIZE_MAX);
}

static void add_occasion_json(struct tg_buf *buf, const struct tg_occasion *occasion, size_t most)
{
    tg_buf_add(buf, "{\"time\":\"");
    tg_report_time(buf, occasion->time);
    tg_buf_add(buf, "\",\"program\":");
    add_start_json(buf, occasion->program, most);
    tg_buf_printf(buf, ",\"pid\":%ld", occasion->pid);
    add_endpoint_json(buf, occasion->host, occasion->port, most);
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
        tg_report_path_json(buf, verdict);
    else
        tg_buf_add(buf, "[]");
}

static void add_verdict_json(struct tg_buf *buf, const struct tg_verdict *verdict,
                             const struct tg_occasion *occasion, const struct extent *extent)
{
    add_occasion_json(buf, occasion, extent->text);
    tg_buf_printf(buf,
                  ",\"mode\":\"%s\",\"verdict\":\"%s\",\"result\":\"%s\",\"x509_error\":%d,"
                  "\"rule\":",
                  verdict->reported ? "report" : "enforce", verdict->accepted ? "accept" : "reject",
                  tg_result_name(verdict->result), verdict->x509_error);
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
