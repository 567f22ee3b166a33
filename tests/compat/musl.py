"""musl.py - programs of a system with musl: what `make musl` has built, in a root of its own."""
import dataclasses
import functools
import pathlib
import subprocess
import threading

from compat import place
from lab import clients, ways

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "musl"
lock = threading.Lock()


@functools.cache
def build_of(lab):
    """The artifacts for musl; Missing without them."""
    build = ways.Build(lab.build.directory / "musl")
    if build.missing() or not (build.directory / "system/usr/bin/curl").exists():
        raise place.Missing("nothing is built for musl; `make compat` builds it")
    return build


def compiled(lab, name, *options):
    """tests/musl/NAME.c by musl-gcc, once."""
    system, made = build_of(lab).directory / "system", lab.scratch / name
    with lock:
        if not made.exists():
            subprocess.run(["musl-gcc", f"-I{system}/usr/include", f"-L{system}/usr/lib", SOURCES / f"{name}.c", "-o", made, *options],
                           check=True, timeout=300)
    return made


def inside(program):
    def there(lab, store):
        if not store.online:    # what there is may be of older sources
            raise place.Missing("what is built for musl may be old; `make compat` builds it")
        return at(lab, program)
    return there


def at(lab, program):
    """The place of PROGRAM there."""
    build = build_of(lab)
    found = place.inside(lab, build.directory / "system", clients.PROGRAMS[program])
    return dataclasses.replace(found, build=build, env=str(compiled(lab, "env", "-static")))
