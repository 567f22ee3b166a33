#include "summary.h"
#include "finding.h"
#include "terminal.h"
#include "write.h"
#include <string.h>

enum { INDENT = 2, BELOW = 4, WIDEST_NAME = 40 };

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

/* The text that RESULT has in the group of KIND, TG_FINDING_KINDS being that of failures. */
static bool belongs(const struct tg_sweep_result *result, enum tg_finding_kind kind,
                    const char **text)
{
    if (kind == TG_FINDING_KINDS) {
        *text = result->failure;
        return result->state == TG_SWEEP_FAILED;
    }
    for (size_t i = 0; i < result->finding_count; i++)
        if (result->findings[i].kind == kind) {
            *text = result->findings[i].text;
            return true;
        }
    return false;
}

/* How many belong to the group, and where their texts begin. */
static size_t measure(const struct tg_sweep *sweep, enum tg_finding_kind kind, size_t *column)
{
    size_t count = 0, widest = 0;

    for (size_t i = 0; i < sweep->targets->count; i++) {
        const struct tg_endpoint *at = &sweep->targets->item[i].at;
        const char *text;
        size_t width = strlen(at->host) + 8;

        if (!belongs(&sweep->results[i], kind, &text))
            continue;
        count++;
        widest = width > widest && width <= WIDEST_NAME ? width : widest;
    }
    *column = tg_terminal_narrow(stdout, INDENT + widest + 2) ? BELOW : INDENT + widest + 2;
    return count;
}

static void add_group(struct tg_buf *out, const struct tg_sweep *sweep, enum tg_finding_kind kind)
{
    bool failures = kind == TG_FINDING_KINDS;
    size_t column, count = measure(sweep, kind, &column);

    if (count == 0)
        return;
    tg_buf_printf(out, "%s%s%s (%zu)\n", tg_terminal_colour(stdout, failures ? TG_WARN : TG_BAD),
                  failures ? "not reached" : tg_finding_info(kind)->name,
                  tg_terminal_colour(stdout, TG_PLAIN), count);
    for (size_t i = 0; i < sweep->targets->count; i++) {
        const char *text;

        if (belongs(&sweep->results[i], kind, &text))
            add_row(out, &sweep->targets->item[i], column, text);
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
    for (int kind = 0; kind <= TG_FINDING_KINDS; kind++)
        add_group(out, sweep, (enum tg_finding_kind)kind);
    tg_buf_add(out, tg_terminal_colour(stdout, TG_STRONG));
    tg_summary_line(out, sweep);
    tg_buf_add(out, tg_terminal_colour(stdout, TG_PLAIN));
}
