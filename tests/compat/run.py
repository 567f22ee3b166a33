#!/usr/bin/python3
"""run.py --build DIR --pki DIR [--quick] [--write] [FILTER] - `make compat`: what works with
which version of which TLS library.

Gets the programs of other systems into DIR/compat and plays each of them against servers on
loopback, in both ways in. Prints a table, also to DIR/compat/table.txt, and then each cell that
is not as rows.py expects it. --quick: fetches only what comes in seconds, and plays what is
there. --write: keeps the table as tests/compat/table.txt. FILTER: part of a row's title.
"""
import argparse
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from compat import http3, place, play, table                                   # noqa: E402
from compat.fetch import Missing, Store                                    # noqa: E402
from compat.rows import ROWS                                               # noqa: E402
from lab import ways                                                       # noqa: E402
from lab.lab import Lab                                                    # noqa: E402

WORKERS = 2


def prepare(lab, rows, store, quick):
    """{row: its place, or why it has none}."""
    places = {}
    for row in rows:
        store.online = row.quick or not quick
        try:
            places[row] = row.place(lab, store)
            http3.start(lab, row, store)
        except Missing as why:
            places[row] = str(why)
    return places


def without_engine(lab, build):
    """As BUILD, but it lacks libtrustgraft.so."""
    home = lab.scratch / "broken" / build.directory.name
    (home / "ossl-modules").mkdir(parents=True)
    broken = ways.Build(home)
    shutil.copy(build.preload, broken.preload)
    shutil.copy(build.module, broken.module)
    made = subprocess.run([HERE.parent.parent / "provider/openssl-cnf", broken.module], check=True,
                          stdout=subprocess.PIPE, timeout=120)
    broken.openssl_cnf.write_bytes(made.stdout)
    return broken


def attempt(lab, row, place, way, column):
    """'', or what went wrong."""
    try:
        return play.check(lab, row, place, way, column) or ""
    except Exception:  # a broken test is a failed one, and the others go on
        return traceback.format_exc()


def play_all(lab, places):
    """{(row, way, column): '', what went wrong, or None where it was skipped}."""
    cells = [(row, way, column) for row in places for way in ways.WAYS for column in play.columns(row)]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(lambda cell: None if isinstance(places[cell[0]], str) else
                           attempt(lab, cell[0], places[cell[0]], *cell[1:]), cells)
        return dict(zip(cells, results))


def report(places, results):
    """Prints all there is to say; the number of failures."""
    failed = [cell for cell, what in results.items() if what]
    for row, way, column in failed:
        print(f"FAILED {row.title} [{way}], {column}")
        print("        " + results[row, way, column].strip().replace("\n", "\n        "))
    skipped = {row: why for row, why in places.items() if isinstance(why, str)}
    for row, why in skipped.items():
        number = sum(cell[0] == row for cell in results)
        print(f"skipped {number} of {row.title}: {why}")
    stale = table.stale(HERE.parent.parent)
    if stale:
        print(f"FAILED documentation: {stale}")
    none = sum(what is None for what in results.values())
    bad = len(failed) + bool(stale)
    print(f"{len(results) - none - len(failed) + (not stale)} passed, {bad} failed" +
          (f", {none} skipped" if none else ""))
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    rows = [row for row in ROWS if asked.filter in row.title]
    lacking = ways.Build(asked.build).missing()
    if lacking or not rows:
        print(f"compat: missing: {', '.join(lacking) or 'a row of that title'}", file=sys.stderr)
        return 2
    if not place.may_mount() and not asked.quick:
        print(f"compat: {place.ROOT}", file=sys.stderr)
        return 2
    home = pathlib.Path(asked.build) / "compat"
    with Lab(asked.build, asked.pki) as lab:
        lab.servers.python(play.SERVERS)
        places = prepare(lab, rows, Store(home, True), asked.quick)
        lab.broken = {build: without_engine(lab, build or lab.build) for build in
                      {getattr(place, "build", None) for place in places.values()}}
        results = play_all(lab, places)
        text = table.render(rows, results) + table.versions(lab, places)
    print(text)
    home.mkdir(parents=True, exist_ok=True)
    (home / "table.txt").write_text(text, "utf-8")
    if asked.write and not asked.filter and all(what == "" for what in results.values()):
        shutil.copyfile(home / "table.txt", HERE / "table.txt")
    return 1 if report(places, results) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
