"""handshakes.py - what TLS handshakes cost a client, and what it holds after many of them."""
import json
import subprocess

from goals import target
from measure import Failed, Missing, Run, counted, instructions, take_turns
from setting import Case

DESCRIPTORS = 4000
MEETINGS = [("a server met before", "again", []),
            ("a certificate never seen before, each time", "fresh", ["fresh"])]


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
            raise Failed(f"the handshakes failed: {self.case.name}")
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


def client_instructions(place, case, options, few, many):
    """Instructions of a client's handshake: of those that MANY are more than FEW."""
    def count(handshakes):
        return instructions(Run(case.name, [place.handshake, place.pki, *options], case.env,
                                place.asking(handshakes)), "--toggle-collect=client_*")
    return (count(many) - count(few)) / (many - few)


def add_instructions(report, place, bench, ways, options, quick):
    """WAYS: lists of cases, the first of each being what its others are compared with."""
    cases = sum(ways, [])
    try:
        if quick:
            raise Missing("too long for --quick")
        numbers = counted(lambda case: client_instructions(place, case, options, 5, 25), cases)
    except Missing as why:
        report.lacks(bench, [case.name for case in cases], ["insn"], str(why))
        return
    counts = dict(zip((case.name for case in cases), numbers))
    for compared in ways:
        for case in compared:
            report.add(bench, case.name, "insn", [counts[case.name]], [counts[compared[0].name]],
                       "", target(bench, case.name, "insn"))


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
        add_cpu(report, f"handshake-{name}", [cases], values)
        add_instructions(report, place, f"handshake-{name}", [cases], options, quick)


def add_cpu(report, bench, ways, values):
    for cases in ways:
        for case in cases:
            report.add(bench, case.name, "cpu", values[case.name], values[cases[0].name], "us",
                       target(bench, case.name, "cpu"))


def compare_setting(report, place, quick, name, title, tcp=False):
    """A rule with one more setting, to the rule without it, in the same way in. TCP: over that as well,
    which is what counts then."""
    launches, rounds = (2, 15) if quick else (8, 40)
    ways = [[Case(f"{way}, anchors and pins", env("rule")),
             Case(f"{way}, anchors and pins again", env("rule")),
             Case(f"{way}, {title}", env(name))]
            for way, env in (("preload", place.preload), ("provider", place.provider))]
    for meeting, kind, options in MEETINGS:
        lines = [("over TCP", kind, [*options, "tcp"]), ("through memory", f"{kind}-memory", options)]
        for line, bench, options in lines if tcp else [("through memory", kind, options)]:
            report.title(f"Client's CPU time of a TLS 1.3 handshake {line} with {title}, {meeting}")
            values = handshake_rounds(place, sum(ways, []), options, launches, rounds)
            add_cpu(report, f"{name}-{bench}", ways, values)
            if name != "crl":  # callgrind takes long to read that list
                add_instructions(report, place, f"{name}-{bench}", ways, options, quick)


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
    add_cpu(report, "descriptors", ways, values)


def bench_crl(report, place, quick):
    place.make_crl(100000)
    place.must_refuse([place.handshake, place.pki], "1\n", ("crl", "crl-of-root-too"))
    compare_setting(report, place, quick, "crl", "a CRL of 100,000 entries")


def bench_log(report, place, quick):
    place.must_log([place.handshake, place.pki], "1\n")
    compare_setting(report, place, quick, "log", "a line of JSON in a file", tcp=True)


def bench_memory(report, place, quick):
    steps = [500, 2000, 2500] if quick else [10000, 40000, 50000]
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
