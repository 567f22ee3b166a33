#include "health.h"
#include "terminal.h"
#include "text.h"
#include <string.h>

/* "  ok    provider    " */
enum { NAME_COLUMN = 8, TEXT_COLUMN = 20 };

static const struct {
    const char *word, *json;
    enum tg_colour colour;
} states[] = {
    [TG_HEALTH_GOOD] = {.word = "ok", .json = "good", .colour = TG_GOOD},
    [TG_HEALTH_NOTE] = {.word = "note", .json = "note", .colour = TG_WARN},
    [TG_HEALTH_BAD] = {.word = "bad", .json = "bad", .colour = TG_BAD},
};
_Static_assert(sizeof(states) / sizeof(states[0]) == TG_HEALTH_STATES, "a row for each state");

void tg_health_section(struct tg_health *health, const char *title)
{
    health->section = title;
    if (!health->as_json)
        tg_buf_printf(&health->out, "%s%s%s%s\n", health->out.length > 0 ? "\n" : "",
                      tg_terminal_colour(stdout, TG_STRONG), title,
                      tg_terminal_colour(stdout, TG_PLAIN));
}

static void add_text(struct tg_health *health, enum tg_health_state state, const char *name,
                     const char *text)
{
    int gap = NAME_COLUMN - 2 - (int)strlen(states[state].word);
    int rest = TEXT_COLUMN - NAME_COLUMN - (int)strlen(name);

    tg_buf_printf(&health->out, "  %s%s%s%*s%s%*s",
                  tg_terminal_colour(stdout, states[state].colour), states[state].word,
                  tg_terminal_colour(stdout, TG_PLAIN), gap, "", name, rest > 1 ? rest : 1, "");
    tg_terminal_wrap(&health->out, stdout, TEXT_COLUMN, TEXT_COLUMN, text);
    tg_buf_add(&health->out, "\n");
}

static void add_json(struct tg_health *health, enum tg_health_state state, const char *name,
                     const char *text)
{
    tg_buf_add(&health->out, "{\"section\":");
    tg_buf_json(&health->out, health->section);
    tg_buf_add(&health->out, ",\"name\":");
    tg_buf_json(&health->out, name);
    tg_buf_printf(&health->out, ",\"state\":\"%s\",\"text\":", states[state].json);
    tg_buf_json(&health->out, text);
    tg_buf_add(&health->out, "}\n");
}

void tg_health_note(struct tg_health *health, enum tg_health_state state, const char *name,
                    const char *format, ...)
{
    struct tg_buf raw = {0}, text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&raw, format, args);
    va_end(args);
    tg_buf_escape(&text, raw.text != NULL ? raw.text : "", raw.length);
    if (raw.failed || text.failed || text.text == NULL)
        health->out.failed = true;
    else if (health->as_json)
        add_json(health, state, name, raw.text);
    else
        add_text(health, state, name, text.text);
    health->bad |= state == TG_HEALTH_BAD;
    tg_buf_free(&raw);
    tg_buf_free(&text);
}
