#include "forgive.h"
#include "argument.h"
#include "terminal.h"
#include "value.h"
#include "write.h"
#include <stdlib.h>
#include <string.h>

static bool check_expires(const char *word)
{
    struct tg_arena *arena = tg_arena_new();
    time_t when = 0;
    const char *wrong = arena != NULL ? tg_value_time(arena, word, &when) : tg_no_memory;

    if (wrong == NULL && when <= time(NULL))
        wrong = tg_arena_sentence(arena, "\"%s\" has passed already", word);
    if (wrong != NULL)
        tg_complain("--expires: %s", wrong);
    tg_arena_free(arena);
    return wrong == NULL;
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

static void add_findings(struct tg_buf *text, const struct tg_verdict *verdict)
{
    const char *comma = "";
    uint64_t kinds = 0;

    for (size_t i = 0; i < verdict->finding_count; i++)
        kinds |= UINT64_C(1) << verdict->findings[i].kind;
    tg_buf_add(text, "findings = ");
    for (int kind = 0; kind < TG_FINDING_KINDS; kind++) {
        if ((kinds & UINT64_C(1) << kind) == 0)
            continue;
        tg_buf_printf(text, "%s%s", comma, tg_finding_info(kind)->name);
        comma = ", ";
    }
    tg_buf_add(text, "\n");
}

char *tg_forgive_add(struct tg_buf *text, const struct tg_question *question,
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
    tg_buf_add(text, "\n");
    add_findings(text, verdict);
    if (options->expires != NULL)
        tg_buf_printf(text, "expires = %s\n", options->expires);
    if (options->note != NULL) {
        tg_buf_add(text, "note = ");
        tg_argument_quote(text, options->note);
        tg_buf_add(text, "\n");
    }
    return name;
}
