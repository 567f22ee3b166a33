#!/usr/bin/python3
"""run.py --build DIR [NAME] - runs the commands that README.md shows, and those of the examples.

Each ```sh block is a script for `sh -eu` in a scratch folder that looks like the checkout,
with DIR as its build/. What a block leaves there, the next one finds. A ```text block after it
holds lines that its output must contain, in this order; `...` in a line stands for anything.
An ```ini block in an example is one of its policies, word for word. NAME picks pages by a part of
their path.
Blocks of nothing but `make GOAL` are .ci/run's to run: here the goals only have to exist.
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

BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.M | re.S)
GOALS = re.compile(r"(?:make [a-z]+ *(?:#.*)?\n)+")
TIMEOUT = 600  # seconds for one block
FOREIGN = ("LD_PRELOAD", "OPENSSL_CONF", "TRUSTGRAFT_POLICY", "SSL_CERT_FILE", "SSL_CERT_DIR",
           "CURL_CA_BUNDLE", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")


def blocks(text):
    """(line, script, expected lines) of each ```sh block."""
    found = []
    for match in BLOCK.finditer(text):
        if match[1] == "sh":
            found.append((text.count("\n", 0, match.start()) + 1, match[2], []))
        elif found:
            found[-1][2].extend(match[2].splitlines())
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


def run(script, scratch):
    """The status and output of SCRIPT; nothing that it started is left running."""
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    env |= {"HOME": scratch, "XDG_CONFIG_HOME": os.path.join(scratch, ".config"),
            "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryFile("w+", errors="replace") as out:
        process = subprocess.Popen(["sh", "-eu", "-c", script], cwd=scratch, env=env, stdout=out,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
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
        out.seek(0)
        return status, out.read()


def missing_line(expected, output):
    """The first of the EXPECTED lines that OUTPUT lacks, or None."""
    rest = iter(output.splitlines())
    for line in filter(None, expected):
        pattern = re.compile(".*".join(map(re.escape, line.strip().split("..."))) + r"\s*$")
        if not any(pattern.match(got.strip()) for got in rest):
            return line
    return None


def problem(script, expected, scratch, source):
    if GOALS.fullmatch(script):
        goals = re.findall(r"make ([a-z]+)", script)
        done = subprocess.run(["make", "-n", *goals], cwd=source, capture_output=True, text=True,
                              check=False)
        return done.stderr if done.returncode else None
    status, output = run(script, scratch)
    print(output, end="")
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
    """'ok' or 'FAILED' for each block of PAGE."""
    with open(os.path.join(source, page), encoding="utf-8") as file:
        text = file.read()
    example = page != "README.md"
    stray = unknown_policy(os.path.join(source, page), text) if example else None
    if stray or (example and not blocks(text)):
        print(f"FAILED: {page}: no file holds {stray!r}" if stray else f"FAILED: {page}: no command")
        yield "FAILED"
    with tempfile.TemporaryDirectory(prefix="trustgraft-readme-") as scratch:
        scratch_checkout(scratch, source, build)
        for line, script, expected in blocks(text):
            print(f"== {page}:{line}", flush=True)
            wrong = problem(script, expected, scratch, source)
            print(f"FAILED: {page}:{line}: {wrong}" if wrong else "ok", flush=True)
            yield "FAILED" if wrong else "ok"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("name", nargs="?", default="")
    options = parser.parse_args()
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    os.umask(0o022)
    pages = ["README.md", *sorted(glob.glob("examples/*/README.md", root_dir=source))]
    results = [result for page in pages if options.name in page
               for result in try_page(page, source, os.path.abspath(options.build))]
    print(f"{results.count('ok')} passed, {results.count('FAILED')} failed")
    sys.exit(1 if "FAILED" in results or "ok" not in results else 0)


if __name__ == "__main__":
    main()
