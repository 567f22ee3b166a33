"""play.py - plays one row's cases in one way in, and says what came out otherwise than expected."""
import dataclasses
import re
import signal

from compat import nodes
from compat.rows import BROKEN, Closed, Outside
from e2e import naming
from e2e.harness import Failure, require
from e2e.transparency import difference, steady
from lab import tn2232, ways
from lab.scenario import ACCEPT, REFUSE

# What the columns are called, and the scenarios of TN2232 that they stand for.
TITLES = {"anchor": "custom anchor: its server",
          "other CA": "anchors-only = yes: they don't",
          "name": "hostname = www.partner.test: it has it",
          "pin": "leaf-pin: another key",
          "-k": "curl -k overruled: a bad one"}
CASES = {case: scenario for case, title in TITLES.items() for scenario in tn2232.SCENARIOS
         if scenario.title == title}
CASES |= {"address": scenario for scenario in naming.SCENARIOS
          if scenario.title == "address: checks switched off"}
ELSEWHERE = "[host elsewhere.test]\naction = reject\n"
UNMATCHED = ("api/no-tickets", "api-other/no-tickets")
COLUMNS = (*CASES, "no rule", BROKEN)
SERVERS = (*(scenario.server for scenario in CASES.values()), *UNMATCHED)


def columns(row):
    """What is played of ROW, in the table and beside it."""
    return (*COLUMNS, *(nodes.CHECKS if row.clients else ()))


def get(lab, row, place, way, target, policy):
    """The outcome by `trustgraft run` where that runs and lets the program run, else by the
    environment alone."""
    command, environment, build = place.program.command(target), {}, place.build or lab.build
    if row.runs and not row.expected(way).run:
        command = ways.by_command(build, way, command, policy)
    else:
        environment = ways.by_environment(build, way, policy)
    return lab.judge(place.program, *place.run(lab, command, environment))


def bare(lab, place, target):
    return lab.judge(place.program, *place.run(lab, place.program.command(target)))


def check_scenario(lab, row, place, way, column):
    scenario = CASES[column]
    scenario = dataclasses.replace(scenario, server=row.server + scenario.server)
    target = lab.target(scenario.server, scenario.host, scenario.app, scenario.insecure)
    contrast = bare(lab, place, target)
    require(contrast.verdict == scenario.bare, f"bare: wanted {scenario.bare}: {contrast.said}")
    outcome = get(lab, row, place, way, target, scenario.policy_file(lab))
    expected = row.expected(way)
    if isinstance(expected, Closed):
        return check_closed(expected, outcome)
    if isinstance(expected, Outside):
        return require(outcome.verdict == scenario.bare and not outcome.log,
                       f"not as without trustgraft: {outcome.said}")
    complaint = scenario.complaint(way, scenario.under, outcome)
    return require(not complaint, complaint)


def check_closed(expected, outcome):
    require(outcome.verdict != ACCEPT, f"a connection came about: {outcome.said}")
    require(re.search(expected.says, outcome.stderr), f"it doesn't say why: {outcome.said}")


def check_unmatched(lab, row, place, way):
    """A host without a rule is the application's own affair, to the letter."""
    policy = lab.policy(ELSEWHERE)
    for server, verdict in zip(UNMATCHED, (ACCEPT, REFUSE)):
        target = lab.target(row.server + server, app="root")
        contrast, outcome = bare(lab, place, target), get(lab, row, place, way, target, policy)
        require(contrast.verdict == verdict, f"bare: wanted {verdict}: {contrast.said}")
        if isinstance(row.expected(way), Closed):
            check_closed(row.expected(way), outcome)
            continue
        for one, other in zip(*(steady((said.status, said.stdout,
                                        re.sub(row.remark, "", said.stderr)))
                                for said in (contrast, outcome))):
            require(one == other, f"{server}: {difference(one, other)}")


def check_refusal_to_run(lab, row, place, way):
    """`trustgraft run` says why, before anything is run."""
    expected = row.expected(way)
    if not row.runs or not expected.run:
        return
    command = ways.by_command(place.build or lab.build, way, [place.program.executable, "--version"],
                              lab.policy(ELSEWHERE))
    status, _, err = place.run(lab, command)
    require(status == 126 and re.search(expected.run, err),
            f"`trustgraft run` doesn't refuse with the reason: exit {status}: {err}")


def check_broken(lab, row, place, way):
    """Where the engine can't be loaded there is no TLS, for a good server neither."""
    environment = ways.by_environment(lab.broken[place.build], way, lab.policy(ELSEWHERE))
    command = place.program.command(lab.target(row.server + "api", app="root"))
    outcome = lab.judge(place.program, *place.run(lab, command, environment))
    if row.cell(way, BROKEN) == Outside.cell:
        return require(outcome.verdict == ACCEPT, f"not as without trustgraft: {outcome.said}")
    closed = outcome.status == -signal.SIGSEGV if row.heedless else outcome.status > 0
    return require(outcome.verdict == "error" and closed, f"not closed: {outcome.said}")


def check(lab, row, place, way, column):
    """What is wrong in that cell of the table, or None."""
    try:
        if column in CASES:
            check_scenario(lab, row, place, way, column)
        elif column in nodes.CHECKS:
            nodes.check(lab, row, place, way, column)
        elif column == BROKEN:
            check_broken(lab, row, place, way)
        else:
            check_unmatched(lab, row, place, way)
            check_refusal_to_run(lab, row, place, way)
    except Failure as what:
        return str(what)
    return None
