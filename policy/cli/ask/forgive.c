#include "forgive.h"
#include "argument.h"
#include "hash.h"
#include "section.h"
#include "terminal.h"
#include "value.h"
#include "write.h"
#include <stdlib.h>
#include <string.h>

/* True if WORD is "90d" or "12w": so many days or weeks from now, which is then *WHEN. */
static bool is_relative(const char *word, time_t *when)
{
    size_t digits = strspn(word, "0123456789");
    const char *unit = word + digits;

    if (digits < 1 || digits > 4 || (strcmp(unit, "d") != 0 && strcmp(unit, "w") != 0))
        return false;
    *when = time(NULL) + strtol(word, NULL, 10) * (time_t)86400 * (*unit == 'w' ? 7 : 1);
    return true;
}

static bool check_expires(const char *word)
{
    struct tg_arena *arena = tg_arena_new();
    const char *wrong = arena == NULL ? tg_no_memory : NULL;
    time_t when = 0;

    if (wrong == NULL && !is_relative(word, &when))
        wrong = tg_value_time(arena, word, &when);
    if (wrong == NULL && when <= time(NULL))
        wrong = tg_arena_sentence(arena, "\"%s\" has passed already", word);
    if (wrong != NULL)
        tg_complain("--expires: %s", wrong);
    tg_arena_free(arena);
    return wrong == NULL;
}

static void write_expires(struct tg_buf *text, const char *word)
{
    time_t when;

    if (is_relative(word, &when))
        tg_write_time(text, when);
    else
        tg_buf_add(text, word);
}

/* What a policy may hold: one line of UTF-8. */
static bool check_note(const char *note)
{
    size_t length = strlen(note), step;
    uint32_t code;

    for (size_t i = 0; i < length; i += step) {
        step = tg_utf8_decode(note + i, length - i, &code);
        if (step > 0 && !tg_utf8_unsafe(code))
            continue;
        tg_complain("--note: must be one line of UTF-8 without control characters");
        return false;
    }
    return true;
}

bool tg_forgive_check(const struct tg_options *options)
{
    return (options->expires == NULL || check_expires(options->expires)) &&
           (options->note == NULL || check_note(options->note));
}

/* Exceptions count only where a rule evaluates. */
static bool has_rule(const struct tg_question *question)
{
    struct tg_buf at = {0};

    if (question->under.rule != &question->own)
        return true;
    tg_write_endpoint(&at, question->at.host, question->at.port);
    tg_complain("the policy leaves %s to the application, where an exception would do nothing: add "
                "the section [host %s] to it first",
                at.text != NULL ? at.text : question->at.host,
                at.text != NULL ? at.text : question->at.host);
    tg_buf_free(&at);
    return false;
}

bool tg_forgive_possible(const struct tg_question *question, const struct tg_verdict *verdict)
{
    bool possible = has_rule(question);

    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct tg_finding_info *info = tg_finding_info(verdict->findings[i].kind);

        if (tg_finding_forgivable(verdict->findings[i].kind))
            continue;
        tg_complain("no exception can forgive %s: its result is %s", info->name,
                    tg_result_name(info->result));
        possible = false;
    }
    return possible;
}

bool tg_forgive_stands(const tg_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->exception_count; i++)
        if (strcmp(policy->exceptions[i].name, name) == 0)
            return true;
    return false;
}

/* HOST:PORT, and a number behind it where that is taken. */
static char *new_name(const struct tg_question *question)
{
    char *name = NULL;

    for (unsigned number = 1;; number++) {
        struct tg_buf text = {0};

        tg_buf_printf(&text, "%s", question->at.host);
        if (question->at.port != 0)
            tg_buf_printf(&text, "-%u", question->at.port);
        if (number > 1)
            tg_buf_printf(&text, "-%u", number);
        name = tg_buf_take(&text);
        if (name == NULL || !tg_forgive_stands(question->policy, name))
            return name;
        free(name);
    }
}

/* The findings of KINDS by name. */
static void write_findings(struct tg_buf *text, uint64_t kinds)
{
    const char *comma = "";

    for (int kind = 0; kind < TG_FINDING_KINDS; kind++) {
        if ((kinds & UINT64_C(1) << kind) == 0)
            continue;
        tg_buf_printf(text, "%s%s", comma, tg_finding_info(kind)->name);
        comma = ", ";
    }
}

static uint64_t kinds_of(const struct tg_verdict *verdict)
{
    uint64_t kinds = 0;

    for (size_t i = 0; i < verdict->finding_count; i++)
        kinds |= UINT64_C(1) << verdict->findings[i].kind;
    return kinds;
}

static char *add(struct tg_buf *text, const struct tg_question *question,
                 const struct tg_verdict *verdict)
{
    const struct tg_options *options = question->options;
    char *name = new_name(question);

    if (name == NULL)
        return NULL;
    if (text->length > 0 && text->text[text->length - 1] != '\n')
        tg_buf_add(text, "\n");
    tg_buf_printf(text, "\n[exception \"%s\"]\nhost = ", name);
    tg_write_endpoint(text, question->at.host, question->at.port);
    tg_buf_add(text, "\ncertificate = ");
    tg_write_fingerprint(text, sk_X509_value(verdict->path, 0));
    tg_buf_add(text, "\nfindings = ");
    write_findings(text, kinds_of(verdict));
    tg_buf_add(text, "\n");
    if (options->expires != NULL) {
        tg_buf_add(text, "expires = ");
        write_expires(text, options->expires);
        tg_buf_add(text, "\n");
    }
    if (options->note != NULL) {
        tg_buf_add(text, "note = ");
        tg_argument_quote(text, options->note);
        tg_buf_add(text, "\n");
    }
    return name;
}

/* The exception of FILE that the policy has for the same server and certificate; NULL: none. */
static const struct tg_exception *standing(const struct tg_question *question,
                                           const struct tg_verdict *verdict,
                                           const struct stat *file)
{
    const tg_policy *policy = question->policy;
    uint8_t leaf[TG_SHA256_SIZE];
    struct stat status;

    if (!tg_hash_certificate(sk_X509_value(verdict->path, 0), leaf))
        return NULL;
    for (size_t i = 0; i < policy->exception_count; i++) {
        const struct tg_exception *exception = &policy->exceptions[i];

        if (strcmp(exception->host, question->at.host) == 0 &&
            (exception->port == 0 || exception->port == question->at.port) &&
            memcmp(exception->leaf, leaf, sizeof(leaf)) == 0 &&
            stat(exception->where.file, &status) == 0 && status.st_dev == file->st_dev &&
            status.st_ino == file->st_ino)
            return exception;
    }
    return NULL;
}

/* Puts VALUE, which is freed, in the place of KEY's in the section at LINE of TEXT. */
static void set(struct tg_buf *text, unsigned line, const char *key, struct tg_buf *value)
{
    struct tg_buf changed = {0};

    tg_section_set(&changed, text, line, key, tg_why(value));
    changed.failed = changed.failed || text->failed || value->failed;
    tg_buf_free(text);
    tg_buf_free(value);
    *text = changed;
}

/* What EXCEPTION was given stays, but for what the options say anew. */
static char *renew(struct tg_buf *text, const struct tg_question *question,
                   const struct tg_verdict *verdict, const struct tg_exception *exception)
{
    const struct tg_options *options = question->options;
    unsigned line = exception->where.line;
    struct tg_buf value = {0};

    write_findings(&value, exception->findings | kinds_of(verdict));
    set(text, line, "findings", &value);
    if (options->expires != NULL) {
        write_expires(&value, options->expires);
        set(text, line, "expires", &value);
    }
    if (options->note != NULL) {
        tg_argument_quote(&value, options->note);
        set(text, line, "note", &value);
    }
    return strdup(exception->name);
}

bool tg_forgive_has_expired(const struct tg_question *question, const struct tg_verdict *verdict,
                            const struct stat *file)
{
    const struct tg_exception *exception = standing(question, verdict, file);

    if (exception == NULL || exception->expires == 0 || exception->expires > time(NULL) ||
        question->options->expires != NULL)
        return false;
    tg_complain("the exception \"%s\" at %s:%u has expired: give --expires to renew it",
                exception->name, exception->where.file, exception->where.line);
    return true;
}

char *tg_forgive_write(struct tg_buf *text, const struct tg_question *question,
                       const struct tg_verdict *verdict, const struct stat *file)
{
    const struct tg_exception *exception = standing(question, verdict, file);

    return exception != NULL ? renew(text, question, verdict, exception)
                             : add(text, question, verdict);
}
