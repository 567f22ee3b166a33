#!/usr/bin/python3
"""readme.py [--write] BENCH.JSON - the lines of README.md that tell what trustgraft costs.

Prints them; with --write it puts them in the place of those that README.md has.
"""
import json
import pathlib
import re
import sys

from goals import GOALS

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
HEAD = "| | measured | goal, at most |\n| --- | --- | --- |\n"
SHOWN = re.compile(r"^Measured on [^\n]*:\n\n" + re.escape(HEAD) + r"(?:\|[^\n]*\|\n)+", re.M)
ROW = re.compile(r"^\| (.*) \| (\d+\.\d\d|not measured) \| (\d+\.\d\d) \|$", re.M)


def told():
    """The goals that README.md tells of."""
    return [goal for goal in GOALS if goal.readme]


def lines(rows):
    machine = next(row for row in rows if row["bench"] == "machine")
    figures = {row["case"]: row["measured"] for row in rows if row["bench"] == "goal"}
    text = (f"Measured on {machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['openssl']}, "
            f"{machine['curl']}, {machine['date']}:\n\n{HEAD}")
    for goal in told():
        figure = figures.get(goal.title)
        text += f"| {goal.readme} | {'not measured' if figure is None else f'{figure:.2f}'} | {goal.limit:.2f} |\n"
    return text


def wrong(text):
    """What TEXT, README.md, tells otherwise than the table of goals does, or None."""
    shown = SHOWN.search(text)
    if not shown:
        return "no table of what it costs"
    rows = [(name, limit) for name, _, limit in ROW.findall(shown[0])]
    goals = [(goal.readme, f"{goal.limit:.2f}") for goal in told()]
    if len(rows) != shown[0].count("\n|") - 2:
        return "a row of what it costs that is none"
    return next((f"{ours} stands where the goals have {wanted}" for ours, wanted in zip(rows, goals)
                 if ours != wanted),
                None if len(rows) == len(goals) else f"{len(rows)} rows for {len(goals)} goals")


def main():
    with open(sys.argv[-1], encoding="utf-8") as file:
        text = lines([json.loads(row) for row in file])
    if "--write" not in sys.argv:
        print(text, end="")
        return
    readme, count = SHOWN.subn(lambda _: text, README.read_text("utf-8"))
    if count != 1:
        sys.exit(f"{README}: {count} tables of what it costs")
    README.write_text(readme, "utf-8")


if __name__ == "__main__":
    main()
