#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - the end-to-end tests; FILTER is part of a test's name."""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e import (afterwards, attacks, bad_policy, compiled, floors, hostile, identity, keys, known, # noqa: E402
                 logs, names, naming, paths, peers, reload, reports, resumption, revocation, sources, system,
                 transparency)
from e2e.harness import run                                                # noqa: E402
from lab import clients, ways                                              # noqa: E402
from lab.lab import Lab                                                    # noqa: E402

GROUPS = (keys, known, compiled, naming, names, peers, reports, transparency, bad_policy, sources, resumption,
          hostile, revocation, floors, reload, system, afterwards, logs, paths, attacks, identity)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("--list", action="store_true", help="print the names, run nothing")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    tests = [test for group in GROUPS for test in group.tests() if asked.filter in test[0]]
    if asked.list:
        print(*(name for name, _ in tests), sep="\n")
        return 0
    lacking = clients.missing() + ways.Build(asked.build).missing()
    if lacking or not tests:
        print(f"e2e: missing: {', '.join(lacking) or 'a test of that name'}", file=sys.stderr)
        return 2
    with Lab(asked.build, asked.pki) as lab:
        lab.servers.python(server for group in GROUPS for server in group.SERVERS)
        for group in GROUPS:
            group.start(lab)
        return 0 if run(lab, tests) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
