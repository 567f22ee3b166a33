"""trustgraft run: what the program gets, and how it ends."""
import os
import pathlib
import shutil
import signal
import subprocess

from cli import plain
from cli.doctoring import copy
from e2e.harness import Skip, require
from lab.files import put_program

POLICY = "[host *]\naction = pass\n"
SHOW = 'printf "%s\\n" "$LD_PRELOAD" "$OPENSSL_CONF" "$TRUSTGRAFT_POLICY"'
ARTIFACTS = ("libtrustgraft-preload.so", "libtrustgraft.so.0", "openssl.cnf",
             "ossl-modules/trustgraft.so")


def run(command, *words, **options):
    return command("run", "-p", command.policy(POLICY), *words, **options)


def shell(command, script, *way, **options):
    return run(command, *way, "sh", "-c", script, **options)


def test_program_s_status_is_ours(command):
    for status in (0, 1, 2, 42, 126, 127, 255):
        shell(command, f"exit {status}").ended(status).quiet()


def test_program_s_signal_is_ours(command):
    shell(command, "kill -TERM $$").ended(-signal.SIGTERM)


def test_program_takes_our_place(command):
    result = shell(command, 'echo "$$ $PPID"').ended(0)
    require(result.out.split()[1] == str(os.getpid()), result)


def test_operands_and_output_are_its_own(command):
    run(command, "printf", "[%s]", "-p", "--help", "a b", "", "--").ended(0).quiet().printed(
        "[-p][--help][a b][][--]")
    run(command, "--", "printf", "%s", "x").ended(0).printed("x")


def test_argument_zero_is_as_typed(command):
    path = command.folder().write("show", "", 0o755)
    path.unlink()
    path.symlink_to(shutil.which("sh"))
    run(command, "show", "-c", "echo $0", env={"PATH": f"{path.parent}:{os.environ['PATH']}"}).ended(
        0).printed("show")


def test_preload_is_the_default(command):
    for way in ((), ("--preload",)):
        lines = shell(command, SHOW, *way).ended(0).quiet().out.splitlines()
        require(lines[0] == str(command.build / ARTIFACTS[0]) and lines[1] == "", lines)


def test_preloaded_libraries_stay(command):
    libraries = [pathlib.Path(line.split()[-1]) for line in open("/proc/self/maps", encoding="utf-8")
                 if "/libc.so" in line]
    if not libraries:
        raise Skip("no library to preload")
    lines = shell(command, SHOW, env={"LD_PRELOAD": libraries[0]}).ended(0).out.splitlines()
    require(lines[0] == f"{command.build / ARTIFACTS[0]}:{libraries[0]}", lines)


def test_preloading_twice_is_once(command):
    policy = command.policy(POLICY)
    lines = command("run", "-p", policy, command.program, "run", "-p", policy, "sh", "-c",
                    SHOW).ended(0).out.splitlines()
    require(lines[0] == str(command.build / ARTIFACTS[0]), lines)


def test_provider(command):
    lines = shell(command, SHOW, "--provider").ended(0).quiet().out.splitlines()
    require(lines[0] == "" and lines[1] == str(command.build / "openssl.cnf"), lines)


def test_provider_beside_settings_of_the_user_s(command):
    module = str(command.build / "ossl-modules/trustgraft.so")
    for value in ("/etc/own.cnf", ""):
        shell(command, SHOW, "--provider", env={"OPENSSL_CONF": value}).ended(2).silent().said(
            f"OPENSSL_CONF is already set, to '{value}'", f"module = {module}", "activate = 1",
            "default = trustgraft_default", f"path = {module}")
    ours = {"OPENSSL_CONF": command.build / "openssl.cnf"}
    shell(command, SHOW, "--provider", env=ours).ended(0)


def test_provider_beside_settings_of_node_s(command):
    """Node.js reads the file of its own option instead of ours, and asks nobody."""
    node = shutil.which("node")
    if not node:
        raise Skip("no node")
    policy = command.policy("[host *]\naction = reject\n")
    settings = command.folder().write("empty.cnf", "")
    with plain.listening(plain.secured(plain.context(command.pki, "api"))) as port:
        script = (f"const s = require('tls').connect({port}, '127.0.0.1', {{rejectUnauthorized: false}}, "
                  "() => process.exit(42)); s.on('error', () => process.exit(43))")

        def start(*words, options="", way="--provider"):
            return command("run", way, "-p", policy, *words, "-e", script, env={"NODE_OPTIONS": options})

        start(node).ended(43)
        for words in ((f"--openssl-config={settings}",), ("--openssl-config", settings),
                      (f"--openssl_config={settings}",)):
            start(node, *words).ended(126).silent().said("--openssl-config", "run --preload")
            start("env", "X=1", node, *words).ended(126).said("env starts ")
            start("--allow-unreached", node, *words).ended(42)  # why it is refused
            start(node, *words, way="--preload").ended(43)
        start(node, options=f"--openssl-config={settings}").ended(2).said("NODE_OPTIONS")
        start(node, options=f"--no-warnings --openssl_config={settings}").ended(2).said("NODE_OPTIONS")
        start(node, options="--openssl-shared-config").ended(43)


def test_what_does_not_load(command):
    """ld.so goes on without a library."""
    for way, part, named in (("--preload", ARTIFACTS[0], ARTIFACTS[0]),
                             ("--provider", "ossl-modules/trustgraft.so", "openssl.cnf")):
        folder = copy(command)
        ran = ("run", way, "-p", command.policy(POLICY), "echo", "ran")
        command(*ran, program=folder / "trustgraft").ended(0).printed("ran")
        (folder / part).write_bytes(b"")
        command(*ran, program=folder / "trustgraft").ended(2).silent().said(
            f"{folder / named} doesn't load", "not be under the policy", "trustgraft doctor")


def test_without_standard_descriptors(command):
    """Nor with many others: what it tries before needs few."""
    policy = command.policy(POLICY)
    for way in ("--preload", "--provider"):
        for limit in ("exec 0<&- 1>&- 2>&-", "exec 0<&-", "exec 1>&-", "ulimit -n 6"):
            ran = subprocess.run(["sh", "-c", f'{limit}; "$@"', "sh", command.program, "run", way,
                                  "-p", policy, "sh", "-c", "exit 7"], check=False, timeout=120)
            require(ran.returncode == 7, f"{way}, {limit}: {ran}")


def test_both_ways_exclude_each_other(command):
    run(command, "--preload", "--provider", "true").ended(2).silent().said("exclude each other")


def test_policy_becomes_absolute(command):
    policy = command.policy(POLICY)
    lines = command("run", "-p", policy.name, "sh", "-c", SHOW,
                    cwd=policy.parent).ended(0).out.splitlines()
    require(os.path.samefile(lines[2], policy) and lines[2].startswith("/"), lines)


def test_policy_s_links_are_not_resolved(command):
    policy, folder = command.policy(POLICY), command.folder()
    (folder / "link.conf").symlink_to(policy)
    lines = command("run", "-p", folder / "link.conf", "sh", "-c", SHOW).ended(0).out.splitlines()
    require(lines[2] == str(folder / "link.conf"), lines)


def test_policy_of_the_environment_stays(command):
    policy = command.policy(POLICY)
    lines = command("run", "sh", "-c", SHOW, env={"TRUSTGRAFT_POLICY": policy}).ended(
        0).out.splitlines()
    require(lines[2] == str(policy), lines)


def test_invalid_policy_is_refused_with_every_error(command):
    policy = command.policy("[host a.test]\nnonsense = 1\nrubbish = 2\n")
    command("run", "-p", policy, "echo", "ran").ended(1).silent().said(
        f"{policy}:2:1: error: ", f"{policy}:3:1: error: ", "nonsense = 1", "^")


def test_program_that_is_absent(command):
    run(command, "no-such-program").ended(127).silent().said("no-such-program: not found in PATH")
    run(command, "/nowhere/program").ended(127).silent().said("No such file")
    run(command, "").ended(127).silent()


def test_program_that_cannot_be_executed(command):
    folder = command.folder()
    plain = folder.write("plain", "#!/bin/sh\n")
    run(command, plain).ended(126).silent().said("Permission denied")
    run(command, folder.path).ended(126).silent().said("Permission denied")
    run(command, "plain", env={"PATH": folder.path}).ended(126).silent()


def test_path_is_searched_as_by_execvp(command):
    first, second = command.folder(), command.folder()
    first.write("tool", "#!/bin/sh\n")
    second.write("tool", "#!/bin/sh\necho second\n", 0o755)
    path = f"/nowhere:{first.path}:{second.path}:{os.environ['PATH']}"
    run(command, "tool", env={"PATH": path}).ended(0).printed("second")
    run(command, "tool", env={"PATH": f":{os.environ['PATH']}"}, cwd=second.path).ended(0).printed(
        "second")


def test_script_runs(command):
    folder = command.folder()
    for name, text in (("kernel", "#!/bin/sh\necho $1 $0\n"), ("shell", "echo $1 $0\n"),
                       ("env", "#!/usr/bin/env sh\necho $1 $0\n")):
        path = folder.write(name, text, 0o755)
        run(command, path, "one").ended(0).printed(f"one {path}")
    run(command, folder.write("empty", "", 0o755)).ended(0)


def test_closed_descriptors_stay_closed(command):
    script = "test ! -e /proc/self/fd/0 && echo closed"
    shell(command, script, preexec_fn=lambda: os.close(0)).ended(0).printed("closed")


def installed(command, *names, where=""):
    """The path of a copy of the command, with copies of NAMES in WHERE from its folder."""
    folder = command.folder()
    program = folder.path / "bin" / "trustgraft"
    program.parent.mkdir()
    put_program(program, command.program)
    for name in names:
        target = program.parent / where / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(command.build / name, target)
    return program


def test_installed_libraries_are_found(command):
    for where in ("../lib/trustgraft", "../lib"):
        program = installed(command, *ARTIFACTS, where=where)
        lines = shell(command, SHOW, program=program).ended(0).out.splitlines()
        require(lines[0] == str((program.parent / where / ARTIFACTS[0]).resolve()), lines)


def test_installed_provider_is_found(command):
    program = installed(command, *ARTIFACTS, where="../lib/trustgraft")
    lines = shell(command, SHOW, "--provider", program=program).ended(0).out.splitlines()
    require(lines[1] == str((program.parent / "../lib/trustgraft/openssl.cnf").resolve()), lines)


def test_missing_libraries(command):
    program = installed(command)
    shell(command, SHOW, program=program).ended(2).silent().said("libtrustgraft-preload.so is missing")
    shell(command, SHOW, "--provider", program=program).ended(2).silent().said("openssl.cnf is missing")


def test_path_that_cannot_be_preloaded(command):
    for odd in ("with space", "with:colon", "with$dollar"):
        program = installed(command, *ARTIFACTS)
        moved = program.parent.parent / odd
        program.parent.rename(moved)
        shell(command, SHOW, program=moved / "trustgraft").ended(2).silent().said(
            "can't be preloaded")


def with_system_policy(command, text, *words):
    """Calls the command where /etc has only the policy TEXT and what the loader needs."""
    etc = command.folder()
    etc.write("trustgraft/policy.conf", text)
    etc.write("ld.so.cache", pathlib.Path("/etc/ld.so.cache").read_bytes())
    line = [command.program, *map(str, words)]
    try:
        return subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"',
                               etc.path, *line], capture_output=True, text=True, check=False,
                              timeout=120, env=command.environment(), cwd=command.home)
    except OSError as error:
        raise Skip(f"no namespace of its own: {error}") from error


def test_locked_system_policy(command):
    policy = command.policy(POLICY)
    probe = with_system_policy(command, POLICY, "check")
    if probe.returncode != 0:
        raise Skip(f"no namespace of its own: {probe.stderr.strip()}")
    require("/etc/trustgraft/policy.conf: valid" in probe.stdout, probe)
    for text, status in ((POLICY, 0), ("[policy]\nlocked = yes\n", 2), ("[policy\n", 2)):
        done = with_system_policy(command, text, "run", "-p", policy, "true")
        require(done.returncode == status and ("-p has no effect" in done.stderr) == bool(status),
                f"{text}: {done}")
    done = with_system_policy(command, "[policy]\nlocked = yes\n", "doctor")
    require(done.returncode == 0 and ", the system's: valid, 0 rules, locked" in done.stdout, done)
