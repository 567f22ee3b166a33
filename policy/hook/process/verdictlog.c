#include "verdictlog.h"
#include "arrival.h"
#include "log.h"
#include "policy.h"
#include "report.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const tg_policy *policy_of(const struct tg_process *process,
                                  const struct tg_verdict *verdict)
{
    return verdict->policy != NULL ? verdict->policy : process->policy;
}

bool tg_log_wants(const struct tg_process *process, const struct tg_verdict *verdict)
{
    const tg_policy *policy = policy_of(process, verdict);

    return !verdict->accepted || (policy != NULL && policy->log_all);
}

void tg_log_verdict(const struct tg_process *process, const struct tg_verdict *verdict,
                    const char *host, unsigned port)
{
    const tg_policy *policy = policy_of(process, verdict);
    struct tg_occasion occasion = {.time = time(NULL),
                                   .program = tg_process_program(),
                                   .pid = getpid(),
                                   .host = host,
                                   .port = port};
    bool json = policy != NULL && policy->log_json;
    struct tg_buf line = {0};
    char *text = NULL;
    int saved = errno;

    text = json ? tg_verdict_json(verdict, &occasion) : tg_verdict_text(verdict, &occasion);
    if (text != NULL && !json) {
        tg_buf_add(&line, "trustgraft: ");
        tg_buf_add(&line, text);
        free(text);
        text = tg_buf_take(&line);
    }
    if (text != NULL)
        tg_log_put(policy, process->origin, verdict->accepted ? LOG_INFO : LOG_WARNING,
                   &(struct tg_buf){.text = text, .length = strlen(text)},
                   json ? &(struct tg_log_told){verdict, &occasion} : NULL);
    free(text);
    errno = saved;
}

void tg_log_known_hosts(const struct tg_process *process, const struct tg_rule *rule)
{
    struct tg_known_file *file = rule->known_hosts;
    char *note = NULL;

    if (file != NULL && atomic_load_explicit(&file->note, memory_order_acquire) != NULL)
        note = atomic_exchange_explicit(&file->note, NULL, memory_order_acq_rel);
    if (note != NULL)
        tg_log_complain(process->origin, "%s", note);
    free(note);
}
