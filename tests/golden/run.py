#!/usr/bin/python3
"""run.py --build DIR --pki DIR [--update] [FILTER] - what users read, word for word.

Each NAME.golden asks one question and holds the answers: of `trustgraft verify`, of its --json,
and of the log of a real program that met a real server under the same policy. A change of wording
or order shows as a difference; --update writes the new answers into the files. There has to be one
for each finding of policy/rules/finding.c, called after it.

A file begins with `key: value` lines and the policy, `| ` before each line; one that doesn't open
a section is the rule for the host. {NAME} and the like stand for the test PKI (lab/pki.py), {known} for
a known-hosts file of what stands behind `#known ` in the policy's lines.

  host      the name that is dialled                  default: api.example.test
  chain     NAME: what that server sends
  app       what the application itself trusts        default: stranger-root
  staple    NAME: an OCSP answer of the test PKI
  tls       1.2 or 1.3: the only version of the server  default: 1.3
  program   curl or openssl: whose log it is          default: openssl
  log       none: there is no line in it              default: one
  server    raw: sends what no TLS library would, in TLS 1.2; default: a real one

Answers are the same on each machine and day, because these words are put in before comparing:

  DATE         a time as RFC 3339 writes it, unless it is the end of a policy's line
  <NAME>       a fingerprint or pin of the test PKI: the first certificate that has it
  POLICY       the path of the policy, PORT the server's, PROGRAM the executable's, [PID] its pid
  FILE(NAME)   the path of a file of the test PKI, KNOWN that of the known-hosts file

The JSON is indented, in the order that it came. The log's JSON has to be the same as verify's.
"""
import argparse
import base64
import concurrent.futures
import difflib
import json
import pathlib
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
from lab import clients, ways           # noqa: E402
from lab.lab import Lab                 # noqa: E402
from lab.scenario import moment         # noqa: E402

KEYS = {"host", "chain", "app", "staple", "tls", "program", "log", "server"}
PARTS = ("text", "json", "log")
WORKERS = 3
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# The log is on, and its lines are as many in either format, so that rules stand where they stood.
HEAD = "[policy]\nlog = stderr\nlog-level = all\nlog-format = {format}\n"


class Case:
    """One file: the question, and the answers it holds."""

    def __init__(self, path):
        self.path, self.name = path, path.stem
        self.question, _, answers = path.read_text(encoding="utf-8").partition("--- ")
        parts = re.split(r"(?m)^--- (\w+)\n", f"--- {answers}")[1:]
        self.answers = dict(zip(parts[::2], parts[1::2]))
        self.policy = "".join(line[2:] for line in self.question.splitlines(True)
                              if line.startswith("| "))
        self.keys = dict(re.findall(r"(?m)^(\w+): +(.*)$", self.question))
        if set(self.keys) - KEYS or "chain" not in self.keys:
            raise SystemExit(f"{path}: {', '.join(set(self.keys) - KEYS) or 'no chain'}?")
        self.host = self.keys.get("host", "api.example.test")

    def policy_text(self, log_format):
        text = self.policy.removeprefix("[policy]\n")  # HEAD has opened it
        if text == self.policy and not text.startswith("["):
            text = f"[host {self.host}]\n{text}"
        return HEAD.format(format=log_format) + text

    @property
    def leaf(self):
        return self.keys["chain"]

    @property
    def server(self):
        """What lab/serve.py calls it, or this case's name where it has a server of its own."""
        if "staple" in self.keys or "server" in self.keys:
            return self.name
        return f"{self.leaf}/1.2" if self.keys.get("tls") == "1.2" else self.leaf

    def text(self, answers):
        return self.question + "".join(f"--- {part}\n{answers[part]}" for part in PARTS)


def certificates(path):
    """The DER of each certificate in a PEM file."""
    return [base64.b64decode(body) for body in re.findall(
        r"-----BEGIN CERTIFICATE-----(.*?)-----END", path.read_text(), re.S)]


def start(lab, cases):
    """The servers of all cases."""
    own = [case for case in cases if case.server == case.name]
    lab.servers.python(case.server for case in cases if case not in own)
    for case in own:
        if "staple" in case.keys:
            lab.servers.openssl(case.name, "-status_file", str(lab.pki.staple(case.keys["staple"])),
                                leaf=case.leaf)
        else:
            lab.servers.raw(case.name, certificates(lab.pki.chain(case.leaf)))


class Normal:
    """The documented filter for one case."""

    def __init__(self, lab, case, policies):
        self.words = [(str(policy), "POLICY") for policy in policies]
        self.words += [(f"{lab.pki.directory}/", "FILE/")]
        self.words += [(f":{lab.servers.ports[case.server]}", ":PORT")]
        for names in (lab.pki.fingerprints, lab.pki.pins):
            for name, value in reversed(names.items()):
                self.words += [(value, f"{value[:7]}<{name}>")]
        self.names = {value[7:]: f"<{name}>" for values in (lab.pki.fingerprints, lab.pki.pins)
                      for name, value in reversed(values.items())}

    def text(self, text):
        for old, new in dict(self.words).items():
            text = text.replace(old, new)
        text = re.sub(r"FILE/([\w-]+)\.\w+", r"FILE(\1)", text)
        text = re.sub(r"[\w/.-]+/[0-9a-f]{16}\.known\b", "KNOWN", text)
        text = re.sub(r"(?m)^(trustgraft: [\w.]+)\[\d+\]", r"\1[PID]", text)
        return TIME.sub("DATE", text)

    def json(self, text):
        """One line of JSON, indented; {"error": the line} where it is none."""
        def value(key, old):
            if key in ("pid", "port") and isinstance(old, int):
                return key.upper()
            if key == "program":
                return "PROGRAM"
            if isinstance(old, str):
                return self.names.get(old.removeprefix("sha256/"), self.text(old))
            return old
        try:
            got = json.loads(text, object_pairs_hook=lambda pairs: {
                key: value(key, old) for key, old in pairs})
        except ValueError:
            got = {"error": text}
        return json.dumps(got, indent=1, ensure_ascii=False) + "\n"


def ask(lab, case, policy, *more):
    """What `trustgraft verify` prints, or, of a policy with errors, its complaint; and its JSON
    that of `trustgraft check`."""
    command = [str(lab.build.command), "verify", "--policy", str(policy), "--host",
               f"{case.host}:{lab.servers.ports[case.server]}",
               "--tls", case.keys.get("tls", "1.3"),
               "--app-anchors", str(lab.pki.pem(case.keys.get("app", "stranger-root"))),
               "--program", shutil.which(case.keys.get("program", "openssl")) or "/nowhere"]
    if "staple" in case.keys:
        command += ["--staple", str(lab.pki.staple(case.keys["staple"]))]
    _, out, err = lab.run([*command, *more, str(lab.pki.chain(case.leaf))])
    if not out and more:
        _, out, err = lab.run([str(lab.build.command), "check", *more, str(policy)])
    return out or err


def meet(lab, case, policy, json_log):
    """The log of the real program's one connection."""
    if case.keys.get("log") == "none":
        return ""
    target = lab.target(case.server, case.host, case.keys.get("app", "stranger-root"),
                        insecure=True)
    outcome = lab.get_raw(case.keys.get("program", "openssl"), ways.PRELOAD, target, policy)
    if not json_log:
        return "".join(f"{line}\n" for line in outcome.log) or outcome.said + "\n"
    lines = [line for line in outcome.stderr.splitlines() if line.startswith('{"time"')]
    return lines[0] if len(lines) == 1 else outcome.said


def answer(lab, case):
    """The answers of this build, and what the log's JSON says if it isn't the same."""
    extra = {"past": moment(-100), "future": moment(500)}
    text, js = (lab.policy(case.policy_text(form), **extra) for form in ("text", "json"))
    normal = Normal(lab, case, (text, js))
    answers = {"text": normal.text(ask(lab, case, text)),
               "json": normal.json(ask(lab, case, text, "--json")),
               "log": normal.text(meet(lab, case, text, False))}
    if '"verdict"' not in answers["json"] or case.keys.get("log") == "none":
        return answers, ""
    logged = normal.json(meet(lab, case, js, True))
    return answers, logged if logged != answers["json"] else ""


def difference(old, new, title):
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"{title} (golden)",
                                 f"{title} (now)", lineterm="")
    return "".join(f"        {line}\n" for line in lines)


def compare(lab, case, update):
    """Prints how the case went; True if well."""
    answers, logged = answer(lab, case)
    complaints = (difference(answers["json"], logged, f"{case.name}: the log's JSON")
                  if logged else "")
    if update and case.text(answers) != case.path.read_text(encoding="utf-8"):
        case.path.write_text(case.text(answers), encoding="utf-8")
        print(f"updated {case.path.name}")
    elif not update:
        complaints += "".join(difference(case.answers.get(part, ""), answers[part],
                                         f"{case.name}: {part}") for part in PARTS)
    print(f"{'FAILED  ' if complaints else 'ok      '}{case.name}\n{complaints}", end="")
    return not complaints


def kinds():
    """The findings of the engine's table."""
    table = (ROOT / "policy" / "rules" / "finding.c").read_text(encoding="utf-8")
    found = re.findall(r'\[TG_\w+\] = \{\s*"([\w-]+)"', table)
    if len(found) < 20:
        raise SystemExit("golden: policy/rules/finding.c does not read as it used to")
    return found


# No chain makes it, a policy with an error does: the log is the only place that has its name.
UNREACHED = {"policy-invalid": ("log",)}
# Of these only a connection tells, and verify is told the host: tests/e2e/identity.py has the words.
MET = {"host-unknown"}


def lacking(cases):
    """A complaint for each finding whose golden file is missing or does not show it."""
    by_name = {case.name: case for case in cases}
    for kind in kinds():
        if kind in MET:
            continue
        if kind not in by_name:
            yield f"{kind}: {kind}.golden is missing"
        elif not all(kind in by_name[kind].answers.get(part, "")
                     for part in UNREACHED.get(kind, PARTS)):
            yield f"{kind}: {kind}.golden does not show it"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--pki", default="build/pki")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    cases = [case for path in sorted(HERE.glob("*.golden")) if asked.filter in path.stem
             for case in [Case(path)]]
    with Lab(asked.build, asked.pki) as lab:
        start(lab, cases)
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            good = list(pool.map(lambda case: compare(lab, case, asked.update), cases))
    missing = list(lacking(map(Case, sorted(HERE.glob("*.golden")))))
    print(*(f"FAILED  {text}\n" for text in missing), sep="", end="")
    print(f"{sum(good)} passed, {len(good) - sum(good) + len(missing)} failed")
    return 1 if missing or not good or not all(good) else 0


if __name__ == "__main__":
    sys.exit(main())
