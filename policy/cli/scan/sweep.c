#include "sweep.h"
#include "deadline.h"
#include "hash.h"
#include "presented.h"
#include "question.h"
#include "report.h"
#include "terminal.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/*
 * WINDOW: so many lines of JSON wait for an earlier one at most. DESCRIPTORS: a connection, what
 * the resolver opens meanwhile, and the resolver of one that was given up. SPARE: all the rest.
 */
enum { WINDOW = 4096, DESCRIPTORS = 4, SPARE = 64 };

/* ---- one target --------------------------------------------------------------------------- */

static char *escaped(const struct tg_buf *text)
{
    struct tg_buf out = {0};

    if (!text->failed && text->text != NULL)
        tg_buf_escape(&out, text->text, text->length);
    return tg_buf_take(&out);
}

/* The members of COMMAND's JSON where there is no verdict. */
static char *failure_json(const struct tg_question *question, const char *text)
{
    const struct tg_occasion occasion = {
        .time = question->when != 0 ? question->when : time(NULL),
        .program = question->program[0] != '\0' ? question->program : NULL,
        .pid = getpid(),
        .host = question->at.host,
        .port = question->at.port,
    };
    struct tg_buf out = {0};

    tg_report_occasion_json(&out, &occasion);
    tg_buf_add(&out, ",\"mode\":null,\"verdict\":null,\"result\":null,\"x509_error\":null,"
                     "\"rule\":null,\"findings\":[],\"path\":[],\"error\":");
    tg_buf_json(&out, text);
    tg_buf_add(&out, "}");
    return tg_buf_take(&out);
}

static void take_failure(struct tg_sweep_result *result, const struct tg_question *question,
                         const struct tg_buf *why)
{
    result->state = TG_SWEEP_FAILED;
    result->failure = escaped(why);
    if (question->options->json)
        result->json = failure_json(question, result->failure);
}

static void take_findings(struct tg_sweep_result *result, const struct tg_verdict *verdict)
{
    result->findings = calloc(verdict->finding_count, sizeof(*result->findings));
    for (size_t i = 0; result->findings != NULL && i < verdict->finding_count; i++) {
        const struct tg_finding *finding = &verdict->findings[i];

        result->findings[i].kind = finding->kind;
        result->findings[i].text = strdup(tg_report_finding(finding));
        result->finding_count++;
    }
}

/* The object of `explain`; with --all, the key, names and days of the server's certificate too. */
static char *verdict_json(const struct tg_sweep *sweep, const struct tg_question *question,
                          const struct tg_verdict *verdict)
{
    char *object = tg_question_json(question, verdict);
    struct tg_buf out = {0};

    if (object == NULL || !question->options->all || sk_X509_num(verdict->path) < 1)
        return object;
    tg_buf_addn(&out, object, strlen(object) - 1);
    tg_facts_json(&out, sk_X509_value(verdict->path, 0), sweep->now);
    tg_buf_add(&out, "}");
    free(object);
    return tg_buf_take(&out);
}

static void take_verdict(struct tg_sweep_result *result, const struct tg_sweep *sweep,
                         const struct tg_question *question, const struct tg_verdict *verdict)
{
    result->state = verdict->accepted ? TG_SWEEP_ACCEPTED : TG_SWEEP_REFUSED;
    result->pinned =
        verdict->accepted && tg_hash_spki(sk_X509_value(verdict->path, 0), result->pin);
    tg_facts_take(&result->facts, question, verdict, sweep->soon);
    if (question->options->html != NULL)
        result->path = X509_chain_up_ref(verdict->path);
    if (!verdict->accepted)
        take_findings(result, verdict);
    if (question->options->json)
        result->json = verdict_json(sweep, question, verdict);
}

static void evaluate(struct tg_sweep_result *result, const struct tg_sweep *sweep,
                     const struct tg_question *question, const struct tg_presented *presented,
                     struct tg_buf *why)
{
    struct tg_verdict *verdict = tg_question_evaluate(question, presented);

    if (verdict != NULL) {
        take_verdict(result, sweep, question, verdict);
    } else {
        tg_buf_add(why, "memory ran out: nothing was accepted");
        take_failure(result, question, why);
    }
    tg_verdict_free(verdict);
}

static void visit(const struct tg_sweep *sweep, const struct tg_target *target,
                  struct tg_sweep_result *result)
{
    struct tg_question question = *sweep->question;
    struct tg_route route = {.starttls = target->starttls, .seconds = sweep->route->seconds};
    struct tg_presented presented = {0};
    struct tg_buf why = {0}, note = {0};

    question.at = target->at;
    if (!tg_route_to(&route, question.options, &question.at))
        tg_buf_add(&why, "--resolve can't be read");
    else if (!tg_question_apply(&question))
        tg_buf_printf(&why, "which rule applies depends on the %s: give %s", question.under.lacking,
                      tg_argument_for(question.under.lacking, "HOST:PORT"));
    else if (tg_route_connect(&route, &question.at, &presented, &why, &note))
        evaluate(result, sweep, &question, &presented, &why);
    if (result->state == TG_SWEEP_PENDING && !tg_deadline_cancelled())
        take_failure(result, &question, &why);
    tg_presented_clear(&presented);
    tg_buf_free(&why);
    tg_buf_free(&note);
}

/* ---- threads ------------------------------------------------------------------------------ */

/* Takes the number of the next target, waiting while that is too far ahead; false: no more. */
static bool take_next(struct tg_sweep *sweep, size_t *index)
{
    bool more;

    pthread_mutex_lock(&sweep->lock);
    while (!sweep->ended && sweep->next < sweep->targets->count &&
           sweep->next - sweep->taken >= WINDOW)
        pthread_cond_wait(&sweep->room, &sweep->lock);
    more = !sweep->ended && sweep->next < sweep->targets->count;
    if (more)
        *index = sweep->next++;
    pthread_mutex_unlock(&sweep->lock);
    return more;
}

static void *work(void *arg)
{
    struct tg_sweep *sweep = arg;
    size_t index;

    while (take_next(sweep, &index)) {
        struct tg_sweep_result result = {.state = TG_SWEEP_PENDING};

        visit(sweep, &sweep->targets->item[index], &result);
        result.done = result.state != TG_SWEEP_PENDING;
        pthread_mutex_lock(&sweep->lock);
        sweep->results[index] = result;
        sweep->counts[result.state]++;
        sweep->finished += result.done;
        pthread_cond_signal(&sweep->news);
        pthread_mutex_unlock(&sweep->lock);
    }
    return NULL;
}

/* As many connections at a time as there may be descriptors for. */
static int bounded(int jobs)
{
    struct rlimit limit;
    rlim_t most;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return jobs;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1 && getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return jobs;
    most = limit.rlim_cur > SPARE + DESCRIPTORS ? (limit.rlim_cur - SPARE) / DESCRIPTORS : 1;
    if (most >= (rlim_t)jobs)
        return jobs;
    tg_complain("scan: only %d connections at a time, for the limit of open files is %lu",
                (int)most, (unsigned long)limit.rlim_cur);
    return (int)most;
}

static void prepare(struct tg_sweep *sweep)
{
    pthread_mutex_init(&sweep->lock, NULL);
    tg_deadline_condition(&sweep->news);
    pthread_cond_init(&sweep->room, NULL);
}

bool tg_sweep_begin(struct tg_sweep *sweep)
{
    const size_t count = sweep->targets->count;
    sigset_t all, before;

    prepare(sweep);
    sweep->jobs = bounded((size_t)sweep->jobs < count ? sweep->jobs : (int)count);
    sweep->results = calloc(count, sizeof(*sweep->results));
    sweep->threads = calloc((size_t)sweep->jobs, sizeof(*sweep->threads));
    /* Signals are for the thread that reports. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (sweep->results != NULL && sweep->threads != NULL && sweep->running < sweep->jobs &&
           pthread_create(&sweep->threads[sweep->running], NULL, work, sweep) == 0)
        sweep->running++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (sweep->running == 0)
        tg_complain("scan: memory or threads ran out");
    return sweep->running > 0;
}

bool tg_sweep_wait(struct tg_sweep *sweep, size_t taken)
{
    bool more;

    pthread_mutex_lock(&sweep->lock);
    sweep->taken = taken;
    pthread_cond_broadcast(&sweep->room);
    more = sweep->finished < sweep->targets->count;
    if (more)
        tg_deadline_wait(&sweep->news, &sweep->lock, tg_deadline_in(0) + TG_DEADLINE_SLICE);
    pthread_mutex_unlock(&sweep->lock);
    return more;
}

void tg_sweep_end(struct tg_sweep *sweep)
{
    pthread_mutex_lock(&sweep->lock);
    sweep->ended = true;
    if (sweep->finished < sweep->targets->count)
        tg_deadline_cancel();
    pthread_cond_broadcast(&sweep->room);
    pthread_mutex_unlock(&sweep->lock);
    while (sweep->running > 0)
        pthread_join(sweep->threads[--sweep->running], NULL);
}

void tg_sweep_clear(struct tg_sweep *sweep)
{
    for (size_t i = 0; sweep->results != NULL && i < sweep->targets->count; i++) {
        struct tg_sweep_result *result = &sweep->results[i];

        for (size_t k = 0; k < result->finding_count; k++)
            free(result->findings[k].text);
        free(result->findings);
        free(result->failure);
        free(result->json);
        tg_facts_clear(&result->facts);
        sk_X509_pop_free(result->path, X509_free);
    }
    free(sweep->results);
    free(sweep->threads);
}
