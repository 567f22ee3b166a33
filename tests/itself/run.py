#!/usr/bin/python3
"""run.py - check.py itself: what it makes of suites that pass, fail, skip, hang or say nothing."""
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parent.parent
# check.py with one suite, whose name and shell command are given.
CHECK = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import check
suite = (sys.argv.pop(1), ["sh", "-c", sys.argv.pop(1)])
check.suites = lambda build, pki: [suite]
check.TIMEOUT = 1 if "sleep" in suite[1][2] else 60
check.main()
"""
OK = "echo '3 passed, 0 failed'"
CMOCKA = "printf '[  SKIPPED ] %s\\n[  PASSED  ] 2 test(s).\\n[  SKIPPED ] 1 test(s), listed below:\\n'"

# What it is about; the suite's name and command; the last line, and what else is said.
CASES = (
    ("all passed", "some", OK, "3 passed, 0 failed", ""),
    ("one failed", "some", "echo 'FAILED this'; echo '2 passed, 1 failed'; exit 1",
     "2 passed, 1 failed", "| FAILED this"),
    ("a status without a failure", "some", f"{OK}; exit 1", "3 passed, 1 failed", "ended with status 1"),
    ("no summary", "some", "echo fine", "0 passed, 1 failed", "without a summary"),
    ("no test", "some", "echo '0 passed, 0 failed'", "0 passed, 1 failed", "ran no test"),
    ("no such program", "some", "exec /nowhere", "0 passed, 1 failed", "status 127"),
    ("one that hangs", "some", "sleep 600", "0 passed, 1 failed", "killed after 1 seconds"),
    ("an expected skip", "cli", "echo 'skipped completing: fish: there is no fish'; "
     "echo '1 passed, 0 failed, 1 skipped'", "1 passed, 0 failed, 1 skipped",
     "skipped    1  shells whose completion is tried; needs: apt-get install fish"),
    ("many of a kind", "compat", "echo 'skipped 16 of Node.js: no such; `make compat` fetches it'; "
     "echo '1 passed, 0 failed, 16 skipped'", "1 passed, 0 failed, 16 skipped", "needs: make compat"),
    ("a skip of another suite", "e2e", "echo 'skipped completing: fish: there is no fish'; "
     "echo '1 passed, 0 failed, 1 skipped'", "1 passed, 1 failed, 1 skipped", "not in skips.tsv: completing"),
    ("an unexpected skip", "cli", "echo 'skipped that: no wish to'; echo '1 passed, 0 failed, 1 skipped'",
     "1 passed, 1 failed, 1 skipped", "not in skips.tsv: that: no wish to"),
    ("a skip that isn't named", "cli", "echo '1 passed, 0 failed, 1 skipped'",
     "1 passed, 1 failed, 1 skipped", "1 skipped, but 0 by name"),
    ("cmocka, an expected skip", "asan/unit/test_memory", f"{CMOCKA} a_good_server",
     "2 passed, 0 failed, 1 skipped", "AddressSanitizer"),
    ("cmocka, an unexpected skip", "unit/test_memory", f"{CMOCKA} a_good_server",
     "2 passed, 1 failed, 1 skipped", "not in skips.tsv: a_good_server"),
)


def call(name, command, build):
    return subprocess.run([sys.executable, "-B", "-c", CHECK, str(TESTS), name, command, "--build",
                           build, "--pki", str(TESTS), name], capture_output=True, text=True,
                          check=False, timeout=120)


def wrong_place():
    """The same where it is a path that ld.so would take for two."""
    for build in ("/tmp/a folder", "/tmp/a:folder"):
        done = call("some", OK, build)
        if done.returncode != 1 or done.stdout or f"LD_PRELOAD can hold, for {build} has" not in done.stderr:
            return f"{build}: status {done.returncode}: {done.stdout}{done.stderr}"
    return ""


def wrong(name, command, last, said):
    """What check.py doesn't do as it should, or ''."""
    with tempfile.TemporaryDirectory() as build:
        done = call(name, command, build)
    lines = done.stdout.splitlines()
    right = (lines[-1:] == [last] and said in done.stdout and
             done.returncode == (0 if ", 0 failed" in last else 1))
    return "" if right else f"status {done.returncode}: {done.stdout}{done.stderr}"


def main():
    failed = 0
    problems = [*((title, wrong(*case)) for title, *case in CASES), ("a path with a space", wrong_place())]
    for title, problem in problems:
        failed += bool(problem)
        print(f"{'FAILED' if problem else 'ok':7} {title}{': ' if problem else ''}{problem}")
    print(f"{len(problems) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
