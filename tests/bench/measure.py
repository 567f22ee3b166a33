"""measure.py - what a process costs: time, CPU and instructions, of several that take turns."""
import concurrent.futures
import functools
import os
import random
import re
import shutil
import subprocess
import time
from collections import namedtuple

CALLGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
COLLECTED = re.compile(r"Collected : (\d+)")
TELLING = 300  # characters of what a failed program said last

# env: what makes the case; argv: what is run; stdin: the file that it reads; files: its descriptors.
Run = namedtuple("Run", "name argv env stdin", defaults=["/dev/null"])


class Failed(Exception):
    """A program failed, or something is not as it has to be for a figure to mean anything."""


class Missing(Exception):
    """This machine, or what is built, has not what the figure takes."""


def median_of(values):
    """The median and the 95 % interval of it, from the order of the values alone."""
    ordered = sorted(values)
    count = len(ordered)
    margin = int(0.98 * count**0.5 + 1)
    low = ordered[max(0, count // 2 - margin)]
    high = ordered[min(count - 1, count // 2 + margin)]
    return ordered[count // 2], low, high


def take_turns(measures, rounds):
    """{name: measure()} -> {name: [a value a round]}; another order in each round."""
    values = {name: [] for name in measures}
    for _ in range(rounds):
        for name in random.sample(list(measures), len(measures)):
            values[name].append(measures[name]())
    return values


def complain(run, status):
    """Raises Failed with what RUN says when it is run once more."""
    with open(run.stdin, encoding="utf-8") as stdin:
        said = subprocess.run(run.argv, env=run.env, stdin=stdin, text=True, errors="replace",
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False).stderr
    raise Failed(f"{run.name}: {run.argv[0]} ended with status {status}: {said.strip()[-TELLING:]}")


def run_once(run):
    """Microseconds of CPU (user and system) and of time that one process takes."""
    files = [(os.POSIX_SPAWN_OPEN, 0, run.stdin, os.O_RDONLY, 0)]
    files += [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawn(run.argv[0], run.argv, run.env, file_actions=files)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        complain(run, os.waitstatus_to_exitcode(status))
    return (usage.ru_utime + usage.ru_stime) * 1e6, wall * 1e6


def cheapest_run(run, times):
    costs = [run_once(run) for _ in range(times)]
    return min(cpu for cpu, _ in costs), min(wall for _, wall in costs)


@functools.cache
def no_callgrind():
    """Why instructions can't be counted here, or ''."""
    if not shutil.which("valgrind"):
        return "there is no valgrind"
    done = subprocess.run([*CALLGRIND, "/bin/true"], stdout=subprocess.DEVNULL, check=False,
                          stderr=subprocess.PIPE, text=True, errors="replace")
    return "" if COLLECTED.search(done.stderr) else f"valgrind fails here: {done.stderr.strip()[-TELLING:]}"


def instructions(run, *options):
    """How many instructions RUN takes in user mode, as callgrind counts them over its process."""
    with open(run.stdin, encoding="utf-8") as stdin:
        done = subprocess.run([*CALLGRIND, *options, *run.argv], env=run.env, stdin=stdin, text=True,
                              errors="replace", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              check=False)
    counted = COLLECTED.search(done.stderr)
    if done.returncode or not counted:
        raise Failed(f"{run.name}: {run.argv[0]} under callgrind ended with status "
                     f"{done.returncode}: {done.stderr.strip()[-TELLING:]}")
    return int(counted[1])


def counted(count, runs):
    """[COUNT(run)] in the order of RUNS, two at a time: a crowd changes no instruction.
    Raises Missing where this machine can't count."""
    if no_callgrind():
        raise Missing(no_callgrind())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(count, runs))
