"""places.py - the policy in odd processes: other preloaded libraries, few resources, confinement."""
import glob
import os
import resource
import time

from e2e.attacks import CLIENT
from e2e.harness import Skip, require
from e2e.naming import in_both_ways
from lab import clients, ways
from surround.decisions import ACCEPT, DISTRUST, ELSEWHERE, REJECT, call

RULE = ACCEPT
LIBRARIES = {
    "jemalloc": "/usr/lib/*/libjemalloc.so.2",
    "faketime": "/usr/lib/*/faketime/libfaketime.so.1",
}


def find(library):
    found = glob.glob(LIBRARIES[library])
    if not found:
        raise Skip(f"this machine has no {library}")
    return found[0]


def both_verdicts(lab, way, **environment):
    """curl and Python, each with a good server and a bad one, in this environment."""
    injected = ways.by_environment(lab.build, way, lab.policy(RULE))
    for name in ("curl", "python3"):
        program = clients.PROGRAMS[name]
        for server, wanted in (("api", "accept"), ("api-other", "refuse")):
            command = program.command(lab.target(server, insecure=True))
            status, out, err = lab.run(command, program.stdin, injected | environment)
            got, _ = program.judge(status, out, err) if status is not None else ("hung", None)
            require(got == wanted, f"{name}, {server}: {got}: {out[-300:]}{err[-600:]}")


def beside(library):
    """Another preloaded library, before ours and behind it."""
    def check(lab, way):
        other, ours = find(library), str(lab.build.preload)
        orders = ([other, ours], [ours, other]) if way == ways.PRELOAD else [[other]]
        for order in orders:
            both_verdicts(lab, way, LD_PRELOAD=":".join(order), FAKETIME="+0")
    return check


def other_time(lab, way):
    """Under libfaketime it is the time that the process believes in."""
    injected = ways.by_environment(lab.build, way, lab.policy(RULE))
    preload = [find("faketime"), *([injected["LD_PRELOAD"]] if way == ways.PRELOAD else [])]
    target = lab.target("api", app="root")
    for offset, wanted in (("+0", ""), ("+40y", "certificate-expired")):
        status, out, err = lab.run(clients.curl(target), environment=injected | {
            "LD_PRELOAD": ":".join(preload), "FAKETIME": offset})
        require(wanted in err and ("hello" in out) == (not wanted), f"{offset}: {status} {out}{err}")


def linker(variables):
    def check(lab, way):
        both_verdicts(lab, way, **{key: value.format(audit=lab.programs["audit.so"])
                                   for key, value in variables.items()})
    return check


def guest(scenario, program="guest", provider=True):
    """Accepted under a rule that accepts and refused under one that rejects, by `guest`."""
    def check(lab, way):
        pki, reached = str(lab.pki.directory), provider or way == ways.PRELOAD
        bare = call(lab, ways.BARE, None, program, scenario, pki, "trusting")
        require(bare == "through", f"bare: {bare}")
        got = call(lab, way, ACCEPT, program, scenario, pki, "trustless")
        require(got == ("through" if reached else "stopped"), f"accepting: {got}")
        got = call(lab, way, REJECT, program, scenario, pki, "trusting")
        require(got == ("stopped" if reached else "through"), f"rejecting: {got}")
        for policy in (ELSEWHERE, DISTRUST):
            got = call(lab, way, policy, program, scenario, pki, "trusting")
            require(got == bare, f"{policy}: {got}")
    return check


def confined(lab, way):
    """What a filter denies with an error costs nothing; what it kills for needs two settings."""
    quiet = "[policy]\nreload = no\nlog = none\n"
    for scenario, policy, wanted in (
            ("forbidden-by-error", ACCEPT, "through, through"),
            ("forbidden-by-error", REJECT, "stopped, stopped"),
            ("forbidden-by-death", quiet + ACCEPT, "through, through"),
            ("forbidden-by-death", quiet + REJECT, "stopped, stopped"),
            ("forbidden-by-death", ACCEPT, "through, killed")):
        got = call(lab, way, policy, "guest", scenario, str(lab.pki.directory), "trustless")
        require(got == wanted, f"{scenario}: wanted {wanted}: {policy}: {got}")


# What happens to a process between its first context and its connections; `report` writes what
# came of them, since standard output may be gone.
ODD = CLIENT + """
import resource
path = words.pop(0)

def report(text):
    os.write(out, text.encode() + b"\\n")

def visit():
    try:
        report(call(secure(dial())).decode().splitlines()[-1])
    except ssl.SSLCertVerificationError:
        report("refuse")
    except (OSError, MemoryError) as error:
        report(f"broken {error!r}")
out = os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 100)
os.closerange(3, 100)
%s
visit()
"""
HAPPENINGS = {
    "closed descriptors": "os.closerange(0, 3)",
    "few descriptors": "resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))",
    "chroot": "import encodings.idna; os.mkdir(path + '.root'); os.chroot(path + '.root')\n"
              "os.chdir('/'); time.sleep(1.2)",
    "dropped privileges": "os.setgroups([]); os.setgid(65534); os.setuid(65534); time.sleep(1.2)",
    "double fork": "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0)",
    "interval timer": "signal.signal(signal.SIGALRM, lambda *_: None)\n"
                      "signal.siginterrupt(signal.SIGALRM, True)\n"
                      "signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)",
}


def odd(happening):
    def check(lab, way):
        if happening in ("chroot", "dropped privileges") and os.geteuid() != 0:
            raise Skip("only root can")
        body = lab.pki.expand(RULE).encode()
        name = f"{happening.replace(' ', '-')}-{way}"
        policy = lab.scratch / f"secret-{name}.conf"
        policy.write_bytes(body)
        policy.chmod(0o600)
        injected = ways.by_environment(lab.build, way, policy)
        for server, wanted in (("api", "hello from api"), ("api-other", "refuse")):
            path = lab.scratch / f"odd-{name}-{server}"
            command = [clients.PYTHON, "-c", ODD % HAPPENINGS[happening],
                       str(lab.servers.ports[server]), str(path)]
            status, _, err = lab.run(command, environment=injected)
            require(status is not None, f"{server}: hung: {err}")
            said = wait_for(path)
            require(said == wanted, f"{server}: {said}: exit {status}: {err}")
    return check


def wait_for(path):
    """The line in PATH, which a process in the background may still have to write."""
    for _ in range(600):
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return text.strip()
        time.sleep(0.1)
    return "nothing"


def little_memory(lab, way):
    """Whatever address space is left: the bad server gets no request."""
    injected = ways.by_environment(lab.build, way, lab.policy(RULE))
    command = clients.curl(lab.target("api-other", insecure=True))
    for size in range(8 << 20, 64 << 20, 6 << 20):
        limit = (size, size)
        status, out, err = lab.run(
            command, environment=injected,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, limit))
        require(status is not None and "hello" not in out, f"{size}: {status} {out}{err}")


SPAWN = """
import os, subprocess, sys
command = sys.argv[1:]
status = os.waitpid(os.posix_spawnp(command[0], command, os.environ), 0)[1]
print("spawn", os.waitstatus_to_exitcode(status))
print("vfork", subprocess.call(command, close_fds=False))
"""


def spawned(lab, way):
    """Children by posix_spawn and vfork are under the policy like their parent."""
    for server, wanted in (("api", 0), ("api-other", 60)):
        command = [clients.PYTHON, "-c", SPAWN, *clients.curl(lab.target(server, insecure=True))]
        _, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(RULE)))
        for word in ("spawn", "vfork"):
            require(f"{word} {wanted}\n" in out, f"{server}: {out}{err}")


def deep_binding(lab, way):
    """A plugin that binds to its own libssl first never passes the preload library."""
    script = ("import ctypes, os, sys\n"
              "class Module(ctypes.Structure):\n"
              "    _fields_ = [('connect', ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_char_p, "
              "ctypes.c_int))]\n"
              "plugin = ctypes.CDLL(sys.argv[1], os.RTLD_NOW | os.RTLD_LOCAL | os.RTLD_DEEPBIND)\n"
              "print(Module.in_dll(plugin, 'module').connect(sys.argv[2].encode(), 1).decode())")
    injected = ways.by_environment(lab.build, way, lab.policy(REJECT))
    status, out, err = lab.run([clients.PYTHON, "-c", script, lab.programs["plugin.so"],
                                str(lab.pki.directory)], environment=injected)
    wanted = "refused" if way == ways.PROVIDER else "accepted"
    require(out.strip() == wanted, f"{status}: {out}{err}")


def other_libc(lab, way):
    """`run` refuses what has another C library, or none that can be loaded into."""
    programs = [(lab.programs["static"], "is linked statically")]
    if lab.programs.musl:
        programs.append((str(lab.programs.musl), "is built for musl"))
    for program, words in programs:
        status, out, err = lab.run(
            ways.by_command(lab.build, way, [program], lab.policy(RULE)))
        require(status == 126 and not out and words in err, f"{program}: {status} {out}{err}")
    if not lab.programs.musl:
        raise Skip("this machine has no musl-gcc")


def tests():
    for library in LIBRARIES:
        yield from in_both_ways(f"beside {library}", beside(library))
    yield from in_both_ways("beside faketime: another time", other_time)
    for title, variables in (("LD_BIND_NOW", {"LD_BIND_NOW": "1"}),
                             ("LD_AUDIT", {"LD_AUDIT": "{audit}"}),
                             ("LD_DEBUG", {"LD_DEBUG": "versions"})):
        yield from in_both_ways(f"linker: {title}", linker(variables))
    for scenario in ("plain", "exiting", "configured-twice", "looking-up"):
        yield from in_both_ways(f"guest: {scenario}", guest(scenario))
    yield from in_both_ways("guest: without-configuration",
                            guest("without-configuration", provider=False))
    yield from in_both_ways("guest: -z now", guest("plain", "guest-now"))
    yield from in_both_ways("guest: its own getaddrinfo", guest("looking-up", "guest-lookup"))
    yield from in_both_ways("guest: confined by seccomp", confined)
    for happening in HAPPENINGS:
        yield from in_both_ways(f"odd process: {happening}", odd(happening))
    yield from in_both_ways("odd process: little address space", little_memory)
    yield from in_both_ways("children: posix_spawn and vfork", spawned)
    yield from in_both_ways("plugin: RTLD_DEEPBIND", deep_binding)
    yield from in_both_ways("another C library", other_libc)
