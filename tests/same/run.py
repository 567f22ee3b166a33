#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] [--count N] [--seed TEXT] - that indexed CA bundles change nothing.

A program, tests/same/*.c, does what scripts say to certificate stores, and tells all that can be seen
of them: results, error queues, contents and their order, chains, calls of its hooks. Each script is
run bare; under the preload library with a policy that has no rule; and with `lazy-anchors = no`. The
three transcripts have to be the same, byte for byte.

N is how many bundles are made by chance (60, which is what `make check` has); with the same TEXT they
are the same, as long as DIR/tests/same/keys is kept. What a script that differs was, and its bundles, stay in DIR/tests/same.
"""
import argparse
import collections
import concurrent.futures
import copy
import difflib
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import zlib

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import besides                                                             # noqa: E402
import gnutls_own                                                          # noqa: E402
import scripts as made                                                     # noqa: E402
from lab import ways                                                       # noqa: E402
from lab.files import put                                                  # noqa: E402
from world import World                                                    # noqa: E402

FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-pthread")
POLICIES = {"indexed": "", "switched off": "[policy]\nlazy-anchors = no\n"}
BATCH = 40      # scripts in one process
LARGEST = 256 << 20  # bytes that a transcript or a file may have
SECONDS = 120   # only stops what hangs
SHOWN = 14      # lines of a difference
# Stores may be older than the first SSL_CTX of a process, or younger: half of the processes each.
STARTS = ("begin start\n", "begin start\ncontext 0\n")
GROUPS = ("text", "der", "aux", "other", "key", "whole", "alike", "changed", "orders", "files", "life", "hooks", "real",
          "large", "corpora")
SYSTEMS = ("trixie", "sid") # OpenSSL 3.5 and 3.6
CORPORA = os.environ.get("TG_CORPORA") or HERE.parent.parent.parent / "shared" / "corpora"
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/usr/lib/python3/dist-packages/certifi/cacert.pem",
           "/etc/pki/tls/certs/ca-bundle.crt", "/usr/share/nodejs/tls-root-certificates.pem")


class Same:
    """The program, the ways to run it, and the folder of all files."""

    def __init__(self, build, preload=None):
        self.build = ways.Build(build)
        self.preload = preload or self.build.preload
        self.folder = self.build.directory / "tests" / "same"
        for name in ("world", "files", "scripts", "home"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir(parents=True)
        (self.folder / "keys").mkdir(exist_ok=True)
        self.ask = self.folder / "ask"
        self.compile(*FLAGS)
        self.environment = ways.clean_environment(self.folder / "home")
        self.policies = {way: put(self.folder / f"{way.replace(' ', '-')}.conf", text) for way, text in POLICIES.items()}

    def compile(self, *flags):
        subprocess.run([os.environ.get("CC", "cc"), *flags, "-o", self.ask, *sorted(HERE.glob("*.c")), "-lssl", "-lcrypto"],
                       check=True)

    def raced(self):
        """The same program and library, made for ThreadSanitizer."""
        other = copy.copy(self)
        other.ask, other.preload = self.folder / "ask-raced", self.build.directory / "tsan" / self.build.preload.name
        other.compile(*FLAGS, "-O1", "-fsanitize=thread")
        return other

    def elsewhere(self, root):
        """The same program with the libraries of the system that is unpacked in ROOT, newer ones than ours."""
        other = copy.copy(self)
        loader = next(root.glob("usr/lib/*/ld-linux-*.so.*"))
        other.ask = self.folder / f"ask-{root.name}"
        other.ask.write_text(f'#!/bin/sh\nexec {loader} --library-path {loader.parent} {self.ask} "$@"\n')
        other.ask.chmod(0o755)
        return other

    def environment_of(self, way):
        if way == "bare":
            return self.environment
        return self.environment | {"LD_PRELOAD": str(self.preload), "TRUSTGRAFT_POLICY": str(self.policies[way])}

    def write(self, name, script):
        """The script as `ask` reads it, under that name."""
        path = self.folder / "scripts" / f"{name.replace('/', '-')}.ask"
        start = STARTS[zlib.crc32(name.encode()) % len(STARTS)]
        path.write_text(start + "".join(f"begin {part}\n" + "".join(f"{line}\n" for line in lines) for part, lines in script) +
                        "begin end\n")
        return path

    def transcript(self, name, script, way):
        """What the script gave, {name: text} for each of its parts."""
        path = self.write(name, script)
        output = path.with_suffix(f".{way.replace(' ', '-')}")
        with output.open("wb") as file:
            try:
                status = subprocess.run([self.ask, path], env=self.environment_of(way), stdin=subprocess.DEVNULL,
                                        stdout=file, stderr=subprocess.STDOUT, timeout=SECONDS, check=False,
                                        preexec_fn=bounded).returncode
            except subprocess.TimeoutExpired:
                status = f"none after {SECONDS} seconds"
        parts = re.split(r"^begin ", output.read_text(errors="backslashreplace"), flags=re.M)
        told = dict(part.split("\n", 1) for part in parts[1:] if "\n" in part)
        last = (list(told) or ["nothing"])[-1]
        return collections.defaultdict(str, told) | {last: told.get(last, "") + f"status {status}\n"}


def bounded():
    """In the child: what writes or takes without end is stopped."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))


def first_difference(bare, other, way):
    lines = list(difflib.unified_diff(bare.splitlines(), other.splitlines(), "bare", way, n=2, lineterm=""))
    return "\n".join(f"        {line[:200]}" for line in lines[:SHOWN])


def compare(same, batch):
    """The names in BATCH, each with a text about what differs, empty where nothing does."""
    name = batch[0][0]
    bare = same.transcript(name, batch, "bare")
    found = {part: "" if part in bare else "        bare: the program didn't come to it\n" for part, _ in batch}
    if "status 0" not in bare.get("end", ""):
        found[name] += f"        bare: {list(bare.values())[-1][-300:]}\n"
    for way in POLICIES:
        other = same.transcript(name, batch, way)
        for part, lines in batch:
            if bare.get(part) != other.get(part):
                # A process that died leaves the others of its batch behind: alone it tells more.
                alone = [same.transcript(part, [(part, lines)], each).get(part, "") for each in ("bare", way)]
                found[part] += (first_difference(*alone, way) or
                                f"        as a part of scripts/{name.replace('/', '-')}.ask, not alone:\n" +
                                first_difference(bare.get(part, ""), other.get(part, ""), way)) + "\n"
    return found


def batches(scripts):
    for at in range(0, len(scripts), BATCH):
        yield scripts[at:at + BATCH]


def all_scripts(scripts, asked):
    """(name, steps) of each; those of GROUPS that the filter is not about are not even made."""
    bundles = [path for path in map(pathlib.Path, BUNDLES) if path.is_file()]
    groups = {"text der aux other key": scripts.odd, "whole alike": scripts.whole, "changed": scripts.changed,
              "orders": scripts.orders, "files": lambda: made.file_scripts(scripts),
              "life hooks": lambda: made.life_scripts(scripts), "real": lambda: made.real_scripts(scripts, bundles),
              "large": lambda: made.large_scripts(scripts, max(asked.count * 10, 600)),
              "corpora": lambda: made.corpora_scripts(scripts, pathlib.Path(CORPORA), max(3600 // max(asked.count, 1), 1))}
    wanted = asked.filter.split("/")[0]
    if wanted in ("python", "gnutls", *SYSTEMS):
        return
    for names, group in groups.items():
        if wanted not in GROUPS or wanted in names.split():
            yield from ((name, lines) for name, lines in group() if asked.filter in name)


def elsewhere(same, root, scripts):
    """Under another system's OpenSSL: what differs."""
    if not root.is_dir():
        raise besides.Skip(f"{root.name} isn't there; `make compat` fetches it")
    wanted = [script for script in (*made.life_scripts(scripts), *scripts.whole(), *scripts.orders())
              if script[0].startswith(("life/", "hooks/", "orders/")) or script[0].endswith("/plain")]
    found = [compare(same.elsewhere(root), batch) for batch in batches(wanted)]
    return "".join(f"{name}\n{text}" for batch in found for name, text in batch.items() if text)


def others(same, made_scripts, scripts):
    """(name, function) of what no transcript shows, or not with this system's OpenSSL."""
    life = [script for script in scripts if script[0].startswith(("life/", "hooks/get-issuer"))]
    yield "corpora: third-party chains", lambda: besides.are_there(pathlib.Path(CORPORA))
    yield "memory: a bundle is only indexed", lambda: besides.is_indexed(same)
    yield "memory: a bundle is kept once", lambda: besides.grows(same)
    yield "valgrind: nothing is lost", lambda: besides.leaks(same, life[:12])
    for system in SYSTEMS:
        root = same.build.directory / "compat" / system
        yield f"{system}: its OpenSSL", lambda root=root: elsewhere(same, root, made_scripts)
    yield "threads: no race", lambda: besides.races(same, [script for script in life if "threads" in script[0]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", help="not needed")
    parser.add_argument("--preload", type=pathlib.Path, help="another library in the place of the built one")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", default="")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    same = Same(asked.build, asked.preload)
    world = World(same.folder / "world", same.folder / "keys")
    world.messages()
    made_scripts = made.Scripts(world, same.folder / "files", asked.seed, asked.count)
    scripts = list(all_scripts(made_scripts, asked))
    passed, failed = collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda batch: compare(same, batch), batches(scripts)):
            for name, text in found.items():
                passed[name.split("/")[0]] += not text
                failed += bool(text)
                if text:
                    print(f"FAILED  {name}\n{text}", flush=True)
    for group, number in passed.items():
        print(f"ok      {group}: {number} scripts")
    passed, failed = sum(passed.values()), failed
    skipped = 0
    # `make programs` asks for them: they take as long as all of the others.
    own = {"python": ("python: its tests of ssl", lambda: besides.python_tests(same)),
           "gnutls": ("gnutls: its own tests", lambda: gnutls_own.gnutls_tests(same))}
    for name, test in [own[asked.filter]] if asked.filter in own else others(same, made_scripts, scripts):
        if asked.filter not in name:
            continue
        try:
            text = test()
        except besides.Skip as reason:
            print(f"skipped {name}: {reason}")
            skipped += 1
            continue
        print(f"FAILED  {name}\n{text}" if text else f"ok      {name}", flush=True)
        passed, failed = passed + (not text), failed + bool(text)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed + skipped else 0


if __name__ == "__main__":
    sys.exit(main())
