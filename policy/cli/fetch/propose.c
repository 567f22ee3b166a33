#include "propose.h"
#include "fetched.h"
#include "finding.h"
#include "forgive.h"
#include "hash.h"
#include "load.h"
#include "pem.h"
#include "pin.h"
#include "remedy.h"
#include "show.h"
#include "terminal.h"
#include "write.h"
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is put together. */
struct draft {
    struct tg_proposal *out;
    struct tg_question *question;
    struct tg_presented *presented;
    const char *written;
    bool sends_roots;            /* the server: of its own, unless they are strangers' */
    X509 *anchor;                /* that of these which vouches for it; borrowed of its path */
    bool leaf_alone;             /* nobody vouches for the server's certificate */
    STACK_OF(X509) *fetched;     /* intermediates that the server forgot */
    char hostname[TG_HOST_SIZE]; /* "": the dialled name */
};

/* ---- what an application of this machine would say ---------------------------------------- */

/* The policy that TEXT is, which names no file: one in memory, that nobody else can write. */
static tg_policy *trial(const struct tg_buf *text)
{
    int fd = text->failed ? -1 : memfd_create("policy", MFD_CLOEXEC);
    struct tg_diags diags = {0};
    tg_policy *policy = NULL;
    char path[32];

    if (fd == -1)
        return NULL;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fchmod(fd, 0600) == 0 && write(fd, text->text, text->length) == (ssize_t)text->length)
        policy = tg_policy_parse(path, &diags);
    close(fd);
    tg_diags_clear(&diags);
    return policy;
}

/* The verdict under a rule that leaves all to the application but the name. */
static struct tg_verdict *evaluate(struct draft *draft)
{
    struct tg_buf text = {0};

    tg_buf_printf(&text, "[host %s]\n", draft->written);
    if (draft->hostname[0] != '\0')
        tg_buf_printf(&text, "hostname = %s\n", draft->hostname);
    tg_policy_free(draft->question->policy);
    draft->question->policy = trial(&text);
    tg_buf_free(&text);
    if (draft->question->policy == NULL || !tg_question_apply(draft->question))
        return NULL;
    return tg_question_evaluate(draft->question, draft->presented);
}

static bool has(const struct tg_verdict *verdict, enum tg_finding_kind kind)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].kind == kind)
            return true;
    return false;
}

/* ---- what would help ---------------------------------------------------------------------- */

/* The intermediates that were downloaded, if with them the path ends at an anchor. */
static bool complete(struct draft *draft, const struct tg_download *how)
{
    struct tg_issuers issuers = {0};
    bool anchored = false;

    tg_issuers_find(&issuers, draft->question, draft->presented, how);
    draft->fetched = sk_X509_new_null();
    for (int i = 0; i < issuers.count && draft->fetched != NULL; i++) {
        anchored = anchored || issuers.path[i].from == TG_FROM_ANCHOR;
        if (issuers.path[i].from == TG_FROM_WEB)
            (void)X509_add_cert(draft->fetched, issuers.path[i].certificate, X509_ADD_FLAG_UP_REF);
    }
    anchored = anchored && sk_X509_num(draft->fetched) > 0 &&
               X509_add_certs(draft->presented->chain, draft->fetched, X509_ADD_FLAG_UP_REF) == 1;
    tg_issuers_clear(&issuers);
    return anchored;
}

/* Takes the roots that the server sent for anchors, to see which of them vouches for it. */
static bool try_sent_roots(const struct draft *draft)
{
    bool any = false;

    for (int i = 1; i < sk_X509_num(draft->presented->chain); i++) {
        X509 *one = sk_X509_value(draft->presented->chain, i);

        if (X509_check_ca(one) == 1 && X509_self_signed(one, 1) == 1)
            any = X509_STORE_add_cert(draft->question->store, one) == 1 || any;
    }
    return any;
}

static void find_issuer(struct draft *draft, const struct tg_download *how)
{
    if (complete(draft, how))
        return;
    sk_X509_pop_free(draft->fetched, X509_free);
    draft->fetched = NULL;
    draft->sends_roots = try_sent_roots(draft);
    draft->leaf_alone = !draft->sends_roots;
}

static bool lacks_issuer(const struct tg_verdict *verdict)
{
    return has(verdict, TG_MISSING_ISSUER) || has(verdict, TG_UNTRUSTED_ROOT) ||
           has(verdict, TG_SELF_SIGNED_LEAF);
}

/* One that isn't at the end of the path vouches for nothing, whoever sent it. */
static void settle_anchor(struct draft *draft, const struct tg_verdict *verdict)
{
    if (!lacks_issuer(verdict) && sk_X509_num(verdict->path) > 1) {
        draft->anchor = sk_X509_value(verdict->path, sk_X509_num(verdict->path) - 1);
    } else {
        draft->leaf_alone = true;
        draft->hostname[0] = '\0';
    }
}

/* ---- the text ----------------------------------------------------------------------------- */

/* Appends the line `KEY = FILE` for CERTIFICATE, which is one of the files then. */
static void add_file(struct tg_proposal *out, const X509 *certificate, const char *before)
{
    struct tg_proposal_file *file = &out->files[out->file_count];
    char name[TG_FETCHED_NAME];

    if (!tg_fetched_name(certificate, name) ||
        snprintf(file->path, sizeof(file->path), "%s/%s.pem", out->folder, name) >= PATH_MAX ||
        !tg_pem_add(&file->text, NULL, certificate)) {
        out->text.failed = true;
        return;
    }
    out->file_count++;
    tg_buf_add(&out->text, before);
    tg_argument_quote(&out->text, file->path);
}

static void compare(struct tg_buf *out, const X509 *certificate)
{
    tg_buf_add(out, "# compare it with what its administrator says:\n#   ");
    tg_write_fingerprint(out, certificate);
    tg_buf_add(out, "\n");
}

static void add_anchors(struct draft *draft, const struct tg_verdict *verdict)
{
    struct tg_buf *text = &draft->out->text;
    int count = sk_X509_num(verdict->path);

    if (draft->leaf_alone) {
        tg_buf_add(text,
                   "# nobody vouches for it: this certificate and no other, until it is replaced,\n"
                   "# whatever its name and dates; with the file of its CA: anchors = FILE\n");
        compare(text, sk_X509_value(draft->presented->chain, 0));
        add_file(draft->out, sk_X509_value(draft->presented->chain, 0), "trust-certificate = ");
        tg_buf_add(text, "\nanchors-only = yes\n");
        return;
    }
    if (draft->anchor != NULL) {
        tg_buf_add(text, "# its CA, as the server sent it, for this host alone;\n");
        compare(text, draft->anchor);
        add_file(draft->out, draft->anchor, "anchors = ");
        tg_buf_add(text, "\n");
        return;
    }
    if (draft->question->options->app_anchors != NULL && count > 0) {
        tg_buf_add(text, "# its CA, of those that were given, for this host alone\n");
        add_file(draft->out, sk_X509_value(verdict->path, count - 1), "anchors = ");
        tg_buf_add(text, "\n");
    } else {
        tg_buf_add(text, "# the CAs of this machine, whatever the program itself trusts\n"
                         "anchors = system\n");
    }
    for (int i = 0; i < sk_X509_num(draft->fetched); i++) {
        tg_buf_add(text, i == 0 ? "# the server doesn't send it\n" : "");
        add_file(draft->out, sk_X509_value(draft->fetched, i), i == 0 ? "intermediates = " : ", ");
        tg_buf_add(text, i == sk_X509_num(draft->fetched) - 1 ? "\n" : "");
    }
    if (count < 3)
        return;
    tg_buf_add(text, "# of them only the one that issued for it, and as a backup the root above;\n"
                     "# take the # away if a change of CA shall be noticed\n# ca-pin = ");
    tg_write_pin(text, sk_X509_value(verdict->path, 1));
    tg_buf_add(text, ", ");
    tg_write_pin(text, sk_X509_value(verdict->path, count - 1));
    tg_buf_add(text, "\n");
}

static void compose(struct draft *draft, const struct tg_verdict *verdict)
{
    const X509 *leaf = sk_X509_value(draft->presented->chain, 0);
    struct tg_buf *text = &draft->out->text;

    tg_buf_add(text, "# ");
    tg_write_time(text, time(NULL));
    tg_buf_printf(text, ": %s presents ", draft->presented->peer);
    tg_show_subject(text, leaf);
    tg_buf_add(text, ",\n# valid until ");
    tg_write_asn1_time(text, X509_get0_notAfter(leaf));
    tg_buf_printf(text, "\n[host %s]\n", draft->written);
    add_anchors(draft, verdict);
    if (draft->hostname[0] != '\0')
        tg_buf_printf(text, "# the certificate isn't for the name that is dialled\nhostname = %s\n",
                      draft->hostname);
}

/* The exception that would be needed besides, for three months. */
static bool forgive(struct draft *draft, const struct tg_verdict *verdict)
{
    struct tg_options options = *draft->question->options;
    struct tg_question question = *draft->question;
    const struct stat nowhere = {0};
    char *name;

    if (!tg_forgive_possible(draft->question, verdict))
        return false;
    options.expires = options.expires != NULL ? options.expires : "90d";
    options.note = options.note != NULL ? options.note : "until the server is mended";
    question.options = &options;
    name = tg_forgive_write(&draft->out->text, &question, verdict, &nowhere);
    draft->out->text.failed |= name == NULL;
    free(name);
    return true;
}

static bool draft_rule(struct draft *draft, const struct tg_download *how)
{
    struct tg_verdict *verdict = evaluate(draft);
    bool done = verdict != NULL;

    if (done && lacks_issuer(verdict))
        find_issuer(draft, how);
    if (done && has(verdict, TG_NAME_MISMATCH) && !draft->leaf_alone)
        (void)tg_remedy_hostname(sk_X509_value(draft->presented->chain, 0), draft->hostname);
    tg_verdict_free(verdict);
    verdict = done ? evaluate(draft) : NULL;
    if (verdict == NULL) {
        tg_complain("the rule can't be tried: there is no memory, or /proc isn't mounted");
        return false;
    }
    if (draft->sends_roots)
        settle_anchor(draft, verdict);
    compose(draft, verdict);
    done = draft->leaf_alone || verdict->accepted || forgive(draft, verdict);
    tg_verdict_free(verdict);
    return done;
}

bool tg_propose(struct tg_proposal *out, struct tg_question *question,
                struct tg_presented *presented, const char *written, const struct tg_download *how)
{
    struct draft draft = {
        .out = out, .question = question, .presented = presented, .written = written};
    bool done = draft_rule(&draft, how);

    sk_X509_pop_free(draft.fetched, X509_free);
    if (done && out->text.failed)
        tg_complain("%s", tg_no_memory);
    return done && !out->text.failed;
}

void tg_proposal_clear(struct tg_proposal *proposal)
{
    for (size_t i = 0; i < proposal->file_count; i++)
        tg_buf_free(&proposal->files[i].text);
    tg_buf_free(&proposal->text);
}
