/* except.c - an exception for what is wrong with a server's certificate, written to the policy. */
#include "chain.h"
#include "chosen.h"
#include "diagnostics.h"
#include "file.h"
#include "forgive.h"
#include "handshake.h"
#include "load.h"
#include "presented.h"
#include "replace.h"
#include "route.h"
#include "show.h"
#include "terminal.h"
#include "verbs.h"
#include "write.h"
#include <openssl/tls1.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request {
    const struct tg_options *options;
    struct tg_question question;
    struct tg_presented presented;
    struct tg_replace file; /* that the exception goes to */
    char policy[PATH_MAX];
};

/* The path that the file was named by. */
static const char *target(const struct request *request)
{
    return request->options->to != NULL ? request->options->to : request->policy;
}

/* What the options hold that a mistake in would show too late. */
static bool ask(struct request *request)
{
    const struct tg_options *options = request->options;

    if (!options->yes && !options->dry_run && !isatty(STDIN_FILENO)) {
        tg_complain("except: standard input is no terminal to ask on: give --yes to write the "
                    "exception without asking, or --dry-run to see what would be written");
        return false;
    }
    return tg_forgive_check(options) && tg_chosen_path(options, request->policy);
}

/* The file is read, and locked, before the policy that it is part of: a change between is seen. */
static bool open_target(struct request *request)
{
    struct tg_buf why = {0};
    bool opened = tg_replace_begin(&request->file, target(request), TG_FILE_MAX, &why);

    if (opened && !request->file.exists) {
        tg_buf_add(&why, "there is no such file: make it, where the policy includes it");
        opened = false;
    }
    if (!opened)
        tg_complain_of(target(request), &why);
    tg_buf_free(&why);
    return opened;
}

static bool read_chain(struct request *request, const char *path)
{
    struct tg_buf why = {0};
    bool read = tg_chain_read(path, &request->presented.chain, &why) == TG_CHAIN_READ;

    request->presented.tls_version = TLS1_3_VERSION;
    if (!read)
        tg_complain_of(path, &why);
    tg_buf_free(&why);
    return read;
}

static bool call(struct request *request)
{
    struct tg_endpoint *at = &request->question.at;
    struct tg_route route = {0};

    return tg_route_read(&route, request->options) && tg_route_to(&route, request->options, at) &&
           tg_route_call(&route, at, &request->presented);
}

/* What is presented, by the server or by the file that holds its chain. */
static bool take(struct request *request)
{
    const struct tg_options *options = request->options;

    if (options->operand_count < 2)
        return call(request);
    if (tg_route_option(options) == NULL)
        return read_chain(request, options->operands[1]);
    tg_complain("except: --%s is for a connection, which isn't made where a chain is given",
                tg_route_option(options));
    return false;
}

static bool show(const struct tg_question *question, const struct tg_verdict *verdict)
{
    const struct tg_occasion occasion = {.host = question->at.host, .port = question->at.port};
    struct tg_buf buf = {0};

    tg_show_verdict(&buf, verdict, &occasion, NULL);
    return tg_terminal_write(stdout, &buf) && fflush(stdout) == 0;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = 0;

    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

static bool confirm(const struct request *request)
{
    if (request->options->yes ||
        tg_terminal_ask("\nWrite an exception for this certificate and these findings?"))
        return true;
    tg_complain("nothing was written");
    return false;
}

/* The policy as it would be accepts the server, or it isn't written. */
static bool prove(const struct request *request, const tg_policy *policy, const char *name)
{
    struct tg_question question = request->question;
    struct tg_verdict *verdict;
    bool accepted;

    if (!tg_forgive_stands(policy, name)) {
        tg_complain("%s is no part of the policy %s: include it there, or leave --to away",
                    target(request), request->policy);
        return false;
    }
    question.policy = (tg_policy *)policy;
    tg_question_apply(&question);
    verdict = tg_question_evaluate(&question, &request->presented);
    accepted = verdict != NULL && verdict->accepted;
    if (!accepted)
        tg_complain("the server would be refused all the same: nothing was written");
    tg_verdict_free(verdict);
    return accepted;
}

/* Shows what TEXT has behind what it and the file that is there begin with, up to what both end
 * with: an exception that is new, or renewed. */
static int show_text(const struct request *request, const struct tg_buf *text)
{
    const char *old = request->file.text.length > 0 ? request->file.text.text : "";
    const char *old_end = old + strlen(old), *new = text->text, *new_end = new + text->length;
    struct tg_buf out = {0};
    size_t same = 0, line = 0;

    while (old[same] != '\0' && old[same] == new[same])
        if (old[same++] == '\n')
            line = same;
    while (old_end > old + line && new_end > new + line &&old_end[-1] == new_end[-1]) {
        old_end--;
        new_end--;
    }
    new_end += strcspn(new_end, "\n");
    tg_buf_printf(&out, "\n--dry-run: nothing is written. With it %s would have, at line %zu:\n",
                  request->file.path, 1 + count_lines(new, line));
    tg_buf_addn(&out, new + line, (size_t)(new_end - new) - line);
    tg_buf_add(&out, "\n");
    return tg_terminal_write(stdout, &out) ? TG_EXIT_GOOD : TG_EXIT_USAGE;
}

/* Loads the policy with TEXT for the file, and puts TEXT there if all is well and it is wanted. */
static int write_exception(struct request *request, const struct tg_buf *text, const char *name)
{
    const struct tg_override override = {request->file.status.st_dev, request->file.status.st_ino,
                                         text->text, text->length};
    struct tg_diags diags = {0};
    struct tg_buf why = {0};
    tg_policy *policy = tg_policy_parse_with(request->policy, &override, &diags);
    int status = TG_EXIT_REFUSED;

    if (policy == NULL) {
        tg_diagnostics_print(stderr, &diags);
    } else if (prove(request, policy, name)) {
        if (request->options->dry_run) {
            status = show_text(request, text);
        } else if (tg_replace_commit(&request->file, text, &why)) {
            status = TG_EXIT_GOOD;
        } else {
            tg_complain_of(target(request), &why);
            status = TG_EXIT_USAGE;
        }
    }
    tg_policy_free(policy);
    tg_diags_clear(&diags);
    tg_buf_free(&why);
    return status;
}

/* Evaluates once more, under the policy as it is now on the disk. */
static int tell_outcome(struct request *request)
{
    struct tg_question *question = &request->question;
    struct tg_verdict *verdict;
    struct tg_buf out = {0};
    int status = TG_EXIT_USAGE;

    tg_policy_free(question->policy);
    if (!tg_question_load(question, &status))
        return status;
    tg_question_apply(question);
    verdict = tg_question_evaluate(question, &request->presented);
    if (verdict == NULL) {
        tg_complain("%s", tg_no_memory);
        return TG_EXIT_USAGE;
    }
    tg_buf_printf(&out, "\nWritten to %s. Now: %s ", request->file.path,
                  verdict->accepted ? "accept" : "reject");
    tg_write_endpoint(&out, question->at.host, question->at.port);
    tg_buf_printf(&out, ": %s (%s)\n", tg_result_name(verdict->result),
                  tg_show_outcome(verdict->result));
    if (tg_terminal_write(stdout, &out))
        status = verdict->accepted ? TG_EXIT_GOOD : TG_EXIT_REFUSED;
    tg_verdict_free(verdict);
    return status;
}

static int forgive(struct request *request, const struct tg_verdict *verdict)
{
    struct tg_buf text = {0};
    char *name = NULL;
    int status = TG_EXIT_USAGE;

    tg_buf_addn(&text, request->file.text.length > 0 ? request->file.text.text : "",
                request->file.text.length);
    name = tg_forgive_write(&text, &request->question, verdict, &request->file.status);
    if (name == NULL || text.failed)
        tg_complain("%s", tg_no_memory);
    else if (!request->options->dry_run && !confirm(request))
        status = TG_EXIT_REFUSED;
    else
        status = write_exception(request, &text, name);
    free(name);
    tg_buf_free(&text);
    return status == TG_EXIT_GOOD && !request->options->dry_run ? tell_outcome(request) : status;
}

static int judge(struct request *request)
{
    struct tg_question *question = &request->question;
    struct tg_verdict *verdict = tg_question_evaluate(question, &request->presented);
    int status = TG_EXIT_USAGE;

    if (verdict == NULL) {
        tg_complain("memory ran out: nothing was accepted");
    } else if (show(question, verdict)) {
        bool renews = request->options->expires != NULL || request->options->note != NULL;

        if (verdict->accepted && (verdict->finding_count == 0 || !renews)) {
            puts(
                verdict->finding_count > 0
                    ? "There is nothing to forgive: an exception does already. --expires renews it."
                    : "There is nothing to forgive.");
            status = TG_EXIT_GOOD;
        } else {
            status = tg_forgive_possible(question, verdict) &&
                             !tg_forgive_has_expired(question, verdict, &request->file.status)
                         ? forgive(request, verdict)
                         : TG_EXIT_REFUSED;
        }
    }
    tg_verdict_free(verdict);
    return status;
}

static int except(const struct tg_options *options)
{
    struct request request = {.options = options, .question = {.options = options}};
    struct tg_question *question = &request.question;
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    if (!tg_argument_endpoint(options->operands[0], &question->at) || !ask(&request) ||
        !tg_question_ask(question) || !open_target(&request) || !take(&request))
        goto end;
    if (tg_question_match(question, "HOST:PORT", &status))
        status = judge(&request);
end:
    tg_replace_end(&request.file);
    tg_presented_clear(&request.presented);
    tg_question_clear(question);
    return status;
}

const struct tg_verb tg_verb_except = {
    .name = "except",
    .synopsis = "[OPTION...] HOST[:PORT] [CHAIN.pem]",
    .summary = "write an exception for what is wrong with a server's certificate",
    .details =
        "Evaluates what HOST presents, port 443 unless it is given, or the chain of a file as "
        "`verify` does, shows what is wrong with it, asks, and adds an [exception] for "
        "exactly these findings of this certificate to the policy in force; or renews the one "
        "that is there. The file is replaced as a whole, once the policy is valid and accepts "
        "the server with it.\n"
        "Exit 0: written, or with --dry-run shown, or there was nothing to forgive; 1: no "
        "exception may forgive it, "
        "the answer was no, or the policy has errors; 2: usage, a file can't be read or "
        "written, or there is no TLS connection to be had.",
    .options = TG_OPTION_ROUTE | TG_OPTION_PROGRAM | TG_OPTION_APP_ANCHORS | TG_OPTION_TO |
               TG_OPTION_YES | TG_OPTION_DRY_RUN | TG_OPTION_EXCEPT,
    .least = 1,
    .most = 2,
    .missing = "the host is missing",
    .run = except,
};
