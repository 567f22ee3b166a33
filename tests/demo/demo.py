#!/usr/bin/python3
"""demo.py --build DIR --pki DIR - real programs against real servers, with and without a policy.

Each row is one program in one scenario: what was expected of it bare, under the preload library
and under the provider, and what happened. Exit 0 only if every cell is as expected.
"""
import argparse
import concurrent.futures
import os
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from demo.scenarios import SCENARIOS        # noqa: E402
from lab import clients, ways               # noqa: E402
from lab.lab import Lab                     # noqa: E402

WORKERS = 4
COLUMNS = (ways.BARE, *ways.WAYS)
HEAD = f"{'scenario':<45}{'program':<9}" \
       f"{'expected: bare, preload, provider':<38}{'happened: bare, preload, provider':<38}ok"


def colours():
    """(green, red, dim, end), empty where standard output is no terminal or NO_COLOR is set."""
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return "\033[32m", "\033[31m", "\033[2m", "\033[0m"
    return "", "", "", ""


def play(lab, scenario, program):
    """One row: the expected and actual words, and complaints."""
    expected, happened, complaints = [], [], []
    for way in COLUMNS:
        wanted, outcome = scenario.play(lab, program, way)
        expected.append(wanted)
        happened.append(outcome.verdict)
        complaints.append(scenario.complaint(way, wanted, outcome))
    return expected, happened, [text for text in complaints if text]


def cells(words):
    return "".join(f"{word:<12}" for word in words).ljust(38)


def show(scenario, program, row, first):
    """Prints one row; returns True if it is as expected."""
    green, red, dim, end = colours()
    expected, happened, complaints = row
    verdict = f"{red}WRONG{end}" if complaints else f"{green}ok{end}"
    print(f"{scenario.title if first else '':<45}{program:<9}"
          f"{dim}{cells(expected)}{end}{cells(happened)}{verdict}", flush=True)
    for text in complaints:
        print("    " + text.replace("\n", "\n    "))
    return not complaints


def perform(lab):
    """All rows, in order as they are ready; how many were as expected, and how many there were."""
    lab.servers.python(scenario.server for scenario in SCENARIOS)
    acts = [(scenario, program) for scenario in SCENARIOS for program in clients.PROGRAMS]
    right = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        try:
            rows = pool.map(lambda act: play(lab, *act), acts)
            for number, (act, row) in enumerate(zip(acts, rows)):
                right += show(*act, row, number % len(clients.PROGRAMS) == 0)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return right, len(acts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    asked = parser.parse_args()
    lacking = clients.missing() + ways.Build(asked.build).missing()
    if lacking:
        print(f"demo: missing: {', '.join(lacking)}", file=sys.stderr)
        return 2
    began = time.monotonic()
    print(HEAD, "-" * len(HEAD), sep="\n")
    with Lab(asked.build, asked.pki) as lab:
        right, total = perform(lab)
    print(f"\n{right} of {total} rows as expected, {time.monotonic() - began:.0f} s. "
          "The policies: tests/demo/scenarios.py.")
    return 0 if right == total else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
