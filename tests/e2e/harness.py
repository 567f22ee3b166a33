"""harness.py - tests as named functions of a lab, run a few at a time, a line for each."""
import argparse
import concurrent.futures
import os
import signal
import sys
import traceback

from lab.lab import Lab

WORKERS = 3
os.umask(0o022)  # whatever the user's: no policy counts that others may write


class Skip(Exception):
    """The machine lacks something that this test needs; the text says what."""


class Failure(AssertionError):
    """What was wrong, in a sentence."""


def open_terminal(make):
    """What MAKE, pty.openpty or pty.fork, gives; there needn't be a /dev/pts."""
    try:
        return make()
    except OSError as error:
        raise Skip(f"no pseudo-terminal here: {error}") from error


def require(condition, text):
    """Fails the test with TEXT unless CONDITION holds."""
    if not condition:
        raise Failure(text)


def attempt(test, lab):
    """('ok', ''), ('skipped', why) or ('FAILED', what)."""
    try:
        test(lab)
    except Skip as reason:
        return "skipped", " ".join(str(reason).split())
    except Failure as what:
        return "FAILED", str(what)
    except Exception:  # a broken test is a failed one, and the others go on
        return "FAILED", traceback.format_exc()
    return "ok", ""


def run(lab, tests):
    """
    Runs (name, function) pairs, prints a line each and the sum; True if none failed. SIGINT is
    heeded, by what the tests start too, also in a shell's background job, where it is ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    counts = {"ok": 0, "skipped": 0, "FAILED": 0}
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        try:
            results = pool.map(lambda test: attempt(test[1], lab), tests)
            for (name, _), (verdict, text) in zip(tests, results):
                counts[verdict] += 1
                tail = f": {text}" if verdict == "skipped" else ""
                print(f"{verdict:<8}{name}{tail}", flush=True)
                if verdict == "FAILED":
                    print("        " + text.strip().replace("\n", "\n        "), flush=True)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['ok']} passed, {counts['FAILED']} failed{skipped}")
    sys.stdout.flush()
    return counts["FAILED"] == 0


def suite(description, tests, start=lambda lab: None):
    """
    All that a run.py does with (name, function) pairs: those whose name has the FILTER in it, in
    a lab of their own, which START fits out. Returns the exit status.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    chosen = [test for test in tests if asked.filter in test[0]]
    if not chosen:
        print(f"{parser.prog}: no test of that name", file=sys.stderr)
        return 2
    try:
        with Lab(asked.build, asked.pki) as lab:
            start(lab)
            return 0 if run(lab, chosen) else 1
    except KeyboardInterrupt:
        return 130
