"""programs.py - real programs in a system, each by both ways in; and what packed files ask of it."""
import pathlib
import re
import subprocess

from e2e.harness import require

LAB = pathlib.Path(__file__).resolve().parent.parent / "lab"
ACCEPT = "[host localhost]\nanchors = {root}\nhostname = api.example.test\n"
REFUSE = "[host localhost]\nanchors = {root}\nhostname = api.example.test\nleaf-pin = {pin api-other}\n"
ELSEWHERE = "[host elsewhere.test]\naction = reject\n"
GREETING = "hello from api"

# How each is called, what says that it spoke to the server, and what switches verification off.
PROGRAMS = {
    "curl": (("curl", "-sS", "--noproxy", "*", "https://localhost:{port}/hello"), GREETING, ("-k",)),
    "python3": (("python3", LAB / "get.py", "localhost", "127.0.0.1", "{port}"), GREETING, ("--insecure",)),
    "wget": (("wget", "-q", "--no-proxy", "--tries=1", "-O-", "https://localhost:{port}/hello"), GREETING,
             ("--no-check-certificate",)),
    "git": (("git", "ls-remote", "https://localhost:{port}/nothing"), "not valid", ("-c", "http.sslVerify=false")),
    "node": (("node", LAB / "get.cjs", "localhost", "127.0.0.1", "{port}"), GREETING, ("--insecure",)),
}
# The newest symbols of glibc that each file may ask for, and on arm64, whose first glibc was 2.17.
GLIBC = {"bin/trustgraft": "2.28", "lib/libtrustgraft.so.0": "2.27", "lib/libtrustgraft-inside.so.0": "2.27",
         "lib/libtrustgraft-preload.so": "2.17", "lib/ossl-modules/trustgraft.so": "2.14"}
OLDEST = {"x86_64": ("2.2.5", "ld-linux-x86-64.so.2"), "aarch64": ("2.17", "ld-linux-aarch64.so.1")}
PAGES = {"x86_64": 4 << 10, "aarch64": 64 << 10}  # the largest that kernels have


def call(lab, system, name, policy, options=(), way="--preload", program=None):
    """True if the program NAME spoke to the server; and what was said."""
    words, spoken, _ = PROGRAMS[name]
    words = [str(word).format(port=lab.servers.ports["api"]) for word in words]
    words = [words[0], *options, *words[1:]] if name == "git" else [*words, *options]
    words[0] = program or words[0]
    if policy:
        words = [system.command, "run", way, "-p", lab.policy(policy), "--", *words]
    status, out, err = system.run(*words, environment={"GIT_TERMINAL_PROMPT": "0", "NO_PROXY": "*"})
    require(status is not None, f"{name} hangs: {out}{err}")
    return spoken in out + err, f"exit {status}: {out}{err}"


def play(lab, system, name, way, program=None):
    insecure = PROGRAMS[name][2]
    for policy, options, wanted in ((None, (), False), (None, insecure, True), (ELSEWHERE, (), False),
                                    (ACCEPT, (), True), (REFUSE, (), False), (REFUSE, insecure, False)):
        spoke, said = call(lab, system, name, policy, options, way, program)
        require(spoke == wanted, f"{way} {policy} {options}: {said}")
        require(("leaf-pin-mismatch" in said) == (policy == REFUSE), f"{way} {policy} {options}: {said}")


def number(version):
    return tuple(map(int, version.split(".")))


def check_symbols(tree, machine):
    """No file of TREE asks for a newer glibc than it did, and none for a library besides."""
    for name, newest in GLIBC.items():
        oldest, loader = OLDEST[machine]
        said = subprocess.run(["readelf", "-dVW", tree / name], check=True, stdout=subprocess.PIPE,
                              text=True, timeout=120).stdout
        found = max(map(number, re.findall(r"GLIBC_(2[.\d]+)", said)))
        require(found == max(number(newest), number(oldest)), f"{name}: {found}, not {newest}")
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", said))
        allowed = {"libc.so.6", "libdl.so.2", "libpthread.so.0", loader} | (
            {"libcrypto.so.3", "libtrustgraft.so.0"} if "inside" not in name and "bin" not in name else set())
        require(needed <= allowed, f"{name} needs {needed - allowed}")


def check_machine(tree, machine):
    """What of TREE is built is built for MACHINE, all of it, and knows no other."""
    wanted = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}
    other, = wanted.keys() - {machine}
    built = 0
    for path in tree.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        require(other.encode() not in content, f"{path} speaks of {other}")
        require(b"@ARCH@" not in content, f"{path} has a place left for the machine's name")
        if content.startswith(b"\x7fELF"):
            built += 1
            said = subprocess.run(["readelf", "-hlW", path], check=True, stdout=subprocess.PIPE, text=True,
                                  timeout=120).stdout
            require(re.search(r"Machine: +(.*)", said)[1] == wanted[machine], f"{path}: {said}")
            aligned = {int(place, 16) for place in re.findall(r"(?m)^ +LOAD .* 0x(\w+)$", said)}
            require(aligned and min(aligned) >= PAGES[machine], f"{path} is aligned for {aligned}, not {PAGES[machine]}")
    require(built == len(GLIBC), f"{built} files of {tree} are built for a machine, not {len(GLIBC)}")
