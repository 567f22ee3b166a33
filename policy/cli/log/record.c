#include "record.h"
#include "json.h"
#include "policy.h"
#include "terminal.h"
#include "write.h"
#include <stdlib.h>
#include <string.h>

static const char tag[] = "trustgraft", unknown[] = "unknown host";

void tg_record_clear(struct tg_record *record)
{
    tg_buf_free(&record->time);
    tg_buf_free(&record->program);
    tg_buf_free(&record->host);
    tg_buf_free(&record->said);
}

static bool complete(const struct tg_record *record)
{
    return !record->time.failed && !record->program.failed && !record->host.failed &&
           !record->said.failed;
}

/* ---- text ---- */

/* Behind "trustgraft: ", or "trustgraft[PID]: " as a journal has it; *BEFORE is where it begins. */
static const char *find_tag(const char *line, const char **before)
{
    for (const char *at = line; (at = strstr(at, tag)) != NULL; at++) {
        const char *end = at + sizeof(tag) - 1, *pid = end;

        if (*end == '[')
            pid += 1 + strspn(pid + 1, "0123456789");
        if (*pid == ']')
            end = pid + 1;
        if ((at == line || at[-1] == ' ') && strncmp(end, ": ", 2) == 0) {
            *before = at;
            return end + 2;
        }
    }
    return NULL;
}

/* The time that syslog put before a line: one word (RFC 3339), or three (RFC 3164). */
static size_t time_length(const char *line, size_t most)
{
    enum { OLD = sizeof("Nov 27 01:02:03") - 1 };
    size_t word = strcspn(line, " ");

    if (word < most && word > OLD && strchr("0123456789", line[0]) != NULL)
        return word;
    return most > OLD && line[OLD] == ' ' && line[9] == ':' && line[12] == ':' ? OLD : 0;
}

/* The "[PID]: " behind the program's name, which may hold anything else. */
static const char *find_pid(const char *text, unsigned long *pid)
{
    for (const char *at = text; (at = strchr(at, '[')) != NULL; at++) {
        size_t digits = strspn(at + 1, "0123456789");

        if (digits > 0 && digits < 11 && strncmp(at + 1 + digits, "]: ", 3) == 0) {
            *pid = strtoul(at + 1, NULL, 10);
            return at;
        }
    }
    return NULL;
}

static const char *read_verdict(const char *text, struct tg_record *record)
{
    static const struct {
        const char *word;
        bool accepted, reported;
    } verdicts[] = {{"accept ", true, false},
                    {"reject ", false, false},
                    {"would reject (report) ", false, true}};

    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
        if (strncmp(text, verdicts[i].word, strlen(verdicts[i].word)) == 0) {
            record->accepted = verdicts[i].accepted;
            record->reported = verdicts[i].reported;
            return text + strlen(verdicts[i].word);
        }
    return NULL;
}

/* As tg_write_endpoint writes it; an address of IPv6 without a port is its own host. */
static void read_endpoint(const char *text, size_t length, struct tg_record *record)
{
    const char *colon = memrchr(text, ':', length);
    size_t host = length;

    if (text[0] == '[' && colon != NULL && colon[-1] == ']') {
        tg_buf_addn(&record->host, text + 1, (size_t)(colon - text) - 2);
        record->port = tg_json_number(colon + 1, 65535);
        return;
    }
    if (colon != NULL && memchr(text, ':', length) == colon) {
        host = (size_t)(colon - text);
        record->port = tg_json_number(colon + 1, 65535);
    }
    tg_buf_addn(&record->host, text, host);
}

static bool read_text(const char *text, struct tg_record *record)
{
    const char *pid = find_pid(text, &record->pid);
    const char *host = pid != NULL ? read_verdict(strchr(pid, ']') + 3, record) : NULL;
    const char *end = host != NULL ? strstr(host, ": ") : NULL;

    if (end == NULL)
        return false;
    tg_buf_addn(&record->program, text, (size_t)(pid - text));
    read_endpoint(host, (size_t)(end - host), record);
    tg_buf_add(&record->said, end + 2);
    return true;
}

/* ---- JSON ---- */

static void say_findings(const char *object, struct tg_buf *said)
{
    const char *finding = tg_json_member(object, "findings"), *between = "";

    while ((finding = tg_json_next(finding)) != NULL) {
        tg_buf_add(said, between);
        if (tg_json_string(tg_json_member(finding, "name"), said))
            tg_buf_add(said, ": ");
        tg_json_string(tg_json_member(finding, "text"), said);
        between = "; ";
    }
    if (between[0] == '\0')
        tg_json_string(tg_json_member(object, "result"), said);
}

static void say_rule(const char *object, struct tg_buf *said)
{
    const char *rule = tg_json_member(object, "rule");
    struct tg_buf file = {0}, pattern = {0};

    if (rule != NULL && tg_json_string(tg_json_member(rule, "file"), &file)) {
        tg_buf_printf(said, " (%s:%lu", file.text,
                      tg_json_number(tg_json_member(rule, "line"), UINT32_MAX));
        if (tg_json_string(tg_json_member(rule, "pattern"), &pattern))
            tg_buf_printf(said, " [host %s]", pattern.text);
        tg_buf_add(said, ")");
    }
    tg_buf_free(&file);
    tg_buf_free(&pattern);
}

static bool is_word(const char *value, const char *word)
{
    return value != NULL && *value == '"' && strncmp(value + 1, word, strlen(word)) == 0 &&
           value[1 + strlen(word)] == '"';
}

static bool read_json(const char *object, struct tg_record *record)
{
    const char *verdict = tg_json_member(object, "verdict");
    size_t length = strlen(object);
    struct tg_piece bad;

    if (!tg_json_is(object) || !tg_utf8_clean(object, length, &bad))
        return false; /* it is shown as it is */
    record->accepted = is_word(verdict, "accept");
    record->reported = !record->accepted && is_word(tg_json_member(object, "mode"), "report");
    if ((!record->accepted && !is_word(verdict, "reject")) ||
        !tg_json_string(tg_json_member(object, "program"), &record->program))
        return false;
    tg_buf_free(&record->time);
    tg_json_string(tg_json_member(object, "time"), &record->time);
    if (!tg_json_string(tg_json_member(object, "host"), &record->host))
        tg_buf_add(&record->host, unknown);
    record->pid = tg_json_number(tg_json_member(object, "pid"), UINT32_MAX);
    record->port = tg_json_number(tg_json_member(object, "port"), 65535);
    record->json = object;
    say_findings(object, &record->said);
    say_rule(object, &record->said);
    return true;
}

bool tg_record_read(const char *line, struct tg_record *record)
{
    /* A line that is JSON from its beginning has no tag: what looks like one in it, a server may
     * have put there. */
    const char *before = line, *text = line[0] != '{' ? find_tag(line, &before) : NULL;
    const char *object = text != NULL ? text : line;
    bool is_verdict;

    *record = (struct tg_record){0};
    tg_buf_addn(&record->time, line, time_length(line, (size_t)(before - line)));
    if (object[0] == '{')
        is_verdict = read_json(object, record);
    else
        is_verdict = text != NULL && read_text(text, record);
    if (is_verdict && complete(record))
        return true;
    tg_record_clear(record);
    return false;
}

/* ---- out again ---- */

const char *tg_record_verdict(const struct tg_record *record)
{
    if (record->accepted)
        return "accept";
    return record->reported ? "report" : "reject";
}

static void escape(struct tg_buf *out, const struct tg_buf *text)
{
    if (text->text != NULL)
        tg_buf_escape(out, text->text, text->length);
}

/* What was escaped when it was logged stays as it is. */
static void add_shown(struct tg_buf *out, const struct tg_buf *text)
{
    for (size_t at = 0; at < text->length;) {
        struct tg_piece piece = tg_utf8_next(text->text + at, text->length - at);

        if (piece.kind == TG_PIECE_UNSAFE || piece.kind == TG_PIECE_BROKEN)
            tg_buf_escape(out, piece.text, piece.length);
        else
            tg_buf_addn(out, piece.text, piece.length);
        at += piece.length;
    }
}

static void add_text(const struct tg_record *record, struct tg_buf *out)
{
    enum tg_colour colour = record->accepted ? TG_GOOD : record->reported ? TG_WARN : TG_BAD;
    const char *slash = record->program.text != NULL ? strrchr(record->program.text, '/') : NULL;
    struct tg_buf name = {0};

    tg_buf_add(&name, slash != NULL ? slash + 1 : record->program.text);
    if (record->time.length > 0) {
        tg_buf_add(out, tg_terminal_colour(stdout, TG_FAINT));
        escape(out, &record->time);
        tg_buf_printf(out, "%s ", tg_terminal_colour(stdout, TG_PLAIN));
    }
    add_shown(out, &name);
    tg_buf_printf(out, "[%lu]: %s%s%s ", record->pid, tg_terminal_colour(stdout, colour),
                  record->reported ? "would reject (report)" : tg_record_verdict(record),
                  tg_terminal_colour(stdout, TG_PLAIN));
    tg_write_endpoint(out, record->host.text, (unsigned)record->port);
    tg_buf_add(out, ": ");
    add_shown(out, &record->said);
    tg_buf_add(out, "\n");
    out->failed = out->failed || name.failed;
    tg_buf_free(&name);
}

static void add_object(const struct tg_record *record, struct tg_buf *out)
{
    tg_buf_add(out, "{\"time\":");
    tg_buf_json(out, record->time.length > 0 ? record->time.text : NULL);
    tg_buf_add(out, ",\"program\":");
    tg_buf_json(out, record->program.text);
    tg_buf_printf(out, ",\"pid\":%lu,\"host\":", record->pid);
    tg_buf_json(out, strcmp(record->host.text, unknown) != 0 ? record->host.text : NULL);
    if (record->port != 0)
        tg_buf_printf(out, ",\"port\":%lu", record->port);
    else
        tg_buf_add(out, ",\"port\":null");
    tg_buf_printf(out, ",\"mode\":\"%s\",\"verdict\":\"%s\",\"text\":",
                  record->reported ? "report" : "enforce", record->accepted ? "accept" : "reject");
    tg_buf_json(out, record->said.text);
    tg_buf_add(out, "}\n");
}

void tg_record_write(const struct tg_record *record, bool json, struct tg_buf *out)
{
    if (!json)
        add_text(record, out);
    else if (record->json != NULL)
        tg_buf_printf(out, "%s\n", record->json);
    else
        add_object(record, out);
}
