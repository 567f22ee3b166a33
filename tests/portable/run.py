#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - `make portable-check`: the tarball of `make portable`,
unpacked in systems where nothing else of it is installed.

The systems are made by debootstrap under DIR/portable/systems, once.
"""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from compat.fetch import Missing, Store                                    # noqa: E402
from e2e.harness import Skip, require, suite                               # noqa: E402
from lab.files import put_program                                          # noqa: E402
from package.release import release_test                                  # noqa: E402
from portable.programs import (ACCEPT, GREETING, LAB, PROGRAMS, REFUSE, check_machine,  # noqa: E402
                               check_symbols, play)
from portable.systems import SUITES, System                                # noqa: E402

SOURCE = HERE.parent.parent
# Where the program has an OpenSSL 3, to which the provider is a way in too.
OPENSSL3 = {(system, name) for system in SUITES[1:] for name in ("curl", "python3", "node")}


def archive(lab):
    found = sorted(lab.build.directory.glob(f"trustgraft-*-linux-{platform.machine()}.tar.gz"))
    require(len(found) == 1, f"`make portable` makes one tarball: {found}")
    return found[0]


def unpack(lab, folder):
    """The tree of the tarball, unpacked in FOLDER."""
    folder.mkdir()
    subprocess.run(["tar", "-xzf", archive(lab), "-C", folder], check=True, timeout=120)
    tree, = folder.iterdir()
    return tree


def start(lab):
    """What openssl.cnf includes is the system's: each has a tree of its own, and this machine too."""
    lab.servers.python(("api",))
    lab.tree = unpack(lab, lab.scratch / "anywhere")
    lab.trees = {name: unpack(lab, lab.scratch / f"anywhere-{name}") for name in SUITES}


def program_test(suite_name, name):
    def test(lab):
        system = System(lab, lab.trees[suite_name], suite_name)
        play(lab, system, name, "--preload")
        if (suite_name, name) in OPENSSL3:
            play(lab, system, name, "--provider")
    return test


def official_node_test(lab):
    """Node.js with an OpenSSL 3 inside, where the system has none."""
    try:
        node = Store(lab.build.directory / "compat", True).node("18")
    except Missing as why:
        raise Skip(str(why)) from why
    put_program(lab.scratch / "node18", node)
    play(lab, System(lab, lab.trees["bullseye"], "bullseye"), "node", "--preload", str(lab.scratch / "node18"))


def doctor_test(suite_name):
    """What `doctor` says of the installation, of curl, and of wget."""
    def test(lab):
        system = System(lab, lab.trees[suite_name], suite_name)
        policy = lab.policy(ACCEPT)
        for program, inside in (("curl", suite_name == "bullseye"), ("wget", True)):
            status, out, err = system.run(system.tree / "bin/trustgraft", "doctor", "-p", policy, program)
            require(status == 0, f"{out}{err}")
            engine = "libtrustgraft-inside.so.0, with a libcrypto of its own" if inside else \
                "libtrustgraft.so.0, on OpenSSL 3"
            require(f"the preload library takes {engine}" in out, f"{program}: {out}")
            told = "this system has no OpenSSL 3" in out
            require(told == (suite_name == "bullseye"), out)
    return test


def command_test(lab):
    """On a system without any OpenSSL or libcurl: what the command does by itself."""
    system = System(lab, lab.trees["bookworm"], "bookworm", "")
    command, port = system.tree / "bin/trustgraft", lab.servers.ports["api"]
    bad, good = lab.policy(REFUSE), lab.policy(ACCEPT)
    status, out, err = system.run("sh", "-c", "ls /usr/lib/*/libcrypto.so.3")
    require(status == 2, f"it has an OpenSSL: {out}{err}")
    for policy, wanted, text in ((good, 0, "accept localhost"), (bad, 1, "leaf-pin-mismatch")):
        status, out, err = system.run(command, "explain", "--connect", "-p", policy, f"localhost:{port}")
        require(status == wanted and text in out, f"explain: exit {status}: {out}{err}")
        status, out, err = system.run(command, "scan", "-p", policy, "-", stdin=f"localhost:{port}\n".encode())
        require(status == wanted, f"scan: exit {status}: {out}{err}")
    status, out, err = system.run(command, "pin", f"localhost:{port}")
    require(status == 0 and "sha256/" in out, f"pin: exit {status}: {out}{err}")
    status, out, err = system.run(command, "--version")
    require(len(set(re.findall(r"OpenSSL (3\.\S+)", out))) == 1 and "none" not in out, f"{out}{err}")
    status, out, err = system.run(command, "doctor", "-p", good)
    require(status == 0 and "this system has no OpenSSL 3" in out, f"{out}{err}")
    for policy, wanted in ((good, 0), (bad, 100)):
        status, out, err = system.run(command, "run", "-p", policy, "/usr/lib/apt/apt-helper",
                                      "download-file", f"https://localhost:{port}/hello", "/tmp/got")
        require(status == wanted, f"apt-helper: exit {status}: {out}{err}")
        require(("leaf-pin-mismatch" in err) == (policy == bad), f"{out}{err}")


# Where systems have their CAs: one at a time, in a system that has none.
STORES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
          "/etc/pki/tls/certs/ca-bundle.crt", "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/ca-bundle.pem",
          "/etc/ssl/cert.pem")
WITH_STORE = """mkdir -p "${0%/*}"; cp "$1" "$0"; shift; "$@"; status=$?; rm -f "$0"; exit $status"""


def stores_test(lab):
    """`anchors = system`, in the command and in a program with the libcrypto inside."""
    system, port = System(lab, lab.trees["bookworm"], "bookworm", ""), lab.servers.ports["api"]
    policy = lab.policy("[host localhost]\nanchors = system\nhostname = api.example.test\n")
    for words, good, bad in (((system.tree / "bin/trustgraft", "explain", "--connect", "-p", policy, f"localhost:{port}"), 0, 1),
                             ((system.tree / "bin/trustgraft", "run", "-p", policy, "/usr/lib/apt/apt-helper",
                               "download-file", f"https://localhost:{port}/hello", "/tmp/got"), 0, 100)):
        for place, anchor, wanted in (*((place, "root", good) for place in STORES), (STORES[0], "other-root", bad),
                                      ("/etc/elsewhere/cert.pem", "root", bad)):
            status, out, err = system.run("sh", "-c", WITH_STORE, place, lab.pki.pem(anchor), *words)
            require(status == wanted, f"{place} with {anchor}: exit {status}: {out}{err}")
            require(wanted == good or "missing-issuer" in out + err, f"{place}: {out}{err}")


def fetch_test(lab):
    """The downloads, by the libcurl inside, as tests/cli has them for the one of the system."""
    flat = lab.scratch / "flat"
    flat.mkdir()
    for path in (*lab.build.directory.glob("lib*.so*"), lab.build.openssl_cnf, lab.build.module.parent):
        (flat / path.name).symlink_to(path)
    (flat / "trustgraft").symlink_to(lab.tree / "bin/trustgraft")
    for asked in ("fetching: private addresses", "fetching: redirects", "fetching: fetched list revokes"):
        done = subprocess.run([sys.executable, "-B", HERE.parent / "cli/run.py", "--build", flat, "--pki",
                               lab.pki.directory, asked], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
        require(done.returncode == 0 and "1 passed" in done.stdout, done.stdout)


def spaces_test(lab):
    """In a path with spaces the command works, and says that it can't be preloaded from there."""
    tree = unpack(lab, lab.scratch / "with a space")
    system = System(lab, tree, "bookworm")
    lab_policy = lab.policy(ACCEPT)
    curl = [str(word).format(port=lab.servers.ports["api"]) for word in PROGRAMS["curl"][0]]
    command = tree / "bin/trustgraft"
    status, out, err = system.run(command, "explain", "--connect", "-p", lab_policy,
                                  f"localhost:{lab.servers.ports['api']}")
    require(status == 0, f"explain: {out}{err}")
    status, out, err = system.run(command, "run", "--provider", "-p", lab_policy, "--", *curl)
    require(status == 0 and GREETING in out, f"provider: exit {status}: {out}{err}")
    status, out, err = system.run(command, "run", "-p", lab_policy, "--", *curl)
    require(status == 2 and "the path holds a space" in err and GREETING not in out, f"preload: {out}{err}")


def listed(system):
    return system.run("find", "/usr", "/etc", "/opt", "/var", "-xdev", "!", "-type", "d")[1].splitlines()


def enable(lab, system, command, has_openssl3):
    """Both ways in for the whole system; without an OpenSSL 3 the provider is refused with a sentence."""
    for way in ("--provider", "--preload"):
        status, out, err = system.run(command, "enable", way, "--yes")
        if way == "--preload" or has_openssl3:
            require(status == 0, f"enable {way}: {out}{err}")
        else:
            require(status == 1 and "the provider needs OpenSSL 3" in err, f"exit {status}: {out}{err}")
    if not has_openssl3:
        status, out, err = system.run(command, "run", "--provider", "-p", lab.policy(ACCEPT), "true")
        require(status == 2 and "the provider needs OpenSSL 3" in err, f"exit {status}: {out}{err}")


def install_test(suite_name):
    """`install` and `uninstall`, and all of it gone."""
    def test(lab):
        tree = unpack(lab, lab.scratch / f"to install {suite_name}")
        system = System(lab, tree, suite_name)
        prefix = f"/opt/trustgraft-{os.getpid()}"
        command, policy = f"{prefix}/bin/trustgraft", lab.policy(ACCEPT)
        before = listed(system)
        status, out, err = system.run(tree / "install", prefix)
        require(status == 0, f"install: {out}{err}")
        try:
            require(system.run("test", "-e", f"{prefix}/share/man/man1/trustgraft.1")[0] == 0, "no manual page")
            status, out, err = system.run(command, "doctor", "-p", policy, "curl")
            require(status == 0, f"doctor: {out}{err}")
            port = lab.servers.ports["api"]
            status, out, err = system.run(command, "run", "-p", policy, "curl", "-sS", "--noproxy", "*",
                                          f"https://localhost:{port}/hello")
            require(status == 0 and GREETING in out, f"{out}{err}")
            enable(lab, system, command, suite_name != "bullseye")
        finally:
            status, out, err = system.run(tree / "uninstall", prefix)
        require(status == 0, f"uninstall: {out}{err}")
        require(listed(system) == before, f"{set(listed(system)) ^ set(before)}")
        for name in ("/etc/ld.so.preload", "/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf"):
            _, out, _ = system.run("cat", name)
            require("trustgraft" not in out, f"{name}: {out}")
    return test


ENGINES = """import runpy, ssl, sys
try:
    runpy.run_path(sys.argv.pop(1), run_name="__main__")
finally:
    print(*sorted({line.split()[-1] for line in open("/proc/self/maps") if "/libtrustgraft" in line}))
"""


def mixed_test(lab):
    """One way in of this tarball, the other of another build: one engine serves the process."""
    lab.run([str(lab.tree / "bin/trustgraft"), "run", "--provider", "-p", str(lab.policy(ACCEPT)), "true"])
    ours = lab.tree / "lib/libtrustgraft-preload.so", lab.tree / "lib/trustgraft/openssl.cnf"
    for preload, settings in ((ours[0], lab.build.openssl_cnf), (lab.build.preload, ours[1])):
        for policy, wanted in ((ACCEPT, True), (REFUSE, False)):
            status, out, err = lab.run(
                ["/usr/bin/python3", "-c", ENGINES, str(LAB / "get.py"), "localhost", "127.0.0.1",
                 str(lab.servers.ports["api"]), "--insecure"],
                environment={"LD_PRELOAD": str(preload), "OPENSSL_CONF": str(settings),
                             "TRUSTGRAFT_POLICY": str(lab.policy(policy))})
            require((GREETING in out) == wanted and ("leaf-pin-mismatch" in err) != wanted,
                    f"{preload} and {settings}: exit {status}: {out}{err}")
            engines = [path for path in out.split() if re.search(r"libtrustgraft(-inside)?\.so", path)]
            require(len(engines) == 1, f"engines: {engines}: {out}")


def old_libc_test(lab):
    """An older C library, or another: one sentence, and nothing is installed."""
    for said, wanted in (("glibc 2.27", 2), ("glibc 2.5", 2), (None, 2), ("glibc 2.28", 0), ("glibc 2.100", 0)):
        folder = lab.scratch / f"getconf-{said}"
        folder.mkdir()
        (folder / "getconf").write_text(f"#!/bin/sh\necho '{said}'\n" if said else "#!/bin/sh\nexit 1\n")
        (folder / "getconf").chmod(0o755)
        prefix = folder / "installed"
        status, out, err = lab.run([str(lab.tree / "install"), str(prefix)],
                                   environment={"PATH": f"{folder}:{os.environ['PATH']}", "DESTDIR": str(folder)})
        require(status == wanted, f"{said}: exit {status}: {out}{err}")
        require(wanted == 0 or (len(err.splitlines()) == 1 and "glibc 2.28 or newer" in err), f"{out}{err}")
        require(wanted == 0 or not prefix.exists(), "something is installed")


def symbols_test(lab):
    check_machine(lab.tree, platform.machine())
    check_symbols(lab.tree, platform.machine())


def contents_test(lab):
    """What is in it, its checksums, and no path of where it was built."""
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=lab.tree, timeout=120, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    require(done.returncode == 0, done.stdout.decode())
    files = [path for path in lab.tree.rglob("*") if path.is_file() and not path.is_symlink()]
    listed_files = {line.split("  ./", 1)[1] for line in (lab.tree / "SHA256SUMS").read_text().splitlines()}
    known = {str(path.relative_to(lab.tree)) for path in files} - {"SHA256SUMS", "lib/trustgraft/openssl.cnf"}
    require(listed_files == known, f"{listed_files ^ known}")
    for path in files:
        require(str(SOURCE).encode() not in path.read_bytes() or path.name == "openssl.cnf", f"{path} has {SOURCE}")
    for page in SOURCE.glob("p*/**/*.[1-8]"):
        require((lab.tree / f"share/man/man{page.suffix[1:]}" / page.name).exists(), f"{page.name} is missing")


def reproducible_test(lab):
    """Made once more from nothing but the libraries inside, it has the same bytes."""
    made = lab.scratch / "again"
    work = lab.build.directory / "portable"
    if os.geteuid() != 0 or not (work / "root").exists():
        raise Skip("needs root, and what `make portable` leaves")
    before = archive(lab).read_bytes()
    shutil.rmtree(work / "root" / "build")
    made.mkdir()
    (made / "portable").symlink_to(work)
    version = re.search(r"trustgraft-(.*)-linux", archive(lab).name)[1]
    dated = os.environ | {"SOURCE_DATE_EPOCH": str(int((lab.tree / "LICENSE").stat().st_mtime))}
    done = subprocess.run(["policy/package/portable", str(made), version], cwd=SOURCE, timeout=900, env=dated,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    require(done.returncode == 0, done.stdout)
    require((made / archive(lab).name).read_bytes() == before, "the bytes differ")


TESTS = (
    *((f"{system}: {name}", program_test(system, name)) for system in SUITES for name in PROGRAMS),
    ("bullseye: Node.js with OpenSSL 3 inside", official_node_test),
    *((f"{system}: doctor", doctor_test(system)) for system in SUITES),
    ("bookworm, bare: the command", command_test),
    ("bookworm, bare: the system's CAs", stores_test),
    ("downloads", fetch_test),
    ("bookworm: a path with spaces", spaces_test),
    *((f"{system}: install and uninstall", install_test(system)) for system in ("bullseye", "bookworm")),
    ("beside another installation", mixed_test),
    ("an older C library", old_libc_test),
    ("symbols and libraries", symbols_test),
    ("contents", contents_test),
    ("reproducible", reproducible_test),
    ("release", release_test),
)

if __name__ == "__main__":
    sys.exit(suite(__doc__, TESTS, start))
