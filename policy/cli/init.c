/* init.c - a first policy for servers as they are, written where programs find it. */
#include "chosen.h"
#include "diagnostics.h"
#include "file.h"
#include "forgive.h"
#include "handshake.h"
#include "load.h"
#include "match.h"
#include "presented.h"
#include "propose.h"
#include "remedy.h"
#include "replace.h"
#include "route.h"
#include "source.h"
#include "terminal.h"
#include "verbs.h"
#include "write.h"
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LARGEST_CERTIFICATE = 1 << 20,
    HTTPS = 443 /* is any port in a rule: through a proxy, which lets it pass, the proxy's counts */
};

struct beginning {
    const struct tg_options *options;
    char policy[PATH_MAX], folder[PATH_MAX], certificates[PATH_MAX];
    tg_policy *before; /* NULL: there is none yet */
    struct tg_replace file;
    struct tg_proposal *proposals; /* one for each host */
    int count;
    struct tg_buf text; /* of the file as it will be */
};

/* ---- where ---------------------------------------------------------------------------------- */

/* Fills in the paths. False after a complaint. What a policy names is relative to its own folder.
 */
static bool find_place(struct beginning *it)
{
    char chosen[PATH_MAX], copy[PATH_MAX];
    bool fits;

    if (!tg_chosen_place(it->options, chosen) || !tg_argument_absolute(chosen, it->policy) ||
        !tg_argument_nameable(it->policy))
        return false;
    snprintf(copy, sizeof(copy), "%s", it->policy);
    fits = snprintf(it->folder, PATH_MAX, "%s", dirname(copy)) < PATH_MAX &&
           snprintf(it->certificates, PATH_MAX, "%s/certs", it->folder) < PATH_MAX;
    if (!fits)
        tg_complain("%s: the path is too long", it->policy);
    return fits;
}

/* The policy that is there already has to be right. */
static bool read_before(struct beginning *it, int *status)
{
    struct tg_diags diags = {0};
    bool right = true;

    if (access(it->policy, F_OK) != 0)
        return true;
    it->before = tg_policy_parse(it->policy, &diags);
    if (it->before == NULL) {
        tg_diagnostics_print(stderr, &diags);
        *status = tg_chosen_status(it->policy);
        right = false;
    }
    tg_diags_clear(&diags);
    return right;
}

/* ---- each server ---------------------------------------------------------------------------- */

static bool is_ruled(const struct beginning *it, const struct tg_endpoint *at, const char *word)
{
    struct tg_match under = {.kind = TG_MATCH_UNMATCHED};

    if (it->before != NULL)
        under = tg_policy_match(it->before, at->host, at->port, NULL);
    if (under.kind == TG_MATCH_RULE)
        tg_complain("%s has a rule already, at %s:%u: 'trustgraft explain %s' tells what it says",
                    word, under.rule->where.file, under.rule->where.line, word);
    else if (under.kind == TG_MATCH_UNKNOWN)
        tg_complain("%s has a rule already, which depends on the %s", word, under.lacking);
    return under.kind != TG_MATCH_UNMATCHED;
}

static bool look_at(struct beginning *it, const char *word)
{
    struct tg_question question = {.options = it->options};
    struct tg_proposal *proposal = &it->proposals[it->count];
    struct tg_presented presented = {0};
    struct tg_route route = {0};
    struct tg_download how = {.allow_private = it->options->allow_private,
                              .anchors = it->options->app_anchors,
                              .largest = LARGEST_CERTIFICATE};
    struct tg_buf written = {0};
    bool proposed = false;

    proposal->folder = it->certificates;
    if (tg_argument_endpoint(word, &question.at) && !is_ruled(it, &question.at, word) &&
        tg_route_read(&route, it->options)) {
        how.seconds = route.seconds;
        tg_write_endpoint(&written, question.at.host,
                          question.at.port != HTTPS ? question.at.port : 0);
        proposed = tg_route_to(&route, it->options, &question.at) && tg_question_ask(&question) &&
                   tg_route_call(&route, &question.at, &presented) &&
                   tg_propose(proposal, &question, &presented, tg_why(&written), &how);
    }
    it->count++;
    tg_presented_clear(&presented);
    tg_question_clear(&question);
    tg_buf_free(&written);
    return proposed;
}

/* ---- writing -------------------------------------------------------------------------------- */

static bool write_certificates(const struct beginning *it, struct tg_buf *why)
{
    struct tg_save saves[TG_ISSUERS_MOST + 1];
    bool written = true;

    for (int i = 0; i < it->count && written; i++) {
        struct tg_proposal *proposal = &it->proposals[i];

        for (size_t k = 0; k < proposal->file_count; k++)
            saves[k] = (struct tg_save){.path = proposal->files[k].path,
                                        .text = &proposal->files[k].text,
                                        .mode = 0644,
                                        .replace = true};
        written =
            proposal->file_count == 0 || (tg_save_folder_own(it->certificates, 0755, why) &&
                                          tg_save_all(saves, proposal->file_count, true, why));
    }
    return written;
}

static void add_texts(struct beginning *it)
{
    const struct tg_buf *old = &it->file.text;

    tg_buf_addn(&it->text, old->length > 0 ? old->text : "", old->length);
    if (old->length > 0)
        tg_buf_add(&it->text, old->text[old->length - 1] != '\n' ? "\n\n" : "\n");
    for (int i = 0; i < it->count; i++)
        tg_buf_printf(&it->text, "%s%s", i > 0 ? "\n" : "", it->proposals[i].text.text);
}

/* True if the policy with the new text is valid; a new file holds nothing else, and was tried. */
static bool is_valid(const struct beginning *it)
{
    const struct tg_override override = {it->file.status.st_dev, it->file.status.st_ino,
                                         it->text.text, it->text.length};
    struct tg_diags diags = {0};
    tg_policy *policy;

    if (!it->file.exists)
        return true;
    policy = tg_policy_parse_with(it->policy, &override, &diags);
    if (policy == NULL)
        tg_diagnostics_print(stderr, &diags);
    tg_policy_free(policy);
    tg_diags_clear(&diags);
    return policy != NULL;
}

static int write_all(struct beginning *it)
{
    struct tg_buf why = {0};
    int status = TG_EXIT_USAGE;

    if (!tg_save_folder(it->folder, 0755, &why) ||
        !tg_replace_begin_own(&it->file, it->policy, TG_FILE_MAX, &why) ||
        !write_certificates(it, &why)) {
        tg_complain_of(it->policy, &why);
    } else {
        add_texts(it);
        if (it->text.failed)
            tg_complain("%s", tg_no_memory);
        else if (!is_valid(it))
            status = TG_EXIT_REFUSED;
        else if (tg_replace_commit(&it->file, &it->text, &why))
            status = TG_EXIT_GOOD;
        else
            tg_complain_of(it->policy, &why);
    }
    tg_buf_free(&why);
    return status;
}

/* ---- what is told --------------------------------------------------------------------------- */

static bool show(const struct beginning *it)
{
    struct tg_buf out = {0};

    for (int i = 0; i < it->count; i++)
        tg_buf_printf(&out, "%s%s", i > 0 ? "\n" : "", it->proposals[i].text.text);
    return tg_terminal_write(stdout, &out) && fflush(stdout) == 0;
}

/* The commands can be pasted; a server that isn't of the web has a program of its own. */
static bool tell_next(const struct beginning *it)
{
    const struct tg_options *options = it->options;
    struct tg_buf out = {0};
    struct tg_endpoint at;
    bool told;

    if (!tg_argument_endpoint(options->operands[0], &at))
        return false;
    tg_buf_printf(
        &out,
        "\nWritten to %s. It was seen from here, once: compare fingerprints that matter.\n"
        "Next:\n  trustgraft explain --connect",
        it->policy);
    tg_remedy_options(&out, options);
    tg_buf_add(&out, " ");
    tg_write_endpoint(&out, at.host, at.port);
    tg_buf_add(&out, "    what it says of the server\n  trustgraft run ");
    if (options->policy != NULL) {
        tg_buf_add(&out, "-p ");
        tg_argument_shell(&out, options->policy);
        tg_buf_add(&out, " ");
    }
    tg_buf_add(&out, options->starttls == NULL ? "curl https://" : "PROGRAM ");
    tg_write_endpoint(&out, at.host, at.port);
    tg_buf_printf(&out,
                  "    one program under it\n"
                  "  trustgraft enable    all programs, by root, under " TG_SYSTEM_POLICY "%s\n",
                  strcmp(it->policy, TG_SYSTEM_POLICY) == 0 ? "" : ": put it there first");
    told = tg_terminal_write(stdout, &out);
    tg_buf_free(&out);
    return told;
}

static int begin(struct beginning *it)
{
    char question[PATH_MAX + 32];
    int status = TG_EXIT_GOOD;

    for (int i = 0; i < it->options->operand_count; i++)
        if (!look_at(it, it->options->operands[i]))
            status = TG_EXIT_USAGE;
    if (status != TG_EXIT_GOOD) {
        tg_complain("nothing was written");
        return status;
    }
    if (!show(it))
        return TG_EXIT_USAGE;
    if (it->options->dry_run)
        return TG_EXIT_GOOD;
    snprintf(question, sizeof(question), "\nWrite this to %s?", it->policy);
    if (!it->options->yes && !tg_terminal_ask(question)) {
        tg_complain("nothing was written");
        return TG_EXIT_REFUSED;
    }
    status = write_all(it);
    return status == TG_EXIT_GOOD && !tell_next(it) ? TG_EXIT_USAGE : status;
}

static int init(const struct tg_options *options)
{
    struct beginning it = {.options = options};
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    if (!options->yes && !options->dry_run && !isatty(STDIN_FILENO)) {
        tg_complain("init: standard input is no terminal to ask on: give --yes to write without "
                    "asking, or --dry-run to see what would be written");
        return status;
    }
    it.proposals = calloc((size_t)options->operand_count, sizeof(*it.proposals));
    if (it.proposals == NULL)
        tg_complain("%s", tg_no_memory);
    else if (tg_forgive_check(options) && find_place(&it) && read_before(&it, &status))
        status = begin(&it);
    for (int i = 0; i < it.count; i++)
        tg_proposal_clear(&it.proposals[i]);
    free(it.proposals);
    tg_replace_end(&it.file);
    tg_policy_free(it.before);
    tg_buf_free(&it.text);
    return status;
}

const struct tg_verb tg_verb_init = {
    .name = "init",
    .synopsis = "[OPTION...] HOST[:PORT]...",
    .summary = "propose a policy for servers as they are, and write it",
    .details =
        "Looks at each HOST, port 443 unless it is given, and proposes the rule that accepts it "
        "and nothing more: the machine's CAs, or its own CA; intermediates that it forgets; the "
        "name that its certificate is for; an exception for what else is wrong, for three months. "
        "Each line has a comment. It is shown, asked for, and added to the policy that programs "
        "find, or to a new one where there is none.\n"
        "Exit 0: written; 1: the answer was no, or the policy has errors; 2: usage, a host can't "
        "be looked at, has a rule already, or is such that no rule should accept it.",
    .options = TG_OPTION_ROUTE | TG_OPTION_APP_ANCHORS | TG_OPTION_EXCEPT | TG_OPTION_PRIVATE |
               TG_OPTION_YES | TG_OPTION_DRY_RUN,
    .least = 1,
    .most = -1,
    .missing = "the host is missing",
    .run = init,
};
