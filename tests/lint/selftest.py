#!/usr/bin/python3
"""Each rule of source.py against a small tree that keeps it and one that breaks it."""
import contextlib
import io
import os
import shutil
import sys
import tempfile

import source
import tree

# What keeps every rule.
CLEAN = {
    "README.md": "See [memory](policy/base/mem.c), tg_mem_*, trustgraft(1) and tests/lint.\n",
    "Makefile": "# policy/base/mem.c comes first.\nall:\n" + "".join(
        line for line in open(os.path.join(os.path.dirname(__file__), "../../Makefile"), encoding="utf-8") if line.startswith("sees/")),
    "policy/trustgraft.h": "/* trustgraft.h - what programs see. */\nTG_API int tg_public(void);\n",
    "policy/trustgraft.1": ".Xr trustgraft 1\n",
    "policy/base/mem.h": "/* mem.h - memory. */\n#include <stddef.h>\n\n"
                         "/* SIZE bytes, for tg_mem_free, as malloc(3) and calloc() give; NULL: none (RFC 1). */\n"
                         "void *tg_mem_new(size_t size);\nvoid tg_mem_free(void *memory);\n",
    "policy/base/mem.c": '#include "mem.h"\n\nvoid *tg_mem_new(size_t size)\n{\n    return malloc(size);\n}\n\n'
                         "void tg_mem_free(void *memory)\n{\n    free(memory);\n}\n",
    "policy/rules/rule.h": '/* rule.h - a rule. */\n#include "mem.h"\nbool tg_rule(void);\n',
    "policy/rules/rule.c": '#include "rule.h"\n\nbool tg_rule(void)\n{\n    return true;\n}\n',
    "policy/trust/api.c": '/* api.c - the public functions. */\n#include "trustgraft.h"\n#include "rule.h"\n\n'
                          "int tg_public(void)\n{\n    return tg_rule();\n}\n",
    "policy/cli/main.c": '/* main.c - the command. */\n#include "rule.h"\n\n'
                         "int main(void)\n{\n    printf(\"x\");\n    exit(1);\n}\n",
    "preload/preload.map": "{ global: connect; local: *; };\n",
    "preload/ends.c": "/* ends.c - connections, see mem.c. */\nint connect(int fd)\n{\n    return fd;\n}\n\n"
                      'int mine(void) __asm__("connect");\nint mine(void)\n{\n    return 0;\n}\n',
    "tests/lint/run": "#!/bin/sh\n# run - as tests/lint/source.py says\n",
    "tests/lint/source.py": '"""source.py."""\n# As in mem.c.\n',
}
ENGINE = "policy/base/new.c"
HOOK = "policy/hook/new.c"
OPENING = "/* new.c - new. */\n"
FUNCTION = "\nstatic void long_one(void)\n{\n%s}\n"

# CHECK, the files that are added or take others' place (None: away), and the whole of what is found.
CASES = [
    ("arrows", {ENGINE: OPENING + '#include "rule.h"\n'},
     [ENGINE + ":2: rule.h: policy/base/ must not know policy/rules/rule.h"]),
    ("arrows", {"policy/language/lex.h": "\n", "policy/trust/new.c": OPENING + '#include "lex.h"\n'},
     ["policy/trust/new.c:2: lex.h: policy/trust/ must not know policy/language/lex.h"]),
    ("arrows", {"policy/hook/lib/lib.h": "\n", "policy/hook/process/new.c": '#include "lib.h"\n'},
     ["policy/hook/process/new.c:1: lib.h: policy/hook/process/ must not know policy/hook/lib/lib.h"]),
    ("arrows", {"preload/new.c": '#include "mem.h"\n'},
     ["preload/new.c:1: mem.h: preload/ must not know policy/base/mem.h"]),
    ("arrows", {"policy/cli/verb.h": "\n", "policy/cli/ui/new.c": '#include "verb.h"\n'},
     ["policy/cli/ui/new.c:1: verb.h: policy/cli/ui/ must not know policy/cli/verb.h"]),
    ("arrows", {ENGINE: '#include "none.h"\n'}, [ENGINE + ":1: none.h: there is no such header"]),
    ("arrows", {ENGINE: "#include <openssl/ssl.h>\n"},
     [ENGINE + ":1: openssl/ssl.h: policy/base/ knows libcrypto, not libssl"]),
    ("arrows", {"policy/more/new.c": OPENING},
     ["policy/more/new.c:1: policy/more: the Makefile doesn't say what this folder sees"]),
    ("circles", {"policy/rules/a.h": '#include "b.h"\n', "policy/rules/b.h": '#include "c.h"\n',
                 "policy/rules/c.h": '#include "a.h"\n'},
     ["policy/rules/a.h:1: policy/rules/a.h -> policy/rules/b.h -> policy/rules/c.h -> policy/rules/a.h: "
      "headers include each other in a circle",
      "policy/rules/a.h:1: policy/rules/a -> policy/rules/b -> policy/rules/c -> policy/rules/a: "
      "modules include each other in a circle"]),
    ("circles", {"policy/base/mem.c": '\n#include "other.h"\n', "policy/base/other.h": '#include "mem.h"\n'},
     ["policy/base/mem.c:2: policy/base/mem -> policy/base/other -> policy/base/mem: "
      "modules include each other in a circle"]),

    ("homes", {"policy/base/mem.h": "void *tg_mem_new(size_t size);\n",
               "policy/rules/rule.h": "bool tg_rule(void);\nvoid tg_mem_free(void *memory);\n"},
     ["policy/base/mem.c:8: tg_mem_free: declared in policy/rules/rule.h, not in mem.h"]),
    ("homes", {ENGINE: "__attribute__((format(printf, 1, 2))) const char *\ntg_new(const char *x, ...)\n{\n}\n"},
     [ENGINE + ":1: tg_new: declared in no header, not in new.h"]),
    ("homes", {"policy/base/new.h": "struct tg_new {\n    int (*run)(void);\n};\nint tg_gone(void), tg_a;\n"},
     ["policy/base/new.h:4: tg_gone: declared, but nothing defines it"]),
    ("homes", {"policy/base/new.h": "extern int tg_new;\nstatic inline int one(void)\n{\n    return 1;\n}\n"}, []),
    ("homes", {"policy/trustgraft.h": "TG_API int tg_public(void);\nvoid tg_mem_free(void *memory);\n"},
     ["policy/trust/api.c:5: tg_public: declared in policy/trustgraft.h, not in api.h",
      "policy/trustgraft.h:1: tg_public: declared by a header that has no .c of its name",
      "policy/trustgraft.h:2: tg_mem_free: declared by a header that has no .c of its name"]),
    ("homes", {"preload/preload.map": ""},
     ["preload/ends.c:2: connect: declared in no header, not in ends.h",
      "preload/ends.c:8: mine: declared in no header, not in ends.h"]),
    ("homes", {"policy/rules/rule.c": None, "policy/rules/other.c": CLEAN["policy/rules/rule.c"]},
     ["policy/rules/other.c:3: tg_rule: declared in policy/rules/rule.h, not in other.h",
      "policy/rules/rule.h:3: tg_rule: declared by a header that has no .c of its name"]),

    ("hosts", {HOOK: "/* exit(1) */ \"exit(1)\"\nexit(1);\n"},
     [HOOK + ":2: exit(: a library must not end or steer its host process"]),
    ("hosts", {HOOK: "getenv(x);\n"}, [HOOK + ":1: getenv(: secure_getenv, for set-uid programs"]),
    ("hosts", {HOOK: "open(x, O_RDONLY);\nopen(x, O_CLOEXEC);\n"}, [HOOK + ":1: open(: open with O_CLOEXEC"]),
    ("hosts", {HOOK: "flags = O_RDONLY;\n"}, [HOOK + ":1: flags =: open with O_CLOEXEC"]),
    ("hosts", {HOOK: 'fopen(x, "r");\nfopen(x, "re");\n'}, [HOOK + ':1: fopen(: fopen with "e"']),
    ("hosts", {HOOK: "socket(AF_INET, SOCK_STREAM, 0);\n"}, [HOOK + ":1: socket(: socket with SOCK_CLOEXEC"]),
    ("hosts", {"provider/new.c": "strcpy(a, b);\n"}, ["provider/new.c:1: strcpy(: not a safe function"]),
    ("hosts", {HOOK: "fprintf(stdout, x);\n"}, [HOOK + ":1: stdout: standard output is the host's"]),
    ("hosts", {ENGINE: "perror(x);\n"}, [ENGINE + ":1: perror: the engine prints nothing"]),
    ("hosts", {ENGINE: "secure_getenv(x);\n"},
     [ENGINE + ":1: secure_getenv(: the engine knows nothing of the environment"]),

    ("limits", {ENGINE: "\n" * 400}, []),
    ("limits", {ENGINE: "\n" * 401}, [ENGINE + ":401: 401 lines: a file has at most 400"]),
    ("limits", {"tests/unit/new.c": FUNCTION % ("x;\n" * 46)},
     ["tests/unit/new.c:2: long_one: 46 lines: a function has at most 45",
      "tests/lint/limits.py:1: 46 lines: nine of ten functions have at most 22"]),
    ("limits", {ENGINE: FUNCTION % ("x;\n" * 45)},
     ["tests/lint/limits.py:1: 45 lines: nine of ten functions have at most 22"]),
    ("limits", {f"policy/base/{number}.c": "" for number in range(38)}, []),
    ("limits", {f"policy/base/{number}.c": "" for number in range(39)},
     ["policy/base:1: 41 files: a folder has at most 40"]),

    ("links", {"README.md": "\n[a](policy) [b](none.c#x) [c](https://x.example/)\n"},
     ["README.md:2: none.c: leads nowhere"]),
    ("widths", {"policy/x.1": ".Dd x\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.Sh Z\n.Dl " + "w" * 80 + "\n"},
     ["policy/x.1: 91 columns: " + "w" * 80]),
    ("marks", {ENGINE: "\n// TO" "DO\n"}, [ENGINE + ":2: TO" "DO: finish it, or file it"]),

    ("names", {ENGINE: "/* new.c - as old.c has it. */\n"}, [ENGINE + ":1: old.c: no such file"]),
    ("names", {ENGINE: "/*\n * See POLICY.md and policy/none. */\n"},
     [ENGINE + ":2: POLICY.md: no such file", ENGINE + ":2: policy/none: no such file"]),
    ("names", {"README.md": "trustgraft.conf(5)\ntests/policies/NAME.conf\n"},
     ["README.md:1: trustgraft.conf(5): no such manual page"]),
    ("names", {"policy/trustgraft.1": ".Xr trustgraft-none 1\n"},
     ["policy/trustgraft.1:1: Xr trustgraft-none 1: no such manual page"]),
    ("names", {"Makefile": "all: # old.c\n"}, ["Makefile:1: old.c: no such file"]),
    ("names", {"tests/lint/run": "#!/bin/sh\n# tests/lint/old\n"}, ["tests/lint/run:2: tests/lint/old: no such file"]),
    ("names", {"tests/lint/source.py": 'x = "old.c"\n\n\ndef f():\n    """Like\n    old.py."""\n    # old.h\n'},
     ["tests/lint/source.py:6: old.py: no such file", "tests/lint/source.py:7: old.h: no such file"]),
    ("names", {ENGINE: "// tg_mem_old, tg_mem_*, tg_old_*, TG_OLD, tg_mem\n"},
     [f"{ENGINE}:1: {name}: no such name in the code that this comment may speak of"
      for name in ("TG_OLD", "tg_mem", "tg_mem_old", "tg_old_*")]),
    ("names", {ENGINE: "// tg_word of the command\n", "policy/cli/word.c": "int tg_word;\n"},
     [ENGINE + ":1: tg_word: no such name in the code that this comment may speak of"]),
    ("names", {ENGINE: "// tg_rule(), fetch_none() and SSL_nothing(3)\n"},
     [f"{ENGINE}:1: {name}: no such function in the code or in a system header"
      for name in ("SSL_nothing(3)", "fetch_none()")]),
    ("names", {"policy/base/mem.h": "/* COUNT bytes at HOST:PORT. */\nvoid *tg_mem_new(size_t size);\n"
                                    "#define tg_mem_free\n"},
     ["policy/base/mem.h:1: COUNT: no parameter of what stands below is called so"]),

    ("openings", {ENGINE: '#include "mem.h"\n'}, [ENGINE + ':1: new.c: no opening comment "new.c - what it is for"']),
    ("openings", {"policy/base/mem.h": "/* memory */\n"},
     ["policy/base/mem.h:1: mem.h: no opening comment \"mem.h - what it is for\""]),
    ("openings", {ENGINE: "/*\n * old.c - old. */\n"},
     [ENGINE + ":1: old.c: the opening comment bears the name of another file"]),
]


def write(files):
    for path, text in files.items():
        if text is not None:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


def find(check, files, work):
    """What CHECK finds in CLEAN with FILES, in an empty folder below WORK."""
    shutil.rmtree("tree", ignore_errors=True)
    os.makedirs("tree")
    os.chdir("tree")
    write({**CLEAN, **files})
    tree.forget()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        found = list(source.CHECKS[check]())
    os.chdir(work)
    assert (said.getvalue().count("\n") == 1) == (check == "limits"), f"{check} prints {said.getvalue()!r}"
    return found


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        for check, files, expected in [*((check, {}, []) for check in source.CHECKS), *CASES]:
            found = find(check, files, work)
            if found != expected:
                failed += 1
                print(f"tests/lint/selftest.py:1: {check} of {', '.join(files) or 'the clean tree'}: "
                      f"expected {expected}, found {found}")
        os.chdir("/")
    untried = set(source.CHECKS) - {check for check, _, _ in CASES}
    for check in sorted(untried):
        print(f"tests/lint/selftest.py:1: {check}: no tree here breaks it")
    sys.exit(1 if failed or untried else 0)


if __name__ == "__main__":
    main()
