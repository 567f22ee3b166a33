#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - a part of `make compat`: what `make musl` has built, in musl's loader.

What curl and `openssl s_client` do there is told by the rows of tests/compat.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from compat import musl, place                                             # noqa: E402
from e2e.harness import Skip, require, suite                               # noqa: E402
from lab import ways                                              # noqa: E402

SOURCE = HERE.parent.parent
ACCEPT = "[host localhost]\nanchors = {root}\nhostname = api.example.test\n"
REFUSE = "[host localhost]\nanchors = {root}\nleaf-pin = {pin api-other}\nhostname = api.example.test\n"
NAMED = "[host api.example.test]\nanchors = {root}\n"
PINNED = "[host api.example.test]\nanchors = {root}\nleaf-pin = {pin api-other}\n"
OPENSSL, LIBC, ENGINE = "libcrypto.so.3", "libc.so", "libtrustgraft.so.0"
NEEDED = {ENGINE: {LIBC, OPENSSL}, "libtrustgraft-inside.so.0": {LIBC}, "libtrustgraft-preload.so": {LIBC},
          "ossl-modules/trustgraft.so": {LIBC, OPENSSL, ENGINE}, "trustgraft": {LIBC, OPENSSL, "libssl.so.3"}}
HELLO = "hello from api"


def start(lab):
    try:
        lab.musl = musl.build_of(lab)
    except place.Missing as why:
        raise SystemExit(f"musl: {why}") from why
    lab.system = lab.musl.directory / "system"
    lab.servers.python(("api",))


def inside(lab, *command, environment=None):
    """(status, output, error output) of COMMAND in the system with musl."""
    try:
        where = musl.at(lab, "curl")
    except place.Missing as why:
        raise Skip(str(why)) from why
    return where.run(lab, list(map(str, command)), environment)


def tool(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout


def symbols(path, option):
    """The dynamic symbols of PATH that it defines, or asks others for and can't do without."""
    lines = (line.split() for line in tool("nm", "-D", option, path).splitlines())
    return {words[-1].partition("@")[0] for words in lines if words[-2] not in ("w", "v", "A")}


# ---- what was linked ------------------------------------------------------------------------------


def needed_test(lab):
    """Nothing of glibc, and no library that the same file doesn't need with glibc."""
    for name, wanted in NEEDED.items():
        path = lab.musl.directory / name
        found = set(re.findall(r"NEEDED.*\[(.*)\]", tool("readelf", "-dW", path)))
        require(found == wanted, f"{name} needs {found}")
        require("GLIBC_" not in tool("readelf", "-VW", path), f"{name} asks for a glibc")
    require("/lib/ld-musl-" in tool("readelf", "-lW", lab.musl.command), "another loader's")


def isolation_test(lab):
    """
    musl has no RTLD_DEEPBIND, so that whatever the process has in the global scope comes first: the
    libcrypto of the engine inside is shown to nobody, and no name of it is left to be looked up.
    """
    engine = lab.musl.directory / "libtrustgraft-inside.so.0"
    libc, crypto = (symbols(lab.system / place, "--defined-only") for place in
                    ("lib/ld-musl-x86_64.so.1", f"usr/lib/{OPENSSL}"))
    shown, wanted = symbols(engine, "--defined-only"), symbols(engine, "--undefined-only")
    require(shown and all(name.startswith("tg_inject_") for name in shown), f"it shows {sorted(shown)}")
    require(wanted and wanted <= libc, f"it wants of others than libc: {sorted(wanted - libc)}")
    require("X509_verify_cert" in crypto and not wanted & crypto, f"it wants of a libcrypto: {wanted & crypto}")
    require("SYMBOLIC" in tool("readelf", "-dW", engine), "its own names are looked up")
    bound = set(re.findall(r"(?m)^[0-9a-f]+ +[0-9a-f]+ R_\S+ +[0-9a-f]+ (\w+)", tool("readelf", "-rW", engine)))
    weak = bound - wanted
    require(wanted <= bound and not weak & (shown | crypto), f"names bound by the loader: {sorted(weak)}")
    inside = re.findall(r"FUNC +(\w+) +\w+ +\d+ X509_verify_cert$", tool("readelf", "-sW", engine), re.M)
    require(inside == ["LOCAL"], f"its X509_verify_cert is {inside}")


# ---- which engine -------------------------------------------------------------------------------------


def part(lab, name, *libraries):
    """A folder with the preload library and some of what belongs beside it."""
    folder = lab.scratch / name
    folder.mkdir()
    for library in ("libtrustgraft-preload.so", *libraries):
        shutil.copy(lab.musl.directory / library, folder)
    return folder / "libtrustgraft-preload.so"


def fetch(lab, preload, policy, *options, settings="/dev/null"):
    """curl's (status, output, error output), with the libraries PRELOAD, and SETTINGS of OpenSSL's."""
    return inside(lab, "curl", "-sS", "--noproxy", "*", *options, f"https://localhost:{lab.servers.ports['api']}/hello",
                  environment={"LD_PRELOAD": ":".join(map(str, preload)), "TRUSTGRAFT_POLICY": str(lab.policy(policy)),
                               "OPENSSL_CONF": str(settings)})


def compiled_decoy(lab):
    return musl.compiled(lab, "decoy", "-shared", "-fPIC")


def engine_inside_test(lab):
    """Where the global scope has another libcrypto's function, the engine inside serves; and it alone."""
    decoy = compiled_decoy(lab)
    alone = part(lab, "alone", "libtrustgraft-inside.so.0")
    linked = part(lab, "linked", ENGINE)
    for options in ((), ("-k",)):
        status, out, err = fetch(lab, (alone, decoy), ACCEPT, *options)
        require(status == 0 and HELLO in out, f"exit {status}: {out}{err}")
        status, out, err = fetch(lab, (alone, decoy), REFUSE, *options)
        require(status == 60 and "leaf-pin-mismatch" in err, f"exit {status}: {out}{err}")
        for preload in ((linked, decoy), (alone,)):
            status, out, err = fetch(lab, preload, ACCEPT, *options)
            require(status not in (0, None) and HELLO not in out and "no TLS in this process" in err,
                    f"{preload}: exit {status}: {out}{err}")
    status, out, err = fetch(lab, (linked,), ACCEPT)
    require(status == 0 and HELLO in out, f"exit {status}: {out}{err}")


def both_ways_test(lab):
    """Preload library and provider in one process, each with an engine at hand: one of these serves."""
    decoy = compiled_decoy(lab)
    for preload in ((lab.musl.preload,), (part(lab, "beside", "libtrustgraft-inside.so.0"), decoy)):
        for policy, wanted in ((ACCEPT, 0), (REFUSE, 60)):
            status, out, err = fetch(lab, preload, policy, "-k", settings=lab.musl.openssl_cnf)
            require(status == wanted and (HELLO in out) == (wanted == 0), f"{preload} {policy}: exit {status}: {out}{err}")
            require(len(re.findall(r"(?m)^trustgraft: .*leaf-pin-mismatch", err)) == (wanted != 0), f"judged by both: {err}")


def thread_test(lab):
    """In a thread with no more stack than musl gives."""
    thread = musl.compiled(lab, "thread", "-lssl", "-lcrypto", f"-Wl,-rpath-link,{lab.system}/usr/lib")
    port = lab.servers.ports["api"]
    for policy, cafile, wanted in ((NAMED, None, 0), (PINNED, None, 1), (NAMED, "stranger-root", 0), (PINNED, "root", 1)):
        for way in ways.WAYS:
            words = [thread, port, "api.example.test", *([lab.pki.pem(cafile)] if cafile else [])]
            status, out, err = inside(lab, *ways.by_command(lab.musl, way, words, lab.policy(policy)))
            require(status == wanted and (HELLO in out) == (wanted == 0), f"{way} {policy} {cafile}: exit {status}: {out}{err}")
            require(wanted == 0 or "leaf-pin-mismatch" in err, f"{way}: {out}{err}")


# ---- the command ----------------------------------------------------------------------------------


def command_test(lab):
    port, command = lab.servers.ports["api"], lab.musl.command
    good, bad = lab.policy(ACCEPT), lab.policy(REFUSE)
    for policy, wanted, text in ((good, 0, "accept localhost"), (bad, 1, "leaf-pin-mismatch")):
        status, out, err = inside(lab, command, "explain", "--connect", "-p", policy, f"localhost:{port}")
        require(status == wanted and text in out, f"explain: exit {status}: {out}{err}")
    status, out, err = inside(lab, command, "enable", "--preload", "--yes")
    require(status == 2 and "reads no /etc/ld.so.preload" in err, f"enable: exit {status}: {out}{err}")
    named = lab.system / "etc/ld.so.preload"
    require(not named.exists(), "there is an /etc/ld.so.preload")
    named.write_text(f"{lab.musl.preload}\n")
    status, out, err = inside(lab, command, "doctor", "-p", good, "curl")
    named.unlink()
    require(status == 0 and f"the preload library takes {ENGINE}" in out, f"doctor: exit {status}: {out}{err}")
    require("all programs" not in out, f"it believes in /etc/ld.so.preload: {out}")


def other_libc_test(lab):
    """A program for glibc isn't started, whatever is installed beside it."""
    libraries = f"{lab.system}/usr/lib"
    for way in ways.WAYS:
        status, out, err = lab.run([*map(str, ways.by_command(lab.musl, way, ["/usr/bin/openssl", "version"], lab.policy(ACCEPT)))],
                                   environment={"LD_LIBRARY_PATH": libraries})
        require(status == 126 and "is run by /lib64/ld-linux" in err and "OpenSSL" not in out, f"exit {status}: {out}{err}")


def cases_test(*options):
    """The verdicts of tests/verdicts, by the command for musl."""
    def test(lab):
        done = subprocess.run([sys.executable, "-B", HERE.parent / "verdicts/run.py", "--build", lab.musl.directory, "--pki",
                               lab.pki.directory, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=1200, check=False)
        require(done.returncode == 0 and re.search(r"\d{3} passed, 0 failed$", done.stdout.strip()), done.stdout[-2000:])
    return test


# ---- Alpine's tools -------------------------------------------------------------------------------

# Debian's BusyBox has no install, and no flock, which Alpine's has.
TOOLS = ("make", "musl-gcc", "x86_64-linux-gnu-gcc", "as", "ld", "install", "flock")
AS_SHELL = 'mount --bind "$(command -v busybox)" "$(readlink -f /bin/sh)"; exec "$@"'


def busybox_test(lab):
    """The example's `make install`, with BusyBox for a shell and for what the system brings."""
    if not place.may_mount():
        raise Skip(place.ROOT)
    example = (SOURCE / "examples/containers/alpine/Containerfile").read_text()
    tools, staged = lab.scratch / "tools", lab.scratch / "staged"
    words = re.search(r"(?m)^RUN make -C /src (.*)$", example)[1].replace("/opt/trustgraft", str(staged)).split()
    tools.mkdir()
    for applet in tool("busybox", "--list").split():
        (tools / applet).symlink_to(shutil.which("busybox"))
    for name in TOOLS:
        (tools / name).unlink(missing_ok=True)
        (tools / name).symlink_to(shutil.which(name, path="/usr/bin:/bin"))
    status, out, err = lab.run(["unshare", "-m", "--propagation", "private", "sh", "-ec", AS_SHELL, "-", "sh", "-c",
                                f'cd {SOURCE}; PATH={tools} exec policy/package/musl "$@"', "-", str(lab.build.directory), *words,
                                f"SHELL={tools}/sh", f"SYSCONFDIR={staged}/etc"])
    require(status == 0, f"exit {status}: {out}{err}")
    command = staged / "bin/trustgraft"
    for way in ways.WAYS:
        for policy, wanted in ((ACCEPT, 0), (REFUSE, 60)):
            status, out, err = inside(lab, command, "run", f"--{way}", "-p", lab.policy(policy), "--", "curl", "-sSk", "--noproxy",
                                      "*", f"https://localhost:{lab.servers.ports['api']}/hello")
            require(status == wanted and (HELLO in out) == (wanted == 0), f"{way} {policy}: exit {status}: {out}{err}")


TESTS = (
    ("what the files need", needed_test),
    ("the libcrypto inside is by itself", isolation_test),
    ("which engine serves", engine_inside_test),
    ("preload library and provider at once", both_ways_test),
    ("a thread with little stack", thread_test),
    ("the command", command_test),
    ("a program for glibc", other_libc_test),
    ("verdicts", cases_test()),
    ("verdicts of images", cases_test("--compiled")),
    ("installed with BusyBox's tools", busybox_test),
)

if __name__ == "__main__":
    sys.exit(suite(__doc__, TESTS, start))
