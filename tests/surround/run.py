#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - applications that decide themselves, and odd places."""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e.harness import run                                                # noqa: E402
from lab.lab import Lab                                                    # noqa: E402
from surround import decisions, places, wires                              # noqa: E402
from surround.programs import Programs                                     # noqa: E402

GROUPS = (decisions, wires, places)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    tests = [test for group in GROUPS for test in group.tests() if asked.filter in test[0]]
    if not tests:
        print("surround: no test of that name", file=sys.stderr)
        return 2
    with Lab(asked.build, asked.pki) as lab:
        lab.programs = Programs(asked.build)
        lab.servers.python(("api", "api/1.2", "api-other", "ip"))
        return 0 if run(lab, tests) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
