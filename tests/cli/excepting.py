"""trustgraft except, also on a terminal."""
import contextlib
import fcntl
import os
import pty
import re
import resource
import select
import signal
import subprocess
import termios
import time

from cli import plain
from cli.connecting import serving
from e2e.harness import open_terminal, require

HOST = "api.example.test"
RULE = f"# mine\n[host {HOST}]   # the rule\nanchors = {{pki}}/root.pem\n"


def except_(command, port, policy, *words, **options):
    return command("except", "-p", policy, "--resolve", f"{HOST}:{port}:127.0.0.1", *words,
                   f"{HOST}:{port}", **options)


def verify(command, policy, port, chain="expired"):
    return command("verify", "-p", policy, "--host", f"{HOST}:{port}", command.chain(chain))


def fingerprint(command, name):
    for line in (command.pki / "INDEX").read_text().splitlines():
        if line.split("\t")[0] == name:
            return line.split("\t")[1]
    raise KeyError(name)


def test_forgives_exactly_that(command):
    policy = command.policy(RULE)
    before = policy.read_text()
    with serving(command, "expired") as port:
        verify(command, policy, port).ended(1)
        except_(command, port, policy, "--yes", "--expires", "2049-01-01", "--note",
                'until "the new" one \\ # comes').ended(0).quiet().printed(
            "reject ", "certificate-expired: ", f"Written to {policy}. Now: accept {HOST}:{port}: ")
    require(policy.read_text() == before + f"""
[exception "{HOST}-{port}"]
host = {HOST}:{port}
certificate = {fingerprint(command, 'expired')}
findings = certificate-expired
expires = 2049-01-01
note = "until \\"the new\\" one \\\\ # comes"
""", policy.read_text())
    command("check", policy).ended(0).printed("valid: 1 rule, 1 exception\n")
    verify(command, policy, port).ended(0)
    verify(command, policy, port + 1).ended(1)
    verify(command, policy, port, "expired-twin").ended(1)
    verify(command, policy, port, "impostor-self-signed").ended(1)


def test_dry_run_shows_what_would_be_written(command):
    """Without asking, the exception and its line; the file stays, and what can't be forgiven is no more."""
    policy = command.policy(RULE)
    before = policy.read_text()
    with serving(command, "expired") as port:
        result = except_(command, port, policy, "--dry-run", "--note", "one").ended(0).quiet().printed(
            "nothing is written", f"{policy} would have, at line 4:")
        require(policy.read_text() == before, policy.read_text())
        except_(command, port, policy, "--yes", "--note", "one").ended(0)
        written = policy.read_text()
        require(written[len(before):].strip() in result.out, result)
        again = except_(command, port, policy, "--dry-run", "--note", "two").ended(0).printed('note = "two"\n')
        require("findings" not in again.out.partition("--dry-run")[2] and "two" not in policy.read_text(), again)
        require(policy.read_text() == written, policy.read_text())
    with serving(command, "api") as port:
        except_(command, port, policy, "--dry-run").ended(0).printed("There is nothing to forgive.")


def test_several_findings(command):
    policy = command.policy(RULE)
    with serving(command, "expired-partner") as port:
        except_(command, port, policy, "--yes").ended(0)
    require("findings = certificate-expired, name-mismatch\n" in policy.read_text(),
            policy.read_text())
    verify(command, policy, port, "expired-partner").ended(0)
    verify(command, policy, port, "expired").ended(1)


def test_another_exception_for_the_host(command):
    policy = command.policy(RULE)
    for leaf in ("expired", "expired-twin"):
        command("except", "-p", policy, "--yes", HOST, command.chain(leaf)).ended(0)
    text = policy.read_text()
    require(f'[exception "{HOST}"]' in text and f'[exception "{HOST}-2"]' in text, text)
    for leaf, status in (("expired", 0), ("expired-twin", 0), ("expired-partner", 1)):
        require(verify(command, policy, 1, leaf).status == status, leaf)


def test_address(command):
    policy = command.policy("[host ::1]\nanchors = {pki}/root.pem\n")
    command("except", "-p", policy, "--yes", "[::1]:636", command.chain("expired")).ended(0)
    command("verify", "-p", policy, "--host", "[::1]:636", command.chain("expired")).ended(0)
    command("verify", "-p", policy, "--host", "[::1]:637", command.chain("expired")).ended(1)


def test_nothing_to_forgive(command):
    policy = command.policy(RULE)
    before = policy.read_bytes()
    with serving(command, "api") as port:
        except_(command, port, policy, "--yes").ended(0).printed("nothing to forgive.\n")
    require(policy.read_bytes() == before, "it was written")
    command("except", "-p", policy, "--yes", HOST, command.chain("expired")).ended(0)
    before = policy.read_bytes()
    command("except", "-p", policy, "--yes", HOST, command.chain("expired")).ended(0).printed(
        "nothing to forgive: an exception does already")
    require(policy.read_bytes() == before, "it was written")


def test_what_no_exception_may_forgive(command):
    distrust = "[distrust]\nspki = {pki}/intermediate.pem\n"
    for leaf, more, finding in (("forged", "", "bad-signature"), ("api", distrust, "distrusted"),
                                ("revoked", "revocation = crl\ncrl = {pki}/intermediate.crl\n",
                                 "revoked"),
                                ("api", "action = reject\n", "host-rejected"),
                                ("under-leaf", "", "not-a-ca")):
        if not command.chain(leaf).exists():
            raise KeyError(leaf)
        policy = command.policy(RULE + more)
        before = policy.read_bytes()
        command("except", "-p", policy, "--yes", HOST, command.chain(leaf)).ended(1).said(
            f"no exception can forgive {finding}: ")
        require(policy.read_bytes() == before, "it was written")


def test_host_that_is_left_to_the_application(command):
    for text in ("[host other.test]\nstrict = no\n", f"[host {HOST}]\naction = pass\n"):
        policy = command.policy(text)
        command("except", "-p", policy, "--yes", HOST, command.chain("expired")).ended(1).said(
            "leaves", "to the application", f"[host {HOST}]")
        require("exception" not in policy.read_text(), policy.read_text())


def test_without_a_terminal_or_yes(command):
    policy = command.policy(RULE)
    command("except", "-p", policy, HOST, command.chain("expired")).ended(2).silent().said(
        "no terminal to ask on", "--yes")


def test_words_that_are_wrong(command):
    policy, chain = command.policy(RULE), command.chain("expired")
    before = policy.read_bytes()
    for words, text in ((["--expires", "tomorrow"], "--expires: \"tomorrow\" is not an RFC 3339"),
                        (["--expires", "2020-01-01"], "has passed already"),
                        (["--note", "two\nlines"], "--note: must be one line"),
                        (["--note", b"\xff"], "--note: must be one line"),
                        (["--starttls", "smtp"], "--starttls is for a connection"),
                        (["--to", "/nowhere/x"], "/nowhere/x: its folder can't be used")):
        done = subprocess.run([command.program, "except", "-p", policy, "--yes", *words, HOST,
                               chain], capture_output=True, check=False, timeout=120,
                              stdin=subprocess.DEVNULL, env=command.environment())
        require(done.returncode == 2 and text.encode() in done.stderr, done)
    command("except", "-p", policy, "--yes", HOST, "/nowhere.pem").ended(2).said("/nowhere.pem: ")
    require(policy.read_bytes() == before, "it was written")


def test_no_connection(command):
    policy = command.policy(RULE)
    except_(command, plain.closed_port(), policy, "--yes").ended(2).silent().said("is refused")
    with plain.listening(plain.in_turn(plain.say(b"HTTP/1.1 400 no\r\n\r\n"), plain.wait)) as port:
        except_(command, port, policy, "--yes").ended(2).silent().said("plain HTTP")
    with plain.listening(plain.wait) as port:
        except_(command, port, policy, "--yes", "--timeout", "1").ended(2).silent().said("in time")


def test_policy_with_errors(command):
    policy = command.policy(RULE + "nonsense = 1\n")
    before = policy.read_bytes()
    command("except", "-p", policy, "--yes", HOST, command.chain("expired")).ended(1).said(
        "unknown key")
    require(policy.read_bytes() == before, "it was written")


def test_mode_and_owner_stay(command):
    policy = command.policy(RULE)
    policy.chmod(0o640)
    with contextlib.suppress(PermissionError):
        os.chown(policy, -1, 65534)
    group = policy.stat().st_gid
    command("except", "-p", policy, "--yes", HOST, command.chain("expired")).ended(0)
    status = policy.stat()
    require((status.st_mode & 0o7777, status.st_gid) == (0o640, group), status)
    require(os.listdir(policy.parent) == ["policy.conf"], "something was left behind")


def test_symbolic_link_stays(command):
    folder = command.folder()
    folder.write("real/policy.conf", RULE.replace("{pki}", str(command.pki)))
    (folder / "policy.conf").symlink_to("real/policy.conf")
    command("except", "-p", folder / "policy.conf", "--yes", HOST, command.chain("expired")).ended(0)
    require((folder / "policy.conf").is_symlink(), "the link was replaced")
    require("[exception" in (folder / "real" / "policy.conf").read_text(), "nothing was written")


def test_file_without_a_last_newline(command):
    policy = command.policy(RULE.rstrip("\n"))
    command("except", "-p", policy, "--yes", HOST, command.chain("expired")).ended(0)
    verify(command, policy, 1).ended(0)


def test_drop_in(command):
    """Where --to leads is part of the policy, and may need what stands in the rest of it."""
    folder = command.folder()
    main = folder.write("policy.conf", "[policy]\ninclude = rules.d/*.conf\n[profile corp]\n"
                                       f"anchors = {command.pki}/root.pem\n")
    rule = folder.write("rules.d/10.conf", f"[host {HOST}]\nprofile = corp\n")
    other = folder.write("other.conf", "")
    words = ["except", "-p", main, "--yes", HOST, command.chain("expired")]
    command(*words, "--to", other).ended(1).said("is no part of the policy", "include it there")
    require(other.read_bytes() == b"", "it was written")
    command(*words, "--to", folder / "rules.d" / "20.conf").ended(2).said("there is no such file")
    before = main.read_bytes()
    command(*words, "--to", rule).ended(0)
    require(main.read_bytes() == before and "[exception" in rule.read_text(), rule.read_text())
    verify(command, main, 1).ended(0)


def test_full_disk(command):
    policy = command.policy(RULE + "# " + "x" * 8000 + "\n")
    before = policy.read_bytes()
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))     # noqa: E731
    command("except", "-p", policy, "--yes", HOST, command.chain("expired"),
            preexec_fn=limit).ended(2).said(f"{policy}: can't be written: File too large")
    require(policy.read_bytes() == before and os.listdir(policy.parent) == ["policy.conf"],
            "the old file is gone, or another is left")


# ---- the dialogue -----------------------------------------------------------------------------


class Dialogue(contextlib.AbstractContextManager):
    """The command on a terminal of its own."""

    def __init__(self, command, *words):
        self.master, slave = open_terminal(pty.openpty)
        self.output = b""

        def control():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen([command.program, *map(str, words)], stdin=slave,
                                        stdout=slave, stderr=slave, preexec_fn=control,
                                        env=command.environment(), cwd=command.home)
        os.close(slave)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def read_until(self, text):
        end = time.monotonic() + 60
        while text not in self.output:
            require(select.select([self.master], [], [], max(0, end - time.monotonic()))[0],
                    f"no {text} in {self.output}")
            try:
                block = os.read(self.master, 65536)
            except OSError:  # EIO: the terminal was closed
                block = b""
            require(block, f"ended without {text}: {self.output}")
            self.output += block

    def answer(self, text):
        self.read_until(b"[y/N] ")
        os.write(self.master, text)

    def ended(self):
        with contextlib.suppress(OSError):
            while select.select([self.master], [], [], 60)[0]:
                block = os.read(self.master, 65536)
                if not block:
                    break
                self.output += block
        return self.process.wait(60)


def ask(command, policy):
    return Dialogue(command, "except", "-p", policy, HOST, command.chain("expired"))


def test_answers(command):
    for answer, status in ((b"y\n", 0), (b"YES\n", 0), (b"n\n", 1), (b"\n", 1), (b"oh yes\n", 1),
                           (b"\x04", 1)):
        policy = command.policy(RULE)
        before = policy.read_bytes()
        with ask(command, policy) as dialogue:
            dialogue.answer(answer)
            require(dialogue.ended() == status, f"{answer}: {dialogue.output}")
        shown = dialogue.output.decode()
        require(re.search(r"certificate-expired: .*\[y/N\] ", shown, re.S), shown)
        require((policy.read_bytes() != before) == (status == 0), f"{answer}: {shown}")
        require(("nothing was written" in shown) == (status == 1), shown)


def test_interrupted(command):
    policy = command.policy(RULE)
    before = policy.read_bytes()
    with ask(command, policy) as dialogue:
        dialogue.answer(b"\x03")
        require(dialogue.ended() == -signal.SIGINT, dialogue.output)
    require(policy.read_bytes() == before and os.listdir(policy.parent) == ["policy.conf"],
            "something was written")


def test_changed_meanwhile(command):
    policy = command.policy(RULE)
    with ask(command, policy) as dialogue:
        dialogue.read_until(b"[y/N] ")
        changed = policy.read_bytes() + b"# by another\n"
        policy.write_bytes(changed)
        dialogue.answer(b"y\n")
        require(dialogue.ended() == 2 and b"changed by someone else" in dialogue.output,
                dialogue.output)
    require(policy.read_bytes() == changed, "the other's change is lost")


def test_another_is_asked_already(command):
    policy = command.policy(RULE)
    with ask(command, policy) as dialogue:
        dialogue.read_until(b"[y/N] ")
        command("except", "-p", policy, "--yes", HOST, command.chain("expired")).ended(2).said(
            "is being changed by another program")
        dialogue.answer(b"y\n")
        require(dialogue.ended() == 0, dialogue.output)


# ---- once more ----------------------------------------------------------------------------------


def test_renewed_with_what_it_was_given(command):
    policy = command.policy(RULE + f"""
[exception "the old server"]
host = {HOST}
certificate = {fingerprint(command, 'expired-partner')}
findings = certificate-expired  # so far
expires = 2020-01-01            # it was
note = ordered # a new one

[host after.test]
action = reject
""")
    before = policy.read_text()
    with serving(command, "expired-partner") as port:
        except_(command, port, policy, "--yes").ended(1).said("has expired: give --expires")
        require(policy.read_text() == before, "it was changed")
        except_(command, port, policy, "--yes", "--expires", "2049-01-01").ended(0)
    require(policy.read_text() == before.replace("= certificate-expired", "= certificate-expired, "
            "name-mismatch").replace("2020-01-01", "2049-01-01"), policy.read_text())
    verify(command, policy, port, "expired-partner").ended(0)
    with serving(command, "expired-partner") as port:
        once = policy.read_text()
        except_(command, port, policy, "--yes").ended(0).printed("nothing to forgive")
        require(policy.read_text() == once, "it was changed")
        except_(command, port, policy, "--yes", "--note", "it comes").ended(0)
    require(policy.read_text() == once.replace("ordered # a", '"it comes" # a'), policy.read_text())


def test_exception_of_another_stays(command):
    """Another certificate, host, port or file: there is a new one."""
    other = command.folder().write("other.conf", f"[exception o]\nhost = {HOST}\ncertificate = "
                                   f"{fingerprint(command, 'expired')}\nfindings = name-mismatch\n")
    policy = command.policy(RULE + f"[policy]\ninclude = {other}\n" + "".join(
        f"[exception {name}]\nhost = {host}\ncertificate = {fingerprint(command, leaf)}\n"
        "findings = certificate-expired\nexpires = 2020-01-01\n"
        for name, host, leaf in (("a", HOST, "expired-twin"), ("b", "b.test", "expired"),
                                 ("c", f"{HOST}:1", "expired"))))
    before, beside = policy.read_text(), other.read_text()
    with serving(command, "expired") as port:
        except_(command, port, policy, "--yes").ended(0)
    require(policy.read_text().startswith(before + "\n[exception"), policy.read_text())
    require(other.read_text() == beside, other.read_text())


def test_expires_from_now(command):
    for word, days in (("2d", 2), ("3w", 21)):
        policy = command.policy(RULE)
        with serving(command, "expired") as port:
            except_(command, port, policy, "--yes", "--expires", word).ended(0)
        end = re.search(r"expires = (\S+)Z\n", policy.read_text())[1]
        left = time.mktime(time.strptime(end, "%Y-%m-%dT%H:%M:%S")) - time.timezone - time.time()
        require(abs(left - days * 86400) < 3700, end)
    for word in ("0d", "d", "90", "90m", "99999d", "-1d", "1dd"):
        except_(command, 1, command.policy(RULE), "--yes", "--expires", word).ended(2).silent().said(
            "--expires: ")
