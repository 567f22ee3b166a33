#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - tests of the command; FILTER is part of a test's name."""
import argparse
import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from cli import (beginning, bundling, certifying, checking, compiling, completing, connecting, doctoring,       # noqa: E402
                 excepting, explaining, fetching, importing, issuing, pinning, reaching, running, scanning, showing,
                 starving, verifying, words)
from cli.command import Command                                            # noqa: E402
from e2e.harness import run                                                # noqa: E402

GROUPS = (words, checking, compiling, explaining, connecting, verifying, reaching, running, doctoring, importing,
          bundling, pinning, excepting, beginning, completing, issuing, certifying, fetching, scanning, showing,
          starving)


def tests(group):
    """The group's functions that begin with test_, in the order written."""
    return [(f"{group.__name__.split('.')[-1]}: {name[5:].replace('_', ' ')}", function)
            for name, function in vars(group).items() if name.startswith("test_")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    chosen = [test for group in GROUPS for test in tests(group) if asked.filter in test[0]]
    command = Command(asked.build, asked.pki, tempfile.mkdtemp(prefix="trustgraft-cli-"))
    lacking = command.missing()
    try:
        if lacking or not chosen:
            print(f"cli: missing: {lacking or 'a test of that name'}", file=sys.stderr)
            return 2
        return 0 if run(command, chosen) else 1
    finally:
        shutil.rmtree(command.root)


if __name__ == "__main__":
    sys.exit(main())
