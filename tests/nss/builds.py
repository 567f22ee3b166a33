"""builds.py - the small C programs of this suite, compiled against the system's NSS."""
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HEADERS = tuple(f"-I{ROOT / folder}" for folder in ("policy", "policy/hook", "policy/hook/nss", "policy/hook/process"))
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-pthread", "-Wall", "-Wextra", "-Werror",
         "-I/usr/include/nss", "-I/usr/include/nspr")
CLIENT = ("client.c", "hands.c", "transport.c", "-lssl3", "-lnss3", "-lnspr4")
BUILDS = {
    "client": CLIENT,
    "client-openssl": (*CLIENT, "-DWITH_OPENSSL", "-lssl", "-lcrypto"),
    "client.so": (*CLIENT, "-shared", "-Dmain=client"),
    "host": ("host.c",),
    "libssl3.so": ("older.c", "-shared", "-Wl,-soname,libssl3.so"),
    "old": ("old.c", "-l:libssl3.so", "-Wl,-rpath,$ORIGIN"),
    "declared.o": ("declared.c", "-c", *HEADERS),
    "layout.o": ("layout.c", "-c", *HEADERS),
}


class Builds:
    """The paths of the programs, by name."""

    def __init__(self, build):
        self.folder = pathlib.Path(build).resolve() / "tests" / "nss"
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, arguments in BUILDS.items():
            folder = [f"-L{self.folder}"] if name == "old" else []
            subprocess.run([os.environ.get("CC", "cc"), *FLAGS, "-o", self.folder / name, *folder,
                            *arguments], cwd=HERE, check=True)

    def __getitem__(self, name):
        return str(self.folder / name)
