#include "html.h"
#include "finding.h"
#include "moment.h"
#include "save.h"
#include "terminal.h"
#include "write.h"
#include <stdio.h>
#include <string.h>

/* The drawing of a chain, in SVG's units. */
enum { BOX_WIDTH = 460, BOX_HEIGHT = 54, GAP = 20, LETTERS = 62 };

/* Nothing comes from elsewhere, nor could it: the policy of the page forbids it. */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
    "<title>trustgraft scan</title>\n<style>\n"
    ":root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #59636e;\n"
    "  --line: #d1d9e0; --good: #116329; --bad: #b3261e; --warn: #7d4e00; --card: #f6f8fa; }\n"
    "@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3;\n"
    "  --faint: #9198a1; --line: #3d444d; --good: #57ab5a; --bad: #ff7b72; --warn: #d29922;\n"
    "  --card: #161b22; } }\n"
    "body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; background: var(--paper);\n"
    "  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }\n"
    "h1 { font-size: 1.5rem; } .faint { color: var(--faint); }\n"
    ".scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }\n"
    "caption { text-align: left; padding: .5rem 0; }\n"
    "th, td { text-align: left; vertical-align: top; padding: .4rem .6rem;\n"
    "  border-bottom: 1px solid var(--line); }\n"
    "thead th { white-space: nowrap; } tbody th { font-weight: 600; }\n"
    "td.key { white-space: nowrap; } td.number { text-align: right; font-variant-numeric: "
    "tabular-nums; }\n"
    "thead button { font: inherit; font-weight: 600; color: inherit; background: none;\n"
    "  border: 0; padding: 0; cursor: pointer; }\n"
    "th[aria-sort=ascending] button::after { content: \" \\2191\"; }\n"
    "th[aria-sort=descending] button::after { content: \" \\2193\"; }\n"
    "input { font: inherit; padding: .2rem .4rem; color: inherit; background: var(--card);\n"
    "  border: 1px solid var(--line); border-radius: 4px; }\n"
    ".accepted { color: var(--good); } .refused { color: var(--bad); }\n"
    ".soon, .unreached { color: var(--warn); }\n"
    "ul { margin: 0; padding-left: 1rem; }\n"
    "svg { display: block; min-width: 22rem; max-width: 100%; height: auto; }\n"
    "svg rect { fill: var(--card); stroke: var(--line); } svg path { stroke: var(--faint); }\n"
    "svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }\n"
    "svg text.faint { fill: var(--faint); } svg text.soon { fill: var(--warn); }\n"
    "</style>\n</head>\n<body>\n";

static const char script[] =
    "<script>\n"
    "const body = document.querySelector('tbody'), rows = [...body.rows];\n"
    "const value = (row, at) => row.cells[at].dataset.sort ?? row.cells[at].innerText;\n"
    "document.querySelectorAll('thead button').forEach(button => {\n"
    "  const heading = button.closest('th');\n"
    "  button.addEventListener('click', () => {\n"
    "    const down = heading.ariaSort === 'ascending', at = heading.cellIndex;\n"
    "    document.querySelectorAll('thead th').forEach(th => { th.ariaSort = 'none'; });\n"
    "    heading.ariaSort = down ? 'descending' : 'ascending';\n"
    "    rows.sort((a, b) => (down ? -1 : 1) *\n"
    "      value(a, at).localeCompare(value(b, at), 'en', { numeric: true }));\n"
    "    body.append(...rows);\n"
    "  });\n"
    "});\n"
    "document.querySelector('input').addEventListener('input', event => {\n"
    "  const words = event.target.value.toLowerCase();\n"
    "  rows.forEach(row => { row.hidden = !row.textContent.toLowerCase().includes(words); });\n"
    "});\n"
    "</script>\n";

/* What a certificate or a policy wrote, which may be anything. */
static void add_text(struct tg_buf *out, const char *text)
{
    static const char special[] = "&<>\"'";

    for (text = text != NULL ? text : "?"; *text != '\0';) {
        size_t plain = strcspn(text, special);

        tg_buf_addn(out, text, plain);
        text += plain;
        if (*text != '\0')
            tg_buf_printf(out, "&#%d;", *text++);
    }
}

static void add_endpoint(struct tg_buf *out, const struct tg_endpoint *at)
{
    struct tg_buf name = {0};

    tg_write_endpoint(&name, at->host, at->port);
    add_text(out, name.text);
    tg_buf_free(&name);
}

/* ---- the chain ---------------------------------------------------------------------------- */

/* A line of text in a box, as much of it as there is room for; all of it shows as a tooltip. */
static void add_line(struct tg_buf *out, int y, const char *class, const struct tg_buf *text)
{
    const char *whole = tg_why(text);
    size_t length = strlen(whole), shown = length > LETTERS ? LETTERS : length;
    struct tg_buf part = {0};

    while (shown < length && ((unsigned char)whole[shown] & 0xc0) == 0x80)
        shown--;
    tg_buf_addn(&part, whole, shown);
    tg_buf_add(&part, shown < length ? "..." : "");
    tg_buf_printf(out, "<text x=\"12\" y=\"%d\"%s>", y, class);
    add_text(out, part.text);
    if (shown < length) {
        tg_buf_add(out, "<title>");
        add_text(out, whole);
        tg_buf_add(out, "</title>");
    }
    tg_buf_add(out, "</text>");
    tg_buf_free(&part);
}

static void add_box(struct tg_buf *out, const struct tg_sweep *sweep, const X509 *certificate,
                    int y)
{
    struct tg_buf subject = {0}, dates = {0};
    time_t end = 0;
    bool soon;

    tg_write_name(&subject, X509_get_subject_name(certificate));
    tg_buf_add(&subject, subject.length == 0 ? "(no subject)" : "");
    tg_buf_add(&dates, "until ");
    tg_write_asn1_time(&dates, X509_get0_notAfter(certificate));
    soon = tg_moment_read(X509_get0_notAfter(certificate), &end) && end < sweep->soon;
    if (end != 0)
        tg_buf_printf(&dates, ", %ld days", tg_facts_days(end, sweep->now));
    tg_buf_printf(out, "<rect x=\"1\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"/>", y, BOX_WIDTH,
                  BOX_HEIGHT);
    add_line(out, y + 22, "", &subject);
    add_line(out, y + 42, soon ? " class=\"soon\"" : " class=\"faint\"", &dates);
    tg_buf_free(&subject);
    tg_buf_free(&dates);
}

/* The anchor, or what comes nearest to it, first. */
static void add_chain(struct tg_buf *out, const struct tg_sweep *sweep, const STACK_OF(X509) *path)
{
    int count = sk_X509_num(path), height = count * (BOX_HEIGHT + GAP) - GAP + 2;

    tg_buf_printf(out,
                  "<details><summary>%d certificate%s</summary><svg role=\"img\" width=\"%d\" "
                  "height=\"%d\" viewBox=\"0 0 %d %d\"><title>Issued by: ",
                  count, count == 1 ? "" : "s", BOX_WIDTH + 2, height, BOX_WIDTH + 2, height);
    for (int i = count - 1; i >= 0; i--) {
        struct tg_buf name = {0};

        tg_write_name(&name, X509_get_subject_name(sk_X509_value(path, i)));
        add_text(out, name.text != NULL ? name.text : "(no subject)");
        tg_buf_add(out, i > 0 ? ", which issued " : "");
        tg_buf_free(&name);
    }
    tg_buf_add(out, "</title>");
    for (int i = 0; i < count; i++) {
        int y = 1 + i * (BOX_HEIGHT + GAP);

        if (i > 0)
            tg_buf_printf(out, "<path d=\"M30 %d v%d\"/>", y - GAP, GAP);
        add_box(out, sweep, sk_X509_value(path, count - 1 - i), y);
    }
    tg_buf_add(out, "</svg></details>");
}

/* ---- the table ---------------------------------------------------------------------------- */

static void add_reasons(struct tg_buf *out, const struct tg_sweep *sweep,
                        const struct tg_sweep_result *result)
{
    size_t endings = result->state == TG_SWEEP_ACCEPTED ? result->facts.ending_count : 0;
    bool listed = result->finding_count > 0 || endings > 0;

    tg_buf_add(out, listed ? "<td><ul>" : "<td>");
    for (size_t i = 0; i < result->finding_count; i++) {
        tg_buf_printf(out,
                      "<li><strong>%s</strong>: ", tg_finding_info(result->findings[i].kind)->name);
        add_text(out, result->findings[i].text);
        tg_buf_add(out, "</li>");
    }
    for (size_t i = 0; i < endings; i++) {
        tg_buf_add(out, "<li class=\"soon\">");
        add_text(out, result->facts.endings[i].what);
        tg_buf_printf(out, " ends in %ld days</li>",
                      tg_facts_days(result->facts.endings[i].when, sweep->now));
    }
    if (result->state == TG_SWEEP_FAILED)
        add_text(out, result->failure);
    tg_buf_add(out, listed ? "</ul></td>" : "</td>");
}

static void add_row(struct tg_buf *out, const struct tg_sweep *sweep, size_t index)
{
    static const struct {
        const char *class, *word;
    } states[] = {[TG_SWEEP_PENDING] = {"unreached", "not looked at"},
                  [TG_SWEEP_ACCEPTED] = {"accepted", "accepted"},
                  [TG_SWEEP_REFUSED] = {"refused", "refused"},
                  [TG_SWEEP_FAILED] = {"unreached", "not reached"}};
    const struct tg_sweep_result *result = &sweep->results[index];
    const struct tg_facts *facts = &result->facts;

    tg_buf_add(out, "<tr><th scope=\"row\">");
    add_endpoint(out, &sweep->targets->item[index].at);
    tg_buf_printf(out, "</th><td class=\"%s\">%s</td>", states[result->state].class,
                  states[result->state].word);
    add_reasons(out, sweep, result);
    if (result->path == NULL) {
        tg_buf_add(out, "<td data-sort=\"\"></td><td></td><td></td><td></td></tr>\n");
        return;
    }
    tg_buf_printf(out, "<td class=\"number%s\">%ld</td><td class=\"key\">",
                  facts->not_after < sweep->soon ? " soon" : "",
                  tg_facts_days(facts->not_after, sweep->now));
    add_text(out, facts->key);
    tg_buf_add(out, "</td><td>");
    add_text(out, facts->names);
    tg_buf_printf(out, "</td><td data-sort=\"%d\">", sk_X509_num(result->path));
    add_chain(out, sweep, result->path);
    tg_buf_add(out, "</td></tr>\n");
}

static void add_page(struct tg_buf *out, const struct tg_sweep *sweep)
{
    static const char *const columns[] = {"Host", "Verdict", "Why",  "Days left",
                                          "Key",  "Names",   "Chain"};

    tg_buf_add(out, head);
    tg_buf_add(out, "<header><h1>trustgraft scan</h1><p class=\"faint\">");
    tg_write_time(out, sweep->now);
    tg_buf_add(out, ", under ");
    add_text(out, sweep->question->policy->file);
    tg_buf_printf(out,
                  "</p></header>\n<main>\n<p><span class=\"accepted\">%zu accepted</span>, <span "
                  "class=\"refused\">%zu refused</span>, <span class=\"unreached\">%zu not "
                  "reached</span></p>\n<p><label>Show only <input type=\"search\"></label></p>\n"
                  "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Hosts\">"
                  "<table>\n<caption class=\"faint\">%zu hosts; a heading sorts by its column"
                  "</caption>\n<thead><tr>",
                  sweep->counts[TG_SWEEP_ACCEPTED], sweep->counts[TG_SWEEP_REFUSED],
                  sweep->counts[TG_SWEEP_FAILED], sweep->targets->count);
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        tg_buf_printf(out,
                      "<th scope=\"col\" aria-sort=\"none\"><button type=\"button\">%s</button>"
                      "</th>",
                      columns[i]);
    tg_buf_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < sweep->targets->count; i++)
        add_row(out, sweep, i);
    tg_buf_printf(out, "</tbody></table></div>\n</main>\n%s</body>\n</html>\n", script);
}

bool tg_html_write(const struct tg_sweep *sweep, const char *path)
{
    struct tg_buf text = {0};

    add_page(&text, sweep);
    return tg_save_text(path, &text);
}
