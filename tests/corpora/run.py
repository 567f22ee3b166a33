#!/usr/bin/python3
"""run.py --build DIR [--list] [FILTER] - puts third-party certificate chains to the engine.

Each case of the corpora (in TG_CORPORA, else ../shared/corpora beside the checkout; their README
says how they are written) is evaluated as an anchors-only rule, and by OpenSSL's own
X509_verify_cert with the same anchors, name, time and flags and X509_V_FLAG_PARTIAL_CHAIN. A case
passes where both say the same, or where differences.tsv has a row for it, which says why they
don't. What the policy language can't ask is counted apart. Whatever the engine accepts, OpenSSL
has to accept too once it is given just the certificates of that path.

FILTER is part of CORPUS/CASE; --list prints each case that differs, or can't be expressed.
"""
import argparse
import collections
import csv
import fnmatch
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TABLE = HERE / "differences.tsv"
CORPORA = ("openssl_verify", "pkits", "boringssl_chain", "mbedtls_x509", "badssl",
           "rustls_platform", "bettertls_nc")
SECONDS = 120

# Flags that a rule can say, with what it says; and those that say nothing to a verifier.
SAID = {"x509_strict", "crl_check", "crl_check_all", "no_check_time", "extended_crl", "use_deltas"}
SILENT = {"partial_chain", "trusted_first"}
PURPOSES = {"serverAuth", "any"}


def unsaid(case):
    """Why the policy language can't put this case, or None."""
    flags = [flag for flag in case["flags"]
             if flag not in SAID | SILENT and not flag.startswith("x-")]
    if case["purpose"] not in PURPOSES:
        return f"purpose {case['purpose']}: only tls-server and any exist"
    if flags:
        return f"flag {flags[0]}: no key stands for it"
    for key in ("email", "policies"):
        if key in case:
            return f"{key}: no key stands for it"
    # A limit that no path of these certificates can reach is none.
    if case.get("depth", 99) < len(case["untrusted"]) + len(case["trusted"]):
        return "depth: no key stands for it"
    return None


def line(name, case):
    """The case as evaluate.c reads it."""
    words = [("leaf", case["leaf"]), ("trusted", ",".join(case["trusted"])),
             ("untrusted", ",".join(case["untrusted"])), ("crls", ",".join(case.get("crls", ()))),
             ("host", case["host"]), ("ip", case["ip"]), ("time", case["time"]),
             ("purpose", case["purpose"]), ("level", case.get("auth_level", 0))]
    words += [("flag", flag) for flag in case["flags"] if flag in SAID]
    return "\t".join([f"case {name}", *(f"{key}={value}" for key, value in words
                                        if value not in (None, ""))]) + "\n"


class Difference:
    """A row of the table, and how many cases it explained."""

    def __init__(self, number, corpus, pattern, ours, openssl, reason):
        self.place, self.reason, self.used = f"{TABLE.name}:{number}", reason, 0
        self.pattern, self.ours, self.openssl = f"{corpus}/{pattern}", ours, openssl.split(",")

    def covers(self, name, ours, code):
        return (ours == self.ours and str(code) in self.openssl and
                fnmatch.fnmatchcase(name, self.pattern))


def differences():
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = []
    for number, row in enumerate(rows, 1):
        if not row or row[0].startswith("#"):
            continue
        *key, reason = row
        found.append(Difference(number, *key,
                                found[-1].reason if reason == "the same" else reason))
    return found


def where():
    """The folder of the corpora, or None after a sentence."""
    given = os.environ.get("TG_CORPORA")
    folder = pathlib.Path(given) if given else ROOT.parent / "shared" / "corpora"
    if all((folder / name / "cases.jsonl").is_file() for name in CORPORA):
        return folder
    print(f"skipped the corpora: {folder} doesn't hold them (TG_CORPORA names their folder)")
    return None


class Corpora:
    """The cases asked for, by name, and their blobs."""

    def __init__(self, folder, wanted):
        self.cases, self.blobs, self.baseline = {}, [], {}
        for corpus in CORPORA:
            with (folder / corpus / "cases.jsonl").open(encoding="utf-8") as file:
                cases = [json.loads(text) for text in file]
            cases = {f"{corpus}/{case['id']}": case for case in cases
                     if wanted in f"{corpus}/{case['id']}"}
            self.cases |= cases
            if cases:
                self.read_blobs(folder / corpus / "blobs.jsonl")
                self.read_baseline(corpus, folder / corpus / "baseline.tsv")
        self.unsaid = {name: why for name, case in self.cases.items() if (why := unsaid(case))}

    def read_blobs(self, path):
        with path.open(encoding="utf-8") as file:
            self.blobs += [f"{blob['t']} {blob['id']} {blob['b64']}\n"
                           for blob in map(json.loads, file)]

    def read_baseline(self, corpus, path):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                self.baseline[f"{corpus}/{row['id']}"] = int(row["partial_code"])

    def text(self):
        put = [line(name, case) for name, case in self.cases.items() if name not in self.unsaid]
        return "".join(dict.fromkeys(self.blobs)) + "".join(put)


Answer = collections.namedtuple("Answer", "ours openssl proof findings told")


def evaluate(program, text):
    """{case: Answer} of one run of the evaluator."""
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=False,
                          encoding="utf-8", timeout=SECONDS)
    answers = {}
    whole = done.stdout[:done.stdout.rfind("\n") + 1]
    for row in whole.splitlines():
        name, ours, code, proof, findings, told = row.split("\t")
        answers[name] = Answer(ours, int(code), proof, findings, told == "1")
    if done.returncode != 0:
        raise SystemExit(f"corpora: the evaluator ended with status {done.returncode} after "
                         f"{len(answers)} cases: {done.stderr.strip()[-2000:]}")
    return answers


def verdict(code):
    return "accept" if code == 0 else "reject"


class Judge:
    """Compares, case by case."""

    def __init__(self, corpora, answers, listing):
        self.corpora, self.answers, self.listing = corpora, answers, listing
        self.table, self.sums = differences(), collections.Counter()
        self.wrong, self.elsewhere = [], []

    def wrongs(self, name, answer):
        """What is wrong with the answer, or None; counts it under what it is."""
        corpus = name.split("/")[0]
        if answer.proof not in ("-", "0"):
            return f"accepts a path that OpenSSL refuses with {answer.proof}"
        if answer.ours == verdict(answer.openssl):
            self.sums[corpus, "same"] += 1
            self.sums[corpus, "told"] += answer.ours == "accept" or answer.told
            return None
        row = next((row for row in self.table
                    if row.covers(name, answer.ours, answer.openssl)), None)
        if row is None:
            return f"{answer.ours} ({answer.findings}), but OpenSSL says {answer.openssl}"
        row.used += 1
        self.sums[corpus, "deliberate"] += 1
        if self.listing:
            print(f"differs  {name}: {answer.ours} ({answer.findings}), OpenSSL "
                  f"{answer.openssl}: {row.reason}")
        return None

    def judge(self, name, case):
        corpus = name.split("/")[0]
        self.sums[corpus, "cases"] += 1
        if name in self.corpora.unsaid:
            self.sums[corpus, "unsaid"] += 1
            if self.listing:
                print(f"unsaid   {name}: {self.corpora.unsaid[name]}")
            return
        answer = self.answers.get(name)
        complaint = self.wrongs(name, answer) if answer else "no answer"
        if complaint:
            self.sums[corpus, "wrong"] += 1
            print(f"FAILED  {name}: {complaint}")
            return
        self.sums[corpus, "expected"] += answer.ours == case["expected"] or bool(case.get("soft"))
        if answer.openssl != self.corpora.baseline.get(name, answer.openssl):
            self.elsewhere.append(f"{name}: {self.corpora.baseline[name]} -> {answer.openssl}")

    def stale(self, whole):
        """Rows that explain nothing any more."""
        return [row for row in self.table if whole and not row.used]

    def print_table(self):
        heads = ("cases", "same", "told", "deliberate", "unsaid", "wrong", "expected")
        shown = ("cases", "same verdict", "same reason", "deliberately different",
                 "not expressible", "wrong", "as its source expects")
        print(f"{'corpus':16}", *(f"{head:>{len(head)}}" for head in shown), sep="  ")
        rows = [corpus for corpus in CORPORA if self.sums[corpus, "cases"]]
        for corpus in [*rows, "all"]:
            names = rows if corpus == "all" else [corpus]
            print(f"{corpus:16}", *(f"{sum(self.sums[name, head] for name in names):{len(text)}}"
                                    for head, text in zip(heads, shown)), sep="  ")


def print_reasons(judge, corpora):
    for why, count in collections.Counter(corpora.unsaid.values()).most_common():
        print(f"skipped {count} of the cases: {why}")
    reasons = collections.Counter()
    for row in judge.table:
        reasons[row.reason] += row.used
    for why, count in reasons.items():
        if count:
            print(f"different:       {count:4} {why}")
    for text in judge.elsewhere:
        print(f"this OpenSSL differs from the baseline's: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("filter", nargs="?", default="")
    asked = parser.parse_args()
    folder = where()
    if folder is None:
        print("0 passed, 0 failed, 1 skipped")
        return 0
    corpora = Corpora(folder, asked.filter)
    answers = evaluate(pathlib.Path(asked.build).resolve() / "tests/corpora/evaluate",
                       corpora.text())
    judge = Judge(corpora, answers, asked.list)
    for name, case in corpora.cases.items():
        judge.judge(name, case)
    stale = judge.stale(not asked.filter)
    for row in stale:
        print(f"FAILED  {row.place}: {row.pattern}: explains no case any more")
    print_reasons(judge, corpora)
    judge.print_table()
    failed = sum(judge.sums[corpus, "wrong"] for corpus in CORPORA) + len(stale)
    skipped = len(corpora.unsaid)
    print(f"{len(corpora.cases) - skipped - failed + len(stale)} passed, {failed} failed, "
          f"{skipped} skipped")
    return 1 if failed or not corpora.cases else 0


if __name__ == "__main__":
    sys.exit(main())
