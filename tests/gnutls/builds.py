"""builds.py - the small C programs of this suite, compiled against the system's GnuTLS."""
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-pthread", "-Wall", "-Wextra", "-Werror")
BUILDS = {
    "client": ("client.c", "serve.c", "-lgnutls"),
}


class Builds:
    """The paths of the programs, by name."""

    def __init__(self, build):
        self.folder = pathlib.Path(build).resolve() / "tests" / "gnutls"
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, arguments in BUILDS.items():
            subprocess.run([os.environ.get("CC", "cc"), *FLAGS, "-o", self.folder / name, *arguments], cwd=HERE,
                           check=True)

    def __getitem__(self, name):
        return str(self.folder / name)
