#!/usr/bin/python3
"""run.py [--build DIR] - what the manual pages list is what there is.

Every key has its row in trustgraft.conf(5), and every row names tests that exist.

The rows of ORIGINS AND TESTS are held against the keys of policy/language/text/keys.c and against the names
of tests/e2e: each key once in its section, with one test or with two, which run in both ways
in. Where both are scenarios, they use the key, the first accepts and the second refuses.

Every verb has its page and its row in trustgraft(1); the options of each page are those of
`trustgraft help VERB`.
"""
import argparse
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "tests"))
from e2e.run import GROUPS                                                 # noqa: E402
from lab import tn2232, ways                                               # noqa: E402
from lab.scenario import ACCEPT, REFUSE, Scenario                          # noqa: E402

# The words of keys.c for the sections of a key, and how the page calls them.
SECTIONS = {"RULE": "[host] and [profile]", "POLICY": "[policy]", "DISTRUST": "[distrust]",
            "EXCEPTION": "[exception]"}
KEY = re.compile(r'^    ROW\(TG_KEY_\w+, "([a-z-]+)", ([A-Z]+),', re.M)
ROW = re.compile(r"^\.It Li (\S+)[^\n]*\n((?:\.Dq [^\n]*\n)+)", re.M)


def known_keys():
    """(section, key) of each key."""
    found = [(SECTIONS[section], key) for key, section in
             KEY.findall((SOURCE / "policy/language/text/keys.c").read_text("utf-8"))]
    ids = re.findall(r"^    TG_KEY_\w+,", (SOURCE / "policy/rules/rule.h").read_text("utf-8"), re.M)
    if not found or len(found) != len(ids):
        raise ValueError(f"rule.h has {len(ids)} keys, in keys.c {len(found)} are understood")
    return found


def rows(page):
    """(section, key, names of tests) of each row of PAGE."""
    table = page.partition(".Sh ORIGINS AND TESTS\n")[2].partition("\n.Sh ")[0] + "\n"
    for part in table.split("\n.Ss Keys of ")[1:]:
        for key, lines in ROW.findall(part):
            names = [line.removeprefix(".Dq ").removesuffix(" ,") for line in lines.splitlines()]
            yield part.partition("\n")[0], key, names


def known_tests():
    """The ways in of each test, by its name without them."""
    found = {}
    for name in (test[0] for group in GROUPS for test in group.tests()):
        title, _, where = name.partition(" [")
        found.setdefault(title, set()).update(re.split(r", |\]", where))
    return found


def scenarios():
    found = {f"TN2232: {one.title}": one for one in tn2232.SCENARIOS}
    for group in GROUPS:
        found |= {one.title: one for one in getattr(group, "SCENARIOS", ())
                  if isinstance(one, Scenario)}
    return found


def complaints_of_row(key, names, tests, data):
    for name in names:
        lacking = [way for way in ways.WAYS if way not in tests.get(name, ())]
        if lacking:
            yield f"there is no test \"{name}\" under {' and '.join(lacking)}"
        if name in data and not re.search(rf"^{key} = ", data[name].policy, re.M):
            yield f"the test \"{name}\" doesn't use the key"
    if len(names) > 2 or len(names) == 1 and names[0] in data:
        yield "an acceptance and a refusal are wanted"
    for name, outcome in zip(names, (ACCEPT, REFUSE)):
        if name in data and data[name].under != outcome:
            yield f"the test \"{name}\" is no {outcome}"


def complaints(page, keys, tests, data):
    """What is wrong with PAGE, by section and key."""
    table = list(rows(page))
    found = {(section, key): [] for section, key in keys}
    for section, key, names in table:
        found.setdefault((section, key), ["there is no such key"]).extend(
            complaints_of_row(key, names, tests, data))
    for one in keys:
        if [row[:2] for row in table].count(one) != 1:
            found[one].append("it doesn't stand once in the table")
    return found


# What all verbs have, which trustgraft(1) tells.
COMMON = {"--policy", "--help"}
def told(command, *words):
    return subprocess.run([command, *words], check=True, capture_output=True, text=True).stdout


def verbs_of(command):
    return re.findall(r"^  ([a-z]+) +\S", told(command, "help"), re.M)


def options_of(command, verb):
    return set(re.findall(r"^  (?:-\w,|   ) (--[a-z-]+)", told(command, "help", verb), re.M))


def options_in(page):
    """The long options that the lists of PAGE explain."""
    rows = "\n".join(line for line in page.splitlines() if line.startswith(".It "))
    return {f"-{name}" for name in re.findall(r"Fl (-[a-z-]+)", rows)}


def pages():
    """The text of each verb's page, by the names that it has."""
    found = {}
    for path in (SOURCE / "policy" / "cli").glob("trustgraft-*.1"):
        page = path.read_text("utf-8")
        for verb in re.findall(r"^\.Nm trustgraft-([a-z]+)(?: ,)?$",
                               page.partition(".Nd ")[0], re.M):
            found[verb] = page
    return found


def complaints_of_verb(command, verb, page, overview):
    if not re.search(rf"^\.It .*Xr trustgraft-{verb} 1", overview, re.M):
        yield "trustgraft(1) doesn't refer to it"
    if not page:
        yield "it has no page"
        return
    known = options_of(command, verb) - COMMON
    for option in sorted(known ^ options_in(page)):
        yield f"{option} is only in the {'help' if option in known else 'page'}"


def complaints_of_verbs(build):
    command = str(pathlib.Path(build).resolve() / "trustgraft")
    overview = (SOURCE / "policy/cli/trustgraft.1").read_text("utf-8")
    told_of, known = pages(), set(verbs_of(command)) - {"help"}
    found = {("verb", verb): list(complaints_of_verb(command, verb, told_of.get(verb), overview))
             for verb in sorted(known)}
    for verb in sorted(set(told_of) - known):
        found["verb", verb] = ["it has a page, and isn't there"]
    common = options_in(overview) ^ COMMON
    return found | {("page", "trustgraft"): [f"{option} is only in the page or the help"
                                             for option in sorted(common)]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    asked = parser.parse_args()
    page = (SOURCE / "policy/trustgraft.conf.5").read_text("utf-8")
    passed = failed = 0
    found = complaints(page, known_keys(), known_tests(), scenarios())
    for (section, key), wrong in (found | complaints_of_verbs(asked.build)).items():
        passed, failed = passed + (not wrong), failed + bool(wrong)
        print(f"{'FAILED' if wrong else 'ok':7} {section} {key}", *wrong, sep="\n          ")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
