#include "addpin.h"
#include "chosen.h"
#include "diagnostics.h"
#include "file.h"
#include "load.h"
#include "match.h"
#include "pin.h"
#include "replace.h"
#include "save.h"
#include "section.h"
#include "terminal.h"
#include "write.h"
#include <string.h>
#include <unistd.h>

struct addition {
    const struct tg_options *options;
    const struct tg_endpoint *at;
    const uint8_t *pin;
    const char *note, *key; /* leaf-pin or pin */
    char policy[PATH_MAX];
    struct tg_match under;
    struct tg_replace file;
    struct tg_buf text, endpoint; /* of the file as it will be; "HOST:PORT" as it was given */
};

static struct tg_match match(const struct addition *addition, const tg_policy *policy)
{
    return tg_policy_match(policy, addition->at->host, addition->at->port,
                           addition->options->program);
}

static bool is_pinned(const struct tg_match *under, const uint8_t *pin)
{
    return under->kind == TG_MATCH_RULE && (tg_digests_have(&under->rule->leaf_pins, pin) ||
                                            tg_digests_have(&under->rule->path_pins, pin));
}

/* A pin in a rule for several hosts would be demanded of all of them. */
static bool is_for_one_host(const struct tg_match *under)
{
    return under->rule->patterns.count == 1 && strpbrk(under->pattern, "*/") == NULL;
}

static bool refuse(const struct tg_rule *rule, const char *sentence)
{
    tg_complain("pin: %s:%u: %s", rule->where.file, rule->where.line, sentence);
    return false;
}

/* Looks for the rule, and which of its keys will have the pin. */
static bool choose(struct addition *addition, const tg_policy *policy)
{
    const struct tg_rule *rule;

    addition->under = match(addition, policy);
    addition->key = "leaf-pin";
    rule = addition->under.rule;
    if (addition->under.kind == TG_MATCH_UNKNOWN) {
        tg_complain("which rule applies to %s depends on the %s: give %s", addition->at->host,
                    addition->under.lacking, tg_argument_for(addition->under.lacking, "HOST:PORT"));
        return false;
    }
    if (addition->under.kind != TG_MATCH_RULE)
        return true;
    if (rule->leaf_pins.count == 0 && rule->path_pins.count > 0)
        addition->key = "pin";
    if (rule->action != TG_ACTION_EVALUATE)
        return refuse(rule, "this rule's action evaluates nothing: a pin would do nothing");
    if (!is_for_one_host(&addition->under))
        return refuse(rule, "this rule is for other hosts too, of which the pin would be demanded: "
                            "give the host a rule of its own first");
    return true;
}

/* The text with the pin in it. */
static bool compose(struct addition *addition)
{
    const struct tg_rule *rule = addition->under.rule;
    const struct tg_buf *old = &addition->file.text;
    char pin[TG_PIN_SIZE];

    tg_pin_text(addition->pin, pin);
    if (addition->under.kind != TG_MATCH_RULE) {
        tg_buf_addn(&addition->text, old->length > 0 ? old->text : "", old->length);
        tg_buf_printf(&addition->text, "%s\n[host %s]\n%s = %s  # ",
                      old->length > 0 && old->text[old->length - 1] != '\n' ? "\n" : "",
                      addition->endpoint.text, addition->key, pin);
        tg_buf_escape(&addition->text, addition->note, strlen(addition->note));
        tg_buf_add(&addition->text, "\n");
    } else if (rule->leaf_pins.count + rule->path_pins.count > 0 &&
               !tg_section_sets(old, rule->where.line, addition->key)) {
        return refuse(rule, "the pins of this rule are those of its profile: add the pin there");
    } else {
        tg_section_add(&addition->text, old, rule->where.line, addition->key, pin);
    }
    if (addition->text.failed)
        tg_complain("%s", tg_no_memory);
    return !addition->text.failed;
}

static bool open_file(struct addition *addition)
{
    const char *path =
        addition->under.kind == TG_MATCH_RULE ? addition->under.rule->where.file : addition->policy;
    struct tg_buf why = {0};
    bool opened = tg_replace_begin(&addition->file, path, TG_FILE_MAX, &why);

    if (!opened)
        tg_complain_of(path, &why);
    tg_buf_free(&why);
    return opened;
}

/* Other pins are demanded besides the one that is added. */
static bool has_others(const struct addition *addition)
{
    const struct tg_rule *rule = addition->under.rule;

    return addition->under.kind == TG_MATCH_RULE &&
           (rule->ca_pins.count > 0 || (rule->leaf_pins.count > 0 && rule->path_pins.count > 0));
}

/* Says where the pin is going, with WORD: "goes into" or "is already in". */
static bool tell(const struct addition *addition, const char *word)
{
    char pin[TG_PIN_SIZE];
    struct tg_buf out = {0};

    tg_pin_text(addition->pin, pin);
    tg_buf_printf(&out, "%s = %s %s ", addition->key, pin, word);
    if (addition->under.kind == TG_MATCH_RULE)
        tg_buf_printf(&out, "%s:%u [host %s]\n", addition->under.rule->where.file,
                      addition->under.rule->where.line, addition->under.pattern);
    else
        tg_buf_printf(&out, "a new [host %s] in %s\n", addition->endpoint.text, addition->policy);
    if (has_others(addition))
        tg_buf_add(&out, "The rule's other pins stay demanded besides: one of each of its keys.\n");
    return tg_terminal_write(stdout, &out) && fflush(stdout) == 0;
}

static int commit(struct addition *addition)
{
    const struct tg_override override = {addition->file.status.st_dev, addition->file.status.st_ino,
                                         addition->text.text, addition->text.length};
    struct tg_diags diags = {0};
    struct tg_buf why = {0};
    tg_policy *policy = tg_policy_parse_with(addition->policy, &override, &diags);
    struct tg_match under = {0};
    int status = TG_EXIT_REFUSED;

    if (policy != NULL)
        under = match(addition, policy);
    if (policy == NULL)
        tg_diagnostics_print(stderr, &diags);
    else if (!is_pinned(&under, addition->pin))
        tg_complain("the pin would not apply to %s: nothing was written", addition->endpoint.text);
    else if (tg_replace_commit(&addition->file, &addition->text, &why))
        status = TG_EXIT_GOOD;
    else
        status = TG_EXIT_USAGE, tg_complain_of(addition->file.path, &why);
    tg_policy_free(policy);
    tg_diags_clear(&diags);
    tg_buf_free(&why);
    return status;
}

/*
 * The policy once more, with the file as it was read and locked: where the rule stands is a matter
 * of that text, and another's rule must not get the pin. NULL after a complaint.
 */
static tg_policy *choose_again(struct addition *addition)
{
    const struct tg_override override = {addition->file.status.st_dev, addition->file.status.st_ino,
                                         addition->file.text.text != NULL ? addition->file.text.text
                                                                          : "",
                                         addition->file.text.length};
    struct tg_match before = addition->under;
    struct tg_diags diags = {0};
    tg_policy *policy = tg_policy_parse_with(addition->policy, &override, &diags);

    tg_diags_clear(&diags);
    if (policy != NULL && choose(addition, policy) && addition->under.kind == before.kind &&
        (before.kind != TG_MATCH_RULE ||
         strcmp(addition->under.rule->where.file, before.rule->where.file) == 0))
        return policy;
    tg_complain("%s: " TG_SAVE_CHANGED, addition->file.path);
    tg_policy_free(policy);
    return NULL;
}

static int write_pin(struct addition *addition)
{
    if (!compose(addition) || !tell(addition, "goes into"))
        return TG_EXIT_USAGE;
    if (!addition->options->yes && !tg_terminal_ask("Write it?")) {
        tg_complain("nothing was written");
        return TG_EXIT_REFUSED;
    }
    return commit(addition);
}

static int add(struct addition *addition)
{
    tg_policy *policy;
    int status = TG_EXIT_USAGE;

    if (is_pinned(&addition->under, addition->pin))
        return tell(addition, "is already in") ? TG_EXIT_GOOD : TG_EXIT_USAGE;
    policy = open_file(addition) ? choose_again(addition) : NULL;
    if (policy != NULL)
        status = write_pin(addition);
    tg_policy_free(policy);
    return status;
}

int tg_addpin(const struct tg_options *options, const struct tg_endpoint *at,
              const uint8_t pin[TG_SHA256_SIZE], const char *note)
{
    struct addition addition = {.options = options, .at = at, .pin = pin, .note = note};
    tg_policy *policy = NULL;
    int status = TG_EXIT_USAGE;

    tg_write_endpoint(&addition.endpoint, at->host, at->port);
    if (!options->yes && !isatty(STDIN_FILENO))
        tg_complain("pin: standard input is no terminal to ask on: give --yes to write the pin "
                    "without asking");
    else if (addition.endpoint.failed)
        tg_complain("%s", tg_no_memory);
    else if (tg_chosen_path(options, addition.policy))
        policy = tg_chosen_policy(options, &status);
    if (policy != NULL)
        status = choose(&addition, policy) ? add(&addition) : TG_EXIT_USAGE;
    tg_policy_free(policy);
    tg_replace_end(&addition.file);
    tg_buf_free(&addition.text);
    tg_buf_free(&addition.endpoint);
    return status;
}
