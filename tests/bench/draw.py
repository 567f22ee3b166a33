#!/usr/bin/python3
"""draw.py BENCH.JSON BENCH.SVG - a picture of the goals and of the programs' time.

It follows the reader's light or dark scheme, and says in words all that its colours say.
"""
import json
import sys
from collections import namedtuple
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 960, 470, 180  # of the picture, of the labels, of the figures
ROW, BAR, TOP = 26, 12, 92          # heights of a row, a bar and the heading
PLOT = WIDTH - LEFT - RIGHT
STYLE = """
text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1b1f24 }
.title { font-size: 18px; font-weight: 600 } .head { font-weight: 600 } .small { font-size: 12px; fill: #57606a }
.page { fill: #ffffff } .met { fill: #1a7f5a } .missed { fill: #c2570c } .plain { fill: #3b6fb6 }
.axis { stroke: #8c959f } .goal { stroke: #1b1f24; stroke-width: 2.5 } .unknown { stroke: #8c959f; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9aa4af } .page { fill: #0d1117 }
.met { fill: #3fb98a } .missed { fill: #f08c4a } .plain { fill: #79a8e8 }
.axis { stroke: #6e7681 } .goal { stroke: #e6edf3 } .unknown { stroke: #6e7681 }
}"""
PROGRAMS = (("curl", "curl"), ("python", "Python, requests"), ("php", "PHP, stream"), ("php-curl", "PHP, curl"),
            ("nginx", "nginx -t, 100 locations"))
CASES = (("preload, anchors and pins", "preload, a rule"),
         ("provider, anchors and pins", "provider, a rule"),
         ("bare, one CA instead of the bundle", "without it, one CA"))

# A bar: VALUE and GOAL, of which either may be None, the class of its colour, and what stands behind it.
Bar = namedtuple("Bar", "label value goal look said")
# Bars on one scale, whose end is MOST; UNIT stands at the line of what they are compared with, if any.
Panel = namedtuple("Panel", "title bars most unit")


def goal_bar(row):
    if row["measured"] is None:
        return Bar(row["case"], None, row["goal"], "", "not measured")
    look = row["state"]
    said = f"{row['measured']:.3f}, goal {row['goal']:.2f}: {look}"
    return Bar(row["case"], row["measured"], row["goal"], look, said)


def panels(rows):
    goals = [row for row in rows if row["bench"] == "goal"]
    ratios = [goal_bar(row) for row in goals if row["metric"] != "memory"]
    memory = [goal_bar(row) for row in goals if row["metric"] == "memory"]
    times = {(row["bench"], row["case"]): row["ratio"] for row in rows
             if row.get("metric") == "wall" and "ratio" in row}
    programs = [Bar(f"{title}: {case}", value, None, "plain", f"{value:.2f}")
                for bench, title in PROGRAMS for name, case in CASES
                if (value := times.get((bench, name))) is not None]
    made = [Panel("Goals, as parts of what stands behind the colon", ratios, 1.3, "1"),
            Panel("Goals in MiB", memory, max([3.0, *(bar.value * 1.2 for bar in memory if bar.value)]), ""),
            Panel("One request or one start: time, as part of the program's without trustgraft", programs, 1.3, "1")]
    return [panel for panel in made if panel.bars]


def line(x, top, bottom, look):
    return f'<line class="{look}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'


def text(x, y, words, look="", end=False):
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x}" y="{y}" class="{look}"{anchor}>{escape(words)}</text>'


def draw_bar(bar, y, most):
    def at(value):
        return LEFT + PLOT * min(max(value, 0), most) / most
    top = y + (ROW - BAR) // 2
    yield text(LEFT - 12, y + 18, bar.label, end=True)
    yield text(WIDTH - RIGHT + 12, y + 18, bar.said)
    if bar.value is None:
        yield (f'<line class="unknown" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y + ROW // 2}" '
               f'y2="{y + ROW // 2}"/>')
    else:
        yield f'<rect class="{bar.look}" x="{LEFT}" y="{top}" width="{at(bar.value) - LEFT:.1f}" height="{BAR}"/>'
    if bar.value is not None and bar.value > most:  # it goes on: a gap near its end
        yield f'<rect class="page" x="{WIDTH - RIGHT - 16}" y="{top - 1}" width="4" height="{BAR + 2}"/>'
    if bar.goal is not None:
        yield line(at(bar.goal), top - 4, top + BAR + 4, "goal")


def draw_panel(panel, y):
    """The elements of PANEL from Y on, and where it ends."""
    bottom = y + 30 + ROW * len(panel.bars)
    parts = [text(24, y + 18, panel.title, "head"), line(LEFT, y + 30, bottom, "axis")]
    if panel.unit:
        x = LEFT + PLOT / panel.most
        parts += [line(x, y + 24, bottom, "axis"), text(x + 4, y + 22, panel.unit, "small")]
    for number, bar in enumerate(panel.bars):
        parts += draw_bar(bar, y + 30 + ROW * number, panel.most)
    return parts, bottom + 18


def describe(made):
    return " ".join(f"{panel.title}. " + " ".join(f"{bar.label}: {bar.said}." for bar in panel.bars)
                    for panel in made)


def picture(rows):
    machine = next((row for row in rows if row["bench"] == "machine"), {})
    made, parts, y = panels(rows), [], TOP
    for panel in made:
        more, y = draw_panel(panel, y)
        parts += more
    where = ", ".join(str(machine[key]) for key in ("cpu", "system", "openssl", "date") if machine.get(key))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" '
        'role="img" aria-labelledby="title desc">',
        '<title id="title">What trustgraft costs</title>',
        f'<desc id="desc">{escape(describe(made))}</desc>', f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{y}"/>',
        text(24, 34, "What trustgraft costs", "title"),
        text(24, 56, "Shorter is better. The upright mark is the goal; a bar that ends before it has met it.", "small"),
        text(24, 74, where, "small"), *parts, "</svg>", ""])


def write(rows, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(picture(rows))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as lines:
        write([json.loads(row) for row in lines], sys.argv[2])
