/* scan.c - evaluates many hosts under the policy. */
#include "handshake.h"
#include "html.h"
#include "progress.h"
#include "prometheus.h"
#include "question.h"
#include "remember.h"
#include "summary.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 64, MOST_JOBS = 1024 };

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* The first signal ends the scan with a report, a second one the process. What was ignored when
 * this was started, as by nohup(1), stays so. */
static void heed_signal(int number)
{
    const struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;

    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

static bool read_jobs(const char *word, int *out)
{
    if (word == NULL || tg_argument_number(word, 1, MOST_JOBS, out))
        return true;
    tg_complain("--jobs: '%s' isn't a number from 1 to %d", word, MOST_JOBS);
    return false;
}

/* Completes TARGETS with their ports, and sees to it that threads won't come upon a wrong
 * --resolve. */
static bool complete(struct tg_targets *targets, const struct tg_options *options)
{
    for (size_t i = 0; i < targets->count; i++) {
        struct tg_route route = {.starttls = targets->item[i].starttls};

        if (!tg_route_to(&route, options, &targets->item[i].at))
            return false;
    }
    return true;
}

/* Prints what is ready of the lines of JSON, in the order of the targets; ALL: also behind those
 * that aren't. TAKEN have been dealt with; returns how many have now. */
static size_t print_lines(struct tg_sweep *sweep, size_t taken, bool all)
{
    for (; taken < sweep->targets->count; taken++) {
        struct tg_sweep_result *result = &sweep->results[taken];
        bool done;

        pthread_mutex_lock(&sweep->lock);
        done = result->done;
        pthread_mutex_unlock(&sweep->lock);
        if (!done && !all)
            break;
        if (done && sweep->question->options->json)
            puts(result->json != NULL ? result->json : "{\"error\":\"memory ran out\"}");
        free(result->json);
        result->json = NULL;
    }
    fflush(stdout);
    return taken;
}

static void draw(struct tg_sweep *sweep)
{
    char text[80];
    size_t finished;

    pthread_mutex_lock(&sweep->lock);
    finished = sweep->finished;
    snprintf(text, sizeof(text), "%zu/%zu  %zu refused  %zu not reached", finished,
             sweep->targets->count, sweep->counts[TG_SWEEP_REFUSED],
             sweep->counts[TG_SWEEP_FAILED]);
    pthread_mutex_unlock(&sweep->lock);
    tg_progress_draw(finished, sweep->targets->count, text);
}

static int status_of(const struct tg_sweep *sweep)
{
    if (sweep->counts[TG_SWEEP_REFUSED] > 0)
        return TG_EXIT_REFUSED;
    return sweep->counts[TG_SWEEP_ACCEPTED] == sweep->targets->count ? TG_EXIT_GOOD : TG_EXIT_USAGE;
}

/* Prints the report, after what was printed on the way, and returns the exit code. */
static int report(struct tg_sweep *sweep)
{
    const struct tg_options *options = sweep->question->options;
    struct tg_buf text = {0}, remembered = {0};
    size_t left = sweep->targets->count - sweep->finished;
    int status = status_of(sweep), pinned_status = TG_EXIT_GOOD;

    if (left > 0)
        tg_complain("scan: interrupted: the report lacks %zu of %zu hosts", left,
                    sweep->targets->count);
    if (options->pin_to != NULL)
        pinned_status = tg_remember(sweep, options->pin_to, &remembered);
    if ((options->html != NULL && !tg_html_write(sweep, options->html)) ||
        (options->prometheus != NULL && !tg_prometheus_write(sweep, options->prometheus)))
        status = pinned_status = TG_EXIT_USAGE;
    if (!options->json) {
        tg_summary(&text, sweep);
        tg_buf_add(&text, remembered.text != NULL ? remembered.text : "");
        if (!tg_terminal_write(stdout, &text))
            status = TG_EXIT_USAGE;
    }
    tg_buf_free(&remembered);
    /* A file that can't be written comes first, a host that is refused second. */
    if (pinned_status == TG_EXIT_USAGE || status == TG_EXIT_GOOD)
        return pinned_status;
    return pinned_status == TG_EXIT_REFUSED ? pinned_status : status;
}

static int run(struct tg_sweep *sweep)
{
    size_t taken = 0;

    heed_signal(SIGINT);
    heed_signal(SIGTERM);
    if (!tg_sweep_begin(sweep))
        return TG_EXIT_USAGE;
    while (!interrupted && tg_sweep_wait(sweep, taken)) {
        size_t ready = print_lines(sweep, taken, false);

        taken = ready;
        draw(sweep);
    }
    tg_sweep_end(sweep);
    tg_progress_clear();
    print_lines(sweep, taken, true);
    return report(sweep);
}

static int scan(const struct tg_options *options)
{
    struct tg_question question = {.options = options};
    struct tg_targets targets = {0};
    struct tg_route route = {0};
    struct tg_sweep sweep = {
        .targets = &targets, .route = &route, .question = &question, .jobs = JOBS};
    time_t soon;
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    if (tg_argument_warn_days(options->warn_days, &soon) && tg_route_read(&route, options) &&
        read_jobs(options->jobs, &sweep.jobs) &&
        tg_targets_read(options->operand_count > 0 ? options->operands[0] : "-", &route,
                        &targets) &&
        complete(&targets, options) && tg_question_ask(&question) &&
        tg_question_load(&question, &status)) {
        sweep.now = question.when != 0 ? question.when : time(NULL);
        sweep.soon = sweep.now + soon;
        status = run(&sweep);
    }
    tg_sweep_clear(&sweep);
    tg_question_clear(&question);
    free(targets.item);
    return status;
}

const struct tg_verb tg_verb_scan = {
    .name = "scan",
    .synopsis = "[OPTION...] [FILE|-]",
    .summary = "evaluate many servers under the policy",
    .details =
        "Connects to each host of FILE (standard input without it) as 'explain --connect' "
        "does, and evaluates what it presents. A line of FILE is HOST[:PORT] [PROTOCOL], "
        "PROTOCOL being one of --starttls; # begins a comment. Prints the hosts grouped by "
        "finding and a sum, or with --json an object for each host, in the order of FILE. "
        "Ctrl-C ends it with a report of what was seen so far. --timeout counts for each "
        "host.\n"
        "Accepted hosts whose certificate, CRL, pins or exception end within --warn-days are "
        "named too. --pin-to adds those that were accepted to a known-hosts file.\n"
        "Exit 0: all accepted; 1: one was refused, or the policy has errors; 2: usage, a file "
        "can't be read, or none was refused but one couldn't be evaluated.",
    .options = TG_OPTION_SCAN | TG_OPTION_ALL | TG_OPTION_WARN | TG_OPTION_ROUTE |
               TG_OPTION_PROGRAM | TG_OPTION_TIME | TG_OPTION_APP_ANCHORS | TG_OPTION_JSON,
    .most = 1,
    .run = scan,
};
