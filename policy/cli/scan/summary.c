#include "summary.h"
#include "finding.h"
#include "terminal.h"
#include "write.h"
#include <stdlib.h>
#include <string.h>

enum { INDENT = 2, BELOW = 4, WIDEST_NAME = 40 };

/* Groups besides those of findings. */
enum group { FAILED = TG_FINDING_KINDS, SOON, ACCEPTED, GROUPS };

/* A row: the host of TARGET and TEXT beside it, or below it where the name is long. */
static void add_row(struct tg_buf *out, const struct tg_target *target, size_t column,
                    const char *text)
{
    struct tg_buf name = {0};

    tg_write_endpoint(&name, target->at.host, target->at.port);
    tg_buf_printf(out, "%*s%s", INDENT, "", name.text != NULL ? name.text : "");
    if (INDENT + name.length + 2 > column)
        tg_buf_printf(out, "\n%*s", (int)column, "");
    else
        tg_buf_printf(out, "%*s", (int)(column - INDENT - name.length), "");
    tg_terminal_wrap(out, stdout, column, column, text != NULL ? text : tg_no_memory);
    tg_buf_add(out, "\n");
    out->failed |= name.failed;
    tg_buf_free(&name);
}

/* "the certificate CN=a.example ends in 12 days, 2026-12-09T00:00:00Z; ..." */
static char *tell_endings(const struct tg_sweep *sweep, const struct tg_facts *facts)
{
    struct tg_buf out = {0};

    for (size_t i = 0; i < facts->ending_count; i++) {
        const struct tg_ending *ending = &facts->endings[i];
        long days = tg_facts_days(ending->when, sweep->now);

        tg_buf_printf(&out, "%s%s", i > 0 ? "; " : "",
                      ending->what != NULL ? ending->what : tg_no_memory);
        if (days < 0)
            tg_buf_add(&out, " ended ");
        else
            tg_buf_printf(&out, " ends in %ld day%s, ", days, days == 1 ? "" : "s");
        tg_write_time(&out, ending->when);
    }
    return tg_buf_take(&out);
}

/* "397 days, EC P-256, CN=a.example, for a.example, b.example" */
static char *tell_facts(const struct tg_sweep *sweep, const struct tg_facts *facts)
{
    struct tg_buf out = {0};

    tg_buf_printf(&out, "%ld days, %s, %s", tg_facts_days(facts->not_after, sweep->now),
                  facts->key != NULL ? facts->key : "?",
                  facts->subject != NULL ? facts->subject : tg_no_memory);
    if (facts->names != NULL && facts->names[0] != '\0')
        tg_buf_printf(&out, ", for %s", facts->names);
    return tg_buf_take(&out);
}

/* True if the target INDEX belongs to GROUP. */
static bool belongs(const struct tg_sweep *sweep, size_t index, int group)
{
    const struct tg_sweep_result *result = &sweep->results[index];

    if (group == FAILED)
        return result->state == TG_SWEEP_FAILED;
    if (group == SOON)
        return result->state == TG_SWEEP_ACCEPTED && result->facts.ending_count > 0;
    if (group == ACCEPTED)
        return result->state == TG_SWEEP_ACCEPTED && sweep->question->options->all;
    for (size_t i = 0; i < result->finding_count; i++)
        if ((int)result->findings[i].kind == group)
            return true;
    return false;
}

/* What stands beside a target that belongs to GROUP; malloc'd, NULL without memory. */
static char *text_of(const struct tg_sweep *sweep, size_t index, int group)
{
    const struct tg_sweep_result *result = &sweep->results[index];
    const char *text = result->failure;

    if (group == SOON)
        return tell_endings(sweep, &result->facts);
    if (group == ACCEPTED)
        return tell_facts(sweep, &result->facts);
    for (size_t i = 0; group != FAILED && i < result->finding_count; i++)
        if ((int)result->findings[i].kind == group) {
            text = result->findings[i].text;
            break;
        }
    return text != NULL ? strdup(text) : NULL;
}

/* How many belong to the group, and where their texts begin. */
static size_t measure(const struct tg_sweep *sweep, int group, size_t *column)
{
    size_t count = 0, widest = 0;

    for (size_t i = 0; i < sweep->targets->count; i++) {
        size_t width = strlen(sweep->targets->item[i].at.host) + 8;

        if (!belongs(sweep, i, group))
            continue;
        count++;
        widest = width > widest && width <= WIDEST_NAME ? width : widest;
    }
    *column = tg_terminal_narrow(stdout, INDENT + widest + 2) ? BELOW : INDENT + widest + 2;
    return count;
}

static void add_heading(struct tg_buf *out, int group, size_t count)
{
    enum tg_colour colour = group == ACCEPTED ? TG_GOOD : TG_WARN;
    const char *text = group == FAILED ? "not reached"
                       : group == SOON ? "accepted, but not for long"
                                       : "accepted";

    if (group < TG_FINDING_KINDS) {
        colour = TG_BAD;
        text = tg_finding_info((enum tg_finding_kind)group)->name;
    }
    tg_buf_printf(out, "%s%s%s (%zu)\n", tg_terminal_colour(stdout, colour), text,
                  tg_terminal_colour(stdout, TG_PLAIN), count);
}

static void add_group(struct tg_buf *out, const struct tg_sweep *sweep, int group)
{
    size_t column, count = measure(sweep, group, &column);

    if (count == 0)
        return;
    add_heading(out, group, count);
    for (size_t i = 0; i < sweep->targets->count; i++) {
        char *text;

        if (!belongs(sweep, i, group))
            continue;
        text = text_of(sweep, i, group);
        add_row(out, &sweep->targets->item[i], column, text);
        free(text);
    }
    tg_buf_add(out, "\n");
}

void tg_summary_line(struct tg_buf *out, const struct tg_sweep *sweep)
{
    static const char *const names[] = {[TG_SWEEP_PENDING] = NULL,
                                        [TG_SWEEP_ACCEPTED] = "accepted",
                                        [TG_SWEEP_REFUSED] = "refused",
                                        [TG_SWEEP_FAILED] = "not reached"};
    size_t count = sweep->targets->count;

    _Static_assert(sizeof(names) / sizeof(names[0]) == TG_SWEEP_STATES, "a name for each state");
    tg_buf_printf(out, "%zu host%s: ", count, count == 1 ? "" : "s");
    for (int state = TG_SWEEP_ACCEPTED; state < TG_SWEEP_STATES; state++)
        tg_buf_printf(out, "%s%zu %s", state > TG_SWEEP_ACCEPTED ? ", " : "", sweep->counts[state],
                      names[state]);
    if (sweep->finished < count)
        tg_buf_printf(out, ", %zu not looked at", count - sweep->finished);
    tg_buf_add(out, "\n");
}

void tg_summary(struct tg_buf *out, const struct tg_sweep *sweep)
{
    for (int group = 0; group < GROUPS; group++)
        add_group(out, sweep, group);
    tg_buf_add(out, tg_terminal_colour(stdout, TG_STRONG));
    tg_summary_line(out, sweep);
    tg_buf_add(out, tg_terminal_colour(stdout, TG_PLAIN));
}
