"""skips.py - which tests a suite left out, and whether they may be: what skips.tsv has a row for."""
import collections
import csv
import dataclasses
import fnmatch
import pathlib
import re

TABLE = pathlib.Path(__file__).resolve().parent / "skips.tsv"
SAID = re.compile(r"^skipped +(?:(\d+) of )?(\S.*)$", re.M)
CMOCKA = re.compile(r"^\[  SKIPPED \] ([a-zA-Z_]\w*)$", re.M)


@dataclasses.dataclass(frozen=True)
class Skip:
    """So many tests of one kind, in the suite's words."""
    number: int
    what: str


@dataclasses.dataclass(frozen=True)
class Row:
    suite: str
    what: str
    needs: str
    why: str

    def covers(self, suite, skip):
        return (fnmatch.fnmatchcase(suite, self.suite) and
                fnmatch.fnmatchcase(skip.what, self.what))


def rows(table=TABLE):
    with table.open(encoding="utf-8", newline="") as file:
        return [Row(*row) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if row and not row[0].startswith("#")]


def told(output):
    """What OUTPUT says of skips: a line `skipped [N of ]WHAT: WHY` each, or cmocka's."""
    return [*(Skip(int(number or 1), what) for number, what in SAID.findall(output)),
            *(Skip(1, name) for name in dict.fromkeys(CMOCKA.findall(output)))]


class Skips:
    """What all suites left out, by the rows that allow it."""

    def __init__(self, table=TABLE):
        self.rows, self.found = rows(table), collections.Counter()

    def unexpected(self, suite, output, number):
        """Why the NUMBER of skips that SUITE counts may not be, a sentence each."""
        wrong, skips = [], told(output)
        for skip in skips:
            row = next((row for row in self.rows if row.covers(suite, skip)), None)
            if row is None:
                wrong.append(f"skipped, but not in {TABLE.name}: {skip.what}")
            else:
                self.found[row.needs, row.why] += skip.number
        if sum(skip.number for skip in skips) != number:
            wrong.append(f"{number} skipped, but {sum(skip.number for skip in skips)} by name")
        return wrong

    def lines(self):
        """The sum of it: how many, what they are about, and what would have them run."""
        for (needs, why), number in sorted(self.found.items(), key=lambda item: -item[1]):
            yield f"  skipped {number:4}  {why}" + (f"; needs: {needs}" if needs != "-" else "")
