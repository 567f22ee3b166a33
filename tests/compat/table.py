"""table.py - the table of what works, as a text."""
import re

from compat.play import COLUMNS
from compat.rows import ROWS, Row, WORKS
from lab import ways

HEAD = """What works with which version of which TLS library, with one build of trustgraft, made on
Debian 12. Tested by `make compat`, which also writes this file.

  anchor    a server of a CA that the rule names and the program doesn't know is accepted
  other CA  a server of a CA that the program knows and the rule doesn't name is refused
  name      under `hostname`, a certificate for that other name is accepted
  pin       under `leaf-pin`, another key is refused
  -k        refused also where the program switched verification off
  address   by the rule for an address, which is all that the program names, likewise
  no rule   a host without a rule: output and exit status as without trustgraft
  broken    without the engine, libtrustgraft.so, no connection comes about

yes: so it is. closed: no connection comes about at all. outside: as without trustgraft.

"""
VERSION = {"bun": ["-e", "console.log(`Bun ${Bun.version}`)"], "curl": ["-V"], "openssl": ["version"],
           "python3": ["-c", "import ssl; print(ssl.OPENSSL_VERSION)"],
           "wget": ["--version"], "git": ["--version"], "apt-get": ["--version"],
           "node": ["-p", "'node ' + process.version + ', OpenSSL ' + process.versions.openssl"]}
NUMBER = re.compile(r"\b(?:Bun|curl|Python|node|OpenSSL|Wget|git version|apt) v?\d[\w.+]*|OpenSSL/[\w.]+")


def line(title, way, cells, mark=""):
    return f"{title:46} {way:9}" + "".join(f"{cell:9}" for cell in cells) + mark


def reasons(rows):
    """{a reason that is given in these rows: its number}."""
    found = dict.fromkeys(row.expected(way).reason for row in rows for way in ways.WAYS)
    return {reason: number for number, reason in enumerate(filter(None, found), 1)}


def lines(rows, cell):
    """The table of ROWS, where CELL(row, way, column) is what stands in it."""
    numbers = reasons(rows)
    yield line("", "", COLUMNS)
    for row in rows:
        for way in ways.WAYS:
            number = numbers.get(row.expected(way).reason)
            yield line(row.title if way == ways.PRELOAD else "", way,
                       [cell(row, way, column) for column in COLUMNS],
                       f"({number})" if number else "").rstrip()
    yield ""
    yield from (f"({number}) {reason}" for reason, number in numbers.items())


def render(rows, results):
    def cell(row, way, column):
        what = results[row, way, column]
        return "skipped" if what is None else "FAILED" if what else row.cell(way, column)
    return HEAD + "\n".join(lines(rows, cell)) + "\n"


def versions(lab, places):
    """What the programs say of themselves: the one part that changes by itself."""
    told = {}
    for row, place in places.items():
        if not isinstance(place, str):
            _, out, _ = place.run(lab, [place.program.executable, *VERSION.get(place.program.name, ())])
            told[row.system] = told.get(row.system, []) + NUMBER.findall(out)
    return "\nTried with:\n" + "".join(
        f"  {system}: {', '.join(dict.fromkeys(texts))}\n" for system, texts in told.items() if texts)


def listing(words):
    return ", ".join(words[:-1]) + " and " + words[-1]


def promise(kind):
    """What the documentation says: `OpenSSL 3.0, 3.5 and 3.6`, as far as all works."""
    good = [row.system for row in ROWS if row.preload == row.provider == WORKS]
    found = re.findall(rf"\b{kind} (\d[.\d]*)", "\n".join(good))
    return f"{kind} {listing(sorted(set(found), key=float))}"


def stale(source):
    """What is not as rows.py says in the files below SOURCE, or None."""
    kept = (source / "tests/compat/table.txt").read_text("utf-8").splitlines()
    for one in filter(None, lines(ROWS, Row.cell)):
        if one not in kept:
            return f"tests/compat/table.txt, which `make compat WRITE=1` makes anew, lacks: {one}"
    for page in ("README.md", "preload/trustgraft-preload.7"):
        text = " ".join((source / page).read_text("utf-8").split())
        for kind in ("OpenSSL", "Node.js"):
            if promise(kind) not in text:
                return f"{page} doesn't say: {promise(kind)}"
    return None
