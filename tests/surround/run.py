#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - applications that decide themselves, and odd places."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e.harness import suite                                              # noqa: E402
from surround import bios, changes, decisions, libraries, places, reasons, wires # noqa: E402
from surround.programs import Programs                                     # noqa: E402

GROUPS = (decisions, reasons, changes, bios, libraries, wires, places)


def start(lab):
    lab.programs = Programs(lab.build.directory)
    lab.servers.python(("api", "api/1.2", "api-other", "ip"))


if __name__ == "__main__":
    sys.exit(suite(__doc__, [test for group in GROUPS for test in group.tests()], start))
