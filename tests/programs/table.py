"""table.py - the table of programs: on the terminal, and as the manual page."""
import textwrap

from lab import ways
from programs import messages
from programs.cases import CASES, NO, NONE, YES

PAGE = "preload/trustgraft-programs.7"
WIDTH = 10
CHECKER = {"itself": "by the program itself", "libssl": "by libssl", "nobody": "by nobody"}


def cell(states):
    """One word for what both ways in do: STATES by the way in."""
    found = set(states.values())
    if len(found) == 1:
        return {YES: "both", NO: "neither", NONE: "-"}.get(found.pop(), "?")
    return next((way for way in ways.WAYS if states[way] == YES), "?")


def expected(program):
    """The words of PROGRAM's row, going by what is said of it."""
    def state(case, way):
        if not case.applies(program):
            return NONE
        return NO if program.limit(case.name, way) else YES
    return [cell({way: state(case, way) for way in ways.WAYS}) for case in CASES]


def head():
    return f"{'program':<46}" + "".join(f"{case.head:<{WIDTH}}" for case in CASES)


def line(name, words):
    return f"{name:<46}" + "".join(f"{word:<{WIDTH}}" for word in words)


def sentences(text):
    """TEXT as mdoc wants it: each sentence on lines of its own, none taken for a macro."""
    text = " ".join(text.split()).replace("\\", "\\e").replace(". ", ".\n")
    lines = [line for one in text.split("\n")
             for line in textwrap.wrap(one, 78, break_long_words=False, break_on_hyphens=False)]
    return "\n".join("\\&" + line if line[0] in ".'" else line for line in lines)


def literal(text):
    """TEXT on one line, as mdoc shows it unchanged."""
    text = text.replace("\\", "\\e").replace('"', '\\(dq')
    return "\\&" + text if text[0] in ".'" else text


def rows(programs):
    yield ".Bl -column " + " ".join(f'"{"x" * width}"' for width in (22, *[8] * len(CASES)))
    yield ".It Em program Ta " + " Ta ".join(f"Em {case.head}" for case in CASES)
    for program in programs:
        yield f".It {program.name} Ta " + " Ta ".join(expected(program))
    yield ".El"


def makeup(programs):
    """Lists, for a table of all this is wider than a page's 80 columns."""
    yield ".Bl -tag -width Ds"
    for names, heading in CHECKER.items():
        yield f".It {heading}"
        yield sentences("; ".join(
            program.name + bracketed(list(filter(None, details(program))))
            for program in programs if program.names == names) + ".")
    yield ".El"


def bracketed(words):
    return f" ({', '.join(words)})" if words else ""


def details(program):
    yield program.packages[0] if program.packages[0] != program.name else None
    yield f"through {program.via}" if program.via else None
    yield "own callback" if program.callback else None


def spoken(programs):
    """What each program says of a refusal."""
    yield from quoted(programs, messages.SAYS, " ...")
    yield ".Pp"
    yield "These say no more than this, and the log alone tells:"
    yield ".Ic trustgraft log"
    yield ".Po see"
    yield ".Xr trustgraft-log 1 ;"
    yield "a program that"
    yield ".Ic trustgraft run"
    yield "has started writes to stderr"
    yield ".Pc ."
    yield from quoted(programs, messages.INSTEAD, "")
    yield ".Pp"
    silent = [program.name for program in programs
              if messages.INSTEAD.get(program.name) == messages.NOTHING]
    yield sentences(f"Nothing is said by {' and '.join(silent)}.")


def quoted(programs, said_by, end):
    yield ".Bl -tag -width Ds"
    for program in programs:
        said = {way: messages.says(program, way, said_by) for way in ways.WAYS
                if not program.limit("pin", way)}
        for text in dict.fromkeys(text for text in said.values() if text):
            where = [way for way in said if said[way] == text]
            yield f".It {program.name}, {' and '.join(where)}"
            yield literal(text + ("...)" if text.endswith("(") else end))
    yield ".El"


def limits(programs):
    yield ".Bl -tag -width Ds"
    for program in programs:
        grouped = {}
        for limit in program.limits:
            grouped.setdefault(limit.reason, []).append(limit)
        for reason, those in grouped.items():
            heads = {case.name: case.head for case in CASES}
            where = dict.fromkeys(limit.way for limit in those)
            what = dict.fromkeys(heads[limit.case] for limit in those)
            yield f".It {program.name}, {' and '.join(where)}: {', '.join(what)}"
            instead = those[0].instead and " A rule for the address, with a hostname key, holds."
            yield sentences(reason + instead)
        if program.remark:
            yield f".It {program.name}"
            yield sentences(program.remark)
    yield ".El"


def out_of_reach(unreached):
    grouped = {}
    for one in unreached:
        grouped.setdefault(one.library, []).append(one)
    yield ".Bl -tag -width Ds"
    for library, those in grouped.items():
        reasons = dict.fromkeys(one.reason for one in those if one.reason)
        yield f".It {library}"
        yield sentences(" ".join((", ".join(one.name for one in those) + ".", *reasons)))
    yield ".El"


def page(programs, unreached):
    lines = [
        '.\\" Made by `make programs` from tests/programs: change that, not this.',
        ".Dd November 22, 2026", ".Dt TRUSTGRAFT-PROGRAMS 7", ".Os", ".Sh NAME",
        ".Nm trustgraft-programs", ".Nd programs that trustgraft was tried with",
        ".Sh DESCRIPTION",
        "Each of these programs, as Debian 12 or npm ships it, was run against real",
        "servers on loopback: bare, under", ".Xr trustgraft-preload 7", "and under",
        ".Xr trustgraft-provider 7 .",
        "A column says by which of the two ways in the following holds, each an",
        "acceptance beside its refusal:", ".Bl -tag -width anchors"]
    for case in CASES:
        lines += [f".It Cm {case.head}", sentences(case.text + ".")]
    lines += [".El", ".Pp",
              "A dash: the program has no such option, or never verifies anything.",
              "Of programs for musl, curl and openssl are tried, and curl with an OpenSSL linked into it, by",
              ".Ql make compat .",
              ".Ss What was seen", *rows(programs),
              ".Ss What the programs say",
              sentences("The words in the program's own message of a refusal, before the rule and "
                        "what it found; by the preload library, as it stands in for the functions "
                        "that say what an error is; by the provider, and where a program finds these "
                        "functions by itself, in brief, before the end of the rule's place. "
                        "The lines are cut off as the program cuts them."),
              *spoken(programs),
              ".Ss How the programs verify",
              "By whom the server's name is compared; in brackets the package, what stands between the",
              "program and its TLS library, and whether it sets a verify callback of its own:",
              *makeup(programs),
              ".Sh LIMITS", *limits(programs),
              ".Sh NOT REACHED",
              "Their TLS is another library's, and their servers are not under the policy;",
              ".Nm trustgraft Cm doctor", "and", ".Nm trustgraft Cm run", "say so.",
              *out_of_reach(unreached),
              ".Sh SEE ALSO", ".Xr trustgraft 1 ,", ".Xr trustgraft-preload 7 ,",
              ".Xr trustgraft-provider 7"]
    return "\n".join(lines) + "\n"
