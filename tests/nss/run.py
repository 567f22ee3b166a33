#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - programs that use NSS, by the preload library."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e.harness import suite                                              # noqa: E402
from nss import cases, places, programs                                    # noqa: E402
from nss.builds import Builds                                              # noqa: E402

GROUPS = (programs, cases, places)


def start(lab):
    lab.nss = Builds(lab.build.directory)
    cases.start(lab)


if __name__ == "__main__":
    sys.exit(suite(__doc__, [test for group in GROUPS for test in group.tests()], start))
