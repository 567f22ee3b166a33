"""gnutls_own.py - GnuTLS's own tests, as Debian has its source: each ends under a policy for another host as it does without.

Those are taken that call what the preload library stands in for, and that one file makes a program of, with the library's
public functions alone.
"""
import concurrent.futures
import os
import re
import subprocess
import tempfile

from besides import Skip
from compat.fetch import Missing, apt_get, call
from lab.files import put

SECONDS = 12    # a test that takes longer without a policy isn't counted
AT_ONCE = 8     # most of them wait
AGAIN = 2       # times that a difference has to show once more: on a machine under load one may run out of time
ENOUGH = 100
ABOUT = re.compile(r"gnutls_handshake|HANDSHAKE|_crt_(list_)?verify|verify_(named_)?crt|verify_peers|check_(hostname|ip|email)\b")
HELPERS = ("utils.c", "utils-adv.c", "common-cert-key-exchange.c")
CONFIG = "".join(f"#define {name} 1\n" for name in (
    "_GNU_SOURCE", "HAVE_FORK", "HAVE_UNISTD_H", "HAVE_SYS_SOCKET_H", "HAVE_SYS_WAIT_H", "HAVE_DLFCN_H", "HAVE_CLOCK_GETTIME",
    "ENABLE_DTLS_SRTP", "ENABLE_ALPN", "ENABLE_PSK", "ENABLE_ANON", "ENABLE_DHE", "ENABLE_ECDHE", "ENABLE_SRP", "ENABLE_OCSP",
    "ENABLE_HEARTBEAT")) + "#define FALLTHROUGH __attribute__((fallthrough))\n#define attr_used __attribute__((unused))\n"
# Their connections are socketpairs, whose host nobody knows.
INERT = "[policy]\ninsecure-unknown-host = app\n[host elsewhere.test]\naction = reject\n"
ENVIRONMENT = {"srcdir": ".", "GNUTLS_SYSTEM_PRIORITY_FILE": "/dev/null", "GNUTLS_TEST_SUITE_RUN": "1"}


def source(folder):
    """The folder of the tests; Missing where Debian's archive can't be had."""
    tests = folder / "tests"
    if not tests.exists():
        with tempfile.TemporaryDirectory(dir=folder) as work:
            home = folder / work
            parts = ("debian bookworm", "debian-security bookworm-security")
            apt_get(home, parts, "update", "-o", "APT::Update::Error-Mode=any", kind="deb-src")
            apt_get(home, parts, "source", "--download-only", "gnutls28", kind="deb-src", cwd=home)
            archive, = home.glob("*.orig.tar.*z")
            call(["tar", "-xf", str(archive), "-C", work, "--strip-components=1", "--wildcards", "*/tests"])
            (home / "tests").rename(tests)
    return tests


def compiled(words):
    return subprocess.run([os.environ.get("CC", "cc"), "-w", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False).returncode == 0


def make(folder):
    """The programs that could be made, {name: path}."""
    tests, made = source(folder), folder / "made"
    made.mkdir(exist_ok=True)
    put(folder / "config.h", CONFIG)
    include = ["-I", folder, "-I", tests, "-include", "config.h"]
    objects = [made / f"{helper}.o" for helper in HELPERS]
    archive = made / "helpers.a"
    if not archive.exists():
        for helper, written in zip(HELPERS, objects):
            compiled([*include, "-c", tests / helper, "-o", written])
        subprocess.run(["ar", "rcs", archive, *(one for one in objects if one.exists())], check=True)

    def program(path):
        name = str(path.relative_to(tests))[:-2].replace("/", "-")
        there = (made / name).exists() or compiled(
            [*include, path, archive, "-o", made / name, "-lgnutls", "-lcmocka", "-lpthread", "-ldl"])
        return {name: made / name} if there else {}
    chosen = [path for path in sorted([*tests.glob("*.c"), *tests.glob("tls1*/*.c")]) if ABOUT.search(path.read_text("utf-8", "replace"))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return {name: path for each in pool.map(program, chosen) for name, path in each.items()}


def status(path, environment, folder):
    """None where it doesn't end in time."""
    with (folder / f"{path.name}.out").open("wb") as out:
        process = subprocess.Popen([path], cwd=folder / "tests", env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return None


def gnutls_tests(same):
    """What of them ends differently."""
    folder = same.folder / "gnutls"
    folder.mkdir(exist_ok=True)
    try:
        programs = make(folder)
    except Missing as why:
        raise Skip(str(why)) from why
    bare = same.environment | ENVIRONMENT
    inert = bare | {"LD_PRELOAD": str(same.preload), "TRUSTGRAFT_POLICY": str(put(folder / "inert.conf", INERT))}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        def results(environment, names):
            return dict(zip(names, pool.map(lambda name: status(programs[name], environment, folder), names)))
        wanted = {name: code for name, code in results(bare, list(programs)).items() if code is not None}
        found = results(inert, list(wanted))
        for _ in range(AGAIN):
            different = [name for name in wanted if wanted[name] != found[name]]
            wanted |= results(bare, different)
            found |= results(inert, different)
    good = sum(code == 0 for code in wanted.values())
    if good < ENOUGH:
        return f"        only {good} of {len(programs)} succeed bare: see {folder}"
    print(f"        gnutls: {len(wanted)} tests, of which {good} succeed bare, {len(programs) - len(wanted)} take too long", flush=True)
    return "\n".join(f"        {name}: {wanted[name]}, inert {found[name]}" for name in wanted if wanted[name] != found[name])
