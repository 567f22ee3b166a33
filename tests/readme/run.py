#!/usr/bin/python3
"""run.py --build DIR [NAME] - runs the commands that README.md shows, and those of the examples.

Each ```sh block is a script for `sh -eu` in a scratch folder that looks like the checkout,
with DIR as its build/. What a block leaves there, the next one finds. A ```text block after it
holds lines that its output must contain, in this order; `...` in a line stands for anything.
A ```console block is held against its whole output, command by command: see transcript.py.
An ```ini block in an example is one of its policies, word for word. NAME picks pages by a part of
their path. Port 18443 of README.md stands for one that is free.
An example that takes minutes, or programs that no goal but `make programs` installs, runs where NAME
picks it. A script that ends with 77 was skipped: its last line says why.
Blocks of nothing but `make GOAL` are .ci/run's to run: here the goals only have to exist. The first
page has to name what `make demo` and `make check` install, and the goals of `make bench` as they are.
"""
import argparse
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import costs
import story
import transcript
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lab.servers import free_port                                          # noqa: E402

BLOCK = re.compile(r"^```(sh|text|console)\n(.*?)^```$", re.M | re.S)
GOALS = re.compile(r"(?:make [a-z]+ *(?:#.*)?\n)+")
PORT = "18443"
TIMEOUT = 600  # seconds for one block
SKIPPED = 77   # the status of a script, see examples/common.sh
SLOW = ("examples/ansible/README.md", "examples/containers/README.md")
FOREIGN = ("LD_PRELOAD", "OPENSSL_CONF", "TRUSTGRAFT_POLICY", "SSL_CERT_FILE", "SSL_CERT_DIR",
           "CURL_CA_BUNDLE", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")


class Skip(Exception):
    """Why a block was left out."""


def blocks(text):
    """(line, kind, script, expected lines) of each ```sh or ```console block."""
    found = []
    for match in BLOCK.finditer(text):
        if match[1] != "text":
            found.append((text.count("\n", 0, match.start()) + 1, match[1], match[2], []))
        elif found:
            found[-1][3].extend(match[2].splitlines())
    return found


def scratch_checkout(scratch, source, build):
    """
    Links to all of the checkout, so that what a block writes does not land in it; and a PKI of its
    own, for a policy believes nothing in a checkout whose folders the group can write (umask 002).
    """
    for name in os.listdir(source):
        if name not in ("build", ".git"):
            os.symlink(os.path.join(source, name), os.path.join(scratch, name))
    os.mkdir(os.path.join(scratch, "build"))
    for name in os.listdir(build):
        if name != "pki":
            os.symlink(os.path.join(build, name), os.path.join(scratch, "build", name))
    shutil.copytree(os.path.join(build, "pki"), os.path.join(scratch, "build", "pki"))


def to_file(command, **options):
    """Starts COMMAND with a file as its output: (the process, a function that returns the output)."""
    out = tempfile.TemporaryFile("w+", errors="replace")

    def output():
        with out:
            out.seek(0)
            return out.read()
    return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **options), output


def run(command, scratch, start=to_file):
    """The status and output of COMMAND; nothing that it started is left running."""
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    env |= {"HOME": scratch, "XDG_CONFIG_HOME": os.path.join(scratch, ".config"),
            "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    process, output = start(command, cwd=scratch, env=env, stdin=subprocess.DEVNULL,
                            start_new_session=True)
    try:
        status = process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        status = "none: it took too long"
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    return status, output()


def missing_line(expected, output):
    """The first of the EXPECTED lines that OUTPUT lacks, or None."""
    rest = iter(output.splitlines())
    for line in filter(None, expected):
        pattern = re.compile(".*".join(map(re.escape, line.strip().split("..."))) + r"\s*$")
        if not any(pattern.match(got.strip()) for got in rest):
            return line
    return None


def unknown_goal(script, source):
    goals = re.findall(r"make ([a-z]+)", script)
    done = subprocess.run(["make", "-n", *goals], cwd=source, capture_output=True, text=True,
                          check=False)
    return done.stderr if done.returncode else None


def attempt(page, line, *block):
    """'ok', 'FAILED' or 'skipped' for the block at LINE of PAGE."""
    try:
        wrong = problem(*block)
    except Skip as why:
        print(f"skipped {page}: {why}", flush=True)
        return "skipped"
    print(f"FAILED: {page}:{line}: {wrong}" if wrong else "ok", flush=True)
    return "FAILED" if wrong else "ok"


def problem(kind, script, expected, scratch, source):
    if GOALS.fullmatch(script):
        return unknown_goal(script, source)
    if kind == "console":
        commands = [command for command, _ in transcript.steps(script)]
        status, output = run(["sh", "-c", transcript.script(commands)], scratch,
                             transcript.on_terminal)
        print(output.replace(transcript.MARK, "--"), end="")
        return transcript.problem(output, script)
    status, output = run(["sh", "-eu", "-c", script], scratch)
    print(output, end="")
    if status == SKIPPED:
        raise Skip(output.splitlines()[-1].removeprefix("skipped: "))
    if status != 0:
        return f"exit status {status}"
    line = missing_line(expected, output)
    return f"the output lacks (in this order): {line}" if line else None


def unknown_policy(page, text):
    """The first ```ini block of PAGE that isn't in a file beside it, or None."""
    files = [open(path, encoding="utf-8").read()
             for path in glob.glob(os.path.join(os.path.dirname(page), "**/*.*"), recursive=True)
             if os.path.isfile(path) and path != page]
    shown = re.findall(r"^```ini\n(.*?)^```$", text, re.M | re.S)
    return next((block for block in shown if not any(block in file for file in files)), None)


def try_page(page, source, build):
    """'ok', 'FAILED' or 'skipped' for each block of PAGE."""
    with open(os.path.join(source, page), encoding="utf-8") as file:
        text = file.read()
    example = page != "README.md"
    stray = unknown_policy(os.path.join(source, page), text) if example else None
    if stray or (example and not blocks(text)):
        print(f"FAILED: {page}: no file holds {stray!r}" if stray else f"FAILED: {page}: no command")
        yield "FAILED"
    with tempfile.TemporaryDirectory(prefix="trustgraft-readme-") as scratch:
        scratch_checkout(scratch, source, build)
        for line, kind, script, expected in blocks(text.replace(PORT, str(free_port()))):
            print(f"== {page}:{line}", flush=True)
            yield attempt(page, line, kind, script, expected, scratch, source)


def lacks(text, source):
    """The packages that a goal installs and README.md, TEXT, doesn't name."""
    setup = subprocess.run(["sed", "-n", "/<<'END'/,/^END/p", "tests/setup"], cwd=source, check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    needs = re.findall(r"^([a-z,]+) +([\w.+-]+) ", setup, re.M)
    told = re.findall(r"[\w.+-]*\w", text)
    for goals, package in needs:
        if {"all", "demo", "check"} & set(goals.split(",")) and package not in told:
            yield f"the package {package}, which make {goals} installs"
    if not needs:
        yield "any package"


def try_front(source):
    with open(os.path.join(source, "README.md"), encoding="utf-8") as file:
        text = file.read()
    missing = list(lacks(text, source))
    print("\n".join(f"FAILED: README.md lacks {what}" for what in missing) or "== README.md\nok",
          flush=True)
    yield "FAILED" if missing else "ok"
    yield from costs.try_all(text)
    yield from story.try_all()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("name", nargs="?", default="")
    options = parser.parse_args()
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    os.umask(0o022)
    pages = ["README.md", *sorted(glob.glob("examples/*/README.md", root_dir=source))]
    results = [result for page in pages if options.name in page and (options.name or page not in SLOW)
               for result in try_page(page, source, os.path.abspath(options.build))]
    for page in SLOW if not options.name else ():
        print(f"skipped {page}: `make programs` runs it")
        results.append("skipped")
    if options.name in "README.md":
        results += try_front(source)
    print(f"{results.count('ok')} passed, {results.count('FAILED')} failed, {results.count('skipped')} skipped")
    sys.exit(1 if "FAILED" in results or not results else 0)


if __name__ == "__main__":
    main()
