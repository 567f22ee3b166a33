"""besides.py - what transcripts don't show: that bundles are indexed at all, leaks, and Python's own tests."""
import concurrent.futures
import re
import shutil
import subprocess
import xml.etree.ElementTree

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
SECONDS = 900  # only stops what hangs
# What OpenSSL does without a lock in its own atomics is not to be seen from outside of it.
TSAN = {"TSAN_OPTIONS": "ignore_noninstrumented_modules=1"}
INDEXED, OFF, BARE = "indexed", "switched off", "bare"


class Skip(Exception):
    """The machine lacks something; the text says what."""


def are_there(corpora):
    """Whether the scripts of the corpora were among those that ran."""
    if not any(corpora.glob("*/cases.jsonl")):
        raise Skip(f"{corpora} doesn't hold them (TG_CORPORA names their folder)")
    return ""


def is_indexed(same):
    """Else all the others would compare OpenSSL with itself: a bundle that is loaded takes a third of the memory at most."""
    grown = {}
    for way in (BARE, INDEXED, OFF):
        told = same.transcript("memory", [("memory", ["store 0", "heap", f"load-file 0 {BUNDLE}", "heap", "count 0"])], way)["memory"]
        before, after = map(int, re.findall(r"^heap (\d+)", told, re.M))
        grown[way] = after - before
    if grown[INDEXED] * 3 > grown[BARE] or grown[OFF] * 4 < grown[BARE] * 3:
        return f"        bytes that loading takes: {grown}"
    return ""


def grows(same):
    """A program may load the same file again for each of its connections: nothing is added, or to be searched."""
    steps = ["store 0", *["load-file 0 " + BUNDLE] * 2, "heap", *["load-file 0 " + BUNDLE] * 200, "heap", "count 0"]
    told = same.transcript("again", [("again", steps)], INDEXED)["again"]
    before, after = map(int, re.findall(r"^heap (\d+)", told, re.M))
    return f"        {after - before} bytes for 200 times the same" if after - before > 2000 else ""


def leaks(same, scripts):
    """valgrind's sums of one run, to its very end."""
    if not shutil.which("valgrind"):
        raise Skip("there is no valgrind")
    path = same.write("valgrind", [*scripts, ("the-end", ["cleanup"])])

    def sums(way):
        log = path.with_suffix(f".valgrind-{way}")
        done = subprocess.run(["valgrind", "--leak-check=full", "--child-silent-after-fork=yes", f"--log-file={log}", same.ask, path],
                              env=same.environment_of(way), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        text = log.read_text(errors="backslashreplace")
        lost = [int(found.replace(",", "")) for found in re.findall(r"(?:definitely|indirectly) lost: ([\d,]+) bytes", text)]
        errors = int(re.findall(r"ERROR SUMMARY: (\d+) errors", text)[-1])
        return done.stdout, done.returncode, sum(lost), errors, log
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bare, indexed = pool.map(sums, (BARE, INDEXED))
    if indexed[:2] != bare[:2]:
        return f"        under valgrind: status {bare[1]} and {indexed[1]}, or what they print differs: {path}"
    if indexed[2] > bare[2] or indexed[3] > bare[3]:
        return f"        lost {indexed[2]} bytes, {indexed[3]} errors; bare {bare[2]}, {bare[3]}: {indexed[4]}"
    return ""


def races(same, scripts):
    """The same of threads under ThreadSanitizer, with a library and an engine that are made for it."""
    transcripts = []
    for way in (BARE, INDEXED):
        raced = same.raced()
        path = raced.write(f"raced-{way}", scripts)
        done = subprocess.run([raced.ask, path], env=raced.environment_of(way) | TSAN, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=SECONDS, check=False)
        told = done.stderr.decode(errors="backslashreplace")
        if "unexpected memory mapping" in told:
            raise Skip("ThreadSanitizer can't run on this kernel's memory layout")
        if done.returncode != 0 or "WARNING: ThreadSanitizer" in told:
            return f"        {way}: status {done.returncode}: {told[:3000]}"
        transcripts.append(done.stdout)
    return "" if transcripts[0] == transcripts[1] else f"        what they print differs: {path}"


def python_tests(same):
    """CPython's own tests of its ssl module: each ends as it does without."""
    have = subprocess.run(["/usr/bin/python3", "-c", "import test.test_ssl"], capture_output=True, check=False)
    if have.returncode != 0:
        raise Skip("there is no test.test_ssl")

    def results(way):
        folder = same.folder / f"python-{way}"
        folder.mkdir(exist_ok=True)
        (folder / "results.xml").write_text("<none/>")
        done = subprocess.run(["/usr/bin/python3", "-m", "test", "-v", "--junit-xml", "results.xml", "test_ssl"], cwd=folder, env=same.environment_of(way),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                              check=False)
        (folder / "output").write_bytes(done.stdout)
        cases = xml.etree.ElementTree.parse(folder / "results.xml").iter("testcase")
        return {case.get("name"): " ".join(sorted({case.get("result"), *(child.tag for child in case)} - {"system-out", "system-err"}))
                for case in cases}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bare, indexed = pool.map(results, (BARE, INDEXED))
    if len(bare) < 100:
        return f"        only {len(bare)} tests of test_ssl are found: see {same.folder}/python-bare"
    return "\n".join(f"        {name}: {bare.get(name)}, indexed {indexed.get(name)}"
                     for name in {**bare, **indexed} if bare.get(name) != indexed.get(name))
