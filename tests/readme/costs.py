"""costs.py - what `make bench` concludes, and what README.md tells of its goals."""
import json
import pathlib
import sys
from xml.dom import minidom

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import draw
import goals
import readme

MACHINE = {"bench": "machine", "cpu": "a CPU", "cores": 2, "system": "a system", "openssl": "OpenSSL",
           "curl": "curl", "date": "today"}


def measured(goal, figures):
    """The rows of a run in which the cases of GOAL cost FIGURES, by turns."""
    names = [(bench, case) for bench in goal.benches for case in goal.cases]
    return [{"bench": bench, "case": case, "metric": goal.metric, goal.field: figures[at % len(figures)],
             "why": "no such machine"} for at, (bench, case) in enumerate(names)]


def state(goal, rows):
    return next(row for row in goals.judge(rows) if row["case"] == goal.title)["state"]


def the_goals_are_judged(_):
    for goal in goals.GOALS:
        assert state(goal, measured(goal, [goal.limit])) == "met", goal
        assert state(goal, measured(goal, [goal.limit + 0.001])) == "missed", goal


def the_dearest_case_counts(_):
    for goal in goals.GOALS:
        many = len(goal.benches) * len(goal.cases) > 1
        assert state(goal, measured(goal, [0.001, goal.limit + 1])) == ("missed" if many else "met"), goal


def what_is_not_measured_meets_nothing(_):
    for goal in goals.GOALS:
        assert state(goal, []) == "not measured", goal
        assert state(goal, measured(goal, [None])) == "not measured", goal
        assert state(goal, measured(goal, [0.001])[1:]) == "not measured", goal


def the_picture_says_it_in_words(_):
    rows = [MACHINE, *goals.judge([row for goal in goals.GOALS[:-1] for row in measured(goal, [goal.limit])])]
    page = minidom.parseString(draw.picture(rows))
    said = page.getElementsByTagName("desc")[0].firstChild.data
    assert page.getElementsByTagName("title") and all(goal.title in said for goal in goals.GOALS), said
    assert said.count(": met") == len(goals.GOALS) - 1 and said.count("not measured") == 1, said


def readme_tells_the_goals(text):
    assert not (problem := readme.wrong(text)), problem


def another_goal_is_noticed(_):
    rows = json.loads(json.dumps([MACHINE, *goals.judge([])]))
    text = readme.lines(rows)
    first = readme.told()[0]
    assert not readme.wrong(text), readme.wrong(text)
    for other in (text.replace(f"{first.limit:.2f} |", "9.99 |", 1), text.replace(first.readme, "it", 1),
                  text.replace("| not measured |", "| little |", 1), text[:text.rindex("| ", 0, -70)], ""):
        assert readme.wrong(other), other


def try_all(text):
    """'ok' or 'FAILED' for each; TEXT is README.md."""
    for test in (the_goals_are_judged, the_dearest_case_counts, what_is_not_measured_meets_nothing,
                 the_picture_says_it_in_words, readme_tells_the_goals, another_goal_is_noticed):
        try:
            test(text)
        except AssertionError as error:
            print(f"FAILED: {test.__name__}: {error}")
            yield "FAILED"
        else:
            print(f"== make bench, {test.__name__}\nok")
            yield "ok"
