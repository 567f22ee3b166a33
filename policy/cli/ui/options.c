#include "options.h"
#include "hint.h"
#include "terminal.h"
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { ALWAYS = 0, LONG = 256 }; /* what getopt_long returns: LONG + row */

static const struct row {
    unsigned bit; /* tg_option_bit, or ALWAYS */
    char letter;
    const char *name, *argument; /* no argument: a switch */
    size_t offset;               /* of its member in tg_options */
    const char *meaning;
} rows[] = {
    {TG_OPTION_PRELOAD, 0, "preload", NULL, offsetof(struct tg_options, preload),
     "by the preload library"},
    {TG_OPTION_PROVIDER, 0, "provider", NULL, offsetof(struct tg_options, provider),
     "by the OpenSSL 3 provider"},
    {TG_OPTION_UNREACHED, 0, "allow-unreached", NULL, offsetof(struct tg_options, allow_unreached),
     "start what isn't reached too, with a note"},
    {TG_OPTION_CONNECT, 0, "connect", NULL, offsetof(struct tg_options, connect),
     "connect, and evaluate what the server presents"},
    {TG_OPTION_REACH, 0, "resolve", "HOST:PORT:ADDR", offsetof(struct tg_options, resolve),
     "connect to ADDR instead of HOST's own address; may be\n"
     "                                repeated, several ADDR are separated by commas"},
    {TG_OPTION_REACH, 0, "starttls", "PROTO", offsetof(struct tg_options, starttls),
     "ask for TLS as smtp, imap, pop3, ftp, postgres or ldap do"},
    {TG_OPTION_REACH, 0, "timeout", "SECONDS", offsetof(struct tg_options, timeout),
     "give the connection up after that time (10)"},
    {TG_OPTION_HOST, 0, "host", "HOST[:PORT]", offsetof(struct tg_options, host),
     "the server that the certificates are for"},
    {TG_OPTION_PROGRAM, 0, "program", "PATH", offsetof(struct tg_options, program),
     "the executable that connects, for rules with `program`"},
    {TG_OPTION_TIME, 0, "time", "TIME", offsetof(struct tg_options, time),
     "RFC 3339 or seconds since 1970, instead of now"},
    {TG_OPTION_APP_ANCHORS, 0, "app-anchors", "FILE|DIR", offsetof(struct tg_options, app_anchors),
     "what the application itself would trust, instead of\n"
     "                                OpenSSL's default store"},
    {TG_OPTION_STAPLE, 0, "staple", "FILE", offsetof(struct tg_options, staple),
     "a stapled OCSP answer"},
    {TG_OPTION_TLS, 0, "tls", "1.2|1.3", offsetof(struct tg_options, tls),
     "the TLS version of the connection"},
    {TG_OPTION_TO, 0, "to", "FILE|DIR", offsetof(struct tg_options, to),
     "write to this file, or with fetch into this folder"},
    {TG_OPTION_EXCEPT, 0, "expires", "TIME", offsetof(struct tg_options, expires),
     "RFC 3339: from then on the exception doesn't apply"},
    {TG_OPTION_EXCEPT, 0, "note", "TEXT", offsetof(struct tg_options, note),
     "why, for whoever reads the policy"},
    {TG_OPTION_CA, 0, "dir", "DIR", offsetof(struct tg_options, dir),
     "the folder of the CA, instead of that of the user's data"},
    {TG_OPTION_CA, 0, "rsa", NULL, offsetof(struct tg_options, rsa),
     "RSA keys (3072 bits) instead of ECDSA P-256"},
    {TG_OPTION_CA, 0, "only", "DOMAIN|BLOCK", offsetof(struct tg_options, only),
     "init: the CA can speak only for these; may be repeated"},
    {TG_OPTION_CA, 0, "days", "N", offsetof(struct tg_options, days),
     "valid so long: a CA 3650, an identity 397, at most 825"},
    {TG_OPTION_CA, 0, "new-key", NULL, offsetof(struct tg_options, new_key),
     "issue: a new key, where there is one already"},
    {TG_OPTION_CA, 0, "password-file", "FILE", offsetof(struct tg_options, password_file),
     "issue: its first line protects the PKCS#12 file; -: ask"},
    {TG_OPTION_FETCH, 0, "refresh", NULL, offsetof(struct tg_options, refresh),
     "renew the CRLs that the policy names"},
    {TG_OPTION_FETCH, 0, "allow-private", NULL, offsetof(struct tg_options, allow_private),
     "download from private addresses and through a proxy too"},
    {TG_OPTION_SCAN, 0, "jobs", "N", offsetof(struct tg_options, jobs),
     "so many connections at a time (64)"},
    {TG_OPTION_SCAN, 0, "pin-to", "FILE", offsetof(struct tg_options, pin_to),
     "add the accepted hosts to this known-hosts file"},
    {TG_OPTION_JSON, 0, "json", NULL, offsetof(struct tg_options, json),
     "one JSON object a line instead of text"},
    {TG_OPTION_YES, 0, "yes", NULL, offsetof(struct tg_options, yes), "don't ask"},
    {TG_OPTION_DRY_RUN, 0, "dry-run", NULL, offsetof(struct tg_options, dry_run),
     "only show what would change"},
    {ALWAYS, 'p', "policy", "FILE", offsetof(struct tg_options, policy),
     "this policy instead of the one that programs would find"},
    {ALWAYS, 'h', "help", NULL, offsetof(struct tg_options, help), "this text"},
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

static size_t most(const struct row *row)
{
    if (row->offset == offsetof(struct tg_options, resolve))
        return TG_RESOLVE_MOST;
    return row->offset == offsetof(struct tg_options, only) ? TG_ONLY_MOST : 1;
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
    while (given < most(row) && values[given] != NULL)
        given++;
    if (given < most(row)) {
        values[given] = optarg;
        return true;
    }
    if (given == 1)
        tg_complain("%s: option --%s is given twice", verb->name, row->name);
    else
        tg_complain("%s: option --%s is given more than %zu times", verb->name, row->name, given);
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
    fprintf(to, "usage: trustgraft %s %s\n\n%s\n\n", verb->name, verb->synopsis, verb->details);
    for (int i = 0; i < ROWS; i++) {
        char name[64];

        if (!takes(verb, &rows[i]))
            continue;
        snprintf(name, sizeof(name), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        fprintf(to, "  %c%c%c %-25s %s\n", rows[i].letter ? '-' : ' ',
                rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ',' : ' ', name,
                rows[i].meaning);
    }
}
