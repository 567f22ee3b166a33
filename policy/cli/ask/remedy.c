#include "remedy.h"
#include "finding.h"
#include "name.h"
#include "write.h"

/* By kind of finding; the options that were given and HOST:PORT come behind the command. */
static const struct {
    enum tg_finding_kind kind;
    const char *command, *when;
} remedies[] = {
    {TG_LEAF_PIN_MISMATCH, "trustgraft pin --add", "if this is its new key"},
    {TG_PIN_MISMATCH, "trustgraft pin --add", "if this is its new key"},
    {TG_CA_PIN_MISMATCH, "trustgraft pin", "prints the ca-pin of its new CA, if it has one"},
    {TG_KNOWN_HOST_MISMATCH, "trustgraft pin --yes --to KNOWN-HOSTS", "if this is its new key"},
    {TG_KNOWN_HOST_MISSING, "trustgraft pin --to KNOWN-HOSTS", "if this is its key"},
    {TG_MISSING_ISSUER, "trustgraft fetch", "if it forgets an intermediate"},
    {TG_REVOCATION_UNKNOWN, "trustgraft fetch --revocation", "for the CRLs"},
    {TG_NAME_MISMATCH, NULL, "in its rule, if it is this server"},
};

static bool has(const struct tg_verdict *verdict, enum tg_finding_kind kind)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].kind == kind)
            return true;
    return false;
}

static bool may_be_forgiven(const struct tg_verdict *verdict)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (!tg_finding_forgivable(verdict->findings[i].kind))
            return false;
    return verdict->finding_count > 0;
}

static void add_option(struct tg_buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    tg_buf_printf(out, " %s ", name);
    tg_argument_shell(out, value);
}

void tg_remedy_options(struct tg_buf *out, const struct tg_options *options)
{
    add_option(out, "-p", options->policy);
    for (int i = 0; options->resolve[i] != NULL; i++)
        add_option(out, "--resolve", options->resolve[i]);
    add_option(out, "--starttls", options->starttls);
}

static void add(struct tg_buf *out, const struct tg_question *question, const char *command,
                const char *when)
{
    tg_buf_printf(out, "  next    %s", command);
    tg_remedy_options(out, question->options);
    tg_buf_add(out, " ");
    tg_write_endpoint(out, question->at.host, question->at.port);
    tg_buf_printf(out, "  (%s)\n", when);
}

void tg_remedy(struct tg_buf *out, const struct tg_question *question,
               const struct tg_verdict *verdict)
{
    for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++) {
        if (!has(verdict, remedies[i].kind))
            continue;
        if (remedies[i].command != NULL) {
            add(out, question, remedies[i].command, remedies[i].when);
        } else {
            tg_buf_add(out, "  next    hostname = ");
            tg_name_list(sk_X509_value(verdict->path, 0), out);
            tg_buf_printf(out, "  (%s)\n", remedies[i].when);
        }
        return;
    }
    if (may_be_forgiven(verdict))
        add(out, question, "trustgraft except --expires 90d", "until it is mended");
}
