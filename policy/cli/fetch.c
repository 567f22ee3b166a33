/* fetch.c - intermediates and CRLs that a server's certificates refer to, for its rule. */
#include "chosen.h"
#include "file.h"
#include "handshake.h"
#include "harvest.h"
#include "meet.h"
#include "refresh.h"
#include "terminal.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_CERTIFICATE = 1 << 20 };

static void add_setting(struct tg_buf *out, const char *key, const struct tg_buf *values)
{
    if (values->length > 0)
        tg_buf_printf(out, "%s = %s\n", key, values->text);
}

/* The lines for the policy, behind what was found. */
static void add_settings(struct tg_harvest *harvest, const struct tg_question *question)
{
    const struct tg_rule *rule = question->under.rule;
    struct tg_buf *out = &harvest->report;

    if (harvest->intermediates.length == 0 && harvest->crls.length == 0)
        return;
    if (rule != NULL && rule->where.file != NULL)
        tg_buf_printf(out, "\n# for the rule at %s:%u\n", rule->where.file, rule->where.line);
    else
        tg_buf_printf(out, "\n[host %s]\n", question->at.host);
    add_setting(out, "intermediates", &harvest->intermediates);
    add_setting(out, "crl", &harvest->crls);
    if (harvest->leaf_has)
        tg_buf_printf(out, "revocation = %s\n",
                      harvest->lists == harvest->wanted ? "crl-chain" : "crl");
}

static int answer(struct tg_harvest *harvest, const struct tg_question *question)
{
    bool written = harvest->folder == NULL || harvest->report.failed || tg_harvest_write(harvest);

    if (written)
        add_settings(harvest, question);
    if (harvest->folder == NULL && harvest->file_count > 0)
        tg_complain("fetch: nothing was written: --to DIR names the folder");
    if (!tg_terminal_write(stdout, &harvest->report) || !written)
        return TG_EXIT_USAGE;
    return harvest->failed ? TG_EXIT_REFUSED : TG_EXIT_GOOD;
}

static bool make_folder(struct tg_harvest *harvest, const char *path, char folder[PATH_MAX])
{
    struct tg_buf why = {0};

    if (path == NULL)
        return true;
    if (!tg_save_folder(path, 0755, &why) || realpath(path, folder) == NULL)
        tg_complain("--to: %s", why.text != NULL ? why.text : strerror(errno));
    else
        harvest->folder = folder;
    tg_buf_free(&why);
    return harvest->folder != NULL;
}

/* A policy is of use, not needed; but one that is there has to be right. */
static bool find_rule(struct tg_question *question, int *status)
{
    char path[PATH_MAX];

    if (question->options->policy == NULL && tg_chosen_locate(path) == TG_ORIGIN_NONE)
        return true;
    return tg_question_load(question, status) && (tg_question_apply(question) || true);
}

static int fetch_host(const struct tg_options *options, struct tg_question *question,
                      const struct tg_route *route, const struct tg_download *how)
{
    struct tg_harvest *harvest = calloc(1, sizeof(*harvest));
    struct tg_presented presented = {0};
    struct tg_issuers issuers = {0};
    struct tg_buf why = {0}, note = {0};
    char peer[TG_PEER_SIZE], folder[PATH_MAX];
    int status = TG_EXIT_USAGE;

    if (harvest == NULL) {
        tg_complain("memory ran out");
        return status;
    }
    if (!tg_meet(route, &question->at, &presented, peer, &why, &note)) {
        tg_meet_complain(&question->at, &why);
    } else if (make_folder(harvest, options->to, folder)) {
        tg_issuers_find(&issuers, question, &presented, how);
        tg_harvest_gather(harvest, &issuers, how);
        status = answer(harvest, question);
    }
    tg_harvest_clear(harvest);
    free(harvest);
    tg_issuers_clear(&issuers);
    tg_presented_clear(&presented);
    tg_buf_free(&why);
    tg_buf_free(&note);
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
    if (!tg_route_ask(&route, options))
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
        "doesn't\n"
        "send and the CRLs of its path from where its certificates say, checks each, writes it "
        "into\n"
        "the folder of --to, and prints the lines for the policy.\n"
        "--refresh: downloads anew each CRL that the policy names and fetch wrote. One that isn't\n"
        "as it must be leaves the old file as it is.\n"
        "Exit 0: all is there; 1: something couldn't be had or was refused, or the policy has\n"
        "errors; 2: usage, no TLS connection, or a file can't be read or written.",
    .options = TG_OPTION_FETCH | TG_OPTION_TO | TG_OPTION_REACH | TG_OPTION_APP_ANCHORS,
    .most = 1,
    .run = fetch,
};
