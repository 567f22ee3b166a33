#!/usr/bin/python3
"""check.py --build DIR --pki DIR [SUITE...] - runs all test suites and adds up what they say.

A suite is a program that ends its output with `N passed, N failed[, N skipped]`, or a cmocka
program. One that fails without saying so, says nothing, or hangs counts as one failure. What
each printed is in DIR/log/SUITE.log. SUITE picks some by their beginnings (unit, asan/unit).
A test that was skipped without a row in skips.tsv is one that failed; the others are summed up.
The last line is the sum of all; the exit status is 0 only if nothing failed.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from lab.files import kept
from lab.lab import stop_on_signals
from lab.servers import die_with_parent
from lab.ways import unfit
from skips import Skips

PYTHON = "/usr/bin/python3"
TIMEOUT = 1800  # seconds for one suite
SUMMARY = re.compile(r"^(?:\S+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\.?$", re.M)
CMOCKA = re.compile(r"\[  (PASSED|FAILED|SKIPPED) +\] (?:[^\n]*: )?(\d+) test\(s\)")
BAD = re.compile(r"FAILED|ERROR|runtime error|Traceback")
SHOWN = 30  # lines of a failed suite's output
STARTED = set()  # processes of suites

# Name and command of each suite besides the unit tests; the slow ones come first.
SUITES = [
    ("e2e", [PYTHON, "tests/e2e/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("asan/verdicts", [PYTHON, "tests/verdicts/run.py", "--build", "{build}/asan", "--pki", "{pki}"]),
    ("verdicts", [PYTHON, "tests/verdicts/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("compiled/verdicts", [PYTHON, "tests/verdicts/run.py", "--compiled", "--build", "{build}", "--pki", "{pki}"]),
    ("golden", [PYTHON, "tests/golden/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("programs", [PYTHON, "tests/programs/run.py", "--quick", "--build", "{build}", "--pki",
                  "{pki}"]),
    ("same", [PYTHON, "tests/same/run.py", "--build", "{build}"]),
    ("corpora", [PYTHON, "tests/corpora/run.py", "--build", "{build}"]),
    ("surround", [PYTHON, "tests/surround/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("compat", [PYTHON, "tests/compat/run.py", "--build", "{build}", "--pki", "{pki}", "--quick"]),
    ("costs", [PYTHON, "tests/costs/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("stress", [PYTHON, "tests/stress/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("inject", ["tests/inject/run.sh", "{build}", "{pki}"]),
    ("gnutls", [PYTHON, "tests/gnutls/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("nss", [PYTHON, "tests/nss/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("foreign", [PYTHON, "tests/foreign/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("cli", [PYTHON, "tests/cli/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("package", [PYTHON, "tests/package/run.py", "--build", "{build}", "--pki", "{pki}"]),
    ("readme", [PYTHON, "tests/readme/run.py", "--build", "{build}"]),
    ("itself", [PYTHON, "tests/itself/run.py"]),
    ("manual", [PYTHON, "tests/manual/run.py", "--build", "{build}"]),
]


def shut(*folders):
    """Under a umask of 002 a checkout is made so that its group may write it, and no policy counts
    where others may: takes that right away from what tests read policies and certificates in."""
    os.umask(0o022)
    paths = [path for folder in folders for path in (folder, *glob.glob(f"{folder}/**", recursive=True))]
    for path in (".", *paths):
        mode = os.lstat(path).st_mode if not os.path.islink(path) else 0
        if mode & 0o022 and os.access(path, os.W_OK):
            os.chmod(path, mode & 0o7755)


def suites(build, pki):
    for name, command in SUITES:
        yield name, [word.format(build=build, pki=pki) for word in command]
    for source in sorted(glob.glob("tests/fuzz/fuzz_*.c")):
        name = os.path.basename(source)[len("fuzz_"):-len(".c")]
        yield f"asan/fuzz/{name}", [f"{build}/asan/tests/fuzz/fuzz_{name}", f"tests/fuzz/{name}"]
    for kind in ("unit", "asan/unit"):
        for source in sorted(glob.glob("tests/unit/test_*.c")):
            name = os.path.basename(source)[:-len(".c")]
            folder = kind.replace("unit", "tests/unit")
            yield f"{kind}/{name}", [f"{build}/{folder}/{name}"]


def count(output):
    """(passed, failed, skipped) as OUTPUT says, or None where it says nothing."""
    told = SUMMARY.findall(output)
    if told:
        return tuple(int(number or 0) for number in told[-1])
    sums = dict.fromkeys(("PASSED", "FAILED", "SKIPPED"), 0)
    told = CMOCKA.findall(output)
    for kind, number in told:
        sums[kind] += int(number)
    return tuple(sums.values()) if told else None


def judge(status, output):
    """The counts of a suite that ended with STATUS, and what else is to be said about it."""
    counts = count(output)
    if counts is None:
        return (0, 1, 0), f"ended with status {status} and without a summary"
    passed, failed, skipped = counts
    if status != 0 and failed == 0:
        return (passed, 1, skipped), f"ended with status {status} though no test failed"
    if passed + failed + skipped == 0:
        return (0, 1, 0), "ran no test"
    return counts, ""


def allow(skips, name, output, counts, remark):
    """The same, with each skip that may not be as a failure."""
    wrong = skips.unexpected(name, output, counts[2])
    passed, failed, skipped = counts
    return (passed, failed + len(wrong), skipped), "; ".join([remark, *wrong] if remark else wrong)


def run(name, command, build, env):
    log = f"{build}/log/{name}.log"
    os.makedirs(os.path.dirname(log), exist_ok=True)
    begun = time.monotonic()
    with open(log, "w+", encoding="utf-8", errors="replace") as file:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=subprocess.STDOUT, env=env,
                                       start_new_session=True, preexec_fn=die_with_parent)
            STARTED.add(process)
            status = process.wait(TIMEOUT)
        except OSError as error:
            file.write(f"{error}\n")
            status = 127
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            file.write(f"\nkilled after {TIMEOUT} seconds\n")
            status = process.wait()
        file.seek(0)
        output = file.read()
    return name, status, time.monotonic() - begun, log, output


def run_all(wanted, build, env):
    """What run() says of each, as it ends. None goes on where this is broken off."""
    stop_on_signals()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        try:
            running = [pool.submit(run, name, command, build, env) for name, command in wanted]
            for future in concurrent.futures.as_completed(running):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in STARTED:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGTERM)
            raise


def text(counts):
    passed, failed, skipped = counts
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def telling(output):
    """The lines of OUTPUT that speak of a failure, each with the next one; or its last lines."""
    lines = output.rstrip().splitlines()
    bad = {at + more for at, line in enumerate(lines) if BAD.search(line) for more in (0, 1)}
    chosen = [line for at, line in enumerate(lines) if at in bad]
    return chosen[:SHOWN] if chosen else lines[-SHOWN:]


def show(name, counts, remark, seconds, log, output):
    state = "FAILED" if counts[1] else "ok"
    print(f"  {state:7} {name:28} {text(counts):32} {seconds:6.1f} s", flush=True)
    if counts[1]:
        print(f"          {remark or 'see'}: {log}")
        for line in telling(output):
            print(f"          | {line}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("suite", nargs="*")
    options = parser.parse_args()
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    build, pki = os.path.abspath(options.build), str(kept(options.pki))
    lacking = unfit(build) + unfit(tempfile.gettempdir())
    if lacking:
        sys.exit(f"check.py: missing: {', '.join(lacking)}")
    os.chdir(source)
    os.umask(0o022)
    shut("tests", "examples", pki)
    env = {**os.environ, "TG_PKI": pki, "TG_SRC": source, "TG_BUILD": build,
           "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("LD_PRELOAD", "OPENSSL_CONF", "TRUSTGRAFT_POLICY", "XDG_CONFIG_HOME"):
        env.pop(name, None)
    wanted = [(name, command) for name, command in suites(build, pki)
              if not options.suite or name.startswith(tuple(options.suite))]
    total, skips = [0, 0, 0], Skips()
    for name, status, seconds, log, output in run_all(wanted, build, env):
        counts, remark = allow(skips, name, output, *judge(status, output))
        show(name, counts, remark, seconds, log, output)
        total = [sum(pair) for pair in zip(total, counts)]
    print("\n".join([*skips.lines(), text(total)]))
    sys.exit(1 if total[1] or not total[0] else 0)


if __name__ == "__main__":
    main()
