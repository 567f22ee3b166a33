"""builds.py - the small C programs of this suite, compiled against the system's GnuTLS."""
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-pthread", "-Wall", "-Wextra", "-Werror")
ROOT = HERE.parent.parent
HEADERS = tuple(f"-I{ROOT / folder}" for folder in ("policy", "policy/hook", "policy/hook/gnutls", "policy/hook/process"))
CLIENT = ("client.c", "hands.c", "serve.c", "transport.c")
BUILDS = {
    "client": (*CLIENT, "-lgnutls"),
    "client-openssl": (*CLIENT, "-DWITH_OPENSSL", "-lgnutls", "-lssl", "-lcrypto"),
    "ahead": ("ahead.c", "serve.c", "-lgnutls"),
    "odd": ("odd.c", "serve.c", "-lgnutls"),
    "client.so": (*CLIENT, "-shared", "-Dmain=client", "-lgnutls"),
    "host": ("host.c",),
    "libgnutls.so.30": ("older.c", "-shared", "-Wl,-soname,libgnutls.so.30"),
    "old": ("old.c", "-l:libgnutls.so.30", "-Wl,-rpath,$ORIGIN"),
    "declared.o": ("declared.c", "-c", *HEADERS),
}


class Builds:
    """The paths of the programs, by name."""

    def __init__(self, build):
        self.folder = pathlib.Path(build).resolve() / "tests" / "gnutls"
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, arguments in BUILDS.items():
            subprocess.run([os.environ.get("CC", "cc"), *FLAGS, "-o", self.folder / name,
                            f"-L{self.folder}", *arguments], cwd=HERE, check=True)

    def __getitem__(self, name):
        return str(self.folder / name)
