#!/usr/bin/python3
"""What trustgraft costs, as ratios to the bare program: `make bench`.

    bench.py --build DIR [--quick] [--only start,handshake,...]

All cases of one comparison take turns in rounds. In each round a case is measured several
times and its cheapest run counts, because what disturbs a machine only ever adds; the round
gives one ratio to the first case, and the median of these is printed with the 95 % interval
of the median. "bare again" is the bare case measured a second time: how far it is from 1 is
what this machine can't resolve. "insn" are instructions, as callgrind counts them over the
whole process (of handshakes: the client's); they don't drift with the machine. The CRL and the
log are compared with the same rule without them. Prints a table, and one JSON object a line to
DIR/bench.json; at the end the goals, and DIR/bench.svg shows these.

What this machine can't measure is told, with why, and meets no goal. Exit: 0, or 1 where a
program failed or something that should have been measured was not; a missed goal is no failure.
"""
import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time

import draw
import gnutls
import goals
import handshakes
import many
import programs
import setting
from measure import Failed, Missing
from report import Report

BENCHES = {"start": programs.bench_start, "handshake": handshakes.bench_handshake,
           "descriptors": handshakes.bench_descriptors, "crl": handshakes.bench_crl,
           "log": handshakes.bench_log,
           **{name: programs.bench_client(name) for name in programs.CLIENTS},
           "gnutls": gnutls.bench_handshake, "wget": gnutls.bench_wget,
           "nginx": programs.bench_nginx, "rules": many.bench_rules,
           "known-hosts": many.bench_known_hosts, "shared": many.bench_shared,
           "memory": handshakes.bench_memory}


def first_line(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0]


def machine():
    """What the figures were measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)", file.read(), re.M)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return {"bench": "machine", "case": "", "cpu": model[1] if model else platform.machine(),
            "cores": os.cpu_count(), "system": system, "kernel": platform.release(),
            "openssl": " ".join(first_line("openssl", "version").split()[:2]),
            "curl": " ".join(first_line("curl", "--version").split()[:2]),
            "date": time.strftime("%Y-%m-%d")}


def measure_all(report, place, names, quick):
    """Runs the benches NAMES; returns those that failed."""
    failed = []
    for name in names:
        begun = time.monotonic()
        try:
            BENCHES[name](report, place, quick)
        except Missing as why:
            report.title(f"{name} is not measured: {why}")
            report.write(bench="lacking", case=name, why=str(why))
        except Failed as why:
            failed.append(name)
            report.title(f"{name} FAILED: {why}")
            report.write(bench="failed", case=name, why=f"failed: {why}")
        report.write(bench="seconds", case=name, seconds=round(time.monotonic() - begun, 1))
    return failed


def chosen(text):
    names = text.split(",")
    for name in names:
        if name not in BENCHES:
            raise argparse.ArgumentTypeError(f"{name}: none of {', '.join(BENCHES)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--quick", action="store_true", help="a coarse look in three minutes")
    parser.add_argument("--only", default=list(BENCHES), type=chosen, help="some, by commas")
    options = parser.parse_args()
    begun = time.monotonic()
    report = Report(os.path.join(options.build, "bench.json"))
    report.write(**machine(), quick=options.quick)
    with tempfile.TemporaryDirectory(prefix="trustgraft-bench-") as scratch:
        place = setting.Place(os.path.abspath(options.build), scratch)
        place.must_refuse([place.handshake, place.pki], stdin="1\n")
        print("case, ratio, its 95 % interval, and the median itself")
        failed = measure_all(report, place, options.only, options.quick)
    goals.conclude(report)
    draw.write(report.rows, os.path.join(options.build, "bench.svg"))
    print(f"\n{options.build}/bench.json has it all, bench.svg shows the goals"
          f" ({time.monotonic() - begun:.0f} s)")
    if failed:
        sys.exit(f"bench: failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
