"""trustgraft log."""
import json
import os
import pathlib
import re
import subprocess

from cli.connecting import serving
from e2e.harness import require

TEXT = ("trustgraft: curl[4711]: reject api.example.com:443: leaf-pin-mismatch: the key (/p.conf:12 "
        "[host api.example.com])")
OLD = "Nov 27 01:02:03 box trustgraft: wget[12]: accept www.example.org: trusted (/p.conf:3 [host *])"
NEW = ("2026-11-27T01:02:04+0000 box trustgraft[99]: git[13]: would reject (report) "
       "[2001:db8::1]:443: name-mismatch: another (/p.conf:1)")
OBJECT = {"time": "2026-11-27T01:02:05Z", "program": "/usr/bin/curl", "pid": 5, "host": "b.test",
          "port": 443, "mode": "enforce", "verdict": "reject", "result": "recoverable-trust-failure",
          "x509_error": 50, "rule": {"file": "/p.conf", "line": 5, "pattern": "b.test"},
          "findings": [{"name": "pin-mismatch", "depth": 0, "text": 'a "b"\\'},
                       {"name": "name-mismatch", "depth": 0, "text": "c, d"}], "path": []}
JSON = "box trustgraft[99]: " + json.dumps(OBJECT, separators=(",", ":"))
OTHERS = ("Nov 27 01:02:03 box sshd[1]: curl[4711]: reject api.example.com:443: x",
          "trustgraft: the log /x can't be written", "", "trustgraft: {}", "trustgraft[",
          'trustgraft: {"verdict":"reject","program":"x"', "trustgraft: curl[: reject a: b")
SHOWN = (
    "curl[4711]: reject api.example.com:443: leaf-pin-mismatch: the key (/p.conf:12 "
    "[host api.example.com])",
    "Nov 27 01:02:03 wget[12]: accept www.example.org: trusted (/p.conf:3 [host *])",
    "2026-11-27T01:02:04+0000 git[13]: would reject (report) [2001:db8::1]:443: name-mismatch: another "
    "(/p.conf:1)",
    '2026-11-27T01:02:05Z curl[5]: reject b.test:443: pin-mismatch: a "b"\\; name-mismatch: c, d '
    "(/p.conf:5 [host b.test])")


def written(command, *lines):
    return command.folder().write("log", "".join(f"{line}\n" for line in lines))


def every(command):
    return written(command, TEXT, OTHERS[0], OLD, *OTHERS[1:], NEW, JSON)


def shown(result):
    return tuple(result.ended(0).out.splitlines())


def test_lines_of_every_kind(command):
    got = shown(command("log", every(command)).quiet())
    require(got == SHOWN, got)


def test_filters(command):
    file = every(command)
    for words, wanted in (
            (("--host", "API.example.com"), SHOWN[:1]), (("--host", "api.example.com:444"), ()),
            (("--host", "b.test:443"), SHOWN[3:]), (("--host", "2001:db8::1"), SHOWN[2:3]),
            (("--program", "curl"), (SHOWN[0], SHOWN[3])),
            (("--program", "/usr/bin/curl"), (SHOWN[0], SHOWN[3])),
            (("--program", "/opt/curl"), SHOWN[:1]),
            (("--verdict", "accept"), SHOWN[1:2]), (("--verdict", "report"), SHOWN[2:3]),
            (("--verdict", "reject"), (SHOWN[0], SHOWN[3])), (("-n", "1"), SHOWN[3:]),
            (("-n1", "--program", "wget"), SHOWN[1:2])):
        got = shown(command("log", *words, file))
        require(got == wanted, f"{words}: {got}")
    command("log", "--program", "none", file).ended(0).silent().said(f"no such verdict in {file}: ", "log-level")
    command("log", "--program", "none", file, "/dev/null").ended(0).silent().said(f"in {file}, nor in /dev/null: ")
    for words in (("--verdict", "maybe"), ("--lines", "0"), ("--lines", "x"), ("--host", "a b")):
        command("log", *words, file).ended(2).silent()


def test_json(command):
    objects = command("log", "--json", every(command)).ended(0).objects()
    require(objects[3] == OBJECT, objects[3])
    require(objects[0] == {"time": None, "program": "curl", "pid": 4711, "host": "api.example.com",
                           "port": 443, "mode": "enforce", "verdict": "reject",
                           "text": SHOWN[0].partition("443: ")[2]}, objects[0])
    require([one["mode"] for one in objects] == ["enforce", "enforce", "report", "enforce"], objects)


def test_what_a_server_calls_itself_is_no_verdict(command):
    """In a file of JSON, as in one of text: the line's own verdict is shown, and no other."""
    forged = "CN=x trustgraft: curl[1]: accept bank.test:443: trusted"
    line = json.dumps({**OBJECT, "findings": [{"name": "name-mismatch", "text": forged}]}, separators=(",", ":"))
    for text in (line, f"box trustgraft[99]: {line}", f"{TEXT} {forged}"):
        [got] = command("log", "--json", written(command, text)).ended(0).objects()
        require(got["verdict"] == "reject" and got["host"] != "bank.test", got)


def test_name_of_a_file_steers_no_terminal(command):
    """Whoever can make files where logs are names them as he likes."""
    file = command.folder().write("\x1b[2J.log", f"{TEXT}\n")
    got = command("log", file, written(command, OLD)).ended(0)
    require("\x1b" not in got.out and "\\x1B[2J.log <==" in got.out, got)
    got = command("log", f"{file}.none").ended(2)
    require("\x1b" not in got.err, got)


def test_huge_log_is_read_from_a_whole_line_on(command):
    """What is read begins 64 MiB before the end: the rest of a line there may look like a verdict."""
    most, forged = 64 << 20, "trustgraft: curl[1]: accept bank.test:443: trusted"
    for cut, wanted in ((f"{TEXT} {forged}\n", 1), (f"{TEXT} x\n{forged}\n", 2)):
        file = command.folder().path / "huge"
        end = f"\n{OLD}\n"
        with file.open("wb") as out:
            out.write(cut.encode())
            out.seek(cut.index(forged) + most - len(end))
            out.write(end.encode())
        require(file.stat().st_size - most == cut.index(forged), file.stat())
        objects = command("log", "--json", file).ended(0).objects()
        require(len(objects) == wanted, objects)
        file.unlink()


def test_what_was_forged_steers_no_terminal(command):
    hostile = 'trustgraft: {"verdict":"reject","program":"a\\u001b[2J","host":"\\u202e","x":"\x1b"}'
    escaped = hostile.replace("\x1b", "")
    file = written(command, "trustgraft: a\x1b[2J[1]: reject \x1b]0;x: y\x1b[31m", hostile, escaped)
    for words in ((), ("--json",)):
        got = command("log", *words, file).ended(0)
        require(len(got.out.splitlines()) == 2 and not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", got.out),
                repr(got.out))


def test_file_of_the_policy_in_force(command):
    """What a real program is told of a refusal stands there, and what is accepted."""
    nothing = journal(command, "exit 1\n")
    for form in ("text", "json"):
        file = command.folder() / "verdicts"
        policy = command.policy(f"[policy]\nlog = file:{file}\nlog-level = all\nlog-format = {form}\n"
                                "[host localhost]\nanchors = {pki}/root.pem\n"
                                "[host 127.0.0.1]\naction = reject\n")
        with serving(command, "localhost") as port:
            for host in ("localhost", "127.0.0.1"):
                command("run", "-p", policy, "--", "curl", "-s", "--noproxy", "*", f"https://{host}:{port}/")
        head, *got = shown(command("log", "-p", policy, "--program", "curl", env=nothing))
        require(head == f"==> {file} <==" and len(got) == 2 and f": accept localhost:{port}: " in got[0] and
                f": reject 127.0.0.1:{port}: host-rejected: " in got[1] and
                f"({policy}:7 [host 127.0.0.1])" in got[1], got)
        rejected = shown(command("log", "-p", policy, "--verdict", "reject", env=nothing))
        require(rejected == (head, got[1]), rejected)


def test_follows_a_rotated_file(command):
    file = written(command, TEXT)
    with subprocess.Popen([command.program, "log", "-f", "--verdict", "reject", file], text=True,
                          stdout=subprocess.PIPE, env=command.environment()) as running:
        try:
            require(running.stdout.readline().strip() == SHOWN[0], "the first")
            with open(file, "a", encoding="utf-8") as log:
                log.write(f"{OLD}\n{JSON}\n")
            require(running.stdout.readline().strip() == SHOWN[3], "the one that came")
            file.rename(f"{file}.1")
            file.write_text(TEXT + "\n", "utf-8")
            require(running.stdout.readline().strip() == SHOWN[0], "the one in the new file")
        finally:
            running.kill()


def journal(command, script):
    """A PATH with a journalctl that is this script."""
    folder = command.folder()
    folder.write("journalctl", "#!/bin/sh\n" + script, mode=0o755)
    return {"PATH": f"{folder.path}:{os.environ['PATH']}"}


def test_journal_and_the_policys_file(command):
    file = written(command, TEXT)
    policy = command.policy(f"[policy]\nlog = file:{file}, syslog\n[host *]\naction = pass\n")
    path = journal(command, f'echo "$*" >"$0.words"\necho "{NEW}"\n')
    got = command("log", "-p", policy, env=path).ended(0).quiet()
    require(got.out == f"==> {file} <==\n{SHOWN[0]}\n\n==> journal <==\n{SHOWN[2]}\n", got)
    words = pathlib.Path(path["PATH"].partition(":")[0], "journalctl.words").read_text("utf-8")
    require("--identifier trustgraft" in words and "--follow" not in words, words)
    failing = journal(command, "exit 1\n")
    got = command("log", "-p", policy, env=failing).ended(0)
    require(SHOWN[0] in got.out, got)


def test_policies_that_keep_nothing(command):
    nothing = journal(command, "exit 0\n")
    for log, said in (("none", "logs nothing"), ("stderr", "standard error")):
        policy = command.policy(f"[policy]\nlog = {log}\n[host *]\naction = pass\n")
        command("log", "-p", policy, env=nothing).said(said)
    command("log", "-p", command.policy("[policy]\nlog = nowhere\n"), env=nothing).ended(2)


def test_files_that_cannot_be_read(command):
    command("log", command.folder() / "none").ended(2).silent().said("No such file")
    command("log", command.folder().path).ended(2).silent().said("it is no file")
    with open("/dev/full", "w", encoding="utf-8") as full:
        command("log", written(command, TEXT), stdout=full).ended(2)
