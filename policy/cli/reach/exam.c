#include "exam.h"
#include "terminal.h"
#include "text.h"
#include <string.h>

/* "  ok    provider    " */
enum { NAME_COLUMN = 8, TEXT_COLUMN = 20 };

static const struct {
    const char *word, *json;
    enum tg_colour colour;
} states[] = {
    [TG_STATE_GOOD] = {"ok", "good", TG_GOOD},
    [TG_STATE_NOTE] = {"note", "note", TG_WARN},
    [TG_STATE_BAD] = {"bad", "bad", TG_BAD},
};

void tg_exam_section(struct tg_exam *exam, const char *title)
{
    exam->section = title;
    if (!exam->as_json)
        tg_buf_printf(&exam->out, "%s%s%s%s\n", exam->out.length > 0 ? "\n" : "",
                      tg_terminal_colour(stdout, TG_STRONG), title,
                      tg_terminal_colour(stdout, TG_PLAIN));
}

static void add_text(struct tg_exam *exam, enum tg_state state, const char *name, const char *text)
{
    int gap = NAME_COLUMN - 2 - (int)strlen(states[state].word);
    int rest = TEXT_COLUMN - NAME_COLUMN - (int)strlen(name);

    tg_buf_printf(&exam->out, "  %s%s%s%*s%s%*s", tg_terminal_colour(stdout, states[state].colour),
                  states[state].word, tg_terminal_colour(stdout, TG_PLAIN), gap, "", name,
                  rest > 1 ? rest : 1, "");
    tg_terminal_wrap(&exam->out, stdout, TEXT_COLUMN, TEXT_COLUMN, text);
    tg_buf_add(&exam->out, "\n");
}

static void add_json(struct tg_exam *exam, enum tg_state state, const char *name, const char *text)
{
    tg_buf_add(&exam->out, "{\"section\":");
    tg_buf_json(&exam->out, exam->section);
    tg_buf_add(&exam->out, ",\"name\":");
    tg_buf_json(&exam->out, name);
    tg_buf_printf(&exam->out, ",\"state\":\"%s\",\"text\":", states[state].json);
    tg_buf_json(&exam->out, text);
    tg_buf_add(&exam->out, "}\n");
}

void tg_exam_note(struct tg_exam *exam, enum tg_state state, const char *name, const char *format,
                  ...)
{
    struct tg_buf raw = {0}, text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&raw, format, args);
    va_end(args);
    tg_buf_escape(&text, raw.text != NULL ? raw.text : "", raw.length);
    if (raw.failed || text.failed || text.text == NULL)
        exam->out.failed = true;
    else if (exam->as_json)
        add_json(exam, state, name, raw.text);
    else
        add_text(exam, state, name, text.text);
    exam->ill |= state == TG_STATE_BAD;
    tg_buf_free(&raw);
    tg_buf_free(&text);
}
