/* log.c - the last verdicts of this machine, from wherever they were logged. */
#include "argument.h"
#include "chosen.h"
#include "compiled.h"
#include "lines.h"
#include "record.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 20, LINES_MOST = 100000, PLACES = 8, FOLLOW_MS = 250 };

/* What is asked for, and what was found of it. */
struct search {
    const struct tg_options *options;
    struct tg_endpoint at; /* of --host */
    char **last;           /* a ring of the lines to show; owned */
    size_t most, count;
    size_t verdicts; /* in this place, wanted or not */
    bool following, found, unwritten;
};

/* ---- which are wanted ---- */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* A line of text has the name alone. */
static bool is_program(const char *wanted, const char *logged)
{
    if (wanted[0] == '/' && logged[0] == '/')
        return strcmp(wanted, logged) == 0;
    return strcmp(base_of(wanted), base_of(logged)) == 0;
}

static bool wants(const struct search *search, const struct tg_record *record)
{
    const struct tg_options *options = search->options;

    return (options->host == NULL || (strcasecmp(record->host.text, search->at.host) == 0 &&
                                      (search->at.port == 0 || record->port == search->at.port))) &&
           (options->program == NULL || is_program(options->program, record->program.text)) &&
           (options->verdict == NULL || strcmp(options->verdict, tg_record_verdict(record)) == 0);
}

static void show(struct search *search, const struct tg_record *record)
{
    struct tg_buf out = {0};

    search->found = true;
    tg_record_write(record, search->options->json, &out);
    if (!tg_terminal_write(stdout, &out) || (search->following && fflush(stdout) != 0))
        search->unwritten = true;
}

static void show_line(struct search *search, const char *line)
{
    struct tg_record record;

    if (!tg_record_read(line, &record))
        return;
    show(search, &record);
    tg_record_clear(&record);
}

/* The last of them are shown at the end. */
static void take(void *arg, char *line)
{
    struct search *search = arg;
    struct tg_record record;
    char **place = &search->last[search->count % search->most], *copy = NULL;

    if (!tg_record_read(line, &record))
        return;
    search->verdicts++;
    if (wants(search, &record) && search->following)
        show(search, &record);
    else if (wants(search, &record) && (copy = strdup(line)) != NULL) {
        free(*place);
        *place = copy;
        search->count++;
    }
    tg_record_clear(&record);
}

/* A file may be called anything, by whoever can make one where logs are. */
static void show_place(struct search *search, const char *name)
{
    struct tg_buf out = {0};

    tg_buf_add(&out, search->found ? "\n==> " : "==> ");
    tg_buf_escape(&out, name, strlen(name));
    tg_buf_add(&out, " <==\n");
    if (!tg_terminal_write(stdout, &out))
        search->unwritten = true;
}

/* Shows what was found in the place called NAME; HEADED: there are others. */
static void show_last(struct search *search, const char *name, bool headed)
{
    size_t first = search->count > search->most ? search->count - search->most : 0;

    if (headed && !search->options->json && search->count > 0)
        show_place(search, name);
    for (size_t i = first; i < search->count; i++)
        show_line(search, search->last[i % search->most]);
    for (size_t i = 0; i < search->most; i++) {
        free(search->last[i]);
        search->last[i] = NULL;
    }
    search->count = 0;
}

/* ---- where they are ---- */

struct places {
    struct tg_lines each[PLACES];
    size_t count;
    tg_policy *policy; /* which holds the name of its file */
};

static void add_place(struct places *places, const char *path)
{
    if (places->count < PLACES)
        places->each[places->count++] = (struct tg_lines){.path = path};
}

/* Where syslog's daemons put what is for authpriv. Those of journalctl's that are there without a
 * journal show nothing: the file behind it is read then. */
static void add_syslog(struct places *places)
{
    static const char *const files[] = {"/var/log/auth.log", "/var/log/secure", "/var/log/syslog",
                                        "/var/log/messages"};

    if (tg_lines_has_journal())
        add_place(places, NULL);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (access(files[i], F_OK) == 0) {
            add_place(places, files[i]);
            return;
        }
}

/* False after a complaint: the policy that was given isn't one. */
static bool add_policy(struct places *places, const struct tg_options *options)
{
    struct tg_diags diags = {0};
    char path[PATH_MAX] = "";
    int status = TG_EXIT_GOOD;
    enum tg_origin origin = TG_ORIGIN_ENVIRONMENT;

    if (options->policy != NULL) {
        places->policy = tg_chosen_policy(options, &status);
        if (places->policy == NULL)
            return false;
    } else if ((origin = tg_chosen_locate(path)) != TG_ORIGIN_NONE && path[0] == '/')
        places->policy = tg_policy_open(path, &diags, NULL);
    tg_diags_clear(&diags);
    if (places->policy == NULL)
        return true;
    if (places->policy->log_sinks & TG_LOG_FILE)
        add_place(places, places->policy->log_file);
    if (places->policy->log_sinks & TG_LOG_NONE)
        tg_complain("log: this policy logs nothing: log = none");
    else if ((places->policy->log_sinks & ~(unsigned)TG_LOG_STDERR) == 0 &&
             (places->policy->log_sinks != 0 || origin == TG_ORIGIN_ENVIRONMENT))
        tg_complain("log: this policy logs to the programs' standard error, which isn't kept");
    return true;
}

static bool find_places(struct places *places, const struct tg_options *options)
{
    for (int i = 0; i < options->operand_count; i++)
        add_place(places, options->operands[i]);
    if (options->operand_count > 0)
        return true;
    if (!add_policy(places, options))
        return false;
    add_syslog(places);
    return true;
}

/* ---- the verb ---- */

/* False where none of them could be read, after a complaint of each. */
static bool read_places(struct search *search, struct places *places)
{
    bool any = false;

    for (size_t i = 0; i < places->count; i++) {
        struct tg_lines *lines = &places->each[i];
        const char *why = NULL, *name = lines->path != NULL ? lines->path : "journal";
        bool told = i > 0 && places->each[i - 1].path == NULL && search->verdicts > 0;

        if (told) { /* by the journal, which has what the file has */
            places->count = i;
            break;
        }
        search->verdicts = 0;
        if (!tg_lines_open(lines, false, &why)) {
            tg_complain("%s: %s", name, why);
            continue;
        }
        any = true;
        tg_lines_read(lines, take, search);
        show_last(search, name, places->count > 1);
        if (lines->path == NULL)
            tg_lines_close(lines);
    }
    return any;
}

/* Until it is ended, or its output is. */
static void follow(struct search *search, struct places *places)
{
    search->following = true;
    for (size_t i = 0; i < places->count; i++) {
        const char *why = NULL;

        if (places->each[i].path == NULL && !tg_lines_open(&places->each[i], true, &why))
            tg_complain("journal: %s", why);
    }
    while (!search->unwritten && fflush(stdout) == 0) {
        for (size_t i = 0; i < places->count; i++)
            tg_lines_more(&places->each[i], take, search);
        (void)poll(NULL, 0, FOLLOW_MS);
    }
}

static bool check_options(struct search *search)
{
    const struct tg_options *options = search->options;
    int most = LINES;

    if (options->lines != NULL && !tg_argument_number(options->lines, 1, LINES_MOST, &most)) {
        tg_complain("log: --lines: '%s' is no number from 1 to %d", options->lines, LINES_MOST);
        return false;
    }
    if (options->verdict != NULL && strcmp(options->verdict, "accept") != 0 &&
        strcmp(options->verdict, "reject") != 0 && strcmp(options->verdict, "report") != 0) {
        tg_complain("log: --verdict: '%s' is not accept, reject or report", options->verdict);
        return false;
    }
    if (options->operand_count > PLACES) {
        tg_complain("log: more than %d files", PLACES);
        return false;
    }
    search->most = (size_t)most;
    return options->host == NULL || tg_argument_endpoint(options->host, &search->at);
}

static void tell_nothing(const struct places *places)
{
    struct tg_buf where = {0};

    for (size_t i = 0; i < places->count; i++)
        tg_buf_printf(&where, "%s%s", i > 0 ? ", nor in " : " in ",
                      places->each[i].path != NULL ? places->each[i].path : "the journal");
    tg_complain("log: no such verdict%s: what is accepted is logged under log-level = all alone",
                tg_why(&where));
    tg_buf_free(&where);
}

static int show_log(const struct tg_options *options)
{
    struct search search = {.options = options};
    struct places places = {0};
    int status = TG_EXIT_USAGE;

    if (!check_options(&search) || !find_places(&places, options))
        return status;
    search.last = calloc(search.most, sizeof(*search.last));
    if (search.last == NULL) {
        tg_complain("%s", tg_no_memory);
    } else if (places.count == 0) {
        tg_complain("log: there is neither a journal nor a file of syslog's, and no policy that "
                    "logs to a file: trustgraft log FILE");
    } else if (read_places(&search, &places)) {
        status = search.unwritten ? TG_EXIT_USAGE : TG_EXIT_GOOD;
        if (options->follow)
            follow(&search, &places);
        else if (!search.found)
            tell_nothing(&places);
    }
    for (size_t i = 0; i < places.count; i++)
        tg_lines_close(&places.each[i]);
    tg_policy_free(places.policy);
    free(search.last);
    return status;
}

const struct tg_verb tg_verb_log = {
    .name = "log",
    .synopsis = "[OPTION...] [FILE...]",
    .summary = "show the last verdicts, and those to come",
    .details =
        "Shows the last verdicts that programs of this machine logged: in the file that the "
        "policy names, and in the journal or, where that has none, in syslog's file. FILE: there "
        "instead. What this user may not read isn't shown.\n"
        "Exit 0: shown, if there was any; 2: usage, or nothing can be read.",
    .options = TG_OPTION_LOG | TG_OPTION_HOST | TG_OPTION_PROGRAM | TG_OPTION_JSON,
    .most = -1,
    .run = show_log,
};
