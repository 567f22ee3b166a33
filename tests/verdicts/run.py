#!/usr/bin/python3
"""run.py --build DIR --pki DIR [--compiled] [FILTER] - asks `trustgraft verify --json` about every *.cases.

With --compiled each is asked a second time, of the policy's image, whose answer has to be the same.

A case begins with `== its name`; then `key: value` lines, and `| ` before each line of its policy.
A policy that doesn't open a section is the rule for the host. {NAME}, {fp NAME} and {pin NAME}
stand for a certificate's path, fingerprint and pin, {crl NAME} for the path of a CRL, and {known}
for a known-hosts file of what stands behind `#known ` in the policy's lines.

  host      HOST[:PORT]                               default: api.example.test
  chain     NAME: what that server sends; or A + B + C: these certificates, the leaf first
  app       what the application itself trusts        default: stranger-root
  time      days from now
  program   an executable's path
  staple    NAME: an OCSP answer of the test PKI
  tls       1.2 or 1.3                                default: not told
  expect    accept or reject, and the result where the policy language names it
  findings  all of them, NAME or NAME@DEPTH; with `...` at the end, at least these
  path      the names of its certificates, the leaf first
  x509      the code that an application sees
  pattern   of the rule that applied, or none
  mode      enforce or report                         default: enforce
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lab.pki import Pki                     # noqa: E402
from lab.scenario import moment             # noqa: E402
from lab.ways import clean_environment      # noqa: E402

KEYS = {"host", "chain", "app", "time", "program", "staple", "tls", "expect", "findings", "path", "x509",
        "pattern", "mode"}
WORKERS = 3
SECONDS = 120


def parse(path):
    """The cases of one file, as dictionaries."""
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("== "):
            cases.append({"name": f"{path.stem}: {line[3:]}", "policy": ""})
        elif line == "|" or line.startswith("| "):
            cases[-1]["policy"] += line[2:] + "\n"
        elif line and not line.startswith("#"):
            key, _, value = line.partition(":")
            if key not in KEYS or key in cases[-1]:
                raise SystemExit(f"{path}:{number}: {key}?")
            cases[-1][key] = value.strip()
    return cases


def policy_text(case):
    text = case["policy"]
    if text and not text.startswith("["):
        text = f"[host {case.get('host', 'api.example.test')}]\n{text}"
    return text


def timeless(answer):
    """It without what no two answers have in common."""
    return answer[0], re.sub(r'"time":"[^"]*"|"pid":\d+', "", answer[1]), answer[2]


class Bench:
    """Writes what a case needs, asks the command, and compares."""

    def __init__(self, build, pki, scratch, compiled):
        self.compiled = compiled
        self.command = str(pathlib.Path(build).resolve() / "trustgraft")
        self.pki, self.scratch = Pki(pki), pathlib.Path(scratch)

    def write(self, name, text):
        path = self.scratch / name
        path.write_text(text)
        path.chmod(0o644)
        return str(path)

    def chain(self, case, stem):
        names = [name.strip() for name in case["chain"].split("+")]
        if len(names) == 1:
            return str(self.pki.chain(names[0]))
        return self.write(f"{stem}.pem", "".join(self.pki.pem(name).read_text()
                                                 for name in names))

    def ask(self, case, stem):
        """(exit code, standard output, standard error) of the command."""
        text = policy_text(case)
        text = self.pki.expand(text, past=moment(-100), future=moment(500), yesterday=moment(-1), then=moment(-15),
                               tomorrow=moment(2),
                               known=self.pki.known_hosts(text, self.scratch))
        command = [self.command, "verify", "--json", "--policy", self.write(f"{stem}.conf", text),
                   "--host", case.get("host", "api.example.test"),
                   "--app-anchors", str(self.pki.pem(case.get("app", "stranger-root")))]
        if "time" in case:
            when = datetime.datetime.now() + datetime.timedelta(int(case["time"]))
            command += ["--time", str(int(when.timestamp()))]
        if "staple" in case:
            command += ["--staple", str(self.pki.staple(case["staple"]))]
        for option in ("program", "tls"):
            command += [f"--{option}", case[option]] if option in case else []
        command.append(self.chain(case, stem))
        answer = self.run(command)
        if not self.compiled:
            return answer
        wrote = self.run([self.command, "compile", f"{self.scratch}/{stem}.conf"])
        if not (self.scratch / f"{stem}.conf.compiled").exists():
            return wrote
        again = self.run(command)
        if timeless(again) != timeless(answer):
            return again[0], "", f"{answer}, but of the image {again}"
        return answer if self.is_used(stem) else (answer[0], "", "the image is not used")

    def is_used(self, stem):
        """Whether the answer came out of the image."""
        told = self.run([self.command, "explain", "--json", "-p", f"{self.scratch}/{stem}.conf", "any.test:1"])
        return json.loads(told[1])["compiled"]

    def run(self, command):
        done = subprocess.run(command, timeout=SECONDS, check=False, capture_output=True,
                              env=clean_environment(self.scratch))
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def complaints(self, case, number):
        """What is not as the case expects, a sentence each."""
        status, out, err = self.ask(case, f"case-{number}")
        try:
            got = json.loads(out)
        except ValueError:
            return [f"no JSON: exit {status}: {out}{err}"]
        verdict, *result = case["expect"].split()
        wanted = {"verdict": verdict, "mode": case.get("mode", "enforce")}
        wanted |= {"result": result[0]} if result else {}
        wanted |= {"x509_error": int(case["x509"])} if "x509" in case else {}
        found = [f"{key} is {got.get(key)}, not {value}" for key, value in wanted.items()
                 if got.get(key) != value]
        if status != (0 if verdict == "accept" else 1):
            found.append(f"exit code {status}")
        return found + self.details(case, got, verdict)

    def details(self, case, got, verdict):
        found = []
        wanted = [word.strip() for word in case.get("findings", "").split(",") if word.strip()]
        partly = wanted and wanted[-1] == "..."
        told = {form for one in got["findings"]
                for form in (one["name"], f"{one['name']}@{one['depth']}")}
        missing = [word for word in wanted if word != "..." and word not in told]
        extra = [one for one in got["findings"]
                 if not {one["name"], f"{one['name']}@{one['depth']}"} & set(wanted)]
        if missing or (extra and not partly and ("findings" in case or verdict == "accept")):
            found.append(f"findings are {got['findings']}, not {wanted}")
        path = [self.pki.names.get(one["sha256"], "?") for one in got["path"] or []]
        if "path" in case and path != [name.strip() for name in case["path"].split(",")]:
            found.append(f"path is {', '.join(path)}")
        pattern = got["rule"]["pattern"] if got["rule"] else "none"
        if case.get("pattern", pattern) != pattern:
            found.append(f"the rule is {pattern}")
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("--compiled", action="store_true", help="of images too")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    cases = [case for path in sorted(HERE.glob("*.cases")) for case in parse(path)
             if asked.filter in case["name"]]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="trustgraft-verdicts-") as scratch:
        os.chmod(scratch, 0o755)
        bench = Bench(asked.build, asked.pki, scratch, asked.compiled)
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            results = pool.map(bench.complaints, cases, range(len(cases)))
            for case, complaints in zip(cases, results):
                print("FAILED  " if complaints else "ok      ", case["name"], sep="")
                print(*(f"        {text}\n" for text in complaints), sep="", end="")
                failed += bool(complaints)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
