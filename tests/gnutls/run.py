#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - programs that use GnuTLS, by the preload library."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e.harness import suite                                              # noqa: E402
from gnutls import ahead, cases, odd, places, programs                                     # noqa: E402
from gnutls.builds import Builds                                           # noqa: E402

GROUPS = (programs, cases, odd, ahead, places)


def start(lab):
    lab.gnutls = Builds(lab.build.directory)
    lab.servers.python(("api", "api-other"))


if __name__ == "__main__":
    sys.exit(suite(__doc__, [test for group in GROUPS for test in group.tests()], start))
