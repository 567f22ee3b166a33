#include "reason.h"
#include "arrival.h"
#include "kept.h"
#include "queue.h"
#include "report.h"
#include <errno.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With what curl puts before it, less than the 256 bytes that curl has for it. */
#define REASON_MOST 190
#define TEXT_SIZE   320

static const char prefix[] = "trustgraft: "; /* of each reason, and of the data of its error */

static _Thread_local struct {
    const char *reason; /* of the last refusal; NULL: none */
    const char *brief;  /* the same in few words */
    int x509_error;
    unsigned long raised;
    bool told;
    struct {
        const char *reason; /* of the connection that the program asks about */
        enum tg_reason_code kind;
        long code;
        bool once;
    } pointed;
} last;

static const char *join(const char *plain, const char *between, const char *reason)
{
    char text[TEXT_SIZE];
    const char *kept = NULL;
    int saved = errno;

    if (plain == NULL || plain[0] == '\0')
        return reason;
    if (snprintf(text, sizeof(text), "%s%s%s", plain, between, reason) < (int)sizeof(text))
        kept = tg_kept(text);
    errno = saved;
    return kept != NULL ? kept : plain;
}

/* ---- the refusal ---- */

void tg_reason_forget(void)
{
    memset(&last, 0, sizeof(last));
    tg_queue_forget();
}

/* TEXT, which is freed, as one that stays; NULL: none is told. */
static const char *take(char *text)
{
    const char *kept = text != NULL ? tg_kept(text) : NULL;

    free(text);
    return kept;
}

void tg_reason_refuse(const struct tg_verdict *verdict)
{
    tg_reason_forget();
    last.reason = take(tg_verdict_reason(verdict, REASON_MOST));
    last.brief = take(tg_verdict_brief(verdict, TG_QUEUE_BRIEF));
    last.x509_error = verdict->x509_error;
}

int tg_reason_x509(void)
{
    return last.x509_error;
}

const char *tg_reason_now(void)
{
    return last.reason;
}

void tg_reason_raised(unsigned long code)
{
    last.raised = code;
}

void tg_reason_raise(bool alone)
{
    if (alone && last.brief != NULL && tg_queue_name(last.brief))
        return;
    if (last.reason != NULL && !tg_process_is_preloaded())
        tg_queue_raise(last.reason, sizeof(prefix) - 1);
}

/* ---- what the program asks ---- */

void tg_reason_point(enum tg_reason_code kind, const char *reason, long code, bool once)
{
    last.pointed.kind = kind;
    last.pointed.reason = reason;
    last.pointed.code = code;
    last.pointed.once = once;
}

void tg_reason_unpoint(void)
{
    if (last.pointed.once)
        last.pointed.reason = NULL;
}

/* The reason that is told of CODE now; NULL: none. */
static const char *pointed(enum tg_reason_code kind, long code)
{
    const char *reason = last.pointed.reason;

    if (reason == NULL || kind != last.pointed.kind || code != last.pointed.code)
        return NULL;
    tg_reason_unpoint();
    return reason;
}

/* OpenSSL says "application verification failure" of a code that the reason alone explains. */
const char *tg_reason_verification(long code, const char *plain)
{
    const char *reason = pointed(TG_REASON_X509, code);

    if (reason == NULL || (last.told && reason == last.reason))
        return plain;
    return code == X509_V_ERR_APPLICATION_VERIFICATION ? reason : join(plain, ": ", reason);
}

const char *tg_reason_status(unsigned status)
{
    return pointed(TG_REASON_STATUS, (long)status);
}

const char *tg_reason_nspr(int code, const char *plain)
{
    const char *reason = pointed(TG_REASON_NSPR, code);

    return reason != NULL ? join(plain, " ", reason) : plain;
}

const char *tg_reason_take(unsigned long code)
{
    if (last.reason == NULL || last.told || last.raised == 0 || code != last.raised)
        return NULL;
    last.told = true;
    return last.reason;
}

const char *tg_reason_error(unsigned long code, const char *plain)
{
    const char *reason = tg_reason_take(code);

    return reason != NULL ? join(plain, ": ", reason) : plain;
}

const char *tg_reason_gnutls(int code, const char *plain)
{
    enum { CERTIFICATE_VERIFICATION_ERROR = -348 }; /* its gnutls.h */

    if (code != CERTIFICATE_VERIFICATION_ERROR || last.reason == NULL || last.raised != 0)
        return plain;
    return join(plain, " ", last.reason);
}

void tg_reason_read(const char *data)
{
    if (data != NULL && strncmp(data, prefix, sizeof(prefix) - 1) == 0)
        last.told = true;
}
