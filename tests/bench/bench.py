#!/usr/bin/python3
"""What trustgraft costs, as ratios to the bare program: `make bench`.

    bench.py --build DIR [--quick] [--only start,handshake,descriptors,crl,log,curl,memory]

All cases of one comparison take turns in rounds. In each round a case is measured several
times and its cheapest run counts, because what disturbs a machine only ever adds; the round
gives one ratio to the first case, and the median of these is printed with the 95 % interval
of the median. "bare again" is the bare case measured a second time: how far it is from 1 is
what this machine can't resolve. The CRL and the log are compared with the same rule without
them. Prints a table, and one JSON object a line to DIR/bench.json.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import setting
from setting import Case

TARGETS = {"start": 1.15, "inert": 1.01, "rule": 1.03, "setting": 1.05, "descriptors": 1.02}
DESCRIPTORS = 4000
MEETINGS = [("a server met before", "again", []),
            ("a certificate never seen before, each time", "fresh", ["fresh"])]


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


class Report:
    """The table on stdout and the JSON lines beside it."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def title(self, text):
        print(f"\n{text}", flush=True)

    def add(self, bench, case, metric, values, base, unit, target=None):
        ratio, low, high = median_of([v / b for v, b in zip(values, base)])
        value = median_of(values)[0]
        wanted = f"target {target:.2f}" if target else ""
        print(f"  {case:40} {metric:5} {ratio:7.3f}  ({low:.3f} to {high:.3f})"
              f"  {value:10.1f} {unit}  {wanted}".rstrip(), flush=True)
        self.write(bench=bench, case=case, metric=metric, ratio=round(ratio, 4),
                   low=round(low, 4), high=round(high, 4), value=round(value, 1), unit=unit,
                   target=target)

    def write(self, **fields):
        print(json.dumps(fields), file=self.file, flush=True)


def run_once(argv, env):
    """Microseconds of CPU (user and system) and of time that one process takes."""
    quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"bench: {' '.join(argv)} failed with status {status}")
    return (usage.ru_utime + usage.ru_stime) * 1e6, wall * 1e6


def cheapest_run(case, argv, runs):
    costs = [run_once(argv, case.env) for _ in range(runs)]
    return min(cpu for cpu, _ in costs), min(wall for _, wall in costs)


def instructions(case, argv):
    """How many instructions one run takes in user mode, or None where perf can't tell."""
    if not shutil.which("perf"):
        return None
    done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", "--", *argv],
                          env=case.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, check=False)
    counts = [line.split(",")[0] for line in done.stderr.splitlines() if "instructions" in line]
    return int(counts[0]) if counts and counts[0].isdigit() else None


def bench_processes(report, bench, cases, runs, rounds):
    """cases: [(Case, argv, target)]; the first is what the others are compared with."""
    measures = {case.name: lambda case=case, argv=argv: cheapest_run(case, argv, runs)
                for case, argv, _ in cases}
    values = take_turns(measures, rounds)
    base = values[cases[0][0].name]
    for case, _, target in cases:
        for index, metric in enumerate(("cpu", "wall")):
            report.add(bench, case.name, metric, [v[index] for v in values[case.name]],
                       [b[index] for b in base], "us", target if metric == "cpu" else None)
    counts = [instructions(case, argv) for case, argv, _ in cases]
    if None not in counts:
        for (case, _, target), count in zip(cases, counts):
            report.add(bench, case.name, "insn", [count], [counts[0]], "", target)


def bench_start(report, place, quick):
    report.title("Start of a program without TLS (/bin/true), to an empty preloaded library")
    cases = [(Case("empty preloaded library", place.preloading(place.empty)), None),
             (Case("empty again", place.preloading(place.empty)), None),
             (Case("no preloaded library", place.bare()), None),
             (Case("trustgraft preloaded", place.preload()), TARGETS["start"]),
             (Case("trustgraft preloaded, under a policy", place.preload("rule")),
              TARGETS["start"])]
    bench_processes(report, "start", [(case, ["/bin/true"], target) for case, target in cases],
                    runs=5, rounds=20 if quick else 120)


class Handshakes:
    """A process that makes handshakes as it is told to."""

    def __init__(self, place, case, *options):
        self.case = case
        self.process = subprocess.Popen([place.handshake, place.pki, *options], env=case.env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def make(self, count):
        self.ask(count)
        return self.answer()

    def ask(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: the handshakes failed: {self.case.name}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def handshake_rounds(place, cases, options, launches, rounds):
    """New processes several times over: where their memory lies makes a difference too."""
    values = {case.name: [] for case in cases}
    for _ in range(launches):
        running = [Handshakes(place, case, *options) for case in cases]
        for process in running:
            process.make(20)
        measures = {process.case.name: lambda process=process: process.make(10)["client_ns"]
                    for process in running}
        for name, costs in take_turns(measures, rounds).items():
            values[name] += [cost / 1000 for cost in costs]
        for process in running:
            process.close()
    return values


def bench_handshake(report, place, quick):
    launches, rounds = (2, 15) if quick else (8, 40)
    rule = [Case("preload, anchors and pins", place.preload("rule")),
            Case("provider, anchors and pins", place.provider("rule"))]
    inert = [Case("preload, no policy", place.preload()),
             Case("preload, policy for other hosts", place.preload("other")),
             Case("provider, no policy", place.provider()),
             Case("provider, policy for other hosts", place.provider("other"))]
    bare = [Case("bare", place.bare()), Case("bare again", place.bare())]
    for title, name, options in MEETINGS:
        report.title(f"Client's CPU time of a TLS 1.3 handshake, {title}")
        cases = bare + (rule if name == "fresh" else inert + rule)
        values = handshake_rounds(place, cases, options, launches, rounds)
        for case in cases:
            target = None if case in bare else TARGETS["rule" if case in rule else "inert"]
            report.add(f"handshake-{name}", case.name, "cpu", values[case.name], values["bare"],
                       "us", target)


def compare_setting(report, place, quick, name, title):
    """A rule with one more setting, to the rule without it, in the same way in."""
    launches, rounds = (2, 15) if quick else (8, 40)
    ways = [[Case(f"{way}, anchors and pins", env("rule")),
             Case(f"{way}, anchors and pins again", env("rule")),
             Case(f"{way}, {title}", env(name))]
            for way, env in (("preload", place.preload), ("provider", place.provider))]
    for meeting, kind, options in MEETINGS:
        report.title(f"Client's CPU time of a TLS 1.3 handshake with {title}, {meeting}")
        values = handshake_rounds(place, sum(ways, []), options, launches, rounds)
        for cases in ways:
            for case in cases:
                report.add(f"{name}-{kind}", case.name, "cpu", values[case.name],
                           values[cases[0].name], "us",
                           TARGETS["setting"] if case is cases[2] else None)


def bench_descriptors(report, place, quick):
    """Few handshakes, for each process holds thousands of connections while it makes them."""
    launches, rounds = (2, 15) if quick else (8, 40)
    crowd = {"BENCH_DESCRIPTORS": str(DESCRIPTORS)}
    ways = [[Case(f"{way}, {title}", env(name)),
             Case(f"{way}, {title} again", env(name)),
             Case(f"{way}, {title}, {DESCRIPTORS} descriptors", {**env(name), **crowd})]
            for way, env in (("preload", place.preload), ("provider", place.provider))
            for name, title in (("rule", "anchors and pins"), ("other", "policy for other hosts"))]
    report.title(f"Client's CPU time of a TLS 1.3 handshake, beside {DESCRIPTORS} descriptors")
    values = handshake_rounds(place, sum(ways, []), [], launches, rounds)
    for cases in ways:
        for case in cases:
            report.add("descriptors", case.name, "cpu", values[case.name], values[cases[0].name],
                       "us", TARGETS["descriptors"] if case is cases[2] else None)


def bench_crl(report, place, quick):
    place.make_crl(100000)
    place.must_refuse([place.handshake, place.pki], "1\n", ("crl", "crl-of-root-too"))
    compare_setting(report, place, quick, "crl", "a CRL of 100,000 entries")


def bench_log(report, place, quick):
    place.must_log([place.handshake, place.pki], "1\n")
    compare_setting(report, place, quick, "log", "a line of JSON in a file")


def bench_curl(report, place, quick):
    report.title("One request of curl on loopback, with the system's bundle of CAs and one more")
    with place.server() as port:
        def argv(bundle):
            return [place.curl, "-sS", "-o", "/dev/null", "--cacert", bundle, "--resolve",
                    f"h0.bench.test:{port}:127.0.0.1", f"https://h0.bench.test:{port}/"]
        place.must_refuse(argv(place.bundle))
        cases = [Case("bare", place.bare()), Case("bare again", place.bare()),
                 Case("preload, no policy", place.preload()),
                 Case("preload, policy for other hosts", place.preload("other")),
                 Case("preload, anchors and pins", place.preload("rule")),
                 Case("provider, no policy", place.provider()),
                 Case("provider, policy for other hosts", place.provider("other")),
                 Case("provider, anchors and pins", place.provider("rule"))]
        runs = [(case, argv(place.bundle), None) for case in cases]
        runs.append((Case("bare, one CA instead of the bundle", place.bare()),
                     argv(place.root), None))
        bench_processes(report, "curl", runs, runs=3, rounds=5 if quick else 25)


def bench_memory(report, place, quick):
    steps = [1000, 4000, 5000] if quick else [10000, 40000, 50000]
    report.title(f"Memory after {sum(steps):,} handshakes, each with a new certificate and name")
    running = [Handshakes(place, case, "fresh") for case in (
        Case("preload, anchors and pins", place.preload("rule")),
        Case("provider, anchors and pins", place.provider("rule")))]
    samples = {process.case.name: [] for process in running}
    for count in steps:
        for process in running:
            process.ask(count)
        for process in running:
            samples[process.case.name].append(process.answer())
    for process in running:
        process.close()
    for name, seen in samples.items():
        for sample in seen:
            report.write(bench="memory", case=name, **sample)
        for kind in ("rss", "heap"):
            levels = [sample[f"{kind}_kb"] for sample in seen]
            text = ", ".join(f"{level} kB at {sample['handshakes']:,}"
                             for level, sample in zip(levels, seen))
            print(f"  {name:40} {kind:5} {text}; grew {levels[-1] - levels[0]:+d} kB", flush=True)


BENCHES = {"start": bench_start, "handshake": bench_handshake, "descriptors": bench_descriptors,
           "crl": bench_crl,
           "log": bench_log, "curl": bench_curl, "memory": bench_memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--quick", action="store_true", help="a coarse look in half a minute")
    parser.add_argument("--only", default=",".join(BENCHES), help="some of these, by commas")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trustgraft-bench-") as scratch:
        place = setting.Place(os.path.abspath(options.build), scratch)
        place.must_refuse([place.handshake, place.pki], stdin="1\n")
        report = Report(os.path.join(options.build, "bench.json"))
        print("case, ratio, its 95 % interval, and the median itself")
        for name in options.only.split(","):
            BENCHES[name](report, place, options.quick)
    print(f"\n{options.build}/bench.json has it all ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
