#!/usr/bin/python3
"""Rules about this project's source that no compiler knows.

    source.py CHECK   says PATH:LINE: WHAT: WHY of all that breaks the rule, and exits 1 if anything does
"""
import sys

import arrows
import homes
import hosted
import limits
import names
import pages

CHECKS = {
    "arrows": arrows.arrows,        # no header of a layer above or beside
    "circles": arrows.circles,      # no way along includes leads back
    "homes": homes.homes,           # X.h declares what X.c defines
    "hosts": hosted.hosts,          # nothing that a host process must not meet
    "limits": limits.limits,        # files, functions and folders don't grow too large
    "links": pages.links,           # links of Markdown pages lead to files that are there
    "marks": pages.marks,           # no mark of unfinished work
    "names": names.names,           # what comments and pages name exists
    "openings": limits.openings,    # each file says first what it is for
    "widths": pages.widths,         # manual pages fit on a terminal
}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: source.py {'|'.join(CHECKS)}")
    found = list(CHECKS[sys.argv[1]]())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
