/* check.c - all that is wrong with a policy, and all that will go wrong with it. */
#include "argument.h"
#include "chosen.h"
#include "compiled.h"
#include "diagnostics.h"
#include "knownhosts.h"
#include "lint.h"
#include "load.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void add_count(struct tg_buf *buf, const char *before, size_t count, const char *one,
                      const char *many)
{
    tg_buf_printf(buf, "%s%zu %s", before, count, count == 1 ? one : many);
}

static size_t count_warnings(const struct tg_diags *diags)
{
    size_t warnings = 0;

    for (size_t i = 0; i < diags->count; i++)
        warnings += diags->diag[i].severity == TG_WARNING;
    return warnings;
}

static void summarise(struct tg_buf *buf, const char *path, const tg_policy *policy,
                      const struct tg_diags *diags)
{
    size_t warnings = count_warnings(diags), distrusted;

    tg_buf_escape(buf, path, strlen(path));
    if (policy == NULL) {
        add_count(buf, ": ", diags->errors + diags->lost, "error", "errors");
    } else {
        distrusted = policy->distrusted_certificates.count + policy->distrusted_keys.count;
        add_count(buf, ": valid: ", policy->rule_count, "rule", "rules");
        if (policy->exception_count > 0)
            add_count(buf, ", ", policy->exception_count, "exception", "exceptions");
        if (distrusted > 0)
            add_count(buf, ", ", distrusted, "distrusted", "distrusted");
    }
    if (warnings > 0)
        add_count(buf, ", ", warnings, "warning", "warnings");
    tg_buf_add(buf, "\n");
}

static void add_json(struct tg_buf *buf, const struct tg_diag *diag)
{
    tg_buf_add(buf, "{\"file\":");
    tg_buf_json(buf, diag->file);
    tg_buf_printf(buf, ",\"line\":%u,\"column\":%u,\"severity\":\"%s\",\"text\":", diag->line,
                  diag->column, diag->severity == TG_ERROR ? "error" : "warning");
    tg_buf_json(buf, diag->text);
    tg_buf_add(buf, "}\n");
}

static void list_json(struct tg_buf *buf, const char *path, const struct tg_diags *diags)
{
    static const enum tg_severity order[] = {TG_ERROR, TG_WARNING};
    struct tg_diag rest = {.severity = TG_ERROR, .file = (char *)path};
    size_t errors = 0;

    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < diags->count; i++) {
            if (diags->diag[i].severity != order[pass])
                continue;
            errors += order[pass] == TG_ERROR;
            add_json(buf, &diags->diag[i]);
        }
    rest.text = diags->lost ? "memory ran out; more may be wrong" : "there are more errors";
    if (diags->lost || diags->errors > errors)
        add_json(buf, &rest);
}

/* What is to be said of the image beside PATH, if there is one. */
static void add_image(struct tg_buf *buf, const char *path, bool fresh, const char *note, bool json)
{
    struct tg_buf text = {0};

    if (!fresh && note == NULL)
        return;
    tg_buf_printf(&text, "%s" TG_IMAGE_SUFFIX, path);
    if (json) {
        tg_buf_add(buf, "{\"file\":");
        tg_buf_json(buf, text.text);
        tg_buf_printf(buf, ",\"line\":0,\"column\":0,\"severity\":\"%s\",\"text\":",
                      fresh ? "note" : "warning");
        tg_buf_json(buf, fresh ? "it is fresh: programs use it" : note);
        tg_buf_printf(buf, ",\"fresh\":%s}\n", fresh ? "true" : "false");
    } else if (fresh) {
        tg_buf_escape(buf, text.text != NULL ? text.text : "", text.length);
        tg_buf_add(buf, " is fresh: programs use it\n");
    } else {
        tg_buf_printf(buf, "%s\n", note);
    }
    buf->failed = buf->failed || text.failed;
    tg_buf_free(&text);
}

/*
 * Text that is longer than what programs read is as good as its image, whose maker read all of it.
 * DIAGS are the text's.
 */
static tg_policy *parse(const char *path, struct tg_diags *diags, const tg_policy *image)
{
    tg_policy *policy = tg_policy_parse(path, diags);

    if (policy == NULL && image != NULL) {
        tg_diags_clear(diags);
        tg_diag_add(diags, TG_WARNING, path, 0, 0, NULL,
                    "is longer than programs read it: that its image is fresh is all that was "
                    "checked");
        policy = tg_policy_ref(image);
    }
    return policy;
}

/* --warn-days is known to be right. */
static void lint(const tg_policy *policy, const struct tg_options *options, struct tg_diags *diags)
{
    time_t within;

    if (options->warn_days == NULL)
        tg_policy_lint(policy, time(NULL), diags);
    else if (tg_argument_warn_days(options->warn_days, &within))
        tg_policy_lint_within(policy, time(NULL), within, diags);
}

static int check_file(const char *path, const struct tg_options *options)
{
    bool json = options->json;
    struct tg_diags diags = {0};
    struct tg_buf buf = {0};
    char *note;
    tg_policy *image = tg_compiled_open_at(path, &note), *policy = parse(path, &diags, image);
    int status = TG_EXIT_GOOD;

    if (policy != NULL && !tg_known_files_read(policy, &diags)) {
        tg_policy_free(policy);
        policy = NULL;
    }
    if (policy != NULL && policy != image)
        lint(policy, options, &diags);
    else if (policy == NULL)
        status = tg_chosen_status(path);
    if (json) {
        list_json(&buf, path, &diags);
    } else {
        tg_diagnostics_print(stdout, &diags);
        summarise(&buf, path, policy, &diags);
    }
    add_image(&buf, path, image != NULL, note, json);
    free(note);
    tg_policy_free(image);
    if (!tg_terminal_write(stdout, &buf) || (policy != NULL && diags.lost))
        status = TG_EXIT_USAGE;
    tg_diags_clear(&diags);
    tg_policy_free(policy);
    return status;
}

static int check(const struct tg_options *options)
{
    char path[PATH_MAX];
    int status = TG_EXIT_GOOD, worst = TG_EXIT_GOOD;
    time_t within;

    if (!tg_argument_warn_days(options->warn_days, &within))
        return TG_EXIT_USAGE;
    if (options->operand_count == 0)
        return tg_chosen_path(options, path) ? check_file(path, options) : TG_EXIT_USAGE;
    if (options->policy != NULL) {
        tg_complain("check: give the policy with -p or as FILE, not both");
        return TG_EXIT_USAGE;
    }
    for (int i = 0; i < options->operand_count; i++) {
        status = check_file(options->operands[i], options);
        worst = status > worst ? status : worst;
    }
    return worst;
}

const struct tg_verb tg_verb_check = {
    .name = "check",
    .synopsis = "[--json] [--warn-days N] [FILE...]",
    .summary = "tell everything that is wrong with a policy",
    .details = "Parses the policy and every file that it names, and prints all errors, then the "
               "warnings: pins near their end or without a backup, expired anchors, rules that can "
               "never apply; and whether an image of it (trustgraft compile) counts.\n"
               "Without FILE it checks the policy that programs would find.\n"
               "Exit 0: valid, whatever the warnings; 1: errors; 2: a file can't be read.",
    .options = TG_OPTION_JSON | TG_OPTION_WARN,
    .most = -1,
    .run = check,
};
