/* fetch.c - intermediates and CRLs that a server's certificates refer to, for its rule. */
#include "chosen.h"
#include "fetched.h"
#include "file.h"
#include "handshake.h"
#include "presented.h"
#include "refresh.h"
#include "route.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_CERTIFICATE = 1 << 20 };

/* CRLs that were had are of use only to a rule that asks for them, and only while they are renewed.
 */
static void add_revocation(struct tg_fetched *fetched, const struct tg_question *question)
{
    const struct tg_rule *rule = question->under.rule;
    bool asked =
        question->options->revocation || (rule != NULL && rule->revocation != TG_REVOCATION_NONE);
    const char *mark = asked ? "" : "# ";
    struct tg_buf *out = &fetched->report;

    if (fetched->crls.length == 0)
        return;
    if (!asked)
        tg_buf_add(out, "# to ask for revocation too (fetch --revocation prints it so):\n");
    tg_buf_printf(out, "%scrl = %s\n", mark, fetched->crls.text);
    if (fetched->leaf_has)
        tg_buf_printf(out, "%srevocation = %s\n", mark,
                      fetched->crls_found == fetched->wanted ? "crl-chain" : "crl");
    tg_buf_add(out,
               "# a CRL that is out of date refuses everybody: renew them before, each hour, by\n"
               "#   trustgraft fetch --refresh");
    if (question->options->policy != NULL) {
        tg_buf_add(out, " -p ");
        tg_argument_shell(out, question->options->policy);
    }
    tg_buf_add(out, "\n");
}

/* The lines for the policy, behind what was found. */
static void add_settings(struct tg_fetched *fetched, const struct tg_question *question)
{
    const struct tg_rule *rule = question->under.rule;
    struct tg_buf *out = &fetched->report;

    if (fetched->intermediates.length == 0 && fetched->crls.length == 0)
        return;
    if (rule != NULL && rule->where.file != NULL)
        tg_buf_printf(out, "\n# for the rule at %s:%u\n", rule->where.file, rule->where.line);
    else
        tg_buf_printf(out, "\n[host %s]\n", question->at.host);
    if (fetched->intermediates.length > 0)
        tg_buf_printf(out, "intermediates = %s\n", fetched->intermediates.text);
    add_revocation(fetched, question);
}

static int answer(struct tg_fetched *fetched, const struct tg_question *question)
{
    bool written = fetched->folder == NULL || fetched->report.failed || tg_fetched_write(fetched);

    if (written)
        add_settings(fetched, question);
    if (fetched->folder == NULL && fetched->file_count > 0)
        tg_complain("fetch: nothing was written: --to DIR names the folder");
    if (!tg_terminal_write(stdout, &fetched->report) || !written)
        return TG_EXIT_USAGE;
    return fetched->failed ? TG_EXIT_REFUSED : TG_EXIT_GOOD;
}

static bool make_folder(struct tg_fetched *fetched, const char *path, char folder[PATH_MAX])
{
    struct tg_buf why = {0};

    if (path == NULL)
        return true;
    if (!tg_save_folder_own(path, 0755, &why) || realpath(path, folder) == NULL)
        tg_complain("--to: %s", why.text != NULL ? why.text : strerror(errno));
    else if (tg_argument_nameable(folder))
        fetched->folder = folder;
    tg_buf_free(&why);
    return fetched->folder != NULL;
}

/* A policy is of use, not needed; but one that is there has to be right. */
static bool find_rule(struct tg_question *question, int *status)
{
    char path[PATH_MAX];

    if (question->options->policy == NULL && tg_chosen_locate(path) == TG_ORIGIN_NONE)
        return true;
    if (!tg_question_load(question, status))
        return false;
    tg_question_apply(question); /* a rule that isn't known is none: nothing is accepted here */
    return true;
}

static int fetch_host(const struct tg_options *options, struct tg_question *question,
                      const struct tg_route *route, const struct tg_download *how)
{
    struct tg_fetched *fetched = calloc(1, sizeof(*fetched));
    struct tg_presented presented = {0};
    struct tg_issuers issuers = {0};
    char folder[PATH_MAX];
    int status = TG_EXIT_USAGE;

    if (fetched == NULL) {
        tg_complain("%s", tg_no_memory);
        return status;
    }
    if (tg_route_call(route, &question->at, &presented) &&
        make_folder(fetched, options->to, folder)) {
        tg_issuers_find(&issuers, question, &presented, how);
        tg_fetched_gather(fetched, &issuers, how);
        status = answer(fetched, question);
    }
    tg_fetched_clear(fetched);
    free(fetched);
    tg_issuers_clear(&issuers);
    tg_presented_clear(&presented);
    return status;
}

static int fetch(const struct tg_options *options)
{
    struct tg_question question = {.options = options};
    struct tg_route route = {0};
    struct tg_download how = {.allow_private = options->allow_private,
                              .anchors = options->app_anchors,
                              .largest = LARGEST_CERTIFICATE};
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    if (!tg_route_read(&route, options))
        return status;
    how.seconds = route.seconds;
    if (options->refresh && (options->operand_count > 0 || options->to != NULL)) {
        tg_complain("fetch: --refresh renews files where they are: no HOST, no --to");
        return status;
    }
    if (options->refresh) {
        how.largest = TG_FILE_MAX;
        return tg_refresh(options, &how);
    }
    if (options->operand_count == 0)
        tg_complain("fetch: the host is missing: trustgraft fetch HOST[:PORT], or --refresh");
    else if (tg_argument_endpoint(options->operands[0], &question.at) &&
             tg_route_to(&route, options, &question.at) && tg_question_ask(&question) &&
             find_rule(&question, &status))
        status = fetch_host(options, &question, &route, &how);
    tg_question_clear(&question);
    return status;
}

const struct tg_verb tg_verb_fetch = {
    .name = "fetch",
    .synopsis = "[OPTION...] HOST[:PORT] | --refresh",
    .summary = "download missing intermediates and CRLs, and check them",
    .details =
        "Connects to HOST as 'explain --connect' does, downloads the intermediates that it "
        "doesn't send and the CRLs of its path from where its certificates say, checks each, "
        "writes it into the folder of --to, and prints the lines for the policy.\n"
        "--refresh: downloads anew each CRL that the policy names and fetch wrote. One that "
        "isn't as it must be leaves the old file as it is.\n"
        "Exit 0: all is there; 1: something couldn't be had or was refused, or the policy has "
        "errors; 2: usage, no TLS connection, or a file can't be read or written.",
    .options = TG_OPTION_FETCH | TG_OPTION_PRIVATE | TG_OPTION_TO | TG_OPTION_ROUTE |
               TG_OPTION_APP_ANCHORS,
    .most = 1,
    .run = fetch,
};
