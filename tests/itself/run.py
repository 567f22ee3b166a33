#!/usr/bin/python3
"""run.py - check.py itself: what it makes of suites that pass, fail, skip, hang or say nothing."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

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


def begin(name, command, build):
    return subprocess.Popen([sys.executable, "-B", "-c", CHECK, str(TESTS), name, command, "--build", build,
                             "--pki", str(TESTS), name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def call(name, command, build):
    """(status, stdout, stderr) of it."""
    with begin(name, command, build) as checking:
        out, err = checking.communicate(timeout=120)
    return checking.returncode, out, err


def wrong_place():
    """The same where it is a path that ld.so would take for two."""
    for build in ("/tmp/a folder", "/tmp/a:folder"):
        status, out, err = call("some", OK, build)
        if status != 1 or out or f"LD_PRELOAD can hold, for {build} has" not in err:
            return f"{build}: status {status}: {out}{err}"
    return ""


def wrong_end():
    """A suite that is left running by a check.py that is killed, or ended with SIGTERM, or ''."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with tempfile.TemporaryDirectory() as build:
            told = pathlib.Path(build) / "told"
            os.mkfifo(told)
            checking = begin("some", f"echo $$ >{told}; exec tail -f /dev/null", build)
            suite = int(told.read_text())
            checking.send_signal(number)
            checking.communicate(timeout=120)
            end = time.monotonic() + 60
            while os.path.exists(f"/proc/{suite}") and time.monotonic() < end:
                time.sleep(0.01)
            if os.path.exists(f"/proc/{suite}"):
                os.kill(suite, signal.SIGKILL)
                return f"after {number.name}"
    return ""


def wrong(name, command, last, said):
    """What check.py doesn't do as it should, or ''."""
    with tempfile.TemporaryDirectory() as build:
        status, out, err = call(name, command, build)
    right = (out.splitlines()[-1:] == [last] and said in out and
             status == (0 if ", 0 failed" in last else 1))
    return "" if right else f"status {status}: {out}{err}"


def main():
    failed = 0
    problems = [*((title, wrong(*case)) for title, *case in CASES), ("a path with a space", wrong_place()),
                ("broken off", wrong_end())]
    for title, problem in problems:
        failed += bool(problem)
        print(f"{'FAILED' if problem else 'ok':7} {title}{': ' if problem else ''}{problem}")
    print(f"{len(problems) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
