"""many.py - policies of many rules and files of many known hosts: the first verdict, and memory."""
import os
import re
import shutil
import subprocess
from collections import namedtuple
from contextlib import contextmanager

from goals import target
from handshakes import Handshakes
from measure import Failed, Missing, Run, cheapest_run, take_turns
from programs import bench_instructions
from setting import Case, RULE

PART = 500_000   # rules in one file, which stays below its limit
BLOCK = 10_000   # lines written at a time
PROCESSES = 10
HELD = re.compile(r"^(Pss|Private_Clean|Private_Dirty): +(\d+) kB$", re.M)
HOSTS = """[host *.bench.test]
anchors = {pki}/root.pem
known-hosts = {folder}/known
"""

# How many rules or known hosts, whether compiled, and whether a process takes so long with them
# that a few rounds have to do, and it stays out of a quick look.
Many = namedtuple("Many", "name kind count compiled slow")

RULES = [Many("1 rule, text", "rules", 1, False, False),
         Many("1 rule, compiled", "rules", 1, True, False),
         Many("1,000 rules, text", "rules", 1000, False, False),
         Many("1,000 rules, compiled", "rules", 1000, True, False),
         Many("100,000 rules, text", "rules", 100_000, False, True),
         Many("100,000 rules, compiled", "rules", 100_000, True, False),
         Many("1,000,000 rules, text", "rules", 1_000_000, False, True),
         Many("1,000,000 rules, compiled", "rules", 1_000_000, True, False)]
HUGE = Many("10,000,000 rules, compiled", "rules", 10_000_000, True, False)
FULL = [HUGE, RULES[5]]  # not in a quick look either
KNOWN = [Many("1 known host, text", "known-hosts", 1, False, False),
         Many("1,000,000 known hosts, text", "known-hosts", 1_000_000, False, True),
         Many("1,000,000 known hosts, compiled", "known-hosts", 1_000_000, True, False)]
DISK = {10_000_000: 6 << 30, 1_000_000: 1 << 30}  # bytes that text and image need at most


def pin(number):
    return f"sha256/{number:042d}0="  # 32 bytes in base64, others for each number


def rule(number):
    return f"[host h{number}.example]\nleaf-pin = {pin(number)}\n"


def known(number):
    return f"h{number}.example {pin(number)}\n"


def write_lines(path, head, line, numbers):
    """HEAD, and LINE of each of NUMBERS, of which only a block is ever in memory."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(head)
        for first in range(numbers.start, numbers.stop, BLOCK):
            file.write("".join(map(line, range(first, min(first + BLOCK, numbers.stop)))))


def write_rules(place, folder, count):
    """A policy with the rule for *.bench.test and COUNT - 1 more for other hosts."""
    os.mkdir(f"{folder}/rules")  # an image mustn't stand where a pattern includes from
    head = RULE.format(pki=place.pki, leaf_pin=place.pin("leaf"), no_pin=pin(0))
    with open(f"{folder}/policy.conf", "w", encoding="utf-8") as file:
        file.write(f"[policy]\ninclude = {folder}/rules/*.conf\n{head}")
    for part, first in enumerate(range(1, count, PART)):
        write_lines(f"{folder}/rules/{part:03}.conf", "", rule,
                    range(first, min(first + PART, count)))


def write_known(place, folder, count):
    """A policy whose file of known hosts has h0.bench.test and COUNT - 1 others."""
    with open(f"{folder}/policy.conf", "w", encoding="utf-8") as file:
        file.write(HOSTS.format(pki=place.pki, folder=folder))
    write_lines(f"{folder}/known", f"h0.bench.test {place.pin('leaf')}\n", known, range(1, count))


WRITE = {"rules": write_rules, "known-hosts": write_known}


def can_compile(place):
    return not subprocess.run([place.command, "compile", "--help"], env=place.bare(),
                              capture_output=True, check=False).returncode


def over_limit(said):
    """Raises Missing where trustgraft SAID that a policy is larger than it reads."""
    limit = re.search(r"[^:\n]*: ?(?:too large|more than|at most|larger)[^\n]*", said)
    if limit:
        raise Missing(f"refused: {limit[0].strip()}")


def compile_policy(place, path):
    done = subprocess.run([place.command, "compile", "-p", path], env=place.bare(), text=True,
                          capture_output=True, check=False)
    if done.returncode:
        over_limit(done.stderr)
        raise Failed(f"trustgraft compile -p {path}: {done.stderr[-300:]}")


def prepare(place, many, quick):
    """The environment of MANY, whose files are made. Raises Missing where it can't be, and why."""
    folder = f"{place.scratch}/{many.kind}-{many.count}{'-compiled' if many.compiled else ''}"
    env = place.bare(LD_PRELOAD=place.library, TRUSTGRAFT_POLICY=f"{folder}/policy.conf")
    if quick and (many.slow or many in FULL):
        raise Missing("too long for --quick")
    if many in place.lacking:
        raise Missing(place.lacking[many])
    if not os.path.isdir(folder):
        try:
            make(place, many, folder, env)
        except Missing as why:
            place.lacking[many] = str(why)
            raise
    return env


def make(place, many, folder, env):
    """Makes the files of MANY in FOLDER, whole and of effect, or nothing."""
    if many.compiled and not can_compile(place):
        raise Missing("not built: there is no `trustgraft compile`")
    if shutil.disk_usage(place.scratch).free < DISK.get(many.count, 0):
        raise Missing(f"{place.scratch} has less than {DISK[many.count] >> 30} GiB free")
    os.mkdir(folder)
    try:
        WRITE[many.kind](place, folder, many.count)
        if many.compiled:
            compile_policy(place, f"{folder}/policy.conf")
        must_hold(place, many, env)
    except (Missing, Failed):
        shutil.rmtree(folder)
        raise


def must_hold(place, many, env):
    """The server is accepted, from the image if there is one; of many rules the last one is found."""
    done = subprocess.run([place.handshake, place.pki], env=env, input="1\n", text=True,
                          capture_output=True, check=False)
    if done.returncode:
        over_limit(done.stderr)
    if done.returncode or "isn't used" in done.stderr:
        raise Failed(f"{many.name}: {done.stderr[-300:]}")
    if many.compiled and not os.path.exists(f"{env['TRUSTGRAFT_POLICY']}.compiled"):
        raise Failed(f"{many.name}: there is no image of {env['TRUSTGRAFT_POLICY']}")
    if many.kind == "rules" and many.count > 1:
        last = f"h{many.count - 1}.example"
        done = subprocess.run([place.command, "explain", "-p", env["TRUSTGRAFT_POLICY"], last],
                              env=place.bare(), text=True, capture_output=True, check=False)
        if f"[host {last}]" not in done.stdout:
            raise Failed(f"{many.name}: explain {last} says {done.stdout}{done.stderr}")


def bench_many(report, place, quick, bench, several):
    """Start and first verdict of a process under each of SEVERAL, against the first of them."""
    runs = {}
    for many in several:
        try:
            runs[many] = Run(many.name, [place.handshake, place.pki], prepare(place, many, quick), place.asking(1))
        except Missing as why:
            report.lacks(bench, [many.name], ["cpu", "wall", "insn"], str(why))
    bare = Run("bare", [place.handshake, place.pki], place.bare(), place.asking(1))
    one = runs[several[0]]
    swift = [one, one._replace(name=f"{one.name}, again"), bare,
             *(run for many, run in runs.items() if not many.slow and run is not one)]
    slow = [one, *(run for many, run in runs.items() if many.slow)]
    add_turns(report, bench, swift, 5, 15 if quick else 60)
    if len(slow) > 1:
        add_turns(report, bench, slow, 1, 7, known=1)
    bench_instructions(report, bench, swift + slow[1:])


def add_turns(report, bench, runs, times, rounds, known=0):
    """RUNS against the first; the first KNOWN of them have their rows already."""
    values = take_turns({run.name: lambda run=run: cheapest_run(run, times) for run in runs}, rounds)
    for run in runs[known:]:
        for index, metric in enumerate(("cpu", "wall")):
            report.add(bench, run.name, metric, [v[index] for v in values[run.name]],
                       [b[index] for b in values[runs[0].name]], "us",
                       target(bench, run.name, metric))


def bench_rules(report, place, quick):
    report.title("Start of a process and its first verdict, under a policy of many rules, to one rule")
    bench_many(report, place, quick, "rules", [*RULES, HUGE])


def bench_known_hosts(report, place, quick):
    report.title("Start of a process and its first verdict, with many known hosts, to one")
    bench_many(report, place, quick, "known-hosts", KNOWN)


@contextmanager
def crowd(place, name, env):
    """The ids of processes that each hold what their first handshake left."""
    running = [Handshakes(place, Case(name, env)) for _ in range(PROCESSES)]
    try:
        for process in running:
            process.make(1)
        yield [process.process.pid for process in running]
    finally:
        for process in running:
            process.close()


def held(pid):
    """(PSS, private memory) of a process, in kB."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            found = {name: int(size) for name, size in HELD.findall(file.read())}
    except OSError as why:
        raise Missing(f"/proc/PID/smaps_rollup can't be read: {why.strerror}") from why
    return found["Pss"], found["Private_Clean"] + found["Private_Dirty"]


def middle(numbers):
    return sorted(numbers)[len(numbers) // 2]


def bench_shared(report, place, quick):
    report.title(f"Memory of each of {PROCESSES} processes after a handshake, shared or its own")
    private_of_one = {}
    for many in [None, *RULES, HUGE, *KNOWN]:
        name = many.name if many else "bare"
        try:
            with crowd(place, name, prepare(place, many, quick) if many else place.bare()) as pids:
                pss, private = map(middle, zip(*map(held, pids)))
        except Missing as why:
            report.lacks("shared", [name], ["memory"], str(why))
            continue
        own = (private - private_of_one.setdefault(many and many.kind, private)) / 1024
        print(f"  {name:40} PSS {pss:8} kB, private {private:8} kB"
              f"{f', {own:+.2f} MiB to one' if many else ''}", flush=True)
        report.write(bench="shared", case=name, metric="memory", processes=PROCESSES, pss_kb=pss,
                     private_kb=private, own_mib=round(own, 3))
