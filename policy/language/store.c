#include "store.h"
#include "finding.h"
#include "hint.h"
#include "include.h"
#include "pattern.h"
#include "program.h"
#include "text.h"
#include "value.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* SENTENCE is what a value function said of WORD; NULL is fine. True if there was none. */
static bool check(struct tg_store *in, const struct tg_word *word, const char *sentence)
{
    if (sentence != NULL)
        tg_load_error(in->load, in->section, word, NULL, "%s: %s", in->setting->key->name,
                      sentence);
    return sentence == NULL;
}

static size_t count_words(const struct tg_word *word)
{
    size_t count = 0;

    for (; word != NULL; word = word->next)
        count++;
    return count;
}

/* Room for all values of the setting in the policy's arena; COUNT is 0 without memory. */
static struct tg_words new_words(struct tg_store *in)
{
    size_t room = count_words(in->setting->values);

    return (struct tg_words){tg_load_keep(in->load, room * sizeof(const char *)), 0};
}

static void add_word(struct tg_store *in, struct tg_words *words, const char *text)
{
    const char *kept = words->word != NULL ? tg_load_keep_text(in->load, text) : NULL;

    if (kept != NULL)
        words->word[words->count++] = kept;
}

/* The index of the value among the key's choices, or -1 after a complaint. */
static int choose(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;
    const char *const *choices = in->setting->key->choices;
    struct tg_hint hint = {.wanted = word->text};
    struct tg_buf accepted = {0};

    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], word->text) == 0) {
            tg_buf_free(&accepted);
            return i;
        }
        tg_hint_offer(&hint, choices[i]);
        tg_buf_printf(&accepted, "%s%s",
                      i == 0                   ? ""
                      : choices[i + 1] != NULL ? ", "
                                               : " or ",
                      choices[i]);
    }
    if (accepted.failed)
        tg_load_lost(in->load);
    else
        tg_load_error(in->load, in->section, word, tg_hint_text(in->load->scratch, &hint),
                      "%s: \"%s\" is not %s", in->setting->key->name, word->text, accepted.text);
    tg_buf_free(&accepted);
    return -1;
}

static void store_choice(struct tg_store *in)
{
    int chosen = choose(in);

    if (chosen >= 0 && in->field != NULL)
        memcpy(in->field, &chosen, sizeof(chosen));
}

static void store_flag(struct tg_store *in)
{
    int chosen = choose(in);

    if (chosen >= 0)
        *(bool *)in->field = chosen == 1;
}

static void store_yes_no(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;
    bool yes = false;

    if (check(in, word, tg_value_yes_no(in->load->scratch, word->text, &yes)) && in->field != NULL)
        *(bool *)in->field = yes;
}

static void store_number(struct tg_store *in)
{
    const struct tg_key *key = in->setting->key;
    const struct tg_word *word = in->setting->values;
    size_t length = strlen(word->text);
    unsigned long number = length < 10 ? strtoul(word->text, NULL, 10) : key->most + 1ul;

    if (strspn(word->text, "0123456789") != length || number < key->least || number > key->most)
        tg_load_error(in->load, in->section, word, NULL, "%s: \"%s\" is no number from %u to %u",
                      key->name, word->text, key->least, key->most);
    else if (in->field != NULL)
        *(unsigned *)in->field = (unsigned)number;
}

static void store_time(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;

    check(in, word, tg_value_time(in->load->scratch, word->text, in->field));
}

static void store_text(struct tg_store *in)
{
    *(const char **)in->field = tg_load_keep_text(in->load, in->setting->values->text);
}

/* What an absolute path leads to, if there is such a file: what /proc will call the program. */
static void add_realpath(struct tg_store *in, struct tg_words *paths, const char *program)
{
    char *path;

    if (program[0] != '/' || tg_program_is_glob(program))
        return;
    path = realpath(program, NULL);
    if (path != NULL)
        add_word(in, paths, path);
    else if (errno == ENOMEM)
        tg_load_lost(in->load);
    free(path);
}

static void store_programs(struct tg_store *in)
{
    struct tg_rule *rule = in->object;

    rule->programs = new_words(in);
    rule->realpaths = new_words(in);
    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        if (!check(in, word, tg_program_fault(in->load->scratch, word->text)))
            continue;
        add_word(in, &rule->programs, word->text);
        add_realpath(in, &rule->realpaths, word->text);
    }
}

static bool read_host(struct tg_store *in, const struct tg_word *word, char out[TG_HOST_SIZE],
                      unsigned *port)
{
    struct tg_word at = *word;
    size_t column = 0;
    const char *wrong = tg_host_read(in->load->scratch, word->text, out, port, &column);

    at.where.column += (unsigned)column;
    return check(in, &at, wrong);
}

static void store_hostnames(struct tg_store *in)
{
    struct tg_words *names = in->field;
    char name[TG_HOST_SIZE];
    unsigned port;

    *names = new_words(in);
    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        if (!read_host(in, word, name, &port))
            continue;
        if (port > 0)
            tg_load_error(in->load, in->section, word, NULL,
                          "%s: \"%s\" has a port, which no certificate names",
                          in->setting->key->name, word->text);
        add_word(in, names, name);
    }
}

static void store_host(struct tg_store *in)
{
    struct tg_exception *exception = in->object;
    char name[TG_HOST_SIZE];

    if (read_host(in, in->setting->values, name, &exception->port))
        exception->host = tg_load_keep_text(in->load, name);
}

static void add_sink(struct tg_store *in, const struct tg_word *word)
{
    static const struct {
        const char *name;
        enum tg_log_sink sink;
    } sinks[] = {{"stderr", TG_LOG_STDERR}, {"syslog", TG_LOG_SYSLOG}, {"none", TG_LOG_NONE}};
    tg_policy *policy = in->object;

    for (size_t i = 0; i < sizeof(sinks) / sizeof(*sinks); i++)
        if (strcmp(sinks[i].name, word->text) == 0) {
            policy->log_sinks |= sinks[i].sink;
            return;
        }
    if (strncmp(word->text, "file:", 5) != 0) {
        tg_load_error(in->load, in->section, word, NULL,
                      "log: \"%s\" is not stderr, syslog, file:PATH or none", word->text);
    } else if (word->text[5] == '\0') {
        tg_load_error(in->load, in->section, word, NULL, "log: file: without a path");
    } else if (policy->log_sinks & TG_LOG_FILE) {
        tg_load_error(in->load, in->section, word, NULL, "log: one file is enough");
    } else {
        const char *path = tg_source_path(in->load, in->section, word->text + 5);

        policy->log_sinks |= TG_LOG_FILE;
        policy->log_file = path != NULL ? tg_load_keep_path(in->load, path) : NULL;
    }
}

static void store_log(struct tg_store *in)
{
    const tg_policy *policy = in->object;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next)
        add_sink(in, word);
    if (policy->log_sinks & TG_LOG_NONE && policy->log_sinks != TG_LOG_NONE)
        tg_load_error(in->load, in->section, in->setting->name, NULL,
                      "log: none and something else");
}

static void complain_finding(struct tg_store *in, const struct tg_word *word)
{
    struct tg_hint hint = {.wanted = word->text};

    for (int kind = 0; kind < TG_FINDING_KINDS; kind++)
        if (tg_finding_forgivable(kind))
            tg_hint_offer(&hint, tg_finding_info(kind)->name);
    tg_load_error(in->load, in->section, word, tg_hint_text(in->load->scratch, &hint),
                  "findings: \"%s\" is no finding", word->text);
}

static void store_findings(struct tg_store *in)
{
    struct tg_exception *exception = in->object;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        enum tg_finding_kind kind = tg_finding_by_name(word->text);

        if (kind == TG_FINDING_KINDS)
            complain_finding(in, word);
        else if (!tg_finding_forgivable(kind))
            tg_load_error(in->load, in->section, word, NULL,
                          "findings: %s can't be forgiven: its result is %s", word->text,
                          tg_result_name(tg_finding_info(kind)->result));
        else
            exception->findings |= (uint64_t)1 << kind;
    }
}

/* Followed when its file was read. */
static void store_nothing(struct tg_store *in)
{
    (void)in;
}

void tg_store_setting(struct tg_load *load, struct tg_section *section,
                      const struct tg_setting *setting, void *object)
{
    static void (*const store[TG_TYPES])(struct tg_store *) = {
        [TG_TYPE_CHOICE] = store_choice,
        [TG_TYPE_FLAG] = store_flag,
        [TG_TYPE_YES_NO] = store_yes_no,
        [TG_TYPE_NUMBER] = store_number,
        [TG_TYPE_TIME] = store_time,
        [TG_TYPE_TEXT] = store_text,
        [TG_TYPE_PROFILE] = store_text,
        [TG_TYPE_PROGRAMS] = store_programs,
        [TG_TYPE_HOSTNAMES] = store_hostnames,
        [TG_TYPE_ANCHORS] = tg_store_anchors,
        [TG_TYPE_CERTIFICATES] = tg_store_certificates,
        [TG_TYPE_LEAVES] = tg_store_leaves,
        [TG_TYPE_PINS] = tg_store_pins,
        [TG_TYPE_CRLS] = tg_store_crls,
        [TG_TYPE_KNOWN] = tg_store_known,
        [TG_TYPE_LOG] = store_log,
        [TG_TYPE_INCLUDE] = store_nothing,
        [TG_TYPE_HOST] = store_host,
        [TG_TYPE_FINGERPRINT] = tg_store_fingerprint,
        [TG_TYPE_FINDINGS] = store_findings,
    };
    const struct tg_key *key = setting->key;
    struct tg_store in = {load, section, setting, object, NULL};

    if (setting->values == NULL) /* a complaint was made of the first */
        return;
    if (key->size > 0)
        in.field = (char *)object + key->offset;
    store[key->type](&in);
}
