#!/usr/bin/python3
"""readme.py BENCH.JSON - the lines of README.md that tell what trustgraft costs."""
import json
import sys

from goals import GOALS

HEAD = ("| | measured | goal, at most |", "| --- | --- | --- |")


def told():
    """{how README.md tells of it: the goal}"""
    return {goal.readme: goal for goal in GOALS if goal.readme}


def lines(rows):
    machine = next(row for row in rows if row["bench"] == "machine")
    figures = {row["case"]: row["measured"] for row in rows if row["bench"] == "goal"}
    yield (f"{machine['cpu']} with {machine['cores']} cores, {machine['system']}, kernel {machine['kernel']}, "
           f"{machine['openssl']}, {machine['curl']}, {machine['date']}:")
    yield ""
    yield from HEAD
    for name, goal in told().items():
        figure = figures.get(goal.title)
        yield f"| {name} | {'not measured' if figure is None else f'{figure:.2f}'} | {goal.limit:.2f} |"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print("\n".join(lines([json.loads(row) for row in file])))
