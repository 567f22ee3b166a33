#include "options.h"
#include "hint.h"
#include "terminal.h"
#include "wrapped.h"
#include <getopt.h>
#include <stddef.h>
#include <string.h>

enum { ALWAYS = 0, LONG = 256 }; /* what getopt_long returns: LONG + row */
enum { MEANING = 32 };           /* the column of the help where the meaning of an option begins */

/* Where an option is kept; the compiler refuses a member of another type than store() writes. */
#define MEMBER(type, member)                                                                       \
    .offset = _Generic(((struct tg_options *)0)->member, type : offsetof(struct tg_options, member))
#define SWITCH(member) MEMBER(bool, member)
#define VALUE(member)  MEMBER(const char *, member), .most = 1
#define VALUES(member)                                                                             \
    MEMBER(const char **, member),                                                                 \
        .most = sizeof(((struct tg_options *)0)->member) / sizeof(const char *) - 1

static const struct row {
    unsigned bit; /* tg_option_bit, or ALWAYS */
    char letter;
    const char *name, *argument; /* no argument: a switch */
    size_t offset, most;         /* its member in tg_options; how many values that has room for */
    const char *meaning;
} rows[] = {
    {.bit = TG_OPTION_PRELOAD,
     .name = "preload",
     SWITCH(preload),
     .meaning = "by the preload library"},
    {.bit = TG_OPTION_PROVIDER,
     .name = "provider",
     SWITCH(provider),
     .meaning = "by the OpenSSL 3 provider"},
    {.bit = TG_OPTION_UNREACHED,
     .name = "allow-unreached",
     SWITCH(allow_unreached),
     .meaning = "start what isn't reached too, with a note"},
    {.bit = TG_OPTION_CONNECT,
     .name = "connect",
     SWITCH(connect),
     .meaning = "connect, and evaluate what the server presents"},
    {.bit = TG_OPTION_ROUTE,
     .name = "resolve",
     .argument = "HOST:PORT:ADDR",
     VALUES(resolve),
     .meaning = "connect to ADDR instead of HOST's own address; may be "
                "repeated up to 32 times, several ADDR are separated by commas"},
    {.bit = TG_OPTION_ROUTE,
     .name = "starttls",
     .argument = "PROTO",
     VALUE(starttls),
     .meaning = "ask for TLS first: smtp, imap, pop3, ftp, lmtp, "
                "nntp, sieve, postgres, mysql, ldap, xmpp, xmpp-server"},
    {.bit = TG_OPTION_ROUTE,
     .name = "timeout",
     .argument = "SECONDS",
     VALUE(timeout),
     .meaning = "give the connection up after that time (10)"},
    {.bit = TG_OPTION_HOST,
     .name = "host",
     .argument = "HOST[:PORT]",
     VALUE(host),
     .meaning = "the server in question"},
    {.bit = TG_OPTION_PROGRAM,
     .name = "program",
     .argument = "PATH",
     VALUE(program),
     .meaning = "the executable that connects"},
    {.bit = TG_OPTION_TIME,
     .name = "time",
     .argument = "TIME",
     VALUE(time),
     .meaning = "RFC 3339 or seconds since 1970, instead of now"},
    {.bit = TG_OPTION_APP_ANCHORS,
     .name = "app-anchors",
     .argument = "FILE|DIR",
     VALUE(app_anchors),
     .meaning = "what the application itself would trust, instead of "
                "OpenSSL's default store"},
    {.bit = TG_OPTION_STAPLE,
     .name = "staple",
     .argument = "FILE",
     VALUE(staple),
     .meaning = "a stapled OCSP answer"},
    {.bit = TG_OPTION_TLS,
     .name = "tls",
     .argument = "1.2|1.3",
     VALUE(tls),
     .meaning = "the TLS version of the connection"},
    {.bit = TG_OPTION_TO,
     .name = "to",
     .argument = "FILE|DIR",
     VALUE(to),
     .meaning = "write to this file, or with fetch into this folder"},
    {.bit = TG_OPTION_PIN,
     .name = "add",
     SWITCH(add),
     .meaning = "add the key to the host's rule in the policy"},
    {.bit = TG_OPTION_EXCEPT,
     .name = "expires",
     .argument = "TIME",
     VALUE(expires),
     .meaning = "RFC 3339, or 90d, 12w from now: from then on the exception doesn't apply"},
    {.bit = TG_OPTION_EXCEPT,
     .name = "note",
     .argument = "TEXT",
     VALUE(note),
     .meaning = "why, for whoever reads the policy"},
    {.bit = TG_OPTION_CA,
     .name = "dir",
     .argument = "DIR",
     VALUE(dir),
     .meaning = "the folder of the CA, instead of that of the user's data"},
    {.bit = TG_OPTION_CA,
     .name = "rsa",
     SWITCH(rsa),
     .meaning = "RSA keys (3072 bits) instead of ECDSA P-256"},
    {.bit = TG_OPTION_CA,
     .name = "only",
     .argument = "DOMAIN|BLOCK",
     VALUES(only),
     .meaning = "init: the CA can speak only for these; may be repeated"},
    {.bit = TG_OPTION_CA,
     .name = "days",
     .argument = "N",
     VALUE(days),
     .meaning = "valid so long: a CA 3650, an identity 397, at most 825"},
    {.bit = TG_OPTION_CA,
     .name = "name",
     .argument = "NAME",
     VALUE(name),
     .meaning = "init: what the CA is called; issue: the name of its files"},
    {.bit = TG_OPTION_CA,
     .name = "csr",
     .argument = "FILE",
     VALUE(csr),
     .meaning = "issue: for this request, whose key stays where it is"},
    {.bit = TG_OPTION_CA,
     .name = "client",
     SWITCH(client),
     .meaning = "issue: for a TLS client, not a server"},
    {.bit = TG_OPTION_CA,
     .name = "new-key",
     SWITCH(new_key),
     .meaning = "issue, renew: a new key, where there is one already"},
    {.bit = TG_OPTION_CA,
     .name = "password-file",
     .argument = "FILE",
     VALUE(password_file),
     .meaning = "issue, renew: its first line protects the PKCS#12 file; -: ask"},
    {.bit = TG_OPTION_FETCH,
     .name = "refresh",
     SWITCH(refresh),
     .meaning = "renew the CRLs that the policy names"},
    {.bit = TG_OPTION_FETCH,
     .name = "revocation",
     SWITCH(revocation),
     .meaning = "print the lines that ask for revocation, too"},
    {.bit = TG_OPTION_PRIVATE,
     .name = "allow-private",
     SWITCH(allow_private),
     .meaning = "download from private addresses and through a proxy too"},
    {.bit = TG_OPTION_SCAN,
     .name = "jobs",
     .argument = "N",
     VALUE(jobs),
     .meaning = "so many connections at a time (64)"},
    {.bit = TG_OPTION_SCAN,
     .name = "pin-to",
     .argument = "FILE",
     VALUE(pin_to),
     .meaning = "add the accepted hosts to this known-hosts file"},
    {.bit = TG_OPTION_ALL,
     .name = "all",
     SWITCH(all),
     .meaning = "scan: the accepted hosts too, with their keys, names and days left; doctor: each "
                "program in PATH that does TLS"},
    {.bit = TG_OPTION_SCAN,
     .name = "html",
     .argument = "FILE",
     VALUE(html),
     .meaning = "write a page for a browser, too"},
    {.bit = TG_OPTION_SCAN,
     .name = "prometheus",
     .argument = "FILE",
     VALUE(prometheus),
     .meaning = "write metrics for node_exporter's textfile collector, too"},
    {.bit = TG_OPTION_WARN,
     .name = "warn-days",
     .argument = "N",
     VALUE(warn_days),
     .meaning = "warn of what ends within so many days (30)"},
    {.bit = TG_OPTION_LOG, .letter = 'f', .name = "follow", SWITCH(follow), .meaning = "and go on"},
    {.bit = TG_OPTION_LOG,
     .letter = 'n',
     .name = "lines",
     .argument = "N",
     VALUE(lines),
     .meaning = "so many of each place (20)"},
    {.bit = TG_OPTION_LOG,
     .name = "verdict",
     .argument = "VERDICT",
     VALUE(verdict),
     .meaning = "accept, reject, or report: a refusal that was only reported"},
    {.bit = TG_OPTION_JSON, .name = "json", SWITCH(json), .meaning = "one JSON object a line"},
    {.bit = TG_OPTION_YES, .name = "yes", SWITCH(yes), .meaning = "don't ask"},
    {.bit = TG_OPTION_DRY_RUN,
     .name = "dry-run",
     SWITCH(dry_run),
     .meaning = "only show what would change"},
    {.bit = ALWAYS,
     .letter = 'p',
     .name = "policy",
     .argument = "FILE",
     VALUE(policy),
     .meaning = "this policy instead of the one that programs would find"},
    {.bit = ALWAYS, .letter = 'h', .name = "help", SWITCH(help), .meaning = "this text"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool takes(const struct tg_verb *verb, const struct row *row)
{
    return row->bit == ALWAYS || (verb->options & row->bit) != 0;
}

static void complain_unknown(const struct tg_verb *verb, const char *word)
{
    struct tg_hint hint = {.wanted = word + strspn(word, "-")};

    for (int i = 0; i < ROWS && strncmp(word, "--", 2) == 0; i++)
        if (takes(verb, &rows[i]))
            tg_hint_offer(&hint, rows[i].name);
    if (hint.best != NULL)
        tg_complain("%s: unknown option %s: did you mean --%s?", verb->name, word, hint.best);
    else
        tg_complain("%s: unknown option %s: 'trustgraft help %s' lists those there are", verb->name,
                    word, verb->name);
}

static const struct row *row_of(int found)
{
    if (found >= LONG && found < LONG + ROWS)
        return &rows[found - LONG];
    for (int i = 0; i < ROWS; i++)
        if (found != 0 && rows[i].letter == found)
            return &rows[i];
    return NULL;
}

/* getopt_long returned '?' or ':'; ARGV is at the element after the one that is wrong. */
static void complain_option(const struct tg_verb *verb, char **argv)
{
    const struct row *row = row_of(optopt);
    char letter[3] = {'-', (char)optopt, '\0'};

    if (row != NULL && row->argument != NULL)
        tg_complain("%s: option --%s needs a value: %s", verb->name, row->name, row->argument);
    else if (row != NULL)
        tg_complain("%s: option --%s takes no value", verb->name, row->name);
    else
        complain_unknown(verb, optopt != 0 ? letter : argv[optind - 1]);
}

static bool store(const struct tg_verb *verb, const struct row *row, struct tg_options *options)
{
    void *member = (char *)options + row->offset;
    const char **values = member;
    size_t given = 0;

    if (row->argument == NULL) {
        *(bool *)member = true;
        return true;
    }
    if (*optarg == '\0') {
        tg_complain("%s: option --%s is empty: %s", verb->name, row->name, row->argument);
        return false;
    }
    while (given < row->most && values[given] != NULL)
        given++;
    if (given < row->most) {
        values[given] = optarg;
        return true;
    }
    if (given == 1)
        tg_complain("%s: option --%s is given twice", verb->name, row->name);
    else
        tg_complain("%s: option --%s is given more than %zu times%s", verb->name, row->name, given,
                    strcmp(row->name, "resolve") != 0
                        ? ": that is the limit"
                        : ": that is the limit; one may have several addresses, and what holds "
                          "for many hosts is better put into /etc/hosts");
    return false;
}

/* LETTERS has room for 3 + 2 bytes a row; LONGS for a row each and the end. */
static void describe(const struct tg_verb *verb, char *letters, struct option *longs)
{
    letters += sprintf(letters, "%s", verb->runs_command ? "+:" : ":");
    for (int i = 0; i < ROWS; i++) {
        int has = rows[i].argument != NULL ? required_argument : no_argument;

        if (!takes(verb, &rows[i]))
            continue;
        *longs++ = (struct option){rows[i].name, has, NULL, LONG + i};
        if (rows[i].letter != 0)
            letters += sprintf(letters, "%c%s", rows[i].letter, has ? ":" : "");
    }
    *longs = (struct option){0};
}

static bool count_operands(const struct tg_verb *verb, const struct tg_options *options)
{
    if (options->help)
        return true;
    if (options->operand_count < verb->least) {
        tg_complain("%s: %s: trustgraft %s %s", verb->name, verb->missing, verb->name,
                    verb->synopsis);
        return false;
    }
    if (verb->most >= 0 && options->operand_count > verb->most) {
        tg_complain("%s: '%s' is one operand too many: trustgraft %s %s", verb->name,
                    options->operands[verb->most], verb->name, verb->synopsis);
        return false;
    }
    return true;
}

bool tg_options_parse(const struct tg_verb *verb, int argc, char **argv, struct tg_options *options)
{
    char letters[3 + 2 * ROWS];
    struct option longs[ROWS + 1];
    int found;

    *options = (struct tg_options){0};
    describe(verb, letters, longs);
    opterr = 0;
    while ((found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (found == '?' || found == ':') {
            complain_option(verb, argv);
            return false;
        }
        if (!store(verb, row_of(found), options))
            return false;
    }
    options->operands = argv + optind;
    options->operand_count = argc - optind;
    return count_operands(verb, options);
}

bool tg_option_at(const struct tg_verb *verb, size_t index, struct tg_option *option)
{
    for (int i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];

        if (!takes(verb, row) || index-- > 0)
            continue;
        *option = (struct tg_option){row->name, row->meaning, row->argument, row->letter};
        return true;
    }
    return false;
}

void tg_options_help(FILE *to, const struct tg_verb *verb)
{
    tg_wrapped_write(to, verb->synopsis, (size_t)fprintf(to, "usage: trustgraft %s ", verb->name),
                     8);
    fputc('\n', to);
    tg_wrapped_write(to, verb->details, 0, 0);
    fputc('\n', to);
    for (int i = 0; i < ROWS; i++) {
        char name[64], letter = rows[i].letter;

        if (!takes(verb, &rows[i]))
            continue;
        snprintf(name, sizeof(name), "--%s%s%s", rows[i].name, rows[i].argument != NULL ? " " : "",
                 rows[i].argument != NULL ? rows[i].argument : "");
        fprintf(to, "  %c%c%c %-25s ", letter != 0 ? '-' : ' ', letter != 0 ? letter : ' ',
                letter != 0 ? ',' : ' ', name);
        tg_wrapped_write(to, rows[i].meaning, MEANING, MEANING);
    }
}
