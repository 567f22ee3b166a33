#!/usr/bin/python3
"""run.py --build DIR --pki DIR [--quick] [--write] [PROGRAM...] - real programs, both ways in.

Prints a table of what each program does under the policy; each word in it is one or two tests.
PROGRAM may be starttls, for `explain --starttls` with real servers, or browser, for `scan --html`.
--quick: only programs that `make check` installs. --write: makes the manual page anew, if all
programs were run and did what is said of them.
"""
import argparse
import concurrent.futures
import functools
import os
import pathlib
import re
import subprocess
import sys
import traceback

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "tests"))
from lab import ways                                                       # noqa: E402
from lab.lab import Lab                                                    # noqa: E402
from programs import browser, clients, daemons, gnutls_clients, nss_clients, starttls, table  # noqa: E402
from programs.cases import CASES, NONE, Trial                              # noqa: E402

GROUPS = (clients, gnutls_clients, nss_clients, daemons)    # modules with PROGRAMS, and some with UNREACHED
PROGRAMS = tuple(one for group in GROUPS for one in group.PROGRAMS)
UNREACHED = tuple(one for group in GROUPS for one in getattr(group, "UNREACHED", ()))
WORKERS = 2
COMMAND = {"starttls", "browser"}      # what is tried of the command itself


def version(lab, program):
    status, out, err = lab.run(list(program.version))
    hit = re.search(r"\d+\.[\w.]*\w|\d{6,}", out + err) if status is not None else None
    return hit[0] if hit else "?"


def attempt(trial, program, case, way):
    """(state, what is wrong, or '')."""
    try:
        return trial.cell(program, case, way)
    except Exception:  # a broken test is a failed one, and the others go on
        return "?", traceback.format_exc()


class Report:
    """What is printed, and the sum of it."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def note(self, wrong, about):
        self.passed, self.failed = self.passed + (not wrong), self.failed + bool(wrong)
        if wrong:
            print(f"FAILED  {about}\n        " + wrong.replace("\n", "\n        "), flush=True)

    def skip(self, what, why):
        self.skipped += 1
        print(f"skipped {what}: {why}", flush=True)


def attempt_message(trial, program, way):
    try:
        return trial.message(program, way)
    except Exception:
        return traceback.format_exc()


def run_program(trial, program):
    """({(case, way): (state, what is wrong)}, {way: what is wrong with its message}, version)."""
    found = {(case, way): attempt(trial, program, case, way)
             for case in CASES for way in ways.WAYS}
    said = {way: attempt_message(trial, program, way) for way in ways.WAYS}
    return found, said, version(trial.lab, program)


def show(report, program, found, said, seen):
    words = [table.cell({way: found[case, way][0] for way in ways.WAYS}) for case in CASES]
    print(table.line(f"{program.name} {seen}", words), flush=True)
    for (case, way), (state, wrong) in found.items():
        if state != NONE:
            report.note(wrong, f"{program.name}, {case.head}, {way}")
    for way, wrong in said.items():
        report.note(wrong, f"{program.name}, message, {way}")


def run_unreached(lab, one):
    """What `doctor` and `run` don't say about ONE, or ''."""
    command, policy = str(lab.build.command), str(lab.policy("[host localhost]\naction = reject"))
    status, out, err = lab.run([command, "doctor", "-p", policy, one.executable])
    if status != 1 or not re.search(one.words, out + err):
        return f"doctor: exit {status}, wanted 1 and {one.words!r}: {out}{err}"
    for way in ways.WAYS:
        status, _, err = lab.run([command, "run", f"--{way}", "-p", policy, one.executable,
                                  "--version"])
        if status != 126 or not re.search(one.words, err):
            return f"run --{way}: exit {status}, wanted 126 and {one.words!r}: {err}"
    return ""


def run_all(trial, programs, unreached, report):
    print(table.head())
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = [(program, pool.submit(run_program, trial, program))
                   for program in programs if not program.missing()]
        for program, result in results:
            show(report, program, *result.result())
    for one in (*programs, *unreached):
        if one.missing():
            report.skip(one.name, f"this machine lacks {one.missing()}")
    for one in unreached:
        if not one.missing():
            wrong = run_unreached(trial.lab, one)
            print(f"{one.name}: not reached: {one.library}", flush=True)
            report.note(wrong, one.name)


def run_command(trial, report, asked):
    """Not programs of the table: what the command itself does with real servers and a browser."""
    parts = [(f"--starttls {one}", starttls.missing(one), functools.partial(starttls.wrong, trial, one))
             for one in starttls.REAL if not asked or "starttls" in asked]
    if not asked or "browser" in asked:
        parts.append(("scan --html", browser.missing(), functools.partial(browser.wrong, trial)))
    for name, missing, look in parts:
        if missing:
            report.skip(name, f"this machine lacks {missing}")
            continue
        try:
            wrong = look()
        except Exception:
            wrong = traceback.format_exc()
        print(f"{name}: {'no' if wrong else 'yes'}", flush=True)
        report.note(wrong, name)


def check_page(report, write):
    """The page in the tree is the one that the programs' descriptions make."""
    path, fresh = SOURCE / table.PAGE, table.page(PROGRAMS, UNREACHED)
    if write and not report.failed and not report.skipped:
        path.write_text(fresh, "utf-8")
    stale = not path.exists() or path.read_text("utf-8") != fresh
    lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path], capture_output=True, text=True,
                          check=False).stdout if ways.shutil.which("mandoc") else ""
    report.note(lint or (f"{table.PAGE} isn't what the tests say; run: make programs WRITE=1"
                         if stale else ""), table.PAGE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("program", nargs="*")
    asked = parser.parse_args()
    chosen = [[one for one in group if (not asked.quick or getattr(one, "quick", False)) and
               (not asked.program or one.name in asked.program)] for group in (PROGRAMS, UNREACHED)]
    lacking = ways.Build(asked.build).missing()
    if lacking or not (any(chosen) or set(asked.program) & COMMAND):
        print(f"programs: missing: {', '.join(lacking) or 'a program of that name'}",
              file=sys.stderr)
        return 2
    fetched = pathlib.Path(asked.build).resolve() / "programs"
    os.environ["PATH"] = f"{fetched}:{os.environ['PATH']}:/usr/sbin"
    report = Report()
    with Lab(asked.build, asked.pki) as lab:
        trial = Trial(lab)
        # First, in this thread: a server ends with the thread that began it.
        if not asked.quick and (not asked.program or set(asked.program) & COMMAND):
            run_command(trial, report, asked.program)
        if any(chosen):
            run_all(trial, *chosen, report)
    check_page(report, asked.write and not asked.quick and not asked.program)
    skipped = f", {report.skipped} skipped" if report.skipped else ""
    print(f"{report.passed} passed, {report.failed} failed{skipped}")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
